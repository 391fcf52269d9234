"""What an Asterisk says of its channels, again and again, for tests that must know whom it connects and not only what phones see."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from asterisk.tests.engine import LiveEngine

LOOKED = 0.1  # seconds between two looks


@dataclass(frozen=True)
class Channel:
    """A line of `core show channels concise`."""

    name: str
    app: str
    data: str
    bridge: str
    unique_id: str

    @property
    def order(self) -> int:
        """Channels are numbered as they come."""
        return int(self.unique_id.rpartition(".")[2] or 0)

    @property
    def line(self) -> str:
        """`101@host`, `trunk-4`, or what it is otherwise."""
        return self.name.partition("/")[2].rpartition("-")[0]


def read(text: str) -> list[Channel]:
    """What is said there."""
    rows = (line.split("!") for line in text.splitlines())
    return [Channel(row[0], row[5], row[6], row[-2], row[-1]) for row in rows if len(row) >= 14]


class Watcher:
    """The channels as they were a moment ago; `looks` counts."""

    def __init__(self, engine: LiveEngine) -> None:
        self.engine = engine
        self.channels: list[Channel] = []
        self.looks = 0
        self.changed = threading.Condition()
        self.ended = threading.Event()

    def look(self) -> None:
        """Until it is ended."""
        while not self.ended.wait(LOOKED):
            found = read(self.engine.cli("core show channels concise"))
            with self.changed:
                self.channels, self.looks = found, self.looks + 1
                self.changed.notify_all()

    def now(self) -> list[Channel]:
        """Those of a look that began after this was asked."""
        with self.changed:
            first = self.looks
            assert self.changed.wait_for(lambda: self.looks >= first + 2, 30), "Asterisk doesn't answer"
            return self.channels


@contextmanager
def watching(engine: LiveEngine) -> Iterator[Watcher]:
    """Watch beside a test."""
    made = Watcher(engine)
    thread = threading.Thread(target=made.look)
    thread.start()
    try:
        yield made
    finally:
        made.ended.set()
        thread.join()
