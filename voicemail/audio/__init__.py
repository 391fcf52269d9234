"""PURE: greetings as sounds: what may be uploaded, and what is kept of it. Bytes in, bytes out; no Django, no names, no tables.

A web request asks `look`, which refuses at once what is plainly no sound and says whether there is anything to convert. A worker
calls `convert`. Why something isn't taken is a `Fault`; its sentence is made where the reader's language is known.
"""

from voicemail.audio.containers import Container, look, read_limited
from voicemail.audio.conversion import Sound, convert
from voicemail.audio.faults import AudioError, Fault
from voicemail.audio.segments import cut, peaks
from voicemail.audio.wav import BIGGEST_FILE, clean

__all__ = [
    "BIGGEST_FILE",
    "AudioError",
    "Container",
    "Fault",
    "Sound",
    "clean",
    "convert",
    "cut",
    "look",
    "peaks",
    "read_limited",
]
