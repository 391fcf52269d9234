"""Hours as people type them ("8:00-12:00, 13 h à 17 h 30"), and a week of them as one text that reads back."""

import re
from collections.abc import Iterable, Sequence
from datetime import time

from forwarding.hours import Period
from pbxadmin.common.values.signs import plainly

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TIME = r"([0-9]{1,2})(?:\s*(?:[:.]\s*([0-9]{2})|[hH]\s*([0-9]{2})?))?"
_RANGE = re.compile(rf"\s*{_TIME}\s*(?:-|–|—|à|a|to)\s*{_TIME}\s*\Z")
_CLOSED = frozenset({"", "-", "–", "—", "fermé", "ferme", "closed", "x"})
_ALL_DAY = frozenset({"24 h", "24h", "24 heures", "24 hours"})
MOST = 8  # periods in a day


class PeriodError(ValueError):
    """A text that isn't hours; `text` is the part that couldn't be read."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


def day_of(text: str, weekday: int) -> list[Period]:
    """The periods that a line means on a weekday (Monday is 0). Raises `PeriodError` with the part that isn't hours."""
    text = plainly(text).strip()
    if text.casefold() in _CLOSED:
        return []
    if text.casefold() in _ALL_DAY:
        return [Period(weekday, time(0), time(0))]
    parts = [part for part in re.split(r"[,;/]|\bet\b|\band\b", text) if part.strip()]
    if not parts or len(parts) > MOST:
        raise PeriodError(text)
    return sorted((_period(part, weekday) for part in parts), key=_order)


def _period(part: str, weekday: int) -> Period:
    found = _RANGE.match(part)
    if not found:
        raise PeriodError(part.strip())
    start = _time(found[1], found[2] or found[3], part)
    end = _time(found[4], found[5] or found[6], part)
    if start is None:
        raise PeriodError(part.strip())
    return Period(weekday, start, end or time(0))


def _time(hour: str, minute: str | None, part: str) -> time | None:
    """A time of day; None for 24:00, which only an end may be."""
    hours, minutes = int(hour), int(minute or 0)
    if (hours, minutes) == (24, 0):
        return None
    if hours > 23 or minutes > 59:
        raise PeriodError(part.strip())
    return time(hours, minutes)


def _order(period: Period) -> tuple[int, time, time]:
    return period.weekday, period.start, period.end


def in_order(periods: Iterable[Period]) -> tuple[Period, ...]:
    """Sorted by day and start: the one order in which a week is kept and compared."""
    return tuple(sorted(periods, key=_order))


def clock(at: time, *, end: bool = False) -> str:
    """ "8:00"; the end of a day is "24:00"."""
    return "24:00" if end and at == time(0) else f"{at.hour}:{at.minute:02d}"


def line_of(periods: Sequence[Period], weekday: int) -> str:
    """A day's periods as a line that `day_of` reads: "8:00-12:00, 13:00-17:00"."""
    return ", ".join(
        f"{clock(each.start)}-{clock(each.end, end=True)}" for each in periods if each.weekday == weekday
    )


def text_of(periods: Sequence[Period]) -> str:
    """A week as one text: "mon 8:00-12:00, 13:00-17:00; tue 8:00-12:00"; closed days aren't in it."""
    lines = ((name, line_of(periods, weekday)) for weekday, name in enumerate(DAYS))
    return "; ".join(f"{name} {line}" for name, line in lines if line)


def week_of(text: str) -> tuple[Period, ...]:
    """What `text_of` wrote. Raises `PeriodError`."""
    found: list[Period] = []
    for part in plainly(text).split(";"):
        if not part.strip():
            continue
        name, _blank, line = part.strip().partition(" ")
        if name.casefold() not in DAYS:
            raise PeriodError(part.strip())
        found += day_of(line, DAYS.index(name.casefold()))
    return in_order(found)


def moments_of_day(periods: Sequence[Period], weekday: int) -> list[tuple[int, int]]:
    """A day's periods as minutes after midnight (start, end), cut at midnight; what runs on from the day before included."""
    found = []
    for each in periods:
        start, end = each.start.hour * 60 + each.start.minute, each.end.hour * 60 + each.end.minute
        passes = end <= start
        if each.weekday == weekday:
            found.append((start, 24 * 60 if passes else end))
        if passes and end and (each.weekday + 1) % 7 == weekday:
            found.append((0, end))
    return sorted(found)
