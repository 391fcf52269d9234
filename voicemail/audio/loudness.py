"""How loud a sound is (EBU R 128), and by how much it is to be raised or lowered.

A greeting is brought to -23 LUFS: callers hear all of them alike. ffmpeg measures the loudness of each 400 ms; what is made of that
is reckoned here (ITU-R BS.1770: what is quieter than -70 LUFS doesn't count, nor what is 10 LU quieter than the rest), so that the
loudness under another gain, or of a part of the sound, is known without another look at the samples.
"""

import math
from collections.abc import Sequence

TARGET = -23.0
# What is aimed at, and what is promised.
NEAR, WITHIN = 0.4, 1.0
# The loudest sample, in dBFS: above it, a phone system's own processing may clip.
CEILING = -1.0
# What is quieter counts for nothing, by the standard; a sound that is nowhere louder can't be heard.
SILENCE = -70.0
# The length of a measured block, and how far one begins after the other, in seconds.
BLOCK, STEP = 0.4, 0.1


def mean(levels: Sequence[float]) -> float | None:
    """The loudness of a sound of these blocks in LUFS; None: there is none to be heard."""
    heard = [level for level in levels if level >= SILENCE]
    if not heard:
        return None
    threshold = _mean(heard) - 10.0
    return _mean([level for level in heard if level >= threshold])


def _mean(levels: Sequence[float]) -> float:
    """The mean of the powers."""
    return 10.0 * math.log10(sum(10.0 ** (level / 10.0) for level in levels) / len(levels))


def gain_for(levels: Sequence[float]) -> float | None:
    """By how many dB a sound of these blocks is to be raised to reach the target; None: there is none to be heard."""
    gain = 0.0
    # What was too quiet to count may count once it is raised: the second look sees it.
    for _ in range(3):
        found = mean([level + gain for level in levels])
        if found is None:
            return None
        gain += TARGET - found
    return gain


class Search:
    """The search for the gain that brings a sound to the target where its loudest samples are held down: each try says the next."""

    # At one step, and above the gain that it begins with. A click over quiet words hides these until they are thirty dB louder.
    _STEP, _MOST = 12.0, 50.0
    # The least by which a dB more is taken to raise the loudness, in dB: where it does nothing yet, the next step is a large one.
    _SLOPE = 0.2

    def __init__(self, first: float) -> None:
        self.gain = self._first = first
        self._last: tuple[float, float] | None = None

    def found(self, loudness: float) -> bool:
        """Take what the gain led to; whether that is near enough, or more would be too much."""
        rest = TARGET - loudness
        if abs(rest) <= NEAR:
            return True
        slope = 1.0
        if self._last is not None:
            gain, before = self._last
            slope = max(self._SLOPE, min(1.0, (loudness - before) / (self.gain - gain)))
        self._last = (self.gain, loudness)
        self.gain += max(-self._STEP, min(self._STEP, rest / slope))
        return self.gain > self._first + self._MOST
