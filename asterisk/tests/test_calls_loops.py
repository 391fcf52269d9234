"""Calls that lead in a circle end soon, and hold nothing afterwards."""

import pytest

from asterisk.tests.phones import heard_first, wait_for
from asterisk.tests.saving import contract, did, save, trunk

pytestmark = pytest.mark.calls

AMELIE, FELIX, CLIENT, AGENCY = "+15145550123", "+15145550124", "4185550177", "+14185550199"


@pytest.fixture
def provider(phones, boreale, amelie, felix):
    """The other side of the SIP trunk, with a number for each of two people."""
    made = phones.trunk(answer="ring")
    trunk(made)
    did(boreale, AMELIE, amelie)
    did(boreale, FELIX, felix)
    return made


def test_who_forwards_to_somebody_who_forwards_back_is_busy_and_nothing_leaves_the_company(
    phones, provider, engine, boreale, amelie, felix, ines
):
    caller = phones.of(ines)
    for there, back in (
        ("extension:102", "extension:101"),
        (f"external:{FELIX}", f"external:{AMELIE}"),
    ):
        save(amelie, status="away", away__divert_external=there, away__divert_internal="same")
        save(felix, status="away", away__divert_external=back, away__divert_internal="same")
        for call in (caller.call("101"), provider.call(AMELIE, CLIENT)):
            assert call.ended_within(2), there
            assert (call.code, call.answered) == (486, False), there
    # What a phone would send elsewhere by itself goes nowhere, not even to itself.
    save([amelie, felix], status="available", available__no_answer_internal="busy")
    one = phones.of(amelie, answer="302 to sip:101@boreale.example.com")
    call = caller.call("101")
    assert call.ended_within(2)
    # What the phone called and the one that calls tell comes by two ways.
    assert wait_for(lambda: one.received, 1)
    assert (call.code, len(one.received), provider.received) == (486, 1, [])
    # Nor does the provider have us call somebody else.
    for target in ("19005551234", "102", "911"):
        provider.answers(f"302 to sip:{target}@127.0.0.2")
        call = caller.call("4185550188")
        assert heard_first(call, "speech", 1000) == "speech"
        assert [each.dialled for each in provider.received] == ["+14185550188"] * len(provider.received)
        call.hangup()


def test_a_circle_by_way_of_the_provider_ends_where_the_contract_has_no_more_channels(
    phones, provider, engine, boreale, amelie
):
    contract(boreale, sip_trunk_channels="4")
    save(amelie, status="away", away__divert_external=f"external:{AGENCY}")
    # Whoever has that number forwards it to hers.
    again = phones.trunk("127.0.0.2")
    calls = [provider.call(AMELIE, CLIENT)]
    legs = []
    for _ in range(2):
        legs.append(provider.incoming(within=3))
        assert legs[-1].dialled == AGENCY
        calls.append(again.call(AMELIE, CLIENT))
    assert calls[-1].ended_within(3)
    assert calls[-1].code == 503
    for leg in reversed(legs):
        leg.reject(503)
    for call in calls:
        assert call.ended_within(3)
        assert not call.answered
    assert len(provider.received) == 2
    engine.wait_until(lambda: "0 active channels" in engine.cli("core show channels"), "all is over")
