"""What somebody else changed of a record in between, from the history."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from pbxadmin.common.columns import Column, Scope
from users.models import Change, Operation


@dataclass(frozen=True)
class Meanwhile:
    """What was changed of a record since a version, by others or in another window: per column the value before, the one after in words, and who
    changed it last; `who` is everybody who changed any."""

    before: dict[str, Any]
    after: dict[str, str]
    by: dict[str, str]

    @property
    def who(self) -> str:
        """Their names."""
        return ", ".join(dict.fromkeys(self.by.values()))


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
    by: dict[str, str] = {}
    for change in found:
        for cell in change.cells:
            column = columns.get(cell["column"])
            if column is None:
                continue
            before.setdefault(column.name, cell["old"])
            after[column.name] = shown(cell, "new", column, scope)
            by[column.name] = _actor(change.operation, scope)
    return Meanwhile(before, after, by)


def _actor(operation: Operation, scope: Scope) -> str:
    """Who did it; the reader themself, where they have the page open twice, is told so."""
    name = operation.actor_name
    if scope.actor is None or operation.actor_pk != scope.actor.pk:
        return name
    return _("%(name)s (you, in another window)") % {"name": name}


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
