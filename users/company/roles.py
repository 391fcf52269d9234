"""Changing what a role may do, for all customers at once: the only thing that writes the roles, with its history.

A role is planned and judged by the road like everything else. Held and written it is here: the road's lock is the row of a
customer, its history a customer's, its keys are numbers and its conflicts versions. The seven roles belong to all customers,
are known by a word, and have no version; one table of seven rows is no reason to make the road ask for each of these.
"""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from pbxadmin.common.columns import Scope
from pbxadmin.common.http import RequestFacts
from users import road
from users.company.sheets import role_sheet
from users.models import Change, Operation, Role, User
from users.rights import Verb


def plan(actor: User, role: Role, values: Mapping[str, Any]) -> road.Plan:
    """What changing a role would do; nothing is written. Support staff alone."""
    sheet, scope = role_sheet(), Scope(actor, None)
    columns = {name: column for name, column in sheet.columns.items() if name in values}
    row = road.RowPlan(key=role.pk, label=str(role), raw=values, record=role)
    row.before = {name: column.read(role) for name, column in columns.items()}
    row.refusal = str(road.why_not(sheet, scope, Verb.EDIT, role) or "")
    return road.judge(road.Plan(sheet, scope, columns, [row]))


def commit(made: road.Plan, facts: RequestFacts) -> road.Commit:
    """Write a plan with its history, which belongs to no customer, and say how it ended."""
    outcome, operation = road.ended(lambda: _apply(made, facts))
    return road.Commit(outcome, made, operation)


def _apply(made: road.Plan, facts: RequestFacts) -> Operation | None:
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
        for rule in road.rules_of(made.sheet, "set_rules"):
            rule(made)
        if made.refused:
            raise road.RefusedError
        Role.objects.filter(pk=row.key).update(**{name: value for name, (_old, value) in row.changes.items()})
        cells = [{"column": name, "old": old, "new": new} for name, (old, new) in row.changes.items()]
        # Roles are known by a word, not by a number: the name says which one it is.
        change = Change(
            model=made.sheet.label,
            object_pk=0,
            object_name=str(held)[:160],
            kind=Operation.Kind.EDIT,
            cells=cells,
        )
        return road.record_operation(made.scope.actor, None, Operation.Kind.EDIT, facts, row.key, [change])
