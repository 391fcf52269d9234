"""Suspending a customer: what the page says before, what it does, who is told, and the way back."""

import pytest
from django.test import Client
from django.urls import reverse

from signin.tests.signing import sign_in_fully
from users import road
from users.company.sheets import customer_sheet
from users.models import Customer, Operation, StaffLevel
from users.road import undo
from users.tests.factories import FACTS, make_staff

ADDRESS = "/c/boreale/suspension"


@pytest.fixture
def desk(client, staff):
    sign_in_fully(client, staff)
    return client


def press(client, what="suspend", reason="Factures impayées, billet 4711", **sent):
    seen = Customer.objects.get(slug="boreale").version
    return client.post(ADDRESS, {"do": what, "reason": reason, "seen": seen} | sent)


def test_the_page_says_what_will_happen_and_what_will_not_before_anything_does(desk, boreale, amelie, felix):
    page = desk.get(ADDRESS).content.decode()
    assert "2 personnes ne peuvent plus ouvrir de session" in page
    assert "Les appels en cours ne sont pas coupés." in page
    assert "rien n’est supprimé" in page
    boreale.refresh_from_db()
    assert not boreale.suspended


def test_a_suspension_takes_a_reason_and_says_so_at_its_field(desk, boreale):
    answer = press(desk, reason="   ")
    assert answer.status_code == 422
    assert 'id="reason_error"' in answer.content.decode()
    boreale.refresh_from_db()
    assert not boreale.suspended


def test_a_suspension_ends_every_session_and_lifting_it_brings_none_back(desk, boreale, felix, staff):
    owner = Client()
    sign_in_fully(owner, felix)
    assert owner.get(reverse("customer_home", args=["boreale"])).status_code == 200
    assert press(desk).status_code == 302
    assert "/sign-in" in owner.get(reverse("customer_home", args=["boreale"])).url
    boreale.refresh_from_db()
    assert boreale.suspended_by.startswith("Solange Soutien")
    operation = Operation.objects.get(customer=boreale, note="Factures impayées, billet 4711")
    assert boreale.suspended_at == operation.at
    assert press(desk, "lift").status_code == 302
    boreale.refresh_from_db()
    assert (boreale.suspended, boreale.suspended_reason, boreale.suspended_at, boreale.suspended_by) == (
        False,
        "",
        None,
        "",
    )
    assert "/sign-in" in owner.get(reverse("customer_home", args=["boreale"])).url


def test_every_page_of_a_suspended_customer_and_the_list_say_why(desk, boreale, laurier, felix):
    press(desk)
    for name in ("customer_home", "users", "phones", "history", "files"):
        page = desk.get(reverse(name, args=["boreale"])).content.decode()
        assert 'id="suspended"' in page, name
        assert "Factures impayées, billet 4711" in page, name
    assert 'id="suspended"' not in desk.get(reverse("users", args=["laurier"])).content.decode()
    rows = desk.get(reverse("customers")).content.decode()
    assert "Factures impayées, billet 4711" in rows
    assert "Solange Soutien" in rows


def test_whoever_pressed_on_an_older_page_undoes_nothing(desk, boreale):
    seen = boreale.version
    press(desk)
    answer = press(desk, "suspend", "Autre raison", seen=seen)
    assert answer.status_code == 409
    boreale.refresh_from_db()
    assert boreale.suspended_reason == "Factures impayées, billet 4711"


def test_suspending_from_the_history_is_taken_back_with_its_reason(desk, staff, boreale):
    press(desk)
    operation = Operation.objects.get(customer=boreale, note="Factures impayées, billet 4711")
    [plan] = undo.plan_undo(staff, boreale, operation)
    assert not plan.refused
    road.apply(plan, FACTS)
    boreale.refresh_from_db()
    assert (boreale.suspended, boreale.suspended_reason, boreale.suspended_at) == (False, "", None)


def test_no_other_page_suspends_anybody_by_the_way(desk, boreale):
    contract = reverse("customer_settings", args=["boreale", "contract"])
    page = desk.get(contract)
    assert "suspended" not in page.context["form"].fields
    values = {name: field.value() for name, field in ((f.name, f) for f in page.context["form"])}
    sent = {name: value for name, value in values.items() if value not in (None, False)}
    desk.post(contract, sent | {"suspended": "on", "suspended_reason": "x", "seen": boreale.version})
    boreale.refresh_from_db()
    assert not boreale.suspended


def test_a_reason_alone_suspends_nobody_and_stays_nowhere(staff, boreale):
    row = road.Row(boreale.pk, {"suspended_reason": "Sans suspension"})
    plan = road.plan(staff, boreale, customer_sheet(), [row])
    assert plan.rows[0].outcome == "unchanged"


def test_support_staff_come_to_the_contract_first_and_see_the_seats(desk, boreale, amelie, felix):
    answer = desk.get(reverse("settings_start", args=["boreale"]))
    assert answer.url == reverse("customer_settings", args=["boreale", "contract"])
    assert "2 sur 25" in desk.get(answer.url).content.decode().split('id="content"')[1]


def test_staff_who_only_read_are_offered_no_way_to_it_and_find_none(desk, boreale):
    press(desk)
    reader = make_staff("lecture@tic.example", staff_level=StaffLevel.READ_ONLY)
    client = sign_in_fully(Client(), reader)
    page = client.get(reverse("users", args=["boreale"])).content.decode()
    assert "Factures impayées, billet 4711" in page
    assert ADDRESS not in page
    assert (
        ADDRESS not in client.get(reverse("customer_settings", args=["boreale", "contract"])).content.decode()
    )
    assert reverse("customer_create") not in client.get(reverse("customers")).content.decode()
    assert press(client, "lift").status_code == 403
    assert client.post(reverse("customer_create"), {"customer-name": "X"}).status_code == 403
    boreale.refresh_from_db()
    assert boreale.suspended
