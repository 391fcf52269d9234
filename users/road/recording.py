"""The history, written by the road itself: one operation with a row for every record that changed."""

from collections.abc import Sequence
from typing import Any

from pbxadmin.common.columns import Column, Scope
from pbxadmin.common.crypto import MASK
from pbxadmin.common.http import RequestFacts
from pbxadmin.common.sections import Sheet
from users.models import Change, Customer, Operation, User
from users.road.planning import RowPlan

Kind = Operation.Kind


def history_row(sheet: Sheet, scope: Scope, row: RowPlan) -> Change:
    cells = []
    for name, (old, new) in row.changes.items():
        column = sheet.columns[name]
        if row.new and new in (None, "", (), False):
            continue
        cells.append(cell_of(column, scope, old, new))
    change = change_of(sheet, row.record, Kind.CREATE if row.new else Kind.EDIT, cells)
    if row.subject != change.subject_pk:
        change.former_subject_pk = row.subject
    return change


def cell_of(column: Column, scope: Scope, old: Any, new: Any) -> dict[str, Any]:
    if column.secret:
        return {"column": column.name, "old": MASK if old else "", "new": MASK if new else ""}
    cell = {"column": column.name, "old": column.to_json(old), "new": column.to_json(new)}
    if hasattr(column, "options"):
        # The other row may be renamed or gone when somebody reads this.
        cell |= {"old_label": column.show(old, scope), "new_label": column.show(new, scope)}
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
        undoes=undoes,
    )
    for change in changes:
        change.operation = operation
    Change.objects.bulk_create(changes, batch_size=2_000)
    return operation
