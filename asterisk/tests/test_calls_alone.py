"""The portal is away, or slow: what goes on, what doesn't, and that nothing is to be repaired afterwards."""

from time import monotonic

import pytest

from asterisk.models import Errand
from asterisk.tests.engine import LiveEngine
from asterisk.tests.linked import working
from asterisk.tests.phones import heard_first
from asterisk.tests.saving import did, save, trunk, trunk_at

pytestmark = pytest.mark.calls

AMELIE, CLIENT = "+15145550123", "4185550177"


def remembered(engine: LiveEngine) -> str:
    """The addresses that the node doesn't have to ask for."""
    return engine.cli("sorcery memory cache dump res_pjsip/aor")


@pytest.mark.parametrize("how", ["told", "started"])
def test_a_node_has_its_trunks_before_it_needs_them(phones, gate, engine, boreale, amelie, how):
    """Whoever calls for help right after the portal has ended doesn't hear that nobody called outside before, nor whoever calls next that the
    first one did: another SIP trunk was saved just before, of which every line was to be asked anew."""
    provider = phones.trunk(answer="at once", tone=1000)
    trunk(provider, position="1")
    with working():
        if how == "started":
            engine.wait_until(lambda: not Errand.objects.exists(), "the node was told of the trunk")
            engine.stop()
            engine.start()
        engine.wait_until(lambda: "trunk-" in remembered(engine), "the node remembers the trunk")
        trunk_at("127.0.0.9", 5060, position="2")
        engine.wait_until(lambda: not Errand.objects.exists(), "the node was told of the other one")
    one = phones.of(amelie)
    gate.shut()
    for _time in range(2):
        call = one.call("911")
        assert call.hears(1000, 0.3)
        call.hangup()


def test_without_the_portal_colleagues_and_rescuers_are_reached_and_afterwards_all_is_as_before(
    phones, gate, boreale, amelie, felix
):
    provider = phones.trunk(answer="at once", tone=1000)
    trunk(provider)
    did(boreale, AMELIE, amelie)
    save(felix, outbound_disabled="1")
    one, other = phones.of(amelie, answer="at once", tone=440), phones.of(felix, answer="at once", tone=700)
    assert one.call("102").hears(700, 0.3)
    assert provider.call(AMELIE, CLIENT).hears(440, 0.3)
    assert one.call("4185550100").hears(1000, 0.3)
    for call in [*one.on_a_call(), *provider.on_a_call()]:
        call.hangup()
    gate.shut()
    assert (one.register(), other.register()) == (200, 200)
    began = monotonic()
    call = one.call("102")
    assert call.hears(700, 0.3)
    assert monotonic() - began < 2
    heard = other.incoming()
    heard = other.incoming()
    assert (heard.from_number, heard.from_name) == ("101", "Amélie Tremblay")
    call.hangup()
    for number in ("911", "9-911", "1911"):
        emergency = other.call(number)
        assert emergency.hears(1000, 0.3), number
        assert (provider.received[-1].dialled, provider.received[-1].from_number) == ("911", "+15145550100")
        emergency.hangup()
    assert len(provider.received) == 4
    # What the portal alone can say is refused, and somebody says so.
    assert heard_first(one.call("4185550100"), "speech", 1000) == "speech"
    assert heard_first(one.call("103"), "speech") == "speech"
    refused = provider.call(AMELIE, CLIENT)
    assert refused.ended_within(3)
    assert not refused.answered
    gate.open()
    call = one.call("4185550100")
    assert call.hears(1000, 0.3)
    assert phones.of(amelie).registered
    assert provider.call(AMELIE, CLIENT).hears(440, 0.3)


def test_a_slow_portal_makes_nobody_wait_for_long(phones, gate, boreale, amelie, felix):
    provider = phones.trunk(answer="at once", tone=1000)
    trunk(provider)
    one, other = phones.of(amelie, answer="at once", tone=440), phones.of(felix, answer="at once", tone=700)
    assert one.call("102").hears(700, 0.3)
    one.on_a_call()[0].hangup()
    gate.slow = 2
    began = monotonic()
    assert one.register() == 200
    assert monotonic() - began < 0.5
    assert one.call("102").hears(700, 0.3)
    assert monotonic() - began < 4
    assert other.call("911").hears(1000, 0.3)
