"""What somebody else changed of a record in between, from the history."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pbxadmin.common.columns import Column, Scope
from users.models import Change


@dataclass(frozen=True)
class Meanwhile:
    """What others changed of a record since a version: per column the value before them, and the last who did it."""

    before: dict[str, Any]
    after: dict[str, str]  # in words
    who: str


def changed_since(
    record: Any, sheet_label: str, version: int, columns: Mapping[str, Column], scope: Scope
) -> Meanwhile:
    """Everything that the history knows of `record` after `version`, for these columns."""
    found = (
        Change.objects.filter(model=sheet_label, object_pk=record.pk, version__gt=version)
        .select_related("operation")
        .order_by("id")
    )
    before: dict[str, Any] = {}
    after: dict[str, str] = {}
    who: list[str] = []
    for change in found:
        for cell in change.cells:
            column = columns.get(cell["column"])
            if column is None:
                continue
            before.setdefault(column.name, cell["old"])
            after[column.name] = shown(cell, "new", column, scope)
            if change.operation.actor_name not in who:
                who.append(change.operation.actor_name)
    return Meanwhile(before, after, ", ".join(who))


def shown(cell: Mapping[str, Any], which: str, column: Column | None, scope: Scope | None = None) -> str:
    """A value of the history in words, in the reader's language; "" for a blank one.

    Other rows are called what they were called then, unless that differs by language.
    """
    value = cell.get(which)
    if value in (None, "", []):
        return ""
    label = cell.get(f"{which}_label")
    if column is None or column.secret:
        return str(label or value)
    if label and not (column.translated and scope):
        return str(label)
    if referred := cell.get(f"{which}_ref"):
        return column.show_named(value, referred[1], scope)
    return column.show(column.of_json(value), scope)
