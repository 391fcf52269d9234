"""The sockets under the phone's SIP side: UDP and TCP on the same port."""

import asyncio
import re
from contextlib import suppress
from typing import cast

from phones.virtual.sip import SipSide, answer_address

# What a peer may send on one TCP connection before a request is complete, and how long it may dawdle.
BIGGEST_REQUEST = 64_000
IDLE_SECONDS = 60.0
CONTENT_LENGTH = re.compile(
    rb"^(?:content-length|l)[ \t]*:[ \t]*(\d{1,6})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE
)


class Datagrams(asyncio.DatagramProtocol):
    """UDP: one datagram, one request."""

    def __init__(self, side: SipSide) -> None:
        """Answers through `side`."""
        self.side = side
        self.transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the socket to answer with."""
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer one request."""
        source = (addr[0], addr[1])
        if (answer := self.side.receive(data, source, "UDP")) and self.transport is not None:
            self.transport.sendto(answer[0], answer_address(answer[1], source))

    def error_received(self, exc: Exception) -> None:
        """The other side is gone (ICMP); a phone takes no notice."""


async def next_request(reader: asyncio.StreamReader) -> bytes:
    """The next whole request; raises `asyncio.IncompleteReadError` at the end, `ValueError` on nonsense."""
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.strip():
        return b""  # a keep-alive (RFC 5626, double CRLF)
    length = CONTENT_LENGTH.search(head)
    size = int(length[1]) if length else 0
    if size > BIGGEST_REQUEST:
        raise ValueError("too long")
    return head + (await reader.readexactly(size) if size else b"")


class Listener:
    """The phone's SIP address: both transports, opened together and closed together."""

    def __init__(self, side: SipSide, host: str, port: int) -> None:
        """`port` 0: any free one; the one taken stands in `port` once open."""
        self.side = side
        self.host = host
        self.port = port
        self._udp: asyncio.DatagramTransport | None = None
        self._tcp: asyncio.Server | None = None
        self._streams: set[asyncio.StreamWriter] = set()

    async def open(self) -> None:
        """Listen; raises `OSError` when the port is taken."""
        loop = asyncio.get_running_loop()
        tries = 20 if self.port == 0 else 1
        for left in range(tries, 0, -1):
            self._udp, _ = await loop.create_datagram_endpoint(
                lambda: Datagrams(self.side), local_addr=(self.host, self.port)
            )
            port = self._udp.get_extra_info("sockname")[1]
            try:
                self._tcp = await asyncio.start_server(self._stream, self.host, port, limit=BIGGEST_REQUEST)
            except OSError:
                self._udp.close()
                if left == 1:
                    raise
            else:
                self.port = port
                return

    async def close(self) -> None:
        """Stop listening and drop every connection."""
        if self._udp is not None:
            self._udp.close()
        if self._tcp is not None:
            self._tcp.close()
            for writer in list(self._streams):
                writer.close()
            with suppress(OSError):
                await self._tcp.wait_closed()

    async def _stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one TCP connection, in order, until it ends or makes no sense."""
        self._streams.add(writer)
        peer = writer.get_extra_info("peername")
        try:
            while True:
                data = await asyncio.wait_for(next_request(reader), IDLE_SECONDS)
                if answer := self.side.receive(data, (peer[0], peer[1]), "TCP"):
                    writer.write(answer[0])
                    await writer.drain()
        except (OSError, ValueError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            return
        finally:
            self._streams.discard(writer)
            writer.close()
