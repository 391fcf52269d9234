"""Calls out and in through SIP trunks: which numbers are seen, which calls aren't made, and emergency calls, which always are."""

from datetime import timedelta
from urllib.parse import quote

import pytest
from django.utils import timezone

from asterisk.models import Errand, PinEntry
from asterisk.tests.linked import working
from asterisk.tests.phones import heard_first
from asterisk.tests.saving import change_trunk, did, hours, long_closed, save, trunk
from voicemail.models import Mailbox

pytestmark = pytest.mark.calls

ALL_WEEK = "; ".join(f"{day} 0:00-24:00" for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun"))


@pytest.fixture
def provider(phones, boreale):
    """The other side of the provider's trunk."""
    made = phones.trunk(answer="at once", tone=1000)
    trunk(made)
    return made


def test_outside_calls_show_a_persons_number_else_the_departments_and_nobodys_name(
    phones, provider, boreale, amelie, felix
):
    save(amelie, outbound_caller_id="+15145550123")
    one, other = phones.of(amelie, tone=440), phones.of(felix)
    call = one.call("418%20555-0100")
    out = provider.incoming(within=3)
    assert (out.dialled, out.from_number, out.from_name) == ("+14185550100", "+15145550123", "")
    assert (out.asserted_number, out.header("Privacy")) == ("+15145550123", "")
    assert call.hears(1000, seconds=0.3)
    assert out.hears(440, seconds=0.3)
    call.hangup()
    other.call("011442079460000")
    out = provider.incoming(within=3)
    assert (out.dialled, out.from_number) == ("+442079460000", "+15145550100")


def test_without_any_number_a_call_goes_out_as_withheld(phones, provider, boreale, amelie):
    for department in ("Accueil", "Soins"):
        hours(boreale, department, outbound_caller_id="")
    phones.of(amelie).call("4185550100")
    out = provider.incoming(within=3)
    assert "101" not in out.from_uri
    assert "Tremblay" not in str(out.invite.text)
    assert "id" in out.header("Privacy")


def test_numbers_come_in_and_go_out_in_the_format_of_the_trunk(phones, boreale, amelie):
    did(boreale, "+15145550123", amelie)
    other_side = phones.trunk(answer="at once")
    line = trunk(other_side)
    phone = phones.of(amelie, answer="at once")
    for form, near, abroad in (
        ("national", "4185550100", "011442079460000"),
        ("plain", "14185550100", "442079460000"),
        ("e164", "+14185550100", "+442079460000"),
    ):
        change_trunk(line, number_format=form)
        for dialled, seen in (("4185550100", near), ("011%2044%2020%207946%200000", abroad)):
            call = phone.call(dialled)
            assert other_side.incoming(within=3).dialled == seen
            call.hangup()
        # Ten digits are a number of Peru's where country codes are written.
        for written in ("15145550123", "+15145550123", *(["5145550123"] if form != "plain" else [])):
            call = other_side.call(written, "4185550177")
            assert phone.incoming(within=3).from_number == "+14185550177"
            call.hangup()


def test_two_trunks_are_tried_one_after_the_other_and_a_customers_own_before_the_providers(
    phones, boreale, laurier, amelie
):
    first, second = (
        phones.trunk("127.0.0.2", answer="503"),
        phones.trunk("127.0.0.3", answer="at once", tone=1000),
    )
    own = phones.trunk("127.0.0.4", answer="at once", tone=1100)
    trunk(second, position="2")
    trunk(first, position="1")
    one = phones.of(amelie)
    call = one.call("4185550100")
    assert call.hears(1000, seconds=0.3)
    call.hangup()
    assert (len(first.received), len(second.received)) == (1, 1)
    # Whoever is busy there is busy, and isn't called a second time over another trunk.
    first.answers("busy")
    call = one.call("4185550100")
    assert call.ended_within(3)
    assert (call.code, len(second.received)) == (486, 1)
    line = trunk(own, boreale)
    assert one.call("4185550100").hears(1100, seconds=0.3)
    assert (len(first.received), len(second.received)) == (2, 1)
    change_trunk(line, enabled="0")
    first.answers("404"), second.answers("408")
    assert heard_first(one.call("4185550100"), "speech") == "speech"


def test_calls_that_arent_allowed_are_refused_in_words_and_colleagues_stay_reachable(
    phones, provider, boreale, amelie, felix
):
    one, other = phones.of(amelie), phones.of(felix, answer="at once", tone=700)
    own = did(boreale, "+15145550124", felix)

    def refused(dialled="4185550100"):
        call = one.call(dialled)
        heard = heard_first(call, "speech", 1000, 700)
        call.hangup()
        return heard == "speech" and not call.answered

    assert not refused()
    for premium in ("1-900-555-0100", "011%20881%206%201234%205678"):
        assert refused(premium), premium
    save(amelie, outbound_disabled="1")
    assert refused()
    save(
        amelie,
        outbound_disabled="0",
        block_outbound_out_of_hours="1",
        hours_mode="own",
        office_hours=ALL_WEEK,
    )
    assert not refused()
    save(amelie, office_hours=ALL_WEEK.replace("0:00-24:00", long_closed(boreale)))
    assert refused()
    assert refused("199")
    assert len(provider.received) == 2
    for dialled in ("102", "5145550124", own):
        call = one.call(dialled)
        assert call.hears(700, seconds=0.3), dialled
        call.hangup()
    assert len(provider.received) == 2
    assert len(other.received) == 3


def test_a_pin_opens_outside_calls_for_its_time(phones, provider, boreale, amelie):
    save(amelie, pin_protected="1", pin_protect_seconds="60")
    pin = Mailbox.objects.get(user=amelie).pin
    one = phones.of(amelie)

    def outside():
        call = one.call("4185550100")
        heard = heard_first(call, "speech", 1000)
        call.hangup()
        return heard

    assert outside() == "speech"
    call = one.call("777")
    assert call.hears("speech", seconds=0.3)
    call.dtmf("000000#")
    assert call.digits == ""
    call.hangup()
    assert not PinEntry.objects.exists()
    call = one.call("777")
    assert call.hears("speech", seconds=0.3)
    call.dtmf(f"{pin}#")
    assert call.ended_within(6)
    assert outside() == 1000
    PinEntry.objects.update(at=timezone.now() - timedelta(seconds=59))
    assert outside() == 1000
    PinEntry.objects.update(at=timezone.now() - timedelta(seconds=61))
    assert outside() == "speech"


EMERGENCY = {
    "911": "911", "9911": "911", "9-911": "911", "+911": "911", "1911": "911", "+1911": "911", "911#": "911", "(911)": "911", "91911": "911",
    "9 1 1": "911", "9.1.1": "911", "911,,1": "911", "/911": "911", "９１１": "911", "9/911": "911", "933": "933", "9933": "933",
}  # fmt: skip


def test_emergency_calls_pass_in_every_spelling_with_the_departments_number(
    phones, provider, boreale, amelie
):
    save(amelie, outbound_caller_id="+15145550123", outbound_disabled="1", pin_protected="1")
    one = phones.of(amelie)
    for spelling, dialled in EMERGENCY.items():
        call = one.call(quote(spelling, safe="()+,/.-"))
        out = provider.incoming(within=3)
        assert (out.dialled, out.from_number) == (dialled, "+15145550100"), spelling
        call.hangup()


def test_the_first_call_to_911_after_a_trunk_moved_goes_where_it_is_now(phones, engine, boreale, amelie):
    former, now = phones.trunk(answer="at once"), phones.trunk("127.0.0.4", answer="at once", tone=1000)
    line = trunk(former)
    one = phones.of(amelie)
    with working():
        engine.wait_until(lambda: not Errand.objects.exists(), "the node was told of the trunk")
        host = now.account.address
        change_trunk(line, host=host, port=str(now.port), networks=host)
        engine.wait_until(lambda: not Errand.objects.exists(), "the node was told that it moved")
    assert one.call("911").hears(1000, 0.3)
    assert (len(now.received), len(former.received)) == (1, 0)
