"""What a program that converts may do: its arguments, its limits, and that nothing of it stays; played by scripts that misbehave."""

import os
import re
import select
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from voicemail.audio import AudioError, Fault, convert, ffmpeg
from voicemail.tests.audio.formats import chunk, fmt, riff

# A second at 16 kHz: right, but not as it is kept.
DATA = riff(chunk(b"fmt ", fmt(rate=16000)), chunk(b"data", b"\0\x10\0\xf0" * 8000))


# Makes a program out of lines of a shell.
Script = Callable[..., str]


@pytest.fixture
def script(tmp_path: Path) -> Script:
    """Makes a program out of lines of a shell."""

    def made(*lines: str) -> str:
        path = tmp_path / "ffmpeg"
        path.write_text("#!/bin/sh\n" + "\n".join(lines) + "\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return str(path)

    return made


def run(program: str, seconds: float = 30.0, most: int = 1000) -> ffmpeg.Outcome:
    """Run a program as ffmpeg is run."""
    work = ffmpeg.Work(program, time.monotonic() + seconds)
    return work.run(DATA, reader="wav", names="wav", filters=["anull", "anull"], sample="s16le", most=most)


def ends(pid: int) -> bool:
    """Whether a process that isn't ours has ended, or does so in a moment."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    with open(handle):
        return bool(select.select([handle], [], [], 10)[0])


def test_no_reader_no_protocol_and_no_coder_is_left_to_guess(script: Script) -> None:
    said = run(script('for word; do echo "$word" >&2; done')).log.said.decode().splitlines()
    given = dict(pairwise(said))
    assert given["-protocol_whitelist"] == "file"
    assert given["-format_whitelist"] == "wav"
    assert said.index("-f") < said.index("-i")
    assert given["-i"].startswith("file:/proc/self/fd/")
    assert {"-vn", "-sn", "-dn", "-nostdin"} <= set(said)
    # No picture's coder, and no reader of other files, is among them.
    assert not {"png", "mjpeg", "h264", "hls", "concat"} & set(given["-codec_whitelist"].split(","))


def test_it_is_given_no_variable_but_the_path_and_no_open_file_but_its_own(script: Script) -> None:
    with tempfile.NamedTemporaryFile(prefix="secret-") as secret:
        os.set_inheritable(secret.fileno(), True)
        program = script("env >&2", "ls -l /proc/$$/fd >&2")
        said = run(program).log.said.decode()
    names = set(re.findall(r"^(\w+)=", said, re.MULTILINE))
    # The shell of the script adds its own.
    assert names <= {"PATH", "LC_ALL", "MALLOC_ARENA_MAX", "PWD", "_", "SHLVL", "OLDPWD"}
    opened = re.findall(r" -> (\S+)", said)
    assert "/memfd:greeting" in opened
    # And what the shell reads.
    assert [one for one in opened if not re.match("pipe:|/memfd:|/dev/null", one)] in ([], [program])


def test_its_time_memory_files_and_place_in_the_queue_are_limited(script: Script) -> None:
    waits = "until grep -q 'Max nice priority' /proc/$$/limits && [ $(cut -d' ' -f19 /proc/$$/stat) = 10 ]; do :; done"
    said = run(script(waits, "cat /proc/$$/limits >&2")).log.said.decode()

    def limit(name: str) -> int:
        found = re.search(rf"^Max {name} +(\d+) ", said, re.MULTILINE)
        assert found is not None
        return int(found[1])

    assert limit("cpu time") == 10
    assert limit("data size") == 256 * 1024 * 1024
    assert limit("address space") == 1024 * 1024 * 1024
    assert limit("file size") == 0
    assert limit("core file size") == 0
    assert limit("open files") == 64


def test_it_can_write_no_file(script: Script, tmp_path: Path) -> None:
    waits = "until [ $(cut -d' ' -f19 /proc/$$/stat) = 10 ]; do :; done"
    target = tmp_path / "written"
    outcome = run(script(waits, "trap '' XFSZ", f"echo secret > {target}", "echo ended >&2"))
    assert b"ended" in outcome.log.said
    assert not target.exists() or target.read_bytes() == b""


def test_what_never_ends_is_killed_with_all_that_it_started(script: Script, tmp_path: Path) -> None:
    child = tmp_path / "child"
    os.mkfifo(child)
    found: list[str] = []
    reader = threading.Thread(target=lambda: found.append(child.read_text()))
    reader.start()
    with pytest.raises(AudioError) as refused:
        run(script("sleep 600 &", f"echo $! > {child} &", "sleep 600"), seconds=1.0)
    reader.join(10)
    assert refused.value.fault is Fault.TOOK_TOO_LONG
    assert ends(int(found[0]))


def test_what_closes_its_mouth_but_goes_on_is_killed_too(script: Script) -> None:
    before = time.monotonic()
    with pytest.raises(AudioError, match="took_too_long"):
        run(
            script("exec >&- 2>&-", "for at in 3 4 5 6 7 8 9; do eval exec $at\\>\\&-; done", "sleep 600"),
            seconds=0.5,
        )
    assert time.monotonic() - before < 10


def test_of_what_it_says_the_beginning_and_the_end_are_kept_however_much_it_is(script: Script) -> None:
    flood = "head -c 30000000 /dev/zero | tr '\\0' x >&2"
    said = run(script("echo first >&2", flood, "echo >&2; echo last >&2")).log.said
    assert said.startswith(b"first\n")
    assert said.endswith(b"\nlast\n")
    assert len(said) < 100_000


def test_a_sound_that_never_ends_is_too_long(script: Script) -> None:
    with pytest.raises(AudioError, match="too_long"):
        run(script("exec cat /dev/zero"), most=5_000_000)


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("kill -KILL $$", Fault.OVERLOADED),
        ("kill -XCPU $$", Fault.TOOK_TOO_LONG),
        ("kill -SEGV $$", Fault.BROKEN),
        ("exit 69", Fault.BROKEN),
        ("exit 0", Fault.EMPTY),
        ("echo 'Stream map 0:a:0 matches no streams.' >&2; exit 1", Fault.EMPTY),
    ],
)
def test_however_it_ends_there_is_an_answer(script: Script, line: str, fault: Fault) -> None:
    with pytest.raises(AudioError) as refused:
        convert(DATA, program=script(line))
    assert refused.value.fault is fault


def test_without_a_program_only_what_is_right_already_is_taken() -> None:
    with pytest.raises(AudioError, match="no_ffmpeg"):
        convert(DATA, program="/nowhere/ffmpeg")


def test_a_caller_that_gives_up_leaves_no_process(script: Script, tmp_path: Path) -> None:
    class CancelledError(Exception):
        """The job was cancelled."""

    started: list[int] = []

    def told(done: int, log: ffmpeg.Log) -> None:
        started.append(int(log.said.split()[0]))
        raise CancelledError

    work = ffmpeg.Work(script("echo $$ >&2", "exec sleep 600"), time.monotonic() + 30)
    with pytest.raises(CancelledError):
        work.run(DATA, reader="wav", names="wav", filters=["anull"], sample="s16le", most=9, told=told)
    assert ends(started[0])


def test_a_title_forges_no_line_of_the_log() -> None:
    forged = b"""Input #0, ogg, from 'file:/proc/self/fd/5':
  Duration: 00:00:05.00, start: 0.0
  Stream #0:0: Audio: vorbis, 8000 Hz, mono
    Metadata:
      title           :   Duration: 09:00:00.00
                      :   Stream #0:1: Video: h264
"""
    log = ffmpeg.Log(forged)
    assert log.seconds == 5.0
    assert log.coder == "vorbis"
    assert log.channels == "mono"
    assert not log.is_video


def test_the_systems_program_comes_first_and_the_packages_stands_in_where_it_is_missing_or_broken(
    script: Script,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ffmpeg.program.cache_clear()
    whole = script("exit 0")
    monkeypatch.setattr("shutil.which", lambda name: whole)
    assert ffmpeg.program() == whole
    for broken in (None, script("exit 127")):
        ffmpeg.program.cache_clear()
        monkeypatch.setattr("shutil.which", lambda name, found=broken: found)
        assert "imageio_ffmpeg" in ffmpeg.program()
    ffmpeg.program.cache_clear()


def test_a_process_that_is_killed_in_the_middle_leaves_no_file_and_no_converter(
    tmp_path: Path, script: Script
) -> None:
    says = script("echo $$ >&2", "exec cat /dev/zero")
    code = (
        "import time\n"
        "from voicemail.audio import ffmpeg\n"
        f"work = ffmpeg.Work({says!r}, time.monotonic() + 60)\n"
        "def told(done, log):\n"
        "    if log.said: print(int(log.said), flush=True)\n"
        "work.run(b'x' * 100000, reader='wav', names='wav', filters=['anull'], sample='s16le', most=10**12, told=told)\n"
    )
    (temporary := tmp_path / "temporary").mkdir()
    worker = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", code], stdout=subprocess.PIPE, text=True,
        env=os.environ | {"TMPDIR": str(temporary)},
    )  # fmt: skip
    assert worker.stdout is not None
    converter = int(worker.stdout.readline())
    worker.send_signal(signal.SIGKILL)
    worker.stdout.close()
    worker.wait()
    assert ends(converter)
    assert list(temporary.iterdir()) == []
