"""What a stranger may send: how much, for how long, and how many at once. Nothing behind the front waits for a body."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from pbxadmin.front import words
from pbxadmin.front.words import Words

SESSION = re.compile(r"(?:^|;)\s*(?:__Host-|__Secure-)?sessionid=[^;\s]")


@dataclass(frozen=True)
class Allowed:
    """The limits of one body."""

    size: int  # bytes
    within: float  # seconds, from its first byte to its last
    silence: float  # seconds between two pieces


# Before sign-in there are forms with a handful of lines; with a session there are sounds, pictures and lists. Whether the
# session is a true one only the portal knows, so the larger limits are ones that anybody may reach without harm.
STRANGER = Allowed(size=65_536, within=10.0, silence=5.0)
SIGNED_IN = Allowed(size=12 * 1024 * 1024, within=120.0, silence=10.0)
# Of all bodies together, from their first byte until they are answered: a body that waits for its server's turn is memory as well.
MEMORY = 128 * 1024 * 1024
# Bodies on their way from one address: an office is one address, a hundred people don't send in the same second.
FROM_ONE_ADDRESS = 100


class RefusedBodyError(Exception):
    """This body isn't taken: the status and one plain line that says why."""

    def __init__(self, status: int, why: Words) -> None:
        super().__init__(why.english)
        self.status = status
        self.why = why


def allowed(cookies: str) -> Allowed:
    """The limits for whoever sent these cookies."""
    return SIGNED_IN if SESSION.search(cookies) else STRANGER


class Bodies:
    """All bodies that are on their way."""

    def __init__(self, memory: int = MEMORY, from_one_address: int = FROM_ONE_ADDRESS) -> None:
        self.memory = memory
        self.from_one_address = from_one_address
        self.held = 0
        self.on_their_way: Counter[str] = Counter()

    @asynccontextmanager
    async def whole(
        self, protocol: Any, length: str | None, limit: Allowed, address: str
    ) -> AsyncIterator[bytearray]:
        """The whole body, counted until the block ends; raises `RefusedBodyError` as soon as it is clear that it isn't taken.

        `length`: the header Content-Length, None where the body comes in pieces.
        """
        body = bytearray()
        try:
            await self._read(protocol, length, limit, address, body)
            yield body
        finally:
            self.held -= len(body)

    async def _read(
        self, protocol: Any, length: str | None, limit: Allowed, address: str, body: bytearray
    ) -> None:
        """Put the body into `body`, piece by piece."""
        if length is not None and int(length) > limit.size:
            raise RefusedBodyError(413, words.too_long(limit.size))
        if self.on_their_way[address] >= self.from_one_address:
            raise RefusedBodyError(429, words.TOO_MANY)
        self.on_their_way[address] += 1
        try:
            pieces = aiter(protocol)
            async with asyncio.timeout(limit.within):
                while True:
                    try:
                        async with asyncio.timeout(limit.silence):
                            piece = await pieces.__anext__()
                    except StopAsyncIteration:
                        break
                    body += piece
                    self.held += len(piece)
                    if len(body) > limit.size:
                        raise RefusedBodyError(413, words.too_long(limit.size))
                    if self.held > self.memory:
                        raise RefusedBodyError(503, words.TOO_MUCH)
        except TimeoutError:
            raise RefusedBodyError(408, words.TOO_SLOW) from None
        finally:
            self.on_their_way[address] -= 1
            if not self.on_their_way[address]:
                del self.on_their_way[address]
        if length is not None and len(body) != int(length):
            raise RefusedBodyError(400, words.CUT_SHORT)
