"""Workbooks (XLSX): their first visible sheet that has a header we know, every cell as text, and what isn't what was typed marked."""

import io
import zipfile
from collections.abc import Iterator
from copy import copy
from datetime import date, datetime, time, timedelta
from typing import Any

import openpyxl

from files.reading.headers import Names, known_names, shown_name
from files.reading.opened import check
from files.reading.table import MOST_COLUMNS, MOST_ROWS, Damage, FileRefusedError, Record, Table
from files.reading.text import HEADER_WITHIN, with_header

# What a workbook may grow to when it is opened: as many rows and columns as are taken, with the markup around each cell.
LARGEST_OPENED = 250 * 1024 * 1024
# Formatted but empty rows below the last one that says something.
MOST_EMPTY = 1_000
# Whole numbers beyond this were rounded by the spreadsheet.
EXACT = 10**15


def is_workbook(content: bytes) -> bool:
    """Whether these bytes are a workbook, whatever the file is called."""
    return content.startswith(b"PK\x03\x04") and b"xl/" in content[:4_000_000]


def from_workbook(content: bytes, names: Names) -> Table:
    """The rows of a workbook. Raises `FileRefusedError`."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            if sum(part.file_size for part in parts.infolist()) > LARGEST_OPENED:
                raise FileRefusedError("too_large_opened", limit=LARGEST_OPENED // 1024 // 1024)
            check(parts)
        name, records = _best_sheet(content, names)
    except (FileRefusedError, MemoryError):
        raise
    except Exception:
        # Archives, compression, XML and workbooks can each be broken in more ways than anybody names, and all mean the same to whoever sent it.
        raise FileRefusedError("not_text") from None
    header, rows = with_header(records, names)
    return Table(
        header=[shown_name(cell) for cell in header.cells], header_row=header.row, records=rows, sheet=name
    )


def _best_sheet(content: bytes, names: Names) -> tuple[str, list[Record]]:
    """The first visible sheet with a header that we know, else the first visible one."""
    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    try:
        visible = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
        if not visible:
            raise FileRefusedError("no_rows")
        chosen = next((sheet for sheet in visible if _known_early(sheet, names)), visible[0])
        name = str(chosen.title)
        # The same sheet with its formulas: its texts are shared, instead of being read a second time.
        formulas: Any = copy(chosen)
        formulas.parent = copy(book)
        formulas.parent._data_only = False
        return name, list(_records(chosen, formulas))
    finally:
        book.close()


def _known_early(sheet: Any, names: Names) -> bool:
    rows = sheet.iter_rows(max_row=HEADER_WITHIN, max_col=MOST_COLUMNS, values_only=True)
    return any(known_names([_text(value) for value in row], names) for row in rows)


def _records(sheet: Any, formulas: Any) -> Iterator[Record]:
    """Its rows; those in the middle that say nothing as well, because a spreadsheet counts them."""
    sheet.reset_dimensions()  # what a file says of its own size may be wrong
    formulas.reset_dimensions()
    waiting: list[Record] = []
    both = zip(sheet.iter_rows(max_col=MOST_COLUMNS), formulas.iter_rows(max_col=MOST_COLUMNS), strict=False)
    for number, (row, written) in enumerate(both, start=1):
        cells = [_cell(cell, other) for cell, other in zip(row, written, strict=False)]
        while cells and not cells[-1]:
            cells.pop()
        record = Record(number, 0, cells)
        if record.is_blank:
            waiting.append(record)
            if len(waiting) > MOST_EMPTY:
                return
            continue
        if number > MOST_ROWS + HEADER_WITHIN:
            raise FileRefusedError("too_many_rows", limit=MOST_ROWS)
        yield from waiting
        waiting.clear()
        yield record


def _cell(cell: Any, written: Any) -> str:
    """A cell's text; `written` is the same cell with its formula instead of what came of it."""
    value = cell.value
    if value is None:
        return Damage("", "excel_formula") if written.value is not None else ""
    if cell.data_type == "e":
        return Damage(str(value), "excel_error")
    if isinstance(value, (datetime, date, time, timedelta)):
        return Damage(_moment(value), "excel_date")
    return _text(value)


def _moment(value: Any) -> str:
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time(0) else value.isoformat(" ")
    return str(value) if isinstance(value, timedelta) else str(value.isoformat())


def _text(value: Any) -> str:
    """A value as it would be typed: yes and no as 1 and 0, whole numbers without a fraction."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float) and value.is_integer() and abs(value) < EXACT:
        return str(int(value))
    return str(value)
