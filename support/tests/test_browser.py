"""The support desk in the browser's hands."""

import re

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


def test_what_a_list_is_narrowed_to_is_read_by_day_and_night(installation: Installation, page: Page) -> None:
    installation.sign_in_as_support(page)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.goto(f"{installation.url}/support/phones/phone/?state=never")
        chip = page.locator("summary.chip.on")
        expect(chip).to_contain_text("Jamais connecté")
        words, behind = chip.evaluate("e => [getComputedStyle(e).color, getComputedStyle(e).backgroundColor]")
        assert contrast(words, behind) > 4.5, (scheme, words, behind)


def contrast(one: str, other: str) -> float:
    """How much lighter one colour of a browser ("rgb(1, 2, 3)") is than another, as WCAG counts it: 1 to 21."""

    def light(colour: str) -> float:
        shares = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
        red, green, blue = [
            share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares
        ]
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    darker, lighter = sorted((light(one), light(other)))
    return (lighter + 0.05) / (darker + 0.05)


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
