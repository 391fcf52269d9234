"""What becomes of each row of the given files, the reasons included."""

import csv
import io
from typing import Any

import pytest
from django.utils import translation

from files.exporting.people import Layout, header, rows
from files.importing.importing import look_at
from files.importing.imports import Import, Mode, good_rows, write
from files.reading import Table
from files.reading.spreadsheets import unprotected
from files.tests.given import EXPECTED, READ, content
from pbxadmin.common.columns import Scope
from users.models import Customer, User
from users.tests.factories import FACTS

# Judged otherwise than in the files' own expectations, by place: a link as phones and pages write it, and digits of another keyboard, are
# read everywhere in the portal, and a file isn't stricter than a page.
OTHERWISE = {("07-telephones.csv", 18), ("07-telephones.csv", 22), ("12-doublons.csv", 7)}
# Kept as what it looks like, as everywhere: a full-width sign is the sign.
KEPT_OTHERWISE = {("18-formules.csv", 13)}


@pytest.mark.parametrize("name", READ)
def test_every_row_has_the_outcome_that_is_right(name: str, customer: Customer, actor: User) -> None:
    wanted = EXPECTED[name]
    made = look_at(content(name), Scope(actor, customer), Mode(wanted["mode"]))
    found = {row.row: row.as_json() for row in made.outcomes}
    differing = [
        (row["row"], difference)
        for row in wanted["rows"]
        if (name, row["row"]) not in OTHERWISE and (difference := differs(found[row["row"]], row))
    ]
    assert differing == []
    if not any(place[0] == name for place in OTHERWISE):
        assert made.counts == wanted["counts"]


def differs(row: dict[str, Any], wanted: dict[str, Any]) -> Any:
    """How the outcome of a row isn't the wanted one; None where it is."""
    if row["outcome"] != wanted["outcome"] and row["outcome"] not in wanted.get("either", {}):
        return row["outcome"], row["errors"]
    if row["outcome"] == "refused":
        for error in wanted.get("errors", ()):
            if not error.get("optional") and not any(is_the_error(found, error) for found in row["errors"]):
                return "no such error", error, row["errors"]
    for warning in wanted.get("warnings", ()):
        if not any(
            found["column"] == warning["column"] and found["reason"] in warning["reason"]
            for found in row["warnings"]
        ):
            return "no such warning", warning, row["warnings"]
    for column, pair in wanted.get("changes", {}).items():
        if column != "keys" and row["changes"].get(column) != pair:
            return "changes", column, row["changes"]
    return None


def is_the_error(found: dict[str, str], wanted: dict[str, Any]) -> bool:
    """Whether it is this error, at its column, with its value, and names what is to be named."""
    named = [str(wanted[fact]) for fact in ("other_row", "whose") if wanted.get(fact) is not None]
    return (
        found["column"] == wanted["column"]
        and found["reason"] in wanted["reason"]
        and found["value"].startswith(wanted["value"][:40])
        and all(name in found["message"] for name in named)
    )


def told_of(made: Import) -> list[tuple[int, str, list[tuple[str, str]], dict[str, tuple[str, str]]]]:
    """What becomes of each row, without the words."""
    return [
        (row.row, row.outcome, sorted((said.column, said.reason.code) for said in row.errors), row.changes)
        for row in made.outcomes
    ]


def written_anew(table: Table, turn: int, encoding: str, separator: str, ends: str) -> bytes:
    """The same rows as another program writes them, their columns turned by so many places."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=separator, lineterminator=ends, quoting=csv.QUOTE_ALL)
    width = len(table.header)
    for _blank in range(table.header_row - 1):
        writer.writerow([""] * width)
    for cells in [table.header, *(record.cells for record in table.records)]:
        row = [*cells, *[""] * (width - len(cells))] if turn else list(cells)
        writer.writerow([*row[turn:width], *row[:turn], *row[width:]])
    return text.getvalue().encode(encoding)


# Each given file as one of these programs writes it, in turn.
PROGRAMS = [
    ("utf-16", "\t", "\r\n", "en-CA"),
    ("utf-8-sig", ";", "\n", "fr-CA"),
    ("cp1252", ",", "\r", "en-CA"),
]
TEXTS = [name for name in READ if not name.endswith(".xlsx")]


@pytest.mark.parametrize(
    ("name", "encoding", "separator", "ends", "language"),
    [(name, *PROGRAMS[place % len(PROGRAMS)]) for place, name in enumerate(TEXTS)],
)
def test_the_same_rows_from_another_program_have_the_same_outcomes_in_either_language(
    name: str, customer: Customer, actor: User, encoding: str, separator: str, ends: str, language: str
) -> None:
    mode = Mode(EXPECTED[name]["mode"])
    before = look_at(content(name), Scope(actor, customer), mode)
    # Cells that are missing at the end of a row leave their fields alone: such rows can't be turned.
    width = len(before.table.header)
    full = all(len(record.cells) == width or record.is_blank for record in before.table.records)
    turn = width // 3 if full else 0
    try:
        anew = written_anew(before.table, turn, encoding, separator, ends)
    except UnicodeEncodeError:
        return  # signs that this encoding doesn't have
    with translation.override(language):
        after = look_at(anew, Scope(actor, customer), mode)
    assert told_of(after) == told_of(before)


@pytest.mark.parametrize(
    "name", ["01-3cx20-export.csv", "04-excel-francais.csv", "18-formules.csv", "13-references.csv"]
)
def test_what_was_taken_is_there_and_taken_again_changes_nothing(
    name: str, customer: Customer, actor: User
) -> None:
    made = good_rows(look_at(content(name), Scope(actor, customer)))
    assert write(made, FACTS) is not None
    after = exported(customer)
    for row in EXPECTED[name]["rows"]:
        if row["outcome"] != "new" or (name, row["row"]) in KEPT_OTHERWISE:
            continue
        for column, cell in row.get("after", {}).items():
            if column not in ("keys", "VMPIN"):
                assert unprotected(after[row["number"]][column]) == cell, (row, column)
        for column, cells in row.get("exported", {}).items():
            assert after[row["number"]][column] in cells, (row, column)
    again = look_at(content(name), Scope(actor, customer))
    assert {row.outcome for row in again.outcomes} <= {"unchanged", "refused", "blank"}


def exported(customer: Customer, layout: Layout = Layout.V20) -> dict[str, dict[str, str]]:
    """What a file of ours says of everybody, by extension."""
    from phones.tests.factories import provider

    names = header(layout)
    everybody = User.objects.of(customer).order_by("number")
    return {
        row[0]: dict(zip(names, row, strict=True))
        for row in rows(Scope(provider(), customer), everybody, layout)
    }


def test_two_rows_of_somebody_who_is_there_are_refused_and_each_names_the_other(
    customer: Customer, actor: User
) -> None:
    file = b"Number,LastName\n101,Un\n102,Ouellet\n101,Deux\n103,Trois\n"
    found = {row.row: row for row in look_at(file, Scope(actor, customer)).outcomes}
    assert [found[row].outcome for row in (2, 3, 4, 5)] == ["refused", "unchanged", "refused", "changed"]
    for row, other in ((2, 4), (4, 2)):
        [said] = found[row].errors
        assert said.reason.code == "person_twice"
        assert f"ligne {other}" in said.reason or f"row {other}" in said.reason


def test_a_file_assigns_nothing_but_what_a_page_offers(customer: Customer, actor: User) -> None:
    file = (
        b"Number,id,pk,customer_id,tenant,is_staff,is_superuser,password,sip_password,role_id,version,LastName\r\n"
        b"101,1,1,1,autre,1,1,pbkdf2$x,secret,system_owners,99,Roy\r\n"
    )
    before = User.objects.values().get(customer=customer, number="101")
    made = look_at(file, Scope(actor, customer))
    assert made.columns.not_read == [
        "id", "pk", "customer_id", "tenant", "is_staff", "is_superuser", "password", "sip_password", "role_id", "version",
    ]  # fmt: skip
    write(made, FACTS)
    after = User.objects.values().get(customer=customer, number="101")
    assert {name for name in before if before[name] != after[name]} == {
        "last_name",
        "search_text",
        "sort_name",
        "version",
    }


def test_whoever_administers_departments_imports_for_their_own_people_alone(customer: Customer) -> None:
    from users.tests.factories import make_user

    chief = make_user(customer, "150", "Inès", "Roy", role="group_admins", department="Ventes")
    file = b"Number,LastName,Role,Department\r\n102,Autre,,\r\n103,Autre,,\r\n151,Neuf,system_owners,Ventes\r\n152,Neuf,,Soutien\r\n"
    made = look_at(
        file,
        Scope(
            User.objects.select_related("role", "customer", "primary_department").get(pk=chief.pk), customer
        ),
    )
    found = {row.number: (row.outcome, [said.reason.code for said in row.errors]) for row in made.outcomes}
    assert found["102"] == ("changed", [])  # of Ventes
    assert found["103"] == ("refused", ["not_yours"])
    assert found["151"][0] == found["152"][0] == "refused"
    assert "role_above" in found["151"][1]


@pytest.mark.parametrize("name", ["Yealink T54W", "T54W", "SIP-T54W", "Yealink SIP-T54W", "yealink-t54w"])
def test_a_model_is_known_as_people_and_its_label_call_it(name: str, customer: Customer, actor: User) -> None:
    made = look_at(
        f"Number,FirstName,LastName,MAC,Model\n171,Zoé,Roy,805EC0AABB77,{name}\n".encode(),
        Scope(actor, customer),
    )
    assert [row.as_json()["errors"] for row in made.outcomes] == [[]]
    assert made.counts["new"] == 1
