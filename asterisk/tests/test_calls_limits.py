"""How many calls at once: of one person, of a contract, of a trunk; and which devices ring."""

from time import time

import pytest

from asterisk.tests.phones import heard_first
from asterisk.tests.saving import contract, did, people, save, system, trunk
from phones.tests.factories import make_phone

pytestmark = pytest.mark.calls

CLIENT, AMELIE = "4185550177", "+15145550123"
DESK = "Yealink SIP-T54W 96.86.0.45"


def test_who_takes_one_call_at_a_time_is_busy_on_any_call_and_several_calls_ring_otherwise(
    phones, boreale, amelie, felix, ines
):
    [zoe] = people(boreale, "104")
    save(felix, available__accept_multiple_calls="0", available__busy_internal="extension:104")
    system(boreale, "800", "ring_group", "102", "104")
    one, other, third = (
        phones.of(amelie, tone=440),
        phones.of(felix, tone=700),
        phones.of(ines, answer="at once", tone=900),
    )
    fourth = phones.of(zoe, answer="at once", tone=1100)
    # While it only rings, nobody is on a call.
    first, second = one.call("102"), third.call("102")
    ringing = sorted([other.incoming(), other.incoming()], key=lambda each: each.from_number)
    ringing[0].answer()
    assert first.hears(700, 0.3)
    ringing[1].reject()
    assert second.hears(1100, 0.3)
    second.hangup()
    assert third.call("800").hears(1100, 0.3)
    assert heard_first(third.call("102"), 1100) == 1100
    assert len(other.received) == 2
    for call in third.on_a_call():
        call.hangup()
    first.hangup()
    assert ringing[0].ended_within(2)
    # A call of their own is a call.
    own = other.call("103")
    assert own.hears(900, 0.3)
    assert heard_first(one.call("102"), 1100) == 1100
    own.hangup()
    save(felix, available__accept_multiple_calls="1")
    own = other.call("103")
    assert own.hears(900, 0.3)
    other.answers("at once")
    assert one.call("102").hears(700, 0.3)
    assert fourth.rang == 4


def test_without_push_only_desk_phones_ring(phones, boreale, amelie, felix, ines):
    save(felix, available__accept_push="0", available__busy_internal="extension:103")
    one, app = phones.of(amelie), phones.of(felix, answer="at once", tone=700)
    phones.of(ines, answer="at once", tone=900)
    call = one.call("102")
    assert call.hears(900, 0.3)
    call.hangup()
    # Whoever has a phone of the portal's has a desk phone.
    make_phone(boreale, felix)
    desk = phones.of(felix, answer="at once", tone=1100, user_agent=DESK)
    call = one.call("102")
    assert call.hears(1100, 0.3)
    call.hangup()
    assert (app.rang, desk.rang) == (0, 1)
    save(felix, available__accept_push="1")
    desk.answers("ring")
    assert one.call("102").hears(700, 0.3)
    assert (app.rang, desk.rang) == (1, 2)


def taken(engine):
    """How calls went, as the node keeps it until somebody has heard it."""
    return engine.cli("database show pbxcalls")


def test_no_more_calls_than_the_contract_has_channels_but_emergency_calls(
    phones, engine, boreale, amelie, felix
):
    contract(boreale, sip_trunk_channels="2")
    provider = phones.trunk(answer="at once", tone=1000)
    trunk(provider)
    did(boreale, AMELIE, amelie)
    one, other = phones.of(amelie, answer="at once", tone=440), phones.of(felix, tone=700)
    first = provider.call(AMELIE, CLIENT)
    assert first.hears(440, 0.3)
    second = other.call("4185550188")
    assert second.hears(1000, 0.3)
    engine.cli(f"dialplan set global LISTENING {int(time())}")
    # Both channels are taken: in neither direction is there one more.
    refused = provider.call(AMELIE, CLIENT)
    assert refused.ended_within(2)
    assert refused.code == 503
    assert heard_first(other.call("4185550188"), "speech", 1000) == "speech"
    assert (one.rang, len(provider.received)) == (1, 1)
    assert other.call("911").hears(1000, 0.3)
    assert provider.received[-1].dialled == "911"
    for call in [*other.on_a_call(), *provider.on_a_call()]:
        call.hangup()
    engine.wait_until(
        lambda: taken(engine).count("full.") == 2, "both were refused because all channels are taken"
    )
    # Colleagues need none; a call that goes on outside takes two.
    contract(boreale, sip_trunk_channels="1")
    save(amelie, status="away", away__divert_external="external:+14185550199")
    before = len(provider.received)
    forwarded = provider.call(AMELIE, CLIENT)
    assert forwarded.ended_within(2)
    assert len(provider.received) == before


def test_a_trunk_takes_so_many_calls_and_the_next_one_goes_over_the_next(phones, boreale, amelie):
    contract(boreale, sip_trunk_channels="20")
    first, second = (
        phones.trunk("127.0.0.2", answer="at once", tone=1000),
        phones.trunk("127.0.0.3", answer="at once", tone=1200),
    )
    trunk(first, position="1", channels="1")
    trunk(second, position="2", channels="1")
    one = phones.of(amelie)
    assert one.call("4185550188").hears(1000, 0.3)
    assert one.call("4185550188").hears(1200, 0.3)
    assert heard_first(one.call("4185550188"), "speech", 1000, 1200) == "speech"
    assert one.call("911").hears(1000, 0.3)


def test_a_suspended_customer_calls_nobody_and_is_called_by_nobody_but_reaches_help(
    phones, boreale, amelie, felix
):
    provider = phones.trunk(answer="at once", tone=1000)
    trunk(provider)
    did(boreale, AMELIE, amelie)
    one, other = phones.of(amelie, answer="at once", tone=440), phones.of(felix, answer="at once", tone=700)
    contract(boreale, suspended="1", suspended_reason="Facture")
    for dialled in ("102", "4185550188"):
        assert heard_first(one.call(dialled), "speech", 700, 1000) == "speech"
    call = provider.call(AMELIE, CLIENT)
    assert call.ended_within(2)
    assert one.call("911").hears(1000, 0.3)
    assert (one.rang, other.rang, len(provider.received)) == (0, 0, 1)
