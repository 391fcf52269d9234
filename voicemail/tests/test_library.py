"""The library of greetings: what comes in, who may hear and change it, who uses it, and what becomes of its files."""

from datetime import timedelta

import pytest
from django.core.files.storage import default_storage
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from forwarding.models import ForwardingRule
from pbxadmin.common.columns import Scope
from signin.tests.signing import sign_in_fully
from users import road
from users.models import Job, Operation, User
from users.people.copying import settings_of
from users.people.sections import user_sheet
from users.rights import Verb
from users.road import jobs
from users.road.undo import undo
from users.tests.factories import FACTS, make_user
from voicemail.greetings import making, sounds, usage
from voicemail.greetings.library import Library
from voicemail.greetings.making import RefusedError, Wanted
from voicemail.models import Greeting, Made, Mailbox, Sound
from voicemail.tests.sounds import ready_wav, silence, tone, upload

pytestmark = pytest.mark.slow("opens page after page")


@pytest.fixture(autouse=True)
def _a_folder_of_its_own(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"


def give(actor, customer, person=None, name="Vacances", content=None, **wanted):
    """A greeting in somebody's library, or the company's."""
    verb = Verb.SELF if actor == person and not actor.role.administer_users else Verb.EDIT
    wanted = Wanted(name, Made.UPLOAD, person, **wanted)
    return making.receive(Scope(actor, customer), upload(content), wanted, FACTS, verb)


def choose(actor, person, **values):
    row = road.Row(person.pk, {name.replace("__", "."): value for name, value in values.items()})
    return road.commit(road.plan(actor, person.customer, user_sheet(), [row]), FACTS)


def files_of(folder="greetings"):
    """Every file of the storage below a folder."""
    return sorted(sounds._files(folder))


# --- In ---------------------------------------------------------------------------------------------------------
def test_a_file_in_the_right_format_is_kept_byte_for_byte(felix, amelie, boreale):
    content = ready_wav(2.5)
    greeting = give(felix, boreale, amelie, content=content)
    assert (greeting.name, greeting.user, greeting.made) == ("Vacances", amelie, Made.UPLOAD)
    assert sounds.read(greeting.sound) == content
    assert greeting.sound.as_it_came
    assert greeting.sound.length_said == "0:02"
    assert len(files_of()) == 1


def test_what_no_library_takes_leaves_nothing_behind(felix, amelie, boreale):
    give(felix, boreale, amelie)
    for name, said in (("vacancés", "déjà"), ("", "obligatoire"), ("a\nb", ""), ("x" * 81, "80")):
        with pytest.raises(RefusedError) as refused:
            give(felix, boreale, amelie, name=name)
        assert said in " ".join(refused.value.sentences)
    assert Greeting.objects.filter(user=amelie).count() == 1
    assert Sound.objects.count() == 1
    assert len(files_of()) == 1


def test_the_room_of_a_customer_has_an_end(felix, amelie, boreale, settings):
    settings.GREETINGS_QUOTA = 40_000
    give(felix, boreale, amelie)
    assert Library.of_person(felix, boreale, amelie).quota.share == 40
    give(felix, boreale, amelie, name="Absent")
    with pytest.raises(RefusedError, match="place"):
        give(felix, boreale, amelie, name="Réunion")
    assert len(files_of()) == 2


def test_a_storage_that_takes_nothing_is_said_and_leaves_no_row(felix, amelie, boreale, monkeypatch):
    def full(*args, **rest):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(default_storage, "save", full)
    with pytest.raises(RefusedError, match="pas pu être"):
        give(felix, boreale, amelie)
    assert not Sound.objects.exists()
    assert not Greeting.objects.filter(customer=boreale).exists()


# --- Whose ------------------------------------------------------------------------------------------------------
def test_a_person_chooses_their_own_greetings_and_everybodys_but_nobody_elses(felix, amelie, ines, boreale):
    own, companys = give(felix, boreale, amelie), give(felix, boreale, name="Fermé")
    assert choose(felix, amelie, voicemail__default_greeting=own.pk, away__greeting=companys.pk).operation
    refused = choose(felix, ines, voicemail__default_greeting=own.pk)
    assert refused.operation is None
    assert "quelqu’un d’autre" in " ".join(refused.row.sentences)
    assert choose(felix, ines, available__greeting=companys.pk).operation
    assert Mailbox.objects.get(user=amelie).default_greeting == own


def test_the_greeting_of_another_customer_is_no_choice(felix, amelie, boreale, laurier):
    foreign = make_user(laurier, "150", "Zoé", "Ailleurs")
    theirs = Greeting.objects.create(customer=laurier, user=foreign, name="À eux")
    assert choose(felix, amelie, voicemail__default_greeting=theirs.pk).operation is None


def test_everybody_keeps_a_library_of_their_own(amelie, ines, boreale):
    greeting = give(amelie, boreale, amelie)
    assert greeting.user == amelie
    for person in (ines, None):
        with pytest.raises(RefusedError):
            give(amelie, boreale, person, name="Pas à moi")


@pytest.mark.parametrize("role", ["users", "receptionists"])
def test_whoever_administers_nobody_has_a_recording_of_their_own_converted(amelie, boreale, role):
    User.objects.filter(pk=amelie.pk).update(role_id=role)
    amelie = User.objects.get(pk=amelie.pk)
    incoming = give(amelie, boreale, amelie, content=tone(1, rate=44_100))
    jobs.run(incoming.job_id)
    assert Job.objects.get().words == ""
    assert Greeting.objects.get(name="Vacances").user == amelie
    # Their right is that of the moment at which it is done.
    incoming = give(amelie, boreale, amelie, name="Fermé", content=tone(1, rate=44_100))
    User.objects.filter(pk=amelie.pk).update(disabled=True)
    jobs.run(incoming.job_id)
    assert Job.objects.latest("pk").state == Job.State.STOPPED
    assert not Greeting.objects.filter(name="Fermé").exists()


def test_whoever_administers_nobody_is_led_from_their_jobs_to_their_own_pages_alone(amelie, boreale):
    browser = sign_in_fully(Client(), amelie)
    incoming = give(amelie, boreale, amelie, content=tone(1, rate=44_100))
    own = reverse("own_greetings_page")
    for state in ("waiting", "done"):
        for address in (reverse("own_jobs"), reverse("bell")):
            page = browser.get(address).content.decode()
            assert own in page, state
            assert "/c/boreale/jobs" not in page, state
        jobs.run(incoming.job_id)


def test_what_whoever_administers_nobody_deletes_is_put_back_by_an_administrator_who_has_the_history(
    amelie, felix, boreale
):
    browsers = [sign_in_fully(Client(), person) for person in (amelie, felix)]
    urls = [
        reverse("own_greetings_delete", args=[give(amelie, boreale, amelie).pk]),
        reverse(
            "greetings_delete", args=["boreale", amelie.number, give(felix, boreale, amelie, name="b").pk]
        ),
    ]
    for browser, url, sent_to_somebody in zip(browsers, urls, (True, False), strict=True):
        asked = browser.get(url).content.decode()
        told = browser.post(url, {"confirmed": "1"}, follow=True).content.decode()
        for page in (asked, told):
            assert ("Un administrateur de votre entreprise peut le remettre" in page) is sent_to_somebody
            assert ("Il peut être remis" in page) is not sent_to_somebody


def test_nobody_is_offered_to_delete_a_greeting_that_is_used_where_the_choice_is_not_theirs(
    amelie, felix, boreale
):
    greeting = give(amelie, boreale, amelie)
    assert choose(felix, amelie, away__greeting=greeting.pk).operation
    url = reverse("own_greetings_delete", args=[greeting.pk])
    browser = sign_in_fully(Client(), amelie)
    assert 'class="btn btn-danger">' in browser.get(url).content.decode()
    User.objects.filter(pk=amelie.pk).update(hide_forwarding=True)
    page = browser.get(url).content.decode()
    assert 'class="btn btn-danger">' not in page
    assert "un administrateur de votre entreprise peut d’abord en choisir un autre" in page
    browser.post(url, {"confirmed": "1"})
    assert Greeting.objects.get(pk=greeting.pk).deleted_at is None


def test_nobody_hears_what_is_another_persons(amelie, ines, felix, boreale, laurier, staff):
    greeting = give(felix, boreale, ines)
    own = reverse("own_greetings_sound", args=[greeting.pk])
    tab = reverse("greetings_sound", args=[boreale.slug, ines.number, greeting.pk])
    through_another = reverse("greetings_sound", args=[boreale.slug, amelie.number, greeting.pk])
    stranger = make_user(laurier, "151", "Zoé", "Ailleurs", role="system_owners")
    for person, url, status in (
        (ines, own, 200), (amelie, own, 404), (amelie, tab, 403), (felix, tab, 200), (staff, tab, 200),
        (felix, through_another, 404), (stranger, tab, 404), (stranger, own, 404),
    ):  # fmt: skip
        assert sign_in_fully(Client(), person).get(url).status_code == status, (person, url)
    assert Client().get(own).status_code == 302


def test_a_sound_is_a_file_to_keep_that_no_cache_keeps_and_of_which_parts_are_sent(felix, amelie, boreale):
    content = ready_wav()
    greeting = give(felix, boreale, amelie, name='../../été "x"; rm -rf', content=content)
    url = reverse("greetings_sound", args=[boreale.slug, amelie.number, greeting.pk])
    client = sign_in_fully(Client(), felix)
    whole = client.get(url)
    assert whole.content == content
    assert whole["Content-Type"] == "audio/wav"
    assert whole["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in whole["Cache-Control"]
    assert whole["Content-Disposition"].startswith("attachment")
    assert "/" not in whole["Content-Disposition"].partition("filename")[2].replace("utf-8''", "")
    for asked, status, expected in (
        ("bytes=0-9", 206, content[:10]), ("bytes=-10", 206, content[-10:]), ("bytes=16000-", 206, content[16000:]),
        ("bytes=5-99999999", 206, content[5:]), ("bytes=99999-", 416, b""), ("bytes=9-5", 416, b""),
        ("bytes=0-1,5-6", 200, content), ("bytes=-", 200, content), ("bytes=a-b", 200, content), ("bytes=-99999999", 206, content),
    ):  # fmt: skip
        part = client.get(url, headers={"range": asked})
        assert (part.status_code, part.content) == (status, expected), asked


# --- Used and gone ----------------------------------------------------------------------------------------------
def test_a_greeting_names_who_uses_it_and_going_gives_them_the_default_again(felix, amelie, boreale):
    greeting = give(felix, boreale, amelie)
    choose(felix, amelie, voicemail__default_greeting=greeting.pk, away__greeting=greeting.pk)
    used = usage.uses(boreale.pk, [greeting])[greeting.pk]
    assert [use.column for use in used] == ["away.greeting", "voicemail.default_greeting"]
    client = sign_in_fully(Client(), felix)
    url = reverse("greetings_delete", args=[boreale.slug, amelie.number, greeting.pk])
    asked = client.get(url).content.decode()
    assert "Absent" in asked
    assert client.post(url, {"confirmed": "1"}).status_code == 302
    assert Mailbox.objects.get(user=amelie).default_greeting is None
    assert not ForwardingRule.objects.filter(greeting=greeting).exists()
    assert not Library.of_person(felix, boreale, amelie).greetings


def test_what_was_deleted_comes_back_with_all_that_used_it_for_thirty_days(felix, amelie, boreale):
    greeting = give(felix, boreale, amelie)
    choose(felix, amelie, voicemail__default_greeting=greeting.pk, away__greeting=greeting.pk)
    usage.take_out(Scope(felix, boreale), [greeting], FACTS)
    sounds.sweep(timezone.now() + timedelta(days=29))
    assert undo(felix, boreale, Operation.objects.latest("pk"), FACTS)
    assert Mailbox.objects.get(user=amelie).default_greeting == greeting
    assert ForwardingRule.objects.get(user=amelie, status="away").greeting == greeting
    greeting.refresh_from_db()
    assert sounds.read(greeting.sound)
    assert greeting.sound.released_at is None


def test_after_thirty_days_a_deleted_greeting_is_erased_with_its_file(felix, amelie, boreale):
    greeting = give(felix, boreale, amelie)
    usage.take_out(Scope(felix, boreale), [greeting], FACTS)
    sounds.sweep(timezone.now() + timedelta(days=31))
    assert not Greeting.objects.filter(pk=greeting.pk).exists()
    assert not Sound.objects.exists()
    assert files_of() == []


def test_the_library_of_a_deleted_person_goes_with_them(felix, amelie, boreale):
    give(felix, boreale, amelie)
    road.remove(road.plan_removal(felix, boreale, user_sheet(), [amelie.pk]), FACTS)
    sounds.sweep()
    assert files_of() == []
    assert not Sound.objects.exists()


def test_a_sound_that_no_greeting_came_to_name_goes_after_an_hour(boreale):
    made = making.audio.convert(ready_wav(), level=False, trim=False)
    sounds.keep(boreale, made)
    sounds.sweep()
    assert len(files_of()) == 1
    sounds.sweep(timezone.now() + timedelta(hours=2))
    assert files_of() == []


def test_a_copy_of_a_person_takes_over_what_everybody_may_choose_and_nothing_personal(felix, amelie, boreale):
    own, companys = give(felix, boreale, amelie), give(felix, boreale, name="Fermé")
    choose(felix, amelie, voicemail__default_greeting=own.pk, away__greeting=companys.pk)
    made = settings_of(amelie, Scope(felix, boreale))
    copied = made.values
    assert [text for text in made.left_out if "Vacances" in text]
    assert "voicemail.default_greeting" not in copied
    assert copied["away.greeting"] == companys.pk


def test_the_history_calls_a_greeting_that_was_taken_out_deleted_and_says_seconds(felix, amelie, boreale):
    greeting = give(felix, boreale, amelie, content=ready_wav(2.5))
    choose(felix, amelie, voicemail__default_greeting=greeting.pk)
    usage.take_out(Scope(felix, boreale), [greeting], FACTS)
    told = sign_in_fully(Client(), felix).get(reverse("history", args=[boreale.slug])).content.decode()
    assert "Suppression · Vacances" in told
    assert "2,5 s" in told.replace("\xa0", " ")


def test_whoever_deletes_a_person_is_told_of_the_greetings_in_their_library_alone(felix, amelie, boreale):
    kept, gone = give(felix, boreale, amelie), give(felix, boreale, amelie, name="Absent")
    usage.take_out(Scope(felix, boreale), [gone], FACTS)
    told = road.plan_removal(felix, boreale, user_sheet(), [amelie.pk]).lost_with(amelie.pk)
    assert kept in Greeting.objects.in_library()
    assert [words for words in told if "message" in words and words.startswith("1 ")], told


def test_a_library_says_of_a_sound_that_nothing_can_be_heard_or_that_it_is_quiet(felix, amelie, boreale):
    silent = give(felix, boreale, amelie, name="Rien", content=silence())
    loud = give(felix, boreale, amelie, name="Fort")
    assert (silent.sound.told, loud.sound.told) == ("On n’entend rien", "")
    loud.sound.loudness = -31.5
    assert loud.sound.told == "Plus faible que d’habitude"
    page = (
        sign_in_fully(Client(), felix)
        .get(reverse("greetings_page", args=["boreale", "101"]))
        .content.decode()
    )
    assert page.count("On n’entend rien") == 1
    assert page.count("· conservé tel quel") == 2


def test_what_a_person_shared_is_the_companys_to_delete_and_put_back_after_they_are_gone(
    felix, amelie, boreale
):
    own = give(felix, boreale, amelie)
    share = reverse("greetings_share", args=[boreale.slug, amelie.number, own.pk])
    sign_in_fully(Client(), felix).post(share)
    shared = Greeting.objects.get(customer=boreale, user=None)
    road.remove(road.plan_removal(felix, boreale, user_sheet(), [amelie.pk]), FACTS)
    usage.take_out(Scope(felix, boreale), [shared], FACTS)
    sounds.sweep()
    assert undo(felix, boreale, Operation.objects.latest("pk"), FACTS)
    assert sounds.read(Greeting.objects.get(pk=shared.pk).sound)
