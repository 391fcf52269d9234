"""The mail about a missed call: to whom, what it says, and once."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from asterisk.calls import keeping, planned
from asterisk.models import CallParty, CallRecord
from asterisk.tests.test_ended import rule
from asterisk.tests.told import a_call, a_node, ended, noted, tell
from signin.tests.signing import sign_in_fully
from users.mail import letters
from users.models import Department, Letter, SystemExtension, User

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _addresses(known, boreale, amelie, felix, ines):
    a_node()
    for person in (amelie, felix, ines):
        User.objects.filter(pk=person.pk).update(email=f"{person.number}@boreale.example")


def sent():
    letters.send_due()
    return mail.outbox


def told_people():
    return sorted(letter.to[0][:3] for letter in sent())


def test_a_missed_call_is_told_in_the_language_and_the_time_of_its_person(boreale, felix):
    Department.objects.filter(pk=felix.primary_department_id).update(
        language="fr-CA", time_zone="America/Vancouver"
    )
    at = timezone.now().replace(hour=20, minute=5)
    a_call(boreale, "1.1", "+14185550100", "102", "no_answer.", at=at)
    (letter,) = sent()
    hour = at.astimezone(ZoneInfo("America/Vancouver")).hour
    assert letter.to == ["102@boreale.example"]
    assert letter.subject == "Appel manqué"
    assert "418 555-0100" in letter.body
    assert f"{hour}\u00a0h\u00a005" in letter.body
    assert "L’appel est ensuite allé à la messagerie vocale." in letter.body
    key = CallRecord.objects.get().pk
    assert f"/me/calls/{key}" in letter.body
    assert sign_in_fully(Client(), felix).get(f"/me/calls/{key}").status_code == 200


@pytest.mark.parametrize(
    ("origin", "words", "said"),
    [
        ("101", "given_up.", ["Amélie Tremblay (101)", "The caller hung up."]),
        ("", "no_answer.", ["Withheld number", "then went to voicemail"]),
        ("+33123456789", "no_answer.", ["+33 1 23 45 67 89"]),
    ],
)
def test_the_mail_says_who_called_and_what_happened_then(boreale, felix, origin, words, said):
    Department.objects.update(language="en")
    a_call(boreale, "1.1", origin, "102", words)
    (letter,) = sent()
    assert [text for text in said if text not in letter.body] == []


@pytest.mark.parametrize(
    ("hidden", "words", "said"),
    [
        (False, "no_answer.answered.", "514 555-0199 then answered the call."),
        (True, "no_answer.answered.", "The call was then answered elsewhere."),
    ],
)
def test_the_mail_says_who_took_the_call_to_whom_ones_own_rule_sent_it(boreale, felix, hidden, words, said):
    Department.objects.update(language="en")
    User.objects.filter(pk=felix.pk).update(hide_forwarding=hidden, role="users")
    rule(felix, no_answer_internal="external:+15145550199")
    a_call(boreale, "1.1", "101", "102", words)
    (letter,) = sent()
    assert said in letter.body


@pytest.mark.parametrize("words", ["answered.", "declined.", "busy.", "not_registered.", "full."])
def test_a_call_that_was_not_missed_is_told_to_nobody(boreale, words):
    a_call(boreale, "1.1", "101", "102", words)
    assert sent() == []


@pytest.mark.parametrize("without", [{"missed_call_email": False}, {"email": ""}, {"disabled": True}])
def test_who_wants_no_mail_or_has_none_gets_none(boreale, felix, without):
    call = noted(boreale, "1.1", "101", "102")
    User.objects.filter(pk=felix.pk).update(**without)
    planned.write([call])
    tell(ended(boreale, "1.1", "no_answer."))
    assert sent() == []
    assert CallParty.objects.get(user=felix).missed


def test_each_of_a_group_is_told_where_nobody_answered(boreale, felix, ines):
    group = SystemExtension.objects.create(customer=boreale, number="800", name="Accueil", kind="ring_group")
    group.members.set([felix, ines])
    a_call(boreale, "1.1", "101", "800", "answered.", rang="102&103&")
    assert told_people() == []
    a_call(boreale, "1.2", "101", "800", "no_answer.", rang="102&103&")
    assert told_people() == ["102", "103"]
    assert "Accueil" in mail.outbox[0].body


def test_of_two_whom_it_rang_one_after_the_other_each_is_told(boreale, felix, ines):
    rule(felix, no_answer_internal="extension:103")
    a_call(boreale, "1.1", "101", "102", "no_answer.given_up.")
    assert told_people() == ["102", "103"]


def test_nobody_is_told_twice_of_one_call(boreale, felix):
    call = noted(boreale, "1.1", "101", "102")
    tell(ended(boreale, "1.1", "no_answer.", **{"from": "101", "to": "102"}))
    assert sent() == []
    planned.write([call])
    tell(ended(boreale, "1.1", "no_answer."))
    planned.write([call])
    assert told_people() == ["102"]


def test_several_missed_calls_of_one_moment_are_told_each(boreale, felix):
    planned.write([noted(boreale, f"1.{number}", "101", "102") for number in range(3)])
    tell(*(ended(boreale, f"1.{number}", "no_answer.") for number in range(3)))
    assert told_people() == ["102"] * 3


def test_a_call_of_which_a_node_tells_hours_later_is_on_the_page_alone(boreale, felix):
    ago = timezone.now() - timedelta(hours=2)
    planned.write([noted(boreale, "1.1", "101", "102", at=ago)])
    tell(ended(boreale, "1.1", "no_answer.", at=int(ago.timestamp())))
    assert CallParty.objects.get(user=felix).missed
    assert sent() == []


def test_what_strangers_say_of_themselves_stays_text_and_out_of_the_headers(boreale, felix):
    User.objects.filter(number="101").update(first_name="<b>Amélie</b>")
    a_call(boreale, "1.1", "101", "102", "no_answer.")
    (letter,) = sent()
    assert "<b>Amélie" not in letter.alternatives[0][0]
    assert "Amélie" not in letter.subject


def test_with_a_call_the_letter_about_it_is_erased(boreale, felix):
    a_call(boreale, "1.1", "101", "102", "no_answer.")
    CallRecord.objects.update(at=timezone.now() - timedelta(days=31))
    keeping.forget()
    assert not Letter.objects.exists()
