"""Hours of people and departments: typed, checked, kept, drawn; holidays with a click."""

import json
from datetime import date, time

import pytest
from django.test import Client
from django.utils import translation

from forwarding import hours, periods, schedules
from forwarding.hours import Period
from forwarding.models import Holiday
from forwarding.statutory import statutory_holidays
from forwarding.tests.road import change, department_hours, planned, values
from signin.tests.signing import sign_in_fully
from users import road
from users.company.sheets import department_sheet
from users.people.sections import user_sheet
from users.tests.factories import FACTS

OFFICE = "mon 8:00-12:00, 13:00-17:00; tue 8:00-12:00"


@pytest.mark.parametrize(("line", "kept"), [
    ("8:00-12:00, 13:00-17:00", "8:00-12:00, 13:00-17:00"), ("8h-12h; 13 h 30 à 17 h", "8:00-12:00, 13:30-17:00"), ("8-12", "8:00-12:00"),
    ("8:07 – 9:13", "8:07-9:13"), ("22:00-6:00", "22:00-6:00"), ("0:00-24:00", "0:00-24:00"), ("24 h", "0:00-24:00"), ("", ""), ("fermé", ""),
    ("13:00-17:00, 8:00-12:00", "8:00-12:00, 13:00-17:00"),
])  # fmt: skip
def test_hours_are_read_as_people_write_them(line, kept):
    assert periods.line_of(periods.day_of(line, 2), 2) == kept


@pytest.mark.parametrize(
    "line", ["25:00-26:00", "8:00", "8:60-9:00", "abc", "8:00-12:00-13:00", "24:00-8:00", "8-9," * 9, "٨-٩"]
)
def test_what_is_no_hours_is_refused_with_the_part_that_is_wrong(line):
    with pytest.raises(periods.PeriodError):
        periods.day_of(line, 0)


def test_a_week_reads_back_as_it_was_written():
    week = periods.week_of(OFFICE + "; sun 22:00-24:00")
    assert periods.week_of(periods.text_of(week)) == week
    assert week[-1] == Period(6, time(22), time(0))


def test_a_period_past_midnight_is_drawn_on_both_days():
    week = [Period(6, time(22), time(6))]
    assert periods.moments_of_day(week, 6) == [(1320, 1440)]
    assert periods.moments_of_day(week, 0) == [(0, 360)]


def test_own_hours_are_kept_and_taken_back(felix, amelie):
    change(felix, amelie, hours_mode="own", office_hours=OFFICE, break_hours="mon 10:00-10:15")
    assert values(amelie, "office_hours", "break_hours") == [
        periods.week_of(OFFICE),
        (Period(0, time(10), time(10, 15)),),
    ]
    change(felix, amelie, office_hours=["", "", "", "", "", "", ""], break_hours="")
    assert values(amelie, "office_hours", "break_hours") == [(), ()]


@pytest.mark.parametrize(("column", "office", "pause"), [
    ("office_hours", "mon 8:00-12:00, 11:00-17:00", ""), ("office_hours", "mon 8:00-8:00", ""), ("break_hours", "mon 8:00-12:00", "mon 12:00-13:00"),
    ("break_hours", "mon 8:00-12:00", "tue 9:00-10:00"), ("office_hours", "someday 8:00-9:00", ""), ("office_hours", "mon nonsense", ""),
])  # fmt: skip
def test_hours_that_make_no_sense_are_refused_at_their_column(felix, amelie, column, office, pause):
    assert column in planned(felix, amelie, hours_mode="own", office_hours=office, break_hours=pause).errors


def test_own_hours_count_in_the_departments_zone_and_with_its_holidays(boreale, felix, amelie):
    boreale.departments.filter(name="Accueil").update(time_zone="America/Vancouver")
    department_hours(
        felix,
        boreale,
        "Accueil",
        office_hours="mon 9:00-10:00",
        holidays='[["2026-12-24", "2027-01-02", "Fêtes", true]]',
    )
    amelie.refresh_from_db()
    assert schedules.of_people([amelie])[amelie.pk].open == (Period(0, time(9), time(10)),)
    change(felix, amelie, hours_mode="own", office_hours=OFFICE)
    amelie.refresh_from_db()
    week = schedules.of_people([amelie])[amelie.pk]
    assert (week.zone, week.open) == ("America/Vancouver", periods.week_of(OFFICE))
    assert week.holidays == (hours.Holiday(date(2026, 12, 24), date(2027, 1, 2), "Fêtes", True),)


@pytest.mark.parametrize("rows", [
    '[["2026-13-01", "", "", ""]]', '[["2026-12-24", "2026-12-01", "", ""]]', '[["1066-10-14", "", "", ""]]', "[[1]]", "{}", "nonsense",
    '[["2026-01-01", "2027-01-05", "", "1"]]', '[["2026-01-01", "", "a\\nb", ""]]',
])  # fmt: skip
def test_holidays_that_are_none_are_refused(boreale, felix, rows):
    department = boreale.departments.first()
    plan = road.plan(felix, boreale, department_sheet(), [road.Row(department.pk, {"holidays": rows})])
    assert "holidays" in plan.rows[0].errors


def test_quebecs_statutory_holidays_are_known():
    names = {name: day for day, name in statutory_holidays(2026)}
    assert names["Fête nationale du Québec"] == date(2026, 6, 24)
    assert names["Journée nationale des patriotes"] == date(2026, 5, 18)
    assert len(names) == 8
    assert "Canada Day" in [name for _day, name in statutory_holidays(2026, "en")]


def test_one_click_adds_the_years_statutory_holidays_once(boreale, felix):
    client = sign_in_fully(Client(), felix)
    department = boreale.departments.get(name="Soins")
    for _click in range(2):
        sent = client.post(f"/c/boreale/departments/{department.pk}/statutory-holidays", {"year": "2026"})
        assert sent.status_code == 302
        assert Holiday.objects.filter(department=department).count() == 8
    assert (
        client.post(
            f"/c/boreale/departments/{department.pk}/statutory-holidays", {"year": "9999"}
        ).status_code
        == 404
    )
    assert client.get(f"/c/boreale/departments/{department.pk}/holidays").status_code == 200


def test_who_may_not_change_hours_cannot_add_holidays(boreale, laurier, felix, ines, amelie):
    department = boreale.departments.get(name="Accueil")
    url = f"/c/boreale/departments/{department.pk}/statutory-holidays"
    assert sign_in_fully(Client(), ines).post(url, {"year": "2026"}).status_code in (403, 404)
    assert sign_in_fully(Client(), amelie).post(url, {"year": "2026"}).status_code == 403
    foreign = laurier.departments.first()
    assert (
        sign_in_fully(Client(), felix)
        .post(f"/c/boreale/departments/{foreign.pk}/statutory-holidays", {"year": "2026"})
        .status_code
        == 404
    )
    assert not Holiday.objects.exists()


def form_of(person, **more):
    data = {
        "seen": person.version,
        "hours_mode": "own",
        **{f"office_hours.{day}": "" for day in range(7)},
        **{f"break_hours.{day}": "" for day in range(7)},
    }
    return data | more


def test_the_tools_of_the_week_work_without_scripts_and_save_nothing(boreale, felix, amelie):
    client = sign_in_fully(Client(), felix)
    url = f"/c/boreale/users/{amelie.number}/schedule"
    page = client.post(url, form_of(amelie, _week="add-open", _from="8:00", _to="17:00", _days="weekdays"))
    assert page.status_code == 200
    text = page.content.decode()
    assert text.count('value="8:00-17:00"') == 5
    assert values(amelie, "office_hours") == [()]
    cleared = client.post(url, form_of(amelie, **{"_week": "clear-open", "office_hours.3": "8-9"}))
    assert "8-9" not in cleared.content.decode()
    sent = client.post(url, form_of(amelie, **{"office_hours.0": "8:00-12:00", "break_hours.0": "9:00-9:15"}))
    assert sent.status_code == 302, sent.content.decode()[:300]
    assert values(amelie, "office_hours") == [(Period(0, time(8), time(12)),)]


def test_a_refused_week_keeps_what_was_typed_and_names_the_day(boreale, felix, amelie):
    client = sign_in_fully(Client(), felix)
    page = client.post(
        f"/c/boreale/users/{amelie.number}/schedule",
        form_of(amelie, **{"office_hours.2": "huit heures"}),
        headers={"accept-language": "en"},
    )
    assert page.status_code == 422
    assert "huit heures" in page.content.decode()
    assert values(amelie, "hours_mode") == ["department"]


def test_a_department_page_shows_and_saves_its_hours(boreale, felix):
    client = sign_in_fully(Client(), felix)
    department = boreale.departments.get(name="Soins")
    url = f"/c/boreale/departments/{department.pk}/hours"
    assert client.get(url).status_code == 200
    data = {
        "seen": department.version,
        **{f"office_hours.{day}": "8-17" if day < 5 else "" for day in range(7)},
        **{f"break_hours.{day}": "" for day in range(7)},
    }
    assert client.post(url, data).status_code == 302
    assert department.periods.count() == 5
    drawn = client.post(url, data | {"_week": "add-break", "_from": "12:00", "_to": "13:00"})
    assert drawn.content.decode().count("12:00-13:00") >= 7


def test_undo_brings_a_week_back(boreale, felix, amelie):
    from users.models import Operation
    from users.road import undo

    change(felix, amelie, hours_mode="own", office_hours=OFFICE)
    undo.undo(felix, boreale, Operation.objects.first(), FACTS)
    assert values(amelie, "office_hours", "hours_mode") == [(), "department"]
    assert user_sheet().columns["office_hours"].to_json(periods.week_of(OFFICE)) == OFFICE


def test_specific_hours_begin_with_those_of_the_department(boreale, felix, amelie):
    department_hours(felix, boreale, "Accueil", office_hours="mon 9:00-17:00; tue 9:00-17:00", break_hours="mon 12:00-13:00")  # fmt: skip
    client = sign_in_fully(Client(), felix)
    url = f"/c/boreale/users/{amelie.number}/schedule"
    for address in (url, f"{url}?draw=1"):
        page = client.post(address, form_of(amelie)).content.decode()
        assert page.count('value="9:00-17:00"') == 2
        assert page.count('value="12:00-13:00"') == 1
        assert values(amelie, "hours_mode") == ["department"], "nothing is saved that wasn't looked at"
    # Whoever wants to be closed all week clears it, and that is then what is meant.
    cleared = client.post(url, form_of(amelie, _week="clear-open", _begun="department")).content.decode()
    assert "9:00-17:00" not in cleared.split('aria-labelledby="department-week"')[0]
    assert client.post(url, form_of(amelie, _begun="department")).status_code == 302
    assert values(amelie, "hours_mode", "office_hours") == ["own", ()]


def test_a_week_that_is_closed_says_so_before_it_is_saved(boreale, felix, amelie):
    client = sign_in_fully(Client(), felix)
    url = f"/c/boreale/users/{amelie.number}/schedule?draw=1"
    assert "Fermé toute la semaine" in client.post(url, form_of(amelie)).content.decode()
    drawn = client.post(url, form_of(amelie, **{"office_hours.0": "8-12"}))
    assert "Fermé toute la semaine" not in drawn.content.decode()
    department = boreale.departments.get(name="Soins")
    assert "Fermé toute la semaine" in client.get(f"/c/boreale/departments/{department.pk}/hours").content.decode()  # fmt: skip


def test_the_next_change_is_told_only_where_the_status_switches_by_itself(boreale, felix, amelie):
    department_hours(felix, boreale, "Accueil", office_hours="mon 9:00-17:00")
    client = sign_in_fully(Client(), felix)
    url = f"/c/boreale/users/{amelie.number}/schedule"
    assert "Prochain changement" not in client.get(url).content.decode()
    change(felix, amelie, auto_switch_status=True)
    assert "Prochain changement" in client.get(url).content.decode()


@pytest.mark.parametrize(("line", "told"), [
    ("9-5", "20 heures, jusqu’au lendemain matin. Si vous pensez à l’après-midi\u00a0: 9:00-17:00."),
    ("8:30-4:30", "20 heures, jusqu’au lendemain matin. Si vous pensez à l’après-midi\u00a0: 8:30-16:30."),
    ("8-12, 1-5", None), ("9:00-12:00, 13:00-5:00", "19 heures"), ("6:00-22:15", "16:15 heures."), ("6-22", None), ("22-6", None), ("24 h", None),
])  # fmt: skip
def test_a_day_of_more_than_sixteen_hours_is_questioned(boreale, felix, amelie, line, told):
    plan = planned(felix, amelie, hours_mode="own", office_hours=[line, "", line, "", "", "", ""])
    client = sign_in_fully(Client(), felix)
    page = client.post(
        f"/c/boreale/users/{amelie.number}/schedule?draw=1", form_of(amelie, **{"office_hours.0": line})
    ).content.decode()
    with translation.override("fr"):
        sentences = [str(each) for each in plan.warnings.get("office_hours", [])]
    if told is None:
        assert sentences == []
        assert "heures." not in page.split("week-told")[1].split("</div>")[0]
    else:
        assert told in page.replace("&#x27;", "’")
        assert len(sentences) == 1
        assert "Lundi, Mercredi" in sentences[0] or "Monday, Wednesday" in sentences[0]


def test_a_day_is_copied_with_its_breaks(boreale, felix, amelie):
    client = sign_in_fully(Client(), felix)
    url = f"/c/boreale/users/{amelie.number}/schedule"
    data = form_of(
        amelie,
        **{"office_hours.2": "7:00-15:00", "break_hours.2": "11:00-11:30", "office_hours.6": "9:00-10:00"},
    )
    onto_week = client.post(
        url, data | {"_week": "copy", "_copied": "2", "_onto": "weekdays"}
    ).content.decode()
    assert (onto_week.count('value="7:00-15:00"'), onto_week.count('value="11:00-11:30"')) == (5, 5)
    assert 'value="9:00-10:00"' in onto_week
    onto_sunday = client.post(url, data | {"_week": "copy", "_copied": "2", "_onto": "6"}).content.decode()
    assert onto_sunday.count('value="7:00-15:00"') == 2
    assert 'value="9:00-10:00"' not in onto_sunday
    # A day that isn't one changes nothing.
    nonsense = client.post(url, data | {"_week": "copy", "_copied": "9", "_onto": "x"}).content.decode()
    assert nonsense.count('value="7:00-15:00"') == 1


def test_a_holiday_is_deleted_by_its_box(boreale, felix):
    days = [
        ["2026-12-24", "2026-12-26", "Noël", True],
        ["2026-06-24", "2026-06-24", "Fête", False],
        ["2026-07-01", "2026-07-01", "Canada", True],
    ]
    department_hours(felix, boreale, "Soins", holidays=json.dumps(days))
    client = sign_in_fully(Client(), felix)
    department = boreale.departments.get(name="Soins")
    url = f"/c/boreale/departments/{department.pk}/holidays"
    page = client.get(url).content.decode()
    assert page.count('name="holidays.gone"') == 3, "the blank rows have nothing to delete"
    data = {
        "seen": department.version,
        "holidays.first": ["2026-06-24", "2026-07-01", "2026-12-24", ""],
        "holidays.last": ["2026-06-24", "2026-07-01", "2026-12-26", ""],
        "holidays.name": ["Fête", "Canada", "Noël", ""],
        "holidays.yearly": ["1", "2"],
        "holidays.gone": ["0"],
    }
    assert client.post(url, data).status_code == 302
    kept = [
        (each.name, each.yearly) for each in Holiday.objects.filter(department=department).order_by("first")
    ]
    assert kept == [("Canada", True), ("Noël", True)]
