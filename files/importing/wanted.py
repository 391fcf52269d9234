"""What each row of a file wants: its cells by the column that they are, as they were typed, with what became of them on the way."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from files.importing.words import DAMAGES
from files.reading.headers import Columns
from files.reading.spreadsheets import Kind, as_typed, damage, may_have_lost_a_zero
from files.reading.table import Record, Table
from pbxadmin.common.crypto import MASK
from pbxadmin.common.reasons import Reason

WHOLE_ROW = ""


class Cells(Mapping[str, str]):
    """The texts of a row by the column that they are, without those that can't be read: what a file doesn't have, or a row ends before.

    Fifty thousand rows are in memory at once: a row keeps its texts alone, and where each column stands is kept once for all rows.
    """

    __slots__ = ("places", "texts")

    def __init__(self, places: Mapping[str, int], texts: Sequence[str | None]) -> None:
        """`places` {column: its place} are those of the whole file; `texts` the row's, None where one can't be read."""
        self.places = places
        self.texts = texts

    def __getitem__(self, column: str) -> str:
        text = self.get(column)
        if text is None:
            raise KeyError(column)
        return text

    def __contains__(self, column: object) -> bool:
        return self.get(column) is not None

    def __iter__(self) -> Iterator[str]:
        return (column for column in self.places if column in self)

    def __len__(self) -> int:
        return sum(1 for _column in self)

    def get(self, column: Any, default: Any = None) -> Any:
        """The text; `default` where there is none."""
        place = self.places.get(column)
        if place is None or place >= len(self.texts):
            return default
        text = self.texts[place]
        return default if text is None else text


@lru_cache(maxsize=8)
def _row_in_words(language: str | None) -> str:
    return _("row %(row)s")


NO_CELLS = Cells({}, ())


@dataclass(slots=True)
class Wanted:
    """One row. `problems` and `warnings` {the file's name of the column: reasons}, "" for the row itself."""

    record: Record
    cells: Cells = field(default_factory=lambda: NO_CELLS)
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
        return _row_in_words(get_language()) % {"row": self.record.row}

    def refuse(self, column: str, sentence: Any, code: str) -> None:
        """Something that keeps the row out."""
        self.problems.setdefault(column, []).append(Reason(sentence, code))

    def warn(self, column: str, sentence: Any, code: str) -> None:
        """Something to be told that keeps nothing out."""
        self.warnings.setdefault(column, []).append(Reason(sentence, code))


def columns_there(rows: Iterable[Wanted]) -> set[str]:
    """The columns that the file of these rows has."""
    return set().union(*{id(row.cells.places): row.cells.places for row in rows}.values())


def wanted_of(table: Table, columns: Columns, kind_of: Callable[[str], Kind]) -> Iterator[Wanted]:
    """Each row of a table, in its order."""
    width = len(columns.header)
    last = max(columns.by_place, default=0)
    places = {column: place for place, column in columns.by_place.items()}
    plain: list[tuple[int, str, Kind, set[str]]] = [
        (place, column, kind_of(column), set()) for place, column in columns.by_place.items()
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
            row.cells = Cells(places, _read(row, record.cells, plain))
        yield row


def _read(
    row: Wanted, cells: Sequence[str], columns: Sequence[tuple[int, str, Kind, set[str]]]
) -> Sequence[str | None]:
    """The texts of a row: its cells themselves, where a spreadsheet has done nothing to any of them.

    `columns` are place, name, kind and the texts that were plain before: each is looked at once.
    """
    texts: list[str | None] | None = None
    count = len(cells)
    for place, column, kind, plain in columns:
        if place >= count or ((raw := cells[place]) in plain and raw.__class__ is str):
            continue  # a damaged cell of a workbook may read like one that isn't
        text = _text_of(row, column, raw, kind)
        if text is not raw:
            texts = list(cells) if texts is None else texts
            texts[place] = text
        elif raw.__class__ is str and column not in row.warnings:
            plain.add(raw)
    return cells if texts is None else tuple(texts)


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


def _text_of(row: Wanted, column: str, raw: str, kind: Kind) -> str | None:
    """What was typed into a cell; None where that can't be known any more, which is told."""
    text = raw if raw == "" else as_typed(raw, kind)
    # What a workbook says of its own cell, then what its text shows.
    if reason := damage(raw, kind) or damage(text, kind):
        facts = {"value": MASK if column == "VMPIN" else raw[:40], "maybe": text.strip().rjust(12, "0")}
        row.refuse(column, DAMAGES[reason] % facts, reason)
        return None
    if column == "VMPIN" and may_have_lost_a_zero(text):
        row.warn(
            column,
            _("A PIN of %(count)s digits: its first zero may have been lost in a spreadsheet.")
            % {"count": len(text)},
            "maybe_lost_zero",
        )
    return raw if text == raw else text
