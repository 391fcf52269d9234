"""Applying: rows, history and outbox in one transaction, under the customer's lock, after the rules were asked again."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import F

from pbxadmin.common.columns import FieldColumn, Scope
from pbxadmin.common.http import RequestFacts
from pbxadmin.common.sections import Sheet
from users.models import Customer, Operation
from users.road.planning import ChangedMeanwhileError, Plan, RefusedError, RowPlan
from users.road.recording import Kind, history_row, record_operation
from users.road.sheets import chunks, rules_of, stores_of
from users.signals import changed


def apply(
    made: Plan,
    facts: RequestFacts,
    reason: str = "",
    undoes: Operation | None = None,
    into: Operation | None = None,
) -> Operation | None:
    """Write a plan: rows, history and outbox in one transaction. None when nothing changes.

    Raises `RefusedError` when a row is refused (also when it only turns out under the lock: the last free extension went to
    somebody else), and `ChangedMeanwhileError` when a row isn't any more what the plan saw.
    """
    if made.refused:
        raise RefusedError
    rows = made.having("new", "changed")
    if not rows:
        return None
    sheet, scope = made.sheet, made.scope
    with transaction.atomic():
        new = [row for row in rows if row.new]
        old = [row for row in rows if not row.new]
        hold(sheet, scope, old)
        # Seats, free numbers and "the last owner" are only certain under the lock: the rules ask again, and may refuse now.
        for rule in rules_of(sheet, "set_rules"):
            rule(made)
        if made.refused:
            raise RefusedError
        if new:
            _insert(sheet, scope, new)
        _update(sheet, scope, old)
        for store in stores_of(sheet.columns.values()):
            names = {
                name for name, column in sheet.columns.items() if getattr(column, "store", None) is store
            }
            touched = [row for row in rows if names & row.changes.keys()]
            if touched:
                store.save(touched, scope)
        operation = record_operation(
            scope.actor,
            scope.customer,
            Kind.CREATE if not old else Kind.EDIT,
            facts,
            reason,
            [history_row(sheet, scope, row) for row in rows],
            undoes,
            into,
        )
        changed.send(sheet.model, rows=rows, operation=operation)
    return operation


def hold(sheet: Sheet, scope: Scope, rows: Sequence[RowPlan]) -> None:
    """Hold the customer, then the rows, and see that they are what was planned.

    The customer first, always: rules that count his people (seats, the last owner) stay true until the commit, and two
    writers can't wait for each other.
    """
    if scope.customer.pk is None:
        return  # he is being created: nobody else knows him yet
    Customer.objects.select_for_update().only("pk").get(pk=scope.customer.pk)
    manager: Any = sheet.model._default_manager
    versions = {
        held.pk: held.version
        for keys in chunks(sorted(row.key for row in rows))
        for held in manager.visible_to(scope.actor)
        .of(scope.customer)
        .filter(pk__in=keys)
        .order_by("pk")
        .select_for_update(of=("self",))
        .only("pk", "version")
    }
    if stale := {row.key for row in rows if versions.get(row.key) != row.record.version}:
        raise ChangedMeanwhileError(stale)


def _own(sheet: Sheet, row: RowPlan) -> dict[str, Any]:
    """The changed attributes that the record's own row keeps."""
    own = {}
    for name, (_before, value) in row.changes.items():
        column = sheet.columns[name]
        if isinstance(column, FieldColumn):
            own[column.attribute] = value
    return own


def _insert(sheet: Sheet, scope: Scope, rows: Sequence[RowPlan]) -> None:
    for row in rows:
        for attribute, value in _own(sheet, row).items():
            setattr(row.record, attribute, value)
        sheet.complete(row.record, scope)
        for attribute, value in sheet.derive(row.record).items():
            setattr(row.record, attribute, value)
    sheet.model._default_manager.bulk_create([row.record for row in rows])
    for row in rows:
        row.key = row.record.pk
    for companion in rules_of(sheet, "companions"):
        companion([row.record for row in rows], scope)


def _update(sheet: Sheet, scope: Scope, rows: Sequence[RowPlan]) -> None:
    """One UPDATE for each distinct set of new values; all rows that were meant, and no other, must be touched."""
    groups: dict[tuple[Any, ...], list[RowPlan]] = defaultdict(list)
    for row in rows:
        own = _own(sheet, row)
        if own:
            derived_before = sheet.derive(row.record)
            for attribute, value in own.items():
                setattr(row.record, attribute, value)
            own |= {
                name: value
                for name, value in sheet.derive(row.record).items()
                if value != derived_before.get(name)
            }
            for attribute, value in own.items():
                setattr(row.record, attribute, value)
        groups[tuple(sorted(own.items()))].append(row)
    manager: Any = sheet.model._default_manager
    for values, group in groups.items():
        for part in chunks(group):
            meant = (
                manager.visible_to(scope.actor).of(scope.customer).filter(pk__in=[row.key for row in part])
            )
            if meant.order_by().update(**dict(values), version=F("version") + 1) != len(part):
                raise ChangedMeanwhileError(row.key for row in part)
    for row in rows:
        row.record.version += 1
