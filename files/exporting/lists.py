"""Departments, numbers, system extensions and phones in stock as rows of texts: the same columns that the import reads."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from django.db.models import QuerySet

from files.importing.lists import Records
from files.importing.numbers import RINGS
from files.importing.phones import FOLLOWS, ROUTER
from files.reading.spreadsheets import protected
from pbxadmin.common.columns import Scope
from pbxadmin.common.for_many import values_of
from phones import selectors
from phones.models import Phone
from phones.sites import routers
from users import road
from users.models import Did

CHUNK = 500


def rows(
    scope: Scope,
    records: Records[Any],
    wanted: QuerySet[Any],
    beside: Callable[[Any, Scope], Mapping[str, str]] | None = None,
) -> Iterator[list[str]]:
    """The cells of each record, in the order of `wanted`, none of which a spreadsheet would run; `beside` {column: cell} are those
    that no column of the record itself says."""
    columns = records.columns
    for keys in road.chunks(list(wanted.values_list("pk", flat=True)), CHUNK):
        found = road.records_of(records.sheet(), scope, (), keys)
        values = values_of(list(columns.values()), list(found.values()), scope)
        for key in keys:
            if key not in found:
                continue  # deleted since
            own = values[key]
            cells = {
                name: column.to_cell(own[column.name], scope)
                for name, column in columns.items()
                if column.name in own
            }
            cells |= beside(found[key], scope) if beside else {}
            yield [protected(cells.get(name, "")) for name in records.header]


def of_number(record: Did, scope: Scope) -> Mapping[str, str]:
    """Whom, or what, a number rings."""
    return {RINGS: record.answers.number if record.answers else ""}


def of_phone(record: Phone, scope: Scope) -> Mapping[str, str]:
    """Through which router a phone goes, and what follows from its model."""
    return {ROUTER: routers.cell_of(record, scope), FOLLOWS: selectors.template_of(record)}
