"""A node that tells more than anybody can take: what of it waits in the worker is bounded, and other nodes are served as ever."""

import time

import pytest
from django.db import connection

from asterisk.ami import client as ami
from asterisk.link import connection as linking
from asterisk.link import events, leases
from asterisk.models import Contact, Errand, Node
from asterisk.tests.linked import a_manager, a_node, working
from phones.tests.processes import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow("a worker that is flooded")]

# As many wait here as a hundredth of what may in earnest; ten times as many come.
WAITING, TOLD, DEVICES, COME = 2_000, 200, 2_000, 20_000
MOST_BYTES = 640_000
FLOODS = {
    "calls": lambda n: (
        f"Event: UserEvent\nUserEvent: PbxCall\nSystem: boreale.example.com\nCall: {n}.1\nTo: 102\nTaken: x.\n"
    ),
    "events of nobody": lambda n: f"Event: UserEvent\nUserEvent: Nobody{n}\nSystem: {n}.example.com\n",
    "long ones": lambda n: f"Event: UserEvent\nUserEvent: PbxCall\nSystem: {'x' * 20_000}\nCall: {n}.1\n",
    "devices that prove who they are": lambda n: (
        f"Event: SuccessfulAuth\nAccountID: {n}@boreale.example.com\nRemoteAddress: IPV4/UDP/192.0.2.7/{n}\n"
    ),
    "devices that come": lambda n: (
        f"Event: ContactStatus\nURI: sip:{n}@192.0.2.7\nContactStatus: Created\nAOR: 101@{n}.example.com\n"
    ),
    "devices that go": lambda n: (
        f"Event: ContactStatus\nURI: sip:{n}@192.0.2.7\nContactStatus: Removed\nAOR: 101@boreale.example.com\n"
    ),
    "SIP trunks": lambda n: (
        f"Event: ContactStatus\nURI: sip:192.0.2.7\nContactStatus: Reachable\nAOR: trunk-{n}\n"
    ),
    "messages": lambda n: f"Event: MessageWaiting\nMailbox: 101@u{n}\nNew: 1\n",
    "starts": lambda n: "Event: FullyBooted\n",
}


@pytest.fixture(autouse=True)
def _small(monkeypatch, known):
    if connection.vendor != "postgresql":
        pytest.skip("threads of a worker share a database only where a server keeps it")
    monkeypatch.setattr(linking, "FIRST", 0.1)
    monkeypatch.setattr(linking, "GATHERED", 0.05)
    monkeypatch.setattr(leases, "RENEWED", 0.2)
    for module, name, value in (
        (ami, "MOST_WAITING", WAITING), (ami, "MOST_BYTES", MOST_BYTES), (linking, "MOST_TOLD", TOLD), (linking, "MOST_BYTES", MOST_BYTES),
        (linking, "MOST_DEVICES", DEVICES),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, value)


@pytest.fixture
def nodes():
    """One that floods, and another one: (manager interface, node) of each."""
    made = [a_manager(), a_manager()]
    yield [
        (playing, a_node(playing.port, name))
        for playing, name in zip(made, ("laval", "montreal"), strict=True)
    ]
    for playing in made:
        playing.stop()


@pytest.fixture
def most(monkeypatch):
    """The most that ever waited, of what each kind; counted after each message that came."""
    found = dict.fromkeys(("events", "bytes", "told", "told bytes", "devices"), 0)
    sort, take = ami.Client._sort, linking.NodeLink._take

    def note(**now):
        for name, count in now.items():
            found[name.replace("_", " ")] = max(found[name.replace("_", " ")], count)

    def sorting(client, message):
        sort(client, message)
        note(events=client._events.qsize(), bytes=client._waiting)

    def taking(link, message):
        take(link, message)
        note(
            told=len(link._told) + len(link._messages) + len(link._trunks), told_bytes=link._told_bytes,
            devices=len(link._devices.wanted) + len(link._devices.gone) + len(link._devices.renewed),
        )  # fmt: skip

    monkeypatch.setattr(ami.Client, "_sort", sorting)
    monkeypatch.setattr(linking.NodeLink, "_take", taking)
    return found


@pytest.mark.parametrize("kind", FLOODS)
def test_of_a_flood_of_one_node_so_much_waits_at_most_and_another_node_is_told_within_a_second(
    nodes, most, kind
):
    (bad, flooding), (_good, node) = nodes
    come = COME // 10 if kind == "long ones" else COME
    text = [FLOODS[kind](n) + "\n" for n in range(10_000, 10_000 + come)]
    with working() as worker:
        wait_until(lambda: Node.objects.filter(connected_at__isnull=False).count() == 2, 8, "linked")
        for start in range(0, come, come // 4):
            bad.say("".join(text[start : start + come // 4]))
            began = time.monotonic()
            Errand.objects.create(node=node, kind="forget", subject="101@boreale.example.com")
            wait_until(lambda: not Errand.objects.filter(node=node).exists(), 8, "told")
            assert time.monotonic() - began < 1
        link = worker.links[flooding.pk]
        wait_until(lambda: link.takes_errands, 20, "the node is linked, again or still")
        Errand.objects.create(node=flooding, kind="forget", subject="101@boreale.example.com")
        wait_until(lambda: not Errand.objects.filter(node=flooding).exists(), 20, "and told")
    assert most["events"] <= WAITING
    assert most["bytes"] <= MOST_BYTES + 65_536
    assert most["told"] <= TOLD
    assert most["told bytes"] <= MOST_BYTES + 65_536
    assert most["devices"] <= DEVICES + 1
    assert not Contact.objects.exists()
    assert len(events._unknown) <= events.MOST_WORDS
