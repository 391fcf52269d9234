"""The one road by which rows change: plan (validate everything), then apply (write once).

A plan takes any number of rows and says for each: new, changed, unchanged, or refused and why. Applying it writes all of
it, with its history, in one transaction, and tells the other apps once. Editor (one row), bulk edit, CSV, copy, undo,
Django admin and self-service are callers of this; nothing else writes these tables.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import F
from django.utils.translation import gettext as _

from pbxadmin.common.crypto import MASK
from pbxadmin.common.http import RequestFacts
from pbxadmin.common.sections import Column, FieldColumn, Scope, Sheet, Store, Text
from users import rights
from users.models import Change, Customer, Operation, User
from users.signals import changed

Kind = Operation.Kind

# A statement with more parameters than this is refused by some databases.
CHUNK = 10_000

SHEETS: dict[str, Sheet] = {}


def register(sheet: Sheet) -> Sheet:
    """Make a sheet known under its model's label, so that the history can name its columns."""
    SHEETS[sheet.label] = sheet
    return sheet


class ChangedMeanwhileError(Exception):
    """Somebody else wrote a row between plan and apply. `keys` are the primary keys; plan again."""

    def __init__(self, keys: Iterable[Any]) -> None:
        super().__init__(f"rows changed meanwhile: {sorted(keys)}")
        self.keys = set(keys)


class RefusedError(Exception):
    """An attempt to apply a plan that has refused rows."""


@dataclass(frozen=True)
class Row:
    """What a caller wants of one record: raw values for some columns; `key` None makes a new record.

    `seen` is the version that the caller had before his eyes: an older one than the record's refuses the row as stale.
    """

    key: Any
    values: Mapping[str, Any]
    label: str = ""
    seen: int | None = None


@dataclass
class RowPlan:
    """What would happen to one record."""

    key: Any
    label: str
    raw: Mapping[str, Any]
    record: Any = None
    new: bool = False
    removed: bool = False
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, list[str]] = field(default_factory=dict)
    warnings: dict[str, list[str]] = field(default_factory=dict)
    refusal: str = ""
    stale: bool = False
    subject: Any = None  # primary key of the person whose record it was when the plan was made

    @property
    def changes(self) -> dict[str, tuple[Any, Any]]:
        """Old and new value of each column that differs."""
        return {
            name: (None if self.new else self.before.get(name), value)
            for name, value in self.after.items()
            if self.new or value != self.before.get(name)
        }

    @property
    def outcome(self) -> str:
        """ "refused", "new", "changed" or "unchanged"."""
        if self.errors or self.refusal:
            return "refused"
        if self.new:
            return "new"
        return "changed" if self.changes else "unchanged"

    def value(self, name: str) -> Any:
        """The value that the record will have."""
        return self.after[name] if name in self.after else self.before[name]

    def value_of_record(self, name: str) -> Any:
        """A value that nobody can change once the record is there (an extension): planned for a new one, else the record's."""
        return self.after.get(name, getattr(self.record, name, None))

    def refuse(self, column: str, message: Text) -> None:
        """Add an error to a column ("" for the row as a whole)."""
        self.errors.setdefault(column, []).append(str(message))

    def warn(self, column: str, message: Text) -> None:
        """Add something to tell that doesn't refuse the row."""
        messages = self.warnings.setdefault(column, [])
        if str(message) not in messages:
            messages.append(str(message))


@dataclass
class Plan:
    """Every row with its outcome. Rules across the set read and refuse through it."""

    sheet: Sheet
    scope: Scope
    columns: dict[str, Column]
    rows: list[RowPlan]
    loaded: set[Store] = field(default_factory=set)

    def having(self, *outcomes: str) -> list[RowPlan]:
        """The rows with one of these outcomes."""
        return [row for row in self.rows if row.outcome in outcomes]

    @property
    def refused(self) -> list[RowPlan]:
        """The rows that can't be written."""
        return self.having("refused")

    def need(self, *names: str) -> None:
        """Load columns that aren't planned themselves, because a rule asks for their present value."""
        for name in names:
            column = self.sheet.columns[name]
            if store := getattr(column, "store", None):
                self._load(store)
                continue
            for row in self.rows:
                if name not in row.before and row.record is not None:
                    row.before[name] = column.read(row.record)

    def _load(self, store: Store) -> None:
        if store in self.loaded:
            return
        self.loaded.add(store)
        values = store.values(
            [row.record for row in self.rows if row.record is not None and not row.new], self.scope
        )
        names = [
            name for name, column in self.sheet.columns.items() if getattr(column, "store", None) is store
        ]
        for row in self.rows:
            found = values.get(row.key, {})
            for name in names:
                row.before.setdefault(name, found.get(name, ()))


def plan(
    actor: User,
    customer: Customer,
    sheet: Sheet,
    rows: Iterable[Row],
    verb: rights.Verb = rights.Verb.EDIT,
    scope: Scope | None = None,
    records: Mapping[Any, Any] | None = None,
) -> Plan:
    """Validate `rows` and say what would happen to each; nothing is written.

    Records that `actor` doesn't see in `customer` are refused as unknown. A column that isn't in the sheet, or can't be
    changed after creation, is refused by name: no way in assigns what its page doesn't offer. A page that has made a
    form of the same scope hands it over, so that the choices aren't looked up twice; and the `records` by key that it has
    just read for the form, through the same entrance of tenancy and with the sheet's `related`. Who wrote in between is
    found by their versions, under the lock.
    """
    scope = scope or Scope(actor, customer)
    planned = [RowPlan(key=row.key, label=row.label, raw=row.values, new=row.key is None) for row in rows]
    named = {name for row in planned for name in row.raw if name in sheet.columns}
    made = Plan(sheet, scope, {name: sheet.columns[name] for name in sheet.columns if name in named}, planned)
    _load_records(made, [row.seen for row in rows] if isinstance(rows, Sequence) else [], verb, records or {})
    _clean(made)
    if verb in (rights.Verb.SELF, rights.Verb.STATUS):
        _refuse_what_is_not_ones_own(made, verb)
    _refuse_what_takes_another_right(made)
    for rule in _rules(sheet, "row_rules"):
        for row in made.rows:
            if row.record is not None and not row.refusal:
                rule(row, made)
    for rule in _rules(sheet, "set_rules"):
        rule(made)
    return made


def _refuse_what_is_not_ones_own(made: Plan, verb: rights.Verb) -> None:
    """Who changes himself changes the columns that `rights.own_columns` lists, whatever else is sent; a colleague's, the status alone."""
    for row in made.rows:
        if row.new:
            row.refusal = row.refusal or _("You can do this for yourself only.")
        allowed = rights.own_columns(made.scope.actor) if verb is rights.Verb.SELF else rights.OWN_STATUS
        for name in row.raw.keys() - allowed:
            row.after.pop(name, None)
            row.errors[name] = [_("You can't change this yourself: ask an administrator of your company.")]


def why_not(sheet: Sheet, scope: Scope, verb: rights.Verb | str, record: Any = None) -> Text | None:
    """Why the scope's actor may not do `verb` with a record of this sheet (None: with a new one); None when he may."""
    if sheet.allowed is not None:
        return sheet.allowed(scope.actor, verb, record, scope.customer)
    subject = sheet.subject(record) if record is not None else None
    return rights.why_not(scope.actor, rights.Verb(verb), subject, scope.customer)


def locks(sheet: Sheet, scope: Scope, record: Any = None) -> dict[str, Text]:
    """The columns that the scope's actor sees but may not change, each with the reason. For forms."""
    reasons = {verb: why_not(sheet, scope, verb, record) for verb in set(sheet.own_verbs.values())}
    return {name: reason for name, verb in sheet.own_verbs.items() if (reason := reasons[verb])}


def _refuse_what_takes_another_right(made: Plan) -> None:
    """Refuse changes of columns that ask for a right of their own; the same value again is no change."""
    sheet = made.sheet
    for row in made.rows:
        if row.record is None or row.refusal:
            continue
        for name in row.raw.keys() & sheet.own_verbs.keys():
            same = name not in row.errors and row.after.get(name) == row.before.get(name)
            if same or not (
                reason := why_not(sheet, made.scope, sheet.own_verbs[name], None if row.new else row.record)
            ):
                continue
            row.after.pop(name, None)
            row.errors[name] = [str(reason)]


def _rules(sheet: Sheet, name: str) -> Iterable[Any]:
    for section in sheet.sections:
        yield from getattr(section, name)


def _load_records(
    made: Plan, seen: Sequence[int | None], verb: rights.Verb, known: Mapping[Any, Any]
) -> None:
    """Find every record that isn't known yet in one query, through the entrance of tenancy; ask whether the actor may."""
    sheet, scope = made.sheet, made.scope
    found = dict(known)
    keys = [row.key for row in made.rows if not row.new and row.key not in found]
    if keys:
        manager: Any = sheet.model._default_manager
        found |= (
            manager.visible_to(scope.actor).of(scope.customer).select_related(*sheet.related).in_bulk(keys)
        )
    for number, row in enumerate(made.rows):
        if row.new:
            row.record = _new_record(sheet, scope)
            row.before = {
                name: column.read(row.record)
                for name, column in sheet.columns.items()
                if isinstance(column, FieldColumn)
            }
            row.refusal = str(why_not(sheet, scope, rights.Verb.CREATE) or "")
            continue
        row.record = found.get(row.key)
        if row.record is None:
            row.refusal = _("It doesn't exist any more.")
            continue
        row.subject = getattr(sheet.subject(row.record), "pk", None)
        # Who changes nothing but the hours of a department isn't asked for the right over the department.
        if not row.raw or row.raw.keys() - sheet.own_verbs.keys():
            row.refusal = str(why_not(sheet, scope, verb, row.record) or "")
        if number < len(seen) and seen[number] is not None and seen[number] != row.record.version:
            row.stale = True
            row.refusal = _("Somebody else changed it in between.")
        row.before = {
            name: column.read(row.record)
            for name, column in made.columns.items()
            if isinstance(column, FieldColumn)
        }
    for store in _stores(made.columns.values()):
        made._load(store)


def _new_record(sheet: Sheet, scope: Scope) -> Any:
    """An empty record; where a customer itself is planned, the one that the scope holds, not saved yet."""
    if sheet.model is Customer:
        return scope.customer
    return sheet.model(**({"customer": scope.customer} if sheet.has_customer else {}))


def _stores(columns: Iterable[Column]) -> list[Store]:
    """The stores of these columns, each once."""
    found = [store for column in columns if (store := getattr(column, "store", None))]
    return list({id(store): store for store in found}.values())


def _clean(made: Plan) -> None:
    """Column by column, remembering what each distinct raw value became: options have few distinct values."""
    scope = made.scope
    for row in made.rows:
        for name in row.raw:
            if name not in made.sheet.columns:
                row.refuse("", _("There is no column “%(name)s”.") % {"name": str(name)[:40]})
            elif made.sheet.columns[name].at_creation_only and not row.new:
                row.refuse(name, _("This can't be changed after creation."))
    for name, column in made.columns.items():
        memory: dict[Any, tuple[Any, list[str] | None]] = {}
        for row in made.rows:
            if name not in row.raw or name in row.errors or row.record is None:
                continue
            raw = row.raw[name]
            # Lists may hold lists (a history's old value): what they say is their key.
            remembered = (repr(raw),) if isinstance(raw, (list, tuple, dict)) else raw
            if remembered not in memory:
                try:
                    memory[remembered] = (column.clean(raw, scope), None)
                except ValidationError as error:
                    memory[remembered] = (None, [str(message) for message in error.messages])
            value, messages = memory[remembered]
            if messages is None:
                row.after[name] = value
            else:
                row.errors.setdefault(name, []).extend(messages)


def apply(
    made: Plan, facts: RequestFacts, reason: str = "", undoes: Operation | None = None
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
        _lock(sheet, scope, old)
        # Seats, free numbers and "the last owner" are only certain under the lock: the rules ask again, and may refuse now.
        for rule in _rules(sheet, "set_rules"):
            rule(made)
        if made.refused:
            raise RefusedError
        if new:
            _insert(sheet, scope, new)
        _update(sheet, scope, old)
        for store in _stores(sheet.columns.values()):
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
            [_history_row(sheet, scope, row) for row in rows],
            undoes,
        )
        changed.send(sheet.model, rows=rows, operation=operation)
    return operation


def _lock(sheet: Sheet, scope: Scope, rows: Sequence[RowPlan]) -> None:
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
        for keys in _chunks(sorted(row.key for row in rows))
        for held in manager.visible_to(scope.actor)
        .of(scope.customer)
        .filter(pk__in=keys)
        .order_by("pk")
        .select_for_update(of=("self",))
        .only("pk", "version")
    }
    if stale := {row.key for row in rows if versions.get(row.key) != row.record.version}:
        raise ChangedMeanwhileError(stale)


def _chunks(items: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (items[start : start + CHUNK] for start in range(0, len(items), CHUNK))


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
    for companion in _rules(sheet, "companions"):
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
        for part in _chunks(group):
            meant = (
                manager.visible_to(scope.actor).of(scope.customer).filter(pk__in=[row.key for row in part])
            )
            if meant.order_by().update(**dict(values), version=F("version") + 1) != len(part):
                raise ChangedMeanwhileError(row.key for row in part)
    for row in rows:
        row.record.version += 1


def _history_row(sheet: Sheet, scope: Scope, row: RowPlan) -> Change:
    cells = []
    for name, (old, new) in row.changes.items():
        column = sheet.columns[name]
        if row.new and new in (None, "", (), False):
            continue
        cells.append(_cell(column, scope, old, new))
    change = change_of(sheet, row.record, Kind.CREATE if row.new else Kind.EDIT, cells)
    if row.subject != change.subject_pk:
        change.former_subject_pk = row.subject
    return change


def _cell(column: Column, scope: Scope, old: Any, new: Any) -> dict[str, Any]:
    if column.secret:
        return {"column": column.name, "old": MASK if old else "", "new": MASK if new else ""}
    cell = {"column": column.name, "old": column.to_json(old), "new": column.to_json(new)}
    if hasattr(column, "options"):
        # The other row may be renamed or gone when somebody reads this.
        cell |= {"old_label": column.show(old, scope), "new_label": column.show(new, scope)}
    return cell


def change_of(sheet: Sheet, record: Any, kind: str, cells: list[dict[str, Any]]) -> Change:
    """A history row about `record`, not yet saved."""
    return Change(
        model=sheet.label,
        object_pk=record.pk,
        object_name=str(record)[:160],
        kind=kind,
        version=record.version,
        cells=cells,
        subject_pk=getattr(sheet.subject(record), "pk", None),
    )


def record_operation(
    actor: User | None,
    customer: Customer | None,
    kind: str,
    facts: RequestFacts,
    reason: str,
    changes: Sequence[Change] = (),
    undoes: Operation | None = None,
) -> Operation:
    """Write an operation with its rows into the history. Inside the caller's transaction.

    Also for what changes no column but must be remembered: a restart sent, a secret shown.
    """
    operation = Operation.objects.create(
        kind=kind,
        customer=customer,
        actor_pk=actor.pk if actor else None,
        actor_name=str(actor)[:160] if actor else "pbxadmin",
        source=facts.source,
        address=facts.address,
        request_id=facts.request_id,
        reason=reason[:200],
        undoes=undoes,
    )
    for change in changes:
        change.operation = operation
    Change.objects.bulk_create(changes, batch_size=2_000)
    return operation


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

    `verb` is what the actor must be allowed to do to the person behind a record: a phone goes for who may edit its user.
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
        if section.losses:
            for key, sentences in section.losses(records, scope).items():
                losses[key] += sentences
        for rule in section.removal_rules:
            for key, sentence in rule(records, scope).items():
                refusals.setdefault(key, str(sentence))
    return Removal(sheet, scope, records, refusals, dict(losses), verb)


def remove(removal: Removal, facts: RequestFacts, reason: str = "") -> Operation | None:
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
        _lock(sheet, scope, rows)
        again = plan_removal(scope.actor, scope.customer, sheet, [row.key for row in rows], removal.verb)
        if again.refusals:
            removal.refusals = again.refusals
            raise RefusedError
        last = Plan(sheet, scope, dict(sheet.columns), rows)
        last.need(*sheet.columns)
        changes = [
            change_of(
                sheet,
                row.record,
                Kind.DELETE,
                [
                    _cell(sheet.columns[name], scope, value, None)
                    for name, value in row.before.items()
                    if value not in (None, "", (), False)
                ],
            )
            for row in rows
        ]
        operation = record_operation(scope.actor, scope.customer, Kind.DELETE, facts, reason, changes)
        changed.send(sheet.model, rows=rows, operation=operation)
        manager: models.Manager = sheet.model._default_manager
        manager.filter(pk__in=[row.key for row in rows]).delete()
    return operation
