"""What many requests have to write, written together by a thread a moment later, so that no answer waits for a disk."""

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from django.db import Error, connection

from pbxadmin.common.away import is_away

Item = TypeVar("Item")


class Gathered(Generic[Item]):
    """What this process hasn't written yet.

    `write` gets all that came within `seconds`, in its order; `most` wait at most, and what comes then is left out: whoever uses this has
    another way to what was lost with a process. While the database is away they wait on.
    """

    def __init__(
        self,
        write: Callable[[Sequence[Item]], None],
        seconds: float,
        most: int,
        log: tuple[logging.Logger, str],
    ) -> None:
        """`log`: where it is said that something couldn't be written, and what that is."""
        self._into, self._seconds, self._most = write, seconds, most
        self._logger, self._what = log
        self._lock = threading.Lock()
        self._items: list[Item] = []
        self._waiting = False

    def note(self, item: Item) -> None:
        """Remember it; a thread writes it soon, also when the process ends before."""
        with self._lock:
            if len(self._items) < self._most:
                self._items.append(item)
            self._begin()

    def write(self) -> None:
        """Write what was gathered until now."""
        with self._lock:
            items, self._items = self._items, []
        if not items:
            return
        try:
            self._into(items)
        except Error as error:
            if is_away(error):
                with self._lock:
                    self._items[:0] = items[: self._most - len(self._items)]
            raise

    def forget(self) -> None:
        """Leave out what was gathered: for tests."""
        with self._lock:
            self._items = []

    def _begin(self) -> None:
        if not self._waiting:
            self._waiting = True
            threading.Timer(self._seconds, self._write_and_leave).start()

    def _write_and_leave(self) -> None:
        with self._lock:
            self._waiting = False
        try:
            self.write()
        except Error as error:
            self._logger.warning("%s (%s)", self._what, type(error).__name__)
        finally:
            connection.close()
        with self._lock:
            # Whoever shuts the process down isn't kept waiting for a database that is away.
            if self._items and threading.main_thread().is_alive():
                self._begin()
