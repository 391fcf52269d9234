"""What is exported and imported again changes nothing: whatever people have, in every format, whichever language is read, with a spreadsheet between."""

import csv
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

import openpyxl
import pytest
from django.db import transaction
from django.utils.translation import override
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from files.exporting.export import Export, everybody
from files.exporting.people import Layout
from files.exporting.writing import Kind, written
from files.importing.importing import look_at
from files.importing.people import by_file_name
from files.importing.phones import by_file_name as columns_of_phones
from files.reading import read
from files.subjects import SUBJECTS
from pbxadmin.common.columns import Column, Scope
from pbxadmin.common.http import RequestFacts
from pbxadmin.tests.test_cells import samples
from phones.models import Phone
from phones.settings.sections import phone_sheet
from phones.tests.factories import provider
from users import road
from users.models import Customer, User
from users.people.sections import user_sheet
from users.tests.factories import FACTS, make_user

FORMS = [(layout, kind) for layout in Layout for kind in Kind]
RUNS = re.compile(r"[=+\-@\t\r＝＋－＠]")
# (What an error of a spreadsheet says, "#N/A", is refused wherever it came from: nobody is called so.)
# What a spreadsheet would run, what it takes for something else, and what has a meaning in files.
NASTY = st.one_of(
    st.sampled_from(
        [
            "=cmd|' /C calc'!A0", "'=1+1", "''=1+1", "+15145550142", "-1+2", "@SUM(A1)", "＝1+1", "＋1", "－1", "＠a", "\t=1", "\r=1", "'", "''",
            "'abc", '="0142"', "0142", "1E5", "3-mars", "14:00", "a;b,c\td", 'dit "Léa"', "A:B\\C", "l'été", "_x0041_", "x005F_", " ",
            "é" * 20, "😀", "\u202eabc", "<b>&amp;</b>", "101.0", "VRAI", "sep=;",
        ]
    ),
    # Without what accents become that were decoded wrongly: a file that has such signs is refused as a whole, whoever wrote it.
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0ÂÃÄÅâ\ufffd"), max_size=30),
)  # fmt: skip


@pytest.fixture
def roomy(customer: Customer) -> Customer:
    """The customer with everything that a contract can have: what it lacks nobody could have."""
    customer.edition = Customer.Edition.ENTERPRISE
    customer.has_microsoft_365 = customer.has_google = True
    customer.save()
    return customer


@contextmanager
def undone() -> Iterator[None]:
    """What happens within never happened: each example meets the same world."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def change_everything(customer: Customer, choose: Random, texts: list[str]) -> None:
    """Give everybody, and each phone, other values in every column, as far as the rules let them have these."""
    people = list(User.objects.of(customer).order_by("number"))
    skipped = {"number", "first_name", "last_name", "role", "mac", "model", "user", "sbc", "logo"}
    for sheet, columns, records in (
        (user_sheet(), by_file_name(), people),
        (phone_sheet(), columns_of_phones(), list(Phone.objects.of(customer).filter(user__isnull=False))),
    ):
        scope = Scope(provider(), customer)
        wanted = {record.pk: {} for record in records}
        for column in columns.values():
            if column.secret or column.name in skipped:
                continue
            pool = samples(column, scope, choose)
            for record in records:
                wanted[record.pk][column.name] = choose.choice([*pool, *(texts if is_text(column) else [])])
        if sheet is user_sheet():
            for record in records:
                wanted[record.pk] |= {"first_name": choose.choice(texts), "last_name": f"N{record.number}"}
        apply(sheet, customer, wanted)


def is_text(column: Column) -> bool:
    field = getattr(getattr(column, "inner", column), "field", None)
    return (
        field is not None
        and field.get_internal_type() == "CharField"
        and not field.choices
        and "message" in column.name
    )


def apply(sheet: Any, customer: Customer, wanted: dict[Any, dict[str, Any]]) -> None:
    """Write what is wanted, without what is refused."""
    for _turn in range(8):
        scope = Scope(provider(), customer)
        rows = [road.Row(key, values) for key, values in wanted.items()]
        plan = road.plan(scope.actor, customer, sheet, rows, scope=scope, leave_limited=True)
        if not plan.refused:
            road.apply(plan, FACTS)
            return
        for row in plan.refused:
            named = {name for name in row.errors if name in wanted[row.key]}
            for name in named or list(wanted[row.key]):
                del wanted[row.key][name]
    raise AssertionError([row.errors or row.refusal for row in plan.refused])


def exported(scope: Scope, layout: Layout, kind: Kind, *, with_pins: bool = False) -> bytes:
    made = Export(Scope(scope.actor, scope.customer), everybody(scope), layout, kind, with_pins)
    return b"".join(made.pieces(RequestFacts("terminal")))


def differing(content: bytes, scope: Scope) -> list[Any]:
    """The rows that would change something, or are refused, and how."""
    made = look_at(content, Scope(scope.actor, scope.customer))
    return [
        (
            row.number,
            row.outcome,
            row.changes,
            [(each.column, each.value, each.reason.code) for each in row.errors],
        )
        for row in made.outcomes
        if row.outcome != "unchanged"
    ]


SOME = settings(
    # Shrinking would plan, write and read all of it hundreds of times.
    max_examples=4,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@SOME
@given(seed=st.integers(0, 10**6), texts=st.lists(NASTY, min_size=3, max_size=12))
def test_what_anybody_has_comes_back_unchanged_in_every_format_and_language(
    roomy: Customer, seed: int, texts: list[str]
) -> None:
    with undone():
        change_everything(roomy, Random(seed), texts)
        scope = Scope(provider(), roomy)
        for layout, kind in FORMS:
            with override("en"):
                made = exported(scope, layout, kind, with_pins=True)
            with override("fr-ca"):
                assert exported(scope, layout, kind, with_pins=True) == made, (
                    "the reader's language is in the file"
                )
                assert differing(made, scope) == [], (layout, kind)
            harmless(made, kind)
        # Whoever administers a department takes out what they may open, and changes nothing by it either.
        chief = make_user(roomy, "150", "Inès", "Roy", role="group_admins", department="Ventes")
        theirs = Scope(
            User.objects.select_related("role", "customer", "primary_department").get(pk=chief.pk), roomy
        )
        assert differing(exported(theirs, Layout.FULL, Kind.CSV), theirs) == []


def harmless(content: bytes, kind: Kind) -> None:
    """Nothing in it is run by a spreadsheet."""
    if kind is Kind.CSV:
        cells = [cell for row in csv.reader(io.StringIO(content.decode(), newline="")) for cell in row]
    else:
        sheet = openpyxl.load_workbook(io.BytesIO(content)).active
        found = [cell for row in sheet.iter_rows() for cell in row if cell.value is not None]
        assert {cell.data_type for cell in found} == {"s"}
        assert {cell.number_format for cell in found} == {"@"}
        cells = [cell.value for cell in found]
    assert [cell for cell in cells if RUNS.match(cell)] == []


# --- A spreadsheet between ----------------------------------------------------------------------------------------
def opened_and_saved(content: bytes) -> bytes:
    """A CSV file after French Excel had it: each cell taken for what it looks like, and written as Excel shows it, with semicolons, in Windows-1252."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    for row in csv.reader(io.StringIO(content.decode(), newline="")):
        writer.writerow([as_excel_has_it(cell) for cell in row])
    return text.getvalue().encode("cp1252", "replace")


def as_excel_has_it(cell: str) -> str:
    """What a cell of the format "General" becomes, in a French Excel."""
    bare = cell.strip()
    if re.fullmatch(r"\d+", bare):
        number = int(bare[:15].ljust(len(bare), "0"))
        return (
            str(number) if len(str(number)) < 12 else f"{number:.2E}".replace(".", ",").replace("E+0", "E+")
        )
    if re.fullmatch(r"\d+E\d{1,2}", bare, re.IGNORECASE):
        return f"{float(bare):.2E}".replace(".", ",")
    if re.fullmatch(r"\d{1,2}:\d\d", bare):
        return bare.lstrip("0") or bare
    if match := re.fullmatch(r"(\d{1,2})[-/](\d{1,2})", bare):
        return f"{int(match[1]):02}-janv"
    return {"TRUE": "VRAI", "FALSE": "FAUX"}.get(bare.upper(), cell)


@pytest.fixture
def everyday(roomy: Customer) -> Customer:
    """With what people have on an ordinary day: numbers in their full form, accents, identifiers with a zero in front."""
    people = list(User.objects.of(roomy).order_by("number"))
    apply(
        user_sheet(),
        roomy,
        {
            people[0].pk: {"mobile": "+15145550142", "first_name": "Anaïs", "sip_id": "0142"},
            people[1].pk: {
                "first_name": "Léo-Paul",
                "available.custom_message": "=absent; retour à 14 h",
                "sip_id": "1E5",
            },
            people[2].pk: {
                "available.custom_message": "@ l’accueil",
                "last_name": "-Côté",
                "mobile": "+33123456789",
            },
        },
    )
    return roomy


@pytest.mark.parametrize("layout", Layout)
def test_a_french_excel_between_changes_nothing_in_silence(everyday: Customer, layout: Layout) -> None:
    scope = Scope(provider(), everyday)
    made = exported(scope, layout, Kind.CSV)
    saved = opened_and_saved(made)
    assert b"+15145550142" in saved
    # A MAC of digits alone, and an identifier that looks like a number, are refused by the name of what became of them.
    assert [each for each in differing(saved, scope) if each[1] != "refused"] == []
    assert {reason for each in differing(saved, scope) for _column, _value, reason in each[3]} <= {
        "excel_number", "lost_zeros", "maybe_lost_zero",
    }  # fmt: skip
    assert "101" in {each[0] for each in differing(saved, scope)}, "the zero of the SIP ID went in silence"


@pytest.mark.parametrize("layout", Layout)
def test_a_workbook_that_a_spreadsheet_saved_again_changes_nothing_at_all(
    everyday: Customer, layout: Layout
) -> None:
    scope = Scope(provider(), everyday)
    book = openpyxl.load_workbook(io.BytesIO(exported(scope, layout, Kind.XLSX, with_pins=True)))
    saved = io.BytesIO()
    book.save(saved)
    assert differing(saved.getvalue(), scope) == []


def test_every_kind_of_file_comes_back_unchanged(roomy: Customer) -> None:
    scope = Scope(provider(), roomy)
    for subject in SUBJECTS.values():
        for kind in Kind:
            rows = subject.rows(Scope(provider(), roomy))
            made = b"".join(written(kind, subject.slug, list(subject.header()), rows))
            found = subject.look_at(made, scope)
            assert {row.outcome for row in found.outcomes} <= {"unchanged"}, subject.slug
            harmless(made, kind)


def test_the_sheet_of_a_workbook_has_a_name_that_spreadsheets_take_and_the_same_rows_the_same_bytes() -> None:
    for name in ("Pin/Gris: [A*B]?", "'", "", "x" * 60, '<&">'):
        made = b"".join(written(Kind.XLSX, name, ["Number"], [["101"]]))
        title = openpyxl.load_workbook(io.BytesIO(made)).active.title
        assert 0 < len(title) <= 31
        assert not set(title) & set("[]:*?/\\")
        assert made == b"".join(written(Kind.XLSX, name, ["Number"], [["101"]]))
    assert read(made).header == ["Number"]


def test_rows_of_any_length_are_written_as_they_are() -> None:
    rows = [["101"], ["102", "Léo", "Roy", "de trop", "", "et encore"], []]
    made = b"".join(written(Kind.XLSX, "Pin Gris", ["Number", "FirstName", "LastName"], rows))
    found = list(openpyxl.load_workbook(io.BytesIO(made)).active.iter_rows(min_row=2, values_only=True))
    assert [
        [cell or "" for cell in row][: len(wanted)] for row, wanted in zip(found, rows, strict=False)
    ] == rows[:2]


@pytest.mark.parametrize("hours", ["", "mon 8:00-8:05"])
def test_a_status_that_somebody_has_already_is_not_chosen_again(roomy: Customer, hours: str) -> None:
    person = User.objects.get(customer=roomy, number="105")
    apply(user_sheet(), roomy, {person.pk: {"hours_mode": "own", "office_hours": hours}})
    # The clock has switched nothing yet: somebody is available outside their hours.
    User.objects.filter(pk=person.pk).update(auto_switch_status=True, status="available")
    scope = Scope(provider(), roomy)
    assert differing(exported(scope, Layout.FULL, Kind.CSV), scope) == []
    assert differing(b"Number,Status\r\n105,available\r\n", scope) == []
