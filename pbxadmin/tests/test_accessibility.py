"""Every page to axe's rules, wide in the light and narrow in the dark; none scrolls sideways at any width."""

from collections.abc import Iterable, Sequence

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.template.loader import render_to_string
from django.utils import translation
from playwright.sync_api import Browser, Page, expect

from pbxadmin.tests.installation import Installation, watched

pytestmark = pytest.mark.browser

TABS = ["general", "talk", "forwarding", "schedule", "phone", "blf", "voicemail", "visualiser", "options"]
PAGES = [
    "/c/boreale/",
    "/c/boreale/users/",
    "/c/boreale/users/new",
    *(f"/c/boreale/users/101/{tab}" for tab in TABS),
    "/c/boreale/users/101/history",
    "/c/boreale/users/101/general?created=1",
    "/c/boreale/users/101/replace",
    "/c/boreale/search?q=a",
    "/c/boreale/users/101/delete",
    "/c/boreale/users/101/reset",
    "/c/boreale/users/101/sign-in",
    "/c/boreale/users/101/app",
    "/c/boreale/users/101/keys/labels",
    "/c/boreale/users/101/voicemail/greetings/",
    "/c/boreale/greetings/",
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
    "/c/boreale/files/",
    "/c/boreale/files/export?q=a&department=1",
    "/c/boreale/files/columns?q=forward",
    "/me",
    "/me/jobs",
    "/me/forwarding",
    "/me/voicemail",
    "/me/voicemail/greetings/",
    "/me/app",
    "/me/colleagues",
    "/talk/boreale/accueil",
    "/talk/boreale/filesoins?sent=1",
]


MANY = ["reset", "welcome", "delete", "edit", "move", "numbers", "change-status", "restart", "second-factor"]
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
    "/search?q=roy",
    "/support/users/user/?customer=bor&q=roy",
    "/support/users/user/4/change/?part=forwarding",
    "/support/users/did/add/?customer=nobody",
    "/c/boreale/suspension",
    "/c/boreale/ownership",
    "/support/",
    "/support/many/",
    "/support/team/",
    "/support/team/2/",
    "/support/many/?what=departments",
    "/support/many/?what=customers",
    "/support/users/role/managers/change/",
    "/support/users/",
    "/support/reports/outside/",
    "/support/reports/phones/",
    "/sign-in/again",
    "/me",
    "/me/backup-codes",
]


# From the smallest phone to a large screen, around every width at which the layout changes; 640 × 450 is 1280 × 900 at 200 %.
SIZES = [
    (320, 900), (390, 900), (640, 450), (768, 900), (769, 900), (900, 900), (1024, 900), (1100, 900), (1200, 900), (1440, 900), (1920, 900),
]  # fmt: skip


# The page, or a table that is cut off by what holds it.
WIDER = """async (width) => {
  while (innerWidth !== width) await new Promise(requestAnimationFrame);
  return document.documentElement.scrollWidth > innerWidth
    || [...document.querySelectorAll('.panel > table')].some((table) => table.offsetWidth > table.parentElement.clientWidth + 1);
}"""
# Nothing to paint, and everything has its place; what has the focus stays in sight, or it would lose it.
UNPAINTED = """(unpainted) => {
  document.documentElement.style.visibility = unpainted ? 'hidden' : '';
  if (document.activeElement !== document.body) document.activeElement.style.visibility = unpainted ? 'visible' : '';
}"""


AXE = Axe()
# Without "preload" axe fetches no style sheets by itself, which the content policy would have to report. Nothing but what is broken
# leaves the browser: to hand over what was found in order takes as long as to find it.
RULES = """axe.run({preload: false, resultTypes: ['violations'], reporter: 'no-passes'})
  .then(({violations}) => violations.map(({id, nodes}) => [id, nodes[0].html.slice(0, 200)]))"""
# Contrast is more than half of axe's work: of what has the same colours, size and place in the page, one is enough. Every other rule
# meets every element.
CONTRAST_ONCE = """() => {
  const MATTERS = ['color', 'backgroundColor', 'backgroundImage', 'opacity', 'display', 'visibility', 'position', 'fontSize', 'fontWeight',
    'textShadow'];
  const own = (each) => {
    const style = getComputedStyle(each);
    return [each.tagName, each.className, each.matches(':disabled'), ...MATTERS.map((name) => style[name])].join('|');
  };
  const says = (each) => [...each.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
  const read = (each) => {
    const looks = own(each), children = [...each.children].map(read);
    return {each, looks, children, whole: `${looks}${says(each)}(${children.map((child) => child.whole)})`};
  };
  const seen = new Set();
  const walk = ({each, looks, children, whole}, within) => {
    if (seen.has(within + whole)) [each, ...each.querySelectorAll('*')].forEach((twin) => twin.setAttribute('data-twin', ''));
    else children.forEach((child) => walk(child, `${within}>${looks}`));
    seen.add(within + whole);
  };
  document.querySelectorAll('[data-twin]').forEach((twin) => twin.removeAttribute('data-twin'));
  walk(read(document.body), '');
  axe.configure({rules: [{id: 'color-contrast', selector: '*:not([data-twin])'}]});
}"""
# Every rule of either sort is met once on every page: in the light with everything in sight, in the dark with the narrow layout.
Look = tuple[str, tuple[int, int]]
LOOKS: list[Look] = [("light", (1280, 900)), ("dark", (390, 900))]


def shown_as(page: Page, scheme: str, size: tuple[int, int]) -> None:
    """Change how the page that is open is shown."""
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]


def sideways(page: Page) -> list[int]:
    """The widths at which the page scrolls sideways: it is loaded once, made wider step by step, and laid out without being painted.

    By Chromium's own protocol, which makes no window larger around it; Playwright knows nothing of it, and is to give the page
    another size than it had before.
    """
    chromium = page.context.new_cdp_session(page)
    page.evaluate(UNPAINTED, True)
    too_wide = []
    for width, height in SIZES:
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        chromium.send("Emulation.setDeviceMetricsOverride", size)
        if page.evaluate(WIDER, width):
            too_wide.append(width)
    page.evaluate(UNPAINTED, False)
    chromium.detach()
    return too_wide


def wrong_with(page: Page, name: str) -> list[tuple[str, ...]]:
    """What axe finds on the page as it is, in either look, and whether it scrolls sideways. Leaves it wide and in the light."""
    wrong = wrong_in(page, name, LOOKS)
    shown_as(page, *LOOKS[0])
    return wrong


def wrong_in(page: Page, name: str, looks: Sequence[Look]) -> list[tuple[str, ...]]:
    """As `wrong_with`, in this order of looks. Leaves it in the last."""
    give_axe(page)
    wrong = broken(page, name, looks[0])
    if found := sideways(page):
        wrong.append((name, f"scrolls sideways at {found}"))
    return wrong + broken(page, name, looks[1])


def give_axe(page: Page) -> None:
    """Let the page have axe, and each that it opens from now on: half a megabyte that is handed to Chromium once."""
    if not page.evaluate("() => 'axe' in window"):
        page.add_init_script(AXE.axe_script)
        page.evaluate(AXE.axe_script)


def broken(page: Page, name: str, look: Look) -> list[tuple[str, ...]]:
    """Which of axe's rules the page breaks in this look."""
    shown_as(page, *look)
    page.evaluate(CONTRAST_ONCE)
    return [(name, look[0], rule, html) for rule, html in page.evaluate(RULES)]


def visited(installation: Installation, page: Page, paths: Iterable[str]) -> list[tuple[str, ...]]:
    """What is wrong with each of these pages, none of which is refused. Leaves the last one wide and in the light."""
    wrong = []
    for turn, path in enumerate(paths):
        answer = page.goto(installation.url + path)
        if answer is None or answer.status != 200:
            wrong.append((path, str(answer and answer.status)))
        # Each begins in the look in which the one before ended.
        wrong += wrong_in(page, path, LOOKS[::-1] if turn % 2 else LOOKS)
    shown_as(page, *LOOKS[0])
    return wrong


@pytest.mark.parametrize("part", range(2))
def test_no_page_has_an_accessibility_violation_or_scrolls_sideways(
    installation: Installation, page: Page, part: int
) -> None:
    installation.sign_in(page, "102@")
    assert visited(installation, page, PAGES[part::2]) == []


def test_nothing_that_comes_by_a_click_has_an_accessibility_violation_or_scrolls_sideways(
    installation: Installation, page: Page
) -> None:
    installation.sign_in(page, "102@")
    wrong = []
    page.goto(f"{installation.url}/c/boreale/users/104/replace")
    page.fill("[name=first_name]", "Zoé")
    page.locator("[name=preview]").click()
    expect(page.locator("#preview")).to_be_visible()
    wrong += wrong_with(page, "what a replacement would do")
    page.keyboard.press("Control+k")
    page.keyboard.type("roy")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#search-list")).to_be_visible()
    wrong += wrong_with(page, "the list below the search")
    for action in MANY:
        page.goto(f"{installation.url}/c/boreale/users/")
        for place in range(2):
            page.locator("[data-select-row]").nth(place).check()
        if action == MANY[0]:
            wrong += wrong_with(page, "chosen")
            page.locator('[formaction$="/chosen/look"]').click()
            page.wait_for_url("**/chosen/look")
            wrong += wrong_with(page, "who is chosen")
            page.goto(f"{installation.url}/c/boreale/users/")
            page.locator("#columns-menu summary").click()
            wrong += wrong_with(page, "the columns to choose")
            page.keyboard.press("Escape")
        button = page.locator(f'[formaction$="/chosen/{action}"]')
        if not button.is_visible():  # done less often: in the menu
            page.locator("[data-select-bar] summary").click()
        if action == MANY[-1]:
            wrong += wrong_with(page, "the menu of what is done less often")
        button.click()
        page.wait_for_url(f"**/chosen/{action}")
        wrong += wrong_with(page, f"chosen/{action}")
    page.goto(f"{installation.url}/c/boreale/history")
    page.locator('a[href*="/undo"]').first.click()
    page.wait_for_url("**/undo?**")
    wrong += wrong_with(page, "undo")
    assert wrong == []


def test_no_page_outside_the_portal_has_an_accessibility_violation_or_scrolls_sideways(
    installation: Installation, browser: Browser
) -> None:
    with watched(browser) as page:
        installation.sign_in(page, "102@")
        page.goto(f"{installation.url}/c/boreale/users/104/talk")
        if not page.is_checked("input[name=talk_enabled]"):
            page.check("input[name=talk_enabled]")
            page.fill("input[name=talk_name]", "olivier")
            page.get_by_role("button", name="Enregistrer", exact=True).click()
            page.wait_for_url("**saved=1")
    with watched(browser, refused=True) as page:
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
        installation.type_in(page, "201@")
        wrong += visited(installation, page, ["/me/second-factor"])
        page.fill("input[name=password]", installation.account("201@")["password"])
        page.locator("main .btn-primary").click()
        page.wait_for_url("**/sign-in/app")
        wrong += wrong_with(page, "/sign-in/app")
    installation.support_session(browser)  # an app is set up: from now on a code is asked for
    with watched(browser, refused=True) as page:
        installation.type_in(page, "soutien")
        assert "/sign-in/code" in page.url
        wrong += wrong_with(page, "/sign-in/code")
        page.goto(f"{installation.url}/sign-in/code?backup=1")
        wrong += wrong_with(page, "/sign-in/code?backup=1")
    with watched(browser, refused=True) as page:
        installation.sign_in(page, "104@")
        page.goto(f"{installation.url}/c/boreale/users/")
        expect(page.get_by_text("Erreur 403")).to_be_visible()
        wrong += wrong_with(page, "403")
        wrong += visited(installation, page, ["/me", "/me/password", "/me/visitors"])
    assert wrong == []


@pytest.mark.parametrize("part", range(2))
def test_no_page_of_support_has_an_accessibility_violation_or_scrolls_sideways(
    installation: Installation, browser: Browser, part: int
) -> None:
    with watched(browser, storage_state=installation.support_session(browser)) as page:
        wrong = visited(installation, page, DESK[part::2])
        page.goto(f"{installation.url}/support/")
        links = page.locator("#content-main :is(th[scope=row] a, a.addlink)")
        lists = links.evaluate_all("links => links.map((link) => link.getAttribute('href'))")
        assert len(lists) > 12
        for path in lists[part::2]:
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
