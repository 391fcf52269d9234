"""The tab BLF in the browser's hands."""

import pytest
from playwright.sync_api import Page, expect

from pbxadmin.tests.installation import Installation

pytestmark = pytest.mark.browser

TAB = "/c/boreale/users/101/blf"


def test_keys_are_dragged_typed_and_moved_by_keyboard_across_pages(
    installation: Installation, page: Page
) -> None:
    page.set_viewport_size({"width": 1280, "height": 1500})
    installation.sign_in(page, "102@")
    page.goto(f"{installation.url}{TAB}")
    key = page.locator("[data-key]")
    expect(key.nth(2)).to_contain_text("102 Félix Gagnon")

    # By mouse, from the first page to the second: the two keys exchange their places.
    key.nth(11).scroll_into_view_if_needed()
    start, end = key.nth(2).locator("[data-grip]").bounding_box(), key.nth(11).bounding_box()
    assert start
    assert end
    page.mouse.move(start["x"] + 8, start["y"] + 8)
    page.mouse.down()
    page.mouse.move(end["x"] + 100, end["y"] + 20, steps=8)
    page.mouse.up()
    expect(key.nth(11)).to_contain_text("102 Félix Gagnon")
    expect(key.nth(2)).to_contain_text("Blanc")

    # By keyboard, over the page's edge, and taken back.
    key.nth(3).locator("[data-grip]").focus()
    for press in ("Space", "ArrowRight", "ArrowDown", "ArrowDown"):
        page.keyboard.press(press)
    expect(page.locator("#announcer")).to_contain_text("position 11 sur 36")
    expect(key.nth(10)).to_contain_text("103 Inès Roy")
    page.keyboard.press("Escape")
    expect(key.nth(3)).to_contain_text("103 Inès Roy")

    # Typing shows on the key at once, and only the fields of the kind are there.
    key.nth(8).locator("summary").click()
    key.nth(8).locator("[data-kind]").select_option("custom_speed_dial")
    expect(key.nth(8).locator("[name$='-status']")).to_be_hidden()
    key.nth(8).locator("[name$='-number']").fill("8663062224,,,225")
    key.nth(8).locator("[name$='-first_name']").fill("Labo")
    expect(key.nth(8).locator("summary")).to_contain_text("Labo · 8663062224,,,225")
    expect(page.locator(".unsaved")).to_be_visible()
    page.locator(".save-bar [data-save]").click()
    page.wait_for_url("**saved=1**")
    expect(key.nth(11)).to_contain_text("102 Félix Gagnon")
    expect(key.nth(8)).to_contain_text("Labo · 8663062224,,,225")
