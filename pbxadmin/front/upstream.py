"""One server behind the front: at most so many requests at once, so many that wait, and for so long."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

logger = logging.getLogger("pbxadmin.front")

# An answer up to this size is read whole, so that a slow reader keeps no thread of the server busy.
READ_WHOLE = 4_000_000
LONGEST_HEAD = 65_536
PIECE = 65_536

Headers = list[tuple[str, str]]


class FullError(Exception):
    """As many wait for this server as may."""


class AwayError(Exception):
    """The server isn't there, or ended in the middle of its answer."""


@dataclass
class Answer:
    """What a server said: its body whole, or what there is of it and where the rest comes from."""

    status: int
    headers: Headers
    body: bytes
    rest: asyncio.StreamReader | None = None


@dataclass
class Upstream:
    """A server on a Unix socket, and the queue before it."""

    name: str
    path: str
    at_once: int  # as many as it has threads; the next one waits here
    waiting: int  # how many may wait
    patience: float = 15.0  # seconds for which one waits
    answers_within: float = 120.0  # seconds
    _queue: int = 0
    _answers: bool | None = None  # None: not heard of yet
    _free: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self._free = asyncio.Semaphore(self.at_once)

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for one's turn; raises `FullError` when that takes too long or too many wait already."""
        if self._free.locked():
            if self._queue >= self.waiting:
                raise FullError
            self._queue += 1
            try:
                async with asyncio.timeout(self.patience):
                    await self._free.acquire()
            except TimeoutError:
                raise FullError from None
            finally:
                self._queue -= 1
        else:
            await self._free.acquire()
        try:
            yield
        finally:
            self._free.release()

    @contextlib.asynccontextmanager
    async def ask(self, head: bytes, body: bytearray, method: str) -> AsyncIterator[Answer]:
        """Send one whole request, and give the answer; raises `AwayError` when there is none, or half of one.

        Each request has a connection of its own, in HTTP/1.0: its end is the end of the answer, and no request is ever sent
        twice because a kept connection turned out to be dead.
        """
        try:
            reader, writer = await asyncio.open_unix_connection(self.path, limit=LONGEST_HEAD)
        except OSError as error:
            self._remember(False)
            raise AwayError(f"{self.name}: {error.strerror}") from error
        self._remember(True)
        try:
            try:
                async with asyncio.timeout(self.answers_within):
                    writer.writelines((head, body))
                    await writer.drain()
                    answer = await self._read(reader, method)
            except (OSError, EOFError, ValueError, asyncio.LimitOverrunError) as error:
                raise AwayError(f"{self.name}: {type(error).__name__}") from error
            yield answer
        finally:
            writer.close()

    def _remember(self, answers: bool) -> None:
        """Say in the log when the server goes away and when it is back; not at each request between."""
        if self._answers is not None and self._answers != answers:
            logger.log(
                logging.INFO if answers else logging.WARNING,
                "the server of the %s %s",
                self.name,
                "is back" if answers else "is away",
            )
        if answers or self._answers is not None:
            self._answers = answers

    async def _read(self, reader: asyncio.StreamReader, method: str) -> Answer:
        """The answer's head, and of its body as much as is read whole."""
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = [
            (name.lower(), value.strip())
            for name, colon, value in (line.partition(":") for line in lines)
            if colon
        ]
        status = int(first.split(" ", 2)[1])
        length = next((int(value) for name, value in headers if name == "content-length"), None)
        body = bytearray()
        while len(body) <= READ_WHOLE and (piece := await reader.read(PIECE)):
            body += piece
        whole = reader.at_eof()
        if whole and length is not None and len(body) != length and method != "HEAD" and status != 304:
            raise EOFError
        return Answer(status, headers, bytes(body), None if whole else reader)
