"""What an attacker, or a colleague with more wishes than rights, tries and doesn't get."""

import json

import pytest
from django.test import Client
from django.urls import reverse

from signin import credentials as signin
from signin.tests.signing import sign_in_fully
from signin.tests.test_signin import choose, follow
from users import rights, road
from users.models import PersonalLink, User
from users.people.sections import user_sheet
from users.tests.factories import FACTS, make_user
from users.tests.test_customer_pages import department
from users.tests.test_pages import posted
from users.tests.test_undo import again, edit

pytestmark = pytest.mark.slow("many pages")


@pytest.fixture
def owner(felix):
    return sign_in_fully(Client(raise_request_exception=False), felix)


def save(client, number, tab="general", **values):
    at = reverse("user_tab", args=["boreale", number, tab])
    return client.post(at, posted(client.get(at).content.decode()) | values)


# --- 20: more than one's own departments --------------------------------------------------------------------------
def test_a_department_administrator_gives_no_role_that_counts_elsewhere(boreale, ines):
    marc = make_user(boreale, "110", "Marc", "Roy", department="Soins", departments=["Accueil", "Soins"])
    luc = make_user(boreale, "120", "Luc", "Roy", department="Accueil")
    assert not rights.can(ines, rights.Verb.EDIT, luc, boreale)
    save(sign_in_fully(Client(), ines), "110", role="group_admins", email="ines-bis@evil.example")
    assert not rights.can(again(marc), rights.Verb.EDIT, luc, boreale)


def test_a_department_administrator_takes_over_nobody_who_acts_in_more_departments(boreale, ines):
    zoe = make_user(
        boreale, "104", "Zoé", "Lavoie", role="group_admins", department="Soins", departments=["Accueil", "Soins"], email="zoe@boreale.example",
    )  # fmt: skip
    client = sign_in_fully(Client(), ines)
    at = reverse("user_tab", args=["boreale", "104", "general"])
    assert client.get(at).status_code == 403
    assert client.post(at, {"email": "ines-bis@evil.example", "seen": zoe.version}).status_code == 403
    reset = client.post(
        reverse("user_reset", args=["boreale", "104"]),
        {"confirmed": "1", "expected": "1", "box": ["web_password", "welcome_mail"]},
    )
    assert reset.status_code == 403
    assert zoe.pk not in User.objects.filter(rights.administered_by(ines)).values_list("pk", flat=True)
    assert again(zoe).email == "zoe@boreale.example"


def test_a_department_administrator_lifts_no_restriction_of_his_own(boreale, felix, ines):
    edit(felix, boreale, ines, outbound_disabled=True, require_2fa=True)
    row = {"outbound_disabled": False, "require_2fa": False}
    plan = road.plan(ines, boreale, user_sheet(), [road.Row(ines.pk, row)])
    assert set(plan.rows[0].errors) == {"outbound_disabled", "require_2fa"}


# --- 21: what one may not read ------------------------------------------------------------------------------------
def test_the_simulator_shows_no_rules_of_whom_one_may_not_see(boreale, felix, ines):
    edit(felix, boreale, felix, mobile="514 555-7777", **{"available.no_answer_external": "mobile"})
    client = sign_in_fully(Client(), ines)
    assert client.get(reverse("user_tab", args=["boreale", "102", "forwarding"])).status_code == 403
    page = client.get(
        reverse("simulator", args=["boreale"]),
        {"to": "102", "caller": "4165551212", "at": "2026-11-24T12:15", "state": "no_answer"},
    )
    assert "555-7777" not in page.content.decode()


# --- 38: toll fraud -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("number", ["+14165550000", "+19005551234", "+18095551234"])
def test_a_caller_id_is_a_number_of_the_customer(boreale, ines, number):
    marc = make_user(boreale, "110", "Marc", "Roy", department="Soins")
    save(sign_in_fully(Client(), ines), "110", outbound_caller_id=number)
    assert again(marc).outbound_caller_id == ""


def test_who_may_not_call_outside_forwards_no_colleague_there_either(boreale, felix):
    kim = make_user(boreale, "130", "Kim", "Roy", department="Soins", outbound_disabled=True)
    rule = {
        "available.no_answer_internal": "external:+14165551234",
        "available.no_answer_external": "external:+14165551234",
    }
    plan = road.plan(kim, boreale, user_sheet(), [road.Row(kim.pk, rule)], rights.Verb.SELF)
    if not plan.refused:
        road.apply(plan, FACTS)
    page = sign_in_fully(Client(), felix).get(
        reverse("simulator", args=["boreale"]),
        {"to": "130", "caller": "130", "at": "2026-11-24T12:15", "state": "no_answer"},
        headers={"hx-request": "true"},
    )
    # He dials himself, nobody answers, and he is outside.
    assert "416 555-1234" not in page.content.decode()


@pytest.mark.parametrize("number", ["19005551234", "011881612345678", "*7219005551234", "9,,,19005551234"])
def test_a_key_dials_no_number_that_somebody_earns_on(boreale, felix, number):
    amelie = make_user(boreale, "101")
    keys = json.dumps([{"position": 1, "kind": "custom_speed_dial", "value": number}])
    plan = road.plan(felix, boreale, user_sheet(), [road.Row(amelie.pk, {"keys": keys})])
    assert plan.refused or plan.rows[0].warnings


@pytest.mark.parametrize(
    "number",
    [
        "+252615551234",
        "+5351234567",
        "+24712345",
        "+2399812345",
        "+37190123456",
        "+447012345678",
        "+448701234567",
        "+78401234567",
    ],
)
def test_calls_are_not_forwarded_where_forwarding_fraud_goes(boreale, felix, number):
    amelie = make_user(boreale, "101")
    row = {"available.no_answer_external": f"external:{number}"}
    assert road.plan(felix, boreale, user_sheet(), [road.Row(amelie.pk, row)]).refused


# --- 29: what should stay dead ------------------------------------------------------------------------------------
@pytest.mark.parametrize("what", ["session", "password link", "app link"])
def test_what_somebody_had_before_he_was_disabled_does_not_come_back_with_him(boreale, felix, what):
    from users.mail import links

    marc = make_user(boreale, "110", "Marc", "Roy", department="Soins", email="marc@boreale.example")
    if what == "session":
        client, at = sign_in_fully(Client(), again(marc)), reverse("own_page")
    elif what == "password link":
        link = signin.set_password_link(again(marc))
        client, at = Client(), link[link.index("/set-password") :]
    else:
        link = links.reveal(felix, boreale, again(marc), PersonalLink.Kind.APP, FACTS)
        client, at = Client(), reverse("app_config", args=[link.token])
    alive = client.get(at)
    assert alive.status_code in (200, 302)
    edit(felix, boreale, marc, disabled=True)
    edit(felix, boreale, marc, disabled=False)
    again_asked = client.get(at)
    assert (again_asked.status_code, again_asked.headers.get("Location")) != (
        alive.status_code,
        alive.headers.get("Location"),
    )


# --- 25: shutting somebody out ------------------------------------------------------------------------------------
def test_another_customer_takes_nobodys_email_login_away(boreale, laurier, felix, staff):
    edit(staff, boreale, felix, email="felix@boreale.example")
    stranger = Client()
    choose(stranger, follow(stranger, again(felix)))
    rosalie = make_user(laurier, "201", "Rosalie", "Beaulieu", role="system_owners")
    edit(rosalie, laurier, make_user(laurier, "202", "Xavier", "Roy"), email="felix@boreale.example")
    assert signin.find_user("felix@boreale.example") == felix


# --- 40: 500 ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("department_key", [
    "9" * 30, "9" * 5_000,
], ids=["30 digits", "5000 digits"])  # fmt: skip
@pytest.mark.parametrize("way", ["list", "bulk"])
def test_a_department_with_a_huge_key_is_none(owner, department_key, way):
    if way == "list":
        answer = owner.get(reverse("users", args=["boreale"]), {"department": department_key})
    else:
        answer = owner.post(
            reverse("chosen_delete", args=["boreale"]), {"all_matching": "1", "department": department_key}
        )
    assert answer.status_code in (200, 302)


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["http://[", "//[x", "http://\u2100/"])
def test_a_stranger_with_a_broken_htmx_header_is_sent_to_the_sign_in(address):
    client = Client(raise_request_exception=False)
    answer = client.get("/me", headers={"hx-request": "true", "hx-current-url": address})
    assert answer.status_code == 204


@pytest.mark.parametrize("key", ["abc", "9" * 5_000])
def test_an_action_of_the_desk_on_no_key_is_calm(staff, key):
    client = sign_in_fully(Client(raise_request_exception=False), staff)
    answer = client.post("/support/users/user/", {"action": "delete_chosen", "_selected_action": key})
    assert answer.status_code < 500


@pytest.mark.parametrize(("address", "data"), [
    ("/c/boreale/users/%00/general", None), ("/c/boreale/users/?role=%00", None), ("/c/boreale/users/?status=%00", None),
    ("/c/boreale/users/new?copy=%00", None), ("/c/boreale/users/102/phones/%00/status", None),
    ("/c/boreale/users/chosen/delete", {"all_matching": "1", "role": "\0"}), ("/c/boreale/numbers/{did}/rings", {"extension": "\0"}),
    ("/c/boreale/departments/{department}/members", {"do": "add", "numbers": "\0"}),
])  # fmt: skip
def test_a_nul_is_nothing(owner, boreale, address, data):
    address = address.format(did=boreale.dids.first().pk, department=department(boreale).pk)
    answer = owner.get(address) if data is None else owner.post(address, data)
    assert answer.status_code < 500


@pytest.mark.django_db
def test_a_nul_in_the_cookie_of_a_stranger_is_no_session():
    answer = Client(raise_request_exception=False).get(
        "/sign-in", headers={"cookie": 'sessionid="aaaaaaaaaa\\000bbbbbbbbbb"'}
    )
    assert answer.status_code == 200
