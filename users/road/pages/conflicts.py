"""Two people in one form: what stands in a tab now, and how what one typed meets what the other has saved."""

from collections.abc import Callable, Mapping
from typing import Any

from django.http import QueryDict

from pbxadmin.common.columns import Column, Scope
from pbxadmin.common.forms import SectionForm
from pbxadmin.common.sections import Section, Sheet
from users import road
from users.road import meanwhile
from users.road.meanwhile import Meanwhile


def seen_version(data: QueryDict) -> int:
    """The version of the record that the sender of a form had before their eyes; 0, which is always old, for nonsense."""
    seen = data.get("seen", "")
    return int(seen) if seen.isascii() and seen.isdecimal() and len(seen) < 10 else 0


def values_of(section: Section, record: Any, scope: Scope | None = None) -> dict[str, Any]:
    """The values of a tab's columns, as its form shows them; a secret is never filled in.

    With the `scope` of a plan that follows, what other tables keep is read once for both.
    """
    values: dict[str, Any] = {}
    loaded: dict[int, Any] = {}
    for column in section.columns:
        if column.secret:
            continue
        store = getattr(column, "store", None)
        if store and id(store) not in loaded:
            found = store.values([record], scope) if scope else store.load([record])
            loaded[id(store)] = found[record.pk]
        values[column.name] = loaded[id(store)].get(column.name) if store else column.read(record)
    return values


def reconcile(
    sheet: Sheet,
    section: Section,
    record: Any,
    row: road.RowPlan,
    seen: int,
    scope: Scope,
    data: QueryDict,
    make: Callable[[QueryDict, Mapping[str, Any]], SectionForm],
) -> tuple[SectionForm, Meanwhile]:
    """The form for somebody whom another one forestalled, and what that one changed since version `seen`.

    `record` is loaded anew; `make` makes its form of what is typed and of its present values. Where this person hadn't typed
    there are the other's values, where they had, their own; both are told.
    """
    columns = {column.name: column for column in section.columns}
    theirs = meanwhile.changed_since(record, sheet.label, seen, columns, scope)
    now = values_of(section, record)
    typed = data.copy()
    for name, column in columns.items():
        before = theirs.before.get(name, column.to_json(now.get(name)))
        # A secret is never read back into a form.
        if (
            name in now
            and name in theirs.before
            and name in row.after
            and column.to_json(row.after[name]) == before
        ):
            put(typed, column, scope, now[name])
    form = make(typed, now)
    form.show_errors({})
    form.theirs = dict(theirs.after)
    form.theirs_by = dict(theirs.by)
    return form, theirs


def put(data: QueryDict, column: Column, scope: Scope, value: Any) -> None:
    """Write a value into a form's data as a browser would send it."""
    if hasattr(column, "put"):
        column.put(data, value)
        return
    shown = column.form_field(scope).prepare_value(value)
    if isinstance(shown, bool):
        data.setlist(column.name, ["on"] if shown else [])
    elif isinstance(shown, (list, tuple)):
        data.setlist(column.name, [str(item) for item in shown])
    else:
        data[column.name] = "" if shown is None else str(shown)
