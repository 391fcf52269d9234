"""Many rows at once are the same rows as one by one, whatever stands in them."""

import json

import pytest
from django.db import connection

from pbxadmin.common import many
from pbxadmin.common.crypto import decrypt
from users.models import Change, Membership, Operation, User
from users.road import recording
from users.tests.factories import FACTS, details, make_user, make_users

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.both_databases("rows that are written many at once"),
    pytest.mark.slow("makes hundreds of rows"),
]

ODD = [
    "plain",
    "",
    "back\\slash",
    "\\N",
    "\\.",
    "tab\there",
    "line\nbreak\r",
    "quote \" and ' and {brace,comma}",
    "NULL",
    "Amélie 日本 🎉",
    " blanks ",
    "%s %(name)s",
]


@pytest.fixture
def operation(boreale):
    """An operation for rows of the history to belong to."""
    return recording.record_operation(None, boreale, Operation.Kind.EDIT, FACTS, "")


def names(count: int) -> list[str]:
    """So many texts, the odd ones first."""
    return [*ODD, *(f"Nom {place}" for place in range(count - len(ODD)))]


@pytest.mark.parametrize("count", [3, 40], ids=["few", "many"])
def test_texts_numbers_nothing_and_json_arrive_as_they_were_given(operation, count):
    texts = names(40)[:count]
    cells = [[{"column": text, "old": None, "new": [place, True]}] for place, text in enumerate(texts)]
    many.insert(
        Change,
        {
            "operation_id": many.Same(operation.pk),
            "model": many.Same("users.user"),
            "object_pk": list(range(count)),
            "object_name": texts,
            "subject_pk": [place if place % 2 else None for place in range(count)],
            "kind": many.Same("edit"),
            "cells": [many.Json(json.dumps(cell)) if place % 2 else cell for place, cell in enumerate(cells)],
        },
        count,
    )
    rows = Change.objects.filter(operation=operation).order_by("object_pk")
    assert [row.object_name for row in rows] == texts
    assert [row.cells for row in rows] == cells
    assert [row.subject_pk for row in rows] == [place if place % 2 else None for place in range(count)]
    assert {row.former_subject_pk for row in rows} == {None}
    assert {row.version for row in rows} == {0}  # what nobody says is the field's default


def test_no_row_is_no_statement(django_assert_num_queries):
    with django_assert_num_queries(0):
        many.insert(Membership, {"user_id": [], "department_id": []}, 0)
        assert many.update(User, [], {"first_name": []}) == 0


@pytest.mark.parametrize("count", [3, 40], ids=["few", "many"])
def test_records_get_their_keys_and_their_secrets_are_encrypted_each_by_itself(boreale, count):
    department = boreale.departments.get(name="Accueil")
    records = [
        User(
            customer=boreale, number=str(200 + place), first_name=text.strip(), sip_password="the same secret", primary_department=department,
            role_id="users",
        )
        for place, text in enumerate(names(40)[:count])
    ]  # fmt: skip
    many.insert_records(records)
    assert all(record.pk and not record._state.adding and record.created_at for record in records)
    found = User.objects.in_bulk([record.pk for record in records])
    assert [found[record.pk].first_name for record in records] == [record.first_name for record in records]
    assert {person.sip_password for person in found.values()} == {"the same secret"}
    with connection.cursor() as cursor:
        cursor.execute("SELECT sip_password FROM users_user WHERE number LIKE %s", ["2%"])
        stored = [text for (text,) in cursor.fetchall()]
    assert len(set(stored)) == count
    assert {decrypt(text, "users_user.sip_password") for text in stored} == {"the same secret"}
    # Somebody added afterwards doesn't meet a key that was given here.
    assert make_user(boreale, "199").pk not in found


def test_each_row_gets_its_own_values_and_counts_up(boreale, laurier):
    people = make_users(boreale, *(details(str(110 + place)) for place in range(len(ODD))))
    stranger = make_user(laurier, "110")
    touched = many.update(
        User,
        [person.pk for person in people],
        {
            "last_name": ODD,
            "sip_password": [f"secret {place}" for place in range(len(ODD))],
            "status_until": [person.created_at if place % 2 else None for place, person in enumerate(people)],
            "disabled": [place % 3 == 0 for place in range(len(ODD))],
        },
        counting="version",
        also={"customer_id": boreale.pk},
    )
    assert touched == len(people)
    for place, person in enumerate(people):
        found = User.objects.get(pk=person.pk)
        assert (found.last_name, found.sip_password) == (ODD[place], f"secret {place}")
        assert found.status_until == (person.created_at if place % 2 else None)
        assert (found.disabled, found.version) == (place % 3 == 0, person.version + 1)
    stranger.refresh_from_db()
    assert stranger.last_name == "Tremblay"


def test_a_row_that_the_condition_leaves_out_is_neither_changed_nor_counted(boreale, laurier):
    ours, theirs = make_user(boreale, "110"), make_user(laurier, "110")
    keys, values = [ours.pk, theirs.pk], {"last_name": ["Roy", "Roy"]}
    assert many.update(User, keys, values, also={"customer_id": boreale.pk}) == 1
    theirs.refresh_from_db()
    assert theirs.last_name == "Tremblay"


def test_rows_may_be_named_by_another_column_than_their_key(boreale):
    people = make_users(boreale, *(details(str(110 + place)) for place in range(3)))
    membership = Membership.objects.get(user=people[0])
    soins = boreale.departments.get(name="Soins")
    assert many.update(Membership, [people[0].pk], {"department_id": [soins.pk]}, key="user_id") == 1
    membership.refresh_from_db()
    assert membership.department == soins
