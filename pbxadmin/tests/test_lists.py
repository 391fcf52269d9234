"""A list says one thing: box, chips, count, rows and address are the same state, after a click, a reload and a step back."""

import re
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Page, expect

from pbxadmin.common.listing import NOTHING, Filter, ListState, Shape
from pbxadmin.tests.installation import Installation
from signin.tests.signing import sign_in_fully
from users.tests.factories import make_user

pytestmark = pytest.mark.slow("draws lists again and again")

SHAPE = Shape(
    search=lambda text: NOTHING,
    search_label="Name",
    filters=[
        Filter("role", "Role", lambda value: NOTHING, lambda: [("owner", "Owner"), ("user", "User")]),
        Filter.switch("off", "Disabled", NOTHING),
    ],
    orders={"name": ["name"], "number": ["number"]},
)


def state(**parameters: str) -> ListState:
    return ListState.of(SHAPE, parameters, "/list")


# --- The value ----------------------------------------------------------------------------------------------------
def test_an_address_read_and_written_again_is_the_same() -> None:
    asked = {"q": "roy", "role": "owner", "off": "1", "sort": "-number"}
    assert state(**asked).parameters() == asked
    assert state(**asked, page="3").url() == "/list?q=roy&role=owner&off=1&sort=-number"
    assert state(q=" ", role="", sort="name", page="2").url() == "/list", (
        "what says nothing isn't in the address"
    )


def test_filters_combine_and_each_is_taken_off_alone() -> None:
    both = state(q="roy", role="owner", off="1")
    chips = {chip.id: chip for chip in both.chips}
    assert chips["filter-role"].value == "Owner"
    assert chips["filter-role"].url == "/list?q=roy&off=1"
    assert chips["filter-off"].url == "/list?q=roy&role=owner"
    assert [option.url for option in chips["filter-role"].options][1] == "/list?q=roy&role=user&off=1"
    assert both.hidden == [("role", "owner"), ("off", "1")]
    assert both.clear_url == "/list"
    assert state(q="roy", sort="number").clear_url == "/list?sort=number"


def test_sorting_keeps_what_is_asked_for_and_turns_around_the_second_time() -> None:
    asked = state(q="roy", off="1")
    assert asked.heading("Name", "name").url == "/list?q=roy&off=1&sort=-name"
    assert asked.heading("Name", "name").direction == "ascending"
    assert asked.heading("No.", "number").url == "/list?q=roy&off=1&sort=number"
    assert state(sort="-name").heading("Name", "name").url == "/list"
    assert state(sort="password").sort == "", "by what isn't offered nothing is sorted"
    assert asked.heading("Mail").url == ""


def test_what_is_not_there_finds_nothing_and_is_shown_as_asked_for() -> None:
    asked = state(role="<b>")
    assert asked.condition() == NOTHING
    assert next(iter(asked.chips)).value == "<b>"
    flat = Shape(filters=[Filter("state", "State", lambda value: NOTHING, lambda: [("on", "On")], flat=True)])
    assert [chip.value for chip in ListState.of(flat, {"state": "x"}).chips] == ["", "x"]


# --- The pages ----------------------------------------------------------------------------------------------------
LISTS = [
    ("/c/boreale/users/", {"q": "roy", "no_phone": "1", "role": "group_admins", "sort": "-number"}),
    ("/c/boreale/history", {"q": "gagnon", "kind": "edit", "period": "day"}),
    ("/c/boreale/users/103/history", {"q": "gagnon", "source": "portal"}),
    ("/c/boreale/phones", {"q": "roy", "state": "never", "sort": "mac"}),
    ("/c/boreale/departments/", {"q": "soins", "sort": "people"}),
    ("/c/boreale/numbers/", {"q": "514", "free": "1", "sort": "name"}),
    ("/c/boreale/system-extensions/", {"q": "file", "kind": "queue", "sort": "-people"}),
    ("/c/boreale/sbcs/", {"q": "rive", "sort": "-behind"}),
    ("/c/boreale/jobs/", {"state": "done"}),
    ("/me/colleagues", {"q": "roy", "sort": "department"}),
]


@pytest.fixture
def owner(felix: Any, ines: Any, amelie: Any) -> Client:
    return sign_in_fully(Client(headers={"accept-language": "fr-CA"}), felix)


@pytest.mark.parametrize(("address", "asked"), LISTS, ids=[address for address, _asked in LISTS])
def test_every_list_carries_all_that_is_asked_for_in_everything_that_it_draws(
    owner: Client, address: str, asked: dict[str, str]
) -> None:
    page = owner.get(address, asked)
    text = page.content.decode()
    listed: ListState = page.context["state"]
    assert listed.parameters() == asked
    assert 'id="list-count" data-said=' in text
    assert f">{page.context['count']}</span>" in text
    for name, value in asked.items():
        if name == "q":
            assert f'name="q" value="{value}"' in text
        else:
            assert f'form="list-search" name="{name}" value="{value}"' in text or not listed.searches
    if asked.keys() - {"sort"}:
        assert f'href="{listed.clear_url.replace("&", "&amp;")}"' in text
    for chip in listed.chips:
        assert f'href="{chip.url.replace("&", "&amp;")}"' in text or not chip.value
    lit = re.findall(r'class="chip[^"]* on"', text)
    assert len(lit) == len(listed.chosen)


def test_the_address_that_htmx_is_told_is_the_state_and_nothing_else(owner: Client, boreale: Any) -> None:
    told = owner.get(
        "/c/boreale/users/?q=roy&q=ro&role=&disabled=1&nonsense=5&page=9", headers={"hx-request": "true"}
    )
    assert told.headers["HX-Push-Url"] == "/c/boreale/users/?q=ro&disabled=1"
    for place in range(60):
        make_user(boreale, str(420 + place), "Page", "Suivante")
    told = owner.get("/c/boreale/users/?q=suivante&page=2", headers={"hx-request": "true"})
    assert told.headers["HX-Push-Url"] == "/c/boreale/users/?q=suivante&page=2"
    assert "HX-Push-Url" not in owner.get("/c/boreale/users/").headers


def test_all_that_match_are_those_of_every_filter_together(owner: Client, boreale: Any, ines: Any) -> None:
    make_user(boreale, "130", "Léa", "Roy", department="Accueil")
    page = owner.post(
        "/c/boreale/users/chosen/second-factor", {"all_matching": "1", "q": "roy", "role": "group_admins"}
    )
    assert [person.number for person in page.context["shown"]] == ["103"]
    asked = dict(page.context["hidden"])
    assert asked["_list"] == "q=roy&role=group_admins"


def test_how_close_rows_stand_is_remembered(owner: Client) -> None:
    assert 'data-density="airy"' in owner.get("/c/boreale/users/").content.decode()
    back = owner.post("/density", {"density": "dense", "next": "/c/boreale/users/?q=roy"})
    assert back.headers["Location"] == "/c/boreale/users/?q=roy"
    assert 'data-density="dense"' in owner.get("/c/boreale/phones").content.decode()
    assert (
        owner.post("/density", {"density": "x", "next": "https://elsewhere.example"}).headers["Location"]
        == "/"
    )


# --- In the browser -----------------------------------------------------------------------------------------------
@pytest.fixture
def at_list(installation: Installation, page: Page) -> Page:
    page.set_viewport_size({"width": 1440, "height": 900})
    installation.sign_in(page, "102@")
    page.goto(f"{installation.url}/c/boreale/users/")
    return page


def told(page: Page) -> dict[str, Any]:
    """Everything by which the list says what it shows."""
    return {
        "address": page.url.partition("/users/")[2],
        "box": page.input_value("#list-search input[type=search]"),
        "lit": page.locator(".filters .chip.on").all_inner_texts(),
        "count": page.inner_text("#list-count"),
        "rows": page.locator("#results tbody .who a").all_inner_texts(),
        "clear": page.locator("#list-clear a").count(),
    }


@pytest.mark.browser
def test_search_filters_count_and_address_are_one_state(at_list: Page) -> None:
    page = at_list
    everybody = told(page)
    top = page.locator("#results table").bounding_box()
    page.evaluate(
        """() => { window.shifts = []; new PerformanceObserver((list) => {
            for (const entry of list.getEntries()) window.shifts.push(...entry.sources.map((one) => one.node?.outerHTML?.slice(0, 80)));
        }).observe({ type: "layout-shift" }); }"""
    )
    page.fill("#list-search input[type=search]", "o")
    page.click("#filter-no_phone")  # before the search was even sent
    expect(page.locator("#filter-no_phone")).to_have_class(re.compile(r"\bon\b"))
    page.wait_for_url("**/users/?q=o&no_phone=1")
    without_phone = told(page)
    assert without_phone["box"] == "o"
    assert without_phone["clear"] == 1
    assert int(without_phone["count"]) == len(without_phone["rows"]) < int(everybody["count"])
    page.click("#filter-role")
    page.click("#filter-role-users")
    page.wait_for_url("**/users/?q=o&role=users&no_phone=1")
    expect(page.locator("#filter-role")).to_be_focused()
    assert page.locator("#list-chips details[open]").count() == 0
    both = told(page)
    assert len(both["lit"]) == 2
    assert set(both["rows"]) <= set(without_phone["rows"])
    page.click("#sort-number")
    page.wait_for_url("**/users/?q=o&role=users&no_phone=1&sort=number")
    expect(page.locator("#sort-number")).to_be_focused()
    in_order = told(page)
    assert sorted(in_order["rows"]) == sorted(both["rows"])
    # Nothing moved for any of it: chips, headings and rows stay where they are.
    assert page.locator("#results table").bounding_box()["y"] == top["y"]  # type: ignore[index]
    assert page.evaluate("window.shifts") == []
    page.reload()
    assert told(page) == in_order
    for before in (both, without_phone):
        page.go_back()
        page.wait_for_load_state()
        expect(page.locator("#list-count")).to_have_text(before["count"])
        assert told(page) == before
    page.click("#list-clear a")
    page.wait_for_url("**/users/")
    expect(page.locator("#list-search input[type=search]")).to_be_focused()
    assert told(page) == everybody


@pytest.mark.browser
def test_fourteen_people_are_in_sight_and_more_where_rows_stand_close(at_list: Page) -> None:
    page = at_list
    rows = page.locator("#results tbody tr")
    seen = "rows => rows.filter((row) => row.getBoundingClientRect().bottom <= innerHeight).length"
    assert rows.evaluate_all(seen) >= 14
    names = page.locator("#results tbody .who a")
    line = "names => names.filter((name) => name.getBoundingClientRect().height > 1.6 * parseFloat(getComputedStyle(name).fontSize)).length"
    assert names.evaluate_all(line) == 0
    with page.expect_response("**/density*"):
        page.get_by_role("button", name="Lignes serrées").click()
    assert rows.evaluate_all(seen) >= 20
    page.reload()
    assert rows.evaluate_all(seen) >= 20
    with page.expect_response("**/density*"):
        page.get_by_role("button", name="Lignes serrées").click()
    page.reload()
    assert rows.evaluate_all(seen) < 20


@pytest.mark.browser
def test_the_status_of_the_first_person_is_changed_from_the_list_and_the_list_stays_as_it_was(
    at_list: Page,
) -> None:
    page = at_list
    page.fill("#list-search input[type=search]", "Béatrice")
    expect(page.locator("#results tbody tr")).to_have_count(1)
    menu = page.locator("#results tbody tr:first-child .status-menu")
    menu.locator("summary").click()
    menu.get_by_role("button", name="Lunch").click()
    page.wait_for_url("**/users/?q=B%C3%A9atrice")
    expect(menu.locator("summary")).to_contain_text("Lunch")
    menu.locator("summary").click()
    menu.get_by_role("button", name="Disponible").click()
    expect(menu.locator("summary")).to_contain_text("Disponible")


@pytest.mark.browser
def test_the_language_is_changed_without_losing_the_list(at_list: Page) -> None:
    page = at_list
    page.click("#filter-no_2fa")
    page.wait_for_url("**?no_2fa=1")
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("button", name="Français")).to_be_visible()
    assert page.url.endswith("/users/?no_2fa=1")
