"""Copying: a new person with the settings of another one, all but what makes that one who they are."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from pbxadmin.common.columns import Column, Scope
from pbxadmin.common.personal import stays_behind
from users import rights
from users.models import Role, User
from users.people.sections import user_sheet


@dataclass(frozen=True)
class Copied:
    """The settings to take over, raw, by column; and what can't be taken over, in sentences."""

    values: dict[str, Any]
    left_out: list[str]


def is_copied(column: Column) -> bool:
    """Whether a copy takes this over: not the identity, no secrets, nothing that is of the moment (the status)."""
    return not (column.identity or column.secret or column.at_creation_only or column.own_form)


def settings_of(source: User, scope: Scope) -> Copied:
    """Everything of `source` that a new person gets. A few queries: one for each kind of row that isn't their own.

    What the licence wouldn't allow to be chosen anew, and a role that the actor can't grant, is left out and said.
    """
    values: dict[str, Any] = {}
    left_out: list[str] = []
    loaded: dict[int, Any] = {}
    fresh = User(customer=scope.customer)
    for name, column in user_sheet().columns.items():
        if not is_copied(column) or not column.is_offered(scope):
            continue
        store = getattr(column, "store", None)
        if store is not None:
            if id(store) not in loaded:
                loaded[id(store)] = store.load([source]).get(source.pk, {})
            value = loaded[id(store)].get(name)
        else:
            value = column.read(source)
            if value != column.read(fresh) and (words := column.locked(scope, column.read(fresh))):
                left_out.append(f"{column.label}: {words}")
                continue
        if words := stays_behind([column], name, value, scope):
            left_out.append(words)
            continue
        value = column.copied(value, scope)
        if value is not None:
            values[name] = column.to_json(value)
    role = Role.objects.get(pk=source.role_id)
    if not rights.can_grant(scope.actor, role):
        values["role"] = "users"
        left_out.append(_("The role “%(role)s” isn't copied: it is not below yours.") % {"role": role})
    return Copied(values, left_out)
