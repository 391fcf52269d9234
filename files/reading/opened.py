"""What a workbook would become in memory, worked out before anything of it is built: some kilobytes may hold millions of elements.

Each part is parsed as a stream that keeps nothing. What openpyxl would keep is counted: all of a part, but of a sheet what stands outside
its rows and one row at a time, and of the shared texts one at a time.
"""

import zipfile
import zlib
from collections.abc import Collection, Sequence
from xml.parsers import expat

from files.reading.table import MOST_COLUMNS, FileRefusedError

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
# What is let go as soon as it was read, by the part's root.
_LET_GO = {f"{_MAIN} worksheet": f"{_MAIN} row", f"{_MAIN} sst": f"{_MAIN} si"}
PIECE = 1024 * 1024  # bytes; longer than any text or tag, so that at least one element begins in each piece
# Elements and attributes that are kept at a time: a sheet with a link in each of 50,000 rows, and many styles, has some hundred thousand.
MOST_KEPT = 1_000_000
# The same within one row: a spreadsheet has 16,384 columns, each with a value and some attributes.
MOST_IN_A_ROW = 200_000
# Rows of a sheet (a spreadsheet has 1,048,576, which may all be formatted), and shared texts.
MOST_LET_GO = 2_000_000
LARGEST_SHARED = 100 * 1024 * 1024  # bytes of the shared texts
_STREAMED = ("/worksheet", ".worksheet+xml", "/sharedStrings", ".sharedStrings+xml")
_TOO_LARGE = 250  # MB, as it is said
_BROKEN = (expat.ExpatError, zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError)


def check(archive: zipfile.ZipFile) -> None:
    """Refuse a workbook that would take memory out of all proportion. Raises `FileRefusedError`."""
    parts = archive.infolist()
    describing = [part for part in parts if _describes(part.filename)]
    whole = {"styles.xml", "core.xml", "custom.xml"}
    for part in describing:
        whole |= _Part().of(archive, part).named
    for part in parts:
        # No element or attribute is shorter than four bytes: most parts are too small to hold too many.
        if part not in describing and (part.file_size > 4 * MOST_IN_A_ROW or _last(part.filename) in whole):
            _Part(whole).of(archive, part)


def _describes(name: str) -> bool:
    return name.endswith(".rels") or _last(name) == "[content_types].xml"


def _last(name: str) -> str:
    return name.rpartition("/")[2].casefold()


class _EntityError(Exception):
    """A part defines an entity, which openpyxl refuses at this place."""


class _Part:
    """One part, as it is counted. `whole`: the names of parts that are read as a whole, whatever their root is."""

    def __init__(self, whole: Collection[str] = ()) -> None:
        self.whole = whole
        # Parts that this one says are something else than a sheet or the shared texts.
        self.named: set[str] = set()
        self.sheets: set[str] = set()
        self.kept = self.let_go = self.begun = 0
        self.limit = MOST_KEPT
        self.goes = ""
        self.name = ""
        self.before: list[int] = []  # what was kept where each open row began
        self.size = 0

    def of(self, archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> "_Part":
        """Count it. What is broken ends the count: openpyxl stops at the same place, if it reads that part at all."""
        self.name, self.size = part.filename, part.file_size
        self.parser = parser = expat.ParserCreate(namespace_separator=" ")
        parser.ordered_attributes = True
        parser.StartElementHandler = self._first
        parser.EntityDeclHandler = self._entity
        try:
            with archive.open(part) as opened:
                while piece := opened.read(PIECE):
                    begun = self.begun
                    parser.Parse(piece, False)
                    if len(piece) == PIECE and begun == self.begun:
                        raise _too_large()
        except (_EntityError, *_BROKEN):
            pass
        return self

    def _first(self, name: str, attributes: Sequence[str]) -> None:
        if _last(self.name) not in self.whole:
            self.goes = _LET_GO.get(name, "")
        if self.goes.endswith(" si") and self.size > LARGEST_SHARED:
            raise _too_large(LARGEST_SHARED // 1024 // 1024)
        if self.goes:
            self.parser.EndElementHandler = self._ends
        following = self._listing if _last(self.name) in self.whole else self._begins
        self.parser.StartElementHandler = self._describing if _describes(self.name) else following
        self._begins(name, attributes)

    def _begins(self, name: str, attributes: Sequence[str]) -> None:
        self.begun += 1
        if name == self.goes:
            if not self.before:
                self.limit = min(MOST_KEPT, self.kept + MOST_IN_A_ROW)
            self.before.append(self.kept)
        self.kept += 1 + len(attributes) // 2
        if self.kept > self.limit:
            if self.before and self.goes.endswith(" row"):
                raise FileRefusedError("too_many_columns", limit=MOST_COLUMNS)
            raise _too_large()

    def _ends(self, name: str) -> None:
        if name == self.goes:
            self.kept = self.before.pop()
            if not self.before:
                self.limit = MOST_KEPT
            self.let_go += 1
            if self.let_go > MOST_LET_GO:
                raise _too_large()

    def _describing(self, name: str, attributes: Sequence[str]) -> None:
        self._begins(name, attributes)
        said = dict(zip(attributes[::2], attributes[1::2], strict=True))
        kind = said.get("Type") or said.get("ContentType", "")
        target = said.get("Target") or said.get("PartName", "")
        if "chartsheet" in kind or not kind.endswith(_STREAMED):
            self.named.add(_last(target))
        elif kind.endswith("/worksheet"):
            self._once(_last(target))

    def _listing(self, name: str, attributes: Sequence[str]) -> None:
        self._begins(name, attributes)
        if name == f"{_MAIN} sheet":
            for place in range(0, len(attributes), 2):
                if attributes[place].endswith(" id"):
                    self._once(attributes[place + 1])

    def _once(self, sheet: str) -> None:
        """Each sheet is read for its size and its header: the same one under thousands of names would be read thousands of times."""
        if sheet in self.sheets:
            raise FileRefusedError("not_text")
        self.sheets.add(sheet)

    @staticmethod
    def _entity(*_facts: object) -> None:
        raise _EntityError


def _too_large(limit: int = _TOO_LARGE) -> FileRefusedError:
    return FileRefusedError("too_large_opened", limit=limit)
