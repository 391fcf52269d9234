"""Who is meant: records by what people call them (an extension, a MAC, a name), for files and other callers that know no keys."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from django.core.exceptions import ValidationError

from pbxadmin.common.columns import Scope
from pbxadmin.common.fields import OneLineField
from pbxadmin.common.sections import Sheet
from pbxadmin.common.values.signs import folded
from users.road.loading import records_of
from users.road.rows import Row


def find(sheet: Sheet, scope: Scope, values: Iterable[Any]) -> dict[Any, Any]:
    """The records with these values of the sheet's identity that the scope's actor sees in its customer: {value: record}.

    One query for each ten thousand of them. Values are clean ones (twelve digits of a MAC); names are compared without case,
    accents and blanks around them. A value that nothing has, or that is another customer's, isn't in the answer.
    """
    if not sheet.identity:
        raise ValueError(f"{sheet.label} has no identity")
    wanted = list(dict.fromkeys(value for value in values if value not in (None, "")))
    if not wanted:
        return {}
    field = sheet.model._meta.get_field(sheet.identity)
    if not isinstance(field, OneLineField):
        return records_of(sheet, scope, (), wanted, by=sheet.identity)
    # Names: few in a customer, and no database compares them as people do.
    manager: Any = sheet.model._default_manager
    names = (
        manager.visible_to(scope.actor).of(scope.customer).order_by("pk").values_list("pk", sheet.identity)
    )
    by_name: dict[str, Any] = {}
    for key, name in names:
        by_name.setdefault(folded(name.strip()), key)
    keys = {value: key for value in wanted if (key := by_name.get(folded(str(value).strip())))}
    records = records_of(sheet, scope, (), list(set(keys.values()))) if keys else {}
    return {value: records[key] for value, key in keys.items() if key in records}


def rows_of(sheet: Sheet, scope: Scope, rows: Sequence[Row]) -> list[Row]:
    """Rows that name their records by the sheet's identity, with the keys of those that there are; the others make new records.

    A row that has a key already stays as it is; one whose identity can't be read stays too, and the plan says what is wrong.
    """
    column = sheet.columns[sheet.identity]
    meant: dict[int, Any] = {}
    for place, row in enumerate(rows):
        if row.key is None and (raw := row.values.get(sheet.identity)) not in (None, ""):
            try:
                meant[place] = column.clean(column.as_typed(raw), scope)
            except ValidationError:
                continue
    found = find(sheet, scope, meant.values())
    return [
        replace(row, key=found[meant[place]].pk) if meant.get(place) in found else row
        for place, row in enumerate(rows)
    ]
