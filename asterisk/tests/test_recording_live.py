"""Greetings that are recorded by phone: a real phone that rings and says a tone, until a caller hears that tone."""

import signal

import pytest
from django.test import Client
from django.urls import reverse

from asterisk.models import Contact, Node, PhoneRecording
from asterisk.tests.engine import manage
from asterisk.tests.mailboxes import mailbox
from signin.tests.signing import sign_in_fully
from users.road import jobs
from voicemail.models import Greeting, Incoming, Made

pytestmark = pytest.mark.calls


@pytest.fixture
def own(settings, portal, engine, link, boreale, felix):
    """Félix's own page of greetings, once his phone is known: `own("by_phone")` presses a button there."""
    settings.MEDIA_ROOT = portal.folder / "media"
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
def spoken(phones, prompts, engine, felix):
    """Félix answers, says a tone of 700 Hz for two seconds, and ends with `#`."""

    def said(heard, end="#"):
        assert heard.answered_within(5)
        prompts.wait("vm-rec-unv")
        heard.dtmf("#")
        prompts.wait("beep")
        begins = heard.heard_for("silence")
        engine.wait_until(lambda: heard.heard_for("silence") > begins + 2, "two seconds", 10)
        heard.dtmf(end) if end else heard.hangup()

    return said


def converted(engine):
    engine.wait_until(lambda: Incoming.objects.exclude(job=None).exists(), "it has come in")
    jobs.run(Incoming.objects.get().job_id)
    return Greeting.objects.get(made=Made.PHONE)


def failure(engine, state):
    engine.wait_until(lambda: PhoneRecording.objects.filter(state=state).exists(), state)
    engine.wait_until(
        lambda: "pbxgreetings" not in engine.cli("database show pbxgreetings"), "nothing is kept there"
    )
    assert not Greeting.objects.filter(made=Made.PHONE).exists()
    assert list((engine.folders.spool / "recording/out").iterdir()) == []


def test_what_somebody_says_into_their_phone_is_what_callers_hear(
    own, spoken, phones, prompts, engine, boreale, amelie, felix
):
    phone = phones.of(felix, tone=700, answer="after 1")
    assert own("by_phone").status_code == 200
    heard = phone.incoming()
    assert (heard.from_number, heard.from_name) == ("*97", "Enregistrer un message d’accueil")
    assert "sonnent" in own.shows()
    # A second press rings nobody twice.
    assert "déjà" in own("by_phone").content.decode()
    spoken(heard)
    prompts.wait("vm-review")
    heard.dtmf("1")
    prompts.wait("auth-thankyou")
    assert heard.ended_within(5)
    greeting = converted(engine)
    assert greeting.name.startswith("Enregistré au téléphone, ")
    assert greeting.user == felix
    assert 1.5 < greeting.sound.seconds < 3
    assert not PhoneRecording.objects.exists()
    assert list((engine.folders.spool / "recording/out").iterdir()) == []
    mailbox(felix, default_greeting=greeting.pk)
    phone.answers("480")
    call = phones.of(amelie, tone=0).call("102")
    assert call.hears(700, seconds=1.2)


def test_who_hangs_up_after_speaking_has_recorded_whoever_is_killed_meanwhile(
    own, spoken, phones, engine, portal, link, boreale, felix
):
    phone = phones.of(felix, tone=700, answer="at once")
    own("by_phone")
    call = phone.incoming()
    link.send_signal(signal.SIGKILL)
    link.wait()
    spoken(call, end="")
    Node.objects.update(held_until=None)
    with portal.running(*manage("pbx_link"), name="second link"):
        assert converted(engine).sound.seconds > 1.5
    assert phone.rang == 1


def test_of_a_call_that_comes_to_nothing_nothing_is_kept_and_its_library_says_why(
    own, phones, engine, boreale, felix
):
    phone = phones.of(felix)
    for answer, state, said in [
        ("busy", "busy", "occupé"), ("decline", "declined", "refusé"), ("480", "no_answer", "Personne"), ("at once", "nothing", "rien"),
    ]:  # fmt: skip
        phone.answers(answer)
        own("by_phone")
        call = phone.incoming()
        if answer == "at once":
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
