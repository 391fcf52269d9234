"""Commands of the portal as processes that begin at once: one process has read the portal's sources, and forks.

Reading them costs a second and a half of processor, and dozens of tests start a worker of the link. What begins here is otherwise what
`python manage.py` begins: a process of its own session, with the environment, the log and the end of its own. Its parent is the nursery, so
only that hears how it ended.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from pbxadmin.run.processes import ROOT, Guard


class Born:
    """A process that the nursery forked, with what tests use of `subprocess.Popen`."""

    def __init__(self, nursery: "Nursery", pid: int) -> None:
        self.nursery, self.pid = nursery, pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Its exit code, minus the number of the signal that ended it, None while it runs."""
        if self.returncode is None:
            self.returncode = self.nursery.ask(wait=self.pid)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """The same at its end."""
        deadline = time.monotonic() + (600 if timeout is None else timeout)
        while (code := self.poll()) is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(["a process of the nursery"], timeout or 600)
            time.sleep(0.01)
        return code

    def send_signal(self, number: int) -> None:
        """To it, while it is there: until it was waited for, its number is nobody else's."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Tell it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)


class Nursery:
    """The process that forks, as it is seen by the tests; there from the first that asks for a child."""

    def __init__(self, environment: Mapping[str, str], guard: Guard) -> None:
        self.environment, self.guard = environment, guard
        self.process: subprocess.Popen[str] | None = None

    def ask(self, **what: Any) -> Any:
        """Have it do something, and hear what came of it."""
        if self.process is None:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "asterisk.tests.nursery"], cwd=ROOT, env=self.environment, text=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True,
            )  # fmt: skip
            self.guard.add(self.process.pid)
        self.process.stdin.write(json.dumps(what) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def start(self, arguments: list[str], log: Path) -> Born:
        """Begin a command of `manage.py`."""
        log.touch(0o600)
        made = Born(self, self.ask(start=arguments, log=str(log)))
        self.guard.add(made.pid)
        return made

    def close(self) -> None:
        """The end of all tests; what it has begun and nobody has stopped is the guard's."""
        if self.process is not None:
            self.process.stdin.close()
            self.process.wait(10)
            self.guard.remove(self.process.pid)


def _begin(arguments: list[str], log: str) -> NoReturn:
    """In the child: become what a shell would have started."""
    os.setsid()
    null, written = (
        os.open(os.devnull, os.O_RDWR),
        os.open(log, os.O_WRONLY | os.O_APPEND),
    )
    for ours, theirs in ((null, 0), (written, 1), (written, 2)):
        os.dup2(ours, theirs)
    os.closerange(3, 64)
    random.seed()
    code = 1
    try:
        from django.core.management import execute_from_command_line

        execute_from_command_line(["manage.py", *arguments])
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        with suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _ended(pid: int) -> int | None:
    found, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if found else None


def main() -> None:
    """Read the portal's sources; then fork, and tell how children ended, until nobody asks any more."""
    import django

    django.setup()
    from asterisk.link import worker

    assert worker.serve
    told = os.fdopen(os.dup(1), "w")
    for line in sys.stdin:
        asked = json.loads(line)
        if "wait" in asked:
            answer = _ended(asked["wait"])
        elif not (answer := os.fork()):
            _begin(asked["start"], asked["log"])
        told.write(json.dumps(answer) + "\n")
        told.flush()


if __name__ == "__main__":
    main()
