"""The main job, from a click in the browser to the phone on the desk, with every part as itself."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.template.loader import render_to_string
from django.utils import translation
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


@contextmanager
def watched(browser: Browser, refused: bool = False, **options: Any) -> Iterator[Page]:
    """A page of a French reader; any complaint of the console or of the content policy fails the test.

    `refused`: answers like 403 and 404 are what one is here to see.
    """
    context = browser.new_context(**{"locale": "fr-CA", "viewport": {"width": 1280, "height": 900}} | options)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.set_default_timeout(15_000)
    expect.set_options(timeout=15_000)
    yield page
    context.close()
    if refused:
        complaints = [words for words in complaints if "the server responded with a status of 4" not in words]
    assert complaints == []


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of nobody in particular."""
    with watched(browser) as found:
        yield found


def enrol(installation: Installation, page: Page) -> None:
    """Sign in as support staff for the first time: an app is set up before anything else."""
    installation.sign_in(page, "soutien")
    assert "/sign-in/app" in page.url
    page.get_by_text("Tapez la clé").click()
    secret = page.locator("main code").first.inner_text()
    page.fill("input[name=code]", code_of(secret))
    page.get_by_role("button", name="Confirmer").click()
    expect(page.get_by_role("heading", name="Vos codes de secours")).to_be_visible()
    SUPPORT.update(page.context.storage_state())


SUPPORT: dict[
    str, Any
] = {}  # the session of support staff, once somebody has enrolled: a code works once only


def test_from_a_click_in_the_browser_to_the_phone_on_the_desk(installation: Installation, page: Page) -> None:
    # Sign in with a second factor: support staff enrols one before anything else.
    enrol(installation, page)

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
        ("Zoé Lavoie", "1 sélectionné"),
        ("Mathis Fortin", "2 sélectionnés (dont 1 hors de cette page)"),
    ):
        page.fill("input[name=q]", name.split()[0])
        expect(page.locator("tbody tr")).to_have_count(1)
        page.get_by_label(f"Choisir {name}").check()
        expect(page.locator("[data-select-count]")).to_have_text(words)
    page.reload()
    expect(page.locator("[data-select-count]")).to_have_text("2 sélectionnés (dont 1 hors de cette page)")
    page.get_by_role("button", name="Exiger le 2FA").click()
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
    "/c/boreale/simulator?to=103&caller=104&at=2026-11-26T10:00",
    "/c/boreale/users/?q=zzzz",
    "/c/boreale/departments/2/hours",
    "/c/boreale/departments/2/holidays",
    "/c/boreale/departments/2/members",
    "/c/boreale/departments/2/delete",
    "/c/boreale/settings/contract",
    "/c/boreale/sbcs/new",
    "/c/boreale/departments/",
    "/c/boreale/numbers/",
    "/c/boreale/system-extensions/",
    "/c/boreale/sbcs/",
    "/c/boreale/phones",
    "/c/boreale/settings/",
    "/c/boreale/settings/single-sign-on",
    "/c/boreale/settings/roles",
    "/c/boreale/history",
    "/c/boreale/jobs/",
    "/me",
    "/me/jobs",
    "/me/forwarding",
    "/me/voicemail",
    "/me/app",
    "/me/colleagues",
    "/talk/boreale/accueil",
    "/talk/boreale/filesoins?sent=1",
]


MANY = ["reset", "second-factor", "welcome", "delete"]
PLAIN = [
    "/sign-in",
    "/sign-in/forgotten",
    "/nowhere",
    "/set-password/MQ/not-a-token",
    "/talk/boreale/olivier",
    "/talk/boreale/nobody",
    "/meet/boreale/olivier",
]
DESK = [
    "/customers",
    "/customers/new",
    "/support/",
    "/support/users/",
    "/sign-in/again",
    "/me",
    "/me/backup-codes",
]


def dressed(page: Page, scheme: str) -> None:
    """Wide in the light, narrow in the dark: every rule of either sort is met once on every page."""
    page.set_viewport_size({"width": {"light": 1280, "dark": 390}[scheme], "height": 900})
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]


def wrong_with(page: Page, name: str) -> list[tuple[str, ...]]:
    """What axe finds on the page as it is, and whether it scrolls sideways."""
    # Without "preload" axe fetches no style sheets by itself, which the content policy would have to report.
    rules = Axe().run(page, options={"preload": False}).response["violations"]
    wrong = [(name, rule["id"], rule["nodes"][0]["html"][:200]) for rule in rules]
    if page.evaluate("document.documentElement.scrollWidth > window.innerWidth + 1"):
        wrong.append((name, "scrolls sideways"))
    return wrong


def visited(installation: Installation, page: Page, paths: Iterable[str]) -> list[tuple[str, ...]]:
    """What is wrong with each of these pages, none of which is refused."""
    wrong = []
    for path in paths:
        answer = page.goto(installation.url + path)
        if answer is None or answer.status != 200:
            wrong.append((path, str(answer and answer.status)))
        wrong += wrong_with(page, path)
    return wrong


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_has_an_accessibility_violation_or_scrolls_sideways(
    installation: Installation, page: Page, scheme: str
) -> None:
    dressed(page, scheme)
    installation.sign_in(page, "102@")
    wrong = visited(installation, page, PAGES)
    for action in MANY:
        page.goto(f"{installation.url}/c/boreale/users/")
        for place in range(2):
            page.locator("[data-select-row]").nth(place).check()
        if action == MANY[0]:
            wrong += wrong_with(page, "chosen")
        page.locator(f'[formaction$="/chosen/{action}"]').click()
        page.wait_for_url(f"**/chosen/{action}")
        wrong += wrong_with(page, f"chosen/{action}")
    page.goto(f"{installation.url}/c/boreale/history")
    page.locator('a[href$="/undo"]').first.click()
    page.wait_for_url("**/undo")
    wrong += wrong_with(page, "undo")
    assert wrong == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_outside_the_portal_has_an_accessibility_violation_or_scrolls_sideways(
    installation: Installation, browser: Browser, scheme: str
) -> None:
    if not SUPPORT:
        with watched(browser) as page:
            enrol(installation, page)
    with watched(browser) as page:
        installation.sign_in(page, "102@")
        page.goto(f"{installation.url}/c/boreale/users/104/talk")
        if not page.is_checked("input[name=talk_enabled]"):
            page.check("input[name=talk_enabled]")
            page.fill("input[name=talk_name]", "olivier")
            page.get_by_role("button", name="Enregistrer", exact=True).click()
            page.wait_for_url("**saved=1")
    with watched(browser, refused=True) as page:
        dressed(page, scheme)
        wrong = []
        for path in PLAIN:
            page.goto(installation.url + path)
            wrong += wrong_with(page, path)
        # The waiting room of a meeting, as a visitor meets it.
        page.fill("input[name=name]", "Marie Untel")
        page.fill("input[name=email]", "marie@example.ca")
        page.locator("main .btn-primary").click()
        page.wait_for_url("**/meet/waiting/**")
        wrong += wrong_with(page, "waiting room")
        # What is refused: a form without its token, an unknown name, a page that isn't for this person.
        page.goto(f"{installation.url}/sign-in")
        page.evaluate("document.querySelector('main [name=csrfmiddlewaretoken]').remove()")
        page.fill("input[name=login]", "x")
        page.fill("input[name=password]", "x")
        page.locator("main .btn-primary").click()
        expect(page.get_by_text("Erreur 403")).to_be_visible()
        wrong += wrong_with(page, "403, an old form")
        for status in ("400", "429", "500"):
            with translation.override("fr-ca"):
                page.set_content(render_to_string(f"{status}.html"))
            expect(page.get_by_text(f"Erreur {status}")).to_be_visible()
            wrong += wrong_with(page, status)
        # The second factor: to set up for whoever has none, to give for whoever has one.
        installation.sign_in(page, "201@")
        wrong += visited(installation, page, ["/me/second-factor"])
        page.fill("input[name=password]", installation.account("201@")["password"])
        page.locator("main .btn-primary").click()
        page.wait_for_url("**/sign-in/app")
        wrong += wrong_with(page, "/sign-in/app")
    with watched(browser, refused=True) as page:
        dressed(page, scheme)
        installation.sign_in(page, "soutien")
        assert "/sign-in/code" in page.url
        wrong += wrong_with(page, "/sign-in/code")
        page.goto(f"{installation.url}/sign-in/code?backup=1")
        wrong += wrong_with(page, "/sign-in/code?backup=1")
    with watched(browser, refused=True) as page:
        dressed(page, scheme)
        installation.sign_in(page, "104@")
        page.goto(f"{installation.url}/c/boreale/users/")
        expect(page.get_by_text("Erreur 403")).to_be_visible()
        wrong += wrong_with(page, "403")
        wrong += visited(installation, page, ["/me", "/me/password", "/me/visitors"])
    assert wrong == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_of_support_has_an_accessibility_violation_or_scrolls_sideways(
    installation: Installation, browser: Browser, scheme: str
) -> None:
    if not SUPPORT:
        with watched(browser) as page:
            enrol(installation, page)
    with watched(browser, storage_state=SUPPORT) as page:
        dressed(page, scheme)
        wrong = visited(installation, page, DESK)
        page.goto(f"{installation.url}/support/")
        links = page.locator("#content-main a:is(.addlink, .changelink, .viewlink)")
        lists = links.evaluate_all("links => links.map((link) => link.getAttribute('href'))")
        assert len(lists) > 12
        for path in lists:
            wrong += visited(
                installation, page, [path + ("?customer=boreale" if path.endswith("/add/") else "")]
            )
            first = page.locator("#result_list tbody a[href*='/change/']").first
            if not path.endswith("/add/") and first.count():
                record = (first.get_attribute("href") or "").partition("?")[0]
                wrong += visited(installation, page, [record])
                if page.locator("a.deletelink").count():
                    wrong += visited(installation, page, [record.replace("/change/", "/delete/")])
    assert wrong == []
