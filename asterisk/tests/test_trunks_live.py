"""SIP trunks and a real Asterisk: whether they answer, and that what is saved of them counts at once."""

from collections.abc import Callable
from time import monotonic

import pytest
from django.utils import timezone

from asterisk.engine.ports import UDP_AND_TCP, free_port
from asterisk.models import Trunk, TrunkState
from asterisk.tests.linked import working
from asterisk.tests.saving import change_trunk, trunk
from asterisk.tests.sipp import playing
from asterisk.trunks import states
from asterisk.trunks.states import State
from phones.tests.processes import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.calls]


def state(line: Trunk) -> State:
    return states.state_of(states.with_state(Trunk.objects.filter(pk=line.pk), timezone.now()).get())


def becomes(line: Trunk, wanted: State) -> Callable[[], bool]:
    return lambda: state(line) is wanted


def test_the_link_tells_whether_a_trunk_answers_from_the_moment_on_in_which_it_is_saved(
    phones, engine, boreale
):
    before = trunk(phones.trunk(answer="at once"))
    with working():
        engine.wait_until(becomes(before, State.ANSWERS), "what was there before is asked after the gap")
        fresh = trunk(phones.trunk(address="127.0.0.3", answer="at once"))
        engine.wait_until(becomes(fresh, State.ANSWERS), "what is added", 4)
        port = fresh.port
        change_trunk(fresh, port=str(free_port(UDP_AND_TCP, "127.0.0.3")))
        engine.wait_until(becomes(fresh, State.SILENT), "what leads nowhere now", 10)
        fresh.refresh_from_db()
        change_trunk(fresh, port=str(port))
        engine.wait_until(becomes(fresh, State.ANSWERS), "what is put right", 4)
        assert state(before) is State.ANSWERS
    assert state(before) is State.UNKNOWN, "nobody listens to the node"
    with working():
        engine.wait_until(becomes(before, State.ANSWERS), "it is told again")
        engine.end()
        engine.wait_until(becomes(before, State.UNKNOWN), "nobody hears the node")
        # For the trunk's own page: as last known.
        assert TrunkState.objects.get(trunk=before, node=engine.node).answers


def test_a_trunk_registers_with_its_provider_as_soon_as_it_is_saved(phones, engine, boreale):
    port = free_port(UDP_AND_TCP, "127.0.0.4")
    keys = {"username": "account", "password": "secret"}
    with playing("registrar", port, address="127.0.0.4", keys=keys), working():
        other_side = phones.trunk(address="127.0.0.3")
        values = {"host": "127.0.0.4", "port": str(port), "networks": "127.0.0.4", "username": "account"}
        began = monotonic()
        line = trunk(other_side, **values, trunk_password="secret", registers=True)
        registered = f"trunk-{line.pk}"
        wait_until(lambda: " Registered " in _registration(engine, registered), 3, "it registers")
        print(f"registered {monotonic() - began:.2f} s after it was saved")
        change_trunk(line, registers=False)
        wait_until(lambda: not _registration(engine, registered), 5, "it registers no more")


def _registration(engine, name: str) -> str:
    said = engine.cli("pjsip show registrations").splitlines()
    return next((line for line in said if line.strip().startswith(f"{name}/")), "")
