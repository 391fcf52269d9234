"""A file of people from its bytes to what becomes of each row, and into the tables."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from files.importing import people, phones
from files.importing.outcome import BLANK, CHANGED, NEW, REFUSED, UNCHANGED, RowOutcome, Said, counted, told
from files.importing.people import Meant, Mode
from files.importing.phones import Phones
from files.importing.wanted import Wanted, wanted_of
from files.reading import Table, read
from files.reading.headers import Columns, columns_of
from files.reading.spreadsheets import Kind
from pbxadmin.common.columns import Column, Scope
from pbxadmin.common.http import RequestFacts
from phones.keys.targets import expect_colleagues
from users import road
from users.models import Operation


@dataclass
class Import:
    """A file that was looked at: what it is, what each row means, and the plans of the road."""

    scope: Scope
    table: Table
    columns: Columns
    mode: Mode
    wanted: list[Wanted]
    meant: list[Meant] = field(default_factory=list)
    people: road.Plan | None = None
    phones: Phones | None = None
    outcomes: list[RowOutcome] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, int]:
        """How many rows have each outcome."""
        return counted(self.outcomes)

    @property
    def refused(self) -> set[int]:
        """The rows that can't be written."""
        return {row.row for row in self.outcomes if row.outcome == REFUSED}

    @property
    def plans(self) -> list[road.Plan]:
        """The plans in the order in which they are written."""
        found = [
            self.people,
            self.phones.routers if self.phones else None,
            self.phones.plan if self.phones else None,
        ]
        return [plan for plan in found if plan is not None]


def names() -> list[str]:
    """All names that the columns of a file of people may have."""
    return [*people.names(), *phones.names()]


def kind_of(name: str) -> Kind:
    """What the cells of a column are, as far as a spreadsheet cares."""
    return phones.kind_of(name) if name in phones.names() else people.kind_of(name)


def look_at(
    content: bytes, scope: Scope, mode: Mode = Mode.BOTH, chosen: Mapping[str, str] | None = None
) -> Import:
    """Read a file and plan all of it; nothing is written.

    `chosen` {name in the file: our column} is what somebody said of its columns. Raises `FileRefusedError`.
    """
    table = read(content)
    columns = columns_of(table.header, names(), chosen)
    made = Import(scope, table, columns, mode, list(wanted_of(table, columns, kind_of)))
    _plan(made, made.wanted)
    return made


def good_rows(made: Import) -> Import:
    """The same file without the rows that can't be written, and without those that lean on them."""
    left_out: set[int] = set()
    while refused := made.refused - left_out:
        left_out |= refused
        again = Import(
            Scope(made.scope.actor, made.scope.customer), made.table, made.columns, made.mode, made.wanted
        )
        _plan(again, [row for row in made.wanted if row.record.row not in left_out])
        made = again
    return made


def write(made: Import, facts: RequestFacts, reason: str = "") -> Operation | None:
    """Write it, all or nothing. Raises what `road.apply_all` raises."""
    return road.apply_all(made.plans, facts, reason)


def _plan(made: Import, rows: Sequence[Wanted]) -> None:
    made.meant = people.meant_by(made.scope, rows, made.mode)
    expect_colleagues(made.scope, people.coming(made.meant))
    people.read_values(made.scope, made.meant)
    made.people = people.plan_people(made.scope, made.meant)
    made.phones = phones.plan_phones(made.scope, made.meant)
    by_row = {each.wanted.record.row: each for each in made.meant}
    of_people = _Called(people.columns_by_name(), made.columns)
    of_phones = _Called(phones.columns_by_name(), made.columns)
    made.outcomes = [
        _outcome(made, wanted, by_row.get(wanted.record.row), of_people, of_phones) for wanted in rows
    ]


class _Called:
    """The columns of a sheet by name, with what files and this very file call them."""

    def __init__(self, columns: Mapping[str, Column], read: Columns) -> None:
        self.columns = columns
        self.ours = {name: column.csv for name, column in columns.items()}
        self.here = {name: read.called(file_name) for name, file_name in self.ours.items()} | {"": ""}


def _outcome(
    made: Import, wanted: Wanted, meant: Meant | None, of_people: _Called, of_phones: _Called
) -> RowOutcome:
    record = wanted.record
    if meant is None or meant.planned is None:
        return RowOutcome(record.row, record.line, BLANK)
    planned, phone = meant.planned, made.phones.of(meant) if made.phones else None
    parts = [(planned, of_people), *([(phone, of_phones)] if phone else [])]
    errors: list[Said] = []
    warnings: list[Said] = []
    changes: dict[str, tuple[str, str]] = {}
    raw: dict[str, str] = {}
    if wanted.warnings or any(row.warnings or row.errors or row.refusal for row, _called in parts):
        header = made.columns.header
        raw = {
            header[place]: record.cells[place] for place in made.columns.by_place if place < len(record.cells)
        }
    for row, called in parts:
        # That a phone's person can't be made either is said by the person's own reasons.
        reasons = {name: found for name, found in row.reasons.items() if row is planned or name != "user"}
        if reasons:
            errors += told(reasons, called.here, raw, wanted.value, called.ours)
        if row.warnings:
            warnings += told(row.warnings, called.here, raw, wanted.value, called.ours)
        if not planned.new:
            changes |= _changes(row, called.columns, made.scope)
    if wanted.warnings:
        here = {name: made.columns.called(name) for name in wanted.warnings}
        warnings += told(wanted.warnings, here, raw, wanted.value, {})
    outcomes: Collection[str] = {row.outcome for row, _called in parts}
    outcome = next(each for each in (REFUSED, NEW, CHANGED, UNCHANGED) if each in outcomes)
    if outcome == NEW and not planned.new:
        outcome = CHANGED  # a phone that is new, of somebody who was there
    number = planned.after.get("number", "") if planned.new else planned.value_of_record("number")
    number = str(number or wanted.cells.get("Number", ""))
    return RowOutcome(record.row, record.line, outcome, number, _once(errors), _once(warnings), changes)


def _once(said: Sequence[Said]) -> list[Said]:
    return list({(each.column, each.reason.code, str(each.reason)): each for each in said}.values())


def _changes(
    planned: road.RowPlan, columns: Mapping[str, Column], scope: Scope
) -> dict[str, tuple[str, str]]:
    return {
        columns[name].csv or name: (columns[name].to_cell(old, scope), columns[name].to_cell(new, scope))
        for name, (old, new) in planned.changes.items()
        if name in columns
    }
