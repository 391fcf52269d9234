"""The one place where passwords meet the hasher: never more of them at once than leave room for pages.

A run of Argon2 takes a hundred megabytes and every core for as long as a page takes. A process answers several requests at
once; were each of them a password, nobody would be served a page, nor a phone its file. So a few run, a few wait, and whoever
comes beyond is told at once to come back in a moment, whoever they say they are.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import BoundedSemaphore

from django.conf import settings
from django.contrib.auth import hashers
from django.views.decorators.debug import sensitive_variables

# For how long one waits at most (seconds); a run takes a tenth of it.
PATIENCE = 2.0


class TryLaterError(Exception):
    """A password that wasn't looked at: the answer is `status`, and another try is worth while after `seconds`."""

    status = 503

    def __init__(self, seconds: int) -> None:
        super().__init__(f"not before {seconds} s")
        self.seconds = seconds


class BusyError(TryLaterError):
    """So many passwords are being looked at that this one isn't: the process keeps room for everything else."""


class Turns:
    """At most `running` at once, and `waiting` more who wait for their turn."""

    def __init__(self, running: int, waiting: int, patience: float = PATIENCE) -> None:
        self._running = BoundedSemaphore(running)
        self._places = BoundedSemaphore(running + waiting)
        self.patience = patience

    @contextmanager
    def taken(self) -> Iterator[None]:
        """One's turn; raises `BusyError` when there is no place, or when it takes too long."""
        if not self._places.acquire(blocking=False):
            raise BusyError(1)
        try:
            if not self._running.acquire(timeout=self.patience):
                raise BusyError(1)
            try:
                yield
            finally:
                self._running.release()
        finally:
            self._places.release()


TURNS = Turns(settings.PASSWORD_HASHES_AT_ONCE, settings.PASSWORD_HASHES_WAITING)


@sensitive_variables("password")
def matches(password: str, encoded: str, renew: Callable[[str], object] | None = None) -> bool:
    """Whether `password` is the one that `encoded` was made from; what is no hash ("!") costs a run as well and is nobody's.

    `renew` is called with the password where it was right and today's cost is another one. Raises `BusyError`.
    """
    with TURNS.taken():
        right, outdated = hashers.verify_password(password, encoded)
    if right and outdated and renew is not None:
        with suppress(BusyError):  # at the next sign-in, then
            renew(password)
    return right


@sensitive_variables("password")
def encoded(password: str) -> str:
    """A new password as it is stored. Raises `BusyError`."""
    with TURNS.taken():
        return hashers.make_password(password)
