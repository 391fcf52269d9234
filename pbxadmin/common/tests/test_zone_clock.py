"""The clocks of the time zones that are offered, and whose data says what they show."""

import subprocess
import sys
import zoneinfo
from datetime import UTC, date, datetime, timedelta
from importlib import metadata
from pathlib import Path

import pytest

import pbxadmin
from pbxadmin.common.values.clock import ZONES, Clock, ClockError, Turn, clock_of

pytestmark = pytest.mark.slow("starts Python again and again")

HOUR = timedelta(hours=1)
ROOT = Path(pbxadmin.__file__).parents[1]
AFTERNOON = "2026-11-26T14:30+00:00"


@pytest.mark.parametrize(
    ("zone", "local"),
    [
        ("America/Edmonton", "08:30"), ("America/Yellowknife", "08:30"), ("America/Vancouver", "07:30"), ("America/Winnipeg", "09:30"),
        ("America/Toronto", "09:30"), ("America/Regina", "08:30"),
    ],
)  # fmt: skip
def test_the_pinned_data_counts_and_not_the_tables_of_the_system(zone: str, local: str) -> None:
    assert f"{datetime.fromisoformat(AFTERNOON).astimezone(zoneinfo.ZoneInfo(zone)):%H:%M}" == local


def test_no_table_of_the_system_is_read() -> None:
    assert zoneinfo.TZPATH == ()
    assert f"tzdata=={metadata.version('tzdata')}" in (ROOT / "requirements.txt").read_text()


@pytest.mark.parametrize(
    "entrance",
    [
        "pbxadmin.wsgi",
        "pbxadmin.celery",
        "pbxadmin.settings.base",
        "pbxadmin.run.launcher",
        "manage",
        "bench.render",
    ],
)
def test_every_process_reads_the_pinned_data_even_where_the_environment_names_other_tables(
    entrance: str,
) -> None:
    program = (
        "import sys, os; os.environ['DJANGO_SETTINGS_MODULE'] = 'pbxadmin.settings.test'; "
        f"import {entrance}\n"
        "if sys.argv[1] == 'manage':\n    from django.conf import settings; settings.DEBUG\n"
        "import zoneinfo; from datetime import datetime as d; "
        f"print(d.fromisoformat('{AFTERNOON}').astimezone(zoneinfo.ZoneInfo('America/Edmonton')).hour)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, entrance], capture_output=True, text=True, cwd=ROOT, check=False,
        env={"PATH": "/usr/bin:/bin", "PYTHONTZPATH": "/usr/share/zoneinfo"},
    )  # fmt: skip
    assert done.stdout.strip() == "8", done.stderr


@pytest.mark.parametrize(
    ("zone", "day", "clock"),
    [
        ("America/Toronto", date(2026, 7, 1), Clock(-5 * HOUR, HOUR, Turn(3, 2, 7, 2), Turn(11, 1, 7, 2))),
        ("America/Toronto", date(2026, 1, 1), Clock(-5 * HOUR, HOUR, Turn(3, 2, 7, 2), Turn(11, 1, 7, 2))),
        ("Europe/Paris", date(2026, 11, 26), Clock(HOUR, HOUR, Turn(3, 5, 7, 2), Turn(10, 5, 7, 3))),
        ("Australia/Lord_Howe", date(2026, 11, 26), Clock(10.5 * HOUR, HOUR / 2, Turn(10, 1, 7, 2), Turn(4, 1, 7, 2))),
        ("Asia/Tokyo", date(2026, 11, 26), Clock(9 * HOUR)),
        ("Europe/Dublin", date(2026, 11, 26), Clock(0 * HOUR, HOUR, Turn(3, 5, 7, 1), Turn(10, 5, 7, 2))),
        # The last spring before a law: summer begins, and doesn't end.
        ("America/Edmonton", date(2026, 6, 1), Clock(-6 * HOUR)),
        ("America/Edmonton", date(2026, 11, 26), Clock(-6 * HOUR)),
    ],
)  # fmt: skip
def test_a_clock_is_told_as_the_data_has_it_from_that_day_on(zone: str, day: date, clock: Clock) -> None:
    assert clock_of(zone, day) == clock


def test_a_last_turn_is_told_so_that_the_other_one_does_no_harm_before_the_phone_asks_again() -> None:
    before = clock_of("America/Edmonton", date(2026, 2, 1))
    assert (before.offset, before.saving, before.starts) == (-7 * HOUR, HOUR, Turn(3, 2, 7, 2))
    assert before.ends == Turn(9, 1, 7, 2)


@pytest.mark.parametrize(
    ("zone", "day"), [("Pacific/Chatham", date(2026, 1, 1)), ("America/Indiana/Petersburg", date(2007, 1, 1))]
)
def test_clocks_that_no_yearly_rule_describes_are_refused(zone: str, day: date) -> None:
    with pytest.raises(ClockError):
        clock_of(zone, day)


def test_every_offered_zone_has_a_clock_and_stands_there_once() -> None:
    assert len(set(ZONES)) == len(ZONES)
    today = datetime.now(UTC).date()
    assert all(clock_of(zone, today) for zone in ZONES)
    assert {zone for zone in ZONES if "/" in zone} <= zoneinfo.available_timezones()
