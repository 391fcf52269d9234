"""The main job, from a click in the browser to the phone on the desk, with every part as itself."""

import pytest
from playwright.sync_api import Browser, Page, expect

from pbxadmin.tests.installation import Installation, until

pytestmark = pytest.mark.browser


def test_from_a_click_in_the_browser_to_the_phone_on_the_desk(installation: Installation, page: Page) -> None:
    # Sign in with a second factor: support staff enrols one before anything else.
    installation.sign_in_as_support(page)

    # The phone on the desk has fetched its file: its person's page says so.
    general = f"{installation.url}/c/boreale/users/101/general"
    until(lambda: "805ec0001000.cfg 200" in installation.phone_log())
    page.goto(general)
    expect(page.locator("#phones-state")).to_contain_text("à jour")

    # Change name and caller ID, and see the phone go to "up to date" without loading the page again.
    page.fill("input[name=last_name]", "Tremblay-Lachance")
    page.fill("input[name=outbound_caller_id]", "514 555-0110")
    page.get_by_role("button", name="Enregistrer", exact=True).click()
    page.wait_for_url("**saved=1")
    page.evaluate("window.stillTheSamePage = true")
    expect(page.locator("#push-status")).to_contain_text("à jour")
    assert page.evaluate("window.stillTheSamePage")
    until(lambda: "display name: Amélie Tremblay-Lachance" in installation.phone_log())

    # The file that the phone fetched holds the new name, and nothing differs from what would be served now.
    page.goto(f"{installation.url}/c/boreale/users/101/phones/805ec0001000/file")
    expect(page.locator("pre")).to_contain_text("Amélie Tremblay-Lachance")
    expect(page.get_by_text("Le téléphone a exactement ce fichier.")).to_be_visible()

    # Restart: the phone says that it received it, and does it.
    page.goto(f"{installation.url}/c/boreale/users/101/phone")
    page.get_by_role("button", name="Redémarrer").click()
    expect(page.locator("#phone-status")).to_contain_text("reçu par le téléphone")
    until(lambda: "restart" in installation.phone_log())
    expect(page.locator("#phone-status")).to_contain_text("à jour")


def test_what_changes_nothing_for_the_phone_sends_it_nothing(installation: Installation, page: Page) -> None:
    installation.sign_in(page, "102@")
    until(lambda: "805ec0001000.cfg 200" in installation.phone_log())
    page.goto(f"{installation.url}/c/boreale/users/101/general")
    expect(page.locator("#phones-state")).to_contain_text("à jour")
    notified = installation.phone_log().count("NOTIFY")
    page.fill("input[name=email]", "amelie@boreale.example")
    page.get_by_role("button", name="Enregistrer", exact=True).click()
    page.wait_for_url("**saved=1")
    expect(page.locator("#push-status")).to_contain_text("à jour")
    assert installation.phone_log().count("NOTIFY") == notified


def test_the_pages_work_without_scripts(installation: Installation, browser: Browser) -> None:
    context = browser.new_context(locale="fr-CA", java_script_enabled=False)
    page = context.new_page()
    installation.type_in(page, "102@")
    page.goto(f"{installation.url}/c/boreale/users/")
    page.fill("#list-search input[name=q]", "zoé")
    page.keyboard.press("Enter")
    page.click("text=Zoé Lavoie")
    page.fill("input[name=mobile]", "438 555-0191")
    page.get_by_role("button", name="Enregistrer", exact=True).click()
    assert page.url.endswith("saved=1")
    assert page.input_value("input[name=mobile]") == "438 555-0191"
    context.close()


def test_who_is_chosen_stays_chosen_while_the_list_is_searched(
    installation: Installation, page: Page
) -> None:
    installation.sign_in(page, "102@")
    people = f"{installation.url}/c/boreale/users/"
    page.goto(people)
    for name, words in (
        ("Zoé Lavoie", "1 sélectionné"),
        ("Mathis Fortin", "2 sélectionnés, dont 1 hors de cette recherche"),
    ):
        page.fill("#list-search input[name=q]", name.split()[0])
        expect(page.locator("tbody tr")).to_have_count(1)
        page.get_by_label(f"Choisir {name}").check()
        expect(page.locator("[data-select-count]")).to_have_text(words)
    page.reload()
    expect(page.locator("[data-select-count]")).to_have_text("2 sélectionnés, dont 1 hors de cette recherche")
    page.locator("[data-select-bar] summary").click()  # what is done less often
    page.get_by_role("button", name="Exiger le 2FA", exact=True).click()
    expect(page.locator("main")).to_contain_text("Zoé Lavoie")
    expect(page.locator("main")).to_contain_text("Mathis Fortin")
    # Leaving the question keeps the choice; "nobody" ends it.
    page.goto(people)
    page.get_by_role("button", name="Tout désélectionner").click()
    expect(page.locator("[data-select-bar]")).to_be_hidden()
    page.reload()
    expect(page.locator("[data-select-bar]")).to_be_hidden()


def test_the_keyboard_reaches_the_save_bar_with_its_place_always_in_sight(
    installation: Installation, page: Page
) -> None:
    installation.sign_in(page, "102@")
    page.emulate_media(reduced_motion="reduce")  # so that the page doesn't glide to the field
    page.goto(f"{installation.url}/c/boreale/users/101/general")
    page.locator("#content").focus()
    unseen = []
    for _step in range(60):
        page.keyboard.press("Tab")
        name, ring, covered = page.evaluate(WHERE_THE_FOCUS_IS)
        if not ring or covered:
            unseen.append((name, "no ring" if not ring else "covered"))
        if name == "Enregistrer":
            break
    assert name == "Enregistrer"
    assert unseen == []


WHERE_THE_FOCUS_IS = """() => {
    const place = document.activeElement, style = getComputedStyle(place), box = place.getBoundingClientRect();
    const bars = [...document.querySelectorAll(".top, .page-head, .save-bar")].filter((bar) => !bar.contains(place));
    const over = (bar) => { const its = bar.getBoundingClientRect(); return its.top < box.bottom && its.bottom > box.top; };
    return [place.name || place.innerText, style.outlineStyle !== "none", bars.some(over)];
}"""


def test_the_head_of_a_person_leaves_room_on_a_phone(installation: Installation, page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    installation.sign_in(page, "102@")
    for number in ("101", "103", "108"):
        page.goto(f"{installation.url}/c/boreale/users/{number}/general")
        expect(page.locator("#phones-state")).to_be_visible()
        head = page.locator(".page-head").bounding_box()
        assert head is not None
        assert head["height"] <= 120, number
        for name in ("Code QR", "Actions"):  # drawings there, and names all the same
            expect(page.locator(".page-actions").get_by_text(name)).to_have_count(1)
