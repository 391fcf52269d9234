"""Actors that are no person, the schedule and the PBX: they change a status, and nothing else of anybody."""

import ast
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import translation

from users import rights, road
from users.history.asked import SOURCES
from users.history.timeline import source_in_words
from users.models import Change, Operation, User
from users.people.sections import user_sheet
from users.rights import Verb, pbx_actor, schedule_actor
from users.tests.factories import FACTS, make_user

ALLOWED = {"status", "status_until", "status_after"}


def machines(customer, person):
    return [schedule_actor(customer), pbx_actor(person)]


def planned(actor, customer, sheet, key, values, verb=Verb.STATUS):
    return road.plan(actor, customer, sheet, [road.Row(key, values)], verb).rows[0]


def test_the_schedule_and_the_pbx_change_a_status(boreale, amelie):
    for machine, status in zip(machines(boreale, amelie), ("away", "lunch"), strict=True):
        plan = road.plan(
            machine, boreale, user_sheet(), [road.Row(amelie.pk, {"status": status})], Verb.STATUS
        )
        operation = road.apply(plan, FACTS)
        amelie.refresh_from_db()
        assert amelie.status == status
        assert (operation.actor_pk, operation.actor_name) == (None, machine.first_name)
    assert Change.objects.filter(object_pk=amelie.pk, model="users.user", kind="edit").count() == 2


@pytest.mark.parametrize("verb", [each for each in Verb if each is not Verb.STATUS])
def test_a_machine_has_no_other_right(boreale, amelie, verb):
    for machine in machines(boreale, amelie):
        assert rights.why_not(machine, verb, amelie, boreale)
        assert rights.why_not(machine, verb, None, boreale)
        assert not rights.administers(machine)
        assert not rights.acts_on_whole_customer(machine)


@pytest.mark.slow("plans a change of every column")
@pytest.mark.parametrize("name", sorted(set(user_sheet().columns) - ALLOWED))
def test_a_machine_changes_no_other_column_of_a_person(boreale, amelie, name):
    for machine in machines(boreale, amelie):
        row = planned(machine, boreale, user_sheet(), amelie.pk, {name: ""})
        assert row.outcome == "refused"
        assert name in row.errors
        assert name not in row.after


@pytest.mark.parametrize("label", sorted(road.SHEETS))
def test_a_machine_makes_changes_and_deletes_nothing_else(boreale, amelie, label):
    sheet = road.SHEETS[label]
    record = sheet.model._default_manager.order_by("pk").first()
    for machine in machines(boreale, amelie):
        for verb in Verb:
            assert road.why_not(sheet, rights_scope(machine, boreale), verb) is not None
            if record is not None and sheet.model is not User:
                assert road.why_not(sheet, rights_scope(machine, boreale), verb, record) is not None
        assert planned(machine, boreale, sheet, None, {}, Verb.EDIT).refusal
    assert road.plan_removal(schedule_actor(boreale), boreale, user_sheet(), [amelie.pk]).refusals


def rights_scope(actor, customer):
    from pbxadmin.common.columns import Scope

    return Scope(actor, customer)


def test_a_machine_acts_in_its_own_customer_alone(boreale, laurier, amelie):
    stranger = make_user(laurier, "201", "Zoé", "Lavoie")
    for machine in machines(boreale, amelie):
        assert planned(machine, laurier, user_sheet(), stranger.pk, {"status": "away"}).refusal
        assert rights.why_not(machine, Verb.STATUS, stranger)


def test_the_pbx_changes_the_status_of_whoever_dials_and_nobody_elses(boreale, amelie, ines):
    assert planned(pbx_actor(amelie), boreale, user_sheet(), ines.pk, {"status": "away"}).refusal
    assert not planned(schedule_actor(boreale), boreale, user_sheet(), ines.pk, {"status": "away"}).refusal


@pytest.mark.slow("reads all the sources")
def test_nobody_else_makes_an_actor_of_his_own():
    """Support staff made in memory pass every right: only who makes a real account may write it so, and who sits at the terminal is."""
    allowed = {"signin/credentials.py", "users/rights.py"}
    found = set()
    for path in Path(settings.BASE_DIR).glob("*/**/*.py"):
        name = path.relative_to(settings.BASE_DIR).as_posix()
        if name.startswith((".venv", "bench", "var")) or "/tests/" in name:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            called = getattr(node, "func", None) if isinstance(node, ast.Call) else None
            if getattr(called, "id", getattr(called, "attr", "")) == "User" and any(
                keyword.arg == "is_staff" for keyword in node.keywords
            ):
                found.add(name)
            if getattr(called, "attr", "") == "terminal_actor":
                assert "/management/" in name, "an actor of the terminal outside of a command"
    assert found <= allowed, "an actor that passes every right"


def test_the_history_says_what_came_from_the_phone_system(boreale, amelie):
    assert "pbx" in SOURCES
    with translation.override("fr-ca"):
        assert source_in_words("pbx") == "système téléphonique"
    assert Operation._meta.get_field("source").max_length >= max(map(len, SOURCES))
