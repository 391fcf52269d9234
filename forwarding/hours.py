"""When a person or a department is at work: weekly periods, breaks, holidays, across both clock changes."""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

_DAY = 24 * 60 * 60
_WEEK = 7 * _DAY
# How far ahead a change is looked for. Without holidays a week repeats itself, and a clock change can swallow
# one opening; with them, a year and a bit covers whatever comes back every year.
_DAYS_AHEAD_WEEKLY = 17
_DAYS_AHEAD_HOLIDAYS = 400


class NaiveInstantError(ValueError):
    """An instant without a time zone was given: nobody can tell which moment it is."""


def must_be_aware(instant: datetime) -> datetime:
    """The instant itself; raises `NaiveInstantError` for one without a time zone."""
    if instant.utcoffset() is None:
        raise NaiveInstantError(f"{instant.isoformat()} has no time zone")
    return instant


class Hours(StrEnum):
    """What a schedule says about an instant."""

    OPEN = "open"
    BREAK = "break"
    CLOSED = "closed"
    HOLIDAY = "holiday"


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of every week in wall-clock time; Monday is 0.

    A period that ends at or before its start passes midnight: 22:00 to 06:00 belongs to the day on which it
    starts, an end of 00:00 is what a form shows as 24:00, and 00:00 to 00:00 is the whole day. When the clock
    changes, a time that it shows twice is the first of the two, and one that it skips is the instant of the
    change; so a period is always one stretch, an hour longer or shorter than on other days.
    """

    weekday: int
    start: time
    end: time

    @property
    def seconds(self) -> int:
        """Its length on the clock."""
        return (_of_day(self.end) - _of_day(self.start) - 1) % _DAY + 1

    @property
    def offset(self) -> int:
        """Its start, in seconds since Monday 00:00."""
        return self.weekday * _DAY + _of_day(self.start)

    def covers(self, second: int) -> bool:
        """Whether a second of the week, counted from Monday 00:00, is in it; Sunday runs on into Monday."""
        return (second - self.offset) % _WEEK < self.seconds

    def meets(self, other: "Period") -> bool:
        """Whether the two have time in common."""
        return self.covers(other.offset) or other.covers(self.offset)

    def on(self, day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """The instants, in UTC, between which it runs when it starts on this day."""
        last = day if self.end > self.start else day + timedelta(days=1)
        start, end = datetime.combine(day, self.start), datetime.combine(last, self.end)
        return instant_of(start, zone), instant_of(end, zone)


@dataclass(frozen=True, slots=True)
class Holiday:
    """Days on which nobody works, both ends included, as local dates from midnight to midnight.

    A `yearly` one comes back on the same days of every year and may pass New Year (24 December to 2 January);
    the 29th of February comes back when there is one.
    """

    first: date
    last: date
    name: str = ""
    yearly: bool = False

    def covers(self, day: date) -> bool:
        """Whether this local date is one of its days."""
        if not self.yearly or self.last < self.first:
            return self.first <= day <= self.last
        start, end, asked = ((each.month, each.day) for each in (self.first, self.last, day))
        return start <= asked <= end if start <= end else asked >= start or asked <= end


@dataclass(frozen=True, slots=True)
class Schedule:
    """The hours of a department, or a person's own, in the department's time zone (IANA name).

    Breaks count inside hours only. A holiday closes its local dates whatever the periods say.
    """

    zone: str
    open: tuple[Period, ...] = ()
    breaks: tuple[Period, ...] = ()
    holidays: tuple[Holiday, ...] = ()

    @property
    def clock(self) -> ZoneInfo:
        """Its time zone; raises `ZoneInfoNotFoundError` (a `KeyError`) for a name that no zone has."""
        return ZoneInfo(self.zone)


def state_at(schedule: Schedule, instant: datetime) -> Hours:
    """What the schedule says at `instant` (aware, any zone); raises `NaiveInstantError` for a naive one."""
    zone, instant = schedule.clock, must_be_aware(instant).astimezone(UTC)
    if holiday_on(schedule, instant.astimezone(zone).date()):
        return Hours.HOLIDAY
    if not _running(schedule.open, instant, zone):
        return Hours.CLOSED
    return Hours.BREAK if _running(schedule.breaks, instant, zone) else Hours.OPEN


def open_at(schedule: Schedule, instant: datetime) -> bool:
    """Whether the schedule is open at `instant` (aware, any zone), breaks and holidays counted as closed."""
    return state_at(schedule, instant) is Hours.OPEN


def outside_hours(schedule: Schedule, instant: datetime) -> bool:
    """Whether `instant` is outside working hours: closed or a holiday; a break lies inside them."""
    return state_at(schedule, instant) in (Hours.CLOSED, Hours.HOLIDAY)


def holiday_on(schedule: Schedule, day: date) -> Holiday | None:
    """The holiday that this local date belongs to, the first one in the list."""
    return next((holiday for holiday in schedule.holidays if holiday.covers(day)), None)


def next_change(schedule: Schedule, instant: datetime) -> datetime | None:
    """The first instant after `instant` (in UTC) at which the schedule says something else.

    None when nothing changes: no hours at all or always open, and no holiday in the next 400 days.
    """
    now = state_at(schedule, instant)
    days = _DAYS_AHEAD_HOLIDAYS if schedule.holidays else _DAYS_AHEAD_WEEKLY
    edges = _edges(schedule, instant, days)
    return next((edge for edge in edges if state_at(schedule, edge) is not now), None)


def until_local(instant: datetime, zone: str, at: time) -> datetime:
    """What "until 14:00" means: the next instant, in UTC, after `instant` when clocks in `zone` show `at`.

    A time that is skipped in spring is the instant of the change. One that comes twice in autumn is the first
    of the two, or the second when the first is over.
    """
    start, where = must_be_aware(instant).astimezone(UTC), ZoneInfo(zone)
    today = start.astimezone(where).date()
    # Tomorrow's may be skipped with its whole day (Samoa, 30 December 2011), hence the day after.
    walls = (datetime.combine(today + timedelta(days=ahead), at) for ahead in range(3))
    shown = (instant_of(wall.replace(fold=fold), where) for wall in walls for fold in (0, 1))
    return next(each for each in shown if each > start)


def instant_of(wall: datetime, zone: ZoneInfo) -> datetime:
    """The first instant, in UTC, at which a clock in `zone` shows `wall` (naive) or has been moved past it.

    `wall.fold` 1 asks for the second time instead, where the clock shows it twice.
    """
    local = wall.replace(tzinfo=zone)
    instant = local.astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == wall:
        return instant
    # The clock skips it. Read with the offset that comes after, it falls before the change; read with the one
    # before, after it. The change is between the two.
    before, after = (local.replace(fold=fold).astimezone(UTC) for fold in (1, 0))
    old = before.astimezone(zone).utcoffset()

    def changed(second: int) -> bool:
        return (before + timedelta(seconds=second)).astimezone(zone).utcoffset() != old

    skipped = range(int((after - before).total_seconds()))
    return before + timedelta(seconds=bisect_left(skipped, True, key=changed))


class Code(StrEnum):
    """What can be wrong with a schedule; the sentence is made where the reader's language is known."""

    UNKNOWN_ZONE = "unknown_zone"
    BAD_WEEKDAY = "bad_weekday"
    ZERO_LENGTH = "zero_length"
    OVERLAP = "overlap"
    BREAK_OUTSIDE_HOURS = "break_outside_hours"
    HOLIDAY_REVERSED = "holiday_reversed"
    HOLIDAY_TOO_LONG = "holiday_too_long"


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, and with which period or holiday (None: with the schedule itself)."""

    code: Code
    where: Period | Holiday | None = None


def problems(schedule: Schedule) -> tuple[Problem, ...]:
    """Everything that is wrong with a schedule, as a person reads it: zone, hours, breaks, holidays.

    00:00 to 00:00 is the whole day; any other period that ends where it starts is taken for a slip of the
    keyboard.
    """
    return tuple(_problems(schedule))


def _problems(schedule: Schedule) -> Iterator[Problem]:
    try:
        _ = schedule.clock
    # Unknown; "../../etc/passwd"; the name of a folder, such as "America".
    except (KeyError, ValueError, OSError):
        yield Problem(Code.UNKNOWN_ZONE)
    for periods in (schedule.open, schedule.breaks):
        for index, period in enumerate(periods):
            if period.weekday not in range(7):
                yield Problem(Code.BAD_WEEKDAY, period)
            if period.start == period.end != time(0):
                yield Problem(Code.ZERO_LENGTH, period)
            if any(period.meets(earlier) for earlier in periods[:index]):
                yield Problem(Code.OVERLAP, period)
    for pause in schedule.breaks:
        if not _inside(pause, schedule.open):
            yield Problem(Code.BREAK_OUTSIDE_HOURS, pause)
    for holiday in schedule.holidays:
        if holiday.last < holiday.first:
            yield Problem(Code.HOLIDAY_REVERSED, holiday)
        elif holiday.yearly and (holiday.last - holiday.first).days >= 365:
            yield Problem(Code.HOLIDAY_TOO_LONG, holiday)


def _inside(pause: Period, hours: tuple[Period, ...]) -> bool:
    """Whether a break lies wholly in hours, which may follow one another without a gap."""
    reached = 0
    while reached < pause.seconds:
        second = pause.offset + reached
        further = [each.seconds - (second - each.offset) % _WEEK for each in hours if each.covers(second)]
        if not further:
            return False
        reached += max(further)
    return True


def _running(periods: tuple[Period, ...], instant: datetime, zone: ZoneInfo) -> bool:
    """Whether one of the periods runs now: one that started today, or yesterday's that passes midnight."""
    today = instant.astimezone(zone).date()
    for day in (today, today - timedelta(days=1)):
        for period in periods:
            if period.weekday == day.weekday():
                start, end = period.on(day, zone)
                if start <= instant < end:
                    return True
    return False


def _edges(schedule: Schedule, instant: datetime, days: int) -> Iterator[datetime]:
    """The instants after `instant`, in order, at which something in the schedule starts or ends."""
    zone, start = schedule.clock, instant.astimezone(UTC)
    yesterday = start.astimezone(zone).date() - timedelta(days=1)
    waiting: set[datetime] = set()
    for ahead in range(days):
        day = yesterday + timedelta(days=ahead)
        midnight = instant_of(datetime.combine(day, time(0)), zone)
        # What starts before this midnight may end after it, so only what lies before it is complete.
        yield from sorted(edge for edge in waiting if start < edge < midnight)
        waiting = {edge for edge in waiting if edge >= midnight}
        for period in schedule.open + schedule.breaks:
            if period.weekday == day.weekday():
                waiting.update(period.on(day, zone))
        if bool(holiday_on(schedule, day)) is not bool(holiday_on(schedule, day - timedelta(days=1))):
            waiting.add(midnight)


def _of_day(wall: time) -> int:
    return wall.hour * 3600 + wall.minute * 60 + wall.second
