"""Greetings that are recorded by phone: a real phone that rings and says a tone, until a caller hears that tone."""

import signal

import pytest
from django.test import Client
from django.urls import reverse

from asterisk.models import Contact, Node, PhoneRecording
from asterisk.tests.engine import manage
from asterisk.tests.mailboxes import listens, mailbox
from forwarding.models import ForwardingRule
from signin.tests.signing import sign_in_fully
from users.road import jobs
from voicemail.models import Greeting, Incoming, Made, Mailbox
from voicemail.tests.sounds import tone

pytestmark = pytest.mark.calls


@pytest.fixture
def own(settings, portal, engine, link, boreale, felix):
    """Félix's own page of greetings, once his phone is known: `own("by_phone")` presses a button there."""
    settings.MEDIA_ROOT = portal.folder / "media"
    # They administer nobody, as most people.
    felix.role_id = "users"
    felix.save(update_fields=["role"])
    browser = Client()
    sign_in_fully(browser, felix)

    def press(page, *keys, of="own_greetings", parts=(), **values):
        engine.wait_until(lambda: Contact.objects.filter(user=felix).exists(), "the phone is known")
        return browser.post(
            reverse(f"{of}_{page}", args=[*parts, *keys]), values, headers={"HX-Request": "true"}
        )

    press.shows = lambda: browser.get(
        reverse("own_greetings_page"), headers={"HX-Request": "true"}
    ).content.decode()
    return press


@pytest.fixture
def says(prompts, engine):
    """Somebody says the tone of their phone for a second after the tone, the `times`-th one."""

    def said(call, times=1):
        prompts.count("beep", times)
        begins = call.heard_for("silence")
        engine.wait_until(lambda: call.heard_for("silence") > begins + 1.2, "a second", 10)

    return said


def converted(engine):
    engine.wait_until(lambda: Incoming.objects.exclude(job=None).exists(), "it has come in", 30)
    jobs.run(Incoming.objects.get().job_id)
    return Greeting.objects.get(made=Made.PHONE)


def failure(engine, state):
    engine.wait_until(lambda: PhoneRecording.objects.filter(state=state).exists(), state)
    engine.wait_until(
        lambda: "pbxgreetings" not in engine.cli("database show pbxgreetings"), "nothing is kept there"
    )
    assert not Greeting.objects.filter(made=Made.PHONE).exists()
    assert list((engine.folders.spool / "recording/out").iterdir()) == []


def test_what_somebody_says_into_their_phone_is_what_callers_hear_whoever_is_killed_meanwhile(
    own, says, phones, prompts, engine, portal, link, boreale, amelie, felix
):
    phone = phones.of(felix, tone=700, answer="ring")
    assert own("by_phone").status_code == 200
    heard = phone.incoming()
    assert (heard.from_number, heard.from_name) == ("*97", "Enregistrer un message d’accueil")
    assert "sonnent" in own.shows()
    # A second press rings nobody twice.
    assert "déjà" in own("by_phone").content.decode()
    link.send_signal(signal.SIGKILL)
    link.wait()
    assert heard.answer()
    prompts.wait("vm-rec-unv")
    heard.dtmf("#")
    says(heard)
    heard.dtmf("#")
    prompts.wait("vm-review")
    heard.dtmf("2")
    prompts.count("vm-review", 2)
    assert heard.hears(700, seconds=0.7)
    heard.dtmf("3")
    prompts.count("vm-rec-unv", 2)
    heard.dtmf("#")
    says(heard, times=2)
    heard.hangup()
    Node.objects.update(held_until=None)
    with portal.running(*manage("pbx_link"), name="second link"):
        greeting = converted(engine)
        there = engine.folders.spool / "recording/out"
        engine.wait_until(
            lambda: not PhoneRecording.objects.exists() and not list(there.iterdir()), "seen to an end"
        )
    assert greeting.name.startswith("Enregistré au téléphone, ")
    assert (greeting.user, phone.rang) == (felix, 1)
    assert 0.8 < greeting.sound.seconds < 3
    mailbox(felix, default_greeting=greeting.pk)
    phone.answers("480")
    call = phones.of(amelie, tone=0).call("102")
    assert call.hears(700, seconds=0.7)


def test_of_a_call_that_comes_to_nothing_nothing_is_kept_and_its_library_says_why(
    own, phones, prompts, engine, boreale, felix
):
    phone = phones.of(felix)
    for answer, state, said in [
        ("busy", "busy", "occupé"), ("decline", "declined", "refusé"), ("480", "no_answer", "Personne"), ("at once", "nothing", "rien"),
    ]:  # fmt: skip
        phone.answers(answer)
        own("by_phone")
        call = phone.incoming()
        if answer == "at once":
            prompts.wait("vm-rec-unv")
            call.hangup()
        failure(engine, state)
        assert said in own.shows()
    own("hang_up", PhoneRecording.objects.get().pk)
    assert not PhoneRecording.objects.exists()

    # Who cancels lets no phone ring any longer.
    phone.answers("ring")
    own("by_phone")
    call = phone.incoming()
    own("hang_up", PhoneRecording.objects.get().pk)
    assert call.ended_within(5)
    engine.wait_until(lambda: not PhoneRecording.objects.exists(), "it is forgotten")

    # Whoever is deleted meanwhile is recorded by nobody.
    phone.answers("at once")
    own("by_phone")
    call = phone.incoming()
    engine.wait_until(lambda: PhoneRecording.objects.filter(state="recording").exists(), "it is answered")
    PhoneRecording.objects.all().delete()  # as it goes with its person
    assert call.ended_within(5)
    engine.wait_until(
        lambda: "pbxgreetings" not in engine.cli("database show pbxgreetings"), "nothing is kept there"
    )
    assert list((engine.folders.spool / "recording/out").iterdir()) == []


def test_what_somebody_records_in_the_menu_of_their_mailbox_is_a_greeting_of_the_portal(
    own, says, phones, prompts, engine, boreale, amelie, felix
):
    mailbox(felix, pin_disabled=True)
    phone = phones.of(felix, tone=700, answer="480")
    call = listens(prompts, phone)
    prompts.wait("vm-youhave")
    call.dtmf("0")
    prompts.wait("vm-options")
    call.dtmf("1")
    says(call)
    call.dtmf("#")
    prompts.wait("vm-review")
    call.dtmf("1")
    prompts.wait("vm-msgsaved")
    call.hangup()
    greeting = converted(engine)
    assert Mailbox.objects.get(user=felix).default_greeting == greeting
    box = engine.folders.spool / f"voicemail/u{felix.pk}/102"
    assert not list(box.glob("*.wav"))

    # One that a node which was killed has left there is heard by no caller, either.
    (box / "temp.wav").write_bytes(tone(2.0, 1200, rate=8000))
    caller = phones.of(amelie, tone=0).call("102")
    prompts.count("beep", 2)
    assert caller.heard_for(700) > 0.7
    assert not caller.heard_for(1200)
    caller.hangup()
    Greeting.objects.filter(made=Made.PHONE).update(made=Made.UPLOAD)
    of_status = converted(engine)
    assert ForwardingRule.objects.get(user=felix, status="available").greeting == of_status
    assert not list(box.glob("*.wav"))
