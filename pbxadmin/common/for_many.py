"""Several records in one form: what each has, and what they have in common."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from pbxadmin.common.columns import Column, FieldColumn, Scope
from pbxadmin.common.references import Store


class Various:
    """What stands for a value where records differ; there is one of it, `VARIOUS`."""

    def __str__(self) -> str:
        return _("Various values")

    def __repr__(self) -> str:
        return "VARIOUS"


VARIOUS = Various()

# The boxes "change this" of a form for many: one name, the columns are its values.
CHANGE = "_change"


def values_of(columns: Sequence[Column], records: Sequence[Any], scope: Scope) -> dict[Any, dict[str, Any]]:
    """What each record has: {primary key: {column: value}}, with one query for each store. Secrets aren't read."""
    found: dict[Any, dict[str, Any]] = {record.pk: {} for record in records}
    of_stores: dict[int, tuple[Store, list[str]]] = {}
    for column in columns:
        if column.secret:
            continue
        if isinstance(column, FieldColumn):
            for record in records:
                found[record.pk][column.name] = column.read(record)
            continue
        store: Store = column.store  # type: ignore[attr-defined]  # what isn't in the record's own row is in one
        of_stores.setdefault(id(store), (store, []))[1].append(column.name)
    for store, names in of_stores.values():
        for key, values in store.values(records, scope).items():
            found[key] |= {name: values[name] for name in names if name in values}
    return found


def shared(values: Mapping[Any, Mapping[str, Any]]) -> dict[str, Any]:
    """The value of each column that all records have, or `VARIOUS` where they differ, or where not all of them have one."""
    first, *others = values.values() or ({},)
    names = list(dict.fromkeys(name for each in values.values() for name in each))
    return {
        name: first[name]
        if name in first and all(name in other and other[name] == first[name] for other in others)
        else VARIOUS
        for name in names
    }
