"""Rows as the bytes of a file, a piece at a time."""

import csv
import io
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from itertools import chain
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell


class Kind(StrEnum):
    """The kinds of file."""

    CSV = "csv"
    XLSX = "xlsx"

    @property
    def content_type(self) -> str:
        """As browsers are told."""
        return (
            "text/csv; charset=utf-8"
            if self is Kind.CSV
            else "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        )


PIECE = 64 * 1024


def as_csv(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[bytes]:
    """UTF-8 without a mark, commas and CRLF, as 3CX writes it."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(header)
    for row in rows:
        writer.writerow(row)
        if text.tell() > PIECE:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode()


def as_workbook(title: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[bytes]:
    """A workbook with one sheet, every cell of it text. The rows are written to disk as they come."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(title[:31])
    sheet.freeze_panes = "A2"
    for row in chain([header], rows):
        sheet.append([_text(sheet, cell) for cell in row])
    with tempfile.TemporaryFile() as file:
        book.save(file)
        file.seek(0)
        while piece := file.read(PIECE):
            yield piece


def _text(sheet: Any, value: str) -> Any:
    if value == "":
        return None
    cell: Any = WriteOnlyCell(sheet)
    # Text, and never a formula, whatever it begins with.
    cell._value, cell.data_type, cell.number_format = value, "s", "@"
    return cell


def written(kind: Kind, title: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[bytes]:
    """A file of one kind."""
    return as_csv(header, rows) if kind is Kind.CSV else as_workbook(title, header, rows)
