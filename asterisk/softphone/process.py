"""The worker of one phone, driven from here: commands that are replied to, and events as they come."""

import importlib.util
import itertools
import json
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

WORKER = Path(__file__).with_name("worker.py")
# One for all phones, so that a test can wait for what any of them does.
CHANGED = threading.Condition(threading.RLock())
INSTALL = "The softphone stands on pjsua2: pip install 'pjsua2-python==2.15.1.post1' (wheels for Python 3.11 and 3.12)"


class PhoneError(Exception):
    """The phone couldn't do what it was told, or is no more."""


def installed() -> bool:
    """Whether pjsua2 is there."""
    return importlib.util.find_spec("pjsua2") is not None


def wait_for(condition: Callable[[], Any], within: float) -> Any:
    """What `condition` says once that is true, or at the latest after `within` seconds; asked whenever something happened."""
    with CHANGED:
        return CHANGED.wait_for(condition, within)


class PhoneProcess:
    """One worker. `on_event` is called in a thread of its own, while `CHANGED` is held."""

    def __init__(self, folder: Path, user_agent: str, on_event: Callable[[dict[str, Any]], None]) -> None:
        if not installed():
            raise PhoneError(INSTALL)
        self.on_event = on_event
        self.user_agent = user_agent
        self._numbers = itertools.count(1)
        self._replies: dict[int, dict[str, Any]] = {}
        self._ended = False
        self._child = subprocess.Popen(  # noqa: S603
            [sys.executable, WORKER, folder, user_agent],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # Ctrl-C at a terminal is for whoever drives the phone, who lets it unregister.
            start_new_session=True,
        )
        threading.Thread(target=self._read, daemon=True).start()

    @property
    def alive(self) -> bool:
        """Whether it can still be told something."""
        return not self._ended

    def ask(self, do: str, within: float = 10, **arguments: Any) -> Any:
        """Have a command done; returns its value, raises PhoneError where it wasn't done."""
        number = next(self._numbers)
        line = json.dumps({"id": number, "do": do, **arguments}).encode() + b"\n"
        try:
            assert self._child.stdin
            self._child.stdin.write(line)
            self._child.stdin.flush()
        except OSError as error:
            raise PhoneError("the phone's process has ended") from error
        if not wait_for(lambda: number in self._replies or self._ended, within):
            raise PhoneError(f"{do}: no reply within {within} s")
        reply = self._replies.pop(number, {"error": "the phone's process has ended"})
        if "error" in reply:
            raise PhoneError(reply["error"])
        return reply.get("value")

    def dismiss(self) -> None:
        """Tell it to end: it hangs up and unregisters if there is somebody to tell."""
        if self._child.stdin:
            self._child.stdin.close()

    def close(self) -> None:
        """The same, and wait until it has ended."""
        self.dismiss()
        try:
            self._child.wait(3)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()

    def _read(self) -> None:
        assert self._child.stdout
        for raw in self._child.stdout:
            with CHANGED:
                self._take(json.loads(raw))
                CHANGED.notify_all()
        with CHANGED:
            self._ended = True
            CHANGED.notify_all()

    def _take(self, line: dict[str, Any]) -> None:
        if "reply" in line:
            self._replies[line["reply"]] = line
        else:
            self.on_event(line)
