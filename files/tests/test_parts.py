"""Thousands of rows are written a part at a time, and what is in a file doesn't hang on where the parts end."""

from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from files.exporting.people import Layout, rows
from files.importing.importing import look_at
from files.importing.imports import write
from files.tests import generated
from pbxadmin.common import many
from pbxadmin.common.columns import Scope
from phones.keys.targets import DIRECTORY
from phones.models import Key, Phone
from users.models import Change, Customer, Department, User
from users.tests.factories import FACTS, make_customer, make_staff

PEOPLE = 45


@pytest.fixture
def customer(db: None) -> Customer:
    """One with the departments that the file names."""
    made = make_customer(
        "gros", name="Gros", extension_digits=5, included_extensions=200, has_microsoft_365=True
    )
    for name in ("DEFAULT", "Ventes", "Soutien"):
        Department.objects.create(customer=made, name=name, outbound_caller_id="+15145550100")
    return made


@pytest.fixture
def scope(customer: Customer) -> Scope:
    return Scope(make_staff(), customer)


CLEAN = generated.as_csv(generated.make(PEOPLE, digits=5)[0])


def written(scope: Scope) -> Any:
    """Import the file and tell what is there then, keys of the database apart; nothing of it stays."""
    with transaction.atomic():
        made = look_at(CLEAN, Scope(scope.actor, scope.customer))
        operation = write(made, FACTS)
        assert operation is not None
        people = User.objects.of(scope.customer)
        exported = list(rows(Scope(scope.actor, scope.customer), people.order_by("number"), Layout.FULL))
        history = list(
            Change.objects.filter(operation=operation)
            .order_by("pk")
            .values_list("object_name", "kind", "version")
        )
        about = dict(people.values_list("pk", "number"))
        told = [about.get(key) for key in Change.objects.order_by("pk").values_list("subject_pk", flat=True)]
        keys = list(
            Key.objects.order_by("user__number", "position").values_list(
                "user__number", "position", "target__number"
            )
        )
        phones = list(Phone.objects.order_by("mac").values_list("mac", "user__number", "sbc__name"))
        secrets = [person.sip_password for person in people]
        names = [str(row.record) for plan in made.plans for row in plan.rows]
        transaction.set_rollback(True)
    assert all(secrets)
    assert len(set(secrets)) == PEOPLE
    return exported, history, told, keys, phones, names


def test_a_file_is_the_same_in_one_part_and_in_many(scope: Scope, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = written(scope)
    assert len(whole[0]) == PEOPLE
    assert all(whole)
    monkeypatch.setattr(many, "PART", 7)
    for part, other in zip(written(scope), whole, strict=True):
        assert part == other


@pytest.mark.postgresql
def test_records_of_many_keep_no_secret_once_they_are_written(
    scope: Scope, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    monkeypatch.setattr(many, "PART", 7)
    made = look_at(CLEAN, scope)
    write(made, FACTS)
    records = [row.record for plan in made.plans for row in plan.rows if row.new]
    people = [record for record in records if isinstance(record, User)]
    assert len(people) == PEOPLE
    assert not any({"sip_password", "password", "sip_auth_id"} & record.__dict__.keys() for record in people)
    with django_assert_num_queries(0):
        assert [str(record) for record in people] == [
            f"{record.number} {record.first_name} {record.last_name}" for record in people
        ]
    # What isn't kept is read again, and is right.
    assert people[0].sip_password == User.objects.get(pk=people[0].pk).sip_password != ""


def test_an_export_asks_as_often_for_many_as_for_a_few(scope: Scope) -> None:
    write(look_at(CLEAN, scope), FACTS)
    everybody = User.objects.of(scope.customer).order_by("number")

    def cost(people: Any) -> int:
        with CaptureQueriesContext(connection) as queries:
            found = list(rows(Scope(scope.actor, scope.customer), people, Layout.FULL))
        assert len(found) == len(people)
        return len(queries)

    few = everybody[: PEOPLE // 2]
    assert cost(everybody) == cost(few) < 20


def test_an_export_remembers_nobody_who_is_written_already(scope: Scope) -> None:
    write(look_at(CLEAN, scope), FACTS)
    scope = Scope(scope.actor, scope.customer)
    assert list(rows(scope, User.objects.of(scope.customer).order_by("number"), Layout.FULL))
    keys = set(User.objects.of(scope.customer).values_list("pk", flat=True))
    assert not [key for key in scope.found if isinstance(key, tuple) and key[-1] in keys]


def test_people_of_a_file_watch_one_another_without_the_directory(scope: Scope) -> None:
    """A hundred who come to fifty thousand don't have all of them read; whoever is there already still goes before."""
    with CaptureQueriesContext(connection) as queries:
        made = look_at(CLEAN, scope)
    assert any("keys" in row.changes and row.changes["keys"][1] for row in made.plans[0].rows)
    assert DIRECTORY not in scope.found
    assert len(queries) < 30
    write(made, FACTS)
    there = Scope(scope.actor, scope.customer)

    again = look_at(CLEAN, there)
    assert {row.outcome for row in again.outcomes} == {"unchanged"}
