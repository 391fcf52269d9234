"""The support desk in the browser's hands."""

import pytest
from playwright.sync_api import Browser, Page, expect

from pbxadmin.tests.installation import Installation, watched

pytestmark = pytest.mark.browser


def test_no_table_of_the_desk_is_clipped(installation: Installation, page: Page) -> None:
    installation.sign_in_as_support(page)
    clipped = []
    for width in (1024, 1280, 1366, 1440, 1920):
        page.set_viewport_size({"width": width, "height": 900})
        for table in ("users/user", "users/customer", "users/department", "users/did", "phones/phone"):
            page.goto(f"{installation.url}/support/{table}/")
            if page.evaluate(
                "() => { const box = document.querySelector('.results'); return box && box.scrollWidth > box.clientWidth + 1 }"
            ):
                clipped.append((width, table))
    assert clipped == []


def test_the_search_and_the_choice_of_a_customer_are_led_by_keyboard(
    installation: Installation, page: Page
) -> None:
    installation.sign_in_as_support(page)
    page.goto(f"{installation.url}/support/users/user/")
    page.keyboard.press("Control+k")
    page.keyboard.type("ines boreale")
    results = page.get_by_role("listbox", name="Résultats")
    expect(results.get_by_role("option").first).to_contain_text("103 Inès Roy")
    expect(results.get_by_role("option").first).to_contain_text("Clinique Boréale")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/c/boreale/users/103/general")

    page.goto(f"{installation.url}/support/users/user/")
    page.locator(".desk-chips summary", has_text="Client").click()
    expect(page.get_by_role("combobox", name="Trouver un client")).to_be_focused()
    page.keyboard.type("laurier")
    expect(page.locator("#pick-list").get_by_role("option")).to_have_count(1)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/support/users/user/?customer=laurier")
    expect(page.locator(".desk-chips .chip.on")).to_contain_text("Librairie Laurier")
    expect(page.locator("#result_list")).not_to_contain_text("Clinique Boréale")


def test_without_scripts_a_customer_is_picked_and_columns_are_chosen(
    installation: Installation, browser: Browser
) -> None:
    session = installation.support_session(browser)
    with watched(browser, java_script_enabled=False, storage_state=session) as page:
        page.goto(f"{installation.url}/support/users/did/add/")
        page.get_by_role("combobox", name="Trouver un client").fill("laur")
        page.get_by_role("combobox", name="Trouver un client").press("Enter")
        expect(page.get_by_role("heading", name="Librairie Laurier")).to_be_visible()
        page.goto(f"{installation.url}/support/users/did/")
        page.fill("#search-box", "roy boreale")
        page.locator("#search-box").press("Enter")
        expect(page.get_by_role("link", name="103 Inès Roy")).to_be_visible()
        page.goto(f"{installation.url}/support/users/user/")
        page.locator(".columns-menu summary").click()
        page.get_by_label("Email").check()
        page.get_by_role("button", name="Afficher ces colonnes").click()
        expect(page.locator("#result_list thead")).to_contain_text("Email")
        page.locator(".columns-menu summary").click()
        page.get_by_role("button", name="Colonnes habituelles").click()
        expect(page.locator("#result_list thead")).not_to_contain_text("Email")
