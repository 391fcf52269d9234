"""Taking an operation back: the old values, through the same checks as any edit, unless the world has moved on."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from pbxadmin.common.columns import Column, Scope
from pbxadmin.common.http import RequestFacts
from pbxadmin.common.references import LinkedColumn
from pbxadmin.common.sections import Sheet
from users import road
from users.models import Change, Customer, Operation, User
from users.road.meanwhile import shown


class NotUndoableError(Exception):
    """Why an operation can't be taken back, as a sentence in the reader's language."""


def plan_undo(actor: User, customer: Customer | None, operation: Operation) -> list[road.Plan]:
    """What taking `operation` back would change: one plan for each kind of row. Nothing is written.

    A row whose value isn't any more what the operation left is refused, naming the column: somebody has decided anew.
    Raises `NotUndoableError` where there is nothing to go back to: creations, deletions, secrets, and what was undone already.
    What was created in the course of a change (the person who replaces another) goes again: `plan_removals`.
    """
    if operation.kind != Operation.Kind.EDIT:
        raise NotUndoableError(_("Only edits can be undone, not creations or deletions."))
    if operation.undone_by.exists():
        raise NotUndoableError(_("This change was already undone."))
    if operation.jobs.open().exists():
        raise NotUndoableError(_("A job is still at it: wait until it is over, or cancel it first."))
    changes = list(operation.changes.order_by("id"))
    if any(change.kind not in (Operation.Kind.EDIT, Operation.Kind.CREATE) for change in changes):
        raise NotUndoableError(_("Only edits can be undone, not creations or deletions."))
    created = _created(changes)
    by_sheet: dict[str, list[Change]] = defaultdict(list)
    for change in changes:
        by_sheet[change.model].append(change)
    plans: list[road.Plan] = []
    # What was written last is taken back first: a phone leaves somebody before they are what they were.
    for label, found in reversed(by_sheet.items()):
        sheet = road.SHEETS[label]
        if any(
            sheet.columns[cell["column"]].secret
            for change in found
            for cell in change.cells
            if cell["column"] in sheet.columns and (label, change.object_pk) not in created
        ):
            raise NotUndoableError(
                _("A secret was changed: the old one isn't kept anywhere and can't be restored.")
            )
        names = {change.object_pk: change.object_name for change in found}
        cells = _over_all(found)
        for key in cells:
            if (label, key) in created:
                cells[key] = _held_alone(sheet, cells[key])
        rows = [
            road.Row(key, {name: cell["old"] for name, cell in of_one.items()}, label=names[key])
            for key, of_one in cells.items()
        ]
        plan = road.plan(actor, customer, sheet, rows, scope=coming_back(Scope(actor, customer), plans))
        for name, numbered in sheet.columns.items():
            if numbered.by_number:
                meant = [of_one[name] for of_one in cells.values() if name in of_one]
                numbered.look_up([cell[which] for cell in meant for which in ("old", "new")], plan.scope)
        for row in plan.rows:
            for name, cell in cells[row.key].items():
                column = sheet.columns.get(name)
                if row.record is None or column is None:
                    continue
                if column.refers and name in row.errors and name not in row.after:
                    # It couldn't be read: what it named is gone, and of that the history alone knows what it was called.
                    row.errors[name] = []
                    row.refuse(
                        name,
                        _("It was “%(then)s”, and not all of that is still there: choose again.")
                        % {"then": shown(cell, "old", column, plan.scope)},
                    )
                    continue
                now = row.before.get(column.name)
                if column.to_json(now) != cell["new"] or _leads_to_another(column, cell, "new", plan.scope):
                    row.refuse(
                        column.name,
                        _("It was changed again since: it is now “%(now)s”.")
                        % {"now": column.show(now, plan.scope)},
                    )
                elif _leads_to_another(column, cell, "old", plan.scope):
                    row.refuse(
                        column.name,
                        _(
                            "It led to %(then)s, whose number is somebody else's now: %(now)s. Choose a destination."
                        )
                        % {"then": cell["old_ref"][1], "now": column.show(cell["old"], plan.scope)},
                    )
        plans.append(plan)
    return plans


def coming_back(scope: Scope, plans: Sequence[road.Plan]) -> Scope:
    """`scope`, in which the options of references know what these plans, which are written first, put back into its list."""
    for plan in plans:
        if name := plan.sheet.taken_out:
            keys = {
                row.key for row in plan.having("changed") if name in row.after and row.after[name] is None
            }
            scope.found["back", plan.sheet.label] = keys
    return scope


def _created(changes: Sequence[Change]) -> set[tuple[str, Any]]:
    """The records that an operation created, by sheet and key."""
    return {(change.model, change.object_pk) for change in changes if change.kind == Operation.Kind.CREATE}


def _held_alone(sheet: Sheet, cells: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """What a record that goes again gives back first, because nobody else can have it meanwhile: a person's DID numbers."""
    found: dict[str, dict[str, Any]] = {}
    for name, cell in cells.items():
        column = sheet.columns.get(name)
        if isinstance(column, LinkedColumn) and column.identity:
            found[name] = cell | {"old": []}
    return found


def plan_removals(actor: User, customer: Customer | None, operation: Operation) -> list[road.Removal]:
    """What `operation` created in the course of its changes: taking it back deletes it again. Nothing is written.

    What was changed since is refused: it isn't only the operation's any more. What leads there isn't asked about: it is taken
    back before.
    """
    changes = list(operation.changes.order_by("id"))
    versions: dict[str, dict[Any, int]] = defaultdict(dict)
    for label, key in _created(changes):
        versions[label][key] = max(
            change.version for change in changes if (change.model, change.object_pk) == (label, key)
        )
    removals = []
    for label, known in versions.items():
        removal = road.plan_removal(actor, customer, road.SHEETS[label], known)
        removal.refusals = {
            record.pk: str(refusal)
            for record in removal.records
            if (refusal := road.why_not(removal.sheet, removal.scope, removal.verb, record))
        }
        for record in removal.records:
            if record.version != known[record.pk]:
                removal.refusals.setdefault(record.pk, _("It was changed again since: delete it by itself."))
        removals.append(removal)
    return removals


def _leads_to_another(column: Column, cell: Mapping[str, Any], which: str, scope: Scope) -> bool:
    """Whether the number in a value of the history belongs to another row now than to the one that was meant."""
    meant = cell.get(f"{which}_ref")
    found = column.referred(cell[which], scope) if meant else None
    return bool(meant and found and found[0] != meant[0])


def _over_all(found: Sequence[Change]) -> dict[Any, dict[str, dict[str, Any]]]:
    """{record: {column: cell, from the first old to the last new value}}: an operation may have changed a record more than once."""
    cells: dict[Any, dict[str, dict[str, Any]]] = {}
    for change in found:
        of_one = cells.setdefault(change.object_pk, {})
        for cell in change.cells:
            first = of_one.get(cell["column"], cell)
            of_one[cell["column"]] = {
                **{name: value for name, value in first.items() if name.startswith("old")},
                **{name: value for name, value in cell.items() if name.startswith("new")},
            }
    return cells


def undo(
    actor: User, customer: Customer | None, operation: Operation, facts: RequestFacts
) -> Operation | None:
    """Take `operation` back, all of it or nothing. Raises `NotUndoableError` with every reason in one sentence."""
    with transaction.atomic():
        # Two who undo at once: the second one waits here and is told that it was undone already.
        if customer is None:
            road.hold_the_provider()
        else:
            Customer.objects.select_for_update().only("pk").get(pk=customer.pk)
        plans = plan_undo(actor, customer, operation)
        removals = plan_removals(actor, customer, operation)
        if reasons := _reasons(plans, removals):
            raise NotUndoableError(reasons)
        reason = f"undo {operation.pk}"
        try:
            undone = road.apply_all(plans, facts, reason=reason, undoes=operation)
            # Planned anew: nothing leads to them any more.
            removals = [
                road.plan_removal(actor, customer, each.sheet, [record.pk for record in each.records])
                for each in removals
            ]
            for removal in removals:
                undone = road.remove(removal, facts, reason, into=undone)
        except road.RefusedError:
            raise NotUndoableError(_reasons(plans, removals)) from None
        return undone


def _reasons(plans: Sequence[road.Plan], removals: Sequence[road.Removal]) -> str:
    """Why it can't be, in the first five sentences; "" where it can."""
    sentences = [
        *(sentence for plan in plans for sentence in plan.sentences),
        *(str(sentence) for removal in removals for sentence in removal.refusals.values()),
    ]
    return " ".join(sentences[:5])
