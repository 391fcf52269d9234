"""What both kinds of file become: rows of texts, numbered as a spreadsheet numbers them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

MOST_ROWS = 50_000
MOST_COLUMNS = 500


class FileRefusedError(Exception):
    """A file that can't be read as a whole: `reason` is a code, `facts` what its sentence names, `table` its rows where only the
    meaning of its columns is missing."""

    table: "Table | None" = None

    def __init__(self, reason: str, **facts: Any) -> None:
        super().__init__(f"{reason} {facts}")
        self.reason = reason
        self.facts: Mapping[str, Any] = facts


class Damage(str):
    """A cell that isn't what somebody typed any more; the text is what is left of it, `reason` what became of it.

    A workbook knows of its own cells that they are dates, errors or formulas without a result; a text file doesn't.
    """

    reason: str

    def __new__(cls, text: str, reason: str) -> "Damage":
        """What stands there, and what it was made into."""
        made = super().__new__(cls, text)
        made.reason = reason
        return made


@dataclass(frozen=True, slots=True)
class Record:
    """One row: `row` as a spreadsheet numbers it (the header is one, blank ones count), `line` the line of the text where it begins."""

    row: int
    line: int
    cells: Sequence[str]

    @property
    def is_blank(self) -> bool:
        """Whether nothing stands in it."""
        return not any(cell.strip() for cell in self.cells)


@dataclass
class Table:
    """A file as it was read."""

    header: list[str]
    header_row: int
    records: list[Record]
    # What the page says of how it was read; "" where it doesn't apply to this kind of file.
    encoding: str = ""
    bom: bool = False
    separator: str = ""  # a sign, or "tab"
    line_ends: str = ""  # "crlf", "lf", "cr" or "mixed"
    sheet: str = ""
    facts: dict[str, Any] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Record]:
        return iter(self.records)
