"""Messages that nodes tell of, and their mails: once each, with what was asked for, whatever the node says twice or never."""

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from asterisk.ami.protocol import Message
from asterisk.asked import mailboxes
from asterisk.mailboxes import arriving, names
from asterisk.mailboxes.names import Box
from asterisk.models import Errand, Node, VoiceMessage
from asterisk.tests.linked import a_node
from asterisk.tests.saving import people
from phones.tests.factories import provider
from users import road
from users.mail import letters
from users.models import Department, Letter, User
from users.people.sections import user_sheet
from users.tests.factories import FACTS
from voicemail.models import Mailbox

pytestmark = pytest.mark.both_databases("messages that are known once, and letters")
FIRST, SECOND = "1795840220-00000000", "1795840260-00000001"


@pytest.fixture
def node(boreale, felix):
    User.objects.filter(pk=felix.pk).update(email="felix@boreale.example")
    return a_node(5038)


def told(number=FIRST, folder="INBOX", caller='"Amélie Tremblay" <101>', seconds="12"):
    pairs = [("ID", number), ("Folder", folder), ("CallerID", caller), ("Duration", seconds)]
    return Message([("Event", "VoicemailBoxDetail"), *pairs])


def wants(person, option):
    Mailbox.objects.filter(user=person).update(email_option=option)


def sent():
    before = len(mail.outbox)
    letters.send_due()
    return mail.outbox[before:]


def test_a_message_is_mailed_once_however_often_it_is_told(node, felix):
    for _time in range(3):
        arriving.write(node.pk, Box("102", felix.pk), [told()])
    assert len(sent()) == 1
    arriving.write(node.pk, Box("102", felix.pk), [told(folder="Old"), told(SECOND)])
    arriving.write(node.pk, Box("102", felix.pk), [told(), told(SECOND)])
    assert len(sent()) == 1
    assert VoiceMessage.objects.count() == 2


@pytest.mark.parametrize(
    ("caller", "said"),
    [
        ('"Amélie Tremblay" <101>', "Amélie Tremblay (101)"),
        ('"Olivier" <+14185550100>', "418 555-0100"),
        ("<+33142685300>", "+33 1 42 68 53 00"),
        ("unknown", "numéro inconnu"),
        ('"<b>Reg</b>" <>', "numéro inconnu"),
    ],
)
def test_the_mail_says_who_called_as_people_write_it(node, felix, amelie, caller, said):
    arriving.write(node.pk, Box("102", felix.pk), [told(caller=caller)])
    [letter] = sent()
    assert f"Appelant\N{NO-BREAK SPACE}: {said}\n" in letter.body
    assert (letter.subject, "<b>Reg" in letter.alternatives[0][0]) == ("Nouveau message vocal", False)


def test_the_mail_is_in_the_language_and_the_time_zone_of_its_person(node, felix, boreale):
    Department.objects.of(boreale).update(language="en", time_zone="America/Regina")
    arriving.write(node.pk, Box("102", felix.pk), [told("1795840220-00000003")])
    [letter] = sent()
    assert letter.subject == "New voicemail message"
    assert "Nov. 27, 2026, 10:30 p.m." in letter.body
    assert "Duration: 0:12" in letter.body


@pytest.mark.parametrize(("option", "errands"), [("attach", 0), ("attach_delete", 1)])
def test_the_sound_is_waited_for_and_then_let_go(node, felix, option, errands):
    wants(felix, option)
    arriving.write(node.pk, Box("102", felix.pk), [told()])
    assert sent() == []
    [wanted] = arriving.wanted(node.pk)
    assert wanted[1:] == (f"u{felix.pk}/102", FIRST)
    arriving.brought(wanted.key, b"RIFF")
    arriving.brought(wanted.key, b"RIFF")
    [letter] = sent()
    assert [each[1] for each in letter.attachments] == [b"RIFF"]
    assert VoiceMessage.objects.get().sound is None
    assert (
        list(Errand.objects.values_list("kind", "subject"))
        == [("remove", f"102@u{felix.pk}/{FIRST}")] * errands
    )


@pytest.mark.parametrize("reason", ["too large", "an hour without it"])
def test_without_its_sound_the_mail_says_so_and_the_message_stays(node, felix, reason):
    wants(felix, "attach_delete")
    arriving.write(node.pk, Box("102", felix.pk), [told(seconds="599")])
    [wanted] = arriving.wanted(node.pk)
    if reason == "too large":
        arriving.brought(wanted.key, b"x" * (arriving.MOST_ATTACHED + 1))
    else:
        arriving.not_brought(wanted.key)
        assert sent() == []
        VoiceMessage.objects.update(created_at=timezone.now() - timedelta(hours=2))
        arriving.not_brought(wanted.key)
    [letter] = sent()
    assert "n’a pas pu être joint" in letter.body
    assert not letter.attachments
    assert not Errand.objects.exists()


def test_what_was_deleted_before_its_sound_was_fetched_is_not_mailed(node, felix):
    wants(felix, "attach")
    arriving.write(node.pk, Box("102", felix.pk), [told(), told(SECOND)])
    arriving.write(node.pk, Box("102", felix.pk), [told(SECOND)])
    [wanted] = arriving.wanted(node.pk)
    assert wanted.number == SECOND
    arriving.brought(wanted.key, None)
    assert sent() == []
    assert not VoiceMessage.objects.exists()


@pytest.mark.parametrize("option", ["none", "notify"])
def test_nothing_is_mailed_to_whoever_wants_or_can_have_none(node, felix, option):
    wants(felix, option)
    if option == "notify":
        User.objects.filter(pk=felix.pk).update(email="")
    arriving.write(node.pk, Box("102", felix.pk), [told()])
    User.objects.filter(pk=felix.pk).update(email="felix@boreale.example")
    wants(felix, "notify")
    arriving.write(node.pk, Box("102", felix.pk), [told()])
    assert sent() == []


def test_whoever_is_gone_before_the_mail_gets_none(node, felix):
    arriving.write(node.pk, Box("102", felix.pk), [told()])
    VoiceMessage.objects.all().delete()
    assert sent() == []
    assert not Letter.objects.filter(next_at__isnull=False).exists()


def test_a_node_tells_of_its_own_customers_alone(node, felix, boreale, laurier):
    Node.objects.get(pk=node.pk).customers.add(laurier)
    arriving.write(node.pk, Box("102", felix.pk), [told()])
    assert not VoiceMessage.objects.exists()


@pytest.mark.parametrize("number", ["", "nope", "1795840220-0000000g", "99999999999999-00000000", "1-0"])
def test_what_is_no_message_is_none(node, felix, number):
    arriving.write(node.pk, Box("102", felix.pk), [told(number)])
    assert not VoiceMessage.objects.exists()


def test_a_mailbox_waits_once_to_be_looked_into(node, felix):
    for _time in range(2):
        arriving.look(node.pk, ["102@u1", "103@u2"])
    assert Errand.objects.count() == 2


def test_no_sound_is_kept_for_a_mail_that_never_went_out(node, felix):
    wants(felix, "attach")
    arriving.write(node.pk, Box("102", felix.pk), [told()])
    arriving.brought(VoiceMessage.objects.get().pk, b"RIFF")
    VoiceMessage.objects.update(created_at=timezone.now() - timedelta(days=8))
    arriving.forget_old()
    assert VoiceMessage.objects.get().sound is None
    assert sent() == []


# --- Whose mailbox it is ------------------------------------------------------------------------------------------------------
def test_messages_go_with_their_person(node, ines):
    Mailbox.objects.filter(user=ines).update(unread=3)
    removal = road.plan_removal(provider(), ines.customer, user_sheet(), [ines.pk])
    assert "3 messages vocaux non écoutés." in removal.lost_with(ines.pk)
    road.remove(removal, FACTS)
    assert [(each.kind, each.subject) for each in Errand.objects.filter(kind="empty")] == [
        ("empty", f"103@u{ines.pk}")
    ]


@pytest.mark.parametrize(
    "text", ["", "102", "102@boreale", "102@u0", "102@u17 ", "1@u17", "102@u17/../x", "102@u-1"]
)
def test_what_is_no_mailbox_is_none(text):
    assert names.parse(text) is None


def test_a_mailbox_is_known_to_its_person_and_to_whoever_forwards_to_it(node, boreale, laurier, felix, ines):
    [stranger] = people(laurier, "201")
    asking = Node.objects.get(pk=node.pk)
    own, forwarded = (mailboxes.row(number, f"u{felix.pk}", asking) for number in ("102", "103"))
    assert (own["context"], forwarded["context"]) == (f"u{felix.pk}", f"u{ines.pk}")
    assert mailboxes.row("201", f"u{felix.pk}", asking) is None
    assert mailboxes.row("102", f"u{stranger.pk}", asking) is None
    assert mailboxes.row("102", "boreale", asking) is None
