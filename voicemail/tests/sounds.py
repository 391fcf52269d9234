"""Sounds for tests: WAV files in the format of the phone system, which no program has to convert."""

import io
import math
import struct
import wave
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from voicemail import audio
from voicemail.greetings import sounds
from voicemail.models import Greeting


def ready_wav(seconds: float = 1.0, hertz: int = 440) -> bytes:
    """A tone in the format of the phone system: 8 kHz, 16 bit, mono."""
    return tone(seconds, hertz)


def tone(seconds: float, hertz: int = 440, rate: int = 8000) -> bytes:
    """A tone as WAV, 16 bit, mono, at any rate."""
    count = round(seconds * rate)
    samples = (round(9000 * math.sin(2 * math.pi * hertz * place / rate)) for place in range(count))
    kept = io.BytesIO()
    with wave.open(kept, "wb") as file:
        file.setparams((1, 2, rate, count, "NONE", ""))
        file.writeframes(struct.pack(f"<{count}h", *samples))
    return kept.getvalue()


def silence(seconds: float = 1.0) -> bytes:
    """Nothing, in the format of the phone system."""
    head = ready_wav(seconds)[:44]
    return head + bytes(round(seconds * 8000) * 2)


def upload(content: bytes | None = None, name: str = "accueil.wav") -> SimpleUploadedFile:
    """A file as a form sends it."""
    return SimpleUploadedFile(name, ready_wav() if content is None else content, "audio/wav")


def make_greeting(customer: Any, person: Any = None, name: str = "Vacances") -> Greeting:
    """A greeting of a person's library, or the company's, with a sound that can be heard."""
    sound = sounds.keep(customer, audio.convert(ready_wav(), level=False, trim=False))
    return Greeting.objects.create(customer=customer, user=person, name=name, sound=sound)
