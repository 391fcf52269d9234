"""The portal's own SIP NOTIFY: tells phones over UDP or TCP to fetch their configuration or restart.

A NOTIFY is a non-INVITE client transaction of RFC 3261 (17.1.2) outside any dialog. The phone on the other
side is not trusted: whatever it answers costs bounded time and memory, and never ends in an exception.
"""

import asyncio
import logging
import os
import re
import secrets
import socket
from collections import Counter
from collections.abc import Awaitable, Callable, Hashable, Iterable
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache, partial

from pbxadmin.common.values.network import Why

from .digest import ChallengeError, credentials, strongest
from .message import WORD, Exchange, Reply, UnreadableError
from .targets import (
    Address,
    Allowed,
    ForbiddenAddressError,
    Target,
    address_of,
    as_rule,
    bracketed,
    phone_networks,
    require,
)
from .transport import Connection, Datagrams, HangupError, Transaction

__all__ = [
    "IN_FLIGHT",
    "TIMEOUT",
    "Notify",
    "Outcome",
    "Result",
    "Sender",
    "Target",
    "phone_networks",
    "send_all",
    "send_all_async",
]

IN_FLIGHT = 16
"""NOTIFYs that wait for their answer at once: with many more, answers overflow the socket's buffer."""

TIMEOUT = 8.0
"""Seconds for one NOTIFY, its digest round included, before the phone counts as silent.

RFC 3261's Timer F is 64 × T1 = 32 s, made for proxies on slow paths. A phone that is on answers at once,
five copies are sent within 8 s, and a later push tries again: waiting longer would only hold one of the few
places.
"""

T1 = 0.5
"""Seconds before the first retransmission over UDP: the RFC's estimate of a round trip."""

T2 = 4.0
"""Seconds between retransmissions at most, and once a provisional answer has come (RFC 3261, 17.1.2.2)."""

_LONGEST_REASON = 80
_REMEMBERED = 256
_EVENT = re.compile(rf"{WORD}(?:;{WORD}(?:={WORD})?)*")
_HOST_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.\-]{0,251}[A-Za-z0-9])?|[0-9a-f:]*:[0-9a-f:.]*")

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Notify:
    """One command to one phone; raises ValueError for an `event` that could break out of its header."""

    key: Hashable
    """The caller's own name for it, given back in the result."""
    target: Target
    event: str
    """The Event header, for example `check-sync;reboot=false`."""
    repeat_for: float = float("inf")
    """Seconds for which copies are sent over UDP; the answer is awaited all the same."""

    def __post_init__(self) -> None:
        require(len(self.event) <= 128 and _EVENT.fullmatch(self.event), "event", "an event with parameters")


class Outcome(Enum):
    """What became of a NOTIFY; `ACCEPTED` says that the phone heard it, not yet that it did anything."""

    ACCEPTED = "accepted"
    """A 2xx."""
    REFUSED = "refused"
    """A final answer from 300 to 699; a redirection is refused too, never followed."""
    UNAUTHORIZED = "unauthorized"
    """It asked for a password and took none, or asked in a way that gets no answer."""
    SILENT = "silent"
    """No final, readable answer in time."""
    UNREACHABLE = "unreachable"
    """Nothing to talk to: port closed, no route, or an address that is not a phone's."""
    NOT_SENT = "not sent"
    """The time of the whole call was over before its turn; nothing left the machine."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """The outcome of one `Notify`, always exactly one."""

    key: Hashable
    outcome: Outcome
    code: int | None
    """The final status code, where one came."""
    reason: str
    """At most 80 printable characters, the phone's words or ours in English: for a log, not for a page."""
    seconds: float


def send_all(
    notifies: Iterable[Notify],
    *,
    from_host: str,
    allowed: Allowed,
    in_flight: int = IN_FLIGHT,
    timeout: float = TIMEOUT,
    budget: float | None = None,
    t1: float = T1,
    t2: float = T2,
) -> list[Result]:
    """Send `notifies` and return one result for each, in their order; a phone never makes it raise.

    `from_host` is the registrar's name, as phones know it; `allowed` says which addresses may be written
    to, as networks or as a function such as `phone_networks()`. The rest is seconds: the longest for one
    phone, for the whole call, and the two retransmission intervals. Without a `budget` the call lasts at
    most `timeout` for every `in_flight` phones; at its end what runs is silent and what waits is not sent.

    An iterator is read as places become free, inside an event loop: one that queries the database must be
    made a list first. Raises what the iterator raises, and ValueError for a `from_host` or `in_flight`
    without sense.
    """
    return asyncio.run(
        send_all_async(
            notifies,
            from_host=from_host,
            allowed=allowed,
            in_flight=in_flight,
            timeout=timeout,
            budget=budget,
            t1=t1,
            t2=t2,
        )
    )


async def send_all_async(
    notifies: Iterable[Notify],
    *,
    from_host: str,
    allowed: Allowed,
    in_flight: int = IN_FLIGHT,
    timeout: float = TIMEOUT,
    budget: float | None = None,
    t1: float = T1,
    t2: float = T2,
) -> list[Result]:
    """`send_all` for a caller that runs in an event loop already."""
    require(1 <= in_flight <= IN_FLIGHT, "in_flight", f"1 to {IN_FLIGHT}")
    _require_host(from_host)
    sender = Sender(allowed, timeout=timeout, budget=budget, t1=t1, t2=t2)
    results: dict[int, Result] = {}
    waiting = enumerate(notifies)

    async def place() -> None:
        for index, notify in waiting:
            results[index] = await sender.send(notify, from_host)

    try:
        async with asyncio.TaskGroup() as places:
            for _ in range(in_flight):
                places.create_task(place())
    except ExceptionGroup as failed:
        # The caller's iterator failed: it sees its own exception, not how many places were reading it.
        raise failed.exceptions[0] from None
    finally:
        sender.close()
    return [results[index] for index in range(len(results))]


class Sender:
    """Its limits, its UDP socket per address family, and what it threw away: for one call of `send_all`, or for as long as
    a process tells phones. Belongs to the event loop in which it is made.
    """

    def __init__(
        self,
        allowed: Allowed,
        *,
        timeout: float = TIMEOUT,
        budget: float | None = None,
        t1: float = T1,
        t2: float = T2,
    ) -> None:
        """The parameters of `send_all`."""
        self._loop = asyncio.get_running_loop()
        self._timeout = timeout
        self._end = float("inf") if budget is None else self._loop.time() + budget
        self._t1 = t1
        self._t2 = t2
        self._sockets: dict[int, Datagrams] = {}
        # The phones of an office stand behind one public address.
        self._address_of = lru_cache(_REMEMBERED)(partial(address_of, allowed=as_rule(allowed)))
        self._own_address = lru_cache(_REMEMBERED)(_own_address)
        self._ignored: Counter[str] = Counter()

    def close(self) -> None:
        """Give the sockets back, and say what was thrown away."""
        for datagrams in self._sockets.values():
            datagrams.close()
        self.refresh()

    def refresh(self) -> None:
        """For a sender that lives long, now and then: say what was thrown away, and ask anew for the way to each phone."""
        # One line for all: a phone that sends rubbish by the thousand doesn't fill the log with it.
        if self._ignored:
            what = ", ".join(f"{kind}: {count}" for kind, count in sorted(self._ignored.items()))
            logger.warning("SIP answers ignored (%s)", what)
            self._ignored.clear()
        self._own_address.cache_clear()

    async def send(self, notify: Notify, from_host: str) -> Result:
        """The result of `notify` in the name of `from_host`, within the limits. Raises ValueError for a host without sense."""
        _require_host(from_host)
        begin = self._loop.time()
        code: int | None = None
        if begin >= self._end:
            outcome, reason = Outcome.NOT_SENT, "out of time"
        else:
            try:
                outcome, code, reason = await self._delivered(
                    notify, bracketed(from_host), min(begin + self._timeout, self._end)
                )
            except ForbiddenAddressError as why:
                outcome, reason = Outcome.UNREACHABLE, str(why)
            except TimeoutError:
                outcome, reason = Outcome.SILENT, "no final answer in time"
            except HangupError:
                outcome, reason = Outcome.SILENT, "connection closed without an answer"
            except UnreadableError:
                outcome, reason = Outcome.SILENT, "its answer is not readable"
            except OSError as error:
                outcome, reason = Outcome.UNREACHABLE, os.strerror(error.errno or 0)
        return Result(
            key=notify.key,
            outcome=outcome,
            code=code,
            reason=_clean(reason),
            seconds=self._loop.time() - begin,
        )

    async def _delivered(
        self, notify: Notify, from_host: str, deadline: float
    ) -> tuple[Outcome, int | None, str]:
        address = self._address_of(notify.target.host, notify.target.port)
        self._refuse_ourselves(address, notify.target.port)
        if notify.target.transport == "tcp":
            async with asyncio.timeout_at(deadline):
                return await self._over_tcp(notify, from_host, address)
        return await self._over_udp(notify, from_host, address, deadline)

    def _refuse_ourselves(self, address: Address, port: int) -> None:
        """What we reach from the very same address is this machine, whichever of its addresses that is."""
        family = socket.AF_INET if address.version == 4 else socket.AF_INET6
        own = self._own_address(family, (str(address), port))
        if own == bracketed(str(address)) and not address.is_loopback:
            raise ForbiddenAddressError(Why.OURSELVES)

    async def _over_udp(
        self, notify: Notify, from_host: str, address: Address, deadline: float
    ) -> tuple[Outcome, int | None, str]:
        if address.version not in self._sockets:
            self._sockets[address.version] = Datagrams(address.version, self._ignored)
        datagrams = self._sockets[address.version]
        peer = (str(address), notify.target.port)
        local = f"{self._own_address(datagrams.family, peer)}:{datagrams.port}"
        exchange = Exchange(notify.target, notify.event, address, from_host, local)

        async def ask(request: bytes) -> Reply:
            copies = self._loop.time() + notify.repeat_for
            transaction = Transaction(datagrams, peer, exchange, self._t2, deadline, copies)
            return await transaction.final_answer(request, self._t1)

        return await _conversation(notify.target, exchange, ask)

    async def _over_tcp(
        self, notify: Notify, from_host: str, address: Address
    ) -> tuple[Outcome, int | None, str]:
        with Connection(address.version, self._ignored) as connection:
            host, port = await connection.open((str(address), notify.target.port))
            local = f"{bracketed(host)}:{port}"
            exchange = Exchange(notify.target, notify.event, address, from_host, local)

            async def ask(request: bytes) -> Reply:
                return await connection.final_answer(exchange, request)

            return await _conversation(notify.target, exchange, ask)


async def _conversation(
    target: Target, exchange: Exchange, ask: Callable[[bytes], Awaitable[Reply]]
) -> tuple[Outcome, int | None, str]:
    """Ask; answer one challenge, and one more if only the nonce was stale; say how it ended."""
    reply = await ask(exchange.request())
    answered, strength = 0, 0
    while reply.code in (401, 407):
        try:
            challenge = strongest(reply.challenges, at_least=strength)
        except ChallengeError as why:
            return Outcome.UNAUTHORIZED, reply.code, str(why)
        if answered == 2 or (answered == 1 and not challenge.stale):
            return Outcome.UNAUTHORIZED, reply.code, reply.phrase
        answered += 1
        strength = challenge.strength
        proof = credentials(
            challenge,
            method="NOTIFY",
            uri=exchange.uri,
            username=target.auth_id,
            password=target.password,
            cnonce=secrets.token_hex(8),
        )
        header = "Authorization" if reply.code == 401 else "Proxy-Authorization"
        reply = await ask(exchange.request(f"{header}: {proof}"))
    return (Outcome.ACCEPTED if reply.code < 300 else Outcome.REFUSED), reply.code, reply.phrase


def _require_host(from_host: str) -> None:
    require(_HOST_NAME.fullmatch(from_host), "from_host", "a host name or an address")


def _own_address(family: socket.AddressFamily, peer: tuple[str, int]) -> str:
    """The address that we have on the route to `peer`, for a URI; raises OSError where there is no route."""
    # Connecting a UDP socket sends nothing.
    with socket.socket(family, socket.SOCK_DGRAM) as route:
        route.connect(peer)
        return bracketed(route.getsockname()[0])


def _clean(text: str) -> str:
    """`text` for a log line: nothing that moves a cursor, turns the writing direction or goes on for ever."""
    return "".join(character for character in text if character.isprintable())[:_LONGEST_REASON]
