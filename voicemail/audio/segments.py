"""Samples as segments of sound (pydub), for what is done to greetings themselves: edges, parts, waveforms.

pydub sees nothing but samples that were checked before. Its own ways to open a file aren't used: they run ffmpeg without any of
the limits that it has here.
"""

import warnings

with warnings.catch_warnings():
    # It looks for an ffmpeg of its own and warns where there is none; Python warns of the module that it counts with.
    warnings.simplefilter("ignore")
    from pydub import AudioSegment
    from pydub.silence import detect_leading_silence

from voicemail.audio import wav
from voicemail.audio.faults import AudioError, Fault

# What counts as silence at either end of a greeting that is as loud as it should be (dBFS, the mean of 10 ms), and what is left of it.
QUIET = -50.0
KEPT_BEFORE, KEPT_AFTER = 100, 150
# Where a sound is cut in the middle, it fades for so many milliseconds instead of clicking.
FADE = 5
_PER_MS = wav.RATE // 1000


def segment(samples: bytes, width: int = wav.WIDTH) -> AudioSegment:
    """Samples of `width` bytes at 8 kHz, mono."""
    return AudioSegment(data=samples, sample_width=width, frame_rate=wav.RATE, channels=1)


def edges(sound: AudioSegment, quiet: float) -> tuple[int, int]:
    """Between which samples there is something to be heard, with a little around it; `quiet`: dBFS of what isn't heard.

    All of them where nothing is louder than that.
    """
    samples = int(sound.frame_count())
    lead = detect_leading_silence(sound, silence_threshold=quiet, chunk_size=10)
    if lead >= len(sound):
        return 0, samples
    trail = detect_leading_silence(sound.reverse(), silence_threshold=quiet, chunk_size=10)
    start = max(0, lead - KEPT_BEFORE) * _PER_MS
    return start, max(start, samples - max(0, trail - KEPT_AFTER) * _PER_MS)


def part(sound: AudioSegment, start: int, end: int) -> AudioSegment:
    """The samples from `start` to before `end`."""
    return segment(sound.raw_data[start * sound.sample_width : end * sound.sample_width], sound.sample_width)


def raised(sound: AudioSegment, gain: float) -> bytes:
    """The sound raised by `gain` dB, as samples of 16 bits."""
    return bytes(sound.apply_gain(gain).set_sample_width(wav.WIDTH).raw_data)


def peaks(data: bytes, points: int) -> list[int]:
    """The waveform of a greeting as it is kept: the loudest sample of each of `points` equal parts, 0 to 100 (the loudest there can be).

    Raises `ValueError` for what isn't a greeting as it is kept.
    """
    if points < 1:
        raise ValueError("a waveform has at least one point")
    sound = segment(wav.own_samples(data))
    samples = int(sound.frame_count())
    found = []
    for point in range(points):
        start = point * samples // points
        end = max(start + 1, (point + 1) * samples // points)
        found.append(min(100, round(part(sound, start, end).max * 100 / 32_767)))
    return found


def cut(data: bytes, start_ms: int, end_ms: int) -> bytes:
    """What a greeting as it is kept says between two moments, as a greeting of its own; past its end counts as its end.

    Raises `AudioError` when nothing is left, `ValueError` for what isn't a greeting as it is kept.
    """
    sound = segment(wav.own_samples(data))
    samples = int(sound.frame_count())
    start = min(samples, max(0, start_ms) * _PER_MS)
    end = min(samples, max(0, end_ms) * _PER_MS)
    if start >= end:
        raise AudioError(Fault.EMPTY, "nothing between the two moments")
    left = part(sound, start, end)
    if start > 0:
        left = left.fade_in(min(FADE, len(left)))
    if end < samples:
        left = left.fade_out(min(FADE, len(left)))
    return wav.written(left.raw_data)
