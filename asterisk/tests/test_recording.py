"""Recording a greeting by phone, as the pages show it: whose phones ring, what keeps them from it, and what becomes of a recording."""

import asyncio
from datetime import timedelta
from html import unescape
from types import SimpleNamespace

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from asterisk.link import recordings
from asterisk.mailboxes import recording
from asterisk.mailboxes.recording import State
from asterisk.models import Contact, Errand, Node, PhoneRecording
from asterisk.tests.saving import people, save
from asterisk.tests.told import a_node
from forwarding.models import ForwardingRule
from signin.tests.signing import sign_in_fully
from users.models import Operation, User
from users.models.person import StaffLevel
from users.road import jobs
from voicemail.greetings import sounds
from voicemail.models import Greeting, Incoming, Made, Mailbox
from voicemail.tests.sounds import make_greeting, ready_wav

pytestmark = [pytest.mark.django_db, pytest.mark.slow("opens page after page")]


@pytest.fixture(autouse=True)
def _a_folder_of_its_own(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture
def node(known):
    """A node that can be heard."""
    return heard(a_node("montreal"))


def heard(node, ago=timedelta()):
    now = timezone.now()
    Node.objects.filter(pk=node.pk).update(connected_at=now, heard_at=now - ago)
    return node


def registered(node, *persons):
    for person in persons:
        Contact.objects.create(
            node=node, user=person, uri=f"sip:{person.number}@192.0.2.7", since=timezone.now()
        )


class Reader:
    """Somebody before a library, in English."""

    def __init__(self, who, library, *parts):
        self.client, self.library, self.parts = Client(), library, parts
        sign_in_fully(self.client, who)

    def press(self, page="by_phone", *keys, **values):
        return self.answered(self.client.post(self.url(page, *keys), values, headers=self.headers))

    def sees(self, page="page"):
        return self.answered(self.client.get(self.url(page), headers=self.headers))

    def url(self, page, *keys):
        return reverse(f"{self.library}_{page}", args=[*self.parts, *keys])

    @staticmethod
    def answered(answer):
        return " ".join(unescape(answer.content.decode()).split())

    headers = {"accept-language": "en", "hx-request": "true"}


def own(who):
    return Reader(who, "own_greetings")


def of_person(who, person):
    return Reader(who, "greetings", person.customer.slug, person.number)


# --- Whose phones ring ------------------------------------------------------------------------------------------------
def test_ones_own_phones_ring_and_nobody_elses_whatever_is_sent(node, boreale, amelie, felix):
    registered(node, amelie, felix)
    reader = own(amelie)
    assert "extension 101" in reader.sees()
    assert "Calling extension 101" in reader.press(phone="102")
    row = PhoneRecording.objects.get()
    assert (row.phone, row.user, row.starter, row.node) == (amelie, amelie, amelie, node)
    assert (Errand.objects.get().kind, Errand.objects.get().subject) == ("record", row.key)


def test_an_administrator_says_whose_phone_rings_and_the_persons_own_is_offered(node, boreale, amelie, felix):
    registered(node, amelie, felix)
    reader = of_person(felix, amelie)
    assert 'value="101"' in reader.sees()
    assert "Calling extension 102" in reader.press(phone="102")
    row = PhoneRecording.objects.get()
    assert (row.phone, row.user, row.starter) == (felix, amelie, felix)
    reader.press(phone="101")
    assert PhoneRecording.objects.count() == 2


def test_a_company_greeting_is_recorded_at_the_extension_of_whoever_asks(node, boreale, felix):
    registered(node, felix)
    reader = Reader(felix, "company_greetings", "boreale")
    assert 'value="102"' in reader.sees()
    assert "Calling extension 102" in reader.press()
    assert PhoneRecording.objects.get().user is None


def test_phones_of_another_company_and_of_nobody_are_not_there(node, boreale, laurier, amelie, felix):
    [other] = people(laurier, "201")
    registered(node, other)
    reader = of_person(felix, amelie)
    for number in ("201", "999", "1" * 40, "' OR 1", ""):
        said = reader.press(phone=number)
        assert "no user with the extension" in said or "No phone of extension 101" in said
    assert not PhoneRecording.objects.exists()
    # And nobody reaches the library of another company.
    registered(node, felix)
    assert (
        reader.client.post(
            reverse("greetings_by_phone", args=["laurier", "201"]), {"phone": "102"}
        ).status_code
        == 404
    )


def test_who_administers_one_department_rings_nobody_of_another_one(node, boreale, amelie, felix, ines):
    save(amelie, role="managers")
    registered(node, ines, felix)
    said = of_person(User.objects.get(pk=amelie.pk), amelie).press(phone="102")
    assert "above yours" in said or "not one of yours" in said
    assert not PhoneRecording.objects.exists()


def test_the_support_rings_whom_it_names_but_who_only_reads_rings_nobody(node, boreale, amelie, staff):
    registered(node, amelie)
    reader = of_person(staff, amelie)
    User.objects.filter(pk=staff.pk).update(staff_level=StaffLevel.READ_ONLY)
    assert "Extension to call" not in reader.sees()
    reader.press(phone="101")
    assert not PhoneRecording.objects.exists()
    User.objects.filter(pk=staff.pk).update(staff_level=StaffLevel.TECHNICIAN)
    assert "Calling extension 101" in reader.press(phone="101")


# --- What keeps them from it ------------------------------------------------------------------------------------------
def test_without_a_node_or_a_link_the_button_says_so(known, boreale, felix):
    reader = own(felix)
    assert "No phone system is connected" in reader.sees()
    away = heard(a_node("montreal"), ago=timedelta(minutes=1))
    registered(away, felix)
    assert "can't be reached right now" in reader.sees()
    assert "can't be reached right now" in reader.press()
    # Another customer's node is none of theirs.
    heard(away)
    away.customers.set([boreale.pk])
    assert "Your phones (extension 102) ring" in reader.sees()
    assert not PhoneRecording.objects.exists()


def test_a_node_of_other_customers_is_none(node, boreale, laurier, felix):
    node.customers.set([laurier])
    registered(node, felix)
    assert "No phone system is connected" in own(felix).press()


def test_without_a_registered_phone_nothing_rings(node, boreale, felix):
    assert "No phone of extension 102 is registered" in own(felix).press()
    Contact.objects.create(
        node=node,
        user=felix,
        uri="sip:102@x",
        since=timezone.now(),
        expires_at=timezone.now() - timedelta(seconds=1),
    )
    assert "No phone of extension 102 is registered" in own(felix).press()


def test_nobody_records_for_a_full_library_or_without_room(node, boreale, felix, settings):
    registered(node, felix)
    settings.GREETINGS_QUOTA = 0
    assert "no room left" in own(felix).press()
    assert not Errand.objects.exists()


def test_who_presses_twice_has_one_call_and_after_a_failure_another_one(node, boreale, felix):
    registered(node, felix)
    reader = own(felix)
    reader.press()
    assert "being called already" in reader.press()
    recording.told(PhoneRecording.objects.get().key, State.BUSY)
    assert "Extension 102 is busy" in reader.sees()
    assert "Calling extension 102" in reader.press()
    assert PhoneRecording.objects.count() == 1


def test_a_phone_that_no_link_called_in_time_rings_no_more_and_can_be_called_again(node, boreale, felix):
    registered(node, felix)
    reader = own(felix)
    reader.press()
    row = PhoneRecording.objects.get()
    assert recording.to_make(node.pk, row.key).line == "102@boreale.example.com"
    PhoneRecording.objects.update(created_at=timezone.now() - timedelta(seconds=25))
    assert recording.to_make(node.pk, row.key) is None
    [call] = recording.Recorder().calls(boreale, felix)
    assert (call.over and "can't be reached" in call.words) or "injoignable" in call.words
    assert "Calling extension 102" in reader.press()


@pytest.mark.parametrize("state", [state for state in State if state not in (State.CANCELLED, State.REFUSED)])
@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_state_is_said_in_the_readers_language(node, boreale, felix, state, language):
    registered(node, felix)
    reader = own(felix)
    reader.press()
    PhoneRecording.objects.update(state=state)
    answer = reader.client.get(
        reader.url("progress"), {"waiting": ""}, headers={"accept-language": language, "hx-request": "true"}
    )
    said = unescape(answer.content.decode())
    assert PhoneRecording.objects.get().name in said
    assert ("Put away" in said or "Cancel" in said) is (language == "en")
    assert ('hx-trigger="every' in said) is (state in recording.OPEN)


# --- What comes ---------------------------------------------------------------------------------------------------------
def recorded(person, node, **values):
    """A row whose call has ended, with a recording."""
    registered(node, person)
    own(person).press()
    row = PhoneRecording.objects.get()
    PhoneRecording.objects.update(state=State.RECORDED, **values)
    return row


def test_a_recording_is_levelled_and_comes_into_the_library_as_whoever_asked(node, boreale, felix):
    row = recorded(felix, node)
    assert recording.brought(row.key, ready_wav(2.0))
    assert not PhoneRecording.objects.exists()
    incoming = Incoming.objects.get()
    assert "Waiting for its turn" in own(felix).sees()
    jobs.run(incoming.job_id)
    greeting = Greeting.objects.get(made=Made.PHONE)
    assert (greeting.user, greeting.name) == (felix, row.name)
    assert not greeting.sound.as_it_came
    assert not Incoming.objects.exists()


def test_two_of_one_minute_have_names_of_their_own(node, boreale, felix):
    names = set()
    for _time in range(2):
        PhoneRecording.objects.all().delete()
        row = recorded(felix, node) if not names else again(felix)
        names.add(row.name)
        assert recording.brought(row.key, ready_wav(2.0))
        jobs.run(Incoming.objects.get().job_id)
    assert set(Greeting.objects.filter(made=Made.PHONE).values_list("name", flat=True)) == names
    assert len(names) == 2


def again(person):
    own(person).press()
    PhoneRecording.objects.update(state=State.RECORDED)
    return PhoneRecording.objects.get()


# --- What somebody records in the menu of their mailbox -----------------------------------------------------------------
@pytest.mark.parametrize(
    ("kind", "used"), [("unavail", "voicemail.default_greeting"), ("temp", "lunch.greeting"), ("busy", "")]
)
def test_a_greeting_of_the_menu_is_used_for_what_it_was_recorded_for(node, boreale, felix, kind, used):
    save(felix, status="lunch")
    assert recording.of_menu(node.pk, "0" * 32, kind, f"102@u{felix.pk}")
    assert recording.of_menu(node.pk, "0" * 32, kind, f"102@u{felix.pk}")  # told twice
    assert "being fetched" in own(felix).sees()
    assert recording.brought("0" * 32, ready_wav(2.0))
    jobs.run(Incoming.objects.get().job_id)
    greeting = Greeting.objects.get(made=Made.PHONE)
    felix.refresh_from_db()
    chosen = {
        "voicemail.default_greeting": Mailbox.objects.get(user=felix).default_greeting,
        "lunch.greeting": ForwardingRule.objects.get(user=felix, status="lunch").greeting,
    }
    assert {name for name, value in chosen.items() if value == greeting} == ({used} if used else set())
    assert set(Operation.objects.order_by("-pk").values_list("source", flat=True)[: 2 if used else 1]) == {
        "pbx"
    }


def test_a_node_tells_of_greetings_of_its_own_customers_alone(node, boreale, laurier, felix):
    node.customers.set([laurier])
    for name in (f"102@u{felix.pk}", f"101@u{felix.pk}", "102@u999999", "nobody", ""):
        assert not recording.of_menu(node.pk, "0" * 32, "unavail", name)
    assert not PhoneRecording.objects.exists()


def test_whoever_is_killed_between_taking_it_and_saying_so_takes_it_once(node, boreale, felix):
    row = recorded(felix, node)
    kept = PhoneRecording.objects.get()
    for _time in range(2):
        assert recording.brought(row.key, ready_wav(2.0))
        kept.save(force_insert=True)
        PhoneRecording.objects.update(created_at=row.created_at)
    assert Incoming.objects.count() == 1


def test_what_is_too_short_or_gone_was_nothing(node, boreale, felix):
    row = recorded(felix, node)
    assert recording.brought(row.key, ready_wav(0.2))
    assert "nothing was kept" in own(felix).sees()
    PhoneRecording.objects.update(state=State.RECORDED)
    assert recording.brought(row.key, None)
    assert not Incoming.objects.exists()


def test_where_it_cant_be_taken_the_library_says_why(node, boreale, felix, settings):
    row = recorded(felix, node, language="en")
    make_greeting(boreale)
    settings.GREETINGS_QUOTA = 10
    assert recording.brought(row.key, ready_wav(2.0))
    assert "There is no room left for greetings" in own(felix).sees()
    assert not Incoming.objects.exists()


def test_a_storage_that_is_away_is_waited_for(node, boreale, felix, monkeypatch):
    row = recorded(felix, node)

    def away(*args, **named):
        raise sounds.StorageError

    with monkeypatch.context() as patch:
        patch.setattr(sounds, "write", away)
        assert not recording.brought(row.key, ready_wav(2.0))
    assert PhoneRecording.objects.get().state == State.RECORDED
    assert recording.brought(row.key, ready_wav(2.0))
    assert Incoming.objects.count() == 1


def test_who_may_no_more_gets_nothing(node, boreale, felix, amelie):
    row = recorded(amelie, node, language="en")
    save(amelie, disabled="1")
    assert recording.brought(row.key, ready_wav(2.0))
    assert PhoneRecording.objects.get().state == State.REFUSED
    assert not Incoming.objects.exists()


def test_who_is_deleted_takes_the_call_along(node, boreale, felix, amelie):
    row = recorded(amelie, node)
    amelie.delete()
    assert not PhoneRecording.objects.exists()
    assert recording.brought(row.key, ready_wav(2.0))
    assert not Incoming.objects.exists()


def test_what_nobody_reads_or_fetches_is_forgotten(node, boreale, felix):
    recorded(felix, node, created_at=timezone.now() - timedelta(hours=13))
    recording.forget_old()
    assert PhoneRecording.objects.get().state == State.LOST
    PhoneRecording.objects.update(created_at=timezone.now() - timedelta(days=8))
    recording.forget_old()
    assert not PhoneRecording.objects.exists()


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ("", ""), ("ringing", "ringing"), ("recording PJSIP/101@x-0000001", "recording"), ("recorded", "recorded"), ("nothing", "nothing"),
        ("ended,BUSY,17", "busy"), ("ended,NOANSWER,0", "no_answer"), ("ended,CHANUNAVAIL,21", "declined"), ("ended,CHANUNAVAIL,20", "unreachable"),
        ("ended,,", "unreachable"), ("ended,CONGESTION,34", "unreachable"), ("asked", ""), ("<b>", ""),
    ],
)  # fmt: skip
def test_what_the_dialplan_writes_down_is_understood(said, state):
    assert recording.states(said) == state


def test_a_call_that_is_cleared_while_it_goes_on_is_looked_at_until_what_it_writes_of_its_end_is_gone(
    monkeypatch,
):
    kept = {"k": "recording PJSIP/102-1"}
    ends = ["nothing"]

    class Asterisk:
        async def listing(self, *asked):
            return [{"Key": f"/pbxgreetings/{key}", "Val": said} for key, said in kept.items()]

        async def ask(self, action, *fields):
            if action == "DBDel":
                del kept["k"]
                # The call was hung up a moment ago, and writes only now how it ended.
                kept.update({"k": ends.pop()} if ends else {})

    async def nobody_waits(*asked):
        return []

    monkeypatch.setattr(recordings.database, "insist", nobody_waits)
    monkeypatch.setattr(recordings.ari, "delete", lambda *asked: None)
    look = recordings.look(Asterisk(), SimpleNamespace(pk=1))
    assert asyncio.run(look) is True
    assert kept == {"k": "nothing"}
    assert asyncio.run(recordings.look(Asterisk(), SimpleNamespace(pk=1))) is False
    assert kept == {}
