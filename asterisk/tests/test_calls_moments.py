"""What happens at the worst moment: somebody hangs up, two answer at once, a device is unregistered. Nothing rings on and nothing stays."""

import pytest

from asterisk.tests.saving import did, save, trunk

pytestmark = pytest.mark.calls

FELIX, CLIENT, MOBILE = "+15145550124", "4185550177", "+15145550142"


@pytest.fixture
def provider(phones, boreale, felix):
    """Félix's mobile, and who calls his number."""
    made = phones.trunk(answer="ring", tone=1000)
    trunk(made)
    did(boreale, FELIX, felix)
    save(
        felix,
        mobile=MOBILE,
        available__ring_mobile="1",
        call_screening="1",
        away__divert_external="mobile?bounce",
    )
    return made


@pytest.fixture
def over(engine):
    """Waits until there is no channel any more."""
    return lambda: engine.wait_until(
        lambda: "0 active channels" in engine.cli("core show channels"), "over", 3
    )


def test_whoever_hangs_up_leaves_nothing_ringing_at_whatever_moment(
    phones, provider, over, boreale, amelie, felix
):
    one, devices = phones.of(amelie, tone=440), [phones.of(felix, tone=tone) for tone in (700, 900)]
    # At once, while the portal is asked.
    one.call("102").hangup()
    over()
    call = one.call("102")
    ringing = [each.incoming() for each in (*devices, provider)]
    call.hangup()
    assert all(each.ended_within(1) for each in ringing)
    over()
    # While the mobile is asked, and the devices ring.
    provider.answers("at once")
    call = one.call("102")
    ringing = [each.incoming() for each in (*devices, provider)]
    assert ringing[-1].hears("speech", 0.2)
    call.hangup()
    assert all(each.ended_within(1) for each in ringing)
    over()
    # While somebody says their name, or is about to.
    save(felix, status="away")
    asked = len(provider.received)
    for seconds in (0, 0.3, 1.5):
        call = provider.call(FELIX, CLIENT)
        assert call.answered_within(3)
        assert call.hears("speech", seconds)
        call.hangup()
        over()
    assert len(provider.received) == asked


def test_of_two_who_answer_in_the_same_moment_one_has_the_call_and_keeps_it_without_a_registration(
    phones, provider, over, boreale, amelie, felix
):
    one, other = phones.of(amelie, tone=440), phones.of(felix, tone=700)
    provider.answers("at once")
    call = one.call("102")
    ringing, mobile = other.incoming(), provider.incoming()
    assert mobile.hears("speech", 0.2)
    mobile.dtmf("1")
    ringing.answer()
    assert call.hears(700, 0.3) or call.hears(1000, 0.3)
    assert ringing.ended != mobile.ended
    call.hangup()
    assert ringing.ended_within(1)
    assert mobile.ended_within(1)
    over()
    provider.answers("decline")
    other.answers("at once")
    call = one.call("102")
    assert call.hears(700, 0.2)
    other.unregister()
    heard = call.heard_for(700)
    assert call.hears(700, heard + 0.3)
    call.hangup()
    assert other.received[-1].ended_within(1)
    over()


def test_a_phone_lists_a_call_as_missed_unless_another_device_took_it(phones, over, boreale, amelie, felix):
    one = phones.of(amelie, tone=440)
    left, right = (phones.of(felix, tone=tone) for tone in (700, 900))
    save(felix, available__no_answer_seconds="5")
    # Somebody gives up; then nobody answers in time.
    for give_up in (True, False):
        call = one.call("102")
        ringing = [each.incoming() for each in (left, right)]
        if give_up:
            call.hangup()
        assert all(each.ended_within(8) for each in ringing)
        assert not [each.reason for each in ringing if "elsewhere" in each.reason]
        call.hangup()
        over()
    # One of two takes it: the other one missed nothing.
    one.call("102")
    lost = left.incoming()
    right.incoming().answer()
    assert lost.ended_within(2)
    assert "elsewhere" in lost.reason
