"""Reading the records of rows: through the one entrance of tenancy, without the secrets that nobody changes, and with what they point to."""

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any

from pbxadmin.common import many
from pbxadmin.common.columns import Column, Scope
from pbxadmin.common.crypto import is_secret
from pbxadmin.common.sections import Sheet
from users.road.sheets import chunks

# From so many records on what they point to is read once for all of them, rather than beside each.
MANY = 50


def records_of(
    sheet: Sheet, scope: Scope, columns: Iterable[Column], keys: Sequence[Any], by: str = "pk"
) -> dict[Any, Any]:
    """The records with these keys that the scope's actor sees in its customer, by key; or by another attribute that names them.

    Secrets that nobody is about to change stay in the database, and what many records point to is made once for all.
    """
    manager: Any = sheet.model._default_manager
    planned = {column.name for column in columns}
    rows = (
        manager.visible_to(scope.actor)
        .of(scope.customer)
        .defer(*_secrets_of(sheet.model, planned))
        .order_by()
    )
    return {
        getattr(record, by): record
        for part in chunks(keys)
        for record in with_related(rows.filter(**{f"{by}__in": part}), len(part), sheet.related)
    }


def with_related(rows: Any, count: int, paths: Sequence[str]) -> list[Any]:
    """The records of a query, about `count` of them, with what they point to: read beside each, or once for all where they are many."""
    if count < MANY:
        return list(rows.select_related(*paths))
    found = many.records(rows)
    for path in paths:
        share(found, path)
    return found


def _secrets_of(model: Any, planned: Container[str] = ()) -> list[str]:
    return [
        each.attname for each in model._meta.concrete_fields if is_secret(each) and each.name not in planned
    ]


def share(records: Sequence[Any], path: str, known: Mapping[Any, Mapping[Any, Any]] | None = None) -> None:
    """Read what records point to ("user__role") in one query for each step, and let them share it.

    `known` {model: {key: record}} are read already.
    """
    name, _separator, rest = path.partition("__")
    asking = [record for record in records if not record._meta.get_field(name).is_cached(record)]
    for model in {type(record) for record in asking}:
        reference = model._meta.get_field(name)
        keys = {getattr(record, reference.attname) for record in asking} - {None}
        other = reference.related_model
        found = dict((known or {}).get(other, {}))
        if missing := keys - found.keys():
            found |= other._base_manager.defer(*_secrets_of(other)).in_bulk(missing)
        for record in asking:
            reference.set_cached_value(record, found.get(getattr(record, reference.attname)))
    if rest and (further := [each for record in records if (each := getattr(record, name)) is not None]):
        share(list({each.pk: each for each in further}.values()), rest)
