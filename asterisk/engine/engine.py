"""One Asterisk: where it lives, how it is started, asked and stopped."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from asterisk.engine.configuration import SECRETS, Folders, configure
from asterisk.engine.fetching import EngineError, Installed
from pbxadmin.run.processes import Guard

BOOTS_WITHIN = 60.0
STOPS_WITHIN = 10.0
BIGGEST_LOG = 5_000_000


class Engine:
    """An Asterisk in a folder of its own; several may run side by side, each with its own folder and ports.

    `values` are those of `deploy/asterisk/` (`configuration.DEFAULTS`); after `configure` they are complete.
    """

    def __init__(self, home: Path, installed: Installed, **values: str) -> None:
        self.folders = Folders(home)
        self.installed = installed
        self.values: dict[str, str] = values
        self.process: subprocess.Popen[bytes] | None = None
        self._guard: Guard | None = None

    def configure(self) -> None:
        """Write its configuration; one that runs takes it up when it is told to reload."""
        self.values = configure(self.folders, self.installed, self.values)

    @property
    def command(self) -> list[str]:
        """How it is started, in the foreground, with its configuration; nothing secret stands here."""
        return [*self.installed.program, "-f", "-n", "-C", str(self.folders.etc / "asterisk.conf")]

    @property
    def environment(self) -> dict[str, str]:
        """What its process is given: not its secrets, which it reads from its configuration."""
        kept = {name: text for name, text in os.environ.items() if name not in SECRETS}
        # Two heaps instead of eight a processor: a third of the memory after some thousand calls.
        return kept | {"MALLOC_ARENA_MAX": "2", "TZ": os.environ.get("TZ", "UTC")}

    def start(self) -> None:
        """Configure it, start it and wait until it has booted; it ends with this process. Raises `EngineError`."""
        self._refuse_a_second()
        try:
            guard = self._guard = Guard()
            self._launch(lambda: guard.add(os.getpid()))
        except BaseException:
            # Ctrl-C while it boots, too: nothing stays behind.
            self.stop()
            raise

    def detach(self) -> None:
        """The same, but it goes on without this process."""
        self._refuse_a_second()
        try:
            self._launch(None)
        except BaseException:
            self.stop()
            raise

    def _refuse_a_second(self) -> None:
        if self.running:
            raise EngineError(f"an Asterisk already runs in {self.folders.home} as process {self.pid}.")

    def _launch(self, before: Callable[[], None] | None) -> None:
        self.configure()
        with self._open_log() as log:
            self.process = subprocess.Popen(  # noqa: S603 - what was fetched, without a shell
                self.command,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=before,
            )
        self.wait_until_booted()

    def wait_until_booted(self, seconds: float = BOOTS_WITHIN) -> None:
        """Return once every module is loaded; raises `EngineError` where it ended or takes longer."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.process is not None and self.process.poll() is not None:
                raise EngineError(f"Asterisk ended with code {self.process.returncode}: {self.last_words()}")
            if (self.folders.run / "asterisk.ctl").exists() and "fully booted" in self.cli(
                "core waitfullybooted"
            ):
                return
            time.sleep(0.05)
        raise EngineError(f"Asterisk didn't boot within {seconds:g} s (see {self.log}).")

    def cli(self, command: str, seconds: float = 30) -> str:
        """What Asterisk says to a command of its console; "" where none runs."""
        try:
            done = subprocess.run(  # noqa: S603 - what was fetched, without a shell
                [*self.installed.program, "-C", str(self.folders.etc / "asterisk.conf"), "-rx", command],
                env=self.environment,
                capture_output=True,
                stdin=subprocess.DEVNULL,
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise EngineError(f"Asterisk didn't answer “{command}” within {seconds:g} s.") from error
        return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else ""

    @property
    def pid(self) -> int:
        """The process that runs in this folder; 0 where none does."""
        if self.process is not None and self.process.poll() is None:
            return self.process.pid
        with contextlib.suppress(OSError, ValueError):
            number = int((self.folders.run / "asterisk.pid").read_text())
            # A number that was left behind may be somebody else's by now.
            if str(self.folders.etc).encode() in Path(f"/proc/{number}/cmdline").read_bytes():
                return number
        return 0

    @property
    def running(self) -> bool:
        """Whether an Asterisk runs in this folder."""
        return self.pid != 0

    def stop(self) -> None:
        """End it, calls and all; returns when it is gone."""
        number = self.pid
        for order, patience in ((signal.SIGTERM, STOPS_WITHIN), (signal.SIGKILL, 2.0)):
            deadline = time.monotonic() + patience
            with contextlib.suppress(ProcessLookupError):
                if self.pid:
                    os.kill(number, order)
            while self.pid and time.monotonic() < deadline:
                time.sleep(0.02)
        if self.process is not None:
            self.process.wait()
            self.process = None
        if self._guard is not None:
            if number:
                self._guard.remove(number)
            self._guard.close()
            self._guard = None

    @property
    def log(self) -> Path:
        """What it says: where it was started by this class."""
        return self.folders.log / "asterisk.log"

    def last_words(self) -> str:
        """The last line of its log that says something."""
        lines = self.log.read_text(errors="replace").strip().splitlines() if self.log.exists() else []
        return lines[-1][:300] if lines else "it said nothing"

    @contextlib.contextmanager
    def _open_log(self) -> Iterator[int]:
        if self.log.exists() and self.log.stat().st_size > BIGGEST_LOG:
            self.log.replace(self.log.with_suffix(".log.1"))
        descriptor = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            yield descriptor
        finally:
            os.close(descriptor)


def values_from(environment: Mapping[str, str], names: Mapping[str, str]) -> dict[str, str]:
    """The values of `names` that an environment gives."""
    return {name: environment[name] for name in names if environment.get(name)}
