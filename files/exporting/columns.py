"""Many records as cells, column by column: what a value is in a file is worked out once for all records that have it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from django.db.models import QuerySet

from files.reading.spreadsheets import protected
from pbxadmin.common.columns import Column, FieldColumn, Scope
from pbxadmin.common.references import Store

# So many texts of one column are remembered: names and addresses are another one in each row.
REMEMBERED = 10_000


class _Texts(dict[Any, str]):
    """The cell of each value of a column, so that no spreadsheet runs it."""

    def __init__(self, column: Column, scope: Scope) -> None:
        super().__init__()
        self.column = column
        self.scope = scope

    def __missing__(self, value: Any) -> str:
        if len(self) >= REMEMBERED:
            self.clear()
        self[value] = text = protected(self.column.to_cell(value, self.scope))
        return text


class Of(NamedTuple):
    """A record of which a store needs to know no more than which one it is."""

    pk: Any


class Cells:
    """The cells of records in some columns, a part of the records at a time; secrets have none."""

    def __init__(self, columns: Mapping[str, Column], scope: Scope) -> None:
        """`columns` {name in the file: column}."""
        plain = {name: column for name, column in columns.items() if not column.secret}
        self._texts = {name: _Texts(column, scope) for name, column in plain.items()}
        self._fields = {name: column for name, column in plain.items() if isinstance(column, FieldColumn)}
        self._stores: dict[int, tuple[Store, list[tuple[str, str]]]] = {}
        for name, column in plain.items():
            if name not in self._fields:
                store: Store = column.store  # type: ignore[attr-defined]  # what isn't in the record's own row is in one
                self._stores.setdefault(id(store), (store, []))[1].append((name, column.name))

    def read(self, records: QuerySet[Any], *further: str) -> dict[Any, Sequence[Any]]:
        """The records' own rows by key, each with the `further` attributes in front: one query, and no more of a row than is needed."""
        attributes = [column.attribute for column in self._fields.values()]
        return {key: rest for key, *rest in records.values_list("pk", *further, *attributes)}

    def of(
        self, keys: Sequence[Any], rows: Mapping[Any, Sequence[Any]], further: int = 0
    ) -> dict[str, list[str]]:
        """{name: the cells of these records, in their order}, with one query for each store; `rows` as `read` gives them."""
        found: dict[str, list[str]] = {}
        by_column = list(zip(*(rows[key] for key in keys), strict=True))[further:]
        for name, column in zip(self._fields, by_column, strict=bool(keys)):
            found[name] = list(map(self._texts[name].__getitem__, column))
        for store, names in self._stores.values():
            kept = store.load([Of(key) for key in keys])
            for name, own_name in names:
                texts = self._texts[name]
                found[name] = [
                    texts[values[own_name]] if own_name in (values := kept.get(key, {})) else ""
                    for key in keys
                ]
        return found


def in_order(names: Sequence[str], cells: Mapping[str, Sequence[str]], count: int) -> Iterator[list[str]]:
    """Rows of `count` records from their cells by name; a column that nobody has filled is empty."""
    empty: Sequence[str] = [""] * count
    columns: Iterable[Sequence[str]] = (cells.get(name, empty) for name in names)
    return map(list, zip(*columns, strict=True))
