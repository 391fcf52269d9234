"""Where statuses send calls: all destinations, calls that must be accepted outside, calls given back to the trunk, a mobile that rings along."""

import pytest

from asterisk.tests.phones import heard_first
from asterisk.tests.saving import contract, did, people, save, system, trunk

pytestmark = pytest.mark.calls

CLIENT, FELIX, MOBILE, AGENCY = "4185550177", "+15145550124", "+15145550142", "+14185550199"


@pytest.fixture
def provider(phones, boreale):
    """The other side of the provider's trunk: a mobile at 1,200 Hz, everybody else at 1,000."""
    made = phones.trunk(answer="at once", tone=1000)
    trunk(made)
    return made


@pytest.fixture
def away(provider, boreale, felix):
    """Félix is away, with a number of his own and a mobile; `away(external=…, internal=…)` sends his calls somewhere."""
    did(boreale, FELIX, felix)
    save(felix, mobile=MOBILE, status="away", outbound_caller_id=FELIX)

    def send(**values):
        save(felix, **{f"away__divert_{side}": where for side, where in values.items()})

    return send


def test_each_destination_for_strangers_and_for_colleagues(
    phones, provider, away, boreale, amelie, felix, ines
):
    [zoe] = people(boreale, "104")
    system(boreale, "800", "ring_group", "103", "104")
    system(boreale, "801", "queue", "103")
    one, other = phones.of(amelie, tone=440), phones.of(felix, answer="at once", tone=700)
    phones.of(ines, answer="at once", tone=900)
    fourth = phones.of(zoe, answer="ring", tone=1100)
    contract(boreale, supports_deflection="1", sip_trunk_channels="20")

    def heard(*wanted):
        calls = provider.call(FELIX, CLIENT), one.call("102")
        found = tuple(heard_first(call, *({each} - {486})) for call, each in zip(calls, wanted, strict=True))
        for call in calls:
            call.hangup()
        return found

    leads = {
        "voicemail": "speech", "extension:103": 900, "extension:104?voicemail": "speech", "external:+14185550199": 1000,
        "system:800": 900, "system:801": 900, "busy": 486,
    }  # fmt: skip
    for (outside, at_outside), (inside, at_inside) in zip(
        leads.items(), [*list(leads.items())[1:], *list(leads.items())[:1]], strict=True
    ):
        away(external=outside, internal=inside)
        assert heard(at_outside, at_inside) == (at_outside, at_inside), (outside, inside)
    away(external="mobile", internal="same")
    assert heard(1000, 1000) == (1000, 1000)
    assert [call.dialled for call in provider.received[-2:]] == [MOBILE, MOBILE]
    away(external=f"external:{AGENCY}?deflect")
    call = provider.call(FELIX, CLIENT)
    assert call.ended_within(3)
    assert (call.code, call.redirected_to.partition("@")[0], call.answered) == (302, f"sip:{AGENCY}", False)
    # A colleague's call didn't come from the trunk: it can't be given back.
    assert heard_first(one.call("102"), 1000) == 1000
    assert other.rang == 0
    assert fourth.rang == 2


def test_a_forwarded_call_shows_who_calls_and_says_who_forwards(
    phones, provider, away, boreale, amelie, felix
):
    one = phones.of(amelie)
    away(external=f"external:{AGENCY}", internal="same")
    call = provider.call(FELIX, CLIENT)
    out = provider.incoming(within=3)
    assert (out.dialled, out.from_number, out.asserted_number) == (AGENCY, "+14185550177", "+14185550177")
    assert f"sip:{FELIX}@" in out.header("Diversion")
    call.hangup()
    anonymous = provider.call(FELIX, headers={"Privacy": "id"})
    out = provider.incoming(within=3)
    assert "anonymous" in out.from_uri
    assert f"sip:{FELIX}@" in out.header("Diversion")
    anonymous.hangup()
    one.call("102")
    out = provider.incoming(within=3)
    assert (out.from_number, out.from_name) == ("+15145550100", "")
    assert f"sip:{FELIX}@" in out.header("Diversion")


def test_a_call_that_must_be_accepted_is_announced_and_connected_with_1(phones, provider, away, boreale):
    away(external="mobile?bounce")
    provider.answers("at once", {FELIX: "ring"})
    call = provider.call(FELIX, CLIENT)
    asked = provider.incoming(within=3)
    assert (asked.dialled, asked.from_number) == (MOBILE, "+14185550177")
    assert f"sip:{FELIX}@" in asked.header("Diversion")
    assert asked.hears("speech", seconds=1)
    assert call.rings_within(1)
    assert not call.answered
    asked.dtmf("1")
    assert call.answered_within(3)
    assert call.hears(1000, seconds=0.3)
    assert asked.hears(1000, seconds=0.3)
    call.hangup()
    assert asked.ended_within(2)
    assert len(provider.received) == 1


def test_a_call_that_isnt_accepted_goes_to_the_voicemail_after_a_second_attempt(
    phones, provider, away, boreale
):
    away(external="mobile?bounce")
    call = provider.call(FELIX, CLIENT)
    asked = provider.incoming(within=3)
    assert asked.hears("speech", seconds=0.5)
    asked.dtmf("2")
    assert call.hears("speech", seconds=0.5)
    assert len(provider.received) == 1
    call.hangup()
    # Who is busy, or isn't reached, is tried a second time.
    for answer in ("busy", "480", "503"):
        before = len(provider.received)
        provider.answers(answer)
        call = provider.call(FELIX, CLIENT)
        assert call.hears("speech", seconds=0.3)
        assert len(provider.received) == before + 2
        call.hangup()
    # Whoever rejects it isn't asked again.
    provider.answers("decline")
    before = len(provider.received)
    call = provider.call(FELIX, CLIENT)
    assert call.hears("speech", seconds=0.3)
    assert len(provider.received) == before + 1


def test_while_somebody_is_asked_either_side_may_hang_up(phones, provider, away, boreale):
    away(external="mobile?bounce")
    call = provider.call(FELIX, CLIENT)
    asked = provider.incoming(within=3)
    assert asked.hears("speech", seconds=0.3)
    call.hangup()
    assert asked.ended_within(2)
    call = provider.call(FELIX, CLIENT)
    asked = provider.incoming(within=3)
    assert asked.hears("speech", seconds=0.3)
    asked.hangup()
    assert call.hears("speech", seconds=0.5)


def test_who_is_asked_hears_the_name_that_the_caller_recorded(phones, provider, away, boreale, felix):
    save(felix, call_screening="1")
    away(external="mobile?bounce")
    call = provider.call(FELIX, CLIENT, tone=600)
    assert call.hears("speech", seconds=0.5)
    asked = provider.incoming(within=15)
    assert asked.hears(600, seconds=0.5, within=8)
    asked.dtmf("1")
    assert call.hears(1000, seconds=0.3)


def test_a_mobile_rings_along_until_the_desk_phone_answers(phones, provider, boreale, amelie, felix):
    save(felix, mobile=MOBILE, outbound_caller_id=FELIX, available__ring_mobile="1")
    one, desk = phones.of(amelie, tone=440), phones.of(felix, tone=700)
    provider.answers("ring")
    call = one.call("102")
    mobile, ringing = provider.incoming(within=3), desk.incoming(within=3)
    assert (mobile.dialled, mobile.from_number) == (MOBILE, "+15145550100")
    assert f"sip:{FELIX}@" in mobile.header("Diversion")
    ringing.answer()
    assert mobile.ended_within(1)
    assert call.hears(700, seconds=0.3)
    call.hangup()
    # The mobile's own voicemail answers: nobody presses 1, the desk phone goes on ringing.
    provider.answers("at once")
    call = one.call("102")
    mobile, ringing = provider.incoming(within=3), desk.incoming(within=3)
    assert mobile.hears("speech", seconds=0.3)
    assert not call.answered
    assert not ringing.ended
    mobile.dtmf("1")
    assert call.hears(1000, seconds=0.3)
    assert ringing.ended_within(1)
    assert mobile.hears(440, seconds=0.3)
    call.hangup()
    assert mobile.ended_within(2)


def test_a_mobile_that_nobody_answers_in_person_is_no_answer_and_without_a_phone_it_rings_alone(
    phones, provider, boreale, amelie, felix, ines
):
    save(
        felix, mobile=MOBILE, available__ring_mobile="1", available__no_answer_internal="extension:103", available__no_answer_seconds="5",
    )  # fmt: skip
    one = phones.of(amelie)
    phones.of(ines, answer="at once", tone=900)
    call = one.call("102")
    asked = provider.incoming(within=3)
    assert asked.hears("speech", seconds=0.3)
    assert call.hears(900, seconds=0.3, within=8)
    assert asked.ended_within(1)
