"""Lines that nobody has, remembered for a moment: whoever tries names (scanners do all day) costs next to nothing.

What is remembered of a name holds for one stamp of the customer (`asterisk.receivers`), so that somebody new is known with their first
question after the save; and which stamp a host name has is read again as soon as that is `FRESH` seconds old. A host name is looked at only
once nobody was found there: real lines cost nothing more.
"""

import threading
import time
from dataclasses import dataclass
from typing import TypeVar

from pbxadmin.common.prepared import Prepared
from users.models import Customer

FRESH = 0.2  # seconds
MOST = 20_000  # host names, and names

_of_host = Prepared(lambda fqdn: Customer.objects.filter(fqdn=fqdn).order_by().values_list("stamp__number"))

Key = TypeVar("Key")
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Host:
    """A host name as it was a moment ago: whether it is a customer's, as of which stamp, and until when that counts (`time.monotonic`)."""

    exists: bool
    stamp: int | None
    until: float


UNREAD = Host(exists=False, stamp=None, until=float("-inf"))


@dataclass(frozen=True, slots=True)
class Look:
    """What is known of a name before anybody looks for its person: `nobody` means that nobody has it."""

    nobody: bool
    host: Host | None = None


class Negatives:
    """The names and host names of this process."""

    def __init__(self) -> None:
        """Nothing is known."""
        self._lock = threading.Lock()
        self._hosts: dict[str, Host] = {}
        self._names: dict[tuple[str, str], int] = {}

    def look(self, number: str, fqdn: str) -> Look:
        """What is known of a name; at most one small statement, and none within `FRESH` seconds of the last."""
        host, missed_at = self._hosts.get(fqdn), self._names.get((number, fqdn))
        if host is None:
            return Look(nobody=False)
        if host.until <= time.monotonic() and (not host.exists or missed_at is not None):
            host = self._read(fqdn)
        return Look(not host.exists or (host.stamp is not None and missed_at == host.stamp), host)

    def missed(self, number: str, fqdn: str, seen: Look) -> None:
        """Nobody was found, although `look` (before) didn't say so."""
        host = seen.host
        if host is None:
            self._keep(self._hosts, fqdn, UNREAD)
        elif host.until <= time.monotonic():
            self._read(fqdn)
        elif host.stamp is not None:
            # As of what was read before the question for the person: a save between the two has another stamp.
            self._keep(self._names, (number, fqdn), host.stamp)

    def forget(self) -> None:
        """Know nothing: for tests."""
        with self._lock:
            self._hosts.clear()
            self._names.clear()

    def _read(self, fqdn: str) -> Host:
        until = time.monotonic() + FRESH
        rows = _of_host(fqdn)
        host = Host(exists=bool(rows), stamp=rows[0][0] if rows else None, until=until)
        self._keep(self._hosts, fqdn, host)
        return host

    def _keep(self, where: dict[Key, Value], key: Key, value: Value) -> None:
        with self._lock:
            if len(where) >= MOST and key not in where:
                where.clear()
            where[key] = value


negatives = Negatives()
