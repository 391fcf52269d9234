"""A file is read as what it is, whatever its encoding, separator and damage; what can't be read says why."""

import csv
import io
import re
import zipfile
from contextlib import suppress
from time import perf_counter

import openpyxl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from files.exporting.writing import Kind as OutKind
from files.exporting.writing import written
from files.reading import FileRefusedError, read
from files.reading.headers import PEOPLE, Format, columns_of
from files.reading.spreadsheets import Kind, as_typed, damage, protected, unprotected
from files.reading.table import MOST_COLUMNS, MOST_ROWS
from files.tests.given import EXPECTED, READ, REFUSED, content


@pytest.mark.parametrize("name", READ)
def test_each_file_is_read_as_it_should_be(name: str) -> None:
    table = read(content(name))
    columns = columns_of(table.header, PEOPLE)
    said = {
        "encoding": table.encoding, "bom": table.bom, "separator": table.separator, "line_ends": table.line_ends,
        "format": columns.format, "header_row": table.header_row, "sheet": table.sheet, "taken_as": columns.taken_as,
        "columns_not_read": columns.not_read,
    }  # fmt: skip
    wanted = EXPECTED[name]["read"]
    assert {fact: said[fact] for fact in wanted} == wanted
    assert [record.row for record in table.records] == [row["row"] for row in EXPECTED[name]["rows"]]
    lines = {row["row"]: row["line"] for row in EXPECTED[name]["rows"] if "line" in row}
    assert {record.row: record.line for record in table.records if record.row in lines} == lines


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_says_why_and_where(name: str) -> None:
    wanted = EXPECTED[name]["file_refused"]
    with pytest.raises(FileRefusedError) as refused:
        columns_of(read(content(name)).header, PEOPLE)
    assert refused.value.reason in wanted["reason"]
    assert set(wanted.get("names", ())) <= set(refused.value.facts.get("names", wanted.get("names", ())))
    assert set(wanted.get("found", ())) <= set(refused.value.facts.get("found", ()))
    assert refused.value.facts.get("line", wanted.get("line")) == wanted.get(
        "line", refused.value.facts.get("line")
    )


SMALL = "Number{s}FirstName{s}LastName\r\n142{s}Amélie{s}L’Écuyer\r\n"


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le-mark", "utf-16-be-mark", "windows-1252"]
)
@pytest.mark.parametrize("ends", ["\r\n", "\n", "\r"])
@pytest.mark.parametrize("before", ["", "sep={s}\r\n"])
def test_any_encoding_with_any_separator_reads_the_same(
    separator: str, encoding: str, ends: str, before: str
) -> None:
    text = (before + SMALL).format(s=separator).replace("\r\n", ends)
    if encoding.endswith("-mark"):
        bare = encoding.removesuffix("-mark")
        data = "\ufeff".encode(bare) + text.encode(bare)
    elif encoding == "windows-1252" and ends == "\r":
        data = text.encode("mac-roman")  # as the machines wrote that ended lines so
    else:
        data = text.encode(encoding)
    table = read(data)
    assert table.header == ["Number", "FirstName", "LastName"]
    assert [(record.row, list(record.cells)) for record in table] == [(2, ["142", "Amélie", "L’Écuyer"])]
    assert table.records[0].line == (3 if before else 2)


@pytest.mark.parametrize(("data", "reason"), [
    (b"", "no_rows"),
    (b"\r\n\r\n  \r\n", "no_rows"),
    (b"%PDF-1.7 ...", "not_text"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 an old workbook", "not_text"),
    (b"PK\x03\x04 another archive", "not_text"),
    (b"\xff\xfe\x00\x00N\x00\x00\x00", "encoding"),
    (b"Number,FirstName\r\n142,\x81\x8d", "encoding"),
    ("Number,FirstName\n142,Ann".encode("utf-16-le"), "nul"),
    ("Number,FirstName\n142,AmÃ©lie".encode(), "mojibake"),
    ("Number,FirstName\n142,Am\ufffdlie".encode(), "mojibake"),
    (b'Number,FirstName\n142,"Ann', "unclosed_quote"),
    (b'Number,FirstName\n142,"Ann"e"', "unclosed_quote"),
    (b"Nom complet,Poste\nAnn,12", "missing_key_columns"),
    (b"Number,number\n1,2", "duplicate_column"),
    (b"id,tenant,is_superuser,password\n1,2,3,4", "missing_key_columns"),
    (b"Number," + b"x," * (MOST_COLUMNS + 10) + b"\n1", "too_many_columns"),
    (b"Number\n" + b"1\n" * (MOST_ROWS + 20), "too_many_rows"),
])  # fmt: skip
def test_a_file_that_is_none_is_refused_by_its_reason(data: bytes, reason: str) -> None:
    with pytest.raises(FileRefusedError) as refused:
        columns_of(read(data).header, PEOPLE)
    assert refused.value.reason == reason


def test_a_cell_of_a_megabyte_is_a_cell() -> None:
    table = read(b'Number,FirstName\n142,"' + b"x" * 1_000_000 + b'"\n143,Ann\n')
    assert [len(record.cells[1]) for record in table] == [1_000_000, 3]


def test_names_of_columns_are_read_in_any_spelling_and_order() -> None:
    columns = columns_of(["courriel", "  PRENOM ", "Last_Name", "first name [Required]", "Poste", ""], PEOPLE)
    # Our own name wins over another one of the same thing.
    assert columns.by_place == {0: "EmailAddress", 2: "LastName", 3: "FirstName"}
    assert columns.not_read == ["PRENOM", "Poste"]
    assert columns.nameless == [5]
    assert columns.format is Format.SHORT


def test_what_somebody_said_of_a_file_wins_and_what_they_left_out_is_not_read() -> None:
    columns = columns_of(
        ["extension", "name", "voicemail_email", "Number"],
        PEOPLE,
        {"extension": "Number", "name": "LastName", "Number": ""},
    )
    assert columns.by_place == {0: "Number", 1: "LastName"}
    assert columns.not_read == ["voicemail_email", "Number"]


def workbook(*rows: list[object], hidden: bool = False) -> bytes:
    book = openpyxl.Workbook()
    if hidden:
        book.active.append(["Number", "FirstName"])
        book.active.sheet_state = "hidden"
        book.create_sheet("Notes").append(["Written by", "Ann"])
        book.active = 1
        sheet = book.create_sheet("Postes")
    else:
        sheet = book.active
    for row in rows:
        sheet.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def test_of_a_workbook_the_first_visible_sheet_with_a_known_header_is_read() -> None:
    table = read(workbook(["Liste du personnel"], [], ["Number", "FirstName"], [142.0, "Ann"], hidden=True))
    assert (table.sheet, table.header_row) == ("Postes", 3)
    assert [(record.row, list(record.cells)) for record in table] == [(4, ["142", "Ann"])]


def test_a_workbook_that_grows_without_end_is_refused_before_it_is_opened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr("xl/workbook.xml", b"0" * 2_000_000)
    monkeypatch.setattr("files.reading.workbook.LARGEST_OPENED", 1_000_000)
    with pytest.raises(FileRefusedError) as refused:
        read(file.getvalue())
    assert refused.value.reason == "too_large_opened"


def test_a_workbook_that_defines_entities_is_none() -> None:
    file, made = io.BytesIO(), zipfile.ZipFile(io.BytesIO(workbook(["Number", "FirstName"], ["142", "Ann"])))
    with zipfile.ZipFile(file, "w") as parts:
        for name in made.namelist():
            content = made.read(name)
            if name.endswith("sheet1.xml"):
                bomb = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
                content = (
                    bomb + content.partition(b"?>")[2].replace(b"Ann", b"&b;")
                    if b"?>" in content
                    else bomb + content
                )
            parts.writestr(name, content)
    with pytest.raises(FileRefusedError) as refused:
        read(file.getvalue())
    assert refused.value.reason == "not_text"


@settings(max_examples=60)
@given(st.binary(max_size=400))
def test_whatever_the_bytes_they_are_rows_or_a_refusal(data: bytes) -> None:
    for whole in (data, b"Number,FirstName\n" + data, b"PK\x03\x04xl/" + data):
        with suppress(FileRefusedError):
            read(whole)


# --- What spreadsheets do ---------------------------------------------------------------------------------------
SPLITTING = st.one_of(st.text(max_size=20), st.text(";,|\t\r\n =+-@'\"＝1a(", max_size=14))


@settings(max_examples=400)
@given(SPLITTING)
def test_a_protected_cell_runs_nowhere_and_reads_back_as_it_was(text: str) -> None:
    assert not protected(text).startswith(("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"))
    assert unprotected(protected(text)) == text


def as_split(line: str, separator: str) -> list[str]:
    """The cells that a reader with this separator makes of the lines of a file."""
    reader = csv.reader(io.StringIO(line, newline=""), delimiter=separator)
    return [cell for row in reader for cell in row]


@pytest.mark.parametrize("reader", [";", ",", "\t", "|"])
@pytest.mark.parametrize("writer", [",", ";", "tab"])
@settings(max_examples=150, deadline=None)
@given(text=SPLITTING)
@example("Roy;=cmd|'/c calc'!A1;")
@example('Roy; "=HYPERLINK(A1)')
@example("Roy\n@SUM(A1)")
@example('Roy;""\t=1+A1')
def test_a_separator_of_another_country_makes_no_formula_of_a_part(
    writer: str, reader: str, text: str
) -> None:
    data = b"".join(
        written(OutKind.CSV, "", ["Number", "Name"], [["110", protected(text)]], separator=writer)
    )
    for cell in as_split(data.decode(), reader):
        assert not cell.startswith(("=", "@", "＝", "＋", "－", "＠")), cell
        assert not cell.startswith(("+", "-")) or re.fullmatch(r'[-+\d\s().;,"]*', cell), cell


def test_lists_of_numbers_stay_as_they_are_and_long_cells_cost_little() -> None:
    for text in ("+15145550142;+15145550143", "5145550142, -2", "Tremblay, Amélie; Roy - Côté"):
        assert protected(text).lstrip("'") == text
    began = perf_counter()
    for sign in ";,\"' \t":
        assert unprotected(protected(f"a{sign * 500_000}b")) == f"a{sign * 500_000}b"
    assert perf_counter() - began < 5


def test_only_a_separator_that_files_have_is_taken_from_the_line_that_names_one() -> None:
    for sign in ",;\t|":
        table = read(f"sep={sign}\r\nNumber{sign}FirstName\r\n170{sign}Inès\r\n".encode())
        assert table.header == ["Number", "FirstName"]
    table = read(b"sep=x\r\nNumber,FirstName\r\n170,Alex\r\n")
    assert (table.separator, table.records[0].cells) == (",", ("170", "Alex"))


@pytest.mark.parametrize(("cell", "kind", "text", "reason"), [
    ("101.0", Kind.DIGITS, "101", ""),
    ("101,0", Kind.DIGITS, "101", ""),
    ("'0142", Kind.DIGITS, "0142", ""),
    ('="0142"', Kind.DIGITS, "0142", ""),
    ("'Abd", Kind.TEXT, "'Abd", ""),
    ("'=1+1", Kind.TEXT, "=1+1", ""),
    ("''=1+1", Kind.TEXT, "'=1+1", ""),
    ("8,05E+11", Kind.MAC, "8,05E+11", "excel_number"),
    ("1565E0123456", Kind.MAC, "1565E0123456", ""),
    ("1565000249", Kind.MAC, "1565000249", "lost_zeros"),
    ("#N/A", Kind.TEXT, "#N/A", "excel_error"),
    ("3-mars", Kind.DIGITS, "3-mars", "excel_date"),
    ("14:55:00", Kind.DIGITS, "14:55:00", "excel_date"),
    ("1.5", Kind.CODE, "1.5", ""),
])  # fmt: skip
def test_what_became_of_a_cell_is_read_back_or_named(cell: str, kind: Kind, text: str, reason: str) -> None:
    assert as_typed(cell, kind) == text
    assert damage(as_typed(cell, kind), kind) == reason
