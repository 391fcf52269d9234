"""The page that makes a file of people: whose rows are in it, what leaves with them, and what the history says first."""

import csv
import io
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from files.importing.importing import look_at
from files.reading import read
from files.reading.headers import V20
from pbxadmin.common.columns import Scope
from signin.credentials import PASSWORD_AT
from signin.second_factor import VERIFIED_AT
from signin.tests.signing import sign_in_fully
from users.models import Change, Customer, Operation, User
from users.tests.factories import make_user
from voicemail.models import Mailbox

EXPORT = reverse("file_export", args=["pingris"])


@pytest.fixture
def owner(actor: User) -> Client:
    """The owner, signed in with a fresh proof."""
    return sign_in_fully(Client(), actor)


def forget_the_proof(client: Client) -> None:
    session = client.session
    session[VERIFIED_AT] = session[PASSWORD_AT] = 0
    session.save()


def sent(answer: Any) -> bytes:
    assert answer.streaming, answer.content.decode()[:2000]
    return b"".join(answer.streaming_content)


def rows(answer: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(sent(answer).decode())))


def numbers(answer: Any) -> list[str]:
    return [row["Number"] for row in rows(answer)]


DOWNLOAD = {"download": "1", "kind": "csv", "layout": "3cx"}


def test_everybody_leaves_in_the_columns_that_were_asked_for(owner: Client, customer: Customer) -> None:
    answer = owner.post(EXPORT, DOWNLOAD)
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Cache-Control"] == "no-store"
    assert answer["Content-Disposition"].startswith('attachment; filename="pingris-3cx-20')
    found = rows(answer)
    assert list(found[0]) == list(V20)
    assert [row["Number"] for row in found] == sorted(
        User.objects.of(customer).values_list("number", flat=True)
    )
    assert {row["VMPIN"] for row in found} == {""}


@pytest.mark.parametrize("form", ["3cx", "full", "xlsx"])
def test_the_page_and_the_terminal_give_the_same_bytes(
    owner: Client, customer: Customer, form: str, capfdbinary: Any
) -> None:
    layout, kind = ("full", "xlsx") if form == "xlsx" else (form, "csv")
    from_page = sent(owner.post(EXPORT, {"download": "1", "layout": layout, "kind": kind}))
    call_command("export_users", "pingris", "--format", form)
    assert capfdbinary.readouterr().out == from_page
    assert len(read(from_page).records) == User.objects.of(customer).count()


def test_what_the_list_was_asked_for_travels_to_the_file(owner: Client, customer: Customer) -> None:
    ventes = User.objects.of(customer).filter(primary_department__name="Ventes")
    asked = {"department": str(ventes[0].primary_department_id)}
    page = owner.get(EXPORT, asked).content.decode()
    assert f'name="department" value="{asked["department"]}"' in page
    assert "Ventes" in page
    assert numbers(owner.post(EXPORT, DOWNLOAD | asked)) == sorted(ventes.values_list("number", flat=True))
    found = owner.get(reverse("users", args=["pingris"]), asked).content.decode()
    assert f'href="{EXPORT}?department={asked["department"]}"' in found


def test_chosen_rows_and_all_that_match_come_from_the_bar_of_the_list(
    owner: Client, customer: Customer
) -> None:
    page = owner.get(reverse("users", args=["pingris"])).content.decode()
    assert f'formaction="{EXPORT}"' in page
    keys = list(User.objects.of(customer).order_by("number").values_list("pk", flat=True)[1:3])
    chosen = owner.post(EXPORT, {"chosen": keys})
    assert not chosen.streaming
    assert chosen.context["whose"].count == 2
    assert len(numbers(owner.post(EXPORT, DOWNLOAD | {"chosen": keys}))) == 2
    everybody = owner.post(EXPORT, DOWNLOAD | {"chosen": keys, "all_matching": "1"})
    assert len(numbers(everybody)) == User.objects.of(customer).count()


def test_one_person_is_a_model_for_new_ones(owner: Client, customer: Customer) -> None:
    tab = owner.get(reverse("user_tab", args=["pingris", "101", "general"])).content.decode()
    assert f'href="{EXPORT}?only=101"' in tab
    answer = owner.post(EXPORT, DOWNLOAD | {"only": "101"})
    assert 'filename="pingris-101-3cx-' in answer["Content-Disposition"]
    assert numbers(answer) == ["101"]
    assert owner.get(EXPORT, {"only": "999"}).status_code == 404


@pytest.fixture
def chief(customer: Customer) -> Client:
    """Administers the department Ventes alone."""
    person = make_user(customer, "150", "Inès", "Roy", role="group_admins", department="Ventes")
    return sign_in_fully(Client(), person)


def test_a_departments_administrator_gets_their_own_people_and_is_told_how_many_are_left_out(
    chief: Client, customer: Customer
) -> None:
    mine = set(
        User.objects.of(customer)
        .filter(primary_department__name="Ventes", role__level__lte=User.objects.get(number="150").role.level)
        .values_list("number", flat=True)
    )
    page = chief.get(EXPORT)
    assert page.context["whose"].left_out == User.objects.of(customer).count() - len(mine) > 0
    assert set(numbers(chief.post(EXPORT, DOWNLOAD))) == mine
    everybody = list(User.objects.of(customer).values_list("pk", flat=True))
    assert set(numbers(chief.post(EXPORT, DOWNLOAD | {"chosen": everybody}))) == mine
    owner = User.objects.get(customer=customer, number="110")
    assert "110" not in numbers(chief.post(EXPORT, DOWNLOAD | {"q": owner.last_name}) if mine else iter(()))


def test_a_filter_tells_nothing_of_whom_the_reader_may_not_open(chief: Client, customer: Customer) -> None:
    hidden = User.objects.of(customer).exclude(primary_department__name="Ventes").first()
    found = chief.get(EXPORT, {"q": hidden.number})
    assert (found.context["whose"].count, found.context["whose"].left_out) == (0, 0)
    assert chief.post(EXPORT, DOWNLOAD | {"q": hidden.number}).streaming is False


def test_nobody_above_the_reader_is_in_a_file(customer: Customer, actor: User) -> None:
    manager = make_user(customer, "151", "Zoé", "Lavoie", role="system_admins", department="Ventes")
    above = set(
        User.objects.of(customer).filter(role__level__gt=manager.role.level).values_list("number", flat=True)
    )
    found = set(numbers(sign_in_fully(Client(), manager).post(EXPORT, DOWNLOAD)))
    assert above
    assert not above & found


# --- Secrets ------------------------------------------------------------------------------------------------------
def test_pins_leave_only_after_a_proof_and_a_look_at_what_leaves(owner: Client, customer: Customer) -> None:
    wanted = DOWNLOAD | {"pins": "1"}
    forget_the_proof(owner)
    asked = owner.post(EXPORT, wanted | {"agreed": str(User.objects.of(customer).count())})
    assert asked.status_code == 403
    assert not Operation.objects.filter(reason="export").exists()
    sign_in_fully(owner, User.objects.get(customer=customer, number="110"))
    told = owner.post(EXPORT, wanted)
    assert not told.streaming
    assert not Operation.objects.filter(reason="export").exists()
    # Whoever agreed to another number of people is asked again.
    assert not owner.post(EXPORT, wanted | {"agreed": "3"}).streaming
    answer = owner.post(EXPORT, wanted | {"agreed": str(told.context["whose"].count)})
    # Written before the first piece is made.
    shown = Operation.objects.get(reason="export")
    pins = {mailbox.user.number: mailbox.pin for mailbox in Mailbox.objects.filter(user__customer=customer)}
    assert (shown.kind, shown.actor_name, shown.changes.count()) == (
        "reveal",
        str(User.objects.get(customer=customer, number="110")),
        sum(bool(pin) for pin in pins.values()),
    )
    assert {row["Number"]: row["VMPIN"] for row in rows(answer)} == pins


def test_the_history_of_each_person_says_that_their_pin_left_in_a_file(
    owner: Client, customer: Customer
) -> None:
    sent(owner.post(EXPORT, DOWNLOAD | {"pins": "1", "only": "101", "agreed": "1"}))
    person = User.objects.get(customer=customer, number="101")
    [change] = Change.objects.filter(subject_pk=person.pk, operation__reason="export")
    assert [cell["column"] for cell in change.cells] == ["voicemail.pin"]
    assert change.cells[0]["new"] == ""
    page = owner.get(reverse("user_history", args=["pingris", "101"])).content.decode()
    assert "Dans un fichier" in page or "In a file" in page


def test_at_a_terminal_pins_are_asked_for_and_the_history_says_so(
    customer: Customer, capfdbinary: Any
) -> None:
    call_command("export_users", "pingris", "--format", "3cx")
    assert not Operation.objects.filter(reason="export").exists()
    call_command("export_users", "pingris", "--format", "3cx", "--with-secrets")
    [shown] = Operation.objects.filter(reason="export")
    assert (shown.source, shown.actor_pk) == ("terminal", None)
    made = capfdbinary.readouterr().out
    pins = Mailbox.objects.filter(user__customer=customer)
    assert all(mailbox.pin.encode() in made for mailbox in pins if mailbox.pin)


def test_no_password_is_in_any_file(owner: Client, customer: Customer) -> None:
    secrets = [person.sip_password for person in User.objects.of(customer)]
    secrets += [phone.web_password for person in User.objects.of(customer) for phone in person.phones.all()]
    found = sent(
        owner.post(
            EXPORT,
            {
                "download": "1",
                "layout": "full",
                "kind": "csv",
                "pins": "1",
                "agreed": str(User.objects.of(customer).count()),
            },
        )
    )
    assert all(secrets)
    assert not [secret for secret in secrets if secret.encode() in found]


def test_a_file_with_pins_imported_again_changes_nothing(
    owner: Client, customer: Customer, actor: User
) -> None:
    agreed = str(User.objects.of(customer).count())
    made = sent(
        owner.post(EXPORT, {"download": "1", "layout": "full", "kind": "xlsx", "pins": "1", "agreed": agreed})
    )
    found = look_at(made, Scope(actor, customer))
    assert {row.outcome for row in found.outcomes} == {"unchanged"}


# --- Before a deletion --------------------------------------------------------------------------------------------
def test_deleting_many_offers_their_file_first_and_the_file_leads_back(
    owner: Client, customer: Customer
) -> None:
    keys = list(User.objects.of(customer).exclude(number="110").values_list("pk", flat=True)[:2])
    delete = reverse("chosen_delete", args=["pingris"])
    page = owner.post(delete, {"chosen": keys}).content.decode()
    assert f'formaction="{EXPORT}"' in page
    # What that form sends along confirms nothing on the page of the file, and comes back from it unconfirmed.
    export = owner.post(EXPORT, {"chosen": keys, "confirmed": "1", "expected": "2", "then": "delete"})
    assert export.context["then"]["url"] == delete
    assert export.context["whose"].hidden == [("chosen", str(key)) for key in keys]
    assert User.objects.of(customer).filter(pk__in=keys).count() == 2


# --- Memory -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_file_is_written_while_its_rows_come(kind: str) -> None:
    from files.exporting.writing import Kind, written

    taken = 0

    def endless() -> Iterator[list[str]]:
        nonlocal taken
        while True:
            taken += 1
            yield [str(taken), f"Prénom {taken}", "Ventes"]

    made = written(Kind(kind), "Pin Gris", ["Number", "FirstName", "Department"], endless())
    assert next(made)
    assert sum(len(next(made)) for _turn in range(3)) > 0
    assert 0 < taken < 100_000
