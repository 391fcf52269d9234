"""Removal: what deleting records would take with it, which can't be deleted, and the deletion with its history."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import models, transaction

from pbxadmin.common.columns import Scope
from pbxadmin.common.http import RequestFacts
from pbxadmin.common.sections import Sheet
from users import rights
from users.models import Customer, Operation, User
from users.road.applying import hold
from users.road.planning import Plan, RefusedError, RowPlan
from users.road.recording import Kind, cell_of, change_of, record_operation, write_mentions
from users.road.sheets import why_not
from users.signals import changed


@dataclass
class Removal:
    """What deleting some records would take with it, and which of them can't be deleted."""

    sheet: Sheet
    scope: Scope
    records: list[Any]
    refusals: dict[Any, str]
    losses: dict[Any, list[str]]
    verb: rights.Verb = rights.Verb.DELETE


def plan_removal(
    actor: User, customer: Customer, sheet: Sheet, keys: Iterable[Any], verb: rights.Verb = rights.Verb.DELETE
) -> Removal:
    """Say what would go, record by record; nothing is written. Unknown keys are left out.

    `verb` is what the actor must be allowed to do to the person behind a record: a phone goes for whoever may edit its user.
    """
    scope = Scope(actor, customer)
    manager: Any = sheet.model._default_manager
    seen = manager.visible_to(actor).of(customer).select_related(*sheet.related)
    records = list(seen.filter(pk__in=list(keys)))
    refusals = {
        record.pk: str(refusal) for record in records if (refusal := why_not(sheet, scope, verb, record))
    }
    losses: dict[Any, list[str]] = defaultdict(list)
    for section in sheet.sections:
        if section.adds.losses:
            for key, sentences in section.adds.losses(records, scope).items():
                losses[key] += sentences
        for rule in section.adds.removal_rules:
            for key, sentence in rule(records, scope).items():
                refusals.setdefault(key, str(sentence))
    return Removal(sheet, scope, records, refusals, dict(losses), verb)


def remove(
    removal: Removal, facts: RequestFacts, reason: str = "", into: Operation | None = None
) -> Operation | None:
    """Delete the records of a removal, with what hangs on them, and keep what they were in the history."""
    if removal.refusals:
        raise RefusedError
    if not removal.records:
        return None
    sheet, scope = removal.sheet, removal.scope
    with transaction.atomic():
        rows = [
            RowPlan(key=record.pk, label="", raw={}, record=record, removed=True)
            for record in removal.records
        ]
        hold(sheet, scope, rows)
        again = plan_removal(scope.actor, scope.customer, sheet, [row.key for row in rows], removal.verb)
        if again.refusals:
            removal.refusals = again.refusals
            raise RefusedError
        last = Plan(sheet, scope, dict(sheet.columns), rows)
        last.need(*sheet.columns)
        for name, column in sheet.columns.items():
            if column.by_number:
                column.look_up([row.before[name] for row in rows if name in row.before], scope)
        changes = [
            change_of(
                sheet,
                row.record,
                Kind.DELETE,
                [
                    cell_of(sheet.columns[name], scope, value, None)
                    for name, value in row.before.items()
                    if value not in (None, "", (), False)
                ],
            )
            for row in rows
        ]
        operation = record_operation(
            scope.actor, scope.customer, Kind.DELETE, facts, reason, changes, into=into
        )
        gone = ((row.key, False, {name: (old, None) for name, old in row.before.items()}) for row in rows)
        write_mentions(operation, sheet, gone)
        changed.send(sheet.model, rows=rows, operation=operation)
        manager: models.Manager = sheet.model._default_manager
        manager.filter(pk__in=[row.key for row in rows]).delete()
    return operation
