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
# Where files of records are sent (`files.urls`): up to 50 MB and the form around them.
FILES = re.compile(r"/c/[^/]+/files/imports")
FILE = Allowed(size=51 * 1024 * 1024, within=600.0, silence=10.0)
# Of all bodies together, from their first byte until they are answered: a body that waits for its server's turn is memory as well.
MEMORY = 128 * 1024 * 1024
# Of those that have grown beyond what everybody may send: two at once, one from an address, so that no flood of them takes the place of others.
LARGE_MEMORY = 2 * FILE.size
# Bodies on their way from one address: an office is one address, a hundred people don't send in the same second.
FROM_ONE_ADDRESS = 100


class RefusedBodyError(Exception):
    """This body isn't taken: the status and one plain line that says why."""

    def __init__(self, status: int, why: Words) -> None:
        super().__init__(why.english)
        self.status = status
        self.why = why


def allowed(cookies: str, path: str = "/") -> Allowed:
    """The limits for whoever sent these cookies, to this address."""
    if not SESSION.search(cookies):
        return STRANGER
    return FILE if FILES.fullmatch(path) else SIGNED_IN


class Bodies:
    """All bodies that are on their way."""

    def __init__(self, memory: int = MEMORY, from_one_address: int = FROM_ONE_ADDRESS) -> None:
        self.memory = memory
        self.from_one_address = from_one_address
        self.held = 0
        self.held_large = 0
        self.large: set[str] = set()  # addresses from which one is on its way
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
            if len(body) > SIGNED_IN.size and address in self.large:
                self.held_large -= len(body)
                self.large.discard(address)
            else:
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
                    self._hold(body, piece, address)
                    if len(body) > limit.size:
                        raise RefusedBodyError(413, words.too_long(limit.size))
        except TimeoutError:
            raise RefusedBodyError(408, words.TOO_SLOW) from None
        finally:
            self.on_their_way[address] -= 1
            if not self.on_their_way[address]:
                del self.on_their_way[address]
        if length is not None and len(body) != int(length):
            raise RefusedBodyError(400, words.CUT_SHORT)

    def _hold(self, body: bytearray, piece: bytes, address: str) -> None:
        """Add a piece, where there is room for it: what grows beyond the usual size stands apart from then on."""
        was_large, is_large = len(body) > SIGNED_IN.size, len(body) + len(piece) > SIGNED_IN.size
        if is_large and not was_large:
            if address in self.large:
                raise RefusedBodyError(429, words.TOO_MANY)
            self.large.add(address)
            self.held -= len(body)
            self.held_large += len(body)
        body += piece
        if is_large:
            self.held_large += len(piece)
        else:
            self.held += len(piece)
        if self.held > self.memory or self.held_large > LARGE_MEMORY:
            raise RefusedBodyError(503, words.TOO_MUCH)
