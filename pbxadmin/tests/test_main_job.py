"""The main job, from a click in the browser to the phone on the desk, with every part as itself."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from pbxadmin.tests.installation import Installation, chromium, code_of, running, until

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """One installation for the module."""
    with running(tmp_path_factory.mktemp("installation") / "var") as found:
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for the module."""
    with chromium() as found:
        yield found


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of a French reader; any complaint of the console or of the content policy fails the test."""
    context = browser.new_context(locale="fr-CA", viewport={"width": 1280, "height": 900})
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.set_default_timeout(15_000)
    expect.set_options(timeout=15_000)
    yield page
    context.close()
    assert complaints == []


def test_from_a_click_in_the_browser_to_the_phone_on_the_desk(installation: Installation, page: Page) -> None:
    # Sign in with a second factor: support staff enrols one before anything else.
    installation.sign_in(page, "soutien")
    assert "/sign-in/app" in page.url
    page.get_by_text("Tapez la clé").click()
    secret = page.locator("main code").first.inner_text()
    page.fill("input[name=code]", code_of(secret))
    page.get_by_role("button", name="Confirmer").click()
    expect(page.get_by_role("heading", name="Vos codes de secours")).to_be_visible()

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
    notified = installation.phone_log().count("NOTIFY")
    page.goto(f"{installation.url}/c/boreale/users/101/general")
    page.fill("input[name=email]", "amelie@boreale.example")
    page.get_by_role("button", name="Enregistrer", exact=True).click()
    page.wait_for_url("**saved=1")
    expect(page.locator("#push-status")).to_contain_text("à jour")
    assert installation.phone_log().count("NOTIFY") == notified


def test_the_pages_work_without_scripts(installation: Installation, browser: Browser) -> None:
    context = browser.new_context(locale="fr-CA", java_script_enabled=False)
    page = context.new_page()
    installation.sign_in(page, "102@")
    page.goto(f"{installation.url}/c/boreale/users/")
    page.fill("input[name=q]", "zoé")
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
        ("Zoé Lavoie", "1 choisi"),
        ("Mathis Fortin", "2 choisis (dont 1 hors de cette page)"),
    ):
        page.fill("input[name=q]", name.split()[0])
        expect(page.locator("tbody tr")).to_have_count(1)
        page.get_by_label(f"Choisir {name}").check()
        expect(page.locator("[data-select-count]")).to_have_text(words)
    page.reload()
    expect(page.locator("[data-select-count]")).to_have_text("2 choisis (dont 1 hors de cette page)")
    page.get_by_role("button", name="Exiger le 2FA").click()
    expect(page.locator("main")).to_contain_text("Zoé Lavoie")
    expect(page.locator("main")).to_contain_text("Mathis Fortin")
    # Leaving the question keeps the choice; "nobody" ends it.
    page.goto(people)
    page.get_by_role("button", name="Tout désélectionner").click()
    expect(page.locator("[data-select-bar]")).to_be_hidden()
    page.reload()
    expect(page.locator("[data-select-bar]")).to_be_hidden()


TABS = ["general", "talk", "forwarding", "schedule", "phone", "blf", "voicemail", "visualiser", "options"]
PAGES = [
    "/c/boreale/",
    "/c/boreale/users/",
    "/c/boreale/users/new",
    *(f"/c/boreale/users/101/{tab}" for tab in TABS),
    "/c/boreale/users/101/history",
    "/c/boreale/users/101/delete",
    "/c/boreale/users/101/reset",
    "/c/boreale/users/101/app",
    "/c/boreale/users/101/keys/labels",
    "/c/boreale/users/101/phones/add",
    "/c/boreale/users/101/phones/805ec0001000/file",
    "/c/boreale/users/106/phone",
    "/c/boreale/simulator?to=101",
    "/c/boreale/departments/",
    "/c/boreale/numbers/",
    "/c/boreale/system-extensions/",
    "/c/boreale/sbcs/",
    "/c/boreale/phones",
    "/c/boreale/settings/",
    "/c/boreale/settings/roles",
    "/c/boreale/history",
    "/me",
    "/me/forwarding",
    "/me/voicemail",
    "/me/app",
    "/talk/boreale/accueil",
    "/talk/boreale/filesoins?sent=1",
]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_has_an_accessibility_violation_or_scrolls_sideways(
    installation: Installation, page: Page, scheme: str
) -> None:
    installation.sign_in(page, "102@")
    wrong = []
    # Wide in the light, narrow in the dark: every rule of either sort is met once on every page.
    width = {"light": 1280, "dark": 390}[scheme]
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    for path in PAGES:
        answer = page.goto(installation.url + path)
        assert answer is not None
        if answer.status != 200:
            wrong.append((path, answer.status))
        wrong += [
            (path, rule["id"], rule["nodes"][0]["html"][:200])
            for rule in Axe().run(page).response["violations"]
        ]
        if page.evaluate("document.documentElement.scrollWidth > window.innerWidth + 1"):
            wrong.append((path, "scrolls sideways"))
    assert wrong == []
