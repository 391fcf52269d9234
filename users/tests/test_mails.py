"""Every mail in both languages: both parts, the typography of the language, and names that stay text."""

import re
from html import unescape
from pathlib import Path

import pytest
from django.conf import settings
from django.core import mail
from django.test.signals import template_rendered
from django.utils import timezone, translation

from asterisk.models import CallParty, CallRecord, Node, VoiceMessage
from talk.models import Visitor
from users import road
from users.mail import letters
from users.models import Department, Letter, User
from users.people.sections import user_sheet
from users.tests.factories import FACTS, PASSWORD, make_user
from voicemail.models import Mailbox

pytestmark = pytest.mark.slow("every mail in each language")

TEMPLATES = Path(settings.BASE_DIR) / "templates"
TALK, MEET = Visitor.Kind.TALK, Visitor.Kind.MEET
# What each visitor's mail is about: kind, whose link, name, address.
VISITORS = [
    (TALK, "", "Jean Visiteur", "jean@ailleurs.example"),
    (TALK, "", "", ""),
    (TALK, "Soins", "Jean Visiteur", ""),
    (MEET, "", "Jean Visiteur", "jean@ailleurs.example"),
]
# What each mail about a missed call is about: caller, dialled, how it ended.
MISSED = [("+14185550100", "150", "voicemail"), ("", "+15145550100", "given_up")]
# What each mail about a voicemail message is about: caller, what its person wants sent, whether its sound came.
MESSAGES = [
    ("+14185550100", Mailbox.EmailOption.NOTIFY, False),
    ("150", Mailbox.EmailOption.ATTACH, True),
    ("", Mailbox.EmailOption.ATTACH, False),
    ("+14185550100", Mailbox.EmailOption.ATTACH_DELETE, True),
]
LANGUAGES = ["fr-CA", "en"]


@pytest.fixture
def olivier(boreale):
    """Somebody with an address, no password yet, and a second factor to set up."""
    person = make_user(boreale, "150", "Olivier", "Bélanger", email="olivier@boreale.example")
    User.objects.filter(pk=person.pk).update(require_2fa=True)
    return person


def every_mail(person, language, visitors=VISITORS):
    """All that the portal may write to somebody."""
    Department.objects.filter(pk=person.primary_department_id).update(language=language)

    def fresh():
        return User.objects.select_related("customer", "primary_department").get(pk=person.pk)

    old, support = (
        person.email,
        User(is_staff=True, staff_level="technician", role_id="users", email="soutien@tic.example"),
    )
    new = [road.Row(person.pk, {"email": "new@boreale.example"})]
    road.apply(road.plan(support, person.customer, user_sheet(), new), FACTS)
    letters.send_due()
    User.objects.filter(pk=person.pk).update(email=old)
    letters.post_as_asked(Letter.Kind.PASSWORD, fresh())
    letters.post(Letter.Kind.WELCOME, [fresh()])
    letters.send_due()
    letters.post(Letter.Kind.INVITED, [fresh()])
    letters.post(Letter.Kind.FACTOR, [fresh()])
    graded = road.change_of(
        user_sheet(), fresh(), "edit", [{"column": "staff_level", "old": "technician", "new": "manager"}]
    )
    road.record_operation(support, None, "edit", FACTS, "", [graded])
    letters.post_about(Letter.Kind.TEAM, {person.pk: graded.pk})
    letters.send_due()
    owner = road.change_of(
        user_sheet(), fresh(), "edit", [{"column": "role", "old": "users", "new": "system_owners"}]
    )
    handed = road.record_operation(
        support, person.customer, "edit", FACTS, f"ownership {person.full_name} → {person.full_name}", [owner]
    )
    letters.post(Letter.Kind.OWNER, [fresh()], {person.pk: handed.pk})
    letters.send_due()
    with_password = fresh()
    with_password.set_password(PASSWORD)
    with_password.save(update_fields=["password"])
    letters.post(Letter.Kind.WELCOME, [fresh()])
    for number, (kind, place, name, email) in enumerate(visitors):
        visitor = Visitor.objects.create(
            user=person, kind=kind, place=place, name=name, email=email, token_hash=f"{language}{number}"
        )
        letters.post(Letter.Kind.VISITOR, [fresh()], {fresh().pk: visitor.pk})
    for number, (caller, dialled, outcome) in enumerate(MISSED):
        call = CallRecord.objects.create(
            customer=person.customer, unique_id=f"pbx/{language}{number}", at=timezone.now(), ended_at=timezone.now(),
            from_number=caller, dialled=dialled, outcome=outcome,
        )  # fmt: skip
        party = CallParty.objects.create(user=person, call=call, at=call.at)
        letters.post(Letter.Kind.MISSED, [fresh()], {person.pk: party.pk})
    node = Node.objects.get_or_create(name="montreal", defaults={"token_hash": "0" * 64})[0]
    for number, (caller, wanted, came) in enumerate(MESSAGES):
        message = VoiceMessage.objects.create(
            node=node, user=person, number=f"{language}{number}", caller=caller, at=timezone.now(), seconds=75,
            mail=wanted, due=True, sound=b"RIFF" if came else None,
        )  # fmt: skip
        letters.post(Letter.Kind.MESSAGE, [fresh()], {person.pk: message.pk})
    with translation.override("es"):  # whatever the worker speaks otherwise
        letters.send_due()
    assert len(mail.outbox) == 8 + len(visitors) + len(MISSED) + len(MESSAGES)
    return mail.outbox


def html_of(letter) -> str:
    """The HTML part, which is there once."""
    ((text, kind),) = letter.alternatives
    assert kind == "text/html"
    return text


def words(text: str) -> str:
    """What is read: without tags and addresses."""
    return re.sub(r"https?://\S+", "", unescape(re.sub(r"<[^>]*>", " ", text)))


def test_there_is_no_mail_that_the_tests_do_not_read(olivier):
    seen = set()

    def note(template, **_rest):
        seen.add(template.name)

    template_rendered.connect(note)
    try:
        every_mail(olivier, "fr-CA")
    finally:
        template_rendered.disconnect(note)
    there = {str(path.relative_to(TEMPLATES)) for path in TEMPLATES.rglob("mail/*") if path.is_file()}
    assert there == {name for name in seen if name and "/mail/" in name}
    assert {name.rpartition(".")[0] for name in there if name.endswith(".txt")} == {
        name.rpartition(".")[0] for name in there if name.endswith(".html")
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_mail_has_a_text_and_an_html_part_that_say_the_same(olivier, language):
    for letter in every_mail(olivier, language):
        html = html_of(letter)
        assert f'<html lang="{language[:2]}' in html
        # Every word of the text, and every address, is in the HTML too; the words of its links are beside them.
        assert set(words(letter.body).split()) <= set(words(html).split())
        assert set(re.findall(r"https?://\S+", letter.body)) <= set(
            re.findall(r"https?://[^\s\"<]+", unescape(html))
        )
        written = ["multipart/alternative", "text/plain", "text/html"]
        if letter.attachments:
            written = ["multipart/mixed", *written, "audio/wav"]
        assert [part.get_content_type() for part in letter.message().walk()] == written


def test_in_french_every_colon_and_every_quote_has_its_no_break_space(olivier):
    for letter in every_mail(olivier, "fr-CA"):
        assert letter.body.startswith("Bonjour")
        for text in (letter.subject, words(letter.body), words(html_of(letter))):
            assert re.findall(r".{0,30}(?!\d:\d)[^\u00a0][:»]", text) == [], "but within a time"
            assert re.findall(r"«[^\u00a0].{0,30}", text) == []
            assert re.findall(r".{0,30}\s[;?!]", text) == [], "in Québec these have none"
            assert not set(text) & set("'\"“”"), "the typographic ones"


def test_in_english_no_colon_has_a_space_before_it(olivier):
    for letter in every_mail(olivier, "en"):
        assert letter.body.startswith("Hello")
        for text in (letter.subject, words(letter.body), words(html_of(letter))):
            assert re.findall(r".{0,30}\s[:;?!]", text) == []
            assert not set(text) & set("«»")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "name",
    [
        "<script>alert(1)</script>",
        '"><img src=x>',
        "{{ user.password }}",
        "Zoé & Cie",
        "Eve\r\nBcc: eve@evil.example\r\n\r\nX",
    ],
)
def test_names_stay_text_and_out_of_the_headers(boreale, olivier, name, language):
    # Beside the road, which refuses some of them: what is written must be safe whatever is read.
    User.objects.filter(pk=olivier.pk).update(first_name=name)
    type(boreale).objects.filter(pk=boreale.pk).update(name=name)
    visitors = [(TALK, name, name, "a@b.example"), (MEET, "", name, "a@b.example")]
    for letter in every_mail(olivier, language, visitors):
        html = html_of(letter)
        assert "<script" not in html
        assert "<img" not in html
        assert set(re.findall(r"</?(\w+)", html)) <= {
            "html", "head", "meta", "title", "body", "p", "a", "br", "strong",
        }  # fmt: skip
        message = letter.message()
        assert message["To"] == "olivier@boreale.example"
        assert letter.recipients() == ["olivier@boreale.example"]
        assert "Bcc" not in message
        for value in ("Zoé", "script", "Eve", "user.password"):
            assert value not in str(message["Subject"])
        assert "\n" not in letter.subject


def test_every_mail_goes_through_the_box_of_outgoing_mails():
    """Nothing but `users.mail.letters` makes or sends one: what isn't a row is lost with the broker."""
    root = Path(settings.BASE_DIR)
    makers = re.compile(r"django\.core\.mail|smtplib\.SMTP\(|\bsend_mail\(|\bmail_admins\(")
    found = {
        str(path.relative_to(root))
        for app in ("pbxadmin", "users", "signin", "talk", "phones", "forwarding", "voicemail", "support")
        for path in (root / app).rglob("*.py")
        if not {"tests", "settings"} & set(path.parts) and makers.search(path.read_text())
    }
    assert found == {"users/mail/letters.py"}
