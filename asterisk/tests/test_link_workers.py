"""Two workers of the link that hold a node each, one of which is killed in the middle of an errand: a real Asterisk, and a node that is played."""

import signal
from datetime import timedelta
from time import monotonic

import pytest
from django.db import connection, transaction
from django.utils import timezone

from asterisk.mailboxes.recording import State
from asterisk.models import Errand, Node, PhoneRecording
from asterisk.tests.engine import manage
from asterisk.tests.linked import a_manager, a_node, suspend

pytestmark = pytest.mark.calls

AMELIE = "101@boreale.example.com"


@pytest.fixture
def manager():
    """The manager interface of the other node."""
    playing = a_manager()
    yield playing
    playing.stop()


@pytest.fixture
def workers(portal, engine, manager):
    """The worker that holds `engine`, and the node that another worker holds."""
    other = a_node(manager.port, "laval")
    nodes = Node.objects.filter(pk=other.pk)
    nodes.update(held_by="nobody", held_until=timezone.now() + timedelta(minutes=5))
    with portal.running(*manage("pbx_link"), name="first") as first:
        engine.wait_until(lambda: linked(engine.node), "the first holds one", 20)
        with portal.running(*manage("pbx_link"), name="second") as second:
            engine.wait_until(
                lambda: "ready" in (portal.folder / "second.log").read_text(), "the second is there", 20
            )
            suspend(first)
            nodes.update(held_until=None)
            engine.wait_until(lambda: linked(other), "the second holds the other")
            first.send_signal(signal.SIGCONT)
            engine.wait_until(lambda: holder(engine.node) != holder(other), "each holds one")
            yield first, second, other


def linked(node):
    return Node.objects.filter(pk=node.pk, connected_at__isnull=False).exists()


def holder(node):
    return Node.objects.get(pk=node.pk).held_by


def test_of_two_workers_one_is_killed_in_the_middle_of_an_errand_which_is_done_once_while_the_other_goes_on(
    phones, engine, workers, manager, boreale, amelie, felix
):
    first, _second, other = workers
    phone = phones.of(felix, answer="ring")
    suspend(first)
    row = PhoneRecording.objects.create(
        customer=boreale,
        node=engine.node,
        user=felix,
        starter=felix,
        phone=felix,
        key="0f" * 16,
        name="Essai",
    )
    ring = Errand.objects.create(node=engine.node, kind=Errand.Kind.RECORD, subject=row.key)
    Errand.objects.create(node=engine.node, kind=Errand.Kind.FORGET, subject=AMELIE)
    with transaction.atomic():
        # Who has done it can't say so any more.
        Errand.objects.select_for_update().get(pk=ring.pk)
        first.send_signal(signal.SIGCONT)
        call = phone.incoming()
        first.kill()
        first.wait()
        end_whoever_waits()
    assert {"record", "forget"} <= set(Errand.objects.filter(node=engine.node).values_list("kind", flat=True))
    # Nobody holds that node: the other one is told within a second, as ever.
    for number in range(110, 113):
        began = monotonic()
        Errand.objects.create(node=other, kind=Errand.Kind.FORGET, subject=f"{number}@{boreale.fqdn}")
        engine.wait_until(lambda: not Errand.objects.filter(node=other).exists(), "told")
        assert monotonic() - began < 1
    engine.wait_until(lambda: not Errand.objects.exists(), "whoever comes does what was left", 15)
    assert holder(engine.node) == holder(other)
    engine.wait_until(lambda: state_of(row) == State.RINGING, "it goes on with the call that there is")
    assert (phone.rang, call.ended, engine.cli("core show channels").count("@greeting")) == (1, False, 2)
    assert [each["Action"] for each in manager.asked].count("Login") == 1


def end_whoever_waits():
    """The database notices late that somebody was killed."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )


def state_of(row):
    return PhoneRecording.objects.values_list("state", flat=True).get(pk=row.pk)
