"""Names and numbers that hurt: they are seen as they are written, and become nothing else."""

import re
from urllib.parse import quote

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from asterisk.models import CallParty, CallRecord
from asterisk.tests.saving import did, people, save, trunk
from signin.tests.signing import sign_in_fully
from users.mail import letters
from users.models import Letter

pytestmark = pytest.mark.calls

DID, CLIENT = "+15145550123", "4185550177"
# First and last name, and what a colleague sees. Asterisk keeps 79 bytes; marks that nobody sees aren't kept by the portal.
NAMES = (
    ("Zoé “🦊”", "O’Neil-Łukasz", "Zoé “🦊” O’Neil-Łukasz"),
    (
        "${EXTEN}a;b|c&d=e%0A",
        "$[1+1],${SYSTEM(touch x)}^~",
        "${EXTEN}a;b|c&d=e%0A $[1+1],${SYSTEM(touch x)}^~",
    ),
    ('Jean "le', 'grand" <911>\\', "Jean le grand 911"),
    ("Æ" * 50, "é" * 50, "Æ" * 39),
    (
        "<script>alert(1)</script>",
        "O'Neil`,a=b:c@d?e#[f]{g}",
        "scriptalert(1)/script O'Neil`,a=b:c@d?e#[f]{g}",
    ),
    ("שלום \u200f(ימין)", "🦊👩‍👧 & <b>", "שלום (ימין) 🦊👩‍👧 & b"),
)
# In a page, in a mail as text and as HTML, on the phone: as it is written, and nothing of it is done.
HURTS = "<script>alert('1')</script>", '${SHELL(x)},|^&"<b>🦊\u200fא'
DIALLED = "<script>|^,${EXTEN}\n'\"🦊"
STRANGERS = ("${SYSTEM(touch x)} a;b|c&d=e,f^g", "🦊 Event: UserEvent%0D%0A")
NUMBERS = ("418;x=1", "${EXTEN}", f"{CLIENT}&102", "9" * 60, "101", "911")


def test_names_and_numbers_come_to_the_phone_as_they_are_written_or_not_at_all(
    phones, engine, boreale, amelie
):
    provider = phones.trunk()
    trunk(provider)
    did(boreale, DID, amelie)
    callers = people(boreale, *(str(120 + at) for at in range(len(NAMES))))
    for person, (first, last, _seen) in zip(callers, NAMES, strict=True):
        save(person, first_name=first, last_name=last)
    one = phones.of(amelie)

    def came(call):
        """The name and the number that she sees."""
        seen = one.incoming()
        assert call.hangup()
        return seen.from_name, seen.from_number

    for person, (_first, _last, name) in zip(callers, NAMES, strict=True):
        assert came(phones.of(person, register=False).call("101")) == (name, person.number)
    for name in STRANGERS:
        assert came(provider.call(DID, CLIENT, name=name)) == (name, "+14185550177")
    # What isn't a number of the public network is none: nobody seems to be a colleague, or the rescuers.
    for number in NUMBERS:
        assert came(provider.call(DID, quote(number))) == ("", ""), number
    assert engine.errors == []


def test_a_name_is_whole_on_the_phone_in_the_latest_calls_and_in_the_mails_and_nothing_of_it_is_done(
    settings, phones, engine, link, leave, boreale, amelie, felix
):
    settings.PUBLIC_URL = "https://portail.example.com"
    [caller] = people(boreale, "130")
    save(caller, first_name=HURTS[0], last_name=HURTS[1])
    save(felix, email="felix@boreale.example", missed_call_email="1", voicemail__email_option="notify")
    save(felix, first_name=HURTS[0], last_name=HURTS[1])
    name = " ".join(HURTS).replace("\u200f", "")
    one, other = phones.of(caller, register=False), phones.of(felix, answer="ring")
    call = one.call("102")
    assert other.incoming().from_name == re.sub(r'["<>]', "", name)
    call.hangup()
    engine.wait_until(lambda: CallRecord.objects.filter(outcome="given_up").exists(), "it is told")
    other.answers("480")
    leave(one)
    odd = one.call(f"sip:{quote(DIALLED, safe='')}@{boreale.fqdn}")
    assert odd.hears("speech", 0.2) or odd.ended
    odd.hangup()
    engine.wait_until(
        lambda: Letter.objects.filter(kind="message", next_at__isnull=False).exists(), "the message is known"
    )
    engine.wait_until(lambda: CallRecord.objects.exclude(ended_at=None).count() == 3, "all are told")
    letters.send_due()
    said = {each.subject: each for each in mail.outbox}
    assert sorted(said) == ["Appel manqué", "Nouveau message vocal"]
    for each in said.values():
        assert name in each.body
        assert escape(name) in each.alternatives[0][0]
        assert HURTS[0] not in each.alternatives[0][0]
        assert not re.search(r"[\r\n]", each.subject)
    for person, pages in ((felix, 2), (caller, 3)):
        browser = sign_in_fully(Client(), person)
        parts = CallParty.objects.filter(user=person)
        assert parts.count() == pages
        addresses = [reverse("own_calls"), *(reverse("own_call", args=[each.call_id]) for each in parts)]
        for address in addresses:
            page = browser.get(address).content.decode()
            assert escape(name) in page
            assert HURTS[0] not in page
            assert DIALLED not in page
    assert engine.errors == []
