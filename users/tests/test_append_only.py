"""The history in the database itself: no statement changes it, takes a row away or empties it."""

import pytest
from django.db import DatabaseError, connection, transaction

from users.append_only import TABLES
from users.models import Change, Did, Mention, Operation
from users.tests.test_changes import edit

pytestmark = pytest.mark.both_databases("triggers, and what each database's statements pass by")

EVERYWHERE = [
    "UPDATE {table} SET id = id",
    "UPDATE {table} SET id = id WHERE id = (SELECT max(id) FROM {table})",
    "DELETE FROM {table}",
    "DELETE FROM {table} WHERE id = (SELECT max(id) FROM {table})",
]
STATEMENTS = {
    "postgresql": [
        *EVERYWHERE,
        "TRUNCATE {table} CASCADE",
        "TRUNCATE users_customer CASCADE",
        "TRUNCATE ONLY users_change, {table}, {table} RESTART IDENTITY CASCADE",
        "WITH gone AS (DELETE FROM {table} RETURNING id) SELECT count(*) FROM gone",
        "INSERT INTO {table} SELECT * FROM {table} ON CONFLICT (id) DO UPDATE SET id = excluded.id",
        "SET LOCAL session_replication_role = replica; TRUNCATE {table} CASCADE",
        "SET LOCAL session_replication_role = replica; DELETE FROM {table}",
    ],
    "sqlite": [
        *EVERYWHERE,
        "REPLACE INTO {table} SELECT * FROM {table}",
        "INSERT OR REPLACE INTO {table} SELECT * FROM {table}",
        "UPDATE OR REPLACE {table} SET id = id",
        "INSERT INTO {table} SELECT * FROM {table} WHERE true ON CONFLICT (id) DO UPDATE SET id = excluded.id",
    ],
}


def test_no_statement_changes_deletes_or_empties_the_history(felix, amelie, boreale):
    number = Did.objects.of(boreale).filter(user=None, system_extension=None).first()
    edit(felix, boreale, amelie, mobile="514 555-0142", dids=[number.pk])
    assert Mention.objects.exists()
    before = Operation.objects.count(), Change.objects.count()
    connection.check_constraints()  # nothing else stands in the way of emptying a table
    for table in TABLES:
        for statement in STATEMENTS[connection.vendor]:
            text = statement.format(table=table)
            with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
                connection.cursor().execute(text)
    assert (Operation.objects.count(), Change.objects.count()) == before


def test_what_is_added_to_the_history_goes_on_being_added(felix, amelie, boreale):
    edit(felix, boreale, amelie, mobile="514 555-0142")
    edit(felix, boreale, amelie, mobile="514 555-0143")
    assert Change.objects.count() >= 2
