"""Time zones in Yealink's words, against the time zone database."""

import zoneinfo
from datetime import UTC, datetime, timedelta

import pytest

from phones.vendors import (
    ContextError,
    FileKind,
)
from phones.vendors.tests.yealink import device, phone
from phones.vendors.yealink import YEALINK
from phones.vendors.yealink.zones import ZONES

# --- time zones ---

YEAR = 2026


def hours(offset: timedelta) -> str:
    """An offset as Yealink writes it."""
    minutes = int(offset.total_seconds() // 60)
    sign = "-" if minutes < 0 else "+" if minutes else ""
    whole, rest = divmod(abs(minutes), 60)
    return f"{sign}{whole}:{rest:02d}" if rest else f"{sign}{whole}"


@pytest.mark.parametrize("name", ZONES)
def test_a_zone_has_the_offset_and_the_daylight_saving_of_the_time_zone_database(name: str) -> None:
    zone = zoneinfo.ZoneInfo(name)
    moments = [datetime(YEAR, month, 15, 12, tzinfo=UTC).astimezone(zone) for month in range(1, 13)]
    offsets = {moment.utcoffset() for moment in moments}
    assert ZONES[name].offset == hours(min(offsets))
    assert ZONES[name].summer_time == (len(offsets) > 1)


def test_every_canadian_zone_can_be_set() -> None:
    canadian = {
        *("St_Johns", "Halifax", "Glace_Bay", "Moncton", "Goose_Bay", "Blanc-Sablon", "Toronto", "Iqaluit"),
        *("Atikokan", "Winnipeg", "Resolute", "Rankin_Inlet", "Regina", "Swift_Current", "Edmonton"),
        *("Cambridge_Bay", "Inuvik", "Creston", "Dawson_Creek", "Fort_Nelson", "Whitehorse", "Dawson"),
        "Vancouver",
    }
    assert {f"America/{city}" for city in canadian} <= set(ZONES)


def test_a_zone_without_a_yealink_name_is_refused_and_not_guessed() -> None:
    with pytest.raises(ContextError, match="Asia/Tokyo is not offered"):
        YEALINK.render(FileKind.DEVICE, phone(time_zone="Asia/Tokyo"))


def test_the_lower_north_shore_does_not_change_its_clocks() -> None:
    found = dict(device(phone(time_zone="America/Blanc-Sablon")))
    assert (found["local_time.time_zone"], found["local_time.summer_time"]) == ("-4", "0")
