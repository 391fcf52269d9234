"""A new customer in one page: what is proposed, what its parts mean, and that it is all of it or nothing."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError
from django.urls import reverse

from signin import credentials as signin
from signin import second_factor
from signin.tests.signing import sign_in_fully
from users import road
from users.company import onboarding
from users.company.proposals import proposed
from users.company.sheets import customer_sheet, department_sheet
from users.models import Change, Customer, Department, Did, Letter, Operation, User
from users.tests.factories import FACTS

pytestmark = pytest.mark.slow("opens page after page")

NEW = {
    "customer-name": "Garage Fortin",
    "customer-slug": "fortin",
    "customer-fqdn": "fortin.example.com",
    "customer-edition": "pro",
    "customer-extension_digits": "3",
    "customer-included_extensions": "5",
    "customer-language": "fr-CA",
    "customer-time_zone": "America/Toronto",
    "customer-sip_trunk_channels": "4",
    "department-0-name": "Atelier",
    "department-0-outbound_caller_id": "450 555-0101",
    "department-1-name": "Ventes",
    "numbers-list": "450 555-0101;Ligne principale",
    "start-hours": "9-17",
    "start-holidays": "quebec",
    "welcome": "1",
    "owner-first_name": "Mathis",
    "owner-last_name": "Fortin",
    "owner-email": "mathis@fortin.example",
    "owner-number": "",
}


def test_a_customer_is_made_in_one_go_and_its_owners_link_is_shown_once(client, staff):
    sign_in_fully(client, staff)
    answer = client.post(reverse("customer_create"), NEW)
    assert answer.status_code == 302
    made = Customer.objects.get(slug="fortin")
    owner = User.objects.of(made).get()
    assert (owner.role_id, owner.number, owner.require_2fa, owner.primary_department.name) == (
        "system_owners",
        "100",
        True,
        "Atelier",
    )
    assert set(Department.objects.of(made).values_list("name", flat=True)) == {"Atelier", "Ventes"}
    assert Did.objects.of(made).get().number == "+14505550101"
    assert Operation.objects.filter(customer=made).get().actor_pk == staff.pk, "one operation"
    assert Letter.objects.get(user=owner).kind == Letter.Kind.WELCOME
    atelier = Department.objects.of(made).get(name="Atelier")
    assert (atelier.language, atelier.periods.count()) == ("fr-CA", 5)
    assert len({each.first.year for each in atelier.holidays.filter(name="Jour de Noël")}) == 2
    assert set(Change.objects.filter(operation__customer=made).values_list("model", flat=True)) == {
        "users.customer",
        "users.department",
        "users.did",
        "users.user",
    }
    page = client.get(answer.url).content.decode()
    link = page.split('id="welcome-link">')[1].split("<")[0]
    assert "/set-password/" in link
    assert "/set-password/" not in client.get(answer.url).content.decode()
    assert client.get(link.replace("http://127.0.0.1:8000", "")).status_code in (200, 302)


def test_a_page_that_is_opened_late_gives_no_link_to_an_owner_who_signs_in_already(client, staff):
    sign_in_fully(client, staff)
    answer = client.post(reverse("customer_create"), NEW)
    owner = User.objects.get(customer__slug="fortin")
    owner.set_password("Une-longue-phrase-9")
    owner.save(update_fields=["password"])
    assert "/set-password/" not in client.get(answer.url).content.decode()


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"customer-fqdn": "boreale.example.com"}, "customer-fqdn"), ({"customer-slug": "boreale"}, "customer-slug"),
        ({"customer-slug": "BOREALE"}, "customer-slug"), ({"customer-slug": "bor_eale"}, "customer-slug"),
        ({"department-0-name": "", "department-0-outbound_caller_id": "", "department-1-name": ""}, "department-0-name"),
        ({"department-1-name": "atelier"}, "department-1-name"), ({"numbers-list": "12"}, "numbers-list"),
        ({"numbers-list": "514 555-0110 à 0115"}, "numbers-list"),
        ({"owner-email": "x"}, "owner-email"), ({"owner-number": "12345"}, "owner-number"),
    ],
)  # fmt: skip
def test_a_customer_that_is_refused_in_one_part_is_not_made_at_all(client, boreale, staff, changed, field):
    sign_in_fully(client, staff)
    before = (Customer.objects.count(), Department.objects.count(), Operation.objects.count())
    answer = client.post(reverse("customer_create"), NEW | changed)
    assert answer.status_code == 422
    assert f"id_{field}_error" in answer.content.decode()
    assert "Garage Fortin" in answer.content.decode()
    assert (Customer.objects.count(), Department.objects.count(), Operation.objects.count()) == before


def test_a_usual_customer_takes_a_name_seats_a_range_and_an_owner(client, boreale, laurier, staff):
    sign_in_fully(client, staff)
    page = client.get(reverse("customer_create")).context["forms"]
    assert page.departments[0]["name"].value() == "Accueil", "nothing to type there"
    sent = {
        "customer-name": "Épicerie Lebœuf & fils inc.",
        "customer-edition": "pro",
        "customer-extension_digits": "3",
        "customer-included_extensions": "12",
        "customer-language": "fr-CA",
        "customer-time_zone": "America/Toronto",
        "customer-sip_trunk_channels": "4",
        "numbers-list": "418 555-0130 à 0139",
        "department-0-name": "Accueil",
        "start-hours": "always",
        "start-holidays": "",
        "owner-first_name": "Zoé",
        "owner-last_name": "Lebœuf",
    }
    assert client.post(reverse("customer_create"), sent).status_code == 302
    made = Customer.objects.get(slug="epicerie-leboeuf-fils")
    assert made.fqdn == "epicerie-leboeuf-fils.example.com"
    assert Did.objects.of(made).count() == 10
    place = Department.objects.of(made).get()
    assert (place.outbound_caller_id, place.periods.count()) == ("+14185550130", 7)
    assert not Letter.objects.exists(), "no box, no mail"
    again = sent | {"numbers-list": "", "department-0-outbound_caller_id": "418 555-0177"}
    assert client.post(reverse("customer_create"), again).status_code == 302
    assert Customer.objects.get(slug="epicerie-leboeuf-fils-2").fqdn == "epicerie-leboeuf-fils-2.example.com"


def test_hours_may_be_those_of_another_customer(client, boreale, staff):
    sign_in_fully(client, staff)
    accueil = Department.objects.of(boreale).get(name="Accueil")
    week = {"office_hours": ["10:00-16:00"] * 2 + [""] * 5, "break_hours": ["12:00-12:30"] + [""] * 6}
    road.apply(road.plan(staff, boreale, department_sheet(), [road.Row(accueil.pk, week)]), FACTS)
    client.post(reverse("customer_create"), NEW | {"start-hours": "as:boreale"})
    made = Department.objects.get(customer__slug="fortin", name="Atelier")
    assert [
        (each.kind, each.weekday, f"{each.start:%H:%M}") for each in made.periods.order_by("kind", "weekday")
    ] == [
        ("break", 0, "12:00"),
        ("open", 0, "10:00"),
        ("open", 1, "10:00"),
    ]


def test_the_list_of_numbers_is_shown_before_anything_is_made(client, boreale, staff):
    sign_in_fully(client, staff)
    looked = client.post(
        reverse("customer_create"), NEW | {"numbers-list": "450 555-0130 à 0139", "do": "look"}
    )
    assert looked.status_code == 200
    assert "450 555-0135" in looked.content.decode()
    typing = client.post(reverse("customer_numbers"), {"numbers-list": "450 555-0130 à 0139\n12"})
    assert "12" in typing.content.decode()
    name = client.get(reverse("customer_proposal"), {"customer-name": "Clinique Boréale"})
    assert "clinique-boreale.example.com" in name.content.decode()
    assert not Customer.objects.filter(name="Garage Fortin").exists()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1252", "utf-16"])
def test_numbers_come_as_a_file_too(client, boreale, staff, encoding):
    sign_in_fully(client, staff)
    text = "Numéro;Nom\r\n450 555-0130;Réception\r\n450 555-0131 à 0133;\r\n"
    file = SimpleUploadedFile("numeros.csv", text.encode(encoding))
    client.post(reverse("customer_create"), NEW | {"numbers-list": "", "numbers-file": file})
    numbers = Did.objects.filter(customer__slug="fortin").order_by("number")
    assert [(did.number[-4:], did.name) for did in numbers] == [
        ("0130", "Réception"), ("0131", ""), ("0132", ""), ("0133", ""),
    ]  # fmt: skip


def test_a_workbook_in_the_place_of_a_list_is_refused_and_says_what_to_do(client, boreale, staff):
    sign_in_fully(client, staff)
    file = SimpleUploadedFile("numeros.xlsx", b"PK\x03\x04\0\0\0")
    answer = client.post(reverse("customer_create"), NEW | {"numbers-file": file})
    assert answer.status_code == 422
    assert "CSV" in answer.content.decode()
    assert not Customer.objects.filter(slug="fortin").exists()


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Clinique Boréale", "clinique-boreale"), ("L’Œuvre d'Ève Ltée", "loeuvre-deve"), ("A.B.C. Inc.", "abc"), ("Inc", "inc"),
        ("   ", ""), ("日本", ""), ("9-1-1 Tacos", "9-1-1-tacos"), ("x" * 90, "x" * 40),
        ("Société générale du très long nom de la compagnie", "societe-generale-du-tres-long-nom-de-la"),
    ],
)  # fmt: skip
def test_addresses_are_proposed_from_the_name(boreale, name, slug):
    found = proposed(name)
    assert found.slug == slug
    assert found.host == (f"{slug}.example.com" if slug else "")


def test_only_support_makes_customers(client, felix):
    sign_in_fully(client, felix)
    assert client.get(reverse("customer_create")).status_code == 403
    assert client.post(reverse("customer_create"), NEW).status_code == 403
    plan = road.plan(
        felix,
        Customer(),
        customer_sheet(),
        [road.Row(None, {"name": "X", "slug": "x", "fqdn": "x.example.com"})],
    )
    assert plan.refused


def test_a_proof_that_is_asked_for_loses_no_number_of_a_file(client, boreale, staff):
    sign_in_fully(client, staff)
    session = client.session
    for name in (signin.PASSWORD_AT, second_factor.VERIFIED_AT):
        session[name] = 1
    session.save()
    file = SimpleUploadedFile("numeros.csv", b"450 555-0130\n450 555-0131")
    asked = client.post(reverse("customer_create"), NEW | {"numbers-file": file})
    assert asked.status_code == 403
    assert "450 555-0131" in asked.content.decode()
    assert not Customer.objects.filter(slug="fortin").exists(), "nothing before the proof"


def test_whoever_is_forestalled_in_the_same_moment_is_told_and_nothing_is_made(
    client, boreale, staff, monkeypatch
):
    sign_in_fully(client, staff)

    def taken(*facts):
        Customer.objects.create(name="Autre", slug="fortin", fqdn="autre.example.com")
        raise IntegrityError

    monkeypatch.setattr(onboarding, "_created", taken)
    answer = client.post(reverse("customer_create"), NEW)
    assert answer.status_code == 422
    assert "au même moment" in answer.content.decode()
    assert not Customer.objects.filter(slug="fortin").exists()
