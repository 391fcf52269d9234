"""Changing what a role may do, for all customers at once: the only thing that writes the roles, with its history."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from pbxadmin.common.columns import Scope
from pbxadmin.common.http import RequestFacts
from users import road
from users.company.sheets import role_sheet
from users.models import Change, Operation, Role, User

# Without these a customer couldn't help himself any more.
KEPT_BY_OWNERS = ("whole_customer", "administer_users")


def plan(actor: User, role: Role, values: Mapping[str, Any]) -> road.Plan:
    """What changing a role would do; nothing is written. Support staff alone."""
    sheet = role_sheet()
    scope = Scope(actor, None)
    row = road.RowPlan(key=role.pk, label=str(role), raw=values, record=role)
    if not (actor.is_staff and actor.is_active):
        row.refusal = _("Only your provider's support may change this.")
    for name, raw in values.items():
        column = sheet.columns.get(name)
        if column is None:
            row.refuse("", _("There is no column “%(name)s”.") % {"name": str(name)[:40]})
            continue
        row.before[name] = column.read(role)
        try:
            row.put(name, column.clean(raw, scope))
        except ValidationError as error:
            row.errors.setdefault(name, []).extend(str(message) for message in error.messages)
    if role.pk == "system_owners":
        for name in KEPT_BY_OWNERS:
            if row.after.get(name) is False:
                row.refuse(
                    name, _("System owners keep this: else a customer could not help himself any more.")
                )
    level = row.after.get("level")
    highest = max(Role.objects.exclude(pk="system_owners").values_list("level", flat=True), default=0)
    if level is not None and (
        (role.pk == "system_owners" and level <= highest)
        or (role.pk != "system_owners" and level >= _owners_level())
    ):
        row.refuse("level", _("System owners stay above every other role."))
    return road.Plan(sheet, scope, {name: sheet.columns[name] for name in row.before}, [row])


def _owners_level() -> int:
    return Role.objects.only("level").get(pk="system_owners").level


def apply(made: road.Plan, facts: RequestFacts) -> Operation | None:
    """Write a plan with its history, which belongs to no customer. Raises as `users.road.apply` does."""
    if made.refused:
        raise road.RefusedError
    row = made.rows[0]
    if not row.changes:
        return None
    with transaction.atomic():
        held = Role.objects.select_for_update().get(pk=row.key)
        if any(made.sheet.columns[name].read(held) != value for name, value in row.before.items()):
            raise road.ChangedMeanwhileError([row.key])
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
