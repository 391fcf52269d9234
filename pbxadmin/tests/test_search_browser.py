"""The search in the header in the browser's hands: by keyboard alone, and without scripts."""

import pytest
from playwright.sync_api import Browser, Page, expect

from pbxadmin.tests.installation import Installation, watched

pytestmark = pytest.mark.browser


def test_the_search_is_reached_moved_through_and_left_by_keyboard(
    installation: Installation, page: Page
) -> None:
    installation.sign_in(page, "102@")
    page.goto(f"{installation.url}/c/boreale/phones")
    page.keyboard.press("Control+k")
    box, results = page.locator("#search-box"), page.get_by_role("listbox", name="Résultats")
    expect(box).to_be_focused()
    page.keyboard.type("ines roy")
    expect(results).to_be_visible()
    expect(box).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("ArrowDown")
    expect(box).to_be_focused()
    chosen = page.locator(f"#{box.get_attribute('aria-activedescendant')}")
    expect(chosen).to_have_attribute("aria-selected", "true")
    expect(chosen).to_contain_text("103 Inès Roy")
    page.keyboard.press("Escape")
    expect(results).to_be_hidden()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/c/boreale/users/103/general")

    # A sign that is typed elsewhere stays where it is typed.
    page.locator("[name=first_name]").focus()
    page.keyboard.type("/")
    expect(page.locator("[name=first_name]")).to_be_focused()


def test_the_search_leads_to_a_page_of_results_without_scripts(
    installation: Installation, browser: Browser
) -> None:
    with watched(browser, java_script_enabled=False) as page:
        installation.sign_in(page, "102@")
        page.goto(f"{installation.url}/c/boreale/users/")
        page.fill("#search-box", "80-5E-C0-00-10-03")
        page.locator("#search-box").press("Enter")
        page.get_by_role("link", name="80:5E:C0:00:10:03").click()
        expect(page.get_by_role("heading", name="Olivier Bélanger")).to_be_visible()
