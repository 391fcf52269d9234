"""Hours: weekly periods, breaks and holidays, in any zone and across both changes of the clock."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forwarding.hours import (
    Code,
    Holiday,
    Hours,
    NaiveInstantError,
    Period,
    Problem,
    Schedule,
    holiday_on,
    instant_of,
    next_change,
    open_at,
    outside_hours,
    problems,
    state_at,
    until_local,
)

MONTREAL = ZoneInfo("America/Toronto")
MON, TUE, WED, THU, FRI, SAT, SUN = range(7)


def clock(text: str) -> time:
    return time.fromisoformat(text)


def period(weekday: int, start: str, end: str) -> Period:
    return Period(weekday, clock(start), clock(end))


def local(text: str, zone: ZoneInfo = MONTREAL, fold: int = 0) -> datetime:
    """A local time as an instant; `fold` 1 is the second of the two in autumn."""
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).astimezone(UTC)


OFFICE = Schedule(
    "America/Toronto",
    open=tuple(period(day, "08:00", "17:00") for day in (MON, TUE, WED, THU, FRI)),
    breaks=tuple(period(day, "12:00", "13:00") for day in (MON, TUE, WED, THU, FRI)),
    holidays=(Holiday(date(2026, 12, 24), date(2027, 1, 2), "Fêtes"),),
)


@pytest.mark.parametrize(
    ("at", "state"),
    [
        ("2026-11-24T07:59:59", Hours.CLOSED),
        ("2026-11-24T08:00", Hours.OPEN),
        ("2026-11-24T11:59:59", Hours.OPEN),
        ("2026-11-24T12:00", Hours.BREAK),
        ("2026-11-24T13:00", Hours.OPEN),
        ("2026-11-24T17:00", Hours.CLOSED),
        ("2026-11-28T10:00", Hours.CLOSED),
        ("2026-12-23T16:00", Hours.OPEN),
        ("2026-12-24T00:00", Hours.HOLIDAY),
        ("2026-12-25T10:00", Hours.HOLIDAY),
        ("2027-01-02T23:59", Hours.HOLIDAY),
        ("2027-01-03T00:00", Hours.CLOSED),
        ("2027-01-04T08:00", Hours.OPEN),
    ],
)
def test_an_office_is_open_in_its_hours_and_not_in_breaks_nor_on_holidays(at, state):
    assert state_at(OFFICE, local(at)) is state
    assert open_at(OFFICE, local(at)) is (state is Hours.OPEN)
    assert outside_hours(OFFICE, local(at)) is (state in (Hours.CLOSED, Hours.HOLIDAY))


def test_the_zone_of_the_instant_does_not_matter():
    paris = datetime(2026, 11, 24, 14, 0, tzinfo=ZoneInfo("Europe/Paris"))
    assert state_at(OFFICE, paris) is Hours.OPEN
    assert state_at(OFFICE, paris - timedelta(minutes=1)) is Hours.CLOSED


def test_the_department_of_vancouver_opens_when_it_is_eight_there():
    """Three hours after Montréal; two in winter, since British Columbia turns back no more."""
    vancouver = Schedule("America/Vancouver", OFFICE.open)
    for opens in ("2026-07-21T11:00", "2026-11-24T10:00"):
        assert not open_at(vancouver, local(opens) - timedelta(minutes=1))
        assert open_at(vancouver, local(opens))


def test_a_department_in_alberta_is_open_at_half_past_eight_of_the_time_that_counts_there():
    assert open_at(Schedule("America/Edmonton", OFFICE.open), datetime.fromisoformat("2026-11-26T14:30Z"))


def test_an_instant_without_a_zone_is_refused():
    for ask in (
        lambda at: state_at(OFFICE, at),
        lambda at: next_change(OFFICE, at),
        lambda at: until_local(at, "America/Toronto", clock("14:00")),
    ):
        with pytest.raises(NaiveInstantError):
            ask(datetime.fromisoformat("2026-11-24T09:00"))


def test_a_period_that_ends_before_it_starts_passes_midnight():
    night = Schedule("America/Toronto", (period(SUN, "22:00", "06:00"),))
    assert [open_at(night, local(at)) for at in ("2026-11-22T21:59", "2026-11-22T22:00")] == [False, True]
    assert [open_at(night, local(at)) for at in ("2026-11-23T05:59", "2026-11-23T06:00")] == [True, False]
    assert not open_at(night, local("2026-11-22T05:00"))  # Sunday morning belongs to Saturday's night


def test_an_end_of_midnight_is_the_end_of_the_day():
    evening = Schedule("America/Toronto", (period(FRI, "18:00", "00:00"),))
    assert open_at(evening, local("2026-11-27T23:59:59"))
    assert not open_at(evening, local("2026-11-28T00:00"))
    whole_day = Schedule("America/Toronto", (period(FRI, "00:00", "00:00"),))
    assert open_at(whole_day, local("2026-11-27T00:00"))
    assert open_at(whole_day, local("2026-11-27T23:59"))
    assert not open_at(whole_day, local("2026-11-28T00:00"))


def test_several_periods_a_day_close_between_them():
    split = Schedule("America/Toronto", (period(MON, "08:00", "11:30"), period(MON, "13:00", "17:00")))
    assert [open_at(split, local(f"2026-11-23T{at}")) for at in ("11:29", "11:30", "12:59", "13:00")] == [
        True, False, False, True,
    ]  # fmt: skip


def test_a_break_outside_hours_is_closed_all_the_same():
    odd = Schedule("America/Toronto", (period(MON, "08:00", "12:00"),), (period(MON, "18:00", "19:00"),))
    assert state_at(odd, local("2026-11-23T18:30")) is Hours.CLOSED


def test_a_night_that_starts_before_a_holiday_ends_at_its_midnight():
    nights = tuple(period(day, "22:00", "06:00") for day in range(7))
    saint_jean = Schedule(
        "America/Toronto", nights, holidays=(Holiday(date(2026, 6, 24), date(2026, 6, 24)),)
    )
    assert state_at(saint_jean, local("2026-06-23T23:59")) is Hours.OPEN
    assert state_at(saint_jean, local("2026-06-24T00:00")) is Hours.HOLIDAY
    assert state_at(saint_jean, local("2026-06-24T23:00")) is Hours.HOLIDAY
    assert state_at(saint_jean, local("2026-06-25T00:00")) is Hours.OPEN


# --- The clock changes: on 8 March 2026 02:00 becomes 03:00, on 1 November 2026 02:00 becomes 01:00


def test_a_period_over_the_spring_change_is_an_hour_shorter():
    night = Schedule("America/Toronto", (period(SAT, "22:00", "06:00"),))
    start, end = night.open[0].on(date(2026, 3, 7), MONTREAL)
    assert end - start == timedelta(hours=7)
    assert next_change(night, local("2026-03-08T01:59:59")) == local("2026-03-08T06:00") == end


def test_a_period_over_the_autumn_change_is_an_hour_longer_and_stays_one_stretch():
    night = Schedule("America/Toronto", (period(SAT, "22:00", "06:00"),))
    start, end = night.open[0].on(date(2026, 10, 31), MONTREAL)
    assert end - start == timedelta(hours=9)
    for minutes in range(0, 9 * 60, 15):
        assert open_at(night, start + timedelta(minutes=minutes))


def test_a_time_shown_twice_is_the_first_of_the_two():
    bar = Schedule("America/Toronto", (period(SAT, "20:00", "01:30"), period(SUN, "01:45", "03:00")))
    assert open_at(bar, local("2026-11-01T01:29"))
    assert not open_at(bar, local("2026-11-01T01:30"))
    assert open_at(bar, local("2026-11-01T01:45"))
    assert open_at(bar, local("2026-11-01T01:15", fold=1))
    assert open_at(bar, local("2026-11-01T01:30", fold=1))


def test_a_time_that_is_skipped_is_the_instant_of_the_change():
    shift = Schedule("America/Toronto", (period(SUN, "02:30", "05:00"), period(SAT, "23:00", "02:15")))
    change = datetime(2026, 3, 8, 7, 0, tzinfo=UTC)
    assert instant_of(datetime.fromisoformat("2026-03-08T02:30"), MONTREAL) == change
    assert open_at(shift, change - timedelta(seconds=1))
    assert open_at(shift, change)
    assert next_change(shift, change) == local("2026-03-08T05:00")
    gone = Schedule("America/Toronto", (period(SUN, "02:15", "02:45"),))
    assert not open_at(gone, change)
    assert next_change(gone, local("2026-03-07T12:00")) == local("2026-03-15T02:15")


def test_a_day_without_midnight_starts_when_its_clock_starts():
    # Havana goes from Saturday 24:00 straight to Sunday 01:00.
    havana = ZoneInfo("America/Havana")
    sunday = Schedule("America/Havana", (period(SUN, "00:00", "08:00"),))
    opening = next_change(sunday, local("2026-03-07T12:00", havana))
    assert opening == local("2026-03-08T01:00", havana)
    assert opening - timedelta(seconds=1) == local("2026-03-07T23:59:59", havana)


@pytest.mark.parametrize(
    "day", ["2026-03-07", "2026-03-08", "2026-03-09", "2026-10-31", "2026-11-01", "2026-11-02"]
)
def test_eight_o_clock_is_eight_o_clock_on_both_sides_of_a_change(day):
    daily = Schedule("America/Toronto", tuple(period(weekday, "08:00", "17:00") for weekday in range(7)))
    assert not open_at(daily, local(f"{day}T07:59:59"))
    assert open_at(daily, local(f"{day}T08:00"))
    assert next_change(daily, local(f"{day}T00:30")) == local(f"{day}T08:00")


# --- Holidays


def test_a_holiday_is_a_local_date():
    vancouver = Schedule(
        "America/Vancouver", OFFICE.open, holidays=(Holiday(date(2026, 7, 1), date(2026, 7, 1)),)
    )
    assert state_at(vancouver, local("2026-07-01T02:59")) is Hours.CLOSED  # still 30 June in Vancouver
    assert state_at(vancouver, local("2026-07-01T03:00")) is Hours.HOLIDAY
    assert state_at(vancouver, local("2026-07-02T02:59")) is Hours.HOLIDAY


@pytest.mark.parametrize(
    ("holiday", "day", "covered"),
    [
        (Holiday(date(2025, 6, 24), date(2025, 6, 24)), date(2026, 6, 24), False),
        (Holiday(date(2025, 6, 24), date(2025, 6, 24), yearly=True), date(2026, 6, 24), True),
        (Holiday(date(2025, 12, 24), date(2026, 1, 2), yearly=True), date(2030, 12, 31), True),
        (Holiday(date(2025, 12, 24), date(2026, 1, 2), yearly=True), date(2030, 1, 2), True),
        (Holiday(date(2025, 12, 24), date(2026, 1, 2), yearly=True), date(2030, 1, 3), False),
        (Holiday(date(2024, 2, 29), date(2024, 2, 29), yearly=True), date(2028, 2, 29), True),
        (Holiday(date(2024, 2, 29), date(2024, 2, 29), yearly=True), date(2026, 2, 28), False),
        (Holiday(date(2024, 2, 29), date(2024, 2, 29), yearly=True), date(2026, 3, 1), False),
        (Holiday(date(2024, 2, 28), date(2024, 3, 1), yearly=True), date(2026, 2, 28), True),
        (Holiday(date(2026, 5, 2), date(2026, 5, 1), yearly=True), date(2026, 12, 25), False),
    ],
)
def test_a_yearly_holiday_comes_back_on_the_same_days(holiday, day, covered):
    assert holiday.covers(day) is covered


def test_the_holiday_of_a_day_has_its_name():
    assert holiday_on(OFFICE, date(2026, 12, 25)).name == "Fêtes"
    assert holiday_on(OFFICE, date(2026, 12, 23)) is None


# --- The next change


def test_the_next_change_is_a_break_an_opening_or_the_end_of_a_holiday():
    assert next_change(OFFICE, local("2026-11-24T09:00")) == local("2026-11-24T12:00")
    assert next_change(OFFICE, local("2026-11-24T12:00")) == local("2026-11-24T13:00")
    assert next_change(OFFICE, local("2026-11-27T17:00")) == local("2026-11-30T08:00")
    assert next_change(OFFICE, local("2026-12-23T17:00")) == local("2026-12-24T00:00")
    assert next_change(OFFICE, local("2026-12-26T10:00")) == local("2027-01-03T00:00")


def test_one_opening_a_week_is_found_a_week_ahead():
    monday = Schedule("America/Toronto", (period(MON, "08:00", "09:00"),))
    assert next_change(monday, local("2026-11-23T09:00")) == local("2026-11-30T08:00")


def test_nothing_changes_where_it_is_always_open_or_never():
    always = Schedule("America/Toronto", tuple(period(day, "00:00", "00:00") for day in range(7)))
    assert next_change(always, local("2026-03-07T12:00")) is None
    assert next_change(Schedule("America/Toronto"), local("2026-03-07T12:00")) is None


def test_a_place_that_is_always_open_closes_at_midnight_before_its_holiday():
    always = tuple(period(day, "00:00", "00:00") for day in range(7))
    christmas = Schedule(
        "America/Toronto", always, holidays=(Holiday(date(2000, 12, 25), date(2000, 12, 25), yearly=True),)
    )
    assert next_change(christmas, local("2026-01-02T12:00")) == local("2026-12-25T00:00")


quarters = st.integers(0, 95).map(lambda quarter: time(quarter // 4, quarter % 4 * 15))
periods = st.builds(Period, st.integers(0, 6), quarters, quarters)
days = st.dates(date(2025, 12, 1), date(2027, 1, 31))
holidays = st.builds(
    lambda first, length, yearly: Holiday(first, first + timedelta(days=length), yearly=yearly),
    days, st.integers(0, 20), st.booleans(),
)  # fmt: skip
schedules = st.builds(
    Schedule,
    st.sampled_from(["America/Toronto", "America/St_Johns", "America/Havana", "Australia/Lord_Howe", "UTC"]),
    st.lists(periods, max_size=5).map(tuple),
    st.lists(periods, max_size=2).map(tuple),
    st.lists(holidays, max_size=2).map(tuple),
)
instants = st.integers(0, 364 * 24 * 60).map(
    lambda minute: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)
)


@given(schedules, instants)
def test_nothing_changes_before_the_next_change_and_something_does_then(schedule, instant):
    change = next_change(schedule, instant)
    end = change or instant + timedelta(days=7)
    if change:
        assert change > instant
        assert state_at(schedule, change) is not state_at(schedule, instant)
    for part in range(40):
        assert state_at(schedule, instant + (end - instant) * part / 40) is state_at(schedule, instant)


# --- "Until 14:00"


@pytest.mark.parametrize(
    ("now", "at", "until"),
    [
        ("2026-11-24T09:40", "14:00", "2026-11-24T14:00"),
        ("2026-11-24T14:00", "14:00", "2026-11-25T14:00"),
        ("2026-11-24T16:00", "14:00", "2026-11-25T14:00"),
        ("2026-03-07T20:00", "08:00", "2026-03-08T08:00"),
        ("2026-10-31T20:00", "08:00", "2026-11-01T08:00"),
        ("2026-03-08T01:00", "02:30", "2026-03-08T03:00"),
        ("2026-12-31T23:30", "00:15", "2027-01-01T00:15"),
    ],
)
def test_until_a_time_is_the_next_time_that_the_local_clock_shows_it(now, at, until):
    assert until_local(local(now), "America/Toronto", clock(at)) == local(until)


def test_until_a_time_that_comes_twice_is_the_next_of_the_two():
    before, first, second = (
        local("2026-11-01T00:30"),
        local("2026-11-01T01:30"),
        local("2026-11-01T01:30", fold=1),
    )
    assert until_local(before, "America/Toronto", clock("01:30")) == first
    assert until_local(first, "America/Toronto", clock("01:30")) == second
    assert until_local(second, "America/Toronto", clock("01:30")) == local("2026-11-02T01:30")


def test_until_a_time_passes_over_a_day_that_never_was():
    # Samoa went from the end of 29 December 2011 straight to the 31st.
    apia = ZoneInfo("Pacific/Apia")
    assert until_local(local("2011-12-29T20:00", apia), "Pacific/Apia", clock("10:00")) == local(
        "2011-12-31T00:00", apia
    )


@given(instants, quarters, st.sampled_from(["America/Toronto", "America/Havana", "Australia/Lord_Howe"]))
def test_until_a_time_is_within_a_day_and_an_hour(instant, at, zone):
    until = until_local(instant, zone, at)
    assert timedelta(0) < until - instant <= timedelta(hours=25)


# --- What is wrong with a schedule


def test_a_proper_schedule_has_no_problems():
    assert problems(OFFICE) == ()
    assert (
        problems(Schedule("America/Toronto", tuple(period(day, "00:00", "00:00") for day in range(7)))) == ()
    )


ZONE = "America/Toronto"
YEAR = Holiday(date(2026, 1, 1), date(2027, 1, 1), yearly=True)
REVERSED = Holiday(date(2026, 5, 2), date(2026, 5, 1))


@pytest.mark.parametrize(
    ("schedule", "found"),
    [
        pytest.param(Schedule("Mars/Olympus"), Problem(Code.UNKNOWN_ZONE), id="no such zone"),
        pytest.param(Schedule("../../etc/passwd"), Problem(Code.UNKNOWN_ZONE), id="a path"),
        pytest.param(Schedule("America"), Problem(Code.UNKNOWN_ZONE), id="a continent"),
        pytest.param(Schedule(""), Problem(Code.UNKNOWN_ZONE), id="blank zone"),
        pytest.param(
            Schedule(ZONE, (period(MON, "08:00", "08:00"),)),
            Problem(Code.ZERO_LENGTH, period(MON, "08:00", "08:00")),
            id="ends where it starts",
        ),
        pytest.param(
            Schedule(ZONE, (period(MON, "08:00", "12:00"), period(MON, "11:45", "17:00"))),
            Problem(Code.OVERLAP, period(MON, "11:45", "17:00")),
            id="two periods of a day meet",
        ),
        pytest.param(
            Schedule(ZONE, (period(MON, "00:00", "08:00"), period(SUN, "22:00", "00:15"))),
            Problem(Code.OVERLAP, period(SUN, "22:00", "00:15")),
            id="Sunday night runs into Monday",
        ),
        pytest.param(
            Schedule(ZONE, (period(MON, "08:00", "12:00"),), (period(MON, "11:30", "12:30"),)),
            Problem(Code.BREAK_OUTSIDE_HOURS, period(MON, "11:30", "12:30")),
            id="a break runs over the end",
        ),
        pytest.param(
            Schedule(ZONE, (Period(7, clock("08:00"), clock("12:00")),)),
            Problem(Code.BAD_WEEKDAY, Period(7, clock("08:00"), clock("12:00"))),
            id="an eighth day",
        ),
        pytest.param(
            Schedule(ZONE, holidays=(REVERSED,)), Problem(Code.HOLIDAY_REVERSED, REVERSED), id="reversed"
        ),
        pytest.param(
            Schedule(ZONE, holidays=(YEAR,)), Problem(Code.HOLIDAY_TOO_LONG, YEAR), id="over a year"
        ),
    ],
)
def test_what_is_wrong_with_a_schedule_is_named_with_its_place(schedule, found):
    assert problems(schedule) == (found,)


def test_a_break_may_lie_over_two_periods_that_touch():
    touching = (period(SUN, "20:00", "00:00"), period(MON, "00:00", "04:00"))
    assert problems(Schedule(ZONE, touching, (period(SUN, "23:30", "00:30"),))) == ()
