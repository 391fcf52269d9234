"""Limits for what strangers may ask: counted in the cache, by network address or by what is asked for."""

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

from django.core.cache import cache

logger = logging.getLogger("pbxadmin.throttle")

# After the cache has failed it isn't asked for so long: pages stay quick, and nobody is kept out by it.
REST_SECONDS = 30.0
_resting_until = 0.0


@dataclass(frozen=True)
class Limit:
    """At most `tries` within `window` seconds for one key; the next one is refused until the window has passed.

    The memory is the cache: it may forget, and where it doesn't answer everything is allowed, because a limit must never
    be what brings a page down.
    """

    name: str
    tries: int
    window: int

    def allows(self, key: str) -> bool:
        """Whether `key` hasn't used its tries up; counts nothing."""
        return (_ask(lambda: cache.get(self._key(key))) or 0) < self.tries

    def take(self, key: str) -> bool:
        """Count one try of `key`: True while it is within the limit."""
        count = _ask(lambda: self._count(key))
        if count == self.tries + 1:
            logger.warning("limit %s reached key=%s seconds=%s", self.name, key or "-", self.window)
        return count is None or count <= self.tries

    def give_back(self, key: str) -> None:
        """Uncount one try of `key`, which was taken and turned out well."""
        _ask(lambda: self._uncount(key))

    def _uncount(self, key: str) -> None:
        # It may have expired meanwhile.
        with suppress(ValueError):
            cache.decr(self._key(key))

    def _count(self, key: str) -> int | None:
        place = self._key(key)
        cache.add(place, 0, self.window)
        try:
            return cache.incr(place)
        except ValueError:
            return None  # it expired this very moment

    def _key(self, key: str) -> str:
        return f"limit:{self.name}:{key}"


def network_of(address: str) -> str:
    """As what an address is counted: an IPv6 network of 64 bits belongs to one subscriber, it is one visitor."""
    if address and isinstance(ip_address(address), IPv6Address):
        return str(ip_network(f"{address}/64", strict=False).network_address)
    return address


def _ask(question: Callable[[], Any]) -> Any:
    """What the cache says; None while it can't be asked."""
    global _resting_until
    if time.monotonic() < _resting_until:
        return None
    try:
        return question()
    except Exception as error:
        # Each cache has its own exceptions, and none of them may keep anybody out.
        _resting_until = time.monotonic() + REST_SECONDS
        logger.warning("no limits: the cache doesn't answer (%s)", type(error).__name__)
        return None
