"""Applying: rows, history and outbox in one transaction, under the customer's lock, after the rules were asked again."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.db import models, transaction
from django.db.models import F
from django.db.models.base import ModelState
from django.utils.translation import gettext as _

from pbxadmin.common import many
from pbxadmin.common.columns import Pending, Scope
from pbxadmin.common.http import RequestFacts
from pbxadmin.common.references import OptionsMixin
from pbxadmin.common.sections import Sheet
from users.models import Customer, Operation, Role
from users.rights import OWNERS
from users.road.loading import MANY, share
from users.road.planning import Plan
from users.road.recording import Kind, record_operation, write_history
from users.road.rows import ChangedMeanwhileError, RefusedError, RowPlan
from users.road.sheets import chunks, rules_of, store_columns, stores_of
from users.signals import changed


def apply(
    made: Plan,
    facts: RequestFacts,
    reason: str = "",
    undoes: Operation | None = None,
    into: Operation | None = None,
) -> Operation | None:
    """Write a plan: rows, history and outbox in one transaction. None when nothing changes. Raises what `apply_all` raises."""
    return apply_all([made], facts, reason, undoes, into)


def apply_all(
    plans: Sequence[Plan],
    facts: RequestFacts,
    reason: str = "",
    undoes: Operation | None = None,
    into: Operation | None = None,
) -> Operation | None:
    """Write plans of several sheets, in their order, as one operation in one transaction: all of them or nothing.

    A row may refer to a row that isn't written yet (`Pending`), of an earlier plan or of its own: it gets its key here, and
    the set rules of a later plan see the record that there is then.

    Raises `RefusedError` when a row is refused (also when it only turns out under the lock: the last free extension went to
    somebody else), `ChangedMeanwhileError` when a row isn't any more what the plan saw, and `ProofNeededError` when the change
    takes a fresh proof of who asks (`Sheet.takes_over`).
    """
    if any(made.refused for made in plans):
        raise RefusedError
    written = [(made, rows) for made in plans if (rows := made.having("new", "changed"))]
    if not written:
        return None
    for made, rows in written:
        for row in rows:
            facts.demand_proof(made.sheet.takes_over(row, made.scope))
    kind = Kind.CREATE if all(row.new for _made, rows in written for row in rows) else Kind.EDIT
    operation = into
    there: dict[Any, dict[Any, Any]] = {}
    with transaction.atomic():
        for made, rows in written:
            sheet, scope = made.sheet, made.scope
            _settle(made, rows)
            _write(made, rows, there)
            if made is not written[-1][0]:
                there[sheet.model] = {row.key: row.record for row in rows}
            operation = record_operation(
                scope.actor, scope.customer, kind, facts, reason, undoes=undoes, into=operation
            )
            write_history(operation, sheet, scope, rows)
            changed.send(sheet.model, rows=rows, operation=operation)
    return operation


def _settle(made: Plan, rows: Sequence[RowPlan], own: bool = False) -> None:
    """Put keys in place of references to rows that are written by now; `own`: also those of this very plan."""
    if not made.leaning:
        return
    coming = set() if own else {id(row) for row in rows if row.new}

    def key_of(value: Any) -> Any:
        if not isinstance(value, Pending) or id(value.row) in coming:
            return value
        # What it means isn't among what was written before.
        if value.row is None or value.row.key is None:
            raise RefusedError
        return value.row.key

    settled = False
    for name in made.leaning:
        column = made.sheet.columns[name]
        for row in rows:
            if name in row.after and column.awaits(row.after[name]):
                row.put(name, column.settled(row.after[name], key_of))
                settled = True
    if settled:
        made.scope.forget()


def _write(made: Plan, rows: Sequence[RowPlan], there: Mapping[Any, Mapping[Any, Any]]) -> None:
    """Write the rows of one plan, under the lock, after its set rules were asked again; `there` is what earlier plans have written."""
    sheet, scope = made.sheet, made.scope
    new = [row for row in rows if row.new]
    old = [row for row in rows if not row.new]
    hold(sheet, scope, old)
    # Seats, free numbers and "the last owner" are only certain under the lock: the rules ask again, and may refuse now.
    _look_again(made, rows)
    for rule in rules_of(sheet, "set_rules"):
        rule(made)
    if made.refused:
        raise RefusedError
    if new:
        _insert(sheet, scope, new, there)
        _settle(made, rows, own=True)
    _update(sheet, scope, old)
    for store in stores_of(sheet.columns.values()):
        names = store_columns(sheet, store)
        # What there is once (a DID number) is given up before somebody new takes it.
        if touched := [row for row in old if not names.isdisjoint(row.changes.keys())]:
            store.save(touched, scope)
        if new:
            store.create(new, [row for row in new if not row.after.keys().isdisjoint(names)], scope)


def _look_again(made: Plan, rows: Sequence[RowPlan]) -> None:
    """Refuse references to what somebody has deleted since the plan: the database would, with no word for the reader."""
    columns: list[Any] = [
        column
        for column in made.sheet.columns.values()
        if isinstance(getattr(column, "inner", column), OptionsMixin)
    ]
    pointing = {
        column: found for column in columns if (found := [row for row in rows if column.name in row.changes])
    }
    if pointing:
        made.scope.forget()
    for column, found in pointing.items():
        chosen: dict[int, set[Any]] = {}
        for row in found:
            old, new = (_keys_of(value) for value in row.changes[column.name])
            chosen[id(row)] = new - old
        there = column.there(set().union(*chosen.values()), made.scope)
        for row in found:
            if chosen[id(row)] - there:
                row.refuse(
                    column.name, _("What was selected has been deleted in the meantime: choose again.")
                )


def _keys_of(value: Any) -> set[Any]:
    """The keys that a reference's value holds: one, several or none."""
    keys = set(value) if isinstance(value, tuple) else {value} - {None, ""}
    return {key for key in keys if not isinstance(key, Pending)}


def hold(sheet: Sheet, scope: Scope, rows: Sequence[RowPlan]) -> None:
    """Hold the customer, then the rows, and see that they are what was planned.

    The customer first, always: rules that count its people (seats, the last owner) stay true until the commit, and two
    writers can't wait for each other. What belongs to no customer is the provider's: `hold_the_provider`.
    """
    if scope.customer is None:
        hold_the_provider()
    elif scope.customer.pk is None:
        return  # it is being created: nobody else knows it yet
    else:
        Customer.objects.select_for_update().only("pk").get(pk=scope.customer.pk)
    manager: Any = sheet.model._default_manager
    entrance = manager.visible_to(scope.actor).of(scope.customer).order_by("pk")
    versions: dict[Any, int] = {}
    for keys in chunks(sorted(row.key for row in rows)):
        meant = entrance.filter(pk__in=keys)
        if len(meant.query.alias_map) == 1:
            versions |= meant.select_for_update().values_list("pk", "version")
        else:  # other tables are asked whose they are, and stay free
            held = meant.select_for_update(of=("self",)).only("pk", "version")
            versions |= {each.pk: each.version for each in held}
    if stale := {row.key for row in rows if versions.get(row.key) != row.record.version}:
        raise ChangedMeanwhileError(stale)


def hold_the_provider() -> None:
    """Hold what belongs to no customer, inside a transaction, until its end: the row that is always there, that of the highest role.

    Who gives somebody that role meanwhile waits for nobody: only its key is looked at.
    """
    Role.objects.select_for_update(no_key=True).only("pk").get(pk=OWNERS)


def _own(sheet: Sheet, row: RowPlan) -> dict[str, Any]:
    """The changed attributes that the record's own row keeps."""
    attributes = sheet.attributes
    changed = row.after if row.new else row.changes
    return {attributes[name]: row.after[name] for name in changed if name in attributes}


def _insert(
    sheet: Sheet, scope: Scope, rows: Sequence[RowPlan], there: Mapping[Any, Mapping[Any, Any]]
) -> None:
    """Make the records of new rows, which shared an empty one until now, and write them."""
    blank = rows[0].record
    references = {each.attname: each for each in _fields_of(sheet.model) if each.is_relation}
    for part in chunks(rows, many.PART):
        copies = _copies(blank, len(part)) if len(rows) > 1 else [blank]
        for row, record in zip(part, copies, strict=True):
            row.record = record
            own = _own(sheet, row)
            for attribute in own.keys() & references.keys():
                if record.__dict__[attribute] != own[attribute]:
                    record._state.fields_cache.pop(references[attribute].cache_name, None)
            record.__dict__.update(own)  # as assigning each of them would
            sheet.complete(record, scope)
            record.__dict__.update(sheet.derive(record))
        many.insert_records(copies)
        for row, record in zip(part, copies, strict=True):
            row.key = record.pk
        if len(rows) >= MANY:  # the history asks each of them whose it is
            for path in sheet.related:
                share(copies, path, there)
        if len(rows) > many.PART and sheet.named_by:
            _lighten(
                copies, {"_state", sheet.model._meta.pk.attname, "version", *sheet.named_by, *references}
            )


def _lighten(records: Sequence[Any], kept: Collection[str]) -> None:
    """Keep no more of records that are written: of what isn't there Django knows that it is to be read."""
    for record in records:
        record.__dict__ = {name: value for name, value in record.__dict__.items() if name in kept}


def _fields_of(model: Any) -> Sequence[Any]:
    found: Sequence[Any] = model._meta.concrete_fields
    return found


def _copies(blank: Any, count: int) -> list[Any]:
    """As many records as are asked for, like an empty one; what is made anew for each (a token) is."""
    model: Any = type(blank)
    made_anew = [
        each
        for each in _fields_of(model)
        if callable(each.default) and each.default is not models.NOT_PROVIDED
    ]
    copies = []
    for _number in range(count):
        record: Any = model.__new__(model)
        record.__dict__.update(blank.__dict__)
        record._state = ModelState()
        record._state.fields_cache = dict(blank._state.fields_cache)
        for each in made_anew:
            record.__dict__[each.attname] = each.get_default()
        copies.append(record)
    return copies


# From so many distinct sets of values on, each row is given its own by one statement instead.
DISTINCT = 10


def _update(sheet: Sheet, scope: Scope, rows: Sequence[RowPlan]) -> None:
    """One UPDATE for each distinct set of new values, or one for all where most rows have their own; all rows that were meant,
    and no other, must be touched."""
    groups: dict[tuple[str, ...], dict[tuple[Any, ...], list[RowPlan]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for row in rows:
        own = _own(sheet, row)
        if own:
            _assign(sheet, row.record, own)
        groups[tuple(own)][tuple(own.values())].append(row)
    manager: Any = sheet.model._default_manager
    for names, sets in groups.items():
        if len(sets) > DISTINCT:
            group = [row for some in sets.values() for row in some]
            touched = many.update(
                sheet.model,
                [row.key for row in group],
                {name: [getattr(row.record, name) for row in group] for name in names},
                counting="version",
                also={"customer_id": scope.customer.pk} if sheet.has_customer and scope.customer else {},
            )
            if touched != len(group):
                raise ChangedMeanwhileError(row.key for row in group)
            continue
        for values, group in sets.items():
            for part in chunks(group):
                meant = (
                    manager.visible_to(scope.actor)
                    .of(scope.customer)
                    .filter(pk__in=[row.key for row in part])
                )
                new = dict(zip(names, values, strict=True))
                if meant.order_by().update(**new, version=F("version") + 1) != len(part):
                    raise ChangedMeanwhileError(row.key for row in part)
    for row in rows:
        row.record.version += 1


def _derived_before(sheet: Sheet, record: Any) -> Mapping[str, Any]:
    """What the record's row has of what is computed: as it was read, where it was."""
    kept = {name: record.__dict__[name] for name in sheet.derived if name in record.__dict__}
    return kept if len(kept) == len(sheet.derived) > 0 else sheet.derive(record)


def _assign(sheet: Sheet, record: Any, own: dict[str, Any]) -> None:
    """Give a record its new values, and add to `own` what is computed from them and changes with them."""
    derives = sheet.derived_from is None or not sheet.derived_from.isdisjoint(own)
    before = _derived_before(sheet, record) if derives else {}
    for attribute, value in own.items():
        setattr(record, attribute, value)
    if derives:
        computed = {name: value for name, value in sheet.derive(record).items() if value != before.get(name)}
        for attribute, value in computed.items():
            setattr(record, attribute, value)
        own |= computed
