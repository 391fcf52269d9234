"""What each row of a file wants: its cells by the column that they are, as they were typed, with what became of them on the way."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from files.importing.words import DAMAGES
from files.reading.headers import Columns
from files.reading.spreadsheets import Kind, as_typed, damage, may_have_lost_a_zero
from files.reading.table import Damage, Record, Table
from pbxadmin.common.reasons import Reason

WHOLE_ROW = ""


@dataclass
class Wanted:
    """One row. `cells` {column of ours: text}; `problems` and `warnings` {the file's name of the column: reasons}, "" for the row itself."""

    record: Record
    cells: dict[str, str] = field(default_factory=dict)
    problems: dict[str, list[Reason]] = field(default_factory=dict)
    warnings: dict[str, list[Reason]] = field(default_factory=dict)
    # What a problem or a warning without a column is about.
    value: str = ""

    @property
    def is_blank(self) -> bool:
        """Whether the row says nothing."""
        return self.record.is_blank

    @property
    def label(self) -> str:
        """As sentences call it."""
        return _("row %(row)s") % {"row": self.record.row}

    def refuse(self, column: str, sentence: Any, code: str) -> None:
        """Something that keeps the row out."""
        self.problems.setdefault(column, []).append(Reason(sentence, code))

    def warn(self, column: str, sentence: Any, code: str) -> None:
        """Something to be told that keeps nothing out."""
        self.warnings.setdefault(column, []).append(Reason(sentence, code))


def wanted_of(table: Table, columns: Columns, kind_of: Callable[[str], Kind]) -> Iterator[Wanted]:
    """Each row of a table, in its order."""
    width = len(columns.header)
    last = max(columns.by_place, default=0)
    places: list[tuple[int, str, Kind, dict[str, tuple[str, str]]]] = [
        (place, column, kind_of(column), {}) for place, column in columns.by_place.items()
    ]
    told: set[str] = set()
    for record in table:
        row = Wanted(record)
        if not row.is_blank:
            _surplus(row, record.cells[width:])
            if len(record.cells) <= last and not table.sheet:
                row.warn(
                    WHOLE_ROW,
                    _("The row ends early: the columns that it lacks stay as they are."),
                    "row_short",
                )
            _nameless(row, record.cells, columns.nameless, told)
            _rights(row, record.cells, columns.rights)
            for place, column, kind, memory in places:
                if place < len(record.cells):
                    _cell(row, column, record.cells[place], kind, memory)
        yield row


def _surplus(row: Wanted, cells: Sequence[str]) -> None:
    filled = [cell for cell in cells if cell.strip()]
    if filled:
        row.value = filled[0]
        row.refuse(
            WHOLE_ROW,
            _("There is more in this row than the header has columns: “%(value)s”.")
            % {"value": filled[0][:40]},
            "row_long",
        )


def _nameless(row: Wanted, cells: Sequence[str], nameless: Sequence[int], told: set[str]) -> None:
    found = next((cells[place] for place in nameless if place < len(cells) and cells[place].strip()), "")
    if found and "no_header" not in told:
        told.add("no_header")
        row.value = row.value or found
        row.warn(
            WHOLE_ROW,
            _("A column without a name isn't read: “%(value)s”.") % {"value": found[:40]},
            "no_header",
        )


def _rights(row: Wanted, cells: Sequence[str], rights: Mapping[int, str]) -> None:
    for place, name in rights.items():
        if place < len(cells) and cells[place].strip() not in ("", "0"):
            row.warn(
                name,
                _("Rights of an older version aren't taken over: choose a role afterwards."),
                "right_not_taken_over",
            )


def _cell(row: Wanted, column: str, raw: str, kind: Kind, memory: dict[str, tuple[str, str]]) -> None:
    """Put a cell into its row; each distinct text of a column is looked at once."""
    known = memory.get(raw)
    # A damaged cell of a workbook may read like one that isn't.
    if known is None or isinstance(raw, Damage):
        text = raw if raw == "" else as_typed(raw, kind)
        # What a workbook says of its own cell, then what its text shows.
        known = memory[raw] = text, damage(raw, kind) or damage(text, kind)
        if isinstance(raw, Damage):
            del memory[raw]
    text, reason = known
    if reason:
        facts = {"value": raw[:40], "maybe": text.strip().rjust(12, "0")}
        row.refuse(column, DAMAGES[reason] % facts, reason)
        return
    if column == "VMPIN" and may_have_lost_a_zero(text):
        row.warn(
            column,
            _("A PIN of %(count)s digits: its first zero may have been lost in a spreadsheet.")
            % {"count": len(text)},
            "maybe_lost_zero",
        )
    row.cells[column] = text
