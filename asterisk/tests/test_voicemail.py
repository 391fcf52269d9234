"""The tab "Messagerie vocale" by calls: what callers hear, what the person hears who listens, and what the lamp shows."""

from typing import Any

import pytest
from django.apps import apps
from django.core.files.storage import default_storage

from asterisk.tests.mailboxes import listens, mailbox
from asterisk.tests.saving import hours, people, save
from pbxadmin.common.crypto import Reader, plain
from voicemail import audio
from voicemail.greetings import sounds
from voicemail.models import Greeting, Mailbox
from voicemail.standard_greetings import add_greetings
from voicemail.tests.sounds import tone

pytestmark = pytest.mark.calls


# --- What callers hear --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("own", "department", "spoken"), [("", "en", "en"), ("fr-CA", "en", "fr")])
def test_without_a_greeting_asterisk_speaks_the_language_of_the_mailbox_else_of_the_department(
    phones, prompts, boreale, felix, ines, own, department, spoken
):
    hours(boreale, "Accueil", language=department)
    # Whoever calls may speak another language.
    hours(boreale, "Soins", language="en" if spoken == "fr" else "fr-CA")
    mailbox(felix, language=own)
    phones.of(ines).call("102")
    prompts.wait("vm-theperson", "digits/1", "digits/0", "digits/2", "vm-isunavail", "vm-intro")
    assert {language for _name, language in prompts.played} == {spoken}


def recorded(customer: Any, settings: Any, portal: Any, hertz: int) -> Greeting:
    """A greeting of the company that is a tone, in the storage of the portal that runs."""
    settings.MEDIA_ROOT = portal.folder / "media"
    sound = sounds.keep(customer, audio.convert(tone(1.5, hertz), level=False, trim=False))
    return Greeting.objects.create(customer=customer, name=f"Ton {hertz}", sound=sound)


def test_the_greeting_of_the_status_is_heard_and_fetched_once(
    phones, prompts, engine, portal, settings, boreale, amelie, felix
):
    default, of_status = (recorded(boreale, settings, portal, hertz) for hertz in (600, 900))
    mailbox(felix, default_greeting=default.pk)
    caller = phones.of(amelie)
    call = caller.call("102")
    assert call.hears(600, seconds=1.2)
    call.hangup()
    save(felix, available__greeting=of_status.pk)
    for _time in range(2):
        call = caller.call("102")
        assert call.hears(900, seconds=1.2)
        assert not call.heard_for(600)
        call.hangup()
    # A sound never changes: the third call found what the second had fetched.
    name = f"g-{of_status.sound.key}"
    fetched = engine.folders.spool / "greetings" / f"{name}.wav"
    assert fetched.stat().st_size == of_status.sound.size
    assert "vm-intro" not in prompts.names


@pytest.mark.parametrize("language", ["fr-CA", "en"])
def test_a_greeting_of_the_provider_is_heard_in_the_language_of_the_mailbox(
    phones, prompts, engine, boreale, amelie, felix, language
):
    add_greetings(apps, None)
    mailbox(felix, language=language, default_greeting=Greeting.objects.get(standard="vacation").pk)
    phones.of(amelie).call("102")
    prompts.wait(f"{engine.folders.spool}/greetings/s-vacation-{language[:2]}")


def test_where_the_sound_is_lost_asterisk_speaks_by_itself(
    phones, prompts, portal, settings, boreale, amelie, felix
):
    greeting = recorded(boreale, settings, portal, 600)
    default_storage.delete(greeting.sound.path)
    mailbox(felix, default_greeting=greeting.pk)
    phones.of(amelie).call("102")
    prompts.wait("vm-theperson", "vm-intro")


def test_a_mailbox_that_is_off_is_busy(phones, boreale, amelie, felix):
    mailbox(felix, enabled=False)
    call = phones.of(amelie).call("102")
    assert call.ended_within(5)
    assert call.code == 486


def test_who_hangs_up_during_the_greeting_leaves_nothing(
    phones, prompts, inbox, engine, boreale, amelie, felix
):
    call = phones.of(amelie).call("102")
    prompts.wait("vm-theperson")
    call.hangup()
    engine.wait_until(lambda: "0 active channels" in engine.cli("core show channels"), "the call is over")
    assert inbox() == []
    assert engine.errors == []


def test_a_message_that_is_too_short_is_none(phones, prompts, inbox, engine, boreale, amelie, felix):
    call = phones.of(amelie).call("102")
    prompts.wait("vm-theperson")
    call.dtmf("#")
    prompts.wait("beep")
    call.hangup()
    engine.wait_until(lambda: "0 active channels" in engine.cli("core show channels"), "the call is over")
    assert inbox() == []


def test_where_the_node_can_write_nothing_the_call_ends_and_the_next_one_is_well(
    phones, prompts, inbox, engine, leave, boreale, amelie, felix
):
    caller = phones.of(amelie)
    there = engine.folders.spool / f"voicemail/u{felix.pk}"
    there.parent.mkdir(exist_ok=True, parents=True)
    there.write_text("a file where a folder should be, as a full disk has no room for one")
    call = caller.call("102")
    assert call.ended_within(20)
    there.unlink()
    leave(caller)


# --- Who listens ------------------------------------------------------------------------------------------------------------
def test_messages_are_heard_with_the_pin_alone(phones, prompts, leave, boreale, amelie, felix):
    leave(phones.of(amelie), tone=500)
    pin = plain(Mailbox.objects.get(user=felix), Mailbox.pin, Reader.CHECK)
    own = phones.of(felix, tone=0)
    call = listens(prompts, own)
    prompts.wait("vm-password")
    call.dtmf("0000#")
    prompts.wait("vm-incorrect", "vm-password")
    call.dtmf(f"{pin}#")
    prompts.wait("vm-youhave")
    call.dtmf("1")
    assert call.hears(500, seconds=1.5, within=20)
    call.hangup()


def test_three_wrong_pins_end_the_call(phones, prompts, boreale, felix):
    call = phones.of(felix, tone=0).call("*97")
    for number in range(3):
        prompts.count("vm-password", number + 1)
        call.dtmf("0000#")
        prompts.count("vm-incorrect", number + 1)
    assert call.ended_within(5)
    assert "vm-youhave" not in prompts.names


def test_without_a_pin_messages_are_heard_at_once(phones, prompts, boreale, felix):
    mailbox(felix, pin_disabled=True, language="en")
    listens(prompts, phones.of(felix, tone=0))
    prompts.wait("vm-youhave")
    assert "vm-password" not in prompts.names
    assert dict(prompts.played)["vm-youhave"] == "en"


def test_of_a_mailbox_that_is_off_nothing_is_heard(phones, prompts, boreale, felix):
    mailbox(felix, enabled=False)
    call = phones.of(felix, tone=0).call("*97")
    prompts.wait("feature-not-avail-line")
    assert call.ended_within(8)
    assert not call.answered
    assert "vm-youhave" not in prompts.names


@pytest.mark.parametrize(
    ("clock", "says_who", "said", "never"),
    [
        ("no", False, [], ["vm-received", "digits/at"]),
        ("h12", True, ["vm-received", "digits/at"], []),
        ("h24", False, ["vm-received", "digits/at"], ["digits/p-m", "digits/a-m"]),
    ],
)
def test_a_message_begins_with_when_it_came_and_from_whom_as_the_tab_says(
    phones, prompts, leave, boreale, amelie, felix, clock, says_who, said, never
):
    mailbox(felix, pin_disabled=True, play_date_time=clock, play_caller_id=says_who)
    # Nepal's is no zone that is offered; Newfoundland's half an hour tells it from its neighbours.
    hours(boreale, time_zone="America/St_Johns")
    leave(phones.of(amelie), tone=500)
    call = listens(prompts, phones.of(felix, tone=0))
    prompts.wait("vm-youhave")
    before = len(prompts.names)
    call.dtmf("1")
    assert call.hears(500, seconds=1.5, within=25)
    names = prompts.names[before:]
    print(names)
    assert prompts.has(*said)
    assert not set(never) & set(names)
    assert ("vm-from-phonenumber" in names) is says_who


# --- The menu of the mailbox -------------------------------------------------------------------------------------------------
def test_the_pin_is_changed_in_the_portal_alone(phones, prompts, boreale, felix):
    mailbox(felix, pin_disabled=True)
    call = listens(prompts, phones.of(felix, tone=0))
    prompts.wait("vm-youhave")
    call.dtmf("0")
    prompts.wait("vm-options")
    call.dtmf("5")
    prompts.wait("vm-no")
    assert "vm-newpassword" not in prompts.names
    call.hangup()


def test_a_message_is_forwarded_to_a_colleague_and_to_nobody_of_another_customer(
    phones, prompts, engine, leave, boreale, laurier, amelie, felix, ines
):
    [other] = people(laurier, "201")
    mailbox(felix, pin_disabled=True)
    leave(phones.of(amelie), tone=500)
    call = listens(prompts, phones.of(felix, tone=0))
    prompts.wait("vm-youhave")
    call.dtmf("1")
    prompts.wait("vm-message")
    for number, answer in (("201", "pbx-invalid"), ("103", "vm-forwardoptions")):
        asked = prompts.names.count("vm-extension")
        if number == "201":
            call.dtmf("8")
        prompts.count("vm-extension", asked + 1)
        call.dtmf(f"{number}#")
        prompts.wait(answer)
    call.dtmf("2")
    prompts.wait("vm-msgforwarded", within=20)
    call.hangup()
    spool = engine.folders.spool / "voicemail"
    assert [path.name for path in spool.glob(f"u{ines.pk}/103/INBOX/*.wav")] == ["msg0000.wav"]
    assert sorted(path.name for path in spool.iterdir()) == sorted([f"u{felix.pk}", f"u{ines.pk}"])
    assert other.number == "201"
