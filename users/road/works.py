"""Long work that is done as a whole, all of it or nothing: what it is called, where its page is, and how it tells how far it is.

What is done record by record is an action (`users.road.actions`). A work has one transaction at its end; until then nothing is
written, and whoever kills its worker has lost nothing but time. An app makes its works known by `register_work`.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from django.db import close_old_connections, connections
from django.db.utils import Error as DatabaseError
from django.utils import timezone

from pbxadmin.common.columns import Scope, Text
from users import rights
from users.models import Job, Operation

logger = logging.getLogger(__name__)

# How long nothing may be heard of a worker until it counts as dead, and how often one is heard that is in the middle of a work.
LEASE = timedelta(seconds=30)
BEAT = 1.0  # seconds
# A work has no records to count: how far it is is said in thousandths.
WHOLE = 1_000
# What a worker has died over so often is what it dies of.
MOST_ATTEMPTS = 5
# Where workers take it from.
QUEUE = "files"


class CancelledError(Exception):
    """Whoever started the work wants it to end; nothing was written."""


class StoppedError(Exception):
    """It can't go on: the sentence says why to whoever started it. Nothing was written."""


class TakenOverError(Exception):
    """Another worker has the job: this one was believed to be dead, and all that it did is rolled back."""


@dataclass(frozen=True)
class Work:
    """One kind of work."""

    slug: str  # the kind of its jobs
    title: Callable[[Job], str]
    # Where whoever started it follows it and reads what became of it; "" where that page is gone.
    url: Callable[[Job], str]
    # What its phases are called, in their order, and at which thousandth each begins.
    phases: Mapping[str, tuple[Text, int]]
    # Does it: tells `at` how far it is, and ends with `finish` inside the transaction that writes.
    do: Callable[["Scope", "Beat"], None]
    # Where workers take it from: what takes seconds waits for nothing that takes minutes.
    queue: str = QUEUE
    # By which right it is done; SELF: whoever started it does it for themself.
    verb: Callable[[Job], rights.Verb] = lambda _job: rights.Verb.WORK


WORKS: dict[str, Work] = {}


def register_work(work: Work) -> Work:
    """Make a kind of work known under its slug, so that a worker in another process can do it."""
    WORKS[work.slug] = work
    return work


@dataclass
class Beat:
    """What keeps a work alive: while its worker is busy, a thread renews the lease, writes how far it is, and listens for a cancellation.

    The thread has a connection of its own, because what the work writes is seen by nobody until its commit.
    """

    job: Job
    worker: str
    work: Work
    finished: bool = False
    _position: int = 0
    _phase: str = ""
    _cancelled: threading.Event = field(default_factory=threading.Event)
    _over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> "Beat":
        self._thread = threading.Thread(
            target=self._keep_alive, name=f"beat of job {self.job.pk}", daemon=True
        )
        self._thread.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._over.set()
        if self._thread:
            self._thread.join()

    def at(self, phase: str, share: float = 0.0) -> None:
        """Say where the work is: in a phase, `share` of it (0 to 1) done. Raises `CancelledError` where it isn't wanted any more."""
        begins = self.work.phases[phase][1]
        later = [start for _words, start in self.work.phases.values() if start > begins]
        ends = min(later, default=WHOLE)
        self._phase, self._position = phase, int(begins + (ends - begins) * min(max(share, 0.0), 1.0))
        if self._cancelled.is_set():
            raise CancelledError

    def finish(self, done: int, refused: int = 0, operation: Operation | None = None) -> None:
        """Write down that it is done, in the transaction that did it; raises `TakenOverError` where another worker has the job."""
        moved = (
            Job.objects.filter(pk=self.job.pk, worker=self.worker)
            .open()
            .update(
                state=Job.State.DONE,
                position=WHOLE,
                done=done,
                refused=refused,
                operation=operation,
                ended_at=timezone.now(),
            )
        )
        if moved != 1:
            raise TakenOverError
        self.finished = True

    # --- In the thread ---
    def _keep_alive(self) -> None:
        try:
            while not self._over.wait(BEAT):
                try:
                    self._tell()
                except DatabaseError as error:
                    # The work itself notices what is wrong with the database; a beat that is missed is made up for by the next.
                    logger.info("job %s: no beat (%s)", self.job.pk, type(error).__name__)
                    close_old_connections()
        finally:
            connections.close_all()

    def _tell(self) -> None:
        mine = Job.objects.filter(pk=self.job.pk, worker=self.worker).open()
        mine.update(lease_until=timezone.now() + LEASE, position=self._position, phase=self._phase)
        if mine.exclude(cancel_asked_at=None).exists():
            self._cancelled.set()
