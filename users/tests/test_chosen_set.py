"""Who is chosen in the list: told by the server what a browser can't know, looked at, taken off; and kept through everything in one."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Page, expect

from pbxadmin.tests.installation import Installation
from signin import credentials
from signin.tests.signing import sign_in_fully
from users.models import Customer, User
from users.tests.factories import details, make_user, make_users

SET = "/c/boreale/users/chosen/set"
LOOK = "/c/boreale/users/chosen/look"


@pytest.fixture
def people(boreale: Customer) -> list[User]:
    """Three in Soins, one in Accueil."""
    return make_users(
        boreale,
        *(details(f"15{place}", "Personne", f"Numéro {place}", department="Soins") for place in range(3)),
        details("153", "Quelqu’un", "Numéro 3"),
    )


@pytest.fixture
def owner(felix: User) -> Client:
    return sign_in_fully(Client(headers={"accept-language": "fr-CA"}), felix)


# --- What the server tells ----------------------------------------------------------------------------------------
def test_of_the_chosen_it_is_told_who_is_outside_the_search_and_who_is_gone(
    owner: Client, people: list[User], laurier: Customer
) -> None:
    stranger = make_user(laurier, "201", "Rosalie", "Beaulieu")
    keys = [*(person.pk for person in people), stranger.pk, 999_999]
    told = owner.post(SET, {"chosen": ",".join(map(str, keys)), "q": "personne"}).json()
    assert told == {"gone": [stranger.pk, 999_999], "outside": [people[3].pk], "all": []}
    assert owner.post(SET, {"chosen": [str(key) for key in keys]}).json()["outside"] == []


def test_all_that_match_are_those_of_this_moment(
    owner: Client, people: list[User], boreale: Customer
) -> None:
    told = owner.post(SET, {"chosen": str(people[3].pk), "q": "personne", "all_matching": "1"}).json()
    assert told == {"gone": [], "outside": [people[3].pk], "all": sorted(person.pk for person in people[:3])}
    make_user(boreale, "160", "Personne", "De plus")
    # Whoever came since isn't among them.
    chosen = {"chosen": ",".join(map(str, told["all"]))}
    page = owner.post(reverse("chosen_second_factor", args=["boreale"]), chosen).content.decode()
    assert 'name="expected" value="3"' in page


def test_an_administrator_of_a_department_is_told_of_their_own_people_alone(
    ines: User, people: list[User]
) -> None:
    client = sign_in_fully(Client(), ines)
    told = client.post(SET, {"chosen": str(people[3].pk), "all_matching": "1"}).json()
    assert told["gone"] == [people[3].pk]
    assert people[3].pk not in told["all"]
    page = client.post(LOOK, {"chosen": f"{people[3].pk},{people[0].pk}"}).content.decode()
    assert "Numéro 0" in page
    assert "Numéro 3" not in page


@pytest.mark.parametrize("chosen", ["", ",", "abc,,-1", "9" * 40, "1," * 5000, "²", "1;2"])
def test_what_is_no_key_is_nobody(owner: Client, chosen: str) -> None:
    assert owner.post(SET, {"chosen": chosen}).status_code == 200
    assert owner.post(LOOK, {"chosen": chosen}).status_code == 200


def test_it_takes_a_form_of_our_own(felix: User, people: list[User]) -> None:
    strict = sign_in_fully(Client(enforce_csrf_checks=True), felix)
    assert strict.post(SET, {"chosen": "1"}).status_code == 403
    assert strict.get(SET).status_code == 405


# --- Looking, and taking off --------------------------------------------------------------------------------------
def test_the_chosen_are_named_and_taken_off_one_by_one(owner: Client, people: list[User]) -> None:
    keys = ",".join(str(person.pk) for person in people)
    page = owner.post(LOOK, {"chosen": keys, "q": "personne", "sort": "-number"})
    text = page.content.decode()
    assert "4 utilisateurs sélectionnés" in text
    assert "?q=personne&amp;sort=-number" in text, "the way back is the list as it was"
    assert f'name="off" value="{people[1].pk}"' in text
    for action in ("chosen_edit", "chosen_delete"):
        assert f'formaction="{reverse(action, args=["boreale"])}"' in text
    text = owner.post(LOOK, {"chosen": keys, "off": str(people[1].pk)}).content.decode()
    assert "3 utilisateurs sélectionnés" in text
    left = ",".join(str(person.pk) for person in people if person is not people[1])
    assert f'name="chosen" value="{left}" data-select-now="boreale"' in text
    last = owner.post(LOOK, {"chosen": str(people[0].pk), "off": str(people[0].pk)}).content.decode()
    assert "Plus personne" in last


def test_whoever_is_gone_is_told_and_left_out(owner: Client, people: list[User]) -> None:
    text = owner.post(LOOK, {"chosen": f"{people[0].pk},999999"}).content.decode()
    assert "1 utilisateur n’existe plus" in text
    assert f'name="chosen" value="{people[0].pk}"' in text


# --- All that match, without scripts ------------------------------------------------------------------------------
def test_all_that_match_says_which_search_it_is_about(owner: Client, people: list[User]) -> None:
    listed = owner.get("/c/boreale/users/", {"q": "personne", "no_phone": "1"}).content.decode()
    assert re.search(r"les 3 qui correspondent à « personne », Sans téléphone", listed.replace("\u00a0", " "))
    asked = owner.post(
        reverse("chosen_second_factor", args=["boreale"]),
        {"all_matching": "1", "q": "personne", "no_phone": "1"},
    )
    assert "« personne », Sans téléphone" in asked.content.decode().replace("\u00a0", " ")


def test_as_many_others_are_not_taken_for_the_same(
    owner: Client, people: list[User], boreale: Customer
) -> None:
    url = reverse("chosen_second_factor", args=["boreale"])
    sent = {"all_matching": "1", "q": "personne"}
    seen = dict(owner.post(url, sent).context["hidden"])
    people[0].delete()
    make_user(boreale, "160", "Personne", "De plus")
    answer = owner.post(url, seen | {"confirmed": "1"})
    assert answer.status_code == 409
    assert "pas les mêmes" in answer.content.decode()
    assert not User.objects.filter(require_2fa=True).exists()
    assert owner.post(url, dict(answer.context["hidden"]) | {"confirmed": "1"}).status_code == 302


def test_fifteen_hundred_are_one_field_from_page_to_page(owner: Client, people: list[User]) -> None:
    keys = [str(person.pk) for person in people] + [str(10**6 + place) for place in range(1500)]
    page = owner.post(reverse("chosen_second_factor", args=["boreale"]), {"chosen": ",".join(keys)})
    assert dict(page.context["hidden"])["chosen"].count(",") == len(keys) - 1
    assert page.content.decode().count('name="chosen"') == 1


def test_each_session_has_a_mark_of_its_own(client: Client, felix: User) -> None:
    marks = set()
    for _turn in range(2):
        request: Any = client.get("/sign-in").wsgi_request
        request.session = client.session
        credentials.begin_session(request, felix)
        marks.add(request.session[credentials.BEGUN])
    assert len(marks) == 2


# --- In the browser -----------------------------------------------------------------------------------------------
@pytest.fixture
def at_list(installation: Installation, page: Page) -> Page:
    page.set_viewport_size({"width": 1440, "height": 900})
    installation.sign_in(page, "102@")
    page.goto(f"{installation.url}/c/boreale/users/")
    return page


def choose(page: Page, name: str) -> None:
    page.fill("#list-search input[name=q]", name.split()[0])
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_label(f"Choisir {name}").check()


@pytest.mark.browser
def test_a_chosen_set_survives_everything_and_says_what_it_is(
    at_list: Page, installation: Installation
) -> None:
    page = at_list
    count = page.locator("[data-select-count]")
    people = f"{installation.url}/c/boreale/users/"
    choose(page, "Zoé Lavoie")
    choose(page, "Mathis Fortin")
    two = "2 sélectionnés, dont 1 hors de cette recherche"
    expect(count).to_have_text(two)
    for step in (
        lambda: page.click("#sort-number"),
        lambda: page.reload(),
        lambda: (page.click("text=Mathis Fortin"), page.go_back()),
        lambda: (page.get_by_role("button", name="English").click(), page.get_by_role("button", name="Français").click()),
        lambda: (
            page.click("#columns-menu summary"), page.check("[name=column][value=mobile]"),
            page.get_by_role("button", name="Afficher ces colonnes").click(),
        ),
        lambda: (page.click("#columns-menu summary"), page.get_by_role("button", name="Colonnes habituelles").click()),
    ):  # fmt: skip
        step()
        expect(count).to_have_text(two)
    # Another tab shows them, and what is chosen there shows here.
    other = page.context.new_page()
    other.goto(people)
    expect(other.locator("[data-select-count]")).to_have_text("2 sélectionnés")
    other.get_by_label("Choisir Léa Cloutier").check()
    expect(count).to_have_text("3 sélectionnés, dont 2 hors de cette recherche")
    other.close()
    # Who they are, and one of them taken off.
    page.get_by_role("button", name="Voir qui").click()
    expect(page.locator("h1")).to_have_text("3 utilisateurs sélectionnés")
    page.get_by_role("button", name="Retirer Léa Cloutier").click()
    expect(page.locator("h1")).to_have_text("2 utilisateurs sélectionnés")
    page.get_by_role("link", name="Retour à la liste").click()
    expect(count).to_have_text(two)
    page.goto(people)
    # A question that is left keeps them; what is done ends them.
    page.locator("[data-select-bar] summary").click()
    page.get_by_role("button", name="Exiger le 2FA", exact=True).click()
    page.get_by_role("link", name="Annuler").click()
    expect(count).to_have_text("2 sélectionnés")
    # The session ends, and so does what was chosen in it.
    page.locator("[data-select-bar]").wait_for()
    page.evaluate("document.querySelector('form[action$=sign-out]').requestSubmit()")
    page.wait_for_url("**/sign-in**")
    assert page.evaluate("Object.keys(localStorage).filter((name) => name.startsWith('chosen:'))") == []
    installation.type_in(page, "102@")
    page.goto(people)
    expect(page.locator("[data-select-bar]")).to_be_hidden()


@pytest.mark.browser
def test_all_that_match_join_those_who_are_chosen_already(at_list: Page) -> None:
    page = at_list
    count, add = page.locator("[data-select-count]"), page.locator("[data-select-add]")
    choose(page, "Zoé Lavoie")
    page.fill("#list-search input[name=q]", "ma")
    expect(page.locator("tbody tr").nth(2)).to_be_visible()
    expect(add).to_be_hidden()  # all of them stand on the page
    found = page.locator("tbody tr").count()
    # As on a list of several pages.
    page.evaluate("document.querySelector('[data-select-add]').dataset.total = 99")
    page.locator("[data-select-row]").first.check()
    expect(add).to_contain_text(f"Sélectionner les {found} qui correspondent à « ma »")
    add.click()
    expect(count).to_have_text(f"{found + 1} sélectionnés, dont 1 hors de cette recherche")
    page.locator("[data-select-row]").nth(1).uncheck()
    expect(count).to_have_text(f"{found} sélectionnés, dont 1 hors de cette recherche")


@pytest.mark.browser
def test_rows_are_chosen_with_shift_and_by_the_keyboard(at_list: Page) -> None:
    page = at_list
    boxes, count = page.locator("[data-select-row]"), page.locator("[data-select-count]")
    boxes.nth(1).click()
    boxes.nth(5).click(modifiers=["Shift"])
    expect(count).to_have_text("5 sélectionnés")
    boxes.nth(3).click(modifiers=["Shift"])
    expect(count).to_have_text("2 sélectionnés")
    boxes.nth(8).focus()
    page.keyboard.press("Space")
    boxes.nth(10).focus()
    page.keyboard.press("Shift+Space")
    expect(count).to_have_text("5 sélectionnés")
    page.get_by_role("button", name="Tout désélectionner").press("Enter")
    expect(page.locator("[data-select-bar]")).to_be_hidden()
    expect(page.locator("[data-select-all]")).to_be_focused()
