"""What a worker of phones does in its background: tells any number of them at once and waits for nobody.

Tasks only say who is to be told; the outbox is also looked at every second, so that no broker is needed. One thread has the
database: it claims, renders and remembers. Another one has the network: there each phone has its own timers, and one that is
silent, slow or restarting costs the others nothing.
"""

import asyncio
import atexit
import logging
import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from itertools import islice
from queue import Empty, SimpleQueue
from typing import Any

from django.conf import settings
from django.db import close_old_connections, connection

from phones.push import worker
from phones.push.notify import sip
from phones.push.worker import Sending, Sent

logger = logging.getLogger("pbxadmin.push")

# Seconds between two looks at the outbox.
LOOK_EVERY = 1.0
# Phones of one change that are told at once; those of a larger one take their turn at the rate.
FEW = 50
# NOTIFYs without an answer yet, up to which more are sent: further tries, large changes, and any. A phone that is off
# counts for eight seconds, one that is on for a few milliseconds.
MOST_RETRIES, MOST_OF_MANY, MOST = 200, 600, 900
# A claim's seconds at first, and when what isn't answered by then is claimed for the whole time: should this process die,
# phones that would have answered are told by the next one that soon.
FIRST_CLAIM, CLAIM_AGAIN = 2.0, 1.0
# Seconds that a process which is told to end waits for answers.
ENDING = 1.0
# Seconds until the next try, when the database is away; and until the sender and the connection are refreshed.
RESTED, REPORTED = 0.5, 60.0


class Wire:
    """The network: an event loop in a thread of its own. Tells `said` of each result, and of those that take long."""

    def __init__(self, said: "SimpleQueue[Any]") -> None:
        self._said = said
        self._loop = asyncio.new_event_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._run, name="wire", daemon=True)
        self._thread.start()

    def send(self, sending: Sequence[Sending]) -> None:
        """Send all of these at once."""
        self._loop.call_soon_threadsafe(self._begin, sending)

    def close(self) -> None:
        """What isn't answered yet is given up."""
        self._loop.call_soon_threadsafe(self._give_up)
        self._thread.join(ENDING)

    def _give_up(self) -> None:
        for task in self._tasks:
            task.cancel()
        self._sender.close()
        self._loop.call_soon(self._loop.stop)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._open())
        self._loop.run_forever()

    async def _open(self) -> None:
        self._sender = sip.Sender(worker.allowed_networks(), timeout=sip.TIMEOUT)
        self._loop.call_later(REPORTED, self._report)

    def _report(self) -> None:
        self._sender.refresh()
        self._loop.call_later(REPORTED, self._report)

    def _begin(self, sending: Sequence[Sending]) -> None:
        waiting = {sent for sent, _notify in sending}
        for sent, notify in sending:
            task = self._loop.create_task(self._tell(sent, notify, waiting))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        self._loop.call_later(CLAIM_AGAIN, self._take_long, waiting)

    async def _tell(self, sent: Sent, notify: sip.Notify, waiting: set[Sent]) -> None:
        begin = self._loop.time()
        try:
            result = await self._sender.send(notify, sent.from_host)
        except Exception as error:
            # A mistake of ours, or a customer's host name that isn't one: no other phone pays for it.
            logger.exception("push mac=%s", sent.phone.mac)
            result = sip.Result(
                key=notify.key, outcome=sip.Outcome.UNREACHABLE, code=None, reason=type(error).__name__,
                seconds=self._loop.time() - begin,
            )  # fmt: skip
        waiting.discard(sent)
        self._said.put((sent, result))

    def _take_long(self, waiting: set[Sent]) -> None:
        if waiting:
            self._said.put(list(waiting))


class Pusher:
    """The database's side, and in which order phones are told: those of small changes, of large ones turn by turn, and
    last those that didn't answer before."""

    def __init__(self) -> None:
        # What was said by tasks (a tuple of keys), and by the wire: (what was sent, its result), or a list of what takes long.
        self._said: SimpleQueue[Any] = SimpleQueue()
        self._few: deque[int] = deque()
        self._many: deque[deque[int]] = deque()
        self._found: deque[int] = deque()
        self._retries: deque[int] = deque()
        self._flying: set[Sent] = set()
        self._ended: list[tuple[Sent, sip.Result]] = []
        self._long: list[Sent] = []
        self._allowed = self._paced_at = self._looks_at = self._renews_at = 0.0
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pusher", daemon=True)

    def start(self) -> None:
        """Begin, with a look at the outbox."""
        self._wire = Wire(self._said)
        self._thread.start()

    def offer(self, ids: Sequence[int]) -> None:
        """Have these phones told; returns at once."""
        self._said.put(tuple(ids))

    def stop(self) -> None:
        """Take up nothing more, wait a moment for answers, and leave the rest to others."""
        self._ending.set()
        self._said.put(())
        self._thread.join(ENDING + 3 * RESTED)
        self._wire.close()

    # --- The thread that has the database ---
    def _run(self) -> None:
        ends: float | None = None
        while True:
            if self._ending.is_set():
                ends = ends or time.monotonic() + ENDING
                if not (self._flying or self._ended) or time.monotonic() > ends:
                    break
            try:
                self._turn()
            except Exception as error:
                # The rows are the truth: whatever it was, they are looked at again.
                logger.warning("push: %s; trying again", type(error).__name__, exc_info=settings.DEBUG)
                with suppress(Exception):
                    connection.close()
                time.sleep(RESTED)
        with suppress(Exception):
            worker.give_back(self._flying)
        with suppress(Exception):
            connection.close()

    def _turn(self) -> None:
        self._listen()
        # What can't be noted now stays, and is noted by another turn.
        if self._ended:
            worker.finish(self._ended)
            self._ended = []
        if self._long:
            worker.go_on(
                [sent for sent in self._long if sent in self._flying], sip.TIMEOUT + worker.CLAIM_MARGIN
            )
            self._long = []
        if self._ending.is_set():
            return
        if time.monotonic() >= self._looks_at:
            self._looks_at = time.monotonic() + LOOK_EVERY
            if self._looks_at > self._renews_at:
                self._renews_at = self._looks_at + REPORTED
                close_old_connections()
            self._look()
        self._take_up()

    def _listen(self) -> None:
        """Wait until something is said or due, and sort all that was said."""
        wait = 0.05 if self._ending.is_set() or self._waits() else self._looks_at - time.monotonic()
        with suppress(Empty):
            self._sort(self._said.get(timeout=max(0.0, wait)))
            while True:
                self._sort(self._said.get_nowait())

    def _sort(self, said: Any) -> None:
        match said:
            case (Sent() as sent, sip.Result()):
                self._flying.discard(sent)
                self._ended.append(said)
            case list():
                self._long += said
            case _ if len(said) <= FEW:
                self._few.extend(said)
            case _:
                self._many.append(deque(said))

    def _look(self) -> None:
        """At what no task told, what was lost, and what is to be tried again. Each look replaces what the last one found."""
        due = worker.due_phones()
        first = [pk for pk, attempts in due if not attempts]
        self._found.clear()
        (self._few if len(first) <= FEW else self._found).extend(first)
        if self._found and all(lane is not self._found for lane in self._many):
            self._many.append(self._found)
        self._retries = deque(pk for pk, attempts in due if attempts)

    def _waits(self) -> bool:
        return bool(self._few or self._many or self._retries)

    def _take_up(self) -> None:
        """One slice of each kind that there is room for."""
        self._pace()
        self._tell(self._few, MOST - len(self._flying))
        if self._many:
            self._tell(self._many[0], min(MOST_OF_MANY - len(self._flying), self._allowed))
            lane = self._many.popleft()
            if lane:
                self._many.append(lane)
        elif not self._few:
            retrying = sum(sent.phone.attempts > 0 for sent in self._flying)
            self._tell(self._retries, min(MOST_RETRIES - retrying, self._allowed))

    def _pace(self) -> None:
        """So many phones a second are told to reload, those of small changes counted although they don't wait."""
        now = time.monotonic()
        rate, most = settings.NOTIFY_RATE, float(worker.SLICE)
        earned = rate * (now - self._paced_at) if rate else most
        self._allowed = min(self._allowed + earned, most, max(1.0, rate / 4) if rate else most)
        self._paced_at = now

    def _tell(self, ids: deque[int], room: float) -> None:
        count = min(int(room), worker.SLICE, len(ids))
        if count <= 0:
            return
        taken = sorted(set(islice(ids, count)))
        sending = worker.begin(taken, FIRST_CLAIM)
        # Only now: where the database failed, they are taken up by the next turn.
        for _ in range(count):
            ids.popleft()
        if sending:
            self._allowed -= len(sending)
            self._flying.update(sent for sent, _notify in sending)
            self._wire.send(sending)


_pusher: Pusher | None = None
_starting = threading.Lock()


def of_this_process() -> Pusher:
    """The one of this process, started where it wasn't yet."""
    global _pusher
    with _starting:
        if _pusher is None:
            _pusher = Pusher()
            _pusher.start()
            atexit.register(stop)
        return _pusher


def stop() -> None:
    """End that of this process, if there is one."""
    global _pusher
    with _starting:
        ending, _pusher = _pusher, None
    if ending:
        ending.stop()
