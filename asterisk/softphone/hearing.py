"""PURE: what is heard in a recording, as pieces of tones, progress tones, speech and silence."""

import math
import struct
from array import array
from collections.abc import Iterator
from functools import lru_cache
from operator import mul
from pathlib import Path
from typing import NamedTuple

RATE = 8000
BLOCK = RATE // 10  # 100 ms: a tone's frequency can be told from its neighbours 10 Hz away
HEADER = 44
# Root mean square of 16 bits below which nobody hears anything; a comfort noise is quieter.
QUIET = 60
SHARE = 0.5
SILENCE, SPEECH = "silence", "speech"
# The North American progress tones (ITU-T E.180 supplement 2).
PROGRESS = {"ringback": (440, 480), "busy tone": (480, 620), "dial tone": (350, 440)}


class Heard(NamedTuple):
    """What was heard without a break: a frequency in Hz, a progress tone's name, "speech" (any other sound) or "silence"."""

    what: int | str
    seconds: float


@lru_cache(maxsize=256)
def _waves(hertz: int) -> tuple["array[float]", "array[float]"]:
    turns = [2 * math.pi * hertz * at / RATE for at in range(BLOCK)]
    return array("d", map(math.cos, turns)), array("d", map(math.sin, turns))


def share(block: "array[int]", hertz: int) -> float:
    """The part of a block's energy, 0 to 1, that is a tone of `hertz`."""
    energy = sum(map(mul, block, block))
    cosine, sine = (sum(map(mul, block, wave)) for wave in _waves(hertz))
    return 2 * (cosine**2 + sine**2) / (len(block) * energy) if energy else 0.0


def likeliest(block: "array[int]") -> int:
    """The frequency that a block would have if it were one tone: then x[n+1] + x[n-1] = 2 cos(w) x[n]."""
    middle = block[1:-1]
    energy = sum(map(mul, middle, middle))
    if not energy:
        return 0
    both = sum(map(mul, middle, block[2:])) + sum(map(mul, middle, block[:-2]))
    return round(math.acos(max(-1.0, min(1.0, both / (2 * energy)))) * RATE / (2 * math.pi))


def name(block: "array[int]") -> int | str:
    """What one block is."""
    if math.sqrt(sum(map(mul, block, block)) / len(block)) < QUIET:
        return SILENCE
    guess = likeliest(block)
    if share(block, guess) > SHARE:
        return guess
    for progress, (low, high) in PROGRESS.items():
        if (
            min(share(block, low), share(block, high)) > 0.2
            and share(block, low) + share(block, high) > SHARE
        ):
            return progress
    # Coarse codecs add noise, which pushes the guess up: look around it.
    best = max(range(max(10, guess - 80), guess + 30, 5), key=lambda hertz: share(block, hertz))
    return best if share(block, best) > SHARE else SPEECH


def blocks(samples: "array[int]") -> Iterator["array[int]"]:
    """`samples` in pieces of 100 ms; what is shorter at the end is left out."""
    for start in range(0, len(samples) - BLOCK + 1, BLOCK):
        yield samples[start : start + BLOCK]


def same(one: int | str, other: int | str) -> bool:
    """Whether two blocks are the same sound: frequencies within 10 Hz are."""
    if isinstance(one, int) and isinstance(other, int):
        return abs(one - other) <= 10
    return one == other


def pieces(names: list[int | str]) -> list[Heard]:
    """Blocks one after another as what was heard, each with its seconds."""
    found: list[Heard] = []
    for what in names:
        if found and same(found[-1].what, what):
            found[-1] = Heard(found[-1].what, round(found[-1].seconds + 0.1, 1))
        else:
            found.append(Heard(what, 0.1))
    return found


class Ear:
    """Listens to a recording, also while it grows: each part of it is looked at once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.names: list[int | str] = []

    def heard(self) -> list[Heard]:
        """All that was heard so far. The recorder writes a quarter of a second at a time."""
        self.names.extend(name(block) for block in blocks(self._new()))
        return pieces(self.names)

    def seconds(self, what: int | str) -> float:
        """For how long one thing was heard so far, all pieces together."""
        return round(sum(piece.seconds for piece in self.heard() if same(piece.what, what)), 1)

    def _new(self) -> "array[int]":
        if not self.path.exists():
            return array("h")
        with self.path.open("rb") as file:
            file.seek(HEADER + 2 * BLOCK * len(self.names))
            raw = file.read()
        return array("h", struct.unpack(f"<{len(raw) // 2}h", raw[: len(raw) // 2 * 2]))
