"""Files of departments, numbers, system extensions and phones in stock: one outcome for each row, by the same rules as for people."""

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import given as of
from hypothesis import strategies as st

from files.exporting.writing import Kind, written
from files.importing.imports import Import, Mode
from files.importing.words import said_of
from files.reading.table import FileRefusedError
from files.subjects import SUBJECTS, Subject
from files.tests import given
from pbxadmin.common.columns import Scope
from pbxadmin.common.sections import Sheet
from phones.models import Phone
from users import rights, road
from users.company.sheets import department_sheet, did_sheet
from users.models import Change, Customer, Department, Did, Operation, SystemExtension, User
from users.tests.factories import FACTS, make_user


def looked(
    subject: str, text: str, customer: Customer, actor: User | None = None, mode: Mode = Mode.BOTH
) -> Import:
    """A file of a few lines, by support staff where nobody is named."""
    scope = Scope(actor or rights.terminal_actor(), customer)
    return SUBJECTS[subject].look_at(text.encode(), scope, mode)


def outcomes(made: Import) -> list[str]:
    return [row.outcome for row in made.outcomes]


def codes(made: Import) -> list[list[tuple[str, str]]]:
    """Column and code of each error of each row."""
    return [[(said.column, said.reason.code) for said in row.errors] for row in made.outcomes]


def taken(subject: str, text: str, customer: Customer) -> Import:
    """Written, and the same again is no change."""
    made = looked(subject, text, customer)
    assert not made.refused, codes(made)
    assert SUBJECTS[subject].write(made, FACTS) is not None
    again = looked(subject, text, customer)
    assert set(outcomes(again)) <= {"unchanged", "blank"}, [row.as_json() for row in again.outcomes]
    return made


# --- Departments --------------------------------------------------------------------------------------------------
def test_departments_are_made_and_changed_by_their_names_however_written(customer: Customer) -> None:
    made = taken(
        "departments",
        "Nom;Fuseau horaire;Langue;OutboundCallerID\r\n"
        "Comptabilité;America/Vancouver;English;514 555-0120\r\n"
        " VENTES ;;;5145550101\r\n"
        "\r\n"
        "soutien;America/Halifax;fr-CA;5145550102\r\n",
        customer,
    )
    assert outcomes(made) == ["new", "unchanged", "blank", "changed"]
    assert made.columns.by_place[0] == "Name"
    new = Department.objects.get(customer=customer, name="Comptabilité")
    assert (new.time_zone, new.language, new.outbound_caller_id) == (
        "America/Vancouver",
        "en",
        "+15145550120",
    )
    assert made.outcomes[3].changes == {"TimeZone": ("America/Toronto", "America/Halifax")}
    assert set(Department.objects.of(customer).values_list("name", flat=True)) == {
        "DEFAULT", "Ventes", "Soutien", "Comptabilité",
    }  # fmt: skip


def test_a_department_that_is_there_twice_is_refused_twice_and_each_names_the_other(
    customer: Customer,
) -> None:
    made = looked(
        "departments", "Name,Language\nAchats,en\nACHATS,fr-CA\nVentes,en\nventes,fr-CA\n", customer
    )
    assert outcomes(made) == ["refused"] * 4
    assert codes(made)[0] == codes(made)[1] == [("Name", "name_twice")]
    assert {code for found in codes(made)[2:] for _column, code in found} == {"person_twice"}
    for row, other in ((0, 3), (1, 2), (2, 5), (3, 4)):
        assert f"ligne {other}" in made.outcomes[row].errors[0].reason


def test_what_a_department_cannot_be_is_told_at_its_column(customer: Customer) -> None:
    made = looked(
        "departments",
        'Name,Language,TimeZone,OutboundCallerID\n,en,,\nA,klingon,,\nB,,Mars/Olympus,\nC,,,"5,14555E+09"\nD,,,555-0110\nE,,,,surplus\n',
        customer,
    )
    assert codes(made) == [
        [("Name", "required")],
        [("Language", "option_value")],
        [("TimeZone", "option_value")],
        [("OutboundCallerID", "excel_number")],
        [("OutboundCallerID", "phone_form")],
        [("", "row_long")],
    ]
    assert not Department.objects.of(customer).filter(name__in="ABCDE").exists()
    # Those that can be taken are, where that is asked for.
    assert SUBJECTS["departments"].write(SUBJECTS["departments"].good_rows(made), FACTS) is None


def test_hours_of_a_department_come_with_it(customer: Customer) -> None:
    made = taken(
        "departments", 'Name,OfficeHours,Holidays\nVentes,"mon 8:00-12:00; tue 9:00-17:00",\n', customer
    )
    assert made.outcomes[0].changes["OfficeHours"][1] == "mon 8:00-12:00; tue 9:00-17:00"


# --- Numbers ------------------------------------------------------------------------------------------------------
def answers(customer: Customer) -> dict[str, str]:
    """What each number rings."""
    return {
        did.number[-3:]: did.answers.number if did.answers else ""
        for did in Did.objects.of(customer).select_related("user", "system_extension")
    }


def test_numbers_are_known_in_any_spelling_and_say_what_they_ring(customer: Customer) -> None:
    made = taken(
        "numbers",
        "Number,Name,Rings\n"
        "514 555-0110,Ligne d'Amélie,101\n"
        "(514) 555-0120,Réception,800\n"
        "+1 514 555 0121,,109\n"
        "1-514-555-0170,Neuf,noémie lacroix-dubé\n"
        "5145550171,,801.0\n",
        customer,
    )
    assert outcomes(made) == ["changed", "changed", "changed", "new", "new"]
    assert made.outcomes[1].changes == {"Name": ("", "Réception"), "Rings": ("", "800")}
    found = answers(customer)
    assert [found[number] for number in ("110", "120", "121", "170", "171")] == [
        "101",
        "800",
        "109",
        "103",
        "801",
    ]
    assert (
        Operation.objects.filter(customer=customer).latest("pk").changes.count() == 6
    )  # four numbers and two people


def test_numbers_change_hands_within_a_file_in_any_direction(customer: Customer) -> None:
    taken("numbers", "Number,Rings\n5145550123,800\n5145550124,801\n", customer)
    made = taken(
        "numbers",
        "Number,Name,Rings\n"
        "5145550110,,102\n"  # two people exchange theirs
        "5145550111,,101\n"
        "5145550112,Ancien,801\n"  # from a person to a queue
        "5145550123,,105\n"  # from a ring group to a person
        "5145550124,,800\n"  # from one to another
        "5145550113,,\n",  # to nobody
        customer,
    )
    assert outcomes(made) == ["changed"] * 6
    assert made.outcomes[2].changes == {"Name": ("", "Ancien"), "Rings": ("105", "801")}
    found = answers(customer)
    assert [found[n] for n in ("110", "111", "112", "123", "124", "113")] == [
        "102",
        "101",
        "801",
        "105",
        "800",
        "",
    ]
    assert User.objects.get(customer=customer, number="105").dids.count() == 1
    before = Operation.objects.filter(customer=customer).count()
    taken("numbers", "Number,Name,Rings\n5145550112,,105\n", customer)
    # One operation, whatever the number of plans.
    assert Operation.objects.filter(customer=customer).count() == before + 1


def test_a_column_that_is_not_there_takes_no_number_from_anybody(customer: Customer) -> None:
    before = answers(customer)
    taken("numbers", "Number,Name\n5145550110,Ligne directe\n", customer)
    assert answers(customer) == before


def test_what_a_number_cannot_be_or_ring_is_told(customer: Customer) -> None:
    made = looked(
        "numbers",
        'Number,Rings\n555-0110,\n"5,14555E+09",\n5145550195,\n5145550120,999\n5145550180,\n+15145550180,\n5145550181,301\n5145550182,101\n',
        customer,
    )
    assert codes(made) == [
        [("Number", "number_form")],
        [("Number", "excel_number")],
        [("Number", "number_taken")],
        [("Rings", "unknown_extension")],
        [("Number", "number_twice")],
        [("Number", "number_twice")],
        [("Rings", "unknown_extension")],  # another customer's reads as unknown
        [],
    ]
    assert outcomes(made)[-1] == "new"
    good = SUBJECTS["numbers"].good_rows(made)
    assert SUBJECTS["numbers"].write(good, FACTS) is not None
    assert answers(customer)["182"] == "101"


def test_numbers_are_made_by_support_alone_and_another_customers_is_not_told_of(
    customer: Customer, actor: User
) -> None:
    made = looked(
        "numbers", "Number,Name,Rings\n5145550195,,\n5145550190,,\n5145550120,Accueil,800\n", customer, actor
    )
    assert outcomes(made) == ["refused", "refused", "changed"]
    assert made.outcomes[1].errors[0].reason.code == "not_yours"
    assert "Autre" not in " ".join(str(said.reason) for said in made.outcomes[0].errors)


def test_whoever_may_not_edit_somebody_moves_none_of_their_numbers(customer: Customer) -> None:
    """The row of the number says why, although it is the person who can't be changed."""
    chief = make_user(customer, "160", "Inès", "Roy", role="system_admins", department="Ventes")
    chief = User.objects.select_related("role", "customer", "primary_department").get(pk=chief.pk)
    Did.objects.filter(customer=customer, number="+15145550129").update(
        user=User.objects.get(customer=customer, number="110")
    )
    made = looked("numbers", "Number,Rings\n5145550129,101\n5145550128,102\n", customer, chief)
    assert outcomes(made) == ["refused", "changed"]
    assert {column for column, _code in codes(made)[0]} == {"Rings"}


# --- System extensions --------------------------------------------------------------------------------------------
def test_system_extensions_come_with_their_members(customer: Customer) -> None:
    made = taken(
        "system-extensions",
        'Numéro,Nom,Type,Members\n800,Accueil,Groupe d\'appels,"101, 102"\n805,Urgences,queue,109\n806,Menu,Répondeur numérique (SVI),\n',
        customer,
    )
    assert outcomes(made) == ["changed", "new", "new"]
    queue = SystemExtension.objects.get(customer=customer, number="805")
    assert (queue.kind, queue.members.get().number) == ("queue", "109")
    assert made.outcomes[0].changes["Members"] == ("", "101:102")


def test_what_a_system_extension_cannot_be_is_told(customer: Customer) -> None:
    made = looked(
        "system-extensions",
        "Number,Name,Kind,Members\n101,Double,queue,\n99,Court,queue,\n807,A,hotel,\n808,B,queue,999\n809,accueil,queue,\n810,C,,\n810,D,,\n812,E,ivr,101\n",
        customer,
    )
    assert codes(made) == [
        [("Number", "number_taken")],
        [("Number", "number_length")],
        [("Kind", "option_value")],
        [("Members", "unknown_extension")],
        [("Name", "name_taken")],
        [("Number", "number_twice")],
        [("Number", "number_twice")],
        [("Members", "option_value")],
    ]
    assert made.counts == {"new": 0, "changed": 0, "unchanged": 0, "refused": 8, "blank": 0}


# --- Phones in stock ----------------------------------------------------------------------------------------------
def test_phones_go_into_the_stock_and_are_found_there_in_any_spelling(customer: Customer) -> None:
    made = taken(
        "phones",
        "MAC;Modèle;Template;Router;Ringtone\r\n"
        "80:5E:C0:AA:20:01;Yealink T43U;whatever;;Ring 2\r\n"
        "c4fc.22aa.1099;;;Kq7vLx20PbZd;\r\n"
        "805EC0AA2002;yealink t54w;;805EC0AA2002;\r\n",
        customer,
    )
    assert outcomes(made) == ["new", "changed", "new"]
    phones = Phone.objects.filter(customer=customer, user=None)
    assert set(phones.values_list("mac", flat=True)) == {"805ec0aa2001", "c4fc22aa1099", "805ec0aa2002"}
    assert phones.get(mac="c4fc22aa1099").sbc.name == "SBC-Laval"  # type: ignore[union-attr]
    assert phones.get(mac="805ec0aa2002").sbc.identifier == "805EC0AA2002"  # type: ignore[union-attr]
    assert made.outcomes[1].changes["Router"] == ("", "Kq7vLx20PbZd")


def test_what_a_phone_cannot_be_is_told(customer: Customer) -> None:
    made = looked(
        "phones",
        'MAC,Model,Router\n805EC0AA20,Yealink T43U,\n12345678901,Yealink T43U,\n"8,05E+11",Yealink T43U,\n805EC0AA2010,,\n805EC0AA2011,Nokia 3310,\n'
        "805EC0BB9901,Yealink T43U,\n805EC0AA2012,Yealink T43U,nowhere\n805EC0AA2013,Yealink T43U,\n80-5E-C0-AA-20-13,Yealink T43U,\n,Yealink T43U,\n",
        customer,
    )
    assert codes(made) == [
        [("MAC", "mac_form")],
        [("MAC", "lost_zeros")],
        [("MAC", "excel_number")],
        [("Model", "model_missing")],
        [("Model", "unknown_model")],
        [("MAC", "mac_taken")],
        [("Router", "unknown_router")],
        [("MAC", "mac_twice")],
        [("MAC", "mac_twice")],
        [("MAC", "required")],
    ]
    # The file is sent by the provider's support, who are told where the phone is.
    assert "Autre" in str(made.outcomes[5].errors[0].reason)


def test_a_phone_that_somebody_uses_is_not_the_stocks_to_change(customer: Customer) -> None:
    phone = Phone.objects.get(mac="805ec0aa1001")
    made = looked("phones", f"MAC,Model\n805EC0AA1001,{phone.model}\n805EC0AA1001,Yealink T43U\n", customer)
    assert outcomes(looked("phones", f"MAC,Model\n805EC0AA1001,{phone.model}\n", customer)) == ["unchanged"]
    assert outcomes(looked("phones", "MAC,Ringtone\n805EC0AA1001,Ring 4\n", customer)) == ["refused"]
    assert "Amélie Bergeron" in str(
        looked("phones", "MAC,Ringtone\n805EC0AA1001,Ring 4\n", customer).outcomes[0].errors[0].reason
    )
    assert "refused" in outcomes(made)


# --- All of them --------------------------------------------------------------------------------------------------
LISTS = [slug for slug in SUBJECTS if slug != "users"]
OF_EACH = {
    "users": "Number,LastName\n101,Bergeron\n150,Neuve\n",
    "departments": "Name\nVentes\nNeuve\n",
    "numbers": "Number\n5145550110\n5145550177\n",
    "system-extensions": "Number,Name\n800,Accueil\n877,Neuve\n",
    "phones": "MAC,Model\nC4FC22AA1099,Yealink T43U\n805EC0AA2077,Yealink T43U\n",
}  # fmt: skip


@pytest.mark.parametrize("subject", OF_EACH)
@pytest.mark.parametrize(
    ("mode", "expected", "code"),
    [(Mode.CREATE, ["refused", "new"], "number_taken"), (Mode.UPDATE, ["unchanged", "refused"], "not_there")],
)
def test_a_file_may_be_for_what_is_new_or_for_what_is_there_alone(
    customer: Customer, subject: str, mode: Mode, expected: list[str], code: str
) -> None:
    made = looked(subject, OF_EACH[subject], customer, mode=mode)
    assert outcomes(made) == expected
    [row] = [row for row in made.outcomes if row.outcome == "refused"]
    assert [said.reason.code for said in row.errors] == [code]


@pytest.mark.parametrize("subject", LISTS)
def test_a_file_without_the_column_that_names_its_records_is_refused_as_a_whole(
    customer: Customer, subject: str
) -> None:
    with pytest.raises(FileRefusedError) as refused:
        looked(subject, "Couleur,Prix\nbleu,3\n", customer)
    assert refused.value.reason == "missing_key_columns"
    sentence = said_of(refused.value)
    assert "Couleur" in sentence
    assert SUBJECTS[subject].keys[0] in sentence


@pytest.mark.parametrize("subject", LISTS)
def test_a_file_of_users_is_taken_for_no_other(customer: Customer, subject: str) -> None:
    """Its departments, MACs and extensions would else become records of their own."""
    for content in (given.content("01-3cx20-export.csv"), given.content("08-liste-rh.csv")):
        with pytest.raises(FileRefusedError) as refused:
            SUBJECTS[subject].look_at(content, Scope(rights.terminal_actor(), customer))
        assert refused.value.reason in ("file_of_users", "missing_key_columns")
        assert said_of(refused.value)


@pytest.mark.parametrize("subject", LISTS)
def test_whoever_acts_in_some_departments_only_changes_nothing_by_a_file(
    customer: Customer, subject: str
) -> None:
    people = User.objects.select_related("role", "customer", "primary_department")
    chief = people.get(customer=customer, number="106")
    made = looked(subject, OF_EACH[subject], customer, chief)
    assert not {"new", "changed"} & set(outcomes(made))
    assert SUBJECTS[subject].why_not(Scope(chief, customer))


@pytest.mark.parametrize("subject", LISTS)
def test_a_file_assigns_nothing_but_what_a_page_offers(customer: Customer, subject: str) -> None:
    key, *_rest = header = OF_EACH[subject].splitlines()[0].split(",")
    first = OF_EACH[subject].splitlines()[1]
    made = looked(
        subject,
        f"{','.join(header)},id,customer,customer_id,user_id,version,token\n{first},1,autre,2,1,99,secret\n",
        customer,
    )
    assert made.columns.not_read == ["id", "customer", "customer_id", "user_id", "version", "token"]
    assert outcomes(made) == ["unchanged"], key


NAMES = (
    st.text(
        # Without the letters of accents that were decoded wrongly, for which any file is refused.
        st.characters(
            codec="utf-8",
            exclude_categories=("Cs", "Cc", "Cf", "Co", "Cn", "Zl", "Zp"),
            exclude_characters="ÂÃÄÅâ\ufffd",
        ),
        min_size=1,
        max_size=30,
    )
    .map(str.strip)
    .filter(lambda name: name and "'" not in name[:1])
)
FORMULAS = st.sampled_from(["=1+1", "+1 514", "-x", "@sum", "'=a", "＝x", '="x"', "''+1"])


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@of(
    names=st.lists(st.one_of(NAMES, FORMULAS), min_size=1, max_size=6, unique=True),
    workbook=st.booleans(),
)
def test_any_names_go_out_and_come_in_unchanged_and_nothing_runs(
    customer: Customer, names: list[str], workbook: bool
) -> None:
    """Of departments, numbers and system extensions, in CSV and in XLSX."""
    scope = Scope(rights.terminal_actor(), customer)
    with transaction.atomic():
        _name(scope, department_sheet(), [None] * len(names), names)
        _name(scope, did_sheet(), list(Did.objects.of(customer).values_list("pk", flat=True)), names)
        for slug in ("departments", "numbers", "system-extensions"):
            _goes_round(SUBJECTS[slug], scope, Kind.XLSX if workbook else Kind.CSV)
        transaction.set_rollback(True)


def _name(scope: Scope, sheet: Sheet, keys: Sequence[Any], names: list[str]) -> None:
    rows = [road.Row(key, {"name": name}) for key, name in zip(keys, names, strict=False)]
    road.apply(road.plan(scope.actor, scope.customer, sheet, rows).without_refused(), FACTS)


def _goes_round(subject: Subject, scope: Scope, kind: Kind) -> None:
    cells = [cell for row in subject.rows(scope) for cell in row]
    assert not any(cell.startswith(("=", "+", "-", "@", "＝")) for cell in cells)
    content = b"".join(written(kind, "x", subject.header(), subject.rows(scope)))
    made = subject.look_at(content, Scope(scope.actor, scope.customer))
    assert set(outcomes(made)) == {"unchanged"}, [
        row.as_json() for row in made.outcomes if row.outcome != "unchanged"
    ]


def test_the_history_says_what_a_file_did_to_each_record(customer: Customer) -> None:
    made = looked("departments", "Name,Language\nVentes,en\nAchats,en\n", customer)
    operation: Any = SUBJECTS["departments"].write(made, FACTS, "file départements.csv")
    kinds = dict(Change.objects.filter(operation=operation).values_list("object_name", "kind"))
    assert set(kinds) == {"Ventes", "Achats"}


# --- At a terminal ------------------------------------------------------------------------------------------------
def run(*args: Any) -> tuple[int, dict[str, Any]]:
    out = io.StringIO()
    try:
        call_command("import_list", *map(str, args), "--json", stdout=out)
    except SystemExit as ended:
        return int(ended.code or 0), json.loads(out.getvalue())
    return 0, json.loads(out.getvalue())


@pytest.mark.parametrize("kind", [str(kind) for kind in Kind])
@pytest.mark.parametrize("subject", SUBJECTS)
def test_at_a_terminal_what_goes_out_comes_in_again_and_changes_nothing(
    customer: Customer, subject: str, kind: str, capfdbinary: Any, tmp_path: Path
) -> None:
    call_command("export_list", subject, "pingris", "--format", kind)
    file = tmp_path / "file"
    file.write_bytes(capfdbinary.readouterr().out)
    code, said = run(subject, "pingris", file)
    assert code == 0
    assert said["counts"]["unchanged"] == len(said["rows"]) > 0


def test_at_a_terminal_a_file_is_told_of_and_taken_as_one_of_users_is(
    customer: Customer, tmp_path: Path
) -> None:
    file = tmp_path / "numéros.csv"
    file.write_text("Number,Rings\n5145550177,101\n5145550178,999\n")
    code, said = run("numbers", "pingris", file, "--preview")
    assert (code, said["counts"]["new"], said["counts"]["refused"]) == (1, 1, 1)
    [error] = said["rows"][1]["errors"]
    assert (error["column"], error["value"], error["reason"]) == ("Rings", "999", "unknown_extension")
    assert run("numbers", "pingris", file)[0] == 1
    assert not Did.objects.filter(number__in=["+15145550177", "+15145550178"]).exists()
    assert run("numbers", "pingris", file, "--good-rows")[0] == 0
    assert Did.objects.get(number="+15145550177").user is not None
    with pytest.raises(CommandError) as wrong:
        run("numbers", "nobody", file)
    assert wrong.value.returncode == 2
