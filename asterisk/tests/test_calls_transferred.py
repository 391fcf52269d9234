"""Calls that somebody hands on, or would take from somebody else: what they may do themselves, and nothing more."""

import pytest
from django.utils import timezone

from asterisk.models import PinEntry
from asterisk.tests.phones import heard_first
from asterisk.tests.saving import contract, did, save, trunk

pytestmark = pytest.mark.calls

DID, CLIENT, AGENCY = "+15145550123", "4185550177", "sip:4185550188@boreale.example.com"
NOBODYS = "?Replaces=abc%3Bto-tag%3D1%3Bfrom-tag%3D2"


@pytest.fixture
def provider(phones, boreale, amelie):
    """The other side of the SIP trunk, which brings Amélie calls."""
    made = phones.trunk(answer="at once", tone=1000)
    trunk(made)
    did(boreale, DID, amelie)
    return made


def test_whoever_is_transferred_outside_calls_as_whoever_transfers_and_within_what_that_one_may(
    phones, provider, engine, boreale, amelie, felix, ines
):
    one = phones.of(amelie, answer="at once", tone=440)
    third = phones.of(ines, answer="at once", tone=900)

    def handed_on(target=AGENCY):
        """What a stranger hears whom Amélie sends there."""
        call = provider.call(DID, CLIENT)
        assert call.hears(440, 0.1)
        one.incoming().transfer(target)
        heard = heard_first(call, "speech", 1000)
        call.hangup()
        return heard

    contract(boreale, sip_trunk_channels="1")
    assert handed_on() == "speech"
    contract(boreale, sip_trunk_channels="5")
    save(amelie, pin_protected="1", pin_protect_seconds="60", outbound_caller_id=DID)
    assert handed_on() == "speech"
    PinEntry.objects.create(user=amelie, at=timezone.now())
    assert handed_on() == 1000
    assert (provider.received[-1].dialled, provider.received[-1].from_number) == ("+14185550188", DID)
    save(amelie, outbound_disabled="1")
    # That Inès, who may call outside, sends the call on before, changes nothing; and a call that there isn't is none to be joined.
    call = provider.call(DID, CLIENT)
    for phone, tone, next_one in ((one, 440, "103"), (third, 900, "101")):
        assert call.hears(tone, 0.1)
        phone.incoming().transfer(f"sip:{next_one}@boreale.example.com")
    again = one.incoming()
    assert again.hears(1000, 0.1)
    again.transfer(AGENCY)
    assert call.hears("speech", 0.6)
    call.hangup()
    assert handed_on(f"<{AGENCY}{NOBODYS}>") == "speech"
    assert len(provider.received) == 1
    # Help is help.
    assert handed_on("sip:911@boreale.example.com") == 1000
    assert (provider.received[-1].dialled, provider.received[-1].from_number) == ("911", "+15145550100")
    engine.wait_until(lambda: "0 active channels" in engine.cli("core show channels"), "all is over")


def test_a_call_that_is_sent_on_rings_there_and_not_once_more_where_it_rang(
    phones, provider, boreale, amelie, felix
):
    """Of somebody who takes one call at a time the devices are looked up, and kept."""
    save(amelie, available__accept_multiple_calls="0")
    one, other = phones.of(amelie, answer="at once", tone=440), phones.of(felix, answer="at once", tone=700)
    call = provider.call(DID, CLIENT)
    assert call.hears(440, 0.1)
    one.incoming().transfer("sip:102@boreale.example.com")
    assert call.hears(700, 0.3)
    assert (len(one.received), len(other.received)) == (1, 1)


def test_nobody_takes_the_call_of_a_colleague_with_a_code_that_the_portal_doesnt_know(
    phones, boreale, amelie, felix, ines
):
    save(ines, disabled="1")
    one, other, third = phones.of(amelie), phones.of(felix), phones.of(ines, register=False, tone=900)
    call = one.call("102")
    ringing = other.incoming()
    for code in ("*8", "*20*", "*20*102"):
        taken = third.call(code)
        assert heard_first(taken, 440, "speech") in (403, "speech"), code
        taken.hangup()
    assert not call.answered
    ringing.answer()
    assert call.answered_within(2)
    assert call.heard_for(900) == 0
