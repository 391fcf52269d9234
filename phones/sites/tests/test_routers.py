"""The Router column of 3CX's file: SBCs by their ID, router phones by their MAC, those that come with the same file included."""

from html import unescape
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import translation

from pbxadmin.common.columns import Pending, Scope
from pbxadmin.common.reasons import reasons_of
from phones import build
from phones.models import Phone, Sbc
from phones.settings.sections import phone_sheet
from phones.sites.routers import Asked, cell_of, routers_of
from phones.sites.sections import sbc_sheet
from phones.tests.factories import again, fetch, fetched, make_phone, outbox, provider, settings_of
from signin.tests.signing import sign_in_fully
from users import road
from users.models import Customer, User
from users.tests.factories import FACTS, make_user

pytestmark = pytest.mark.django_db

ID = "Kq7vLx20PbZd"
ROUTER = "44dbd2aa1003"


@pytest.fixture
def scope(boreale: Customer) -> Scope:
    return Scope(provider(), boreale)


@pytest.fixture
def laval(boreale: Customer) -> Sbc:
    """The SBC of a site, as 3CX knows it."""
    return Sbc.objects.create(customer=boreale, name="SBC-Laval", identifier=ID, address="192.168.10.2")


def save(customer: Customer, key: Any, **values: Any) -> road.RowPlan:
    """Plan and write one SBC."""
    plan = road.plan(provider(), customer, sbc_sheet(), [road.Row(key, values)])
    if not plan.refused:
        road.apply(plan, FACTS)
    return plan.rows[0]


def codes(row: road.RowPlan) -> dict[str, list[str]]:
    """Why a row is refused."""
    return {name: [reason.code for reason in reasons] for name, reasons in row.reasons.items()}


# --- Reading ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("text", [ID, ID.lower(), f" {ID} ", "sbc-laval", "SBC-Laval"])
def test_an_sbc_is_meant_by_its_identifier_or_its_name_in_any_case(
    scope: Scope, laval: Sbc, text: str
) -> None:
    (answer,) = routers_of(scope, [Asked(text, "805ec0aa1002")]).answers
    assert answer.values == {"connection": "sbc", "sbc": laval.pk}


@pytest.mark.parametrize("text", ["44DBD2AA1003", "44:db:d2:aa:10:03", "44-DB-D2-AA-10-03", "44db.d2aa.1003"])
def test_a_router_phone_is_meant_by_its_mac_in_any_spelling(
    scope: Scope, boreale: Customer, text: str
) -> None:
    made = Sbc.objects.create(customer=boreale, name="Étage 2", kind="router", identifier=ROUTER.upper())
    found = routers_of(scope, [Asked(text, "805ec0aa1002")])
    assert (found.answers[0].values["sbc"], found.plan) == (made.pk, None)


def test_router_phones_that_come_with_the_file_are_made_before_the_phones_behind_them(
    scope: Scope, boreale: Customer, amelie: User, felix: User, ines: User
) -> None:
    there = make_phone(boreale, ines, "249ad8aa1004")
    people = [(amelie, "805ec0aa2003"), (felix, ROUTER), (ines, "249ad8aa1004")]
    asked = [
        Asked("44DBD2AA1003", people[0][1]),
        Asked("44dbd2aa1003", people[1][1]),
        Asked("249A.D8AA.1004", people[2][1], "lan"),
    ]
    found = routers_of(scope, asked)
    assert [answer.reasons for answer in found.answers] == [[], [], []]
    assert found.plan is not None
    rows = [
        road.Row(None, {"mac": mac, "model": "yealink-t54w", "user": person.pk, **answer.values})
        for (person, mac), answer in zip(people[:2], found.answers[:2], strict=True)
    ]
    rows.append(road.Row(there.pk, found.answers[2].values))
    phones = road.plan(scope.actor, boreale, phone_sheet(), rows, scope=scope)
    assert not phones.refused, phones.sentences
    operation = road.apply_all([found.plan, phones], FACTS)
    assert operation is not None
    assert operation.changes.count() == 5
    assert [cell_of(phone, Scope(provider(), boreale)) for phone in Phone.objects.order_by("mac")] == [
        "249AD8AA1004",
        "44DBD2AA1003",
        "44DBD2AA1003",
    ]
    assert list(Sbc.objects.values_list("kind", "identifier", "name", "address")) == [
        ("router", "249AD8AA1004", "24:9A:D8:AA:10:04", None),
        ("router", "44DBD2AA1003", "44:DB:D2:AA:10:03", None),
    ]
    # The same file again makes nobody and changes nothing.
    now = [
        Asked(one.text, mac, again(Phone(pk=phone.pk)).connection)
        for one, (_person, mac) in zip(asked, people, strict=True)
        for phone in Phone.objects.filter(mac=mac)
    ]
    second = routers_of(Scope(provider(), boreale), now)
    assert second.plan is None
    plan = road.plan(
        provider(),
        boreale,
        phone_sheet(),
        [
            road.Row(Phone.objects.get(mac=mac).pk, answer.values)
            for (_person, mac), answer in zip(people, second.answers, strict=True)
        ],
    )
    assert {row.outcome for row in plan.rows} == {"unchanged"}


def test_what_is_unknown_or_another_customers_is_refused_alike(
    scope: Scope, boreale: Customer, laurier: Customer, laval: Sbc
) -> None:
    stranger = make_user(laurier, "201", "Zoé", "Roy")
    make_phone(laurier, stranger, "805ec0bb9901")
    Sbc.objects.create(customer=laurier, name="SBC-Rive", identifier="Zz9", address="10.0.0.1")
    asked = ["SBC-Inconnu", "inconnuSBC1", "Zz9", "SBC-Rive", "805EC0BB9901", "805EC0BB9902", str(laval.pk)]
    found = routers_of(scope, [Asked(text, "805ec0aa1002") for text in asked])
    assert [[reason.code for reason in answer.reasons] for answer in found.answers] == [
        ["unknown_router"]
    ] * len(asked)
    assert not any(answer.values for answer in found.answers)
    assert found.plan is None
    with pytest.raises(ValidationError) as refused:
        phone_sheet().columns["sbc"].from_cell("Zz9", scope)
    assert reasons_of(refused.value)[0].code == "unknown_router"


def test_a_blank_takes_a_phone_out_from_behind_an_sbc_and_no_direct_one_from_its_connection(
    scope: Scope,
) -> None:
    found = routers_of(
        scope, [Asked("", "805ec0aa1002", connection) for connection in ("sbc", "direct", "lan", None)]
    )
    assert [answer.values for answer in found.answers] == [{"connection": "lan", "sbc": None}, {}, {}, {}]


def test_whoever_may_not_make_a_router_is_refused_where_one_would_be_made(
    boreale: Customer, ines: User, laval: Sbc
) -> None:
    found = routers_of(Scope(ines, boreale), [Asked(ROUTER, ROUTER), Asked(ID, "805ec0aa1002")])
    assert [reason.code for reason in found.answers[0].reasons] == ["not_yours"]
    assert found.answers[1].values == {"connection": "sbc", "sbc": laval.pk}
    assert found.plan is None


def test_a_router_phone_that_was_entered_by_hand_under_its_mac_is_the_one_that_is_meant(
    scope: Scope, boreale: Customer
) -> None:
    made = Sbc.objects.create(customer=boreale, name="44:db:d2:aa:10:03", kind="router", address="10.0.0.1")
    found = routers_of(scope, [Asked(ROUTER, ROUTER)])
    assert (found.answers[0].values["sbc"], found.plan) == (made.pk, None)


def test_a_thousand_rows_ask_as_often_as_one(
    scope: Scope, boreale: Customer, laval: Sbc, django_assert_max_num_queries: Any
) -> None:
    rows = [Asked(f"805ec0{number:06x}", f"805ec0{number:06x}") for number in range(1_000)]
    with django_assert_max_num_queries(8):
        found = routers_of(scope, [*rows, Asked(ID), Asked("805ec1000001")])
    assert found.plan is not None
    assert len(found.plan.rows) == 1_000
    assert all(isinstance(answer.values["sbc"], Pending) for answer in found.answers[:1_000])


# --- A router phone -----------------------------------------------------------------------------------------------
def proxy_of(phone: Phone) -> str:
    """Where a phone sends its calls first; "" where it is configured as on the local network."""
    found = settings_of(fetch(phone))
    address = found.get("account.1.outbound_proxy.1.address", "")
    return address if address.startswith("192.168.") else ""


def test_phones_behind_a_router_without_an_address_are_as_on_the_local_network_and_say_so_until_it_is_entered(
    client: Client, boreale: Customer, amelie: User, felix: User
) -> None:
    router = save(boreale, None, name="Étage 2", kind="router", identifier="44:db:d2:aa:10:03").record
    behind = fetched(make_phone(boreale, amelie, connection="sbc", sbc=router.pk))
    itself = fetched(make_phone(boreale, felix, ROUTER, connection="sbc", sbc=router.pk))
    client.cookies["django_language"] = "en"
    sign_in_fully(client, felix)

    def told(number: str) -> bool:
        page = client.get(reverse("user_tab", args=["boreale", number, "phone"])).content.decode()
        return "The local address of Étage 2 isn't known" in unescape(page)

    assert (told("101"), told("102")) == (True, False)
    assert "Local address missing" in client.get(reverse("sbc_list", args=["boreale"])).content.decode()
    assert (proxy_of(behind), proxy_of(itself)) == ("", "")
    row = save(boreale, router.pk, address="192.168.1.30")
    assert row.outcome == "changed"
    assert outbox(behind)
    assert (proxy_of(behind), proxy_of(itself)) == ("192.168.1.30", "")
    assert not told("101")
    assert build.router_of(again(itself)) is None


def test_an_sbc_has_an_address_from_the_start(boreale: Customer) -> None:
    assert codes(save(boreale, None, name="Site", kind="sbc")) == {"address": ["required"]}
    router = save(boreale, None, name="Site", kind="router")
    assert router.outcome == "new"
    assert codes(save(boreale, router.key, kind="sbc")) == {"address": ["required"]}


def test_an_identifier_leads_to_one_sbc(boreale: Customer, laurier: Customer, laval: Sbc) -> None:
    def site(name: str, identifier: str) -> road.RowPlan:
        return save(boreale, None, name=name, identifier=identifier, address="10.0.0.1", port="5060")

    assert codes(site("Site", ID.upper())) == {"identifier": ["name_taken"]}
    assert codes(site("Site", "sbc-laval")) == {"identifier": ["name_taken"]}
    assert codes(site(ID, "")) == {"name": ["name_taken"]}
    assert site("Site", "").outcome == site("Site 2", "").outcome == "new"
    elsewhere = save(laurier, None, name="SBC-Laval", identifier=ID, address="10.0.0.1", port="5060")
    assert elsewhere.outcome == "new"
    assert save(boreale, laval.pk, identifier="SBC-Laval").outcome == "changed"


def test_a_router_phone_is_known_by_its_mac_alone(boreale: Customer) -> None:
    with translation.override("en"):
        row = save(boreale, None, name="Site", kind="router", identifier="Abc")
    assert row.errors["identifier"] == [
        "A router phone is known by its MAC address: enter that, or leave it blank."
    ]
    row = save(boreale, None, name="Site", kind="router", identifier="44-db-d2-aa-10-03")
    assert row.record.identifier == "44DBD2AA1003"


def test_the_page_of_an_sbc_shows_and_changes_its_identifier(
    client: Client, boreale: Customer, felix: User, laval: Sbc
) -> None:
    sign_in_fully(client, felix)
    address = reverse("sbc_tab", args=["boreale", laval.pk, "general"])
    assert ID in client.get(address).content.decode()
    form = {"name": laval.name, "kind": "sbc", "address": laval.address, "port": "5060", "seen": "1"}
    client.post(address, {**form, "identifier": "Autre20PbZd"})
    laval.refresh_from_db()
    assert laval.identifier == "Autre20PbZd"
    found = client.get(reverse("sbc_list", args=["boreale"]), {"q": "autre20"}).context["page"]
    assert [record.pk for record in found] == [laval.pk]
    assert not list(client.get(reverse("sbc_list", args=["boreale"]), {"q": ID}).context["page"])
