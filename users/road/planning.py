"""Planning: every row is cleaned, judged by itself and among the others, and told what would happen to it; nothing is written."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from pbxadmin.common.columns import Column, FieldColumn, Scope, Text
from pbxadmin.common.reasons import Reason, reasons_of
from pbxadmin.common.references import Store
from pbxadmin.common.sections import Sheet
from users import rights
from users.models import Customer, User
from users.road.loading import records_of
from users.road.rows import NOTHING, Row, RowPlan, is_there_twice
from users.road.sheets import rules_of, stores_of, why_not


@dataclass
class Plan:
    """Every row with its outcome. Rules across the set read and refuse through it."""

    sheet: Sheet
    scope: Scope
    columns: dict[str, Column]
    rows: list[RowPlan]
    loaded: set[Store] = field(default_factory=set)
    verb: rights.Verb = rights.Verb.EDIT
    known: set[str] = field(default_factory=set)  # columns whose present value every row has
    leaning: set[str] = field(default_factory=set)  # columns that refer to rows which aren't written yet
    leave_limited: bool = False  # whether what the customer doesn't have is left as it is, instead of refused
    cleaned: Collection[str] = ()  # columns whose values are clean ones, whatever row has them

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
            f"{name}{pgettext('before a value', ':')} {text}"
            if (name := str(row.label or row.record or "").strip())
            else text
            for row in self.refused
            for text in row.sentences
        ]

    def without(self, rows: Iterable[RowPlan]) -> "Plan":
        """The plan of the other rows alone, made anew: what a rule says of a row may hang on rows that aren't there any more.

        Whoever was refused because of somebody who is left out may go now, and the other way round: ask `refused` again.
        """
        left_out = {id(row) for row in rows}
        left = [row for row in self.rows if id(row) not in left_out]
        return plan(
            self.scope.actor,
            self.scope.customer,
            self.sheet,
            [
                Row(
                    row.key,
                    row.raw,
                    row.label,
                    row.seen,
                    row.pending,
                    row.leaving,
                    row.problems,
                    row.steps_down,
                )
                for row in left
            ],
            self.verb,
            scope=self.scope,
            leave_limited=self.leave_limited,
            cleaned=self.cleaned,
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
            if name in self.known:
                continue
            self.known.add(name)
            column = self.sheet.columns[name]
            if store := getattr(column, "store", None):
                self._load(store)
                continue
            for row in self.rows:
                if name not in row.before and row.record is not None:
                    row.before[name] = column.read(row.record)
                    row._changes = None

    def twice(
        self, rows: Iterable[RowPlan], values_of: Callable[[RowPlan], Iterable[Any]]
    ) -> Mapping[Any, str]:
        """The values that more than one of these rows asks for, each with the names of those rows, as their caller calls them."""
        asking: dict[Any, list[str]] = defaultdict(list)
        for row in rows:
            for value in values_of(row):
                asking[value].append(row.label)
        return {
            value: ", ".join(label for label in labels if label)
            for value, labels in asking.items()
            if len(labels) > 1
        }

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
        self.known.update(names)
        new = [row for row in self.rows if row.new][:1]  # all of them share one `before`
        for row in [*new, *(row for row in self.rows if not row.new)]:
            found = values.get(row.key, {})
            for name in names:
                row.before.setdefault(name, found.get(name, ()))
            row._changes = None


def plan(
    actor: User,
    customer: Customer | None,
    sheet: Sheet,
    rows: Iterable[Row],
    verb: rights.Verb = rights.Verb.EDIT,
    scope: Scope | None = None,
    records: Mapping[Any, Any] | None = None,
    leave_limited: bool = False,
    cleaned: Collection[str] = (),
) -> Plan:
    """Validate `rows` and say what would happen to each; nothing is written. `customer` None: what is the provider's own.

    Records that `actor` doesn't see in `customer` are refused as unknown. A column that isn't in the sheet, or can't be
    changed after creation, is refused by name: no way in assigns what its page doesn't offer. A page that has made a
    form of the same scope hands it over, so that the choices aren't looked up twice; and the `records` by key that it has
    just read for the form, through the same entrance of tenancy and with the sheet's `related`. Whoever wrote in between is
    found by their versions, under the lock. `leave_limited`: what the customer doesn't have, or may not change, is left as it is and
    told once, instead of refusing its row (files say of every option something). `cleaned`: columns of which every row says what the
    column itself has read in this very scope (`Column.said_in_file`): they aren't read again, but for references to rows that come
    with the plan.
    """
    scope = scope or Scope(actor, customer)
    planned = [
        RowPlan(
            key=row.key,
            label=row.label,
            raw=row.values,
            new=row.key is None,
            seen=row.seen,
            pending=row.pending,
            leaving=row.leaving,
            errors={name: list(reasons) for name, reasons in row.problems.items()},
            problems=row.problems,
            steps_down=row.steps_down,
        )
        for row in rows
    ]
    for each in planned:
        if each.pending is not None:
            each.pending.row = each
    named = {name for row in planned for name in row.raw if name in sheet.columns}
    columns = {name: column for name, column in sheet.columns.items() if name in named}
    made = Plan(sheet, scope, columns, planned, verb=verb, leave_limited=leave_limited, cleaned=cleaned)
    _load_records(made, verb, records or {})
    return judge(made)


def judge(made: Plan) -> Plan:
    """Clean what is wanted of rows whose records and present values are known, and ask every rule about it; `made` itself."""
    sheet, verb = made.sheet, made.verb
    _clean(made)
    _refuse_what_is_there_twice(made)
    if verb in (rights.Verb.SELF, rights.Verb.STATUS):
        _refuse_what_is_not_ones_own(made, verb)
    _refuse_what_takes_another_right(made)
    _refuse_what_the_customer_does_not_have(made)
    judged = [row for row in made.rows if row.record is not None and not row.refusal]
    for rule in rules_of(sheet, "row_rules"):
        for row in judged:
            if not row.refusal:
                rule(row, made)
    for rule in rules_of(sheet, "set_rules"):
        rule(made)
    return made


def _refuse_what_is_there_twice(made: Plan) -> None:
    """Two rows that change one record are both refused: what would become of it hangs on their order."""
    keys = [row.key for row in made.rows if not row.new]
    if len(set(keys)) == len(keys):
        return
    changing = [row for row in made.rows if not row.new and row.record is not None and row.changes]
    several = made.twice(changing, lambda row: [row.key])
    for row in changing:
        if row.key in several:
            row.refuse("", is_there_twice(str(row.record), several[row.key]), "person_twice")


def _refuse_what_is_not_ones_own(made: Plan, verb: rights.Verb) -> None:
    """Whoever changes themselves changes the columns that `rights.own_columns` tells, whatever else is sent; a colleague's, the status alone."""
    allowed = rights.own_columns(made.scope.actor, verb, made.columns.values())
    for row in made.rows:
        if row.new and not made.sheet.made_by_oneself:
            row.refusal = row.refusal or Reason(_("You can do this for yourself only."), "not_yours")
        for name in row.raw.keys() - allowed:
            row.leave(name)
            row.errors[name] = []
            row.refuse(
                name, _("You can't change this yourself: ask an administrator of your company."), "not_yours"
            )


def _refuse_what_takes_another_right(made: Plan) -> None:
    """Refuse changes of columns that ask for a right of their own; the same value again is no change."""
    sheet = made.sheet
    if made.columns.keys().isdisjoint(sheet.own_verbs):
        return
    for row in made.rows:
        if row.record is None or row.refusal:
            continue
        for name in row.raw.keys() & sheet.own_verbs.keys():
            same = name not in row.errors and row.after.get(name) == row.before.get(name)
            if same or not (
                reason := why_not(sheet, made.scope, sheet.own_verbs[name], None if row.new else row.record)
            ):
                continue
            row.leave(name)
            row.errors[name] = [Reason(reason, "not_yours")]


def _refuse_what_the_customer_does_not_have(made: Plan) -> None:
    """What a page doesn't show, or shows locked (an integration, a licence), no other way in changes; the same value again is no change."""
    for name, column in made.columns.items():
        if not column.has_limits:
            continue
        absent = column.absent(made.scope)
        told = False
        for row in made.rows:
            if name not in row.after or row.after[name] == row.before[name]:
                continue
            if not (words := absent or column.locked(made.scope, row.before[name])):
                continue
            code = "integration_off" if absent else "licence"
            if not made.leave_limited:
                row.refuse(name, words, code)
                continue
            row.leave(name)
            if not told:
                row.warn(name, words, code)
            told = True


def _load_records(made: Plan, verb: rights.Verb, known: Mapping[Any, Any]) -> None:
    """Find every record that isn't known yet in one query, through the entrance of tenancy; ask whether the actor may."""
    sheet, scope = made.sheet, made.scope
    found = dict(known)
    keys = [row.key for row in made.rows if not row.new and row.key not in found]
    if keys:
        found |= records_of(sheet, scope, made.columns.values(), keys)
    if any(row.new for row in made.rows):
        _prepare_new(made)
    rights.look_up_departments(scope.actor, [sheet.subject(record) for record in found.values()])
    own = [(name, column) for name, column in made.columns.items() if isinstance(column, FieldColumn)]
    for row in made.rows:
        if row.new:
            continue
        row.record = record = found.get(row.key)
        if record is None:
            row.refusal = Reason(_("This item no longer exists. Reload the page."), "not_there")
            continue
        row.subject = getattr(sheet.subject(record), "pk", None)
        # Whoever changes nothing but the hours of a department isn't asked for the right over the department.
        if not row.raw or row.raw.keys() - sheet.own_verbs.keys():
            row.refusal = _not_ones_to_change(why_not(sheet, scope, verb, record))
        if row.seen is not None and row.seen != record.version:
            row.stale = True
            row.refusal = Reason(_("Somebody else changed this in the meantime. Reload the page."), "stale")
        row.before = {name: column.read(record) for name, column in own}
    made.known.update(name for name, _column in own)
    for store in stores_of(made.columns.values()):
        made._load(store)


def _not_ones_to_change(why: Text | None) -> Reason | str:
    return Reason(why, "not_yours") if why else ""


def _prepare_new(made: Plan) -> None:
    """New rows share one empty record and its values until they are written: ten thousand of them differ in nothing yet."""
    sheet, scope = made.sheet, made.scope
    blank = _new_record(sheet, scope)
    values = {
        name: column.read(blank) for name, column in sheet.columns.items() if isinstance(column, FieldColumn)
    }
    refusal = _not_ones_to_change(why_not(sheet, scope, rights.Verb.CREATE))
    for row in made.rows:
        if row.new:
            row.record, row.before, row.refusal = blank, values, refusal


def _new_record(sheet: Sheet, scope: Scope) -> Any:
    """An empty record; where a customer itself is planned, the one that the scope holds, not saved yet."""
    if sheet.model is Customer:
        return scope.customer
    return sheet.model(**({"customer": scope.customer} if sheet.has_customer else {}))


def _clean(made: Plan) -> None:
    """Column by column, remembering what each distinct raw value became: options have few distinct values."""
    scope, columns = made.scope, made.sheet.columns
    fixed = {name for name, column in made.columns.items() if column.at_creation_only}
    for row in made.rows:
        for name in row.raw.keys() - columns.keys():
            row.refuse("", _("There is no column “%(name)s”.") % {"name": str(name)[:40]}, "no_column")
    rows = [row for row in made.rows if row.record is not None]
    for name, column in made.columns.items():
        refers = column.refers
        if name in made.cleaned and not refers:
            for row in rows:
                if name in row.raw and not (row.errors and name in row.errors):
                    row.after[name] = row.raw[name]  # type: ignore[index]  # as below
            continue
        memory: dict[Any, tuple[Any, list[Reason] | None]] = {}
        for row in rows:
            raw = row.raw.get(name, NOTHING)
            if raw is NOTHING or (row.errors and name in row.errors):
                continue
            # Lists may hold lists (a history's old value): what they say is their key.
            remembered = (repr(raw),) if isinstance(raw, (list, tuple, dict)) else raw
            if (known := memory.get(remembered)) is None:
                try:
                    known = (column.clean(column.as_typed(raw), scope), None)
                except ValidationError as error:
                    known = (None, reasons_of(error))
                memory[remembered] = known
                if refers and column.awaits(known[0]):
                    made.leaning.add(name)
            if known[1] is None:
                row.after[name] = known[0]  # type: ignore[index]  # nobody has asked for the changes yet
            elif not row.new and name in row.before and column.is_shown_as(raw, row.before[name], scope):
                # What is stored and wasn't touched stays, whatever the rules of today: it keeps nobody from saving the rest.
                row.after[name] = row.before[name]  # type: ignore[index]  # as above
            else:
                row.errors.setdefault(name, []).extend(known[1])
    for name in fixed:
        _keep_as_created(made, name)


def _keep_as_created(made: Plan, name: str) -> None:
    """What a record was created with stays: another value is refused, and the very same one is no change."""
    for row in made.rows:
        if row.new or name not in row.raw:
            continue
        same = name in row.after and row.after[name] == row.before.get(name)
        row.leave(name)
        if name in row.problems:
            continue  # what its caller found says more
        row.errors.pop(name, None)
        if not same:
            row.refuse(name, _("This field can't be changed after creation."), "fixed")
