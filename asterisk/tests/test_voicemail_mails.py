"""Lamp, count and mails of messages: real calls, a real Asterisk, real workers of the link."""

import signal
import wave
from io import BytesIO
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from django.utils import timezone
from django.utils.formats import date_format

from asterisk.models import Errand, Node, VoiceMessage
from asterisk.tests.engine import manage
from asterisk.tests.linked import suspend
from asterisk.tests.mailboxes import listens, mailbox
from asterisk.tests.prompts import Prompts
from asterisk.tests.saving import hours, people, save
from phones.tests.factories import provider
from users import road
from users.mail import letters
from users.models import Letter
from users.people.sections import user_sheet
from users.tests.factories import FACTS
from voicemail.models import Mailbox

pytestmark = pytest.mark.calls


@pytest.fixture
def posted(engine):
    """The mails about messages that go out, once so many are due."""

    def sent(count=1):
        due = Letter.objects.filter(kind="message", next_at__isnull=False)
        engine.wait_until(lambda: due.count() >= count, f"{count} letters")
        before = len(mail.outbox)
        letters.send_due()
        return [each for each in mail.outbox[before:] if each.subject == "Nouveau message vocal"]

    return sent


def unread(person):
    return Mailbox.objects.get(user=person).unread


def test_the_lamp_and_the_count_follow_the_messages(
    phones, prompts, engine, link, leave, boreale, amelie, felix
):
    mailbox(felix, pin_disabled=True, email_option="none")
    own, caller = phones.of(felix, tone=0, answer="480"), phones.of(amelie)
    leave(caller)
    assert own.messages_become(1, 0)
    engine.wait_until(lambda: unread(felix) == 1, "the count is told")
    engine.stop()
    engine.start()
    assert own.register() == 200
    engine.wait_until(lambda: len(own.summaries) > 2, "the lamp is told again")
    assert own.messages() == (1, 0)
    said = Prompts(engine)
    call = listens(said, own)
    said.count("vm-youhave", 1)
    call.dtmf("1")
    said.count("vm-message", 1)
    call.dtmf("7")
    said.count("vm-deleted", 1)
    call.hangup()
    assert own.messages_become(0, 0)
    engine.wait_until(lambda: unread(felix) == 0, "the count is told")
    assert not Letter.objects.filter(kind="message").exists()


def test_a_mail_says_who_called_when_and_how_long(
    settings, link, phones, posted, leave, boreale, amelie, felix
):
    settings.PUBLIC_URL = "https://portail.example.com"
    hours(boreale, time_zone="America/Regina")
    mailbox(felix, email_option="notify")
    save(felix, email="felix@boreale.example")
    leave(phones.of(amelie))
    [sent] = posted()
    assert (sent.subject, sent.to) == ("Nouveau message vocal", ["felix@boreale.example"])
    message = VoiceMessage.objects.get()
    for text in (sent.body, sent.alternatives[0][0]):
        assert "Amélie Tremblay (101)" in text
        assert "0:02" in text
        assert "https://portail.example.com/me/voicemail" in text
        assert "*97" in text
    assert not sent.attachments
    there = timezone.localtime(message.at, ZoneInfo("America/Regina"))
    assert date_format(there, "DATETIME_FORMAT") in sent.body
    assert not message.due


@pytest.mark.parametrize("option", ["attach", "attach_delete"])
def test_a_mail_has_the_message_where_that_is_asked_and_the_node_deletes_it_where_that_is(
    link, phones, engine, posted, inbox, leave, boreale, amelie, felix, option
):
    mailbox(felix, email_option=option)
    save(felix, email="felix@boreale.example")
    own = phones.of(felix, answer="480")
    leave(phones.of(amelie), tone=500)
    [sent] = posted()
    [(name, content, kind)] = sent.attachments
    assert (name.startswith("message-"), name.endswith(".wav"), kind) == (True, True, "audio/wav")
    with wave.open(BytesIO(content)) as sound:
        assert 1.5 < sound.getnframes() / sound.getframerate() < 3
    assert VoiceMessage.objects.get().sound is None
    if option == "attach":
        assert not Errand.objects.filter(kind="remove").exists()
        assert inbox() == ["msg0000.wav"]
    else:
        assert "supprimé" in sent.body
        engine.wait_until(lambda: inbox() == [], "the node has deleted it")
        assert own.messages_become(0, 0)
    assert list((engine.folders.spool / "recording/out").iterdir()) == []


def test_one_mail_goes_out_whoever_is_killed_between_the_message_and_it(
    portal, phones, engine, posted, leave, prompts, boreale, amelie, felix
):
    mailbox(felix, email_option="attach", pin_disabled=True)
    save(felix, email="felix@boreale.example")
    caller = phones.of(amelie)
    leave(caller)
    with portal.running(*manage("pbx_link"), name="link") as process:
        engine.wait_until(lambda: VoiceMessage.objects.exists(), "the first is found again", 20)
        process.send_signal(signal.SIGKILL)
        process.wait()
    leave(caller)
    Node.objects.update(held_until=None)
    with (
        portal.running(*manage("pbx_link"), name="link"),
        portal.running(*manage("pbx_link"), name="another"),
    ):
        assert len(posted(2)) == 2
        engine.wait_until(lambda: not Errand.objects.exists(), "all is done")
        leave(caller)
        assert len(posted(1)) == 1
    assert VoiceMessage.objects.count() == Letter.objects.filter(kind="message").count() == 3


def test_who_has_no_address_gets_no_mail(link, phones, engine, leave, boreale, amelie, felix):
    mailbox(felix, email_option="attach_delete")
    save(felix, email="")
    leave(phones.of(amelie))
    engine.wait_until(lambda: VoiceMessage.objects.filter(due=False).exists(), "it is known")
    assert not Letter.objects.filter(kind="message").exists()


def test_whoever_gets_the_extension_finds_nothing_of_whoever_had_it_before(
    link, phones, prompts, engine, leave, boreale, amelie
):
    [former] = people(boreale, "104")
    there = engine.folders.spool / f"voicemail/u{former.pk}"
    leave(phones.of(amelie), "104", into=lambda: list(there.glob("104/INBOX/*.wav")))
    engine.wait_until(lambda: unread(former) == 1, "the count is told")
    # The node isn't told yet.
    suspend(link)
    road.remove(road.plan_removal(provider(), boreale, user_sheet(), [former.pk]), FACTS)
    [other] = people(boreale, "104")
    mailbox(other, pin_disabled=True)
    own = phones.of(other, tone=0)
    call = listens(prompts, own)
    prompts.wait("vm-youhave", "vm-no")
    call.hangup()
    assert there.exists()
    link.send_signal(signal.SIGCONT)
    engine.wait_until(lambda: not there.exists(), "the messages go with their person")
    engine.wait_until(lambda: not Errand.objects.exists(), "the line is forgotten")
    # A device that registers for the first time, as that of somebody new does.
    assert (own.unregister(), own.register()) == (200, 200)
    assert own.messages_become(0, 0)
