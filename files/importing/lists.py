"""A file of anything that isn't a person: each row means one record of a sheet, by the column that names it."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, TypeVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import override

from files.importing import imports
from files.importing.imports import (
    Called,
    Contents,
    Import,
    changes_of,
    is_a_strangers,
    means,
    once,
    read_column,
    refused_as_a_strangers,
)
from files.importing.outcome import BLANK, CHANGED, NEW, REFUSED, UNCHANGED, RowOutcome, Said, told
from files.importing.wanted import Wanted
from files.reading.headers import Names
from files.reading.spreadsheets import Kind
from pbxadmin.common.columns import NOT_IN_FILES, Column, FieldColumn, Scope
from pbxadmin.common.fields import PhoneNumberField
from pbxadmin.common.reasons import Reason
from pbxadmin.common.references import LinkedColumn
from pbxadmin.common.sections import Sheet
from pbxadmin.common.values.signs import folded
from users import road
from users.company.sheets import department_sheet, system_extension_sheet
from users.people.sections import user_sheet


@dataclass
class Meant(imports.Meant):
    """One row with the record that it means, and what else comes with it."""

    # Rows of other sheets' plans that this one leans on, each with the column of ours that is to say what is wrong with them.
    beside: list[tuple[road.RowPlan, str]] = field(default_factory=list)
    # What changes beside the record's own columns, as files say it.
    changes: dict[str, tuple[str, str]] = field(default_factory=dict)


M = TypeVar("M", bound=Meant)


class Records(Generic[M]):
    """The files of one kind of record: what their columns are, which record a row means, and what becomes of it.

    `others` {ours: names in other lists}; every column is known by its label in each language as well. `follows` are columns that are
    read, written and never kept, because something else says the same.
    """

    follows: Collection[str] = ()

    def __init__(
        self,
        sheet: Callable[[], Sheet],
        others: Mapping[str, Sequence[str]] | None = None,
        without: Collection[str] = (),
        meant: Callable[[Wanted], M] = Meant,  # type: ignore[assignment]  # the one that it is where nothing more is meant
    ) -> None:
        self.sheet = sheet
        self._meant = meant
        self._others = others or {}
        self._without = without
        self.contents = Contents(lambda: self.names, self.kind_of, self.plan)

    # --- What its columns are -------------------------------------------------------------------------------------
    @cached_property
    def columns(self) -> Mapping[str, Column]:
        """The columns that its files have, by their name there, the one that names the record first."""
        found = [
            column
            for column in self.sheet().columns.values()
            if column.csv != NOT_IN_FILES and column.name not in self._without
        ]
        found.sort(key=lambda column: column.name != self.sheet().identity)
        return {column.csv: column for column in found}

    @cached_property
    def identity(self) -> Column:
        """The column that names a record."""
        return self.sheet().columns[self.sheet().identity]

    @cached_property
    def names(self) -> Names:
        """All names that the columns of such a file may have."""
        others: dict[str, list[str]] = {name: list(found) for name, found in self._others.items()}
        for language, _name in settings.LANGUAGES:
            with override(language):
                for name, column in self.columns.items():
                    others.setdefault(name, []).append(str(column.label))
        return Names(list(self.header), others, keys=(self.identity.csv,), older=False)

    @cached_property
    def header(self) -> Sequence[str]:
        """The columns of a file of ours, in their order."""
        return (*self.columns, *self.follows)

    def kind_of(self, name: str) -> Kind:
        """What the cells of a column are, as far as a spreadsheet cares."""
        column = self.columns.get(name)
        if isinstance(column, LinkedColumn):
            return Kind.DIGITS
        if not isinstance(column, FieldColumn):
            return Kind.TEXT
        if isinstance(column.field, PhoneNumberField):
            return Kind.PHONE
        if isinstance(column.field, (models.BooleanField, models.IntegerField)):
            return Kind.CODE
        return Kind.DIGITS if column is self.identity and column.at_creation_only else Kind.TEXT

    # --- What becomes of its rows ---------------------------------------------------------------------------------
    def plan(self, made: Import, rows: Sequence[Wanted]) -> None:
        """Plan the rows of a file, and say of each what becomes of it."""
        meant = [self._meant(row) for row in rows if not row.is_blank]
        self._find(made.scope, meant)
        for each in meant:
            each.keep_to(made.mode, self.identity.name)
        self.read(made.scope, meant)
        _refuse_what_contradicts(meant)
        made.plans = self.plans(made.scope, meant)
        by_row = {each.wanted.record.row: each for each in meant}
        called = Called({column.name: column for column in self.columns.values()}, made.columns)
        made.outcomes = [self._outcome(made, row, by_row.get(row.record.row), called) for row in rows]

    def _find(self, scope: Scope, meant: Sequence[M]) -> None:
        column = self.identity
        values = {}
        for place, each in enumerate(meant):
            text = each.wanted.cells.get(column.csv, "")
            if text.strip():
                try:
                    values[place] = column.clean(column.as_typed(text), scope)
                except ValidationError:
                    continue  # the plan says what is wrong with it
        found = road.find(self.sheet(), scope, values.values())
        for place, value in values.items():
            meant[place].record = found.get(value)

    def read(self, scope: Scope, meant: Sequence[M]) -> None:
        """What the cells of each row say."""
        present = {name for each in meant for name in each.wanted.cells}
        for name, column in self.columns.items():
            if name in present:
                self._column(scope, meant, name, column)
        for each in meant:
            self._leave_the_same_name(each)
            each.take_problems(self.columns, {})

    def _column(self, scope: Scope, meant: Sequence[M], name: str, column: Column) -> None:
        """What the cells of one column say."""
        read_column(scope, meant, name, column)

    def _leave_the_same_name(self, each: Meant) -> None:
        """The name by which a record was found is its own, in other letters as well: lists write them as they like."""
        name = self.identity.name
        if each.record is not None and name in each.values:
            own, said = self.identity.read(each.record), each.values[name]
            if folded(str(own)) == folded(str(said)):
                each.values[name] = own

    def plans(self, scope: Scope, meant: Sequence[M]) -> Sequence[road.Plan]:
        """The plans of the rows, in the order in which they are written; each row knows its part of them afterwards."""
        return [self.planned(scope, meant)]

    def planned(self, scope: Scope, meant: Sequence[M]) -> road.Plan:
        """The plan of the records themselves."""
        made = road.plan(
            scope.actor,
            scope.customer,
            self.sheet(),
            [
                road.Row(
                    each.record.pk if each.record is not None else None,
                    each.values,
                    each.wanted.label,
                    pending=each.pending,
                    problems=each.problems,
                )
                for each in meant
            ],
            scope=scope,
            records={each.record.pk: each.record for each in meant if each.record is not None},
            leave_limited=True,
        )
        for each, row in zip(meant, made.rows, strict=True):
            each.planned = row
        return made

    def _outcome(self, made: Import, wanted: Wanted, meant: Meant | None, called: Called) -> RowOutcome:
        record = wanted.record
        if meant is None or meant.planned is None:
            return RowOutcome(record.row, record.line, BLANK)
        planned, header = meant.planned, made.columns.header
        if is_a_strangers(planned):
            return refused_as_a_strangers(record, planned, wanted.cells.get(self.identity.csv, ""))
        raw = {header[place]: cell for place, cell in enumerate(record.cells[: len(header)])}

        def said(reasons: Mapping[str, Sequence[Reason]]) -> list[Said]:
            return told(reasons, called.here, raw, wanted.value, called.ours)

        errors, warnings = said(planned.reasons), said(planned.warnings)
        for row, column in meant.beside:
            errors += said({column: [reason for found in row.reasons.values() for reason in found]})
            warnings += said({column: [reason for found in row.warnings.values() for reason in found]})
        here = {name: made.columns.called(name) for name in wanted.warnings}
        warnings += told(wanted.warnings, here, raw, wanted.value, {})
        changes = {} if planned.new else changes_of(planned, called.columns, made.scope) | meant.changes
        if errors:
            outcome = REFUSED
        else:
            outcome = NEW if planned.new else CHANGED if changes else UNCHANGED
        name = meant.record is not None and self.identity.read(meant.record)
        name = name or planned.after.get(self.identity.name) or wanted.cells.get(self.identity.csv, "")
        text = str(name) if self.identity.name in planned.errors else self.identity.to_cell(name, made.scope)
        # What rings where is written with the people and system extensions that it is about.
        beside = [(row, {**user_sheet().columns, **called.columns}) for row, _column in meant.beside]
        refers = means((planned, called.columns), *beside) if planned.new else ""
        return RowOutcome(
            record.row, record.line, outcome, text, once(errors), once(warnings), changes, refers
        )


def _refuse_what_contradicts(meant: Sequence[Meant]) -> None:
    """Rows that say different things of one record are all refused, each naming the others."""
    by_record: dict[Any, list[Meant]] = defaultdict(list)
    for each in meant:
        if each.record is not None:
            by_record[each.record.pk].append(each)
    for group in by_record.values():
        if any(each.wanted.cells != group[0].wanted.cells for each in group[1:]):
            rows = ", ".join(each.wanted.label for each in group)
            for each in group:
                each.refuse("", road.is_there_twice(str(each.record), rows), "person_twice")


DEPARTMENTS: Records[Meant] = Records(
    department_sheet,
    {"Name": ("Nom", "Nom du département", "Département", "Department name", "Department", "Service")},
)
SYSTEM_EXTENSIONS: Records[Meant] = Records(
    system_extension_sheet,
    {
        "Number": (
            "Numéro d'extension",
            "Numéro",
            "Extension number",
            "Extension système",
            "System extension",
        ),
        "Name": ("Nom",),
    },
)
