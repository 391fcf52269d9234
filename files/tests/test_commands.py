"""Files in and out at a terminal, for people and for programs."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from files.tests.given import DATA
from users.history.timeline import reason_in_words
from users.models import Customer, Operation, User


def run(*args: Any) -> tuple[int, dict[str, Any]]:
    """The exit code, and what was printed as JSON."""
    out = io.StringIO()
    try:
        call_command("import_users", *map(str, args), "--json", stdout=out)
    except SystemExit as ended:
        return int(ended.code or 0), json.loads(out.getvalue())
    return 0, json.loads(out.getvalue())


def test_a_preview_says_everything_and_changes_nothing(customer: Customer) -> None:
    code, said = run("pingris", DATA / "04-excel-francais.csv", "--preview", "--actor", "110")
    assert code == 1  # four rows are refused
    assert said["read"]["encoding"] == "windows-1252"
    assert said["counts"] == {"new": 4, "changed": 2, "unchanged": 1, "refused": 4, "blank": 0}
    assert [row["row"] for row in said["rows"]] == list(range(2, 13))
    [error] = said["rows"][9]["errors"]
    assert (error["column"], error["value"], error["reason"]) == (
        "Department",
        "Entretien ménager",
        "unknown_department",
    )
    assert said["rows"][1]["changes"]["MobileNumber"] == ["", "+15145550156"]
    assert User.objects.of(customer).count() == 10


def test_all_or_nothing_and_the_good_rows_by_choice(customer: Customer) -> None:
    file = DATA / "02-3cx20-five-faults.csv"
    assert run("pingris", file, "--actor", "110")[0] == 1
    assert User.objects.of(customer).count() == 10
    code, said = run("pingris", file, "--actor", "110", "--good-rows")
    assert (code, said["counts"]["new"], User.objects.of(customer).count()) == (0, 15, 25)
    assert Operation.objects.filter(customer=customer, source="csv").count() == 1
    assert (
        reason_in_words(Operation.objects.get(source="csv"))
        == "Fichier «\u00a002-3cx20-five-faults.csv\u00a0»"
    )
    # The same again makes nobody twice.
    assert run("pingris", file, "--actor", "110", "--good-rows")[1]["counts"]["unchanged"] == 15
    assert Operation.objects.filter(customer=customer, source="csv").count() == 1


def test_a_file_that_cannot_be_read_says_why_in_one_object(customer: Customer) -> None:
    code, said = run("pingris", DATA / "r2-guillemet-ouvert.csv")
    assert code == 1
    assert (said["file_refused"]["reason"], said["file_refused"]["line"]) == ("unclosed_quote", 3)
    assert "guillemet" in said["file_refused"]["message"]


@pytest.mark.parametrize(
    "args",
    [
        ("nobody", "x.csv"),
        ("pingris", "missing.csv"),
        ("pingris", DATA / "04-excel-francais.csv", "--actor", "999"),
    ],
)
def test_what_is_used_wrongly_is_said_with_exit_code_2(customer: Customer, args: tuple[Any, ...]) -> None:
    with pytest.raises(CommandError) as wrong:
        run(*args)
    assert wrong.value.returncode == 2


@pytest.mark.parametrize(("mode", "counts"), [("create", (4, 0, 0)), ("update", (0, 2, 1))])
def test_a_file_may_be_for_new_people_or_for_those_who_are_there_alone(
    customer: Customer, mode: str, counts: tuple[int, ...]
) -> None:
    _code, said = run(
        "pingris", DATA / "04-excel-francais.csv", "--preview", "--mode", mode, "--actor", "110"
    )
    assert tuple(said["counts"][outcome] for outcome in ("new", "changed", "unchanged")) == counts


@pytest.mark.parametrize("layout", ["3cx", "full", "xlsx"])
def test_what_is_exported_and_imported_again_changes_nothing(
    customer: Customer, capfdbinary: Any, tmp_path: Path, layout: str
) -> None:
    call_command("export_users", "pingris", "--format", layout)
    file = tmp_path / "file"
    file.write_bytes(capfdbinary.readouterr().out)
    code, said = run("pingris", file, "--actor", "110")
    assert (code, said["counts"]["unchanged"]) == (0, 10), [
        row for row in said["rows"] if row["outcome"] != "unchanged"
    ]


def test_an_export_of_a_department_holds_its_people_alone(customer: Customer, capfdbinary: Any) -> None:
    call_command("export_users", "pingris", "--format", "3cx", "--department", "ventes")
    rows = capfdbinary.readouterr().out.decode().splitlines()
    assert rows[0].startswith("Number,FirstName,LastName")
    numbers = set(
        User.objects.of(customer).filter(primary_department__name="Ventes").values_list("number", flat=True)
    )
    assert {row.split(",")[0] for row in rows[1:] if row[:3].isdigit()} == numbers
