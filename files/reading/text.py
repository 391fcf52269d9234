"""Text files: whatever their encoding, separator and line ends, told by what stands in them."""

import codecs
import csv
import io
import re
from collections.abc import Iterator

from files.reading.headers import Names, known_names, shown_name
from files.reading.table import MOST_COLUMNS, MOST_ROWS, FileRefusedError, Record, Table

# In the order in which they win where the header speaks for several.
SEPARATORS = (",", ";", "\t")
HEADER_WITHIN = 10
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_WIDE_MARKS = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
# First bytes of what is no text: PDF, old Excel, pictures, archives of other kinds.
_OTHER_KINDS = (
    b"%PDF",
    b"\xd0\xcf\x11\xe0",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"\x1f\x8b",
    b"Rar!",
    b"7z\xbc\xaf",
    b"PK",
)
# Letters of UTF-8 that were read as Windows-1252 and saved so: "Ã©" for "é". The second sign is what 0x80 to 0xBF are there.
_SECOND = "[\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]"
_TWICE_ENCODED = re.compile(f"[ÂÃÄÅ]{_SECOND}|â€{_SECOND}|\ufffd")
_LETTERS_OF_THE_MAC, _LETTERS_OF_WINDOWS = re.compile(rb"[\x80-\x9f]"), re.compile(rb"[\xc0-\xff]")
_ONLY_SEPARATOR = re.compile(r"\s*sep=([,;\t|])\s*", re.IGNORECASE)
_LINE_END = re.compile(r"\r\n|\r|\n")
_QUOTED = re.compile(r'"[^"]*(?:"|\Z)')

# Far beyond every column: what is too long for its own is told beside it, and not by an error of the reader.
LONGEST_CELL = 1024 * 1024
csv.field_size_limit(LONGEST_CELL)
# Separators of one row, those within quotes among them, before its cells are told apart: many columns may be blank, but not endlessly many.
MOST_SEPARATORS = 100_000


def from_text(content: bytes, names: Names) -> Table:
    """The rows of a text file. Raises `FileRefusedError`."""
    text, encoding, bom = _decoded(content)
    if "\0" in text:
        raise FileRefusedError("nul", line=_line_at(text, text.index("\0")))
    if found := _TWICE_ENCODED.search(text):
        raise FileRefusedError(
            "mojibake", line=_line_at(text, found.start()), found=_around(text, found.start())
        )
    if not text.strip():
        raise FileRefusedError("no_rows")
    # Those between rows: a cell in quotes may hold others.
    ends = set(_LINE_END.findall(_QUOTED.sub("", text[:200_000])))
    first = 1
    said = None
    if match := _ONLY_SEPARATOR.fullmatch(text[: _first_end(text)]):
        # A line for spreadsheets alone, which show none: the header is their first row.
        said, first = match[1], 2
        text = _LINE_END.sub("", text[_first_end(text) :], count=1)
    separator = said or _separator_of(text, names)
    header, records = with_header(list(_records(text, separator, first)), names)
    return Table(
        header=[shown_name(cell) for cell in header.cells],
        header_row=header.row,
        records=records,
        encoding=encoding,
        bom=bom,
        separator="tab" if separator == "\t" else separator,
        line_ends={"\r\n": "crlf", "\n": "lf", "\r": "cr"}[ends.pop()]
        if len(ends) == 1
        else "mixed"
        if ends
        else "",
    )


def _decoded(content: bytes) -> tuple[str, str, bool]:
    """The text, its encoding, and whether a mark said so."""
    if content.startswith(_WIDE_MARKS):
        raise FileRefusedError("encoding", encoding="UTF-32")
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            try:
                return content[len(mark) :].decode(encoding), encoding, True
            except UnicodeDecodeError:
                raise FileRefusedError("encoding", encoding=encoding.upper()) from None
    if content.startswith(_OTHER_KINDS):
        raise FileRefusedError("not_text")
    try:
        return content.decode("utf-8"), "utf-8", False
    except UnicodeDecodeError:
        pass
    # An Excel for the Mac of old wrote its own alphabet, and ended lines with CR alone, as little else has done since. Its accented small
    # letters are where Windows has signs that names don't hold.
    of_the_mac = len(_LETTERS_OF_THE_MAC.findall(content)) > len(_LETTERS_OF_WINDOWS.findall(content))
    alone = b"\r" in content and b"\n" not in content
    encoding = "mac-roman" if alone and of_the_mac else "windows-1252"
    try:
        return content.decode(encoding), encoding, False
    except UnicodeDecodeError:
        raise FileRefusedError("nul" if b"\0" in content else "encoding", encoding="") from None


def _separator_of(text: str, names: Names) -> str:
    """The separator with which the first rows have most names that we know, then most cells."""

    def worth(separator: str) -> tuple[int, int]:
        best = (0, 0)
        for number, cells in enumerate(
            _rows(io.StringIO(text[:100_000], newline=""), separator, strict=False)
        ):
            if number >= HEADER_WITHIN:
                break
            best = max(best, (known_names(cells, names), len(cells)))
        return best

    return max(SEPARATORS, key=worth)


def _rows(text: io.StringIO, separator: str, strict: bool) -> Iterator[list[str]]:
    reader = csv.reader(text, delimiter=separator, strict=strict)
    try:
        yield from reader
    except csv.Error:
        return


def _records(text: str, separator: str, first: int) -> Iterator[Record]:
    """The rows, with the line at which each begins. Raises `FileRefusedError` where a quote doesn't close, a cell or a row is too long."""
    row, line, separators = 0, 1, 0

    def lines() -> Iterator[str]:
        nonlocal separators
        for each in io.StringIO(text, newline=""):
            separators += each.count(separator)
            if separators > MOST_SEPARATORS:
                raise FileRefusedError("too_many_columns", limit=MOST_COLUMNS, line=line + first - 1)
            yield each

    reader = csv.reader(lines(), delimiter=separator, strict=True)
    once: dict[str, str] = {}
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            at = line + first - 1
            if "field larger" in str(error):
                raise FileRefusedError("cell_too_long", limit=LONGEST_CELL // 1024 // 1024, line=at) from None
            raise FileRefusedError("unclosed_quote", line=at) from None
        row, separators = row + 1, 0
        if row > MOST_ROWS + HEADER_WITHIN:
            raise FileRefusedError("too_many_rows", limit=MOST_ROWS)
        if len(cells) > MOST_COLUMNS and any(cell.strip() for cell in cells[MOST_COLUMNS:]):
            raise FileRefusedError("too_many_columns", limit=MOST_COLUMNS, line=line + first - 1)
        # Options and models are the same few words over and over: each is kept once.
        yield Record(
            row, line + first - 1, tuple([once.setdefault(cell, cell) for cell in cells[:MOST_COLUMNS]])
        )
        line = reader.line_num + 1


def with_header(records: list[Record], names: Names) -> tuple[Record, list[Record]]:
    """The header, the first of the first ten rows that has most names that we know (else the first that isn't blank), and what follows."""
    early = [record for record in records[:HEADER_WITHIN] if not record.is_blank]
    if not early:
        raise FileRefusedError("no_rows")
    header = max(early, key=lambda record: known_names(record.cells, names))  # the first of equals
    return header, [record for record in records if record.row > header.row]


def _first_end(text: str) -> int:
    found = _LINE_END.search(text)
    return found.start() if found else len(text)


def _line_at(text: str, place: int) -> int:
    return len(_LINE_END.findall(text, 0, place)) + 1


def _around(text: str, place: int) -> str:
    """The cell or line around a place, short."""
    begin = max(text.rfind(sign, 0, place) for sign in (*SEPARATORS, "\n", "\r", '"')) + 1
    return _LINE_END.split(text[begin : place + 20])[0][:40]
