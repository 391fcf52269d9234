"""Statements that are asked thousands of times a minute: written once, and planned once for each connection.

Django writes the SQL of a query anew whenever it is asked, and PostgreSQL plans it anew: for a row joined with four others
that costs several times what finding the row does. The values are the same rows as ever; nothing is remembered of them.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from weakref import WeakSet

from django.db import InterfaceError, NotSupportedError, OperationalError, ProgrammingError, connection
from django.db.models import QuerySet
from django.db.models.query import get_related_populators

# A value that nothing else in a query is, and where it stands in the text until that is whole.
MARK = 987654321987654321
PLACE = "\0"


class Statement:
    """One SQL statement, with `%s` for each of its values; on PostgreSQL each connection plans it at its first use."""

    def __init__(self, sql: str) -> None:
        self.sql = sql
        self._name = f"pbxadmin_{hashlib.sha256(sql.encode()).hexdigest()[:16]}"
        self._planned: WeakSet[Any] = WeakSet()

    def execute(self, cursor: Any, values: Sequence[Any]) -> None:
        """Run it for `values`."""
        if not _can_prepare():
            cursor.execute(self.sql, values)
            return
        # What the server has planned belongs to its session: a new connection begins without.
        if connection.connection not in self._planned:
            marks = tuple(f"${number}" for number in range(1, self.sql.count("%s") + 1))
            cursor.execute(f"PREPARE {self._name} AS {self.sql % marks}")
            self._planned.add(connection.connection)
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
    places: int  # how often the statement asks for the value
    converters: list[tuple[int, Any, Any]]  # of a column: its place, what converts it, and its expression
    compiler: Any  # Django's, which knows where a row holds what of which record


class Prepared:
    """A query of the ORM with one value left open, written and planned once."""

    def __init__(self, query: "Callable[[Any], QuerySet]") -> None:
        self._query = query
        self._written: dict[str, Written] = {}

    def records(self, value: Any) -> Iterator[Any]:
        """The records for `value`, with what `select_related` and `annotate` of the query add to each."""
        rows = self(value)
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

    def __call__(self, value: Any) -> Sequence[Sequence[Any]]:
        """The rows for `value`, their columns in the order of the query's `values_list`."""
        if connection.in_atomic_block:
            return self._rows(value)
        # Outside a transaction a read may be asked twice. So a connection that was lost meanwhile, or doesn't know the
        # statement (any more), is found by asking, and isn't asked for its health first.
        connection.health_check_done = True  # type: ignore[attr-defined]  # the stubs don't know it
        try:
            return self._rows(value)
        except (OperationalError, InterfaceError, ProgrammingError, NotSupportedError):
            connection.close()
            return self._rows(value)

    def _rows(self, value: Any) -> Sequence[Sequence[Any]]:
        if connection.vendor not in self._written:
            self._written[connection.vendor] = self._write()
        written = self._written[connection.vendor]
        with connection.cursor() as cursor:
            written.statement.execute(cursor, [value] * written.places)
            found = cursor.fetchall()
        if not written.converters:
            return found
        rows = [list(row) for row in found]
        for row in rows:
            for index, convert, expression in written.converters:
                row[index] = convert(row[index], expression, connection)
        return rows

    def _write(self) -> Written:
        compiler = self._query(MARK).query.get_compiler(connection=connection)
        sql, params = compiler.as_sql()
        # What is the same for every value stands in the text, so that the plan can count on it (a partial index).
        sql = sql % tuple(PLACE if str(param) == str(MARK) else _literal(param) for param in params)
        sql = sql.replace("%", "%%").replace(PLACE, "%s")
        converters = [
            (index, convert, expression)
            for index, (converts, expression) in compiler.get_converters(
                [column for column, _sql, _alias in compiler.select]
            ).items()
            for convert in converts
        ]
        return Written(Statement(sql), sql.count("%s"), converters, compiler)


def _literal(param: Any) -> str:
    """A plain text, number or span of time as it stands in SQL; our own code wrote it, no visitor."""
    if isinstance(param, int):
        return str(int(param))
    if isinstance(param, timedelta):
        return f"interval '{param.total_seconds()} seconds'"
    if isinstance(param, str) and param.replace("_", "").isalnum() | (param == ""):
        return f"'{param}'"
    raise ValueError(f"{param!r} can't be part of a prepared query")
