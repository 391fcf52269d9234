"""Planning: every row is cleaned, judged by itself and among the others, and told what would happen to it; nothing is written."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from pbxadmin.common.columns import Column, FieldColumn, Scope, Store, Text
from pbxadmin.common.sections import Sheet
from users import rights
from users.models import Customer, User
from users.road.sheets import rules_of, stores_of, why_not


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
    seen: int | None = None

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

    @property
    def sentences(self) -> list[str]:
        """Why the row can't be written, each reason once; empty where it can be."""
        words = [self.refusal, *(text for texts in self.errors.values() for text in texts)]
        return list(dict.fromkeys(text for text in words if text))

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
    verb: rights.Verb = rights.Verb.EDIT

    def having(self, *outcomes: str) -> list[RowPlan]:
        """The rows with one of these outcomes."""
        return [row for row in self.rows if row.outcome in outcomes]

    @property
    def refused(self) -> list[RowPlan]:
        """The rows that can't be written."""
        return self.having("refused")

    @property
    def sentences(self) -> list[str]:
        """Why rows can't be written, each sentence with the record that it is about."""
        return [
            f"{name}: {text}" if (name := str(row.label or row.record or "").strip()) else text
            for row in self.refused
            for text in row.sentences
        ]

    def without(self, rows: Iterable[RowPlan]) -> "Plan":
        """The plan of the other rows alone, made anew: what a rule says of a row may hang on rows that aren't there any more.

        Who was refused because of somebody who is left out may go now, and the other way round: ask `refused` again.
        """
        left_out = {id(row) for row in rows}
        left = [row for row in self.rows if id(row) not in left_out]
        return plan(
            self.scope.actor,
            self.scope.customer,
            self.sheet,
            [Row(row.key, row.raw, row.label, row.seen) for row in left],
            self.verb,
            scope=self.scope,
            records={row.key: row.record for row in left if not row.new and row.record is not None},
        )

    def without_refused(self) -> "Plan":
        """The plan of those rows that can be written, all at once; leaving some out can refuse others, which go as well."""
        made = self
        while refused := made.refused:
            made = made.without(refused)
        return made

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
    planned = [
        RowPlan(key=row.key, label=row.label, raw=row.values, new=row.key is None, seen=row.seen)
        for row in rows
    ]
    named = {name for row in planned for name in row.raw if name in sheet.columns}
    columns = {name: column for name, column in sheet.columns.items() if name in named}
    made = Plan(sheet, scope, columns, planned, verb=verb)
    _load_records(made, verb, records or {})
    _clean(made)
    if verb in (rights.Verb.SELF, rights.Verb.STATUS):
        _refuse_what_is_not_ones_own(made, verb)
    _refuse_what_takes_another_right(made)
    _refuse_what_the_customer_does_not_have(made)
    for rule in rules_of(sheet, "row_rules"):
        for row in made.rows:
            if row.record is not None and not row.refusal:
                rule(row, made)
    for rule in rules_of(sheet, "set_rules"):
        rule(made)
    return made


def _refuse_what_is_not_ones_own(made: Plan, verb: rights.Verb) -> None:
    """Who changes himself changes the columns that `rights.own_columns` lists, whatever else is sent; a colleague's, the status alone."""
    for row in made.rows:
        if row.new:
            row.refusal = row.refusal or _("You can do this for yourself only.")
        allowed = rights.columns_within(made.scope.actor, verb)
        for name in row.raw.keys() - allowed:
            row.after.pop(name, None)
            row.errors[name] = [_("You can't change this yourself: ask an administrator of your company.")]


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


def _refuse_what_the_customer_does_not_have(made: Plan) -> None:
    """What a page doesn't show, or shows locked (an integration, a licence), no other way in changes; the same value again is no change."""
    for name, column in made.columns.items():
        if not column.has_limits:
            continue
        absent = column.absent(made.scope)
        for row in made.rows:
            if name not in row.after or row.after[name] == row.before[name]:
                continue
            if words := absent or column.locked(made.scope, row.before[name]):
                row.refuse(name, words)


def _load_records(made: Plan, verb: rights.Verb, known: Mapping[Any, Any]) -> None:
    """Find every record that isn't known yet in one query, through the entrance of tenancy; ask whether the actor may."""
    sheet, scope = made.sheet, made.scope
    found = dict(known)
    keys = [row.key for row in made.rows if not row.new and row.key not in found]
    if keys:
        manager: Any = sheet.model._default_manager
        found |= (
            manager.visible_to(scope.actor).of(scope.customer).select_related(*sheet.related).in_bulk(keys)
        )
    for row in made.rows:
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
        if row.seen is not None and row.seen != row.record.version:
            row.stale = True
            row.refusal = _("Somebody else changed it in between.")
        row.before = {
            name: column.read(row.record)
            for name, column in made.columns.items()
            if isinstance(column, FieldColumn)
        }
    for store in stores_of(made.columns.values()):
        made._load(store)


def _new_record(sheet: Sheet, scope: Scope) -> Any:
    """An empty record; where a customer itself is planned, the one that the scope holds, not saved yet."""
    if sheet.model is Customer:
        return scope.customer
    return sheet.model(**({"customer": scope.customer} if sheet.has_customer else {}))


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
