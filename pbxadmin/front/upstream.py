"""One server behind the front: at most so many requests at once, so many that wait, and for so long."""

import asyncio
import contextlib
import logging
from collections import deque
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
    # Who is served first: while that one has anything to answer, this one gets at most `beside` requests at once.
    before: "Upstream | None" = None
    beside: int = 1
    _busy: int = 0
    _queue: deque[asyncio.Future[None]] = field(default_factory=deque)
    _behind: "list[Upstream]" = field(default_factory=list)
    _answers: bool | None = None  # None: not heard of yet

    def __post_init__(self) -> None:
        if self.before:
            self.before._behind.append(self)

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for one's turn; raises `FullError` when that takes too long or too many wait already."""
        if self._queue or not self._has_room():
            await self._wait()
        else:
            self._busy += 1
        try:
            yield
        finally:
            self._leave()

    def _has_room(self) -> bool:
        gives_way = self.before is not None and self.before._busy > 0
        return self._busy < (min(self.beside, self.at_once) if gives_way else self.at_once)

    async def _wait(self) -> None:
        """Until `_call` gives this one a place, which is then taken already."""
        if len(self._queue) >= self.waiting:
            raise FullError
        place = asyncio.get_running_loop().create_future()
        self._queue.append(place)
        try:
            async with asyncio.timeout(self.patience):
                await place
        except BaseException as error:
            if place.done() and not place.cancelled():
                self._leave()
            else:
                with contextlib.suppress(ValueError):
                    self._queue.remove(place)
            if isinstance(error, TimeoutError):
                raise FullError from None
            raise

    def _call(self) -> None:
        """Give places to those who wait longest."""
        while self._queue and self._has_room():
            place = self._queue.popleft()
            if not place.done():  # else its turn never came in time, or whoever waited has gone
                self._busy += 1
                place.set_result(None)

    def _leave(self) -> None:
        self._busy -= 1
        self._call()
        if not self._busy:
            for other in self._behind:
                other._call()

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
