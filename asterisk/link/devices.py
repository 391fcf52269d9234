"""PURE: what is known of one node's registered devices, and what its events mean for it: what is renewed, gone, or to be asked."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from asterisk.link.told import Registered

# How often a line is asked that somebody proved to have, and that doesn't show the device yet: its registration may wait for the portal.
ASKED_AGAIN = (0.5, 3.0, 10.0)
# A registration of which the node says no end.
LASTS = timedelta(hours=1)


@dataclass
class Known:
    """A device, and for how long it registers: certain once it was asked for right after it registered."""

    told: Registered
    interval: timedelta | None = None


@dataclass
class Wanted:
    """A line whose devices are to be asked, because somebody there (an address, or "" for no matter where) proved who they are."""

    due: float
    tries: int = 0


@dataclass
class Devices:
    """All of one node. Times are the loop's clock."""

    known: dict[str, dict[str, Known]] = field(default_factory=dict)
    wanted: dict[tuple[str, str], Wanted] = field(default_factory=dict)
    renewed: dict[Registered, datetime] = field(default_factory=dict)
    gone: set[tuple[str, str]] = field(default_factory=set)

    def everything(self, told: Iterable[Registered]) -> None:
        """The node's whole list."""
        self.known, self.renewed, self.gone = defaultdict(dict), {}, set()
        for each in told:
            self.known[each.line][each.uri] = Known(each)

    def proved(self, line: str, address: str, now: datetime, clock: float) -> None:
        """Somebody at `address` proved to be this line."""
        for each in self.known.get(line, {}).values():
            if each.interval is not None and each.told.came_from(address):
                each.told = replace(each.told, expires=now + each.interval)
                self.renewed[replace(each.told, expires=None)] = now + each.interval
                return
        self.wanted.setdefault((line, address), Wanted(clock + ASKED_AGAIN[0]))

    def changed(self, line: str, uri: str, clock: float) -> None:
        """The node tells of a device that is there."""
        if uri not in self.known.get(line, {}):
            self.wanted.setdefault((line, ""), Wanted(clock + ASKED_AGAIN[0]))

    def ended(self, line: str, uri: str) -> None:
        """The node tells that a device is registered no more."""
        self.known.get(line, {}).pop(uri, None)
        self.gone.add((line, uri))

    def due(self, clock: float) -> set[str]:
        """The lines that are to be asked now."""
        return {line for (line, _address), each in self.wanted.items() if each.due <= clock}

    def answered(
        self, line: str, told: Iterable[Registered], now: datetime, clock: float
    ) -> tuple[list[Registered], list[Registered]]:
        """What a line has, asked just now: all of it, and what registered just now."""
        found = {each.uri: each for each in told}
        before, fresh = self.known.get(line, {}), []
        here = {
            uri: Known(each, before[uri].interval if uri in before else None) for uri, each in found.items()
        }
        for key in [each for each in self.wanted if each[0] == line and self.wanted[each].due <= clock]:
            address = key[1]
            came = [each for each in here.values() if each.told.came_from(address)]
            if not came and len(here) == 1:
                came = list(here.values())  # behind a translation of addresses that the node doesn't undo
            for each in came if address else []:
                each.told = replace(each.told, address=address)
                each.interval = (
                    max(each.told.expires - now, timedelta(seconds=60)) if each.told.expires else LASTS
                )
                fresh.append(each.told)
            self._asked(key, bool(came), clock)
        if here:
            self.known[line] = here
        else:
            self.known.pop(line, None)
        return [each.told for each in here.values()], fresh

    def _asked(self, key: tuple[str, str], found: bool, clock: float) -> None:
        wanted = self.wanted[key]
        wanted.tries += 1
        if found or wanted.tries >= len(ASKED_AGAIN):
            del self.wanted[key]  # who called without a registration is no device
        else:
            wanted.due = clock + ASKED_AGAIN[wanted.tries]

    def take(self) -> tuple[dict[Registered, datetime], set[tuple[str, str]]]:
        """What was renewed and what is gone since the last time."""
        taken = self.renewed, self.gone
        self.renewed, self.gone = {}, set()
        return taken
