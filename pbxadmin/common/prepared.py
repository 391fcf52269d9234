"""Statements that are asked thousands of times a minute: written once, and planned once for each connection.

Django writes the SQL of a query anew whenever it is asked, and PostgreSQL plans it anew: for a row joined with four others
that costs several times what finding the row does. The values are the same rows as ever; nothing is remembered of them.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from inspect import signature
from typing import Any
from weakref import WeakKeyDictionary

from django.db import InterfaceError, NotSupportedError, OperationalError, ProgrammingError, connection
from django.db.models import QuerySet
from django.db.models.query import get_related_populators

# Values that nothing else in a query is, one for each that is left open, and where they stand in the text until that is whole.
MARKS = tuple(range(987654321987654321, 987654321987654330))
PLACE = "\0"


# What the server has planned belongs to its session: a new connection begins without.
planned: WeakKeyDictionary[Any, set[str]] = WeakKeyDictionary()


class Statement:
    """One SQL statement, with `%s` for each of its values; on PostgreSQL each connection plans it at its first use."""

    def __init__(self, sql: str) -> None:
        self.sql = sql
        self._name = f"pbxadmin_{hashlib.sha256(sql.encode()).hexdigest()[:16]}"

    def execute(self, cursor: Any, values: Sequence[Any]) -> None:
        """Run it for `values`."""
        if not _can_prepare():
            cursor.execute(self.sql, values)
            return
        known = planned.setdefault(connection.connection, set())
        if self._name not in known:
            marks = tuple(f"${number}" for number in range(1, self.sql.count("%s") + 1))
            # Beside Django's own cursor: it belongs to the connection, and isn't counted with the page that happens to be its first.
            with connection.wrap_database_errors, connection.connection.cursor() as plain:
                plain.execute(f"PREPARE {self._name} AS {self.sql % marks}")
            known.add(self._name)
        places = ", ".join(["%s"] * len(values))
        cursor.execute(f"EXECUTE {self._name} ({places})", values)


def _can_prepare() -> bool:
    """Whether the next statement meets the session in which this one was planned. The setting is Django's own for a
    pooler between us and PostgreSQL that gives each transaction another session."""
    return connection.vendor == "postgresql" and not connection.settings_dict.get(
        "DISABLE_SERVER_SIDE_CURSORS"
    )


@dataclass
class Written:
    """What one kind of database is asked, and what becomes of its answer."""

    statement: Statement
    order: list[int]  # which of the values each place of the statement takes
    converters: list[tuple[int, Any, Any]]  # of a column: its place, what converts it, and its expression
    compiler: Any  # Django's, which knows where a row holds what of which record


class Prepared:
    """A query of the ORM with some values left open, written and planned once."""

    def __init__(self, query: "Callable[..., QuerySet]") -> None:
        """`query` makes the query from its values, whatever they are: each becomes part of a condition, and decides nothing else."""
        self._query = query
        self._open = len(signature(query).parameters)
        self._written: dict[str, Written] = {}

    def records(self, *values: Any) -> Iterator[Any]:
        """The records for `values`, with what `select_related` and `annotate` of the query add to each."""
        rows = self(*values)
        compiler = self._written[connection.vendor].compiler
        info = compiler.klass_info
        first, last = info["select_fields"][0], info["select_fields"][-1] + 1
        names = [column[0].target.attname for column in compiler.select[first:last]]
        related = get_related_populators(info, compiler.select, connection.alias)  # type: ignore[call-arg]  # the stubs are a version ahead
        for row in rows:
            record = info["model"].from_db(connection.alias, names, row[first:last])
            for each in related:
                each.populate(row, record)
            for name, place in compiler.annotation_col_map.items():
                setattr(record, name, row[place])
            yield record

    def __call__(self, *values: Any) -> Sequence[Sequence[Any]]:
        """The rows for `values`, their columns in the order of the query's `values_list`."""
        if connection.in_atomic_block:
            return self._rows(values)
        # Outside a transaction a read may be asked twice. So a connection that was lost meanwhile, or doesn't know the
        # statement (any more), is found by asking, and isn't asked for its health first.
        connection.health_check_done = True  # type: ignore[attr-defined]  # the stubs don't know it
        try:
            return self._rows(values)
        except (OperationalError, InterfaceError, ProgrammingError, NotSupportedError):
            connection.close()
            return self._rows(values)

    def _rows(self, values: Sequence[Any]) -> Sequence[Sequence[Any]]:
        if connection.vendor not in self._written:
            self._written[connection.vendor] = self._write()
        written = self._written[connection.vendor]
        with connection.cursor() as cursor:
            written.statement.execute(cursor, [values[which] for which in written.order])
            found = cursor.fetchall()
        if not written.converters:
            return found
        rows = [list(row) for row in found]
        for row in rows:
            for index, convert, expression in written.converters:
                row[index] = convert(row[index], expression, connection)
        return rows

    def _write(self) -> Written:
        compiler = self._query(*MARKS[: self._open]).query.get_compiler(connection=connection)
        sql, params = compiler.as_sql()
        marks = {str(mark): which for which, mark in enumerate(MARKS)}
        order = [marks[str(param)] for param in params if str(param) in marks]
        # What is the same for all values stands in the text, so that the plan can count on it (a partial index).
        sql = sql % tuple(PLACE if str(param) in marks else _literal(param) for param in params)
        sql = sql.replace("%", "%%").replace(PLACE, "%s")
        converters = [
            (index, convert, expression)
            for index, (converts, expression) in compiler.get_converters(
                [column for column, _sql, _alias in compiler.select]
            ).items()
            for convert in converts
        ]
        return Written(Statement(sql), order, converters, compiler)


def _literal(param: Any) -> str:
    """A plain text, number or span of time as it stands in SQL; our own code wrote it, no visitor."""
    if isinstance(param, int):
        return str(int(param))
    if isinstance(param, timedelta):
        return f"interval '{param.total_seconds()} seconds'"
    if isinstance(param, str) and param.replace("_", "").isalnum() | (param == ""):
        return f"'{param}'"
    raise ValueError(f"{param!r} can't be part of a prepared query")
