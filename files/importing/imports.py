"""What every import has in common, whatever its rows are: read, planned, one outcome for each row, written as one operation."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from files.importing.codes import refined
from files.importing.outcome import REFUSED, RowOutcome, Said, counted
from files.importing.wanted import Wanted, wanted_of
from files.reading import FileRefusedError, Record, Table, read
from files.reading.headers import Columns, Names, columns_of
from files.reading.spreadsheets import Kind
from pbxadmin.common import progress
from pbxadmin.common.columns import Column, Pending, Scope, Text
from pbxadmin.common.http import RequestFacts
from pbxadmin.common.reasons import Reason, reasons_of
from users import road
from users.models import Operation

# So often the good rows are planned anew without those that lean on a refused one.
MOST_ROUNDS = 8
# Texts that a sentence names as possible.
MOST_NAMED = 8


class Mode(StrEnum):
    """What a file may do."""

    BOTH = "both"
    CREATE = "create"
    UPDATE = "update"


@dataclass(frozen=True)
class Contents:
    """What the rows of a file are: which columns they may have, what their cells are, and what becomes of them.

    `plan` {the import, its rows} plans the rows and sets the import's `plans` and `outcomes`; nothing is written by it.
    """

    names: Callable[[], Names]
    kind_of: Callable[[str], Kind]
    plan: Callable[["Import", Sequence[Wanted]], None]


@dataclass
class Import:
    """A file that was looked at: what it is, what each row means, and the plans of the road in the order in which they are written."""

    contents: Contents
    scope: Scope
    table: Table
    columns: Columns
    mode: Mode
    wanted: list[Wanted]
    plans: Sequence[road.Plan] = ()
    outcomes: list[RowOutcome] = field(default_factory=list)
    # Where only the good rows are taken: those that aren't, the ones that lean on a refused row included.
    left_out: list[RowOutcome] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, int]:
        """How many rows have each outcome."""
        return counted(self.outcomes)

    @property
    def refused(self) -> set[int]:
        """The rows that can't be written."""
        return {row.row for row in self.outcomes if row.outcome == REFUSED}


def look_at(
    contents: Contents,
    content: bytes,
    scope: Scope,
    mode: Mode = Mode.BOTH,
    chosen: Mapping[str, str] | None = None,
) -> Import:
    """Read a file and plan all of it; nothing is written.

    `chosen` {name in the file: our column} is what somebody said of its columns. Raises `FileRefusedError`.
    """
    names = contents.names()
    table = read(content, names)
    try:
        columns = columns_of(table.header, names, chosen)
    except FileRefusedError as refused:
        refused.table = table
        raise
    progress.at("checking")
    made = Import(contents, scope, table, columns, mode, list(wanted_of(table, columns, contents.kind_of)))
    contents.plan(made, made.wanted)
    return made


def good_rows(made: Import) -> Import:
    """The same file without the rows that can't be written, and without those that lean on them."""
    left_out: dict[int, RowOutcome] = {}
    rounds = 0
    # Each row may lean on the next one: a chain without end isn't followed, and what is left of it is still refused.
    while (refused := made.refused - left_out.keys()) and (rounds := rounds + 1) <= MOST_ROUNDS:
        left_out |= {row.row: row for row in made.outcomes if row.row in refused}
        scope = Scope(made.scope.actor, made.scope.customer)
        again = Import(made.contents, scope, made.table, made.columns, made.mode, made.wanted)
        again.contents.plan(again, [row for row in made.wanted if row.record.row not in left_out])
        again.left_out = list(left_out.values())
        made = again
    return made


def write(made: Import, facts: RequestFacts, reason: str = "") -> Operation | None:
    """Write it, all or nothing. Raises what `road.apply_all` raises."""
    return road.apply_all(made.plans, facts, reason)


# --- What a row means ---------------------------------------------------------------------------------------------
@dataclass(slots=True)
class Meant:
    """One row with the record that it means (None: a new one) and what it says of it by column."""

    nothing: ClassVar[Text] = gettext_lazy(
        "Nothing that is there is meant by this row, and this file only changes what is there."
    )
    wanted: Wanted
    record: Any = None
    values: dict[str, Any] = field(default_factory=dict)
    problems: dict[str, list[Reason]] = field(default_factory=dict)  # by column of the sheet
    pending: Pending | None = None
    planned: road.RowPlan | None = None

    def refuse(self, column: str, sentence: Any, code: str) -> None:
        """Something that keeps the row out."""
        self.problems.setdefault(column, []).append(Reason(sentence, code))

    def keep_to(self, mode: Mode, column: str) -> None:
        """Refuse, at a column of the sheet, what the file isn't to do."""
        if self.record is not None and mode is Mode.CREATE:
            self.refuse(
                column,
                _("%(user)s is there already, and this file only creates.") % {"user": self.record},
                "number_taken",
            )
        elif self.record is None and mode is Mode.UPDATE:
            self.refuse(column, self.nothing, "not_there")

    def take_problems(self, columns: Mapping[str, Column], otherwise: Mapping[str, str]) -> None:
        """What reading the row has found; `otherwise` {name in files that is no column: column of the sheet}."""
        for name, reasons in self.wanted.problems.items():
            column = columns.get(name)
            self.problems.setdefault(column.name if column else otherwise.get(name, ""), []).extend(reasons)


# What a cell says of its columns, why it can't be taken, and what is to be told of it.
CellSaid = tuple[dict[str, Any], list[Reason], Sequence[Reason]]


def said_by(column: Column, text: str, scope: Scope, new: bool) -> CellSaid:
    """What a cell of a file says."""
    try:
        values, warnings = column.said_in_file(text, scope, new)
    except ValidationError as error:
        return {}, [explained(reason, column, text) for reason in reasons_of(error)], ()
    return values, [], warnings


def explained(reason: Reason, column: Column, text: str) -> Reason:
    """Why a cell can't be taken, with its code; what it may hold where that is a handful of words, as a file has no list to choose from."""
    found = refined(reason, column.csv, text)
    if found.code == "option_value" and (words := possible(column)):
        said = _("“%(value)s” isn't possible here, only: %(options)s.") % {
            "value": text.strip()[:40],
            "options": ", ".join(words),
        }
        return Reason(said, found.code)
    return found


def possible(column: Column) -> list[str]:
    """The texts that a cell of this column may hold, where they can be counted; in 3CX's words where it has some."""
    column = getattr(column, "inner", column)  # of a row that belongs to the record
    if column.codes:
        return list(dict.fromkeys(column.codes.values()))
    field = getattr(column, "field", None)
    if isinstance(field, models.BooleanField):
        return ["0", "1"]
    choices = [str(value) for value, _label in (getattr(field, "choices", None) or ())]
    return choices if len(choices) <= MOST_NAMED else []


def read_column(scope: Scope, made: Sequence[Meant], name: str, column: Column) -> None:
    """What the cells of one column say, each distinct text read once."""
    of_new: dict[str, CellSaid] = {}
    of_old: dict[str, CellSaid] = {}
    told: set[str] = set()
    for each in made:
        cells = each.wanted.cells
        place = cells.places.get(name)
        if place is None or place >= len(cells.texts) or (text := cells.texts[place]) is None:
            continue
        new = each.record is None
        memory = of_new if new else of_old
        if (known := memory.get(text)) is None:
            known = memory[text] = said_by(column, text, scope, new)
        values, problems, warnings = known
        if problems:
            each.problems.setdefault(column.name, []).extend(problems)
        elif values:
            each.values.update(values)
        for warning in warnings:
            if warning.code not in told:  # once for the file
                told.add(warning.code)
                each.wanted.warnings.setdefault(name, []).append(warning)


# --- What becomes of it -------------------------------------------------------------------------------------------
class Called:
    """The columns of a sheet by name, with what files and this very file call them."""

    def __init__(self, columns: Mapping[str, Column], read: Columns) -> None:
        self.columns = columns
        self.ours = {name: column.csv for name, column in columns.items()}
        self.here = {name: read.called(file_name) for name, file_name in self.ours.items()} | {"": ""}


def is_a_strangers(row: road.RowPlan) -> bool:
    """Whether a row is about a record that the actor may not change, or that isn't there for them: nothing of it is theirs to read."""
    return getattr(row.refusal, "code", "") in ("not_yours", "not_there")


def refused_as_a_strangers(record: Record, row: road.RowPlan, number: str) -> RowOutcome:
    """The outcome of such a row: why it is refused, and what the file itself calls it; no value that is there, no rule's opinion of it."""
    reason = row.refusal if isinstance(row.refusal, Reason) else Reason(row.refusal, "not_yours")
    return RowOutcome(record.row, record.line, REFUSED, number, [Said("", "", reason)])


def means(*parts: tuple[road.RowPlan, Mapping[str, Column]]) -> str:
    """To what the cells of new records refer, as keys: a name in a file means something else when a department was renamed.

    `parts`: the rows that are planned for one row of the file, each with the columns of its sheet.
    """
    found = [
        (name, row.after[name])
        for row, columns in parts
        for name in sorted(row.after)
        if name in columns and columns[name].refers
    ]
    return json.dumps(found, default=lambda value: "pending" if isinstance(value, Pending) else str(value))


def once(said: Sequence[Said]) -> list[Said]:
    """The same thing told once of the same column, and of the row only where no column says it."""
    found = {(each.column, each.reason.code, str(each.reason)): each for each in said}
    of_columns = {(code, words) for column, code, words in found if column}
    return [
        each for (column, code, words), each in found.items() if column or (code, words) not in of_columns
    ]


def changes_of(
    planned: road.RowPlan, columns: Mapping[str, Column], scope: Scope
) -> dict[str, tuple[str, str]]:
    """{column of our files: (cell before, cell after)} of a planned row."""
    return {
        columns[name].csv or name: (columns[name].to_cell(old, scope), columns[name].to_cell(new, scope))
        for name, (old, new) in planned.changes.items()
        if name in columns
    }
