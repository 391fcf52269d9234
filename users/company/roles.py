"""Changing what a role may do, for all customers at once: the only thing that writes the roles, with its history.

A role is planned and judged by the road like everything else. Held and written it is here: the road's lock is the row of a
customer, its history a customer's, its keys are numbers and its conflicts versions. The seven roles belong to all customers,
are known by a word (in the history by a number), and have no version; one table of seven rows is no reason to make the road ask for
each of these. So taking a change back is here, too; and whom a change touches, which nobody sees on the role's form.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _

from pbxadmin.common.columns import Scope, Text
from pbxadmin.common.http import RequestFacts
from users import road
from users.company.sheets import role_sheet
from users.models import Change, Operation, Role, User
from users.rights import Verb
from users.road.undo import NotUndoableError

# Without one of these nobody administers (any more) whom they administered.
ADMINISTERING = ("administer_users", "whole_customer")
NAMED = 20


def plan(actor: User, role: Role, values: Mapping[str, Any]) -> road.Plan:
    """What changing a role would do; nothing is written. Support staff alone."""
    sheet, scope = role_sheet(), Scope(actor, None)
    columns = {name: column for name, column in sheet.columns.items() if name in values}
    row = road.RowPlan(key=role.pk, label=str(role), raw=values, record=role)
    row.before = {name: column.read(role) for name, column in columns.items()}
    row.refusal = str(road.why_not(sheet, scope, Verb.EDIT, role) or "")
    return road.judge(road.Plan(sheet, scope, columns, [row]))


@dataclass(frozen=True)
class Touched:
    """Whom a change of a role touches, and what it gives and takes."""

    people: int
    customers: int
    named: Sequence[User]  # the first of them, each with its customer
    gains: Sequence[Text]
    losses: Sequence[Text]
    unadministering: bool  # whether they no longer administer as they do

    @property
    def more(self) -> int:
        """How many aren't named."""
        return max(0, self.people - len(self.named))


def touched_by(made: road.Plan) -> Touched | None:
    """Whom a plan touches; None where it changes nobody's rights: names alone, or a role that nobody has."""
    row = made.rows[0]
    columns = made.sheet.columns
    rights_changed = {name: pair for name, pair in row.changes.items() if not name.startswith("name_")}
    if not rights_changed:
        return None
    people = User.objects.visible_to(made.scope.actor).filter(role=row.key).exclude(customer=None)
    counts = people.aggregate(people=Count("pk"), customers=Count("customer", distinct=True))
    if not counts["people"]:
        return None
    named = people.select_related("customer").only(
        "first_name", "last_name", "number", "customer__name", "customer__slug"
    )
    return Touched(
        people=counts["people"],
        customers=counts["customers"],
        named=list(named.order_by("customer__name", "customer", "number")[:NAMED]),
        gains=[columns[name].label for name, (_old, new) in rights_changed.items() if new is True],
        losses=[columns[name].label for name, (_old, new) in rights_changed.items() if new is False],
        unadministering=any(rights_changed.get(name, (None, None))[1] is False for name in ADMINISTERING)
        and row.record.administer_users,
    )


def plan_undo(actor: User, operation: Operation) -> road.Plan:
    """What taking a change of a role back would do; nothing is written.

    What was changed again since is refused. Raises `NotUndoableError` where it is no change of a role, or was undone already.
    """
    change = operation.changes.filter(model=role_sheet().label, kind=Operation.Kind.EDIT).first()
    role = Role.objects.filter(number=change.object_pk).first() if change else None
    if change is None or role is None:
        raise NotUndoableError(_("Only edits can be undone, not creations or deletions."))
    if operation.undone_by.exists():
        raise NotUndoableError(_("This change was already undone."))
    cells = {cell["column"]: cell for cell in change.cells if cell["column"] in role_sheet().columns}
    made = plan(actor, role, {name: cell["old"] for name, cell in cells.items()})
    row = made.rows[0]
    for name, cell in cells.items():
        column = made.sheet.columns[name]
        if (now := column.read(role)) != cell["new"]:
            row.refuse(
                name,
                _("It was changed again since: it is now “%(now)s”.") % {"now": column.show(now, made.scope)},
            )
    return made


def changes_of(role: Role) -> "QuerySet[Change]":
    """The history of one role, latest first, each change with its operation, and with `undone` whether that was taken back."""
    found: QuerySet[Change] = Change.objects.filter(model=role_sheet().label, object_pk=role.number)
    undone = Operation.objects.filter(undoes=OuterRef("operation"))
    return found.annotate(undone=Exists(undone)).select_related("operation").order_by("-id")


def commit(made: road.Plan, facts: RequestFacts, undoes: Operation | None = None) -> road.Commit:
    """Write a plan with its history, which belongs to no customer, and say how it ended."""
    outcome, operation = road.ended(lambda: _apply(made, facts, undoes))
    return road.Commit(outcome, made, operation)


def _apply(made: road.Plan, facts: RequestFacts, undoes: Operation | None) -> Operation | None:
    if made.refused:
        raise road.RefusedError
    row = made.rows[0]
    if not row.changes:
        return None
    facts.demand_proof(made.sheet.takes_over(row, made.scope))
    with transaction.atomic():
        # All of them: which role is the highest is only certain while nobody moves another one.
        held = {role.pk: role for role in Role.objects.select_for_update().order_by("pk")}[row.key]
        if any(made.sheet.columns[name].read(held) != value for name, value in row.before.items()):
            raise road.ChangedMeanwhileError([row.key])
        if undoes and undoes.undone_by.exists():
            raise road.ChangedMeanwhileError([row.key])
        for rule in road.rules_of(made.sheet, "set_rules"):
            rule(made)
        if made.refused:
            raise road.RefusedError
        Role.objects.filter(pk=row.key).update(**{name: value for name, (_old, value) in row.changes.items()})
        cells = [{"column": name, "old": old, "new": new} for name, (old, new) in row.changes.items()]
        change = Change(
            model=made.sheet.label,
            object_pk=held.number,
            object_name=str(held)[:160],
            kind=Operation.Kind.EDIT,
            cells=cells,
        )
        return road.record_operation(
            made.scope.actor, None, Operation.Kind.EDIT, facts, row.key, [change], undoes
        )
