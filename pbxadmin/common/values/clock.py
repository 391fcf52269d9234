"""What clocks show in the time zones that are offered: the offset and the daylight saving of the time zone data, in no vendor's words.

The data is that of the pinned `tzdata` (`pbxadmin/__init__.py`), so that a law which changes clocks reaches schedules, pages and
phones with one upgrade. A telephone knows one rule for every year; which one that is depends on the day on which it is asked.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

# Blanc-Sablon is the Lower North Shore east of Natashquan, which keeps Atlantic time all year.
CANADIAN_ZONES = (
    "America/Toronto", "America/Halifax", "America/Moncton", "America/St_Johns", "America/Blanc-Sablon", "America/Winnipeg",
    "America/Regina", "America/Edmonton", "America/Vancouver", "America/Whitehorse", "America/Iqaluit", "America/Atikokan",
    "America/Cambridge_Bay", "America/Coral_Harbour", "America/Creston", "America/Dawson", "America/Dawson_Creek",
    "America/Fort_Nelson", "America/Glace_Bay", "America/Goose_Bay", "America/Inuvik", "America/Nipigon",
    "America/Pangnirtung", "America/Rainy_River", "America/Rankin_Inlet", "America/Resolute", "America/Swift_Current",
    "America/Thunder_Bay", "America/Yellowknife",
)  # fmt: skip
OTHER_ZONES = (
    "America/Anchorage", "America/Chicago", "America/Denver", "America/Detroit", "America/Los_Angeles", "America/New_York",
    "America/Phoenix", "Pacific/Honolulu", "Europe/London", "Europe/Paris", "UTC",
)  # fmt: skip
# The zones that departments and phones may have: every make of phone can be given each of them.
ZONES = CANADIAN_ZONES + OTHER_ZONES

LAST_WEEK = 5
_YEAR = timedelta(days=366)
# How far from a turn the other one is put that the data doesn't have (see `clock_of`).
_HALF_A_YEAR = timedelta(weeks=26)
# A phone asks for its file every night: a rule that was asked for today needn't be right for longer than this.
_LONG_ENOUGH = timedelta(weeks=4)


class ClockError(ValueError):
    """A zone whose clocks follow no rule of the kind that telephones know."""


@dataclass(frozen=True, slots=True)
class Turn:
    """When clocks are put forward or back: the `week`-th (5: the last) `weekday` (Monday is 1) of `month`, at `hour` as the clock
    shows it before it is turned."""

    month: int
    week: int
    weekday: int
    hour: int


@dataclass(frozen=True, slots=True)
class Clock:
    """What the clocks of a zone show: `offset` from UTC, and `saving` more from `starts` to `ends` (None where nothing is turned)."""

    offset: timedelta
    saving: timedelta = timedelta(0)
    starts: Turn | None = None
    ends: Turn | None = None


@dataclass(frozen=True, slots=True)
class _Moment:
    """An instant at which the clocks of a zone are turned, and their offsets before and after it."""

    at: datetime
    before: timedelta
    after: timedelta

    @property
    def local(self) -> datetime:
        """What the clock shows when it is turned."""
        return (self.at + self.before).replace(tzinfo=None)


@lru_cache(maxsize=1024)
def clock_of(zone: str, day: date) -> Clock:
    """What to tell a telephone of the clocks of `zone` (IANA name) from this day on.

    Where clocks are turned for the last time, the other turn is put where it does no harm until the telephone asks again.
    Raises `ClockError`, and `ZoneInfoNotFoundError` (a `KeyError`) for a name that no zone has.
    """
    since = datetime(day.year, day.month, day.day, tzinfo=UTC)
    turns = [turn for year in range(day.year - 1, day.year + 4) for turn in _turns_in(zone, year)]
    ahead = [turn for turn in turns if turn.at >= since]
    if not ahead or ahead[0].at >= since + _YEAR:
        return Clock(_offset(ZoneInfo(zone), since))
    first, *later = ahead
    returns = next(iter(later), None)
    if returns is not None and returns.at >= first.at + _YEAR:
        returns = None
    if returns is not None and returns.after != first.before:
        raise ClockError(f"{zone}: clocks are turned to three different offsets")
    if first.after > first.before:
        saving = first.after - first.before
        ends = _turn(returns, later) if returns else _turn_at(first.local + _HALF_A_YEAR)
        return Clock(first.before, saving, _turn(first, later), ends)
    started = min(first.at - _HALF_A_YEAR, since - _LONG_ENOUGH)
    starts = _turn(returns, later) if returns else _turn_at((started + first.after).replace(tzinfo=None))
    return Clock(first.after, first.before - first.after, starts, _turn(first, later))


def _turn(moment: _Moment, later: list[_Moment]) -> Turn:
    """The rule of one moment. "The fourth" and "the last" are told apart by the same turn of another year."""
    others = [each.local for each in later if _same_turn(each, moment)]
    places = _places(moment.local)
    for other in others:
        places = places & _places(other) or places
    local = moment.local
    if local.minute or local.second:
        raise ClockError("clocks are turned within an hour")
    return Turn(local.month, max(places), local.isoweekday(), local.hour)


def _turn_at(local: datetime) -> Turn:
    return Turn(local.month, max(_places(local)), local.isoweekday(), local.hour)


def _same_turn(one: _Moment, other: _Moment) -> bool:
    return (one.after > one.before) is (other.after > other.before) and one.local.month == other.local.month


def _places(local: datetime) -> set[int]:
    """Which of its weekdays in the month a day is: the second, the fourth and last."""
    places = {(local.day - 1) // 7 + 1} - {LAST_WEEK}
    return places | {LAST_WEEK} if (local + timedelta(days=7)).month != local.month else places


@lru_cache(maxsize=1024)
def _turns_in(zone: str, year: int) -> tuple[_Moment, ...]:
    """When the clocks of a zone are turned in a year (of UTC), to the second."""
    where = ZoneInfo(zone)
    found = []
    at, end = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
    while at < end:
        after = at + timedelta(days=1)
        if _offset(where, at) != _offset(where, after):
            found.append(_moment(where, at, after))
        at = after
    return tuple(found)


def _moment(where: ZoneInfo, before: datetime, after: datetime) -> _Moment:
    """The moment between two instants, the later of which is on the new offset already."""
    offsets = _offset(where, before), _offset(where, after)
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) // 2
        middle = middle.replace(microsecond=0)
        if _offset(where, middle) == offsets[0]:
            before = middle
        else:
            after = middle
    return _Moment(after, *offsets)


def _offset(where: ZoneInfo, at: datetime) -> timedelta:
    found = at.astimezone(where).utcoffset()
    assert found is not None  # a zone of the data has one at every instant
    return found
