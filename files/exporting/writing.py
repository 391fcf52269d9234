"""Rows as the bytes of a file, a piece at a time: the same rows give the same bytes, whenever and wherever they are written."""

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from itertools import islice
from xml.sax.saxutils import escape, quoteattr

from openpyxl.utils import get_column_letter

from files.reading.table import MOST_COLUMNS


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
SEPARATORS = {"tab": "\t"}
AT_ONCE = 100  # rows


def as_csv(
    header: Sequence[str], rows: Iterable[Sequence[str]], separator: str = "", mark: bool = False
) -> Iterator[bytes]:
    """UTF-8 without a mark, commas and CRLF, as 3CX reads and writes it; or with another `separator`, and a mark.

    A mark would give French Excel the accents and nothing else: it wants semicolons, and takes leading zeros away. Workbooks are for Excel;
    a CSV file is for programs, which stumble over a mark. What goes back to whoever sent it has the separator that it came with, and the mark.
    """
    text = io.StringIO(newline="")
    text.write("\ufeff" if mark else "")
    writer = csv.writer(text, delimiter=SEPARATORS.get(separator, separator) or ",", lineterminator="\r\n")
    writer.writerow(header)
    rows = iter(rows)
    while part := list(islice(rows, AT_ONCE)):
        writer.writerows(part)
        if text.tell() > PIECE:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode()


# --- Workbooks ----------------------------------------------------------------------------------------------------
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_TEXT, _HEADING = 1, 2  # styles below, by their place
_PARTS = {
    "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPES}.sheet.main+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPES}.worksheet+xml"/>'
    f'<Override PartName="/xl/styles.xml" ContentType="{_TYPES}.styles+xml"/>'
    f'<Override PartName="/xl/sharedStrings.xml" ContentType="{_TYPES}.sharedStrings+xml"/></Types>',
    "_rels/.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/_rels/workbook.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="rId2" Type="{_OFFICE}/styles" Target="styles.xml"/>'
    f'<Relationship Id="rId3" Type="{_OFFICE}/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
    # Number format 49 is text ("@"): what is typed into such a cell later stays as it was typed.
    "xl/styles.xml": f'<styleSheet xmlns="{_MAIN}">'
    '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font><font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
    '<cellXfs count="3"><xf/><xf numFmtId="49" applyNumberFormat="1"/><xf numFmtId="49" fontId="1" applyNumberFormat="1" applyFont="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>',
}
# Texts that come again and again are written once; so many at most, that memory doesn't grow with the file.
_MOST_SHARED, _LONGEST_SHARED = 20_000, 64
# What XML can't hold, as workbooks write it, and what looks like that. Some readers take the mark of the latter out of shared texts, wherever it
# stands: a text that has it of its own is written in its cell.
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
_MARK = "x005F_"
_FORBIDDEN_IN_TITLES = re.compile(r"[\[\]:*?/\\'\x00-\x1f]")


class _Pieces:
    """What a zip file is written to: the pieces that weren't taken yet."""

    def __init__(self) -> None:
        self.waiting: list[bytes] = []

    def write(self, data: bytes) -> int:
        """Keep a piece."""
        self.waiting.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def take(self) -> bytes:
        """What was written since the last time."""
        found = b"".join(self.waiting)
        self.waiting.clear()
        return found


def as_workbook(title: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[bytes]:
    """A workbook with one sheet, every cell of it text, which no spreadsheet runs and none turns into a number or a date."""
    pieces = _Pieces()
    with zipfile.ZipFile(pieces, "w", zipfile.ZIP_DEFLATED) as archive:  # type: ignore[call-overload]  # a stream that can't seek
        for name, content in _PARTS.items():
            archive.writestr(_entry(name), _XML + content)
        archive.writestr(_entry("xl/workbook.xml"), _XML + _workbook(title))
        shared: dict[str, int] = {}
        with archive.open(_entry("xl/worksheets/sheet1.xml"), "w", force_zip64=True) as sheet:
            for text in _sheet(header, rows, shared):
                sheet.write(text.encode())
                if found := pieces.take():
                    yield found
        archive.writestr(
            _entry("xl/sharedStrings.xml"),
            f'{_XML}<sst xmlns="{_MAIN}">{"".join(f"<si>{_written(text)}</si>" for text in shared)}</sst>',
        )
    yield pieces.take()


def _entry(name: str) -> zipfile.ZipInfo:
    """A part of the archive, without the time: the same rows are the same bytes."""
    entry = zipfile.ZipInfo(name)
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def _workbook(title: str) -> str:
    name = _FORBIDDEN_IN_TITLES.sub(" ", title)[:31].strip() or "1"
    return f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets><sheet name={quoteattr(name)} sheetId="1" r:id="rId1"/></sheets></workbook>'


def _sheet(header: Sequence[str], rows: Iterable[Sequence[str]], shared: dict[str, int]) -> Iterator[str]:
    """The sheet as XML, in pieces; `shared` gets the texts to which it refers by their place."""
    # Rows may end early, and be longer than the header: those of a file that was refused for it come back so.
    letters = [get_column_letter(place) for place in range(1, max(len(header), MOST_COLUMNS) + 3)]
    yield (
        f'{_XML}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
        '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
        f'<cols><col min="1" max="{max(1, len(header))}" width="18" customWidth="1" style="{_TEXT}"/></cols><sheetData>'
    )
    waiting = [_row(1, letters, header, shared, _HEADING)]
    length = 0
    for number, row in enumerate(rows, start=2):
        waiting.append(text := _row(number, letters, row, shared, _TEXT))
        length += len(text)
        if length > PIECE:
            yield "".join(waiting)
            waiting.clear()
            length = 0
    yield "".join(waiting) + "</sheetData></worksheet>"


def _row(
    number: int, letters: Sequence[str], cells: Sequence[str], shared: dict[str, int], style: int
) -> str:
    parts = [f'<row r="{number}">']
    for letter, text in zip(letters, cells, strict=False):
        if text == "":
            continue
        if (
            (place := shared.get(text)) is None
            and len(text) <= _LONGEST_SHARED
            and (len(shared) < _MOST_SHARED or _UNWRITABLE.search(text))
            and _MARK not in text
        ):
            place = shared[text] = len(shared)
        if place is None:
            parts.append(f'<c r="{letter}{number}" s="{style}" t="inlineStr"><is>{_written(text)}</is></c>')
        else:
            parts.append(f'<c r="{letter}{number}" s="{style}" t="s"><v>{place}</v></c>')
    parts.append("</row>")
    return "".join(parts)


def _written(text: str) -> str:
    if _UNWRITABLE.search(text):
        text = _UNWRITABLE.sub(lambda found: f"_x{ord(found[0]):04X}_", text)
    return f'<t xml:space="preserve">{escape(text, {chr(13): "&#13;"})}</t>'


def written(
    kind: Kind,
    title: str,
    header: Sequence[str],
    rows: Iterable[Sequence[str]],
    separator: str = "",
    mark: bool = False,
) -> Iterator[bytes]:
    """A file of one kind; `separator` and `mark` are for CSV alone."""
    return as_csv(header, rows, separator, mark) if kind is Kind.CSV else as_workbook(title, header, rows)
