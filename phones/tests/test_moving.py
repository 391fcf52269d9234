"""Who uses a phone: out of the stock, from one person to another, and back; who may, and what the phone is served then."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from pbxadmin.common.http import RequestFacts
from pbxadmin.common.proof import ProofNeededError
from pbxadmin.common.values import configtext
from phones import services
from phones.models import Phone
from phones.push import telling
from phones.tests import factories
from phones.tests.factories import FACTS, MAC, again, fetch, fetched, make_phone
from signin.tests.signing import sign_in_fully
from users import road
from users.models import Change, Customer, Operation, User
from users.road import undo
from users.road.meant import person_meant
from users.tests.factories import make_user

pytestmark = [pytest.mark.django_db, pytest.mark.slow("opens page after page")]
MOVE = f"/c/boreale/users/101/phones/{MAC}/move"
GIVE = f"/c/boreale/phones/{MAC}/give"


@pytest.fixture
def owner(felix: User) -> Client:
    """Félix, signed in."""
    return sign_in_fully(Client(), felix)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The phones that the workers were asked to push."""
    found: list[int] = []
    monkeypatch.setattr(telling, "publish", lambda ids: bool(found.extend(ids)) or True)
    return found


def account(phone: Phone) -> str:
    """Whose file the phone is served."""
    return dict(configtext.pairs(fetch(phone).content))["account.1.user_name"]


# --- Who is meant ---
@pytest.mark.parametrize(
    "typed", ["103", "103 Inès Roy", " 103 ", "inès roy", "Ines", "roy ines", "103 somebody else"]
)
def test_a_person_is_meant_by_extension_or_by_a_name_that_only_one_has(
    boreale: Customer, felix: User, ines: User, typed: str
) -> None:
    assert person_meant(felix, boreale, typed) == ines


@pytest.mark.parametrize("typed", ["", " ", "\0", "999", "Personne", "a" * 500, "tremblay"])
def test_nobody_and_several_are_told(boreale: Customer, felix: User, amelie: User, typed: str) -> None:
    make_user(boreale, "120", "Anne", "Tremblay")
    with pytest.raises(ValidationError):
        person_meant(felix, boreale, typed)


def test_another_customers_people_are_nobody(boreale: Customer, laurier: Customer, felix: User) -> None:
    make_user(laurier, "201", "Rosalie", "Beaulieu")
    for typed in ("201", "Rosalie"):
        with pytest.raises(ValidationError):
            person_meant(felix, boreale, typed)


# --- From one person to another ---
def test_a_moved_phone_serves_its_new_user_at_once_and_the_old_one_no_more(
    phone: Phone,
    ines: User,
    owner: Client,
    told: list[int],
    django_capture_on_commit_callbacks: Any,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        response = owner.post(MOVE, {"person": "103 Inès Roy"})
    assert response.headers["Location"] == f"/c/boreale/users/103/phone?phone={MAC}"
    assert again(phone).user == ines
    assert again(phone).token == phone.token
    assert told == [phone.pk]
    assert account(phone) == "103"
    owner.get("/c/boreale/users/103/phone")  # says once that it was moved
    page = owner.get("/c/boreale/users/101/phone").content.decode()
    assert "80:5E:C0:D5:7D:72" not in page
    assert owner.get(f"/c/boreale/users/101/phones/{MAC}/file").status_code == 404


def test_whose_a_phone_is_is_not_changed_without_a_fresh_proof_nor_by_way_of_the_stock(
    phone: Phone, boreale: Customer, ines: User, felix: User
) -> None:
    not_proved = RequestFacts("portal", proved=lambda: False)
    given = services.phone_move_plan(felix, boreale, phone, ines)
    with pytest.raises(ProofNeededError):
        road.apply(given, not_proved)
    assert road.apply(services.phone_move_plan(felix, boreale, phone, None), not_proved)  # into the stock
    Phone.objects.filter(pk=phone.pk).update(fetched_at=timezone.now())
    with pytest.raises(ProofNeededError):
        road.apply(services.phone_move_plan(felix, boreale, again(phone), ines), not_proved)
    assert road.apply(services.phone_move_plan(felix, boreale, again(phone), ines), FACTS)
    # One of the stock that nobody has plugged in yet is given to whoever begins today without being asked.
    new = make_phone(boreale, None, "805ec0d57d99")
    assert road.apply(services.phone_move_plan(felix, boreale, new, ines), not_proved)


def test_a_move_stands_in_the_history_of_both_once_and_can_be_taken_back(
    phone: Phone, boreale: Customer, ines: User, felix: User, owner: Client
) -> None:
    owner.post(MOVE, {"person": "103"})
    change = Change.objects.filter(model="phones.phone", kind="edit").get()
    assert (change.former_subject_pk, change.subject_pk) == (phone.user_id, ines.pk)
    for number in ("101", "103"):
        page = owner.get(f"/c/boreale/users/{number}/history").content.decode()
        assert page.count("101 Amélie Tremblay") >= 1
        assert "103 Inès Roy" in page
    nobody = make_user(boreale, "130", "Nora", "Côté")
    assert "103 Inès Roy" not in owner.get(f"/c/boreale/users/{nobody.number}/history").content.decode()
    undo.undo(felix, boreale, Operation.objects.get(pk=change.operation_id), FACTS)
    assert again(phone).user_id == phone.user_id
    assert account(phone) == "101"


def test_a_move_takes_the_right_over_both(
    phone: Phone, boreale: Customer, amelie: User, ines: User, felix: User
) -> None:
    nurse = make_user(boreale, "110", "Paul", "Soigneux", department="Soins")
    other = make_user(boreale, "111", "Léa", "Soigneux", department="Soins")
    theirs = make_phone(boreale, nurse)
    client = sign_in_fully(Client(), ines)
    address = f"/c/boreale/users/110/phones/{theirs.mac}/move"
    # Amélie is in Accueil, Félix is above her.
    for wrong in ("101", "102", "999", ""):
        assert client.post(address, {"person": wrong}).status_code == 422
    assert client.post(MOVE, {"person": "110"}).status_code == 403
    response: Any = client.post(address, {"stock": "1"})
    assert response.status_code == 422
    assert "Remettre en stock" not in client.get("/c/boreale/users/110/phone").content.decode()
    assert again(theirs).user == nurse
    assert client.post(address, {"person": "111"}).status_code == 302
    assert again(theirs).user == other


def test_what_is_wrong_is_told_beside_what_was_typed(phone: Phone, owner: Client) -> None:
    response: Any = owner.post(MOVE, {"person": "<b>999"})
    page = response.content.decode()
    assert response.status_code == 422
    assert "Personne n’a le poste ou le nom «\u00a0&lt;b&gt;999\u00a0»" in page
    assert 'value="&lt;b&gt;999"' in page
    assert 'hx-get="/c/boreale/destinations"' in page


def test_to_the_same_person_is_nothing_to_save(phone: Phone, owner: Client) -> None:
    assert owner.post(MOVE, {"person": "101"}).status_code == 302
    assert again(phone).stale_since is None
    assert not Change.objects.filter(kind="edit").exists()


def test_a_time_zone_that_the_phone_doesnt_know_is_told(
    phone: Phone, boreale: Customer, owner: Client
) -> None:
    other = make_user(boreale, "110", "Paul", "Soigneux", department="Soins")
    type(other.primary_department).objects.filter(pk=other.primary_department_id).update(
        time_zone="Asia/Tokyo"
    )
    response: Any = owner.post(MOVE, {"person": "110"})
    assert response.status_code == 422
    assert "Asia/Tokyo" in response.content.decode()


# --- Back to the stock ---
def test_a_phone_in_stock_is_served_nothing_and_who_puts_it_there_is_told_what_it_still_holds(
    phone: Phone, owner: Client
) -> None:
    response: Any = owner.post(MOVE, {"stock": "1"}, follow=True)
    assert response.redirect_chain[0][0] == "/c/boreale/users/101/phone"
    assert "au nom de 101 Amélie Tremblay" in response.content.decode()
    assert again(phone).user is None
    assert fetch(phone).status_code == 404
    change = Change.objects.filter(model="phones.phone", kind="edit").get()
    assert (change.former_subject_pk, change.subject_pk) == (phone.user_id, None)
    assert "80:5E:C0:D5:7D:72" in owner.get("/c/boreale/users/101/history").content.decode()


# --- Out of the stock ---
def test_a_phone_of_the_own_stock_is_taken_over_with_its_address_and_its_secrets(
    boreale: Customer,
    amelie: User,
    owner: Client,
    told: list[int],
    django_capture_on_commit_callbacks: Any,
) -> None:
    stock = make_phone(boreale, None, MAC)
    with django_capture_on_commit_callbacks(execute=True):
        response: Any = owner.post(
            "/c/boreale/users/101/phones/add",
            {"mac": "80:5E:C0:D5:7D:72", "model": "yealink-t54w"},
            follow=True,
        )
    assert "pris dans le stock" in response.content.decode()
    now = again(stock)
    assert now.user == amelie
    assert (now.token, now.web_password) == (stock.token, stock.web_password)
    assert told == [stock.pk]
    assert account(stock) == "101"
    assert Phone.objects.count() == 1


def test_the_model_that_is_asked_for_is_the_one_in_stock(
    boreale: Customer, amelie: User, felix: User
) -> None:
    stock = make_phone(boreale, None, MAC, model="yealink-t46u")
    for model, word in (("yealink-t54w", "T46U"), ("", ""), ("nonsense", "")):
        row = services.phone_create(felix, boreale, amelie, {"mac": MAC, "model": model}, FACTS).rows[0]
        assert word in row.errors["model"][0]
    assert again(stock).user is None
    row = services.phone_create(felix, boreale, amelie, {"mac": MAC, "model": "Yealink T46U"}, FACTS).rows[0]
    assert row.outcome == "changed"
    assert again(stock).user == amelie


def test_who_may_not_touch_the_stock_is_told_who_can(boreale: Customer, ines: User) -> None:
    nurse = make_user(boreale, "110", "Paul", "Soigneux", department="Soins")
    stock = make_phone(boreale, None, MAC)
    row = services.phone_create(ines, boreale, nurse, {"mac": MAC, "model": "yealink-t54w"}, FACTS).rows[0]
    assert "toute l’entreprise" in row.errors["mac"][0]
    assert again(stock).user is None


def test_a_phone_in_another_customers_stock_is_as_registered_as_any_other(
    boreale: Customer, laurier: Customer, amelie: User, felix: User
) -> None:
    theirs = make_phone(laurier, None, MAC)
    used = make_phone(laurier, make_user(laurier, "201"))
    asked = [
        services.phone_create(felix, boreale, amelie, {"mac": mac, "model": "yealink-t54w"}, FACTS)
        .rows[0]
        .errors
        for mac in (MAC, used.mac)
    ]
    assert asked[0] == asked[1]
    assert set(asked[0]) == {"mac"}
    assert "Laurier" not in str(asked)
    assert again(theirs).user is None


def test_a_phone_that_a_colleague_uses_isnt_taken_from_him(
    phone: Phone, boreale: Customer, felix: User
) -> None:
    row = services.phone_create(felix, boreale, felix, {"mac": MAC, "model": "yealink-t54w"}, FACTS).rows[0]
    assert row.errors["mac"]
    assert again(phone).user_id == phone.user_id


def test_the_list_of_phones_gives_those_in_stock_to_people(
    boreale: Customer, amelie: User, ines: User, owner: Client
) -> None:
    stock = make_phone(boreale, None, MAC)
    assert f'href="{GIVE}"' in owner.get("/c/boreale/phones").content.decode()
    page = owner.get(GIVE).content.decode()
    assert "80:5E:C0:D5:7D:72" in page
    assert 'hx-get="/c/boreale/destinations"' in page
    wrong: Any = owner.post(GIVE, {"person": "999"})
    assert wrong.status_code == 422
    assert "999" in wrong.content.decode()
    response = owner.post(GIVE, {"person": "101 Amélie Tremblay"})
    assert response.headers["Location"] == f"/c/boreale/users/101/phone?phone={MAC}"
    assert again(stock).user == amelie
    assert owner.get(GIVE).status_code == 404
    assert GIVE not in owner.get("/c/boreale/phones").content.decode()
    other = sign_in_fully(Client(), ines)
    assert other.get(GIVE).status_code == 403


def test_another_customers_stock_doesnt_exist(boreale: Customer, laurier: Customer, owner: Client) -> None:
    theirs = make_phone(laurier, None, MAC)
    assert owner.get(GIVE).status_code == 404
    assert owner.post(GIVE, {"person": "102"}).status_code == 404
    assert again(theirs).user is None


# --- How it connects ---
def test_a_new_phone_is_let_in_as_people_are_by_default(boreale: Customer, amelie: User) -> None:
    row = services.phone_create(
        factories.provider(), boreale, amelie, {"mac": MAC, "model": "yealink-t54w"}, FACTS
    ).rows[0]
    assert not row.warnings
    assert again(row.record).connection == Phone.Connection.LAN


def test_a_phone_that_its_users_options_shut_out_is_told_when_saved_and_as_long_as_it_is_so(
    phone: Phone, boreale: Customer, amelie: User, owner: Client
) -> None:
    tab = f"/c/boreale/users/101/phone?phone={MAC}"
    told = "Ce téléphone ne s’enregistrera pas"
    assert told not in owner.get(tab).content.decode()
    plan = services.phone_change(factories.provider(), boreale, phone, {"connection": "direct"}, FACTS)
    assert told in plan.rows[0].warnings["connection"][0]
    assert told in owner.get(tab).content.decode()
    factories.change(amelie, block_remote=False)
    assert told not in owner.get(tab).content.decode()


def test_shutting_out_a_person_tells_which_of_his_phones_will_not_register(
    phone: Phone, boreale: Customer, amelie: User, owner: Client
) -> None:
    factories.change(amelie, block_remote=False)
    services.phone_change(factories.provider(), boreale, phone, {"connection": "direct"}, FACTS)
    fetched(make_phone(boreale, amelie, "805ec0000009"))
    page = owner.get("/c/boreale/users/101/options").content.decode()
    version = page.partition('name="seen" value="')[2].partition('"')[0]
    response: Any = owner.post(
        "/c/boreale/users/101/options",
        {
            "seen": version,
            "block_remote": "on",
            "srtp": "disabled",
            "recording": "off",
            "pin_protect_seconds": "60",
        },
        follow=True,
    )
    page = response.content.decode()
    assert response.status_code == 200
    assert "80:5E:C0:D5:7D:72) se connecte directement" in page
    assert "80:5E:C0:00:00:09) se connecte" not in page


def test_a_direct_phone_that_is_given_to_somebody_who_blocks_it_is_told(
    phone: Phone, boreale: Customer, amelie: User, ines: User, owner: Client
) -> None:
    factories.change(amelie, block_remote=False)
    services.phone_change(factories.provider(), boreale, phone, {"connection": "direct"}, FACTS)
    response: Any = owner.post(MOVE, {"person": "103"}, follow=True)
    assert response.content.decode().count("Ce téléphone ne s’enregistrera pas") == 2
