"""Programs that are watched, brought back when they die, and gone when the process that started them is."""

import contextlib
import os
import re
import selectors
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parents[2]
STOP_WITHIN = 6.0
BIGGEST_LOG = 5_000_000


class Guard:
    """A tiny process that outlives its maker for a moment, to stop every process group that it started.

    It reads from a pipe whose other end only its maker holds. At its end the maker is gone, however it
    died, and what it had running is told to stop and then killed, with its grandchildren.
    """

    def __init__(self) -> None:
        """Fork; call it while the process has a single thread."""
        read_end, self._write_end = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            # With the maker's own descriptors it would keep the pipes of other guards open, which then never see their end.
            os.closerange(3, read_end)
            os.closerange(read_end + 1, os.sysconf("SC_OPEN_MAX"))
            # Nothing of this may return into the maker's code.
            try:
                self._watch(read_end)
            finally:
                os._exit(0)
        os.close(read_end)

    def add(self, group: int) -> None:
        """From now on stop process group `group`, too; a child calls it just before it becomes a program."""
        os.write(self._write_end, b"+%d\n" % group)

    def remove(self, group: int) -> None:
        """`group` is gone, and its number may become somebody else's."""
        os.write(self._write_end, b"-%d\n" % group)

    def close(self) -> None:
        """Let go: whatever wasn't removed is stopped now; returns when it is."""
        os.close(self._write_end)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0)

    @staticmethod
    def _watch(read_end: int) -> None:
        os.setsid()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
            signal.signal(number, signal.SIG_IGN)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(null, descriptor)
        groups: set[int] = set()
        with os.fdopen(read_end) as lines:
            for line in lines:
                (groups.add if line[0] == "+" else groups.discard)(int(line[1:]))
        for number, patience in ((signal.SIGTERM, 3.0), (signal.SIGKILL, 1.0)):
            for group in groups:
                signal_group(group, number)
            deadline = time.monotonic() + patience
            while (
                groups := {group for group in groups if group_lives(group)}
            ) and time.monotonic() < deadline:
                time.sleep(0.02)


def signal_group(group: int, number: int) -> None:
    """Send a signal to every process of `group`, if there still is any."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def group_lives(group: int) -> bool:
    """Whether process group `group` has a member that isn't a zombie waiting for its parent."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _, its_group = stat.read_text().rpartition(")")[2].split()[:3]
            if int(its_group) == group and state not in "ZX":
                return True
    return not Path("/proc/self/stat").exists()


@dataclass
class Child:
    """One program of the portal: how it is started, and how it is doing."""

    name: str
    command: list[str]
    prints: str = "problems"  # what goes to the terminal, too: "everything", "problems" or "nothing"
    once: bool = False  # a step that ends by itself: its code is kept, and it isn't brought back
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    code: int = 0
    log: IO[bytes] | None = None
    started: float = 0.0
    failures: int = 0
    start_at: float | None = None
    loud: bool = False
    unfinished: bytes = b""


LEVEL = re.compile(r"\b(?:(DEBUG|INFO|NOTICE)|(WARNING|WARN|ERROR|CRITICAL))\b|^(Traceback)")


class Supervisor:
    """Starts children, each in a process group, passes on what they say, and brings back those that die."""

    def __init__(self, logs: Path, *, verbose: bool = False) -> None:
        """`logs`: the folder for one file per child."""
        self.logs = logs
        self.verbose = verbose
        self.children: list[Child] = []
        self.guard = Guard()
        self._selector = selectors.DefaultSelector()
        self._wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._selector.register(self._wake_read, selectors.EVENT_READ)
        self._stop_signals = 0
        self._failing: set[str] = set()  # whose logs can't be written

    def listen_to_signals(self) -> None:
        """Ctrl-C, SIGTERM and the end of the terminal stop everything; a child's death wakes the loop."""

        def stop(number: int, frame: object) -> None:
            self._stop_signals += 1

        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, stop)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)

    @property
    def stopping(self) -> bool:
        """Whether somebody asked for the end."""
        return self._stop_signals > 0

    def say(self, text: str) -> None:
        """One line to the terminal; a closed terminal stops nothing."""
        with contextlib.suppress(BrokenPipeError):
            print(text, flush=True)

    def start(self, child: Child) -> None:
        """Start a child, for the first time or again."""
        if child not in self.children:
            self.children.append(child)
        self._open_log(child)
        child.start_at = None
        child.started = time.monotonic()
        try:
            child.process = subprocess.Popen(  # noqa: S603 - our own programs, without a shell
                child.command,
                cwd=ROOT,
                env=os.environ | child.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                # The child itself tells the guard, so that there is no moment in which nobody knows of it.
                preexec_fn=lambda: self.guard.add(os.getpid()),
            )
        except OSError as error:
            self._plan_restart(child, f"can't be started: {error.strerror}")
            return
        if child.process.stdout is not None:
            os.set_blocking(child.process.stdout.fileno(), False)
            self._selector.register(child.process.stdout, selectors.EVENT_READ, child)

    def turn(self, longest: float) -> None:
        """Do what there is to do now, waiting at most `longest` seconds for something to happen."""
        due = [child.start_at for child in self.children if child.start_at is not None]
        wait = min([longest, *(max(0.0, moment - time.monotonic()) for moment in due)])
        for key, _ in self._selector.select(wait):
            if key.fd == self._wake_read:
                with contextlib.suppress(BlockingIOError):
                    os.read(self._wake_read, 4096)
            else:
                self._hear(key.data)
        self._bury()
        if not self.stopping:
            for child in self.children:
                if child.start_at is not None and child.start_at <= time.monotonic():
                    self.start(child)

    def stop(self) -> None:
        """Stop everything, the last started first asked; what doesn't go within a few seconds is killed."""
        asked = self._stop_signals = max(self._stop_signals, 1)
        living = [child for child in self.children if child.process is not None]
        # The broker goes last, so that workers can hand back what they hold.
        for wave in (living[1:], living[:1]) if len(living) > 1 else (living,):
            for child in wave:
                if child.process is not None:
                    child.process.send_signal(signal.SIGTERM)
            deadline = time.monotonic() + STOP_WITHIN
            while any(child.process is not None for child in wave):
                self.turn(0.1)
                if time.monotonic() > deadline or self._stop_signals > asked:
                    for child in wave:
                        if child.process is not None:
                            signal_group(child.process.pid, signal.SIGKILL)
        self.guard.close()

    def _open_log(self, child: Child) -> None:
        """A file for what the child says, a new one where the old one is big; without one it runs all the same."""
        if child.log is not None:
            return
        path = self.logs / f"{child.name}.log"
        try:
            if path.exists() and path.stat().st_size > BIGGEST_LOG:
                path.replace(path.with_suffix(".log.1"))
            child.log = path.open("wb" if child.once else "ab", buffering=0)
        except OSError as error:
            self._log_is(child, error)

    def _write_log(self, child: Child, data: bytes) -> None:
        """Keep what the child said, if there is room; what there was none for is lost, and the child is heard on."""
        self._open_log(child)
        if child.log is None:
            return
        try:
            child.log.write(data)
        except OSError as error:
            self._log_is(child, error)
        else:
            self._log_is(child, None)

    def _log_is(self, child: Child, error: OSError | None) -> None:
        """Say once that logs can't be written, and once that all of them can again: where room is short some still can."""
        if error and not self._failing:
            self.say(
                f"{self.logs} can't be written ({error.strerror}): the portal goes on without its logs and can save nothing in "
                f"{self.logs.parent}; make room there, and all goes on by itself."
            )
        elif not error and self._failing == {child.name}:
            self.say(f"{self.logs} can be written again.")
        (self._failing.add if error else self._failing.discard)(child.name)

    def _hear(self, child: Child) -> bool:
        """Pass on what a child said: all of it to its log, to the terminal what concerns a human being.

        False when there was nothing to hear.
        """
        stream = child.process.stdout if child.process is not None else None
        if stream is None or stream.closed:
            return False
        try:
            data = os.read(stream.fileno(), 65_536)
        except BlockingIOError:
            return False
        if not data:
            self._selector.unregister(stream)
            stream.close()
            return False
        self._write_log(child, data)
        *lines, child.unfinished = (child.unfinished + data).split(b"\n")
        child.unfinished = child.unfinished[-65_536:]
        for raw in lines:
            line = raw.decode("utf-8", "replace").rstrip()
            if level := LEVEL.search(line):
                child.loud = level[1] is None
            heard = child.prints == "everything" or (child.prints == "problems" and child.loud)
            if line and (heard or self.verbose):
                self.say(f"{child.name:>6} | {line}")
        return True

    def _bury(self) -> None:
        """Take note of children that ended, end what they left behind, and plan their return."""
        self._renew_guard()
        for child in self.children:
            process = child.process
            if process is None or process.poll() is None:
                continue
            signal_group(process.pid, signal.SIGKILL)
            self._hear_the_rest(child)
            child.process = None
            child.code = process.returncode
            self.guard.remove(process.pid)
            if not self.stopping and not child.once:
                name = signal.Signals(-child.code).name if child.code < 0 else ""
                self._plan_restart(child, f"was ended by {name}" if name else f"ended with code {child.code}")

    def _hear_the_rest(self, child: Child) -> None:
        """Read a dead child's pipe to its end, or until nobody of its group is left to write into it."""
        stream = child.process.stdout if child.process is not None else None
        deadline = time.monotonic() + 1.0
        while stream is not None and not stream.closed:
            alone = child.process is None or not group_lives(child.process.pid)
            if not self._hear(child) and not stream.closed:
                if alone or time.monotonic() > deadline:
                    self._selector.unregister(stream)
                    stream.close()
                else:
                    time.sleep(0.01)

    def _plan_restart(self, child: Child, why: str) -> None:
        """Say in one line what happened, and when the child comes back: later each time it fails soon."""
        if time.monotonic() - child.started > 60:
            child.failures = 0
        pause = min(30.0, 0.5 * 2**child.failures)
        child.failures += 1
        child.start_at = time.monotonic() + pause
        self.say(f"{child.name} {why}; starting it again in {pause:g} s (see {self.logs / child.name}.log)")

    def _renew_guard(self) -> None:
        """A guard that somebody killed is replaced."""
        with contextlib.suppress(ChildProcessError):
            if os.waitpid(self.guard.pid, os.WNOHANG)[0]:
                self.guard = Guard()
                for child in self.children:
                    if child.process is not None:
                        self.guard.add(child.process.pid)
