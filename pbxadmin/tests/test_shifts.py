"""Nothing on a page jumps: not while it opens, not when it is changed, saved, refused, searched or chosen from."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from pbxadmin.tests.installation import Installation, forget, watched, watched_page

TABS = (
    "general", "talk", "forwarding", "schedule", "phone", "blf", "voicemail", "visualiser", "options",
)  # fmt: skip
LISTS = ("users/", "phones", "numbers/", "departments/", "history")
WIDTHS = ((1440, 900), (390, 844))
# Every shift, those soon after a key or a click as well; with what moved, but for what is taken out of the page again.
WATCH = """window.shifts = []; new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    window.shifts.push([entry.value, ...entry.sources.map(({ node }) => {
      const element = node?.nodeType === Node.TEXT_NODE ? node.parentElement : node;
      return element?.closest("#results") ? "#results" : (element?.outerHTML.slice(0, 90) ?? "?");
    })]);
  }
}).observe({ type: "layout-shift", buffered: true });"""

THREE_DEVICES = """
from datetime import timedelta
from django.utils import timezone
from asterisk.models import Contact, Node
from users.models import User
now, person = timezone.now(), User.objects.get(customer__slug="boreale", number="104")
node, _new = Node.objects.get_or_create(name="seen", defaults={"token_hash": "0" * 64, "host": "127.0.0.1", "node_password": "x"})
Node.objects.filter(pk=node.pk).update(connected_at=now, heard_at=now + timedelta(days=1))
for port in (5061, 5062, 5063):
    Contact.objects.create(node=node, user=person, uri=f"sip:104@192.0.2.7:{port}", address=f"192.0.2.7:{port}", since=now,
                           user_agent="Linphone-Desktop/5.2.4 (Debian GNU/Linux 13) LinphoneSDK/5.3.50", expires_at=now + timedelta(days=1))
"""


@pytest.fixture(params=WIDTHS, ids=lambda size: str(size[0]))
def page(request: Any, installation: Installation, reader: BrowserContext) -> Iterator[Page]:
    width, height = request.param
    with watched_page(reader, refused=True) as page:
        page.set_viewport_size({"width": width, "height": height})
        installation.sign_in(page, "102@")
        page.add_init_script(WATCH)
        yield page
        forget(reader, installation.url)


def moved(page: Page) -> list[Any]:
    """What has jumped since the last time, once the page has come to rest."""
    page.evaluate(
        "() => new Promise((done) => setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(done)), 400))"
    )
    return page.evaluate("() => window.shifts.splice(0)")


@pytest.mark.browser
def test_no_page_jumps_while_it_opens(page: Page, installation: Installation) -> None:
    # Whoever comes for the first time waits for every style sheet.
    page.context.new_cdp_session(page).send("Network.clearBrowserCache")
    found = {}
    for path in (*(f"users/104/{tab}" for tab in TABS), *LISTS, "simulator"):
        response = page.goto(f"{installation.url}/c/boreale/{path}")
        assert response is not None, path
        assert response.status == 200, path
        if shifts := moved(page):
            found[path] = shifts
    assert found == {}


Devices = Callable[[bool], None]


@pytest.fixture
def devices(installation: Installation) -> Iterator[Devices]:
    """Has three devices registered, or none; written into the tables, as the link does it in another process."""
    installation.tell(THREE_DEVICES)
    with closing(sqlite3.connect(installation.var / "pbxadmin.sqlite3", timeout=20)) as base:
        rows = base.execute("SELECT * FROM asterisk_contact").fetchall()

        def are(there: bool) -> None:
            with base:
                base.execute("DELETE FROM asterisk_contact")
                if there:
                    places = ", ".join("?" * len(rows[0]))
                    base.executemany(f"INSERT INTO asterisk_contact VALUES ({places})", rows)

        yield are
        are(False)


@pytest.mark.browser
def test_registered_devices_come_and_go_without_moving_anything_else(
    page: Page, installation: Installation, devices: Devices
) -> None:
    devices(True)
    with watched_page(page.context, refused=True) as other:
        other.set_viewport_size(page.viewport_size)  # type: ignore[arg-type]
        other.add_init_script(WATCH)
        # Both tabs at once: news come every five seconds.
        panels = {}
        for tab, shown in {"phone": page, "options": other}.items():
            shown.goto(f"{installation.url}/c/boreale/users/104/{tab}")
            panels[tab] = shown.locator("section", has=shown.locator("#devices"))
            expect(panels[tab].locator("li")).to_have_count(3)
            panels[tab].scroll_into_view_if_needed()
            assert moved(shown) == [], tab
        devices(False)
        for tab, panel in panels.items():
            expect(panel.locator("li")).to_have_count(0)
            assert moved(panel.page) == [], tab


@pytest.mark.browser
def test_no_tab_jumps_when_it_is_changed_saved_or_refused(page: Page, installation: Installation) -> None:
    page.goto(f"{installation.url}/c/boreale/users/101/general")
    moved(page)
    width = page.viewport_size["width"]  # type: ignore[index]  # another number each time
    page.fill("input[name=mobile]", f"514 555-{width:04}")
    expect(page.locator(".unsaved")).to_be_visible()
    assert moved(page) == []
    page.get_by_role("button", name="Enregistrer").click()
    page.wait_for_url("**saved=1*")
    # Her phone fetches its file, and the bar says so without a move.
    expect(page.locator("#push-status:not([hx-get])")).to_contain_text("à jour")
    assert moved(page) == []
    page.fill("input[name=mobile]", "014 5")
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.locator(".field-error").first).to_be_visible()
    assert moved(page) == []


@pytest.mark.browser
def test_what_stands_around_the_rows_stays_where_it_is_when_a_list_is_searched_and_chosen_from(
    page: Page, installation: Installation
) -> None:
    page.goto(f"{installation.url}/c/boreale/users/")
    moved(page)
    page.locator("tbody [data-select-row]").first.check()
    expect(page.locator("[data-select-bar]")).to_be_visible()
    assert moved(page) == []  # the bar that rises has its place
    page.locator("tbody [data-select-row]").first.uncheck()
    page.locator("#list-search input[type=search]").press_sequentially("ro", delay=50)
    expect(page.locator("#list-clear a")).to_be_visible()
    page.click("#filter-no_phone")
    page.wait_for_url("**no_phone=1")
    outside = [each for value, *each in moved(page) if set(each) - {"#results"}]
    assert outside == []  # rows come and go, and what is below them with them


@pytest.mark.browser
def test_after_the_content_was_skipped_to_what_is_refused_still_takes_the_focus(
    page: Page, installation: Installation
) -> None:
    page.goto(f"{installation.url}/c/boreale/users/104/general")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#content")).to_be_focused()
    page.fill("input[name=mobile]", "014 5")
    page.keyboard.press("Enter")
    expect(page.locator(".error-summary")).to_be_focused()


@pytest.mark.browser
def test_the_head_of_a_person_takes_one_line_at_1024_pixels(
    installation: Installation, browser: Browser
) -> None:
    with watched(browser, viewport={"width": 1024, "height": 800}) as page:
        installation.sign_in(page, "102@")
        page.goto(f"{installation.url}/c/boreale/users/104/general")
        for place, most in ((".page-head", 80), (".crumbs", 30), (".top .customer-name", 30)):
            box = page.locator(place).bounding_box()
            assert box is not None, place
            assert box["height"] <= most, place
        page.goto(f"{installation.url}/c/boreale/users/")
        # As if the placeholder had been typed: a box doesn't say that its placeholder is cut.
        whole = """() => {
          const box = document.querySelector("#search-box");
          box.style.fontSize = getComputedStyle(box, "::placeholder").fontSize;
          box.value = box.placeholder;
          return box.scrollWidth <= box.clientWidth;
        }"""
        assert page.evaluate(whole)


@pytest.mark.browser
def test_the_last_two_pages_of_a_trail_are_whole_beside_the_search(
    installation: Installation, browser: Browser
) -> None:
    with watched(browser, viewport={"width": 1440, "height": 800}) as page:
        installation.sign_in(page, "102@")
        page.goto(f"{installation.url}/c/boreale/users/101/calls")
        page.locator("tbody a").first.click()
        expect(page.locator(".crumbs li")).to_have_count(4)
        cut = """() => [...document.querySelectorAll(".crumbs li > *")].filter(each => each.clientWidth < each.scrollWidth)
          .map(each => each.innerText)"""
        for width in (800, 1016, 1024, 1210, 1340, 1440):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate(cut) == [], width
