"""The pages about calls to axe's rules, in both languages: while nodes can be heard, and while one can't."""

from collections.abc import Callable, Iterable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from pbxadmin.tests.installation import Installation, watched
from pbxadmin.tests.test_accessibility import LOOKS, broken, give_axe, shown_as, sideways, visited

pytestmark = pytest.mark.browser

# A call that would go another way now, a device, a SIP trunk that doesn't answer, a free number, and two nodes of which one is away.
MADE = """
from datetime import timedelta
from django.utils import timezone
from asterisk.models import *
from asterisk.tests.told import a_call
from users.models import Customer, Did, User
now, company = timezone.now(), Customer.objects.get(slug="boreale")
amelie, felix = (User.objects.get(customer=company, number=number) for number in ("101", "102"))
Node.objects.all().delete()
Trunk.objects.filter(customer=company).delete()
node, other = (
    Node.objects.create(name=name, token_hash=name.ljust(64, "0"), host="10.0.0.5", node_password="x", connected_at=now, heard_at=now + timedelta(days=1))
    for name in ("montreal", "quebec")
)
trunk = Trunk.objects.create(name="Fournisseur de Boréale", host="sip.example.com", networks="192.0.2.0/24", customer=company, username="u", registers=True)
TrunkState.objects.create(node=node, trunk=trunk, answers=False, detail="Unreachable", at=now)
for person in (amelie, felix):
    Contact.objects.create(
        node=node, user=person, uri=f"sip:{person.number}@192.0.2.7", address="192.0.2.7:5060", user_agent="Linphone/5.2", since=now
    )
before = amelie.status
User.objects.filter(pk=amelie.pk).update(status="do_not_disturb")
for at, (caller, taken) in enumerate((("102", "no_answer."), ("+14185550100", "answered."), ("", "given_up."))):
    a_call(company, f"1.{at}", caller, "101", taken, at=now - timedelta(minutes=at), seconds=75)
User.objects.filter(pk=amelie.pk).update(status=before)
"""
AWAY = """
from datetime import timedelta
from django.utils import timezone
from asterisk.models import *
Node.objects.filter(name="quebec").update(connected_at=None, heard_at=timezone.now() - timedelta(hours=2), trouble="refused")
"""
BACK = """
from asterisk.models import *
Node.objects.all().delete()
Trunk.objects.filter(customer__slug="boreale").delete()
CallRecord.objects.filter(unique_id__startswith="montreal/").delete()
"""
CALLS = "/c/boreale/users/101/calls"
HEARD = ["/c/boreale/users/101/phone", "/c/boreale/greetings/", "/me/voicemail/greetings/", CALLS]
AWAY_FROM = ["/c/boreale/phones", "/c/boreale/settings/contract", "/c/boreale/"]
DESK = ["/support/asterisk/node/", "/support/asterisk/trunk/"]


def looked_at(installation: Installation, page: Page, paths: Iterable[str]) -> list[tuple[str, ...]]:
    """As `visited`, in the light alone: in the second language it is the words that are others."""
    wrong: list[tuple[str, ...]] = []
    for path in paths:
        page.goto(installation.url + path)
        give_axe(page)
        wrong += broken(page, path, LOOKS[0])
        wrong += [(path, f"scrolls sideways at {width}") for width in sideways(page)]
        for look in LOOKS[::-1]:
            shown_as(page, *look)
    return wrong


LANGUAGES = {"fr": ("fr-CA", visited), "en": ("en-CA", looked_at)}


@pytest.fixture
def calls(installation: Installation) -> Iterator[Callable[[str], None]]:
    """Runs one of these scripts; at the end everything is as it was."""
    yield installation.tell
    installation.tell(BACK)


def first_of(page: Page) -> str:
    """The first that the list leads to that is open."""
    return (page.locator("main tbody a").first.get_attribute("href") or "").partition("?")[0]


def test_the_pages_about_calls_have_no_accessibility_violation_in_either_language(
    installation: Installation, browser: Browser, calls: Callable[[str], None]
) -> None:
    calls(MADE)
    session = installation.support_session(browser)
    wrong, owners = [], {}
    for language, (locale, walk) in LANGUAGES.items():
        with watched(browser, locale=locale) as page:
            installation.sign_in(page, "102@")
            wrong += walk(installation, page, HEARD)
            wrong += walk(installation, page, [first_of(page)])
            assert (page.locator("html").get_attribute("lang") or "").startswith(language)
            expect(page.locator(".differs-mark").first).to_be_visible()
            owners[language] = page.context.storage_state()
        with watched(browser, locale=locale, storage_state=session) as page:
            for path in DESK:
                wrong += walk(installation, page, [path])
                record = first_of(page)
                wrong += walk(installation, page, [record, record.replace("/change/", "/delete/")])
            assert (page.locator("html").get_attribute("lang") or "").startswith(language)
    calls(AWAY)
    for language, (locale, walk) in LANGUAGES.items():
        with watched(browser, locale=locale, storage_state=owners[language]) as page:
            wrong += walk(installation, page, AWAY_FROM)
            expect(page.locator("#phone-system")).to_be_visible()
    assert wrong == []
