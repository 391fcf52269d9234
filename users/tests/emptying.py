"""The tables emptied after a test with real transactions: on PostgreSQL in a tenth of the time that Django takes.

Django's `flush` makes new files of sixty tables and their indexes, then writes content types and permissions again, which no test changes.
The few rows of a test are sooner deleted. As with TRUNCATE whoever still writes is waited for, so that nothing of theirs comes later.
"""

from functools import cache
from typing import Any

from django.db import connection
from django.test import TransactionTestCase

# Written by migrations from the code alone, and read by Django's admin.
KEPT = {"django_content_type", "auth_permission"}

_flush = TransactionTestCase._fixture_teardown


@cache
def _statements(database: str) -> str:
    quoted = connection.ops.quote_name
    found = connection.introspection.django_table_names(only_existing=True, include_views=False)
    tables = [quoted(table) for table in sorted(set(found) - KEPT)]
    # In a transaction of all of them (an execution without parameters is one), and without asking for each row who refers to it.
    return "; ".join(
        [
            f"LOCK TABLE {', '.join(tables)} IN EXCLUSIVE MODE",
            "SET LOCAL session_replication_role = replica",
            *(f"DELETE FROM {table}" for table in tables),
        ]
    )


@cache
def _may_pass_by_references(database: str) -> bool:
    """Whether this is PostgreSQL, as a superuser: as in `./test`'s own."""
    if connection.vendor != "postgresql":
        return False
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('is_superuser') = 'on'")
        return cursor.fetchone() == (True,)


def empty(case: Any) -> None:
    """What Django does at the end of a test with real transactions."""
    database = str(connection.settings_dict["NAME"])
    if not _may_pass_by_references(database):
        _flush(case)
        return
    with connection.cursor() as cursor:
        cursor.execute(_statements(database))


def install() -> None:
    """From now on tables are emptied so."""
    TransactionTestCase._fixture_teardown = empty  # type: ignore[method-assign]
