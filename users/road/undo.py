"""Taking an operation back: the old values, through the same checks as any edit, unless the world has moved on."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from pbxadmin.common.http import RequestFacts
from users import road
from users.models import Change, Customer, Operation, User


class NotUndoableError(Exception):
    """Why an operation can't be taken back, as a sentence in the reader's language."""


def plan_undo(actor: User, customer: Customer, operation: Operation) -> list[road.Plan]:
    """What taking `operation` back would change: one plan for each kind of row. Nothing is written.

    A row whose value isn't any more what the operation left is refused, naming the column: somebody has decided anew.
    Raises `NotUndoableError` where there is nothing to go back to: creations, deletions, secrets, and what was undone already.
    """
    if operation.kind != Operation.Kind.EDIT:
        raise NotUndoableError(_("Only edits can be undone, not creations or deletions."))
    if operation.undone_by.exists():
        raise NotUndoableError(_("This change was already undone."))
    if operation.jobs.open().exists():
        raise NotUndoableError(_("A job is still at it: wait until it is over, or cancel it first."))
    by_sheet: dict[str, list[Change]] = defaultdict(list)
    for change in operation.changes.order_by("id"):
        by_sheet[change.model].append(change)
    if any(change.kind != Operation.Kind.EDIT for found in by_sheet.values() for change in found):
        raise NotUndoableError(_("Only edits can be undone, not creations or deletions."))
    plans = []
    # What was written last is taken back first: a phone leaves somebody before they are what they were.
    for label, found in reversed(by_sheet.items()):
        sheet = road.SHEETS[label]
        if any(
            sheet.columns[cell["column"]].secret
            for change in found
            for cell in change.cells
            if cell["column"] in sheet.columns
        ):
            raise NotUndoableError(
                _("A secret was changed: the old one isn't kept anywhere and can't be restored.")
            )
        names = {change.object_pk: change.object_name for change in found}
        cells = _over_all(found)
        rows = [
            road.Row(key, {name: old for name, (old, _new) in of_one.items()}, label=names[key])
            for key, of_one in cells.items()
        ]
        plan = road.plan(actor, customer, sheet, rows)
        for row in plan.rows:
            for name, (_old, new) in cells[row.key].items():
                column = sheet.columns.get(name)
                if row.record is None or column is None:
                    continue
                now = row.before.get(column.name)
                if column.to_json(now) != new:
                    row.refuse(
                        column.name,
                        _("It was changed again since: it is now “%(now)s”.")
                        % {"now": column.show(now, plan.scope)},
                    )
        plans.append(plan)
    return plans


def _over_all(found: Sequence[Change]) -> dict[Any, dict[str, tuple[Any, Any]]]:
    """{record: {column: (first old, last new value)}}: an operation may have changed a record more than once."""
    cells: dict[Any, dict[str, tuple[Any, Any]]] = {}
    for change in found:
        of_one = cells.setdefault(change.object_pk, {})
        for cell in change.cells:
            old, _new = of_one.get(cell["column"], (cell["old"], None))
            of_one[cell["column"]] = (old, cell["new"])
    return cells


def undo(actor: User, customer: Customer, operation: Operation, facts: RequestFacts) -> Operation | None:
    """Take `operation` back, all of it or nothing. Raises `NotUndoableError` with every reason in one sentence."""
    with transaction.atomic():
        # Two who undo at once: the second one waits here and is told that it was undone already.
        Customer.objects.select_for_update().only("pk").get(pk=customer.pk)
        plans = plan_undo(actor, customer, operation)
        if reasons := [sentence for plan in plans for sentence in plan.sentences]:
            raise NotUndoableError(" ".join(reasons[:5]))
        try:
            return road.apply_all(plans, facts, reason=f"undo {operation.pk}", undoes=operation)
        except road.RefusedError:
            reasons = [sentence for plan in plans for sentence in plan.sentences]
            raise NotUndoableError(" ".join(reasons[:5])) from None
