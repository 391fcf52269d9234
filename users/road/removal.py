"""Removal: what deleting records would take with it, which can't be deleted, and the deletion with its history."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import models, transaction

from pbxadmin.common.columns import Scope
from pbxadmin.common.contributions import Keep
from pbxadmin.common.http import RequestFacts
from pbxadmin.common.sections import Sheet
from users import rights
from users.models import Customer, Operation, User
from users.road.applying import hold
from users.road.planning import Plan
from users.road.recording import Kind, cell_of, change_of, record_operation, write_mentions
from users.road.rows import RefusedError, RowPlan
from users.road.sheets import why_not
from users.signals import changed

# In a scope: the keys of the people who are deleted in the same transaction.
GOING = "people who are deleted"


@dataclass
class Removal:
    """What deleting some records would take with it, and which of them can't be deleted.

    `along` are the names of what would stay (`Contribution.keeps`) and is to go as well.
    """

    sheet: Sheet
    scope: Scope
    records: list[Any]
    refusals: dict[Any, str]
    losses: dict[Any, list[str]]
    verb: rights.Verb = rights.Verb.DELETE
    # What stays, of that which any of the records has, with its sentences where it stays and where it goes.
    kept: list[tuple[Keep, Mapping[Any, list[str]], Mapping[Any, list[str]]]] = field(default_factory=list)
    along: frozenset[str] = frozenset()

    @property
    def boxes(self) -> list[tuple[Keep, bool]]:
        """What may go as well, and whether it does."""
        return [(keep, keep.name in self.along) for keep, _stays, _goes in self.kept]

    def lost_with(self, key: Any) -> list[str]:
        """What goes with a record, in sentences."""
        found = list(self.losses.get(key, ()))
        for keep, _stays, goes in self.kept:
            if keep.name in self.along:
                found += goes.get(key, ())
        return found

    @property
    def staying(self) -> list[str]:
        """What stays of what hangs on the records, in sentences."""
        return [
            sentence
            for keep, stays, _goes in self.kept
            if keep.name not in self.along
            for record in self.records
            for sentence in stays.get(record.pk, ())
        ]


def plan_removal(
    actor: User,
    customer: Customer | None,
    sheet: Sheet,
    keys: Iterable[Any],
    verb: rights.Verb = rights.Verb.DELETE,
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
    kept = []
    for keep in _keeps(sheet):
        stays = keep.stays(records, scope)
        if stays:
            kept.append((keep, stays, keep.goes(records, scope)))
    return Removal(sheet, scope, records, refusals, dict(losses), verb, kept)


def _keeps(sheet: Sheet) -> list[Keep]:
    return [keep for section in sheet.sections for keep in section.adds.keeps]


def _stay(removal: Removal, records: list[Any], facts: RequestFacts, operation: Operation) -> None:
    """Keep what stays; raises `RefusedError` with the reasons in `removal.refusals` where that can't be."""
    for keep in _keeps(removal.sheet):
        if keep.name in removal.along:
            continue
        if reasons := keep.keep(records, removal.scope, facts, operation):
            removal.refusals = {record.pk: " ".join(map(str, reasons)) for record in records}
            raise RefusedError


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
        _stay(removal, [row.record for row in rows], facts, operation)
        changed.send(sheet.model, rows=rows, operation=operation)
        manager: models.Manager = sheet.model._default_manager
        manager.filter(pk__in=[row.key for row in rows]).delete()
    return operation
