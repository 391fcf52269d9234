"""The link worker before a manager interface that is played: leases, errands, what a node tells, and everything that goes wrong."""

import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone, translation

from asterisk.asked import learning
from asterisk.link import connection as linking
from asterisk.link import events, leases
from asterisk.link.status import status
from asterisk.models import Contact, Errand, Node
from asterisk.tests.linked import a_manager, a_node, working
from asterisk.tests.manager import Asked, Manager, answer, listing
from phones.models import Phone
from phones.tests import factories as phone_factories
from users.models import User
from voicemail.models import Mailbox

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.slow("a worker that waits, tries again and gives up"),
]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch, known: object) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("threads of a worker share a database only where a server keeps it")
    monkeypatch.setattr(linking, "FIRST", 0.1)
    monkeypatch.setattr(linking, "GATHERED", 0.05)
    monkeypatch.setattr(leases, "RENEWED", 0.2)


@pytest.fixture
def manager() -> Iterator[Manager]:
    playing = a_manager()
    yield playing
    playing.stop()


def until(true: Callable[[], Any], seconds: float = 8.0) -> Any:
    """Wait for something that a worker does."""
    end = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < end, "it didn't come"
        time.sleep(0.02)
    return found


def linked(node: Node) -> bool:
    return Node.objects.filter(pk=node.pk, connected_at__isnull=False).exists()


def asked(manager: Manager, action: str) -> list[Asked]:
    return [each for each in manager.asked if each["Action"] == action]


def contact_row(
    line: str, uri: str, agent: str = "Yealink SIP-T54W 96.86.0.45", expires: int = 300
) -> list[str]:
    host, port = uri.rpartition("@")[2].split(":")
    return [
        f"Endpoint: {line}", f"ViaAddr: {host}", f"ViaPort: {port}", f"Uri: {uri}", f"UserAgent: {agent}",
        f"ExpirationTime: {int(time.time()) + expires}",
    ]  # fmt: skip


def detail(line: str, uri: str, agent: str = "Yealink SIP-T54W 96.86.0.45", expires: int = 300) -> list[str]:
    address = uri.rpartition("@")[2]
    return [
        f"AOR: {line}", f"URI: {uri}", f"UserAgent: {agent}", f"RegExpire: {int(time.time()) + expires}",
        f"ViaAddress: {address}", f"EndpointName: {line}",
    ]  # fmt: skip


AMELIE = "101@boreale.example.com"


# --- Holding ------------------------------------------------------------------------------------------------------
def test_a_node_is_linked_and_its_status_says_so(manager: Manager) -> None:
    node = a_node(manager.port)
    assert status(node).sentence == "jamais connecté"
    with working():
        until(lambda: linked(node))
        node.refresh_from_db()
        assert (status(node).healthy, node.release) == (True, "22.10.1")
    node.refresh_from_db()
    assert (node.held_by, node.held_until, node.connected_at) == ("", None, None)
    assert not status(node).healthy
    assert "link" in status(node).trouble


def test_of_two_workers_one_holds_a_node_and_the_other_takes_over(manager: Manager) -> None:
    node = a_node(manager.port)
    with ExitStack() as ends:
        first = ends.enter_context(working())
        until(lambda: linked(node))
        with ExitStack() as ends_last:
            second = ends_last.enter_context(working())
            time.sleep(0.5)
            assert (set(first.links), set(second.links)) == ({node.pk}, set())
            ends.close()
            until(lambda: set(second.links) == {node.pk})
            until(lambda: linked(node))


def test_the_lease_of_a_worker_that_is_killed_ends_by_itself(manager: Manager) -> None:
    node = a_node(manager.port)
    Node.objects.update(held_by="gone", held_until=timezone.now() + timedelta(seconds=1))
    with working():
        assert not linked(node)
        until(lambda: linked(node))
    assert leases.LASTS + timedelta(seconds=2 * leases.RENEWED) < timedelta(seconds=10)


def test_a_wrong_password_is_said_without_it(manager: Manager, caplog: pytest.LogCaptureFixture) -> None:
    node = a_node(manager.port, password="falsches-geheimnis")
    with working():
        until(lambda: Node.objects.get(pk=node.pk).trouble)
    node.refresh_from_db()
    assert node.trouble == "password"
    assert "falsches-geheimnis" not in caplog.text
    with translation.override("en"):
        assert "refuses our password" in status(node).trouble


def test_a_node_that_nobody_answers_for_is_tried_again(manager: Manager) -> None:
    manager.stop()
    node = a_node(manager.port)
    with working():
        until(lambda: Node.objects.get(pk=node.pk).trouble == "refused")
        back = Manager(port=manager.port)
        back.answers = manager.answers
        until(lambda: linked(node))
    back.stop()


# --- Errands ------------------------------------------------------------------------------------------------------
def test_errands_are_done_in_their_order_within_a_second_and_gone(manager: Manager) -> None:
    node = a_node(manager.port)
    with working():
        until(lambda: linked(node))
        began = time.monotonic()
        Errand.objects.create(node=node, kind="forget", subject=AMELIE)
        until(lambda: not Errand.objects.exists())
        assert time.monotonic() - began < 1.0
    told = [(each["Cache"], each["Object"]) for each in asked(manager, "SorceryMemoryCacheExpireObject")]
    assert set(told) == {(f"res_pjsip/{kind}", AMELIE) for kind in ("endpoint", "auth", "aor")}


def test_errands_made_while_nobody_was_there_are_done_after(manager: Manager) -> None:
    node = a_node(manager.port)
    Errand.objects.bulk_create(
        Errand(node=node, kind="forget", subject=f"{n}@boreale.example.com") for n in range(100, 400)
    )
    manager.delay = 0.001
    with working():
        until(lambda: not Errand.objects.exists())
    told = {each["Object"] for each in asked(manager, "SorceryMemoryCacheExpireObject")}
    assert len(told) == 300


def test_what_a_cut_connection_left_undone_is_done_again(manager: Manager) -> None:
    node = a_node(manager.port)
    manager.delay = 0.3
    with working():
        until(lambda: linked(node))
        Errand.objects.create(node=node, kind="forget", subject=AMELIE)
        until(lambda: asked(manager, "SorceryMemoryCacheExpireObject"))
        manager.delay = 0.0
        manager.cut()
        assert Errand.objects.exists()
        until(lambda: not Errand.objects.exists())
    assert len(asked(manager, "Login")) == 2


def test_only_the_lines_that_are_learned_are_those_that_the_node_may_ask_for(manager: Manager) -> None:
    node = a_node(manager.port)
    lines = [f"{n}@boreale.example.com" for n in range(100, 120)]
    seen: list[tuple[str, list[str]]] = []

    def command(wanted: Asked) -> str:
        seen.append((wanted["Command"].split()[-1], learning.names(node)))
        connection.close()
        return answer(wanted, "Output: Synchronizing AOR")

    manager.answers["Command"] = command
    Errand.objects.bulk_create(Errand(node=node, kind="learn", subject=line) for line in lines)
    with working():
        until(lambda: not Errand.objects.exists())
    assert [line for line, _ in seen] == lines
    assert all(line in answered and len(answered) <= 8 for line, answered in seen)
    assert learning.names(node) == []


def test_a_subject_that_no_action_can_hold_stops_nothing(manager: Manager) -> None:
    node = a_node(manager.port)
    for kind, subject in (("forget", "x\r\n\r\nAction: Logoff"), ("learn", "a b"), ("forget", AMELIE)):
        Errand.objects.create(node=node, kind=kind, subject=subject)
    with working():
        until(lambda: not Errand.objects.exists())
    assert not asked(manager, "Logoff")
    assert not asked(manager, "Command")
    assert {each["Object"] for each in asked(manager, "SorceryMemoryCacheExpireObject")} == {AMELIE}


def test_other_trunks_are_looked_at(manager: Manager) -> None:
    node = a_node(manager.port)
    Errand.objects.create(node=node, kind="trunks")
    with working():
        until(lambda: not Errand.objects.exists())
    assert [each["Cache"] for each in asked(manager, "SorceryMemoryCacheExpire")] == ["res_pjsip/identify"]
    assert "res_pjsip_outbound_registration.so" in asked(manager, "Command")[-1]["Command"]


def test_a_database_that_ends_every_connection_is_back_with_the_next(manager: Manager, amelie: User) -> None:
    node = a_node(manager.port)
    with working():
        until(lambda: linked(node))
        for _ in range(3):
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            manager.say(f"Event: MessageWaiting\nMailbox: 101@u{amelie.pk}\nNew: 5\n\n")
            Errand.objects.create(node=node, kind="forget", subject=AMELIE)
            until(lambda: not Errand.objects.exists())
        until(lambda: Mailbox.objects.get(user=amelie).unread == 5)
        assert len(asked(manager, "Login")) == 1


def test_answers_that_take_two_seconds_are_waited_for(manager: Manager) -> None:
    node = a_node(manager.port)
    with working():
        until(lambda: linked(node))
        manager.delay = 2.0
        Errand.objects.create(node=node, kind="learn", subject=AMELIE)
        until(lambda: not Errand.objects.exists())
        assert len(asked(manager, "Login")) == 1


def test_a_line_that_is_followed_without_its_state_is_healed(
    manager: Manager, amelie: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = a_node(manager.port)
    manager.answers["PJSIPShowContacts"] = lambda wanted: listing(
        wanted, "ContactList", contact_row(AMELIE, "sip:101@192.0.2.7:5060")
    )
    manager.answers["Getvar"] = lambda wanted: answer(wanted, "Value: UNAVAILABLE")
    with working():
        until(lambda: linked(node))
        until(
            lambda: any("module reload res_pjsip.so" in each["Command"] for each in asked(manager, "Command"))
        )
        until(lambda: len([each for each in asked(manager, "Command") if AMELIE in each["Command"]]) >= 2)
    assert len([each for each in asked(manager, "Command") if "reload res_pjsip.so" in each["Command"]]) == 1


# --- What a node tells --------------------------------------------------------------------------------------------
def test_after_a_gap_the_devices_are_those_that_the_node_has(
    manager: Manager, amelie: User, felix: User
) -> None:
    node = a_node(manager.port)
    Contact.objects.create(node=node, user=felix, uri="sip:102@192.0.2.9:5060", since=timezone.now())
    manager.answers["PJSIPShowContacts"] = lambda wanted: listing(
        wanted,
        "ContactList",
        contact_row(AMELIE, "sip:101@192.0.2.7:5060"),
        contact_row("101@stranger.example.com", "sip:101@192.0.2.8:5060"),
        contact_row("trunk-4", "sip:x@192.0.2.8:5060"),
    )
    with working():
        found = until(lambda: list(Contact.objects.filter(user=amelie)))
        until(lambda: not Errand.objects.exists() and asked(manager, "Command"))
    [row] = found
    assert (row.address, row.user_agent) == ("192.0.2.7:5060", "Yealink SIP-T54W 96.86.0.45")
    assert row.expires_at is not None
    assert Contact.objects.count() == 1
    assert [each["Command"] for each in asked(manager, "Command")] == [
        f"pjsip reload qualify endpoint {AMELIE}"
    ]


def proved(line: str, host: str, port: int) -> str:
    return (
        f"Event: SuccessfulAuth\nService: PJSIP\nAccountID: {line}\nRemoteAddress: IPV4/UDP/{host}/{port}\n\n"
    )


def test_a_registration_shows_with_its_device_and_is_a_sign_of_life_of_the_phone(
    manager: Manager, amelie: User
) -> None:
    phone = phone_factories.make_phone(amelie.customer, amelie, "805ec0aabb00")  # type: ignore[arg-type]
    Phone.objects.filter(pk=phone.pk).update(fetched_at=None)
    node = a_node(manager.port)
    manager.answers["PJSIPShowEndpoint"] = lambda wanted: listing(
        wanted, "ContactStatusDetail", detail(AMELIE, "sip:101@192.0.2.7:5060")
    ).replace("ContactStatusDetailComplete", "EndpointDetailComplete")
    with working():
        until(lambda: linked(node))
        manager.say(proved(AMELIE, "192.0.2.7", 5060))
        row = until(lambda: Contact.objects.filter(user=amelie).first())
        until(lambda: Phone.objects.get(pk=phone.pk).heard_at)
        # It wasn't registered when the node was asked for everything: its state is learned now.
        until(lambda: any(AMELIE in each["Command"] for each in asked(manager, "Command")))
        # The next time it is known: nothing is asked, its end moves.
        Contact.objects.update(expires_at=timezone.now())
        manager.say(proved(AMELIE, "192.0.2.7", 5060))
        until(lambda: Contact.objects.get(pk=row.pk).expires_at > timezone.now() + timedelta(seconds=200))
        assert len(asked(manager, "PJSIPShowEndpoint")) == 1
        manager.say(
            f"Event: ContactStatus\nURI: sip:101@192.0.2.7:5060\nContactStatus: Removed\nAOR: {AMELIE}\nEndpointName: {AMELIE}\n\n"
        )
        until(lambda: not Contact.objects.exists())


def test_nothing_is_heard_before_it_is_sifted(manager: Manager, db: None) -> None:
    a_node(manager.port)
    with working():
        until(lambda: asked(manager, "Events"))
    names = [each["Action"] for each in manager.asked]
    assert asked(manager, "Login")[0]["Events"] == "off"
    assert names.index("Events") > max(place for place, name in enumerate(names) if name == "Filter")


def test_a_node_that_lies_writes_nothing(
    manager: Manager, amelie: User, laurier: object, caplog: pytest.LogCaptureFixture
) -> None:
    node = a_node(manager.port)
    told: list[events.Told] = []
    events.register("Lie", lambda _node, many: told.extend(many))
    manager.answers["PJSIPShowEndpoint"] = lambda wanted: listing(
        # Asked for a stranger, it answers with somebody else's device.
        wanted, "ContactStatusDetail", detail(AMELIE, "sip:101@192.0.2.66:5060"),
    )  # fmt: skip
    lies = (
        proved("999@boreale.example.com", "192.0.2.7", 5060)
        + proved("'; DROP TABLE", "x", 1)
        + "Event: MessageWaiting\nMailbox: 101@nobody\nNew: 3\n\n"
        + f"Event: MessageWaiting\nMailbox: 101@u{amelie.pk}\nNew: many\n\n"
        + "Event: UserEvent\nUserEvent: Lie\nSystem: nobody.example.com\n\n"
        + "Event: UserEvent\nUserEvent: Nobody's\nSystem: boreale.example.com\n\n"
    )
    try:
        with working():
            until(lambda: linked(node))
            manager.say(lies * 5)
            manager.say("Event: UserEvent\nUserEvent: Lie\nSystem: boreale.example.com\nN: true\n\n")
            until(lambda: told)
            until(lambda: asked(manager, "PJSIPShowEndpoint"))
    finally:
        del events.HANDLERS["Lie"]
    assert [each.values["N"] for each in told] == ["true"]
    assert not Contact.objects.exists()
    assert caplog.text.count("nobody.example.com") <= 1


def test_messages_that_wait_are_told(manager: Manager, amelie: User, laurier: object) -> None:
    node = a_node(manager.port)
    with working():
        until(lambda: linked(node))
        manager.say(f"Event: MessageWaiting\nMailbox: 101@u{amelie.pk}\nWaiting: 1\nNew: 3\nOld: 1\n\n")
        until(lambda: Mailbox.objects.get(user=amelie).unread == 3)


def test_messages_are_counted_after_a_gap(manager: Manager, amelie: User) -> None:
    Mailbox.objects.filter(user=amelie).update(unread=3)
    node = a_node(manager.port)
    manager.answers["MailboxCount"] = lambda wanted: answer(wanted, "NewMessages: 1", "OldMessages: 0")
    with working():
        until(lambda: linked(node))
        until(lambda: Mailbox.objects.get(user=amelie).unread == 1)
    assert [each["Mailbox"] for each in asked(manager, "MailboxCount")] == [f"101@u{amelie.pk}"]


def test_calls_are_told_with_their_people_also_those_of_which_nobody_heard(
    manager: Manager, amelie: User, felix: User
) -> None:
    node = a_node(manager.port)
    told: list[tuple[str, User | None, User | None]] = []
    events.register(
        "PbxCall",
        lambda _node, many: told.extend(
            (each.values["N"], each.person("From"), each.person("To")) for each in many
        ),
        people=("From", "To"),
    )
    kept = ["Key: /pbxcalls/17.3", "Val: System: boreale.example.com,From: 102,To: 999,N: 1"]
    manager.answers["DBGetTree"] = lambda wanted: listing(wanted, "DBGetTreeResponse", kept)
    try:
        with working():
            until(lambda: linked(node))
            until(lambda: asked(manager, "DBDel"))
            manager.say(
                "Event: UserEvent\nUserEvent: PbxCall\nSystem: boreale.example.com\nFrom: 101\nTo: 102\nCall: 18.4\nN: 2\n\n"
            )
            until(lambda: len(asked(manager, "DBDel")) == 2)
    finally:
        events.HANDLERS["PbxCall"].pop()
    assert told == [("1", felix, None), ("2", amelie, felix)]
    assert [each["Key"] for each in asked(manager, "DBDel")] == ["17.3", "18.4"]


def test_a_node_hears_by_its_own_clock_that_somebody_listens(manager: Manager) -> None:
    node = a_node(manager.port)
    manager.answers["Ping"] = lambda wanted: answer(wanted, "Ping: Pong", "Timestamp: 1795834446.925976")
    with working():
        until(lambda: linked(node))
        until(lambda: asked(manager, "Setvar"))
    said = asked(manager, "Setvar")[0]
    assert (said["Variable"], said["Value"]) == ("LISTENING", "1795834446")


def test_a_handler_that_fails_takes_nobody_elses_events(manager: Manager, amelie: User) -> None:
    node = a_node(manager.port)
    told: list[int] = []

    def broken(_node: int, _many: object) -> None:
        raise ZeroDivisionError

    events.register("Both", broken)
    events.register("Both", lambda key, many: told.append(len(many)))
    try:
        with working():
            until(lambda: linked(node))
            manager.say("Event: UserEvent\nUserEvent: Both\nSystem: boreale.example.com\n\n")
            until(lambda: told)
            assert linked(node)
    finally:
        del events.HANDLERS["Both"]


def test_a_reload_by_somebody_else_makes_the_node_learn_again(manager: Manager, amelie: User) -> None:
    node = a_node(manager.port)
    manager.answers["PJSIPShowContacts"] = lambda wanted: listing(
        wanted, "ContactList", contact_row(AMELIE, "sip:101@192.0.2.7:5060")
    )
    with working():
        until(lambda: linked(node))
        until(lambda: asked(manager, "Command") and not Errand.objects.exists())
        before = len(asked(manager, "Command"))
        manager.say("Event: Reload\nModule: res_pjsip.so\nStatus: 0\n\n")
        until(lambda: len(asked(manager, "Command")) > before)


# --- Nodes that do harm ------------------------------------------------------------------------------------------------
HARM: dict[str, Callable[[Manager], None]] = {
    "a line of a hundred megabytes": lambda manager: [manager.say("x" * 1_000_000) for _ in range(100)] and None,
    "noise": lambda manager: manager.say(random.Random(1).randbytes(3_000_000).decode("utf-8", "surrogateescape")),
    "half a message and silence": lambda manager: (setattr(manager, "delay", 60.0), manager.say("Event: UserEvent\nUser"))[1],
    "answers to nobody": lambda manager: manager.say("Response: Success\nActionID: p999\nEventList: Complete\n\n" * 50_000),
    "ends before beginnings": lambda manager: manager.say(
        "".join(f"Event: PJSIPShowContactsComplete\nActionID: p{n}\nEventList: Complete\n\n" for n in range(1_000))
    ),
}  # fmt: skip


@pytest.mark.parametrize("harm", HARM)
def test_a_node_that_does_harm_takes_nothing_from_others_and_is_linked_again(
    manager: Manager, boreale: object, harm: str, caplog: pytest.LogCaptureFixture
) -> None:
    other = Manager()
    other.answers.update(manager.answers)
    good, bad = a_node(manager.port), a_node(other.port, "laval")
    try:
        with working():
            until(lambda: linked(good) and linked(bad))
            before = memory()
            sending = threading.Thread(target=HARM[harm], args=(other,))
            sending.start()
            Errand.objects.create(node=good, kind="forget", subject=AMELIE)
            until(lambda: not Errand.objects.filter(node=good).exists())
            sending.join(30)
            assert not sending.is_alive()
            assert linked(good)
            other.delay = 0
            other.cut()
            Errand.objects.create(node=bad, kind="forget", subject=AMELIE)
            until(lambda: not Errand.objects.exists(), 30)
            assert memory() - before < 300_000_000
    finally:
        other.stop()
    assert len(caplog.text) < 100_000


def memory() -> int:
    """Bytes of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
