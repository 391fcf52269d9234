"""What htmx brings takes nothing away from the reader: neither their focus, nor what they type, nor the menu they opened."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from pbxadmin.tests.installation import ROOT, Installation


def test_no_template_swaps_in_a_way_that_is_not_worked_into_the_page() -> None:
    swaps = {
        found
        for path in (ROOT / "templates").rglob("*.*")
        for found in re.findall(r'hx-swap(?:-oob)?="(\w+)', path.read_text())
    }
    assert swaps <= {"outerHTML", "innerHTML", "true", "none"}
    for frame in ("base.html", "plain.html"):
        assert "partials/head.html" in (ROOT / "templates" / frame).read_text()


class Place:
    """A part of a page that is swapped by what the test says."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.answer = ""
        page.goto(f"{url}/sign-in")
        page.route("**/part*", lambda route: route.fulfill(body=self.answer, content_type="text/html"))

    def begin(self, html: str) -> None:
        self.page.evaluate(
            "html => { document.querySelector('main').innerHTML = html; htmx.process(document.querySelector('main')); }",
            html,
        )

    def swap(self, html: str, **values: Any) -> None:
        self.answer = html
        self.page.evaluate(
            "values => htmx.ajax('GET', '/part', { target: '#part', swap: 'outerHTML', values })", values
        )

    def press(self, html: str, values: dict[str, str], then: str) -> None:
        """The question is on its way, somebody types, and the answer comes."""
        self.answer = html
        self.page.evaluate(
            "values => { window.asked = htmx.ajax('GET', '/part', { target: '#part', swap: 'outerHTML', values }) }",
            values,
        )
        self.page.keyboard.type(then)
        self.page.evaluate("() => window.asked")


@pytest.fixture
def place(installation: Installation, page: Page) -> Place:
    return Place(page, installation.url)


FIELDS = '<form id="part"><input name="a" value="{a}"><input name="b" value="{b}"><p>{told}</p></form>'


@pytest.mark.browser
def test_a_field_keeps_its_focus_its_caret_and_what_was_typed_since_the_question(place: Place) -> None:
    place.begin(FIELDS.format(a="", b="", told="before"))
    field = place.page.locator("[name=a]")
    field.fill("8-12")
    place.page.keyboard.press("Home")
    place.press(FIELDS.format(a="8-12", b="", told="after"), {"a": "8-12", "b": ""}, then="7")
    expect(place.page.locator("#part p")).to_have_text("after")
    expect(field).to_have_value("78-12")
    expect(field).to_be_focused()
    place.page.keyboard.type(":0")
    expect(field).to_have_value("7:08-12")


@pytest.mark.browser
def test_a_late_answer_takes_nothing_back_that_another_one_brought_since_its_question(place: Place) -> None:
    place.begin(FIELDS.format(a="", b="old", told="") + "<i id=first></i><i id=second></i>")
    held: list[Route] = []
    place.page.route("**/part?late", lambda route: held.append(route))
    ask = "([from, url]) => void htmx.ajax('GET', url, { source: from, target: '#part', swap: 'outerHTML', values: {} })"
    place.page.evaluate(ask, ["#first", "/part?late"])
    place.answer = FIELDS.format(a="copied", b="old", told="copied")
    place.page.evaluate(ask, ["#second", "/part"])
    expect(place.page.locator("#part p")).to_have_text("copied")
    held[0].fulfill(body=FIELDS.format(a="", b="new", told="late"), content_type="text/html")
    expect(place.page.locator("#part p")).to_have_text("late")
    expect(place.page.locator("[name=a]")).to_have_value("copied")
    expect(place.page.locator("[name=b]")).to_have_value("new")
    # What is asked from now on knows of it.
    place.swap(FIELDS.format(a="", b="new", told="after"), a="copied", b="new")
    expect(place.page.locator("#part p")).to_have_text("after")
    expect(place.page.locator("[name=a]")).to_have_value("")


@pytest.mark.browser
def test_what_the_server_was_told_it_may_answer(place: Place) -> None:
    place.begin(FIELDS.format(a="", b="old", told=""))
    place.page.locator("[name=a]").fill("9h")
    place.swap(FIELDS.format(a="9:00", b="new", told=""), a="9h", b="old")
    expect(place.page.locator("[name=a]")).to_have_value("9:00")
    expect(place.page.locator("[name=b]")).to_have_value("new")


@pytest.mark.browser
def test_a_poll_that_knows_nothing_of_a_field_leaves_it_alone(place: Place) -> None:
    place.begin(FIELDS.format(a="", b="", told="1"))
    place.page.locator("[name=b]").fill("unsent")
    place.swap(FIELDS.format(a="x", b="", told="2"))
    expect(place.page.locator("#part p")).to_have_text("2")
    expect(place.page.locator("[name=b]")).to_have_value("unsent")
    expect(place.page.locator("[name=a]")).to_have_value("x")


def rows(*names: str, ids: bool = True) -> str:
    return (
        '<div id="part"><ul>'
        + "".join(
            f"<li{f' id=row-{name}' if ids else ''}><details><summary>{name}</summary></details>"
            f'<form action="/admit/{name}"><button name="do" value="admit">Let in</button></form></li>'
            for name in names
        )
        + "</ul></div>"
    )


@pytest.mark.browser
@pytest.mark.parametrize("ids", [True, False], ids=["rows with ids", "rows without"])
def test_a_button_never_becomes_another_rows_button_under_the_finger(place: Place, ids: bool) -> None:
    place.begin(rows("bob", "eve", ids=ids))
    place.page.locator("form[action='/admit/bob'] button").focus()
    place.swap(rows("mallory", "bob", "eve", ids=ids))
    expect(place.page.locator("li")).to_have_count(3)
    held = place.page.evaluate("() => document.activeElement.closest('form')?.getAttribute('action') ?? ''")
    assert held == ("/admit/bob" if ids else ""), "the focus stays on its own button, or on none"


@pytest.mark.browser
def test_a_menu_that_was_opened_stays_open(place: Place) -> None:
    place.begin(rows("bob", "eve"))
    place.page.locator("#row-eve summary").click()
    place.swap(rows("eve"))
    expect(place.page.locator("li")).to_have_count(1)
    expect(place.page.locator("#row-eve details")).to_have_attribute("open", "")
    expect(place.page.locator("#row-eve summary")).to_be_focused()


@pytest.mark.browser
def test_whoever_was_on_something_that_is_gone_goes_on_where_they_were(place: Place) -> None:
    place.begin(rows("bob", "eve"))
    place.page.locator("form[action='/admit/bob'] button").focus()
    place.swap(rows("eve"))
    expect(place.page.locator("#part")).to_be_focused()
    place.page.keyboard.press("Tab")
    expect(place.page.locator("#row-eve summary")).to_be_focused()


@pytest.mark.browser
def test_a_poll_ends_with_the_attributes_that_asked_for_it(place: Place) -> None:
    place.answer = '<div id="part">done</div>'
    place.begin('<div id="part" hx-get="/part" hx-trigger="every 50ms" hx-swap="outerHTML">waiting</div>')
    expect(place.page.locator("#part")).to_have_text("done")
    place.answer = '<div id="part">asked again</div>'
    place.page.wait_for_timeout(300)
    expect(place.page.locator("#part")).to_have_text("done")


@pytest.mark.browser
def test_a_notice_that_is_closed_leaves_the_focus_in_the_page(place: Place) -> None:
    notice = '<div class="notice"><button type="button" data-dismiss>x</button></div>'
    place.begin(f'<div id="part">{notice}{notice}</div>')
    close = place.page.locator("[data-dismiss]")
    close.first.press("Enter")
    expect(close).to_have_count(1)
    expect(close).to_be_focused()
    close.press("Enter")
    expect(place.page.locator("main")).to_be_focused()
