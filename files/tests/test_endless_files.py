"""A file that was made to take a worker's time or memory is refused, or read as quickly as another one; a broken one is refused."""

import io
import re
import time
import zipfile

import pytest
from django.utils.translation import override

from files.exporting.writing import as_workbook
from files.importing.words import said_of
from files.reading import FileRefusedError, opened, read, workbook
from files.reading.headers import LONGEST_NAME, PEOPLE, columns_of, compared

pytestmark = pytest.mark.slow("reads files that don't end")

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
ONE = b"".join(as_workbook("t", ["Number", "FirstName"], [["170", "aaa"], ["171", "aaa"]]))


def made(**parts: bytes) -> bytes:
    """A small workbook of ours with other contents of its `sheet1`, `sharedStrings`, `styles` and so on."""
    file, source = io.BytesIO(), zipfile.ZipFile(io.BytesIO(ONE))
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in source.namelist():
            archive.writestr(name, parts.get(name.rpartition("/")[2].partition(".")[0], source.read(name)))
    return file.getvalue()


def sheet(inside: str, encoding: str = "utf-8") -> bytes:
    """A sheet's XML."""
    text = f'<?xml version="1.0" encoding="{encoding}"?><worksheet xmlns="{MAIN}">{inside}</worksheet>'
    return text.encode(encoding)


def shared(inside: str) -> bytes:
    """The XML of the shared texts."""
    return f'<sst xmlns="{MAIN}">{inside}</sst>'.encode()


def reason_of(content: bytes) -> str:
    """Why a file is refused."""
    with pytest.raises(FileRefusedError) as refused:
        read(content)
    assert said_of(refused.value)
    return refused.value.reason


def quick(function: object, text: str) -> None:
    begun = time.process_time()
    function(text)  # type: ignore[operator]
    assert time.process_time() - begun < 0.5


# --- Names of columns ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize("sign", ["[", "\u0316\u0301", "a[", " "])
def test_an_endless_name_of_a_column_is_compared_at_once(sign: str) -> None:
    quick(compared, sign * 200_000)


def test_a_long_name_of_a_column_is_shown_as_much_as_it_is_compared_and_can_be_said_what_it_is() -> None:
    long = "  Poste " + "x" * 1_000
    table = read(f"{long},FirstName\n142,Ann\n".encode())
    assert [len(name) for name in table.header] == [LONGEST_NAME, len("FirstName")]
    assert compared(long) == compared(table.header[0])
    assert columns_of(table.header, PEOPLE, {table.header[0]: "Number"}).by_place[0] == "Number"


# --- Text ---------------------------------------------------------------------------------------------------------
def test_a_cell_of_more_than_a_megabyte_refuses_the_file_with_its_line() -> None:
    with pytest.raises(FileRefusedError) as refused:
        read(b'Number,FirstName\n141,Ann\n142,"' + b"x" * 1_100_000 + b'"\n')
    assert (refused.value.reason, refused.value.facts["line"]) == ("cell_too_long", 3)
    with override("en"):
        assert "line 3" in said_of(refused.value)
        assert "1 MB" in said_of(refused.value)


@pytest.mark.parametrize("row", [b"," * 4_000_000, b'"\n",' * 1_000_000], ids=["one line", "over many lines"])
def test_a_row_of_endlessly_many_columns_is_refused_before_its_cells_are_told_apart(row: bytes) -> None:
    assert reason_of(b"Number,FirstName\n" + row) == "too_many_columns"


def test_blank_columns_beyond_the_last_one_are_nothing() -> None:
    assert len(read(b"Number,FirstName\n" + b"142,Ann" + b"," * 20_000 + b"\n").records) == 1


# --- Workbooks ----------------------------------------------------------------------------------------------------
@pytest.fixture
def tenth(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenth of what is kept, for tests that take no time."""
    monkeypatch.setattr(opened, "MOST_KEPT", 100_000)
    monkeypatch.setattr(opened, "MOST_IN_A_ROW", 20_000)
    monkeypatch.setattr(opened, "MOST_LET_GO", 200_000)


CELLS = "<sheetData><row>" + "<c/>" * 50_000 + "</row></sheetData>"
BOMBS = {
    "a row of cells": ("sheet1", sheet(CELLS), "too_many_columns"),
    "cells in wide letters": ("sheet1", sheet(CELLS, "utf-16"), "too_many_columns"),
    "cells of a prefix": (
        "sheet1",
        f'<x:worksheet xmlns:x="{MAIN}"><x:row>{"<x:c/>" * 50_000}</x:row></x:worksheet>'.encode(),
        "too_many_columns",
    ),
    "rows within rows": ("sheet1", sheet("<row>" * 30_000), "too_many_columns"),
    "attributes": ("sheet1", sheet("<row><c " + " ".join(f'a{n}=""' for n in range(25_000)) + "/></row>"), "too_many_columns"),
    "rows": ("sheet1", sheet("<sheetData>" + '<row r="1"/>' * 210_000 + "</sheetData>"), "too_large_opened"),
    "elements that mean nothing": ("sheet1", sheet("<x>" + "<c/>" * 110_000 + "</x>"), "too_large_opened"),
    "rows of another kind": ("sheet1", sheet("<x>" + ('<y:row xmlns:y="y"/>' + "<c/>" * 100) * 1_100 + "</x>"), "too_large_opened"),
    "styles that look like a sheet": ("styles", sheet(("<row>" + "<c/>" * 1_000 + "</row>") * 110), "too_large_opened"),
    "shared texts": ("sharedStrings", shared("<si/>" * 210_000), "too_large_opened"),
    "a shared text": ("sharedStrings", shared("<si><t>" + "a" * 10_000_000 + "</t></si>"), "too_large_opened"),
}  # fmt: skip


@pytest.mark.usefixtures("tenth")
@pytest.mark.parametrize("bomb", BOMBS)
def test_a_small_workbook_that_becomes_endless_is_refused_before_it_is_built(
    bomb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    part, data, reason = BOMBS[bomb]
    content = made(**{part: data})
    assert len(content) < 200_000
    monkeypatch.setattr(workbook, "_best_sheet", None)
    assert reason_of(content) == reason


def test_shared_texts_have_a_size_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opened, "MOST_IN_A_ROW", 300)
    monkeypatch.setattr(opened, "LARGEST_SHARED", 1_000)
    assert reason_of(made(sharedStrings=shared("<si><t>aaaa</t></si>" * 100))) == "too_large_opened"


def test_a_sheet_that_is_said_to_be_a_chart_is_counted_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opened, "MOST_KEPT", 200)
    monkeypatch.setattr(opened, "MOST_IN_A_ROW", 200)
    rows = sheet("<sheetData>" + "<row><c/><c/><c/></row>" * 100 + "</sheetData>")
    with zipfile.ZipFile(io.BytesIO(ONE)) as archive:
        links = archive.read("xl/_rels/workbook.xml.rels")
    assert reason_of(made(sheet1=rows)) == "no_rows"
    as_chart = links.replace(b"/worksheet", b"/chartsheet", 1)
    file = made(sheet1=rows)
    again = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(file)) as source, zipfile.ZipFile(again, "w") as target:
        for name in source.namelist():
            target.writestr(name, as_chart if name.endswith("workbook.xml.rels") else source.read(name))
    assert reason_of(again.getvalue()) == "too_large_opened"


@pytest.mark.parametrize("twice", ["sheets", "links"])
def test_a_sheet_that_has_several_names_is_not_read_once_for_each(
    twice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with zipfile.ZipFile(io.BytesIO(ONE)) as archive:
        book, links = (
            archive.read(name).decode() for name in ("xl/workbook.xml", "xl/_rels/workbook.xml.rels")
        )
    found = re.search(r"<sheet .*?/>", book)
    link = re.search(r"<Relationship [^>]*?/worksheet.*?/>", links)
    assert found
    assert link
    parts = {
        "sheets": ("xl/workbook.xml", book.replace(found[0], found[0] * 2)),
        "links": (
            "xl/_rels/workbook.xml.rels",
            links.replace(link[0], link[0] + link[0].replace("rId1", "rId9")),
        ),
    }
    again = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(ONE)) as source, zipfile.ZipFile(again, "w") as target:
        for name in source.namelist():
            target.writestr(name, parts[twice][1] if name == parts[twice][0] else source.read(name))
    monkeypatch.setattr(workbook, "_best_sheet", lambda *_given: ("", []))
    assert reason_of(again.getvalue()) == "not_text"
    assert reason_of(ONE) == "no_rows"


def test_a_workbook_with_more_cells_than_are_kept_at_a_time_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opened, "MOST_KEPT", 1_000)
    monkeypatch.setattr(opened, "MOST_IN_A_ROW", 800)
    rows = [[str(number), *["Ann"] * 100] for number in range(200)]
    content = b"".join(as_workbook("t", ["Number", "FirstName"], rows))
    assert len(read(content).records) == 200


def test_a_broken_part_of_a_workbook_refuses_it_as_none() -> None:
    cell = '<sheetData><row r="1"><c t="s"><v>99999</v></c></row></sheetData>'
    assert reason_of(made(sheet1=sheet(cell))) == "not_text"
    assert reason_of(made(sheet1=sheet("<sheetData><row>"))) == "not_text"


def broken(content: bytes, encrypted: bool) -> bytes:
    """The workbook with its sheet encrypted by what the archive says, or its compressed bytes damaged."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        part = archive.getinfo("xl/worksheets/sheet1.xml")
        data = bytearray(content)
        if encrypted:
            place = content.rindex(b"PK\x01\x02", 0, content.rindex(b"xl/worksheets/sheet1.xml"))
            data[place + 8] |= 1
            data[part.header_offset + 6] |= 1
        else:
            begin = part.header_offset + 30 + len(part.filename)
            data[begin : begin + 20] = b"\xff" * 20
    return bytes(data)


@pytest.mark.parametrize("encrypted", [True, False], ids=["encrypted", "damaged"])
def test_an_encrypted_or_damaged_workbook_is_refused_as_none(encrypted: bool) -> None:
    assert reason_of(broken(made(), encrypted)) == "not_text"


def test_memory_that_is_short_is_not_blamed_on_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    def short(*_given: object) -> None:
        raise MemoryError

    monkeypatch.setattr(workbook, "_best_sheet", short)
    with pytest.raises(MemoryError):
        read(ONE)
