"""From an uploaded or recorded sound to the greeting that is kept: decoded, as loud as all others, without silence around it."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from voicemail.audio import ffmpeg, loudness, segments, wav
from voicemail.audio.containers import MOV, WAV, Container, look
from voicemail.audio.faults import AudioError, Fault

# Of a whole conversion, on the clock.
SECONDS = 60
# Decoded samples have 32 bits, and room above the loudest that a file of 16 bits can hold: floats and MP3 go beyond it.
_WIDE = 4
_ROOM = 24.0
_MOST_BYTES = wav.MOST_SAMPLES * _WIDE
# A file may be shorter than it says by the padding of its coder: by so many seconds, or by this share of it.
_PADDING, _SHARE = 0.5, 0.02
# Stereo whose channels cancel each other out when they are mixed: this much quieter than one of them alone (dB), and below this (LUFS).
_CANCELLED, _SUSPICIOUS = 12.0, -40.0
# Gain and a limit for the loudest samples, without the limiter's own idea of the level.
_LIMITER = "alimiter=limit=0.891:attack=2:release=50:level=disabled"
_TURNS = 12
# Too short to have a loudness: it is measured as if it were said over and over for so many seconds.
_LONG_ENOUGH = 3
# Of the whole, what decoding takes.
_DECODED = 0.7

Progress = Callable[[float], None]


@dataclass(frozen=True)
class Sound:
    """A greeting that can be kept.

    `wav`: the file: WAV, 16 bits, 8 kHz, mono, at most 10 MiB. `samples`: how many. `kept`: byte for byte what was sent, because it
    was right already. `loudness`: LUFS of `wav`; None: not measured (kept, or shorter than 0.4 s). `levelled`: it was brought to
    -23 LUFS, within 1 LU (or as near as what is so short can be); False: that wasn't wanted, or can't be reached. `trimmed_ms`:
    what was taken off at its beginning and its end. `silent`: nothing can be heard in it, which is refused of what isn't kept.
    """

    wav: bytes
    samples: int
    kept: bool
    loudness: float | None = None
    levelled: bool = False
    trimmed_ms: tuple[int, int] = (0, 0)
    silent: bool = False

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.samples / wav.RATE


@dataclass(frozen=True)
class _Take:
    """Samples that ffmpeg gave: the sound, the loudness of its blocks, by how many dB its samples are below what they stand for."""

    sound: segments.AudioSegment
    levels: tuple[float, ...]
    room: float = 0.0

    @property
    def samples(self) -> int:
        return int(self.sound.frame_count())

    @property
    def peak(self) -> float:
        """The loudest sample in dBFS."""
        return float(self.sound.max_dBFS) + self.room

    @property
    def strength(self) -> float:
        """How loud it is; where it is too short or too quiet for that, its loudest sample."""
        found = loudness.mean(self.levels)
        return self.peak if found is None else found

    def edges(self, gain: float) -> tuple[int, int]:
        """Between which samples it can be heard, once it is raised by `gain`."""
        return segments.edges(self.sound, segments.QUIET - gain - self.room)

    def within(self, start: int, end: int) -> tuple[float, ...]:
        """The loudness of the blocks between two samples."""
        first = math.ceil(start / wav.RATE / loudness.STEP + loudness.BLOCK / loudness.STEP) - 1
        return self.levels[max(0, first) : max(0, int(end / wav.RATE / loudness.STEP))]


def convert(
    data: bytes,
    *,
    level: bool = True,
    trim: bool = True,
    anew: bool = False,
    progress: Progress | None = None,
    program: str | None = None,
) -> Sound:
    """The greeting that is kept of an uploaded or recorded file. What the phone system can play already is kept as it is.

    `level`: bring it to -23 LUFS. `trim`: take silence off at either end. `anew`: do so with what could be played already, too.
    `progress`: called with the share that is done (0 to 1), ever more; what it raises ends the conversion. `program`: an ffmpeg
    other than the one that is found. Raises `AudioError`.
    """
    container, told = look(data), _Told(progress)
    if container.ready and not anew:
        told.say(1.0)
        return _kept(data)
    work = ffmpeg.Work(program or ffmpeg.program(), time.monotonic() + SECONDS)
    take = _decode(work, data, container, told)
    told.say(_DECODED)
    sound = _finished(work, take, told, level=level, trim=trim)
    told.say(1.0)
    return sound


def _kept(data: bytes) -> Sound:
    samples = wav.own_samples(data)
    silent = segments.segment(samples).max_dBFS < loudness.SILENCE
    return Sound(data, len(samples) // wav.WIDTH, kept=True, silent=silent)


class _Told:
    """Who wants to know how far a conversion is, and what they were told: never less than before."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress, self._said = progress, 0.0

    def say(self, share: float) -> None:
        """So much is done, of 1."""
        if self._progress is not None and (share >= self._said + 0.02 or share == 1.0):
            self._said = share
            self._progress(share)

    def decoding(self, done: int, log: ffmpeg.Log) -> None:
        """So many bytes are decoded, of what the file says there are."""
        if seconds := log.seconds:
            self.say(_DECODED * min(1.0, done / (seconds * wav.RATE * _WIDE)))


def _decode(work: ffmpeg.Work, data: bytes, container: Container, told: _Told) -> _Take:
    """The file as samples, mixed into one channel; of channels that cancel each other out, the first alone."""
    mixed, log = _decoded(work, data, container, told, "aresample=8000:rematrix_maxval=1.0")
    if log.channels == "mono" or mixed.strength > _SUSPICIOUS:
        return mixed
    first, _ = _decoded(work, data, container, told, "pan=mono|c0=c0,aresample=8000")
    return first if first.strength >= mixed.strength + _CANCELLED else mixed


def _decoded(
    work: ffmpeg.Work, data: bytes, container: Container, told: _Told, resampled: str
) -> tuple[_Take, ffmpeg.Log]:
    """The file as samples, and what ffmpeg said of it. Raises `AudioError` for what isn't a whole sound."""
    kind = container.kind
    outcome = work.run(
        data,
        reader=kind.reader,
        names=kind.all_names,
        filters=[
            resampled,
            "aformat=sample_fmts=fltp:channel_layouts=mono",
            f"volume=-{_ROOM}dB:precision=float",
        ],
        sample="s32le",
        most=_MOST_BYTES,
        told=told.decoding,
    )
    _judge(outcome, container)
    return _Take(segments.segment(outcome.samples, _WIDE), outcome.levels, _ROOM), outcome.log


def _judge(outcome: ffmpeg.Outcome, container: Container) -> None:
    """Refuse what isn't a whole sound. That ffmpeg is content proves nothing: it is with most files that are cut short."""
    log = outcome.log
    if log.is_video:
        raise AudioError(Fault.VIDEO)
    if outcome.code:
        if log.unknown_coder:
            raise AudioError(Fault.UNKNOWN_KIND, log.coder)
        if log.many_channels:
            raise AudioError(Fault.CHANNELS, log.channels)
        if log.no_sound:
            raise AudioError(Fault.EMPTY, log.last_line)
        raise AudioError(Fault.BROKEN, log.last_line)
    if not outcome.samples:
        raise AudioError(Fault.EMPTY, log.last_line)
    # The other way round, because floats may be no numbers.
    if not all(level < _ROOM for level in outcome.levels):
        raise AudioError(Fault.BROKEN, "samples beyond everything")
    if log.ends_too_early:
        raise AudioError(Fault.CUT_SHORT, "ended prematurely")
    stated = log.seconds
    if (
        stated is None
        or not container.kind.states_length
        or (container.kind is MOV and log.coder.startswith("amr"))
    ):
        return
    there = len(outcome.samples) / _WIDE / wav.RATE
    if stated - there > max(_PADDING, _SHARE * stated):
        raise AudioError(Fault.CUT_SHORT, f"{there:.2f} of {stated:.2f} s")


def _finished(work: ffmpeg.Work, take: _Take, told: _Told, *, level: bool, trim: bool) -> Sound:
    """The greeting of a decoded sound."""
    if take.peak < loudness.SILENCE:
        raise AudioError(Fault.SILENT, f"{take.peak:.1f} dBFS")
    whole = (0, take.samples)
    gain = loudness.gain_for(take.levels)
    short = gain is None
    if gain is None:
        if take.samples >= loudness.BLOCK * wav.RATE:
            raise AudioError(Fault.SILENT, "nowhere louder than -70 LUFS")
        gain = _gain_of_short(work, take)
    edges = take.edges(gain) if trim else whole
    inside = take.within(*edges)
    if not level:
        return _sound(take, edges, 0.0, inside, levelled=False)
    wanted = loudness.gain_for(inside)
    if wanted is None:
        if not short or edges != whole:
            gain = _gain_of_short(work, replace(take, sound=segments.part(take.sound, *edges)))
        # What is too short to have a loudness is raised no further than it can be without distortion.
        return _sound(take, edges, min(gain, loudness.CEILING - take.peak), (), levelled=True)
    if take.peak + wanted <= loudness.CEILING:
        return _sound(take, edges, wanted, inside, levelled=True)
    return _limited(work, take, wanted, told, trim=trim)


def _sound(
    take: _Take, edges: tuple[int, int], gain: float, inside: tuple[float, ...], *, levelled: bool
) -> Sound:
    """What is kept of a take: the part between two samples, raised."""
    start, end = edges
    samples = segments.raised(segments.part(take.sound, start, end), gain + take.room)
    found = loudness.mean([one + gain for one in inside])
    return Sound(
        wav.written(samples),
        end - start,
        kept=False,
        loudness=None if found is None else round(found, 1),
        levelled=levelled and (found is None or abs(found - loudness.TARGET) <= loudness.WITHIN),
        trimmed_ms=(start * 1000 // wav.RATE, (take.samples - end) * 1000 // wav.RATE),
    )


def _gain_of_short(work: ffmpeg.Work, take: _Take) -> float:
    """By how many dB a sound is to be raised that is too short to be measured. Raises `AudioError` when nothing is heard in it."""
    times = math.ceil(_LONG_ENOUGH * wav.RATE / max(1, take.samples))
    outcome = _again(work, take.sound.raw_data * times, f"volume={take.room}dB:precision=double")
    gain = loudness.gain_for(outcome.levels)
    if gain is None:
        raise AudioError(Fault.SILENT, "nowhere louder than -70 LUFS")
    return gain


def _limited(work: ffmpeg.Work, take: _Take, first: float, told: _Told, *, trim: bool) -> Sound:
    """A sound whose loudest samples stand in the way of its loudness: these are held down, and the rest is raised until it is loud enough."""
    search = loudness.Search(first)
    best: Sound | None = None
    for turn in range(_TURNS):
        filters = (
            f"volume={search.gain + take.room:.3f}dB:precision=double,{_LIMITER},aformat=sample_fmts=s16"
        )
        outcome = _again(work, take.sound.raw_data, filters)
        tried = _Take(segments.segment(outcome.samples), outcome.levels)
        edges = tried.edges(0.0) if trim else (0, tried.samples)
        sound = _sound(tried, edges, 0.0, tried.within(*edges), levelled=True)
        if best is None or _distance(sound) < _distance(best):
            best = sound
        told.say(_DECODED + (1.0 - _DECODED) * (turn + 1) / (turn + 3))
        if sound.loudness is None or search.found(sound.loudness):
            break
    assert best is not None
    return best


def _distance(sound: Sound) -> float:
    """How far a sound is from the loudness it should have."""
    return math.inf if sound.loudness is None else abs(sound.loudness - loudness.TARGET)


def _again(work: ffmpeg.Work, samples: bytes, filters: str) -> ffmpeg.Outcome:
    """Decoded samples through filters; what comes out has 16 bits and is measured."""
    outcome = work.run(
        wav.written(samples, _WIDE),
        reader=WAV.reader,
        names=WAV.all_names,
        filters=[filters, "anull"],
        sample="s16le",
        most=len(samples),
    )
    if outcome.code or not outcome.samples:
        raise AudioError(Fault.BROKEN, outcome.log.last_line)
    return outcome
