"""The one way to ffmpeg: a strict list of arguments, limits of memory and time, and nothing of it left anywhere.

What is converted lies in memory that has no name (`memfd`), and what comes out is read from pipes: there is no temporary file,
so none is left, not even of a process that is killed. ffmpeg may write no file at all, and read none but the one it is given:
the reader is named, all others are forbidden, as is every protocol but that of files.
"""

import errno
import os
import re
import resource
import selectors
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import IO

from voicemail.audio.faults import AudioError, Fault
from voicemail.audio.wav import RATE

# What a process may take. Ten minutes of sound take 0.9 s and 60 MB; files made to be dear have taken 154 MB.
CPU_SECONDS = 10
# Of its own; what it shares with others, its libraries, doesn't count.
MEMORY = 256 * 1024 * 1024
ADDRESSES = 1024 * 1024 * 1024
ONE_BLOCK = 128 * 1024 * 1024
# On the clock: it gives way to everything else, and pages come first.
SECONDS = 30
NICE = 10
# Just more than what is kept at most, so that a longer sound is seen to be longer.
LONGEST = 660

# The coders of what phones, computers and telephone systems record. No picture is among them: covers are never decoded.
_CODERS = (
    "pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,pcm_s32le,pcm_s32be,pcm_f32le,pcm_f32be,pcm_f64le,pcm_f64be,pcm_u8,pcm_s8,"
    "pcm_alaw,pcm_mulaw,adpcm_ms,adpcm_ima_wav,adpcm_ima_qt,gsm,gsm_ms,mp3float,mp3,aac,alac,vorbis,opus,libopus,flac,"
    "amrnb,amrwb,wmav1,wmav2"
)
# MFD_NOEXEC_SEAL: never to be run as a program; hardened systems give no memory without it.
_NO_PROGRAM = 0x8
_PIECE = 1 << 20
# Of what it says, the beginning (what the file is) and the end (how it went); a broken file makes it say megabytes.
_LOG_HEAD, _LOG_TAIL = 64 * 1024, 16 * 1024
_MOST_LEVELS = 1024 * 1024

_DURATION = re.compile(rb"^  Duration: (\d+):(\d\d):(\d\d\.\d+)", re.MULTILINE)
_AUDIO = re.compile(rb"^  Stream #0:\d+[^\n]*?: Audio: (\w+)[^\n]*? Hz, ([^,\n]+)", re.MULTILINE)
_VIDEO = re.compile(rb"^  Stream #0:\d+[^\n]*?: Video: (?![^\n]*\(attached pic\))", re.MULTILINE)
_CHANNELS = re.compile(rb"(\d+) channels")
_LEVEL = re.compile(rb"r128\.M=(\S+)")


@dataclass(frozen=True)
class Log:
    """What ffmpeg said about a file and its conversion; the lines that a title can't forge."""

    said: bytes

    @property
    def seconds(self) -> float | None:
        """How long the file says it is; None where it doesn't say, or ffmpeg only guesses."""
        stated = _DURATION.search(self.said)
        if stated is None or b"Estimating duration from bitrate" in self.said:
            return None
        hours, minutes, seconds = stated.groups()
        return int(hours) * 3600 + int(minutes) * 60 + float(seconds)

    @property
    def coder(self) -> str:
        """How the sound is coded: `mp3`, `opus`; "" where there is none."""
        found = _AUDIO.search(self.said)
        return found[1].decode() if found else ""

    @property
    def channels(self) -> str:
        """The channels as ffmpeg calls them: `mono`, `stereo`, `5.1`, `12 channels`."""
        found = _AUDIO.search(self.said)
        return found[2].decode(errors="replace").strip() if found else ""

    @property
    def many_channels(self) -> bool:
        """Whether there are more than can be mixed into one."""
        found = _CHANNELS.fullmatch(self.channels.encode())
        return found is not None and int(found[1]) > 8

    @property
    def is_video(self) -> bool:
        """Whether there are moving pictures; a cover is none."""
        return bool(_VIDEO.search(self.said))

    @property
    def ends_too_early(self) -> bool:
        """Whether the reader found the end where it didn't expect it, which stops nothing."""
        return b"File ended prematurely" in self.said

    @property
    def unknown_coder(self) -> bool:
        """Whether the sound is coded in a way that isn't on our list."""
        return b"not on whitelist" in self.said and b"Codec" in self.said

    @property
    def no_sound(self) -> bool:
        """Whether the file was read, and no sound is among what it holds."""
        return b"matches no streams" in self.said

    @property
    def last_line(self) -> str:
        """Its last words, for the log."""
        return self.said.strip().rpartition(b"\n")[2].decode("ascii", "replace")


@dataclass(frozen=True)
class Outcome:
    """What a run gave: samples, the loudness of the 400 ms up to each tenth of a second (LUFS), what it said, how it ended."""

    samples: bytes
    levels: tuple[float, ...]
    log: Log
    code: int


# Who is told how many bytes came out so far, and what was said.
Told = Callable[[int, Log], None]


@lru_cache(maxsize=1)
def program() -> str:
    """The system's ffmpeg, else the one that a Python package brings; one that starts. Raises `AudioError`."""
    installed = shutil.which("ffmpeg")
    if installed and _starts(installed):
        return installed
    # Asked for only where it is needed: to find it costs a look into the package's folders.
    import imageio_ffmpeg

    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError as error:
        raise AudioError(Fault.NO_FFMPEG, str(error)) from None


def _starts(path: str) -> bool:
    """Whether a program starts at all: it may lack a library."""
    try:
        done = subprocess.run(  # noqa: S603 - no shell, and nothing of a user's
            [path, "-nostdin", "-version"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            timeout=SECONDS, check=False,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0


@dataclass
class Work:
    """One conversion: which ffmpeg does it, and by when it must be over (`time.monotonic`)."""

    program: str
    until: float

    def run(
        self,
        data: bytes,
        *,
        reader: str,
        names: str,
        filters: Sequence[str],
        sample: str,
        most: int,
        told: Told | None = None,
    ) -> Outcome:
        """Run `data` through filters into samples at 8 kHz, mono, measured before the last filter.

        `reader`, `names`: ffmpeg's reader for the data. `filters`: the measurement comes before the last one. `sample`: `s16le` or
        `s32le`. `told`: called with the bytes that came out so far and what was said; what it raises ends the run. Raises `AudioError`:
        more than `most` bytes came out, it took too long, it couldn't be started.
        """
        until = min(self.until, time.monotonic() + SECONDS)
        reading, writing = _pipe()
        with reading, writing, _in_memory(data) as source:
            arguments = [
                self.program, "-nostdin", "-hide_banner", "-nostats", "-v", "info",
                "-max_alloc", str(ONE_BLOCK), "-filter_threads", "1", "-threads", "1",
                "-protocol_whitelist", "file", "-format_whitelist", names, "-codec_whitelist", _CODERS,
                "-max_streams", "8", "-probesize", "5000000", "-analyzeduration", "5000000",
                *(["-use_absolute_path", "0", "-enable_drefs", "0"] if reader == "mov" else []),
                "-f", reader, "-vn", "-sn", "-dn", "-t", str(LONGEST), "-i", f"file:/proc/self/fd/{source}",
                "-map", "0:a:0", "-map_metadata", "-1", "-map_chapters", "-1", "-threads", "1",
                "-af", ",".join([
                    *filters[:-1], "ebur128=metadata=1:framelog=verbose",
                    rf"ametadata=mode=print:key=lavfi.r128.M:file=pipe\\:{writing.fileno()}", filters[-1],
                ]),
                "-ar", str(RATE), "-ac", "1", "-c:a", f"pcm_{sample}", "-bitexact", "-f", sample, "pipe:1",
            ]  # fmt: skip
            return _outcome(arguments, source, (reading, writing), most, until, told)


def _outcome(
    arguments: list[str],
    source: int,
    levels: tuple[IO[bytes], IO[bytes]],
    most: int,
    until: float,
    told: Told | None,
) -> Outcome:
    """Start a process, read all that it says while it lives, and see to it that it doesn't outlive this."""
    reading, writing = levels
    try:
        process = subprocess.Popen(  # noqa: S603 - no shell, and nothing of a user's among the arguments
            arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            pass_fds=(source, writing.fileno()), cwd="/", start_new_session=True,
            # One arena: each of its threads would set a place aside for memory of its own.
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "MALLOC_ARENA_MAX": "1"},
        )  # fmt: skip
    except FileNotFoundError:
        program.cache_clear()
        raise AudioError(Fault.NO_FFMPEG, arguments[0]) from None
    except OSError as error:
        raise AudioError(Fault.OVERLOADED, str(error)) from None
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        _limit(process.pid)
        # The end that is read is over when nobody can write any more.
        writing.close()
        samples, marks, said = _Sink(most), _Sink(_MOST_LEVELS), _LogSink()
        sinks: dict[int, _Sink | _LogSink] = {
            process.stdout.fileno(): samples,
            process.stderr.fileno(): said,
            reading.fileno(): marks,
        }
        for _ in _read(sinks, until):
            if told is not None:
                told(samples.size, said.log)
        code = process.wait(max(0.0, until - time.monotonic()))
    except subprocess.TimeoutExpired:
        raise AudioError(Fault.TOOK_TOO_LONG) from None
    finally:
        _end(process)
    if code == -signal.SIGXCPU:
        raise AudioError(Fault.TOOK_TOO_LONG, "its own seconds are over")
    if code == -signal.SIGKILL:
        raise AudioError(Fault.OVERLOADED, "killed, as a system does that needs the memory")
    return Outcome(samples.all, tuple(float(level) for level in _LEVEL.findall(marks.all)), said.log, code)


class _Sink:
    """Bytes that a process wrote, up to a limit; more of them are a sound that is too long."""

    def __init__(self, most: int) -> None:
        self.pieces: list[bytes] = []
        self.size, self.most = 0, most

    def take(self, piece: bytes) -> None:
        self.size += len(piece)
        if self.size > self.most:
            raise AudioError(Fault.TOO_LONG)
        self.pieces.append(piece)

    @property
    def all(self) -> bytes:
        return b"".join(self.pieces)


class _LogSink:
    """What a process said: the beginning and the end, whatever it said in between."""

    def __init__(self) -> None:
        self.head, self.tail = b"", b""

    def take(self, piece: bytes) -> None:
        room = _LOG_HEAD - len(self.head)
        self.head += piece[:room]
        self.tail = (self.tail + piece[room:])[-_LOG_TAIL:] if len(piece) > room else self.tail

    @property
    def log(self) -> Log:
        return Log(self.head + self.tail)


def _read(sinks: dict[int, _Sink | _LogSink], until: float) -> Iterator[None]:
    """Read pipes until all of them are closed; goes on after each piece. Raises `AudioError` when the time is over."""
    with selectors.DefaultSelector() as waiting:
        for pipe in sinks:
            waiting.register(pipe, selectors.EVENT_READ)
        while waiting.get_map():
            left = until - time.monotonic()
            if left <= 0:
                raise AudioError(Fault.TOOK_TOO_LONG)
            for key, _ in waiting.select(left):
                if piece := os.read(key.fd, _PIECE):
                    sinks[key.fd].take(piece)
                else:
                    waiting.unregister(key.fd)
            yield


@contextmanager
def _in_memory(data: bytes) -> Iterator[int]:
    """A file in memory that has no name, and that ends with whoever holds it."""
    try:
        try:
            descriptor = os.memfd_create("greeting", os.MFD_CLOEXEC | _NO_PROGRAM)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            # Linux before 6.3 doesn't know that flag.
            descriptor = os.memfd_create("greeting", os.MFD_CLOEXEC)
    except OSError as error:
        raise AudioError(Fault.OVERLOADED, str(error)) from None
    with open(descriptor, "wb", buffering=0) as file:
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(descriptor, rest) :]
        except OSError as error:
            raise AudioError(Fault.OVERLOADED, str(error)) from None
        yield file.fileno()


def _pipe() -> tuple[IO[bytes], IO[bytes]]:
    """The two ends of a pipe."""
    try:
        reading, writing = os.pipe()
    except OSError as error:
        raise AudioError(Fault.OVERLOADED, str(error)) from None
    return open(reading, "rb", buffering=0), open(writing, "wb", buffering=0)


def _limit(pid: int) -> None:
    """Set the limits of a process that has just been started; from here, because code between fork and exec may never end."""
    limits = {
        resource.RLIMIT_CPU: CPU_SECONDS,
        resource.RLIMIT_DATA: MEMORY,
        resource.RLIMIT_AS: ADDRESSES,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_NOFILE: 64,
        resource.RLIMIT_CORE: 0,
    }
    with suppress(ProcessLookupError):
        for limit, most in limits.items():
            # Seconds: told at the soft limit, which it can be asked for, and killed a second later.
            resource.prlimit(pid, limit, (most, most + (limit == resource.RLIMIT_CPU)))
        os.setpriority(os.PRIO_PROCESS, pid, NICE)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and all that it started, unless it has ended, and let go of its pipes."""
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()
