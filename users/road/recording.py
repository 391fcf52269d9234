"""The history, written by the road itself: one operation with a row for every record that changed."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pbxadmin.common import many
from pbxadmin.common.columns import Column, Scope
from pbxadmin.common.crypto import MASK
from pbxadmin.common.http import RequestFacts
from pbxadmin.common.sections import Sheet
from users.models import Change, Customer, Mention, Operation, User
from users.models.history import numbers_in
from users.road.rows import RowPlan
from users.road.sheets import chunks

Kind = Operation.Kind


# So many texts of a column are remembered: what more rows than that have of their own hardly comes again.
REMEMBERED = 2_000
# What the history leaves out of a new record: nobody said anything there.
NOTHING_SAID = (None, "", (), False)


def write_history(operation: Operation, sheet: Sheet, scope: Scope, rows: Sequence[RowPlan]) -> None:
    """Write a row of the history for each planned row that was written, all of them at once."""
    cells = Cells(sheet, scope)
    cells.look_up(rows)
    folded: Any = Change._meta.get_field("search_text")
    for part in chunks(rows, many.PART):
        names = [str(row.record)[:160] for row in part]
        texts = cells.of_all(part)
        about = [getattr(sheet.subject(row.record), "pk", None) for row in part]
        many.insert(
            Change,
            {
                "operation_id": many.Same(operation.pk),
                "model": many.Same(sheet.label),
                "object_pk": [row.key for row in part],
                "object_name": names,
                "search_text": [folded.kept(name) for name in names],
                "subject_pk": about,
                "former_subject_pk": [
                    row.subject if row.subject != subject and not row.new else None
                    for row, subject in zip(part, about, strict=True)
                ],
                "kind": [Kind.CREATE.value if row.new else Kind.EDIT.value for row in part],
                "version": [row.record.version for row in part],
                "cells": texts,
                "numbers": [numbers_in(text) for text in texts],
            },
            len(part),
        )
    changes = ((row.key, row.new, row.changes) for row in rows)
    write_mentions(operation, sheet, changes)


def write_mentions(
    operation: Operation, sheet: Sheet, changes: Iterable[tuple[Any, bool, Mapping[str, tuple[Any, Any]]]]
) -> None:
    """Note of which other records the changes of these speak: (key, whether it is new, what changed) of each.

    Somebody new is no news of their department; that they have a number is news of the number.
    """
    columns = {name: column for name, column in sheet.columns.items() if column.speaks_of}
    if not columns:
        return
    found: dict[tuple[str, Any, Any], None] = {}
    for key, new, changed_columns in changes:
        for name in columns.keys() & changed_columns.keys():
            column = columns[name]
            if not new or column.identity:
                old, now = (_keys(value) for value in changed_columns[name])
                found |= dict.fromkeys((column.speaks_of, other, key) for other in old ^ now)
    spoken_of = list(found)
    many.insert(
        Mention,
        {
            "operation_id": many.Same(operation.pk),
            "model": [model for model, _other, _key in spoken_of],
            "object_pk": [other for _model, other, _key in spoken_of],
            "by_model": many.Same(sheet.label),
            "by_pk": [key for _model, _other, key in spoken_of],
        },
        len(spoken_of),
    )


def _keys(value: Any) -> set[Any]:
    """The keys in a value: of one row, or of several."""
    values = value if isinstance(value, (tuple, list, set, frozenset)) else (value,)
    return {each for each in values if isinstance(each, int)}


class Cells:
    """The cells of history rows as JSON: what a column says of an old and a new value is worked out once for all rows."""

    def __init__(self, sheet: Sheet, scope: Scope) -> None:
        self.sheet = sheet
        self.scope = scope
        self.known: dict[str, dict[Any, str]] = {name: {} for name in sheet.columns}
        self.said: dict[str, dict[Any, str]] = {name: {} for name in sheet.columns}  # by new records

    def look_up(self, rows: Sequence[RowPlan]) -> None:
        """Ask at once for the rows that values name, by their number or by their key."""
        for name, column in self.sheet.columns.items():
            names_rows = column.by_number or hasattr(column, "options")
            if names_rows and (touched := [row.changes[name] for row in rows if name in row.changes]):
                column.look_up([value for pair in touched for value in pair], self.scope)

    def of_all(self, rows: Sequence[RowPlan]) -> list[many.Json]:
        """The cells of each row: `[{"column": …, "old": …, "new": …}, …]`."""
        return [
            many.Json(f"[{', '.join(self._of_new(row) if row.new else self._of_changed(row))}]")
            for row in rows
        ]

    def _of_new(self, row: RowPlan) -> list[str]:
        texts = []
        for name, value in row.after.items():
            said = self.said[name]
            key = (value, value.__class__)
            try:
                text = said.get(key)
            except TypeError:
                texts.append(self._text(name, (None, value)))
                continue
            if text is None:
                text = "" if value in NOTHING_SAID else self._text(name, (None, value))
                if len(said) < REMEMBERED:
                    said[key] = text
            if text:
                texts.append(text)
        return texts

    def _of_changed(self, row: RowPlan) -> list[str]:
        texts = []
        for name, pair in row.changes.items():
            known = self.known[name]
            # True is 1 to a dictionary, and "0" is no key of a tuple: the kind of value belongs to what is remembered.
            key = (*pair, pair[1].__class__, pair[0].__class__)
            try:
                text = known.get(key)
            except TypeError:
                texts.append(self._text(name, pair))
                continue
            if text is None:
                text = self._text(name, pair)
                if len(known) < REMEMBERED:
                    known[key] = text
            texts.append(text)
        return texts

    def _text(self, name: str, pair: tuple[Any, Any]) -> str:
        return json.dumps(cell_of(self.sheet.columns[name], self.scope, *pair))


def cell_of(column: Column, scope: Scope, old: Any, new: Any) -> dict[str, Any]:
    if column.secret:
        return {"column": column.name, "old": MASK if old else "", "new": MASK if new else ""}
    cell = {"column": column.name, "old": column.to_json(old), "new": column.to_json(new)}
    if hasattr(column, "options"):
        # The other row may be renamed or gone when somebody reads this.
        cell |= {"old_label": column.show(old, scope), "new_label": column.show(new, scope)}
    if column.by_number:
        referred = {"old_ref": column.referred(old, scope), "new_ref": column.referred(new, scope)}
        cell |= {name: list(found) for name, found in referred.items() if found}
    return cell


def change_of(sheet: Sheet, record: Any, kind: str, cells: list[dict[str, Any]]) -> Change:
    """A history row about `record`, not yet saved."""
    return Change(
        model=sheet.label,
        object_pk=record.pk,
        object_name=str(record)[:160],
        kind=kind,
        version=record.version,
        cells=cells,
        numbers=numbers_in(json.dumps(cells)),
        subject_pk=getattr(sheet.subject(record), "pk", None),
    )


def record_operation(
    actor: User | None,
    customer: Customer | None,
    kind: str,
    facts: RequestFacts,
    reason: str,
    changes: Sequence[Change] = (),
    undoes: Operation | None = None,
    into: Operation | None = None,
) -> Operation:
    """Write an operation with its rows into the history. Inside the caller's transaction.

    Also for what changes no column but must be remembered: a restart sent, a secret shown. With `into` the rows are added to
    an operation that is there: work in several transactions reads, and is taken back, as one.
    """
    operation = into or Operation.objects.create(
        kind=kind,
        customer=customer,
        actor_pk=actor.pk if actor else None,
        actor_name=str(actor)[:160] if actor else "pbxadmin",
        source=facts.source,
        address=facts.address,
        request_id=facts.request_id,
        reason=reason[:200],
        note=facts.note,
        undoes=undoes,
    )
    for change in changes:
        change.operation = operation
    Change.objects.bulk_create(changes, batch_size=2_000)
    return operation
