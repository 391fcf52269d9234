"""The link and a real Asterisk: states, devices, errands, and what happens when one of the two is killed, cut off or slow."""

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from asterisk.asked import learning
from asterisk.engine.fetching import Installed
from asterisk.engine.ports import free_ports
from asterisk.models import Contact, Errand, Node
from asterisk.tests.engine import LiveEngine, Portal, manage
from asterisk.tests.registering import Device
from asterisk.tests.toy import ToyPortal
from phones.models import Phone
from phones.tests import factories as phone_factories
from phones.tests.processes import wait_until
from users.models import User
from users.people import reset
from users.tests.factories import FACTS
from voicemail.models import Mailbox

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.calls]
AMELIE, FELIX = "101@boreale.example.com", "102@boreale.example.com"


@pytest.fixture
def toy() -> Iterator[ToyPortal]:
    made = ToyPortal()
    yield made
    made.close()


@pytest.fixture
def node_engine(
    known: object, asterisk: Installed, portal: Portal, toy: ToyPortal, tmp_path: Path, transactional_db: None
) -> Iterator[LiveEngine]:
    """An Asterisk whose portal is the toy."""
    ports = free_ports()
    node = Node.objects.create(
        name="pbx", token_hash="1" * 64, host="127.0.0.1", ami_port=int(ports["AMI_PORT"]), node_password="das Wort des Knotens"
    )  # fmt: skip

    def being_learned() -> list[str]:
        try:
            return list(learning.names(node))
        finally:
            connection.close()

    toy.learning = being_learned
    made = LiveEngine(
        tmp_path / "node", asterisk, node, **ports, NODE_NAME="pbx", NODE_TOKEN="token", NODE_PASSWORD="das Wort des Knotens",
        PORTAL_URL=toy.url, SIP_ADDRESS="127.0.0.1",
    )  # fmt: skip
    made.start()
    try:
        yield made
    finally:
        made.end()


@pytest.fixture
def device(toy: ToyPortal, node_engine: LiveEngine) -> Iterator[Callable[..., Device]]:
    made: list[Device] = []

    def of(line: str, **facts: Any) -> Device:
        toy.lines.setdefault(line, "password")
        made.append(Device(line, f"auth{line[:3]}", "password", node_engine.sip, **facts))
        return made[-1]

    yield of
    for each in made:
        each.close()


@contextmanager
def link(portal: Portal, name: str = "link") -> Iterator[subprocess.Popen[bytes]]:
    with portal.running(*manage("pbx_link"), name=name) as process:
        yield process


def linked(node: Node) -> bool:
    return Node.objects.filter(pk=node.pk, connected_at__isnull=False).exists()


def until(true: Callable[[], Any], what: str, seconds: float = 10.0) -> None:
    wait_until(true, seconds, what)


def state(engine: LiveEngine, line: str) -> str:
    return engine.cli(f"dialplan eval function DEVICE_STATE(PJSIP/{line})")


def test_a_registration_shows_within_seconds_and_goes_when_it_ends(
    portal: Portal, node_engine: LiveEngine, device: Callable[..., Device], amelie: User
) -> None:
    phone = phone_factories.make_phone(amelie.customer, amelie, "805ec0aabb00")  # type: ignore[arg-type]
    with link(portal):
        until(lambda: linked(node_engine.node), "linked", 20)
        desk = device(AMELIE)
        assert desk.register() == 200
        until(lambda: Contact.objects.filter(user=amelie).exists(), "the device shows", 4)
        row = Contact.objects.get(user=amelie)
        assert (row.address, row.user_agent) == (desk.address, desk.agent)
        until(lambda: Phone.objects.get(pk=phone.pk).heard_at, "the phone is there")
        until(lambda: "NOT_INUSE" in state(node_engine, AMELIE), "its state is known")
        before = Contact.objects.get(user=amelie).expires_at
        assert desk.register() == 200
        until(lambda: Contact.objects.get(user=amelie).expires_at != before, "it was renewed")
        assert desk.register(expires=0) == 200
        until(lambda: not Contact.objects.exists(), "it is gone")


def test_a_restart_of_asterisk_needs_nobody(
    portal: Portal, node_engine: LiveEngine, device: Callable[..., Device], amelie: User, felix: User
) -> None:
    with link(portal):
        until(lambda: linked(node_engine.node), "linked", 20)
        assert device(AMELIE).register() == 200
        until(lambda: Contact.objects.filter(user=amelie).exists(), "the device shows")
        node_engine.stop()
        until(lambda: not linked(node_engine.node), "the link is known to be cut")
        assert Contact.objects.filter(user=amelie).exists()
        Errand.objects.create(node=node_engine.node, kind="forget", subject=AMELIE)
        node_engine.start()
        until(lambda: linked(node_engine.node), "linked again", 20)
        until(lambda: not Errand.objects.exists(), "what was to be told is told")
        until(
            lambda: "NOT_INUSE" in state(node_engine, AMELIE),
            "its state is known, without a new registration",
        )


def test_what_is_saved_is_asked_anew_within_a_second(
    portal: Portal, node_engine: LiveEngine, toy: ToyPortal, device: Callable[..., Device], amelie: User
) -> None:
    desk = device(AMELIE)
    with link(portal):
        until(lambda: linked(node_engine.node), "linked", 20)
        assert desk.register() == 200
        toy.lines[AMELIE] = "another password"
        assert desk.register() == 200, "it is remembered"
        began = time.monotonic()
        Errand.objects.create(node=node_engine.node, kind="forget", subject=AMELIE)
        until(lambda: not Errand.objects.exists(), "forgotten")
        assert time.monotonic() - began < 1.0
        assert desk.register() == 401
        desk.password = "another password"
        assert desk.register() == 200


def test_a_portal_that_takes_two_seconds_for_an_answer_is_waited_for(
    portal: Portal, node_engine: LiveEngine, toy: ToyPortal, device: Callable[..., Device], amelie: User
) -> None:
    with link(portal):
        until(lambda: linked(node_engine.node), "linked", 20)
        assert device(AMELIE).register() == 200
        until(lambda: Contact.objects.exists(), "the device shows")
        first = Node.objects.get(pk=node_engine.node.pk).connected_at
        toy.delay = 1.8
        for line in (AMELIE, FELIX):
            toy.lines.setdefault(line, "password")
            Errand.objects.create(node=node_engine.node, kind="forget", subject=line)
            Errand.objects.create(node=node_engine.node, kind="learn", subject=line)
        until(lambda: not Errand.objects.exists(), "all of it is done", 40)
        assert Node.objects.get(pk=node_engine.node.pk).connected_at == first
        toy.delay = 0.0
        until(lambda: "NOT_INUSE" in state(node_engine, AMELIE), "its state is known")


def test_a_line_whose_learning_failed_is_healed(
    portal: Portal, node_engine: LiveEngine, device: Callable[..., Device], amelie: User
) -> None:
    """The trap: `multi` without the row, and Asterisk never asks again."""
    assert device(AMELIE).register() == 200
    node_engine.cli(f"pjsip reload qualify endpoint {AMELIE}")
    node_engine.cli(f"pjsip reload qualify endpoint {AMELIE}")
    assert "UNAVAILABLE" in state(node_engine, AMELIE)
    with link(portal):
        until(lambda: "NOT_INUSE" in state(node_engine, AMELIE), "its state is known", 20)


def test_a_worker_that_is_killed_is_followed_by_the_other_within_ten_seconds(
    portal: Portal, node_engine: LiveEngine, device: Callable[..., Device], amelie: User
) -> None:
    node = node_engine.node
    with link(portal, "first") as first:
        until(lambda: linked(node), "linked", 20)
        holder = Node.objects.get(pk=node.pk).held_by
        with link(portal, "second"):
            until(lambda: "ready" in (portal.folder / "second.log").read_text(), "the second is there", 20)
            first.send_signal(signal.SIGKILL)
            began = time.monotonic()
            Errand.objects.create(node=node, kind="forget", subject=AMELIE)
            # What happens while nobody listens is found again.
            assert device(AMELIE).register() == 200
            until(lambda: Node.objects.get(pk=node.pk).held_by != holder and linked(node), "taken over", 12)
            assert time.monotonic() - began < 10
            until(lambda: not Errand.objects.exists(), "what was to be told is told")
            until(lambda: Contact.objects.filter(user=amelie).exists(), "the device shows")


def test_a_worker_that_is_told_to_end_gives_the_node_back_within_two_seconds(
    portal: Portal, node_engine: LiveEngine
) -> None:
    with link(portal) as process:
        until(lambda: linked(node_engine.node), "linked", 20)
        process.terminate()
        process.wait(2)
    assert process.returncode == 0
    node = Node.objects.get(pk=node_engine.node.pk)
    assert (node.held_by, node.connected_at) == ("", None)


def test_no_secret_is_in_the_log(portal: Portal, node_engine: LiveEngine) -> None:
    Node.objects.update(node_password="das Wort des Knotens, falsch")
    with link(portal, "wrong"):
        until(lambda: Node.objects.get().trouble == "password", "it is refused", 20)
    Node.objects.update(node_password="das Wort des Knotens")
    with link(portal, "right"):
        until(lambda: linked(node_engine.node), "linked", 20)
    for name in ("wrong", "right"):
        said = (portal.folder / f"{name}.log").read_text()
        assert "pbx" in said
        assert "Wort" not in said


def test_what_calls_kept_and_messages_are_found_after_a_gap(
    portal: Portal, node_engine: LiveEngine, amelie: User
) -> None:
    Mailbox.objects.filter(user=amelie).update(unread=2, unread_told_at=timezone.now())
    node_engine.cli("database put pbxcalls 17.3 System:boreale.example.com,From:101")
    with link(portal):
        until(lambda: linked(node_engine.node), "linked", 20)
        until(lambda: "0 results" in node_engine.cli("database show pbxcalls"), "it was taken and deleted")
        until(lambda: Mailbox.objects.get(user=amelie).unread == 0, "the messages are counted")


def test_with_the_real_portal_a_save_is_obeyed_within_a_second(
    portal: Portal, engine: LiveEngine, amelie: User, felix: User
) -> None:
    """From the save of a person by the road to the refusal of their phone, with nothing played but the phone."""
    line = f"101@{amelie.customer.fqdn}"  # type: ignore[union-attr]
    User.objects.update(block_remote=False)
    amelie.refresh_from_db()
    desk = Device(line, amelie.sip_auth_id, amelie.sip_password, engine.sip)
    with link(portal):
        until(lambda: linked(engine.node), "linked", 20)
        assert desk.register() == 200
        until(lambda: Contact.objects.filter(user=amelie).exists(), "the device shows")
        until(lambda: "NOT_INUSE" in state(engine, line), "its state is known")
        until(lambda: not Errand.objects.exists(), "nothing waits")
        began = time.monotonic()
        reset.reset(reset.plan_reset(felix, amelie.customer, [amelie.pk]), ["sip"], FACTS)  # type: ignore[arg-type]
        until(lambda: not Errand.objects.exists(), "told")
        assert time.monotonic() - began < 1.0
        assert desk.register() in (401, 403)
    desk.close()
