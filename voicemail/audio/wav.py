"""WAV files: whether one is what the phone system plays already, what is wrong with one, and how ours are written.

The phone system plays linear PCM of 16 bits, 8,000 samples a second, one channel.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from voicemail.audio.faults import AudioError, Fault

RATE = 8_000
WIDTH = 2
HEADER = 44
# Of a file as it is sent, and as it is kept.
BIGGEST_FILE = 10 * 1024 * 1024
# What fits into that: 655.36 seconds.
MOST_SAMPLES = (BIGGEST_FILE - HEADER) // WIDTH


def _format(width: int) -> bytes:
    """The description of linear PCM with samples of `width` bytes: one channel; bytes of a second, bytes of a moment, bits."""
    return struct.pack("<HHIIHH", 1, 1, RATE, RATE * width, width, 8 * width)


_FORMAT = _format(WIDTH)
# What may stand beside the sound of a file that is kept as it is: titles, marks, when it was made, its levels.
_HARMLESS = frozenset([b"LIST", b"bext", b"fact", b"cue ", b"smpl", b"iXML", b"id3 ", b"ID3 ", b"PEAK"])
# Sizes from here on say "until the end": a program that wrote into a pipe couldn't go back to fill in the real one.
_UNTIL_THE_END = 0x7FFF0000
_MOST_CHUNKS = 500
_LARGEST_FORMAT = 4096
_MOST_CHANNELS = 8
_RATES = range(4_000, 384_001)
_BITS = range(8, 65)
# Linear PCM, floats, and either of them with a longer description.
_LINEAR = (0x0001, 0x0003, 0xFFFE)


@dataclass(frozen=True)
class Chunk:
    """A part of a WAV file: its name, where its bytes begin, and how many it says there are."""

    name: bytes
    start: int
    size: int

    @property
    def end(self) -> int:
        """Where its bytes end, as it says; an odd number of them is followed by one that counts for nothing."""
        return self.start + self.size


def chunks(data: bytes) -> Iterator[Chunk]:
    """The parts of a WAV file one after the other, up to one that says it goes beyond the file. Raises `AudioError`."""
    at = 12
    for _ in range(_MOST_CHUNKS):
        if at + 8 > len(data):
            return
        name, size = struct.unpack_from("<4sI", data, at)
        chunk = Chunk(name, at + 8, size)
        yield chunk
        if chunk.end > len(data):
            return
        at = chunk.end + size % 2
    raise AudioError(Fault.BROKEN, "more chunks than a sound needs")


def samples_of(data: bytes) -> bytes | None:
    """The samples of a file that the phone system can play as it is; None for every other one.

    Nothing in such a file contradicts anything else: every size fits, to the last byte, and nothing but the sound and harmless
    notes is in it. (`wave.open` looks at neither the file's size nor the bytes of a second.)
    """
    if len(data) > BIGGEST_FILE or data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        return None
    if struct.unpack_from("<I", data, 4)[0] + 8 != len(data):
        return None
    sound: Chunk | None = None
    described = False
    end = 12
    try:
        for chunk in chunks(data):
            if chunk.name == b"fmt " and not described and sound is None:
                described = data[chunk.start : chunk.end] == _FORMAT
                if not described:
                    return None
            elif chunk.name == b"data" and described and sound is None:
                sound = chunk
            elif chunk.name not in _HARMLESS:
                return None
            end = chunk.end + chunk.size % 2
    except AudioError:
        return None
    if sound is None or end != len(data) or not sound.size or sound.size % WIDTH:
        return None
    return data[sound.start : sound.end]


def written(samples: bytes, width: int = WIDTH) -> bytes:
    """A file around samples of `width` bytes (8 kHz, mono), with the shortest header, which is the one that every phone system reads."""
    head = struct.pack("<4sI4s4sI", b"RIFF", HEADER - 8 + len(samples), b"WAVE", b"fmt ", len(_FORMAT))
    return head + _format(width) + struct.pack("<4sI", b"data", len(samples)) + samples


def clean(data: bytes) -> bytes:
    """The same samples with nothing beside them, for the phone system: Asterisk reads no further than a header of 44 bytes.

    Raises `ValueError` for what isn't a greeting as it is kept.
    """
    return written(own_samples(data))


def own_samples(data: bytes) -> bytes:
    """The samples of a greeting as it is kept. Raises `ValueError` for anything else."""
    samples = samples_of(data)
    if samples is None:
        raise ValueError("no greeting as it is kept")
    return samples


def check(data: bytes) -> None:
    """Refuse a WAV file that says what can't be: ffmpeg reads as much as there is, and says nothing. Raises `AudioError`."""
    described = False
    sound: Chunk | None = None
    real_size: int | None = None
    for chunk in chunks(data):
        if chunk.name == b"ds64" and chunk.size >= 16:
            real_size = struct.unpack_from("<Q", data.ljust(chunk.start + 16, b"\0"), chunk.start + 8)[0]
        elif chunk.name == b"fmt ":
            _check_format(data, chunk)
            described = True
        elif chunk.name == b"data":
            if sound is not None:
                # Which of them is heard depends on who reads it.
                raise AudioError(Fault.BROKEN, "two sounds in one file")
            sound = chunk
            _check_size(data, chunk, real_size if data[:4] == b"RF64" else None)
            if not chunk.size:
                break
        elif chunk.end > len(data) and described and sound is None:
            raise AudioError(Fault.CUT_SHORT, "ends before the sound")
    if not described:
        raise AudioError(Fault.NOT_AUDIO, "no format in the file")
    if sound is None:
        raise AudioError(Fault.EMPTY, "no sound in the file")


def _check_format(data: bytes, chunk: Chunk) -> None:
    """Refuse what can't be a sound: nothing a second, no channel, a sample of no bits."""
    if not len(_FORMAT) <= chunk.size <= _LARGEST_FORMAT:
        raise AudioError(Fault.BROKEN, f"a description of {chunk.size} bytes")
    if chunk.end > len(data):
        raise AudioError(Fault.CUT_SHORT, "ends in the description")
    tag, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", data, chunk.start)
    if channels > _MOST_CHANNELS:
        raise AudioError(Fault.CHANNELS, f"{channels} channels")
    if channels == 0 or rate not in _RATES or (tag in _LINEAR and bits not in _BITS):
        raise AudioError(Fault.BROKEN, f"{channels} channels, {rate} Hz, {bits} bits")


def _check_size(data: bytes, sound: Chunk, real_size: int | None) -> None:
    """Refuse a sound that goes on beyond the file, or isn't there."""
    there = len(data) - sound.start
    size = sound.size if real_size is None else real_size
    if size == 0 and (not there or data[sound.start : sound.start + 4] in _HARMLESS):
        raise AudioError(Fault.EMPTY, "no samples")
    if there < size < _UNTIL_THE_END:
        raise AudioError(Fault.CUT_SHORT, f"{there} of {size} bytes")
    if not there:
        raise AudioError(Fault.EMPTY, "no samples")
