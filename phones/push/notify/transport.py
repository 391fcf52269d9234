"""How a NOTIFY and its answer travel: a transaction over the shared UDP socket, or one TCP connection."""

import asyncio
import errno
import socket
import struct
import sys
from collections import Counter
from typing import Self

from .message import LARGEST_MESSAGE, Exchange, Reply, UnreadableError, read_reply

_STREAM_BUFFER = 16 * 1024
_READS_PER_WAKE = 64

# Linux, ip(7) and ipv6(7): IP_RECVERR and IPV6_RECVERR, which Python 3.11 has no names for.
_ERRORS = {
    socket.AF_INET: (socket.IPPROTO_IP, 11),
    socket.AF_INET6: (socket.IPPROTO_IPV6, 25),
}
_GONE = {
    errno.ECONNREFUSED: "port closed",
    errno.EHOSTUNREACH: "no route to it",
    errno.ENETUNREACH: "no route to it",
    errno.EACCES: "a firewall refuses",
}
"""What an ICMP message may say that makes waiting pointless; others (too big, slow down) are passed over."""


class HangupError(Exception):
    """The phone closed the connection without an answer."""


class Datagrams:
    """The one UDP socket of an address family: sends, and hands each answer to its transaction.

    A socket of our own rather than an asyncio transport: only so can the kernel's error queue be read,
    which names the phone that an ICMP message is about, and an oversized datagram be cut off before it is
    copied.
    """

    def __init__(self, version: int, ignored: Counter[str]) -> None:
        """`version` of IP, 4 or 6; what isn't an answer to anything is counted in `ignored`, by kind."""
        self.family = socket.AF_INET if version == 4 else socket.AF_INET6
        self.waiting: dict[str, Transaction] = {}
        """By branch."""
        self._ignored = ignored
        self._loop = asyncio.get_running_loop()
        self._socket = socket.socket(self.family, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        # Room for the answers of many phones at once, as far as the system gives it.
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        if self.family == socket.AF_INET6:
            self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if sys.platform == "linux":
            self._socket.setsockopt(*_ERRORS[self.family], 1)
        self._socket.bind(("", 0))
        self.port: int = self._socket.getsockname()[1]
        self._loop.add_reader(self._socket, self._read)

    def close(self) -> None:
        """Give the port back; answers on their way are lost."""
        self._loop.remove_reader(self._socket)
        self._socket.close()

    def send(self, request: bytes, peer: tuple[str, int]) -> None:
        """Send once; raises OSError where the network refuses. A full buffer counts as a datagram lost."""
        try:
            self._socket.sendto(request, peer)
        except BlockingIOError:
            return
        except OSError:
            # Linux reports here, once, an ICMP message about any phone of this socket: give it to the one
            # it is about, and send again.
            self._read_errors()
            self._socket.sendto(request, peer)

    def _read(self) -> None:
        # Not until it is empty: whoever floods this socket must not keep the timers from running.
        for count in range(_READS_PER_WAKE):
            try:
                data, source = self._socket.recvfrom(LARGEST_MESSAGE + 1)
            except BlockingIOError:
                # Woken for nothing to read: it was the error queue, and would be again.
                if count == 0:
                    self._read_errors()
                return
            except OSError:
                self._read_errors()
                continue
            self._take(data, source[0])

    def _take(self, data: bytes, host: str) -> None:
        if len(data) > LARGEST_MESSAGE:
            self._ignored["too large"] += 1
            return
        head, blank, body = data.partition(b"\r\n\r\n")
        try:
            reply = read_reply(head)
        except UnreadableError:
            self._ignored["not readable"] += 1
            return
        # A datagram that ends before its body does is to be discarded (RFC 3261, 18.3).
        if not blank or reply.length > len(body):
            self._ignored["not readable"] += 1
            return
        transaction = self.waiting.get(reply.branch)
        if transaction is None or not transaction.take(reply, host):
            self._ignored["answer to nothing asked"] += 1

    def _read_errors(self) -> None:
        if sys.platform != "linux":
            return
        for _ in range(_READS_PER_WAKE):
            try:
                _, ancillary, _, origin = self._socket.recvmsg(1, 512, socket.MSG_ERRQUEUE)
            except OSError:
                return
            for level, kind, details in ancillary:
                # struct sock_extended_err begins with the errno, in the machine's own byte order.
                if (level, kind) == _ERRORS[self.family] and len(details) >= 4:
                    self._fail(struct.unpack_from("=I", details)[0], origin[:2])

    def _fail(self, number: int, peer: tuple[str, int]) -> None:
        if number in _GONE:
            for transaction in self.waiting.values():
                if transaction.peer == peer:
                    transaction.fail(OSError(number, _GONE[number]))


class Transaction:
    """One request over UDP until its final answer: Timers E and F of RFC 3261 (17.1.2.2)."""

    def __init__(
        self,
        datagrams: Datagrams,
        peer: tuple[str, int],
        exchange: Exchange,
        t2: float,
        deadline: float,
        copies_until: float,
    ) -> None:
        """`t2`: seconds between retransmissions at most; `deadline`, `copies_until`: the loop's times at which it is over,
        and after which nothing is sent any more."""
        self.peer = peer
        self._datagrams = datagrams
        self._exchange = exchange
        self._request = b""
        self._t2 = t2
        self._deadline = deadline
        self._copies_until = copies_until
        self._loop = asyncio.get_running_loop()
        self._proceeding = False
        self._timer: asyncio.TimerHandle | None = None
        self._ended: asyncio.Future[Reply | OSError] = self._loop.create_future()

    async def final_answer(self, request: bytes, t1: float) -> Reply:
        """Send, and send again after `t1` seconds, twice that and so on, until a final answer is there.

        Raises TimeoutError at the deadline, and OSError where the network says that nobody is there.
        """
        self._request = request
        branch = self._exchange.branch
        self._datagrams.waiting[branch] = self
        try:
            self._datagrams.send(self._request, self.peer)
            self._again_in(t1)
            ended = await self._ended
        finally:
            del self._datagrams.waiting[branch]
            if self._timer is not None:
                self._timer.cancel()
        if isinstance(ended, OSError):
            raise ended
        return ended

    def take(self, reply: Reply, host: str) -> bool:
        """Whether `reply`, from address `host`, was for this request; a late copy of the answer isn't."""
        if host != self._exchange.address or not self._exchange.answered_by(reply) or self._ended.done():
            return False
        if reply.final:
            self._ended.set_result(reply)
        else:
            # Only the pace of the retransmissions changes; however many come, the deadline stays.
            self._proceeding = True
        return True

    def fail(self, error: OSError) -> None:
        """End without an answer."""
        if not self._ended.done():
            self._ended.set_result(error)

    def _again_in(self, interval: float) -> None:
        # One timer for both: the last one that Timer E sets is Timer F.
        self._timer = self._loop.call_at(
            min(self._loop.time() + interval, self._deadline), self._again, interval
        )

    def _again(self, interval: float) -> None:
        if self._loop.time() >= self._deadline:
            self.fail(TimeoutError())
        if self._ended.done():
            return
        if self._loop.time() <= self._copies_until:
            try:
                self._datagrams.send(self._request, self.peer)
            except OSError as error:
                self.fail(error)
                return
        self._again_in(self._t2 if self._proceeding else min(2 * interval, self._t2))


class Connection:
    """One TCP connection to a phone: answers cut by their Content-Length, never more than 16 kB held.

    Nothing is sent twice: TCP does that itself (RFC 3261, 17.1.2.2).
    """

    def __init__(self, version: int, ignored: Counter[str]) -> None:
        """`version` of IP, 4 or 6; answers to something else are counted in `ignored`."""
        self._ignored = ignored
        self._loop = asyncio.get_running_loop()
        self._socket = socket.socket(socket.AF_INET if version == 4 else socket.AF_INET6, socket.SOCK_STREAM)
        self._socket.setblocking(False)
        self._held = bytearray()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    async def open(self, peer: tuple[str, int]) -> tuple[str, int]:
        """Connect; our own address and port on this connection. Raises OSError."""
        await self._loop.sock_connect(self._socket, peer)
        host, port = self._socket.getsockname()[:2]
        return host, port

    async def final_answer(self, exchange: Exchange, request: bytes) -> Reply:
        """Send, and read until the final answer; raises HangupError or UnreadableError if none can come."""
        try:
            await self._loop.sock_sendall(self._socket, request)
            while True:
                reply = await self._next_reply()
                if not exchange.answered_by(reply):
                    self._ignored["answer to nothing asked"] += 1
                elif reply.final:
                    return reply
        except ConnectionError:
            # It had taken the connection: something is there, only it doesn't answer.
            raise HangupError from None

    async def _next_reply(self) -> Reply:
        # Past the limits, or unreadable, there is no telling where the next answer begins: that is the end.
        while True:
            # Blank lines between messages keep a connection alive (RFC 3261, 7.5; RFC 5626, 3.5.1).
            while self._held.startswith(b"\r\n"):
                del self._held[:2]
            end = self._held.find(b"\r\n\r\n")
            if end >= 0:
                break
            if len(self._held) > LARGEST_MESSAGE:
                raise UnreadableError
            await self._fill()
        reply = read_reply(bytes(self._held[:end]))
        whole = end + 4 + reply.length
        if whole > _STREAM_BUFFER:
            raise UnreadableError
        while len(self._held) < whole:
            await self._fill()
        del self._held[:whole]
        return reply

    async def _fill(self) -> None:
        # sock_recv doesn't give way while there is something to read: a phone that floods would stop all
        # others.
        await asyncio.sleep(0)
        room = min(4096, _STREAM_BUFFER - len(self._held))
        chunk = await self._loop.sock_recv(self._socket, room)
        if not chunk:
            raise HangupError
        self._held += chunk
