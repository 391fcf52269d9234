"""Many users changed at once in the browser: chosen in the list, told before, saved, followed by the phone on the desk, undone."""

import pytest
from playwright.sync_api import Browser, Page, expect

from pbxadmin.tests.installation import Installation, until

pytestmark = pytest.mark.browser


def test_everybody_gets_another_department_and_voicemail_the_phone_follows_and_it_is_undone(
    installation: Installation, page: Page
) -> None:
    installation.sign_in(page, "102@")
    until(lambda: "805ec0001000.cfg 200" in installation.phone_log())
    page.goto(f"{installation.url}/c/boreale/users/")
    page.locator("[data-select-all]").check()
    page.get_by_role("button", name="Modifier", exact=True).click()

    # A field that is changed ticks itself; one that isn't stays.
    page.select_option("#id_primary_department", label="Facturation")
    expect(page.locator("#id_primary_department_change")).to_be_checked()
    expect(page.locator("#id_role_change")).not_to_be_checked()
    page.locator("[data-chip=voicemail]").click()
    page.locator("#id_voicemail\\.enabled").click()

    # Another model's options: what was typed in the other tabs stays.
    page.locator("[data-chip=phone]").click()
    page.locator("button[name=_phone_model][value=yealink-t54w]").click()
    expect(page.locator("#id_primary_department_change")).to_be_checked()
    page.select_option("#id_phone-time_format", label="02:05 PM")
    page.get_by_role("button", name="Voir ce qui changerait").first.click()

    # Who changes from what to what, together where it is the same.
    changes = page.locator(".changes")
    expect(changes.first).to_contain_text("Appartenance au département principal")
    expect(page.locator(".changes", has_text="messagerie vocale")).to_contain_text("Oui → Non")
    fetches = installation.phone_log().count("805ec0001000.cfg 200")
    page.get_by_role("button", name="Enregistrer pour").click()
    expect(page.locator(".notice")).to_contain_text("ont été modifiés")
    expect(page.locator("tr", has_text="Amélie Tremblay")).to_contain_text("Facturation")
    until(lambda: installation.phone_log().count("805ec0001000.cfg 200") > fetches)

    # One line of the history, taken back as one.
    page.goto(f"{installation.url}/c/boreale/history")
    page.locator("a[href*='/undo']").first.click()
    page.locator("main form button[type=submit]").first.click()
    page.goto(f"{installation.url}/c/boreale/users/101/general")
    expect(page.locator("#id_primary_department option:checked")).to_have_text("Accueil")


def test_many_are_changed_without_scripts(installation: Installation, browser: Browser) -> None:
    context = browser.new_context(
        locale="fr-CA", java_script_enabled=False, viewport={"width": 390, "height": 844}
    )
    page = context.new_page()
    installation.sign_in(page, "102@")
    page.goto(f"{installation.url}/c/boreale/users/?q=116")
    page.locator("input[name=chosen]").first.check()
    page.get_by_role("button", name="Modifier", exact=True).click()
    page.locator("[data-chip=options]").click()
    page.locator("#id_hidden").check()
    page.locator("#id_hidden_change").check()
    page.get_by_role("button", name="Voir ce qui changerait").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_role("button", name="Enregistrer pour").click()
    page.goto(f"{installation.url}/c/boreale/users/116/options")
    assert page.is_checked("#id_hidden")
    page.uncheck("#id_hidden")
    page.get_by_role("button", name="Enregistrer", exact=True).click()
    context.close()
