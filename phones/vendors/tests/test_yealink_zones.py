"""Time zones in Yealink's words: what the file says of the clocks, read back and compared with the time zone data."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest

from pbxadmin.common.values.clock import CANADIAN_ZONES, ZONES, clock_of
from phones.vendors import ContextError, FileKind
from phones.vendors.tests.yealink import TODAY, device, phone
from phones.vendors.yealink import YEALINK
from phones.vendors.yealink.models import MODELS

pytestmark = pytest.mark.slow("walks through the days of two years")

DAY = timedelta(days=1)
# This year and the next.
DAYS = [date(TODAY.year, 1, 1) + n * DAY for n in range(730)]


def weekday_of(year: int, month: int, week: int, weekday: int) -> date:
    """The second Sunday, or the last one (5), of a month."""
    days = [date(year, month, 1) + n * DAY for n in range(31)]
    fitting = [day for day in days if day.month == month and day.isoweekday() == weekday]
    return fitting[-1] if week == 5 else fitting[week - 1]


@cache
def turned_at(year: int, text: str) -> datetime:
    """ "3/2/7/2" in a year: the wall clock's time."""
    month, week, weekday, hour = (int(part) for part in text.split("/"))
    return datetime.combine(weekday_of(year, month, week, weekday), time(hour))


def phone_clock(said: dict[str, str], at: datetime) -> datetime:
    """What a phone shows that was told this of its clock: an independent reading of the file."""
    whole, _colon, rest = said["local_time.time_zone"].partition(":")
    sign = -1 if whole.startswith("-") else 1
    standard = at.replace(tzinfo=None) + timedelta(hours=int(whole), minutes=sign * int(rest or 0))
    if said["local_time.summer_time"] == "0":
        return standard
    assert (said["local_time.summer_time"], said["local_time.dst_time_type"]) == ("1", "1"), (
        "by week, not by the firmware's list"
    )
    saving = timedelta(minutes=int(said["local_time.offset_time"]))
    start = turned_at(standard.year, said["local_time.start_time"])
    # The clock that is put back shows daylight saving until then.
    end = turned_at(standard.year, said["local_time.end_time"]) - saving
    saves = start <= standard < end if start < end else not end <= standard < start
    return standard + saving if saves else standard


def told(zone: str, day: date) -> dict[str, str]:
    """What the file of that day says of the clocks."""
    context = replace(phone(time_zone=zone), clock=clock_of(zone, day))
    return {name: text for name, text in device(context) if name.startswith("local_time.")}


def instants(zone: str, day: date) -> list[datetime]:
    """The hours of a day around which clocks are turned; else one of them."""
    midnight = datetime(day.year, day.month, day.day, 0, 15, tzinfo=UTC)
    around = {(midnight + n * DAY).astimezone(ZoneInfo(zone)).utcoffset() for n in (-1, 0, 1, 2)}
    return [midnight + timedelta(hours=hour) for hour in range(24 if len(around) > 1 else 1)]


@pytest.mark.parametrize("zone", ZONES)
def test_a_phone_shows_the_time_of_the_data_all_through_this_year_and_the_next(zone: str) -> None:
    """It asks every night: the file of a day is right for that day, and with three weeks to spare for those after it."""
    files: dict[object, dict[str, str]] = {}
    checked = {day: instants(zone, day) for day in [*DAYS, *(DAYS[-1] + n * DAY for n in (1, 21))]}
    for day in DAYS:
        clock = clock_of(zone, day)
        said = files.get(clock) or files.setdefault(clock, told(zone, day))
        for at in [at for later in (0, 1, 21) for at in checked.get(day + later * DAY, ())]:
            assert phone_clock(said, at) == at.astimezone(ZoneInfo(zone)).replace(tzinfo=None), (
                zone,
                day,
                at,
            )


@pytest.mark.parametrize("zone", ZONES)
def test_the_file_of_today_is_right_for_the_whole_year_ahead(zone: str) -> None:
    said = told(zone, TODAY)
    for at in [at for n in range(365) for at in instants(zone, TODAY + n * DAY)]:
        assert phone_clock(said, at) == at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


@pytest.mark.parametrize(
    ("zone", "offset"),
    [
        ("America/Edmonton", "-6"), ("America/Yellowknife", "-6"), ("America/Inuvik", "-6"), ("America/Vancouver", "-7"),
        ("America/Winnipeg", "-5"), ("America/Rainy_River", "-5"), ("America/Whitehorse", "-7"), ("America/Blanc-Sablon", "-4"),
        ("America/Regina", "-6"), ("America/Atikokan", "-5"),
    ],
)  # fmt: skip
def test_where_clocks_are_not_turned_any_more_the_phone_is_told_to_leave_them(zone: str, offset: str) -> None:
    said = told(zone, TODAY)
    assert (said["local_time.time_zone"], said["local_time.summer_time"]) == (offset, "0")


def test_where_clocks_are_turned_the_rule_is_written_out() -> None:
    montreal, paris = told("America/Toronto", TODAY), told("Europe/Paris", TODAY)
    assert (montreal["local_time.start_time"], montreal["local_time.end_time"]) == ("3/2/7/2", "11/1/7/2")
    assert (paris["local_time.start_time"], paris["local_time.end_time"]) == ("3/5/7/2", "10/5/7/3")
    assert montreal["local_time.offset_time"] == paris["local_time.offset_time"] == "60"


@pytest.mark.parametrize("slug", [model.slug for model in MODELS])
def test_every_offered_zone_is_one_that_every_model_can_be_given(slug: str) -> None:
    for zone in ZONES:
        assert YEALINK.render(FileKind.DEVICE, phone(slug, time_zone=zone))


def test_every_zone_of_canada_is_offered() -> None:
    canadian = {
        *("St_Johns", "Halifax", "Glace_Bay", "Moncton", "Goose_Bay", "Blanc-Sablon", "Toronto", "Iqaluit"),
        *("Atikokan", "Winnipeg", "Resolute", "Rankin_Inlet", "Regina", "Swift_Current", "Edmonton"),
        *("Cambridge_Bay", "Inuvik", "Creston", "Dawson_Creek", "Fort_Nelson", "Whitehorse", "Dawson"),
        *("Vancouver", "Yellowknife", "Rainy_River"),
    }
    assert {f"America/{city}" for city in canadian} <= set(CANADIAN_ZONES)


def test_a_zone_that_is_not_offered_is_refused_and_not_guessed() -> None:
    with pytest.raises(ContextError, match="Asia/Tokyo is not offered"):
        YEALINK.render(FileKind.DEVICE, phone(time_zone="Asia/Tokyo"))
