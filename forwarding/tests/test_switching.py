"""Statuses that change by themselves, and statuses for a limited time."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from forwarding import switching
from forwarding.tasks import switch_statuses
from forwarding.tests.road import change, department_hours, planned
from signin.tests.signing import sign_in_fully
from users import rights, road
from users.models import Change, Operation, User
from users.people.sections import user_sheet
from users.tests.factories import make_user

pytestmark = pytest.mark.both_databases("statuses of more than a thousand people")

MONTREAL = ZoneInfo("America/Toronto")
WEEK = "mon 8:00-17:00; tue 8:00-17:00; wed 8:00-17:00; thu 8:00-17:00; fri 8:00-17:00; sun 0:00-5:00"
BREAKS = "mon 12:00-13:00; tue 12:00-13:00"


def at(text: str, zone: ZoneInfo = MONTREAL) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


@pytest.fixture
def automatic(boreale, felix, amelie):
    """Amélie follows the schedule of Accueil, which is open from 8 to 17."""
    department_hours(
        felix,
        boreale,
        "Accueil",
        office_hours=WEEK,
        break_hours=BREAKS,
        holidays='[["2026-12-25", "", "Noël", ""]]',
    )
    change(felix, amelie, auto_switch_status=True)
    amelie.refresh_from_db()
    return amelie


def status(person) -> str:
    return User.objects.get(pk=person.pk).status


@pytest.mark.parametrize(("moment", "expected"), [
    ("2026-11-24T07:59", "do_not_disturb"), ("2026-11-24T08:00", "available"), ("2026-11-24T12:00", "away"), ("2026-11-24T13:00", "available"),
    ("2026-11-24T17:00", "do_not_disturb"), ("2026-12-25T09:00", "do_not_disturb"), ("2026-11-28T09:00", "do_not_disturb"),
    # 8 March 2026: 2 h becomes 3 h. 1 November 2026: 2 h becomes 1 h.
    ("2026-03-08T04:59", "available"), ("2026-03-08T05:00", "do_not_disturb"), ("2026-11-01T01:30", "available"), ("2026-11-01T05:00", "do_not_disturb"),
])  # fmt: skip
def test_the_status_is_what_the_schedule_says(automatic, moment, expected):
    switching.switch(at(moment))
    assert status(automatic) == expected


@pytest.mark.parametrize("never", [False, True])
def test_each_is_told_of_the_schedule_what_they_can_do_about_it(boreale, felix, automatic, never):
    if never:
        department_hours(felix, boreale, "Accueil", office_hours="", break_hours="", holidays="[]")
    automatic = User.objects.get(pk=automatic.pk)
    colleague = make_user(boreale, "160", "Rose", "Paré", role="receptionists")
    colleague.departments.add(automatic.primary_department)
    said = {}
    for actor, verb in (
        (felix, rights.Verb.EDIT), (automatic, rights.Verb.SELF), (colleague, rights.Verb.STATUS),
    ):  # fmt: skip
        row = road.plan(
            actor, boreale, user_sheet(), [road.Row(automatic.pk, {"status": "lunch"})], verb
        ).rows[0]
        [said[verb]] = (row.errors if never else row.warnings)["status"]
    assert said[rights.Verb.SELF].startswith("Votre horaire" if never else "Votre statut")
    for verb in (rights.Verb.EDIT, rights.Verb.STATUS):
        assert "cet utilisateur" in said[verb]
    for verb in (rights.Verb.SELF, rights.Verb.STATUS):
        assert ("un administrateur de votre entreprise peut" in said[verb]) is never


def test_both_times_of_the_hour_that_comes_twice_are_open(automatic):
    for utc in ("2026-11-01T05:30", "2026-11-01T06:30"):
        switching.switch(datetime.fromisoformat(utc).replace(tzinfo=UTC))
        assert status(automatic) == "available"


def test_a_department_in_another_zone_opens_at_its_own_hour(boreale, felix, automatic):
    boreale.departments.filter(name="Accueil").update(time_zone="America/Vancouver")
    switching.switch(at("2026-11-24T08:30"))
    assert status(automatic) == "do_not_disturb"
    switching.switch(at("2026-11-24T11:30"))
    assert status(automatic) == "available"


def test_own_hours_switch_at_their_own_time(boreale, felix, automatic):
    change(felix, automatic, hours_mode="own", office_hours="tue 10:00-11:00")
    switching.switch(at("2026-11-24T09:00"))
    assert status(automatic) == "do_not_disturb"
    switching.switch(at("2026-11-24T10:00"))
    assert status(automatic) == "available"


def test_a_second_run_and_a_late_one_change_nothing(automatic, ines):
    assert switching.switch(at("2026-11-24T07:00")) == 1
    before = (User.objects.get(pk=automatic.pk).version, Operation.objects.count())
    assert switching.switch(at("2026-11-24T07:00")) == 0
    assert switching.switch(at("2026-11-24T07:01")) == 0
    assert (User.objects.get(pk=automatic.pk).version, Operation.objects.count()) == before
    assert status(ines) == "available"


def test_the_portal_itself_stands_in_the_history(automatic):
    switching.switch(at("2026-11-24T07:00"))
    change_ = Change.objects.filter(object_pk=automatic.pk).first()
    assert (change_.operation.actor_name, change_.operation.source) == ("pbxadmin", "system")
    assert [cell["column"] for cell in change_.cells] == ["status"]


def test_a_suspended_customers_statuses_wait_until_it_is_back(boreale, automatic):
    before = status(automatic)
    boreale.suspended = True
    boreale.save()
    assert switching.switch(at("2026-12-25T09:00")) == 0
    assert status(automatic) == before
    boreale.suspended = False
    boreale.save()
    assert switching.switch(at("2026-12-25T09:00")) == 1
    assert status(automatic) == "do_not_disturb"


def test_a_temporary_status_ends_by_itself_and_the_former_one_returns(felix, amelie):
    change(felix, amelie, status="lunch", status_until=(timezone.now() + timedelta(minutes=30)).isoformat())
    amelie.refresh_from_db()
    assert (amelie.status, amelie.status_after) == ("lunch", "available")
    assert switching.switch(timezone.now()) == 0
    assert switching.switch(timezone.now() + timedelta(minutes=31)) == 1
    amelie.refresh_from_db()
    assert (amelie.status, amelie.status_until, amelie.status_after) == ("available", None, "")


def test_another_temporary_status_on_top_still_returns_to_the_first(felix, amelie):
    change(felix, amelie, status="away")
    for name in ("lunch", "business_trip"):
        change(felix, amelie, status=name, status_until=(timezone.now() + timedelta(minutes=30)).isoformat())
    amelie.refresh_from_db()
    assert amelie.status_after == "away"
    change(felix, amelie, status="available")
    amelie.refresh_from_db()
    assert (amelie.status_until, amelie.status_after) == (None, "")


def test_the_schedule_leaves_a_temporary_status_alone_until_it_is_over(felix, automatic):
    now = timezone.now()
    User.objects.filter(pk=automatic.pk).update(
        status="business_trip", status_until=now + timedelta(hours=1), status_after="available"
    )
    switching.switch(now)
    assert status(automatic) == "business_trip"
    switching.switch(now + timedelta(hours=2))
    assert status(automatic) in ("available", "away", "do_not_disturb")
    assert User.objects.get(pk=automatic.pk).status_until is None


def test_a_status_chosen_against_the_schedule_lasts_until_its_next_change(felix, automatic):
    switching.switch()
    other = "business_trip"
    row = change(felix, automatic, status=other)
    automatic.refresh_from_db()
    assert automatic.status == other
    assert automatic.status_until > timezone.now()
    assert row.warnings["status"]


def test_until_a_time_is_meant_on_the_departments_clock(boreale, felix, amelie):
    boreale.departments.filter(name="Accueil").update(time_zone="America/Vancouver")
    change(felix, amelie, status="away", status_until="14:00")
    amelie.refresh_from_db()
    local = amelie.status_until.astimezone(ZoneInfo("America/Vancouver"))
    assert (local.hour, local.minute) == (14, 0)
    assert timezone.now() < amelie.status_until <= timezone.now() + timedelta(days=1, hours=1)


@pytest.mark.parametrize(
    "until", ["25:00", "soon", "2020-01-01T00:00:00+00:00", "2099-01-01T00:00:00+00:00", "NaN"]
)
def test_a_time_that_is_none_is_refused(felix, amelie, until):
    assert "status_until" in planned(felix, amelie, status="away", status_until=until).errors


def test_the_status_is_taken_on_the_page_and_the_way_back_leads_nowhere_else(boreale, felix, amelie, ines):
    client = sign_in_fully(Client(), felix)
    sent = client.post(
        f"/c/boreale/users/{amelie.number}/status",
        {"status": "lunch", "status_until": "23:59", "next": "//evil.example"},
    )
    assert sent["Location"].endswith("/forwarding")
    assert status(amelie) == "lunch"
    assert client.get(f"/c/boreale/users/{amelie.number}/status").status_code == 405
    assert (
        sign_in_fully(Client(), ines)
        .post(f"/c/boreale/users/{felix.number}/status", {"status": "away"})
        .status_code
        == 403
    )
    own = sign_in_fully(Client(), amelie)
    assert own.post("/me/status", {"status": "away"}).status_code == 302
    assert status(amelie) == "away"


def test_switching_asks_as_many_questions_for_many_as_for_few(boreale, felix):
    department_hours(felix, boreale, "Accueil", office_hours=WEEK)
    counts = []
    moment = at("2026-11-24T07:00")
    for numbers in (range(110, 112), range(112, 125)):
        for number in numbers:
            make_user(boreale, str(number), "Gens", str(number), auto_switch_status=True)
        with CaptureQueriesContext(connection) as captured:
            assert switching.switch(moment) == len(numbers)
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_who_was_changed_in_between_is_looked_at_again(automatic, monkeypatch):
    real = road.apply
    calls = []

    def once_late(plan, *args, **kwargs):
        if not calls:
            calls.append(1)
            User.objects.filter(pk=automatic.pk).update(version=99)
        return real(plan, *args, **kwargs)

    monkeypatch.setattr(road, "apply", once_late)
    assert switching.switch(at("2026-11-24T07:00")) == 1
    assert status(automatic) == "do_not_disturb"


def test_beat_has_the_task_every_minute(settings, automatic):
    entry = settings.CELERY_BEAT_SCHEDULE["switch-statuses"]
    assert entry["task"] == switch_statuses.name
    switch_statuses()


def test_nobody_but_oneself_and_only_ones_own_columns(boreale, felix, amelie):
    plan = road.plan(
        amelie,
        boreale,
        user_sheet(),
        [road.Row(amelie.pk, {"role": "system_owners", "status": "lunch"})],
        rights.Verb.SELF,
    )
    assert plan.rows[0].errors.keys() == {"role"}
    other = road.plan(
        amelie, boreale, user_sheet(), [road.Row(felix.pk, {"status": "lunch"})], rights.Verb.SELF
    )
    assert other.rows[0].refusal
    new = road.plan(amelie, boreale, user_sheet(), [road.Row(None, {"status": "lunch"})], rights.Verb.SELF)
    assert new.rows[0].outcome == "refused"
    change(felix, amelie, hide_forwarding=True)
    amelie.refresh_from_db()
    hidden = road.plan(
        amelie,
        boreale,
        user_sheet(),
        [road.Row(amelie.pk, {"lunch.accept_push": False})],
        rights.Verb.SELF,
    )
    assert hidden.rows[0].outcome == "refused"
