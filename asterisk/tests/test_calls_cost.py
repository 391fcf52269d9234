"""What a call asks the portal, counted where the questions pass; and calls of devices that died in the middle of them."""

from time import monotonic

import pytest

from asterisk.tests.saving import contract, did, trunk

pytestmark = pytest.mark.calls

DID, CLIENT, OUTSIDE = "+15145550123", "4185550177", "4185550188"


def test_a_call_costs_one_question_once_the_lines_are_known(phones, gate, engine, boreale, amelie, felix):
    provider = phones.trunk(answer="at once", tone=1000)
    trunk(provider)
    did(boreale, DID, felix)
    one, other = phones.of(amelie), phones.of(felix, answer="at once", tone=700)

    def asked(call, tone):
        """What was asked from the first packet of a call to its end."""
        before = len(gate.asked)
        made = call()
        assert made.hears(tone, 0.2)
        made.hangup()
        engine.wait_until(lambda: "0 active channels" in engine.cli("core show channels"), "over")
        return [each.partition("?")[0].split("/")[2:4] for each in gate.asked[before:]]

    inside, outside, from_outside = (
        (lambda: one.call("102"), 700),
        (lambda: one.call(OUTSIDE), 1000),
        (lambda: provider.call(DID, CLIENT), 700),
    )
    for call in (inside, outside, from_outside):
        asked(*call)  # lines are learned
    assert asked(*inside) == [["call", boreale.fqdn]]
    assert [kind for kind, _what in asked(*from_outside)] == ["in"]
    # A way out is an address, of which Asterisk asks whether a line has that name: answered without the database.
    assert [kind for kind, _what in asked(*outside)] == ["call", "rt"]
    assert "/n/rt/ps_aors/single id=sip%3A" in gate.asked[-1]
    before = len(gate.asked)
    assert (one.register(), other.register()) == (200, 200)
    assert gate.asked[before:] == []


# Of each step Asterisk tells all who follow its channels, whatever it does.
STEPS = {"inside": 10, "from outside": 13, "outside": 19}


def test_a_call_takes_a_dozen_steps_of_the_dialplan(phones, link, engine, boreale, amelie, felix):
    provider = phones.trunk(answer="at once", tone=1000)
    trunk(provider)
    did(boreale, DID, felix)
    one, _other = phones.of(amelie), phones.of(felix, answer="at once", tone=700)
    said = engine.folders.var / "steps"
    engine.cli(f"logger add channel {said} verbose(3)")

    def steps(call, tone):
        before = said.stat().st_size
        made = call()
        assert made.hears(tone, 0.2)
        made.hangup()
        engine.wait_until(lambda: "0 active channels" in engine.cli("core show channels"), "over")
        return said.read_text()[before:].count("Executing [")

    assert {
        "inside": steps(lambda: one.call("102"), 700),
        "from outside": steps(lambda: provider.call(DID, CLIENT), 700),
        "outside": steps(lambda: one.call(OUTSIDE), 1000),
    } == STEPS


def test_a_call_of_a_device_that_died_ends_and_its_channel_is_free_while_one_on_hold_goes_on(
    phones, gate, engine, boreale, amelie, felix
):
    """Two seconds and five stand for the five minutes and the hour of the real row."""
    gate.replaced = {
        b"rtp_timeout=300": b"rtp_timeout=002",
        b"rtp_timeout_hold=3600": b"rtp_timeout_hold=0005",
    }
    provider = phones.trunk(answer="at once", tone=1000)
    trunk(provider)
    contract(boreale, sip_trunk_channels="1")
    one, other = phones.of(amelie, tone=440), phones.of(felix)
    call = one.call(OUTSIDE)
    assert call.hears(1000, 0.2)
    outside = provider.incoming()
    call.hold()
    assert not outside.ended_within(3)
    call.resume()
    assert outside.hears(440, outside.heard_for(440) + 0.3)
    full = other.call(OUTSIDE)
    assert full.hears("speech", 0.2)
    full.hangup()
    one.process._child.kill()
    began = monotonic()
    assert outside.ended_within(8)
    assert monotonic() - began > 1
    assert other.call(OUTSIDE).hears(1000, 0.2)
