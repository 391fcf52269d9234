"""Statuses, how ringing ends, and where a call goes then: by real calls."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from asterisk.receivers import stamp
from asterisk.tests.phones import heard_first, wait_for
from asterisk.tests.saving import hours, people, save
from forwarding.models import ForwardingRule
from pbxadmin.common.values.destinations import Destination
from users.models import User

pytestmark = pytest.mark.calls

STATUSES = {
    "available": "ring",
    "away": 900,
    "do_not_disturb": "busy",
    "lunch": 1000,
    "business_trip": "speech",
}


def test_each_status_does_with_a_call_what_its_own_rule_says(phones, boreale, amelie, felix, ines):
    [zoe] = people(boreale, "104")
    save(
        felix, available__busy_internal="busy", away__divert_internal="extension:103", do_not_disturb__divert_internal="busy",
        lunch__busy_internal="extension:104", business_trip__divert_internal="voicemail",
    )  # fmt: skip
    one, felix_phone = phones.of(amelie), phones.of(felix, answer="busy")
    third, fourth = phones.of(ines, tone=900, answer="at once"), phones.of(zoe, tone=1000, answer="at once")
    rings, rang = {"available": 1, "away": 1, "do_not_disturb": 1, "lunch": 2, "business_trip": 2}, {}
    for status in STATUSES:
        save(felix, status=status)
        call = one.call("102")
        expected = {"away": 900, "lunch": 1000, "business_trip": "speech"}.get(status)
        if expected:
            assert call.hears(expected, seconds=0.3), status
            call.hangup()
        else:
            assert call.ended_within(3), status
            assert call.code == 486
        # What the phone called and the one that calls tell comes by two ways.
        wait_for(lambda at=status: len(felix_phone.received) >= rings[at], 1)
        rang[status] = len(felix_phone.received)
    assert rang == rings
    assert (len(third.received), len(fourth.received)) == (1, 1)


def test_a_temporary_status_counts_until_it_ends(phones, boreale, amelie, felix, ines):
    save(felix, status="away", away__divert_internal="extension:103", available__busy_internal="busy")
    save(felix, status_until=(timezone.now() + timedelta(hours=1)).isoformat(), status_after="available")
    one, third = phones.of(amelie), phones.of(ines, tone=900, answer="at once")
    felix_phone = phones.of(felix, answer="busy")
    assert one.call("102").hears(900, seconds=0.3)
    # Its end comes; nothing else is changed, so that the same plan isn't just asked again.
    User.objects.filter(pk=felix.pk).update(status_until=timezone.now() + timedelta(milliseconds=300))
    stamp([boreale.pk])
    call = one.call("102")
    assert call.hears(900, seconds=0.4)
    after = one.call("102")
    assert after.ended_within(3)
    assert (after.code, felix_phone.rang, len(third.received)) == (486, 0, 2)
    assert len(felix_phone.received) == 1


ALL_WEEK = "; ".join(f"{day} 0:00-24:00" for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun"))


def test_the_schedule_switches_the_status_in_hours_breaks_outside_and_on_holidays(
    phones, boreale, amelie, felix, ines
):
    [zoe] = people(boreale, "104")
    save(
        felix, hours_mode="own", office_hours=ALL_WEEK, auto_switch_status="1", available__busy_internal="busy",
        away__divert_internal="extension:103", do_not_disturb__divert_internal="extension:104",
    )  # fmt: skip
    one, felix_phone = phones.of(amelie), phones.of(felix, answer="busy")
    phones.of(ines, tone=900, answer="at once"), phones.of(zoe, tone=1000, answer="at once")

    def heard():
        call = one.call("102")
        assert call.reaches("answered", 3) or call.code == 486
        return heard_first(call, 900, 1000)

    assert heard() == 486
    assert len(felix_phone.received) == 1
    save(felix, break_hours=ALL_WEEK)
    assert heard() == 900
    save(felix, office_hours="", break_hours="")
    assert heard() == 1000
    save(felix, office_hours=ALL_WEEK)
    today = timezone.localdate(timezone=ZoneInfo("America/Toronto")).isoformat()
    hours(boreale, holidays=f'[["{today}", "{today}", "Congé", true]]')
    assert heard() == 1000
    assert len(felix_phone.received) == 1


def test_outside_hours_who_is_away_has_their_own_voicemail_answer_where_the_box_says_so(
    phones, boreale, amelie, felix, ines
):
    save(felix, status="away", hours_mode="own", office_hours=ALL_WEEK, away__divert_internal="extension:103")
    save(felix, away__voicemail_out_of_hours_internal="1")
    one = phones.of(amelie)
    phones.of(ines, answer="at once", tone=900)

    def heard():
        call = one.call("102")
        found = heard_first(call, 900, "speech")
        call.hangup()
        return found

    assert heard() == 900
    save(felix, office_hours="")
    assert heard() == "speech"
    save(felix, away__voicemail_out_of_hours_internal="0")
    assert heard() == 900


def test_how_ringing_ends_says_where_a_call_goes_for_colleagues_and_for_strangers(phones, boreale, amelie):
    """Everybody is called at once; each way of ending leads to a colleague with another tone, and strangers to others than colleagues."""
    ends = {
        "110": "ring", "111": "480", "112": "302 to sip:103@boreale.example.com", "113": "busy", "114": "600", "115": "603", "116": "404",
        "117": "408", "118": "500", "119": "503", "120": "",
    }  # fmt: skip
    leads = {"no_answer": 500, "busy": 600, "not_registered": 700}
    expected = dict.fromkeys(("110", "111", "112"), 500) | dict.fromkeys(("113", "114", "115"), 600)
    expected |= dict.fromkeys(("116", "117", "118", "119", "120"), 700)
    called = people(boreale, *ends)
    inside = people(boreale, "130", "131", "132")
    save(
        called,
        available__no_answer_seconds=5,
        available__no_answer_internal="extension:130",
        available__busy_internal="extension:131",
    )
    not_registered(called, "extension:132")
    for person in called:
        if ends[person.number]:
            phones.of(person, answer=ends[person.number], tone=0)
    for person, tone in zip(inside, leads.values(), strict=True):
        phones.of(person, answer="at once", tone=tone)
    # A phone of this kind has four calls at most.
    callers = [phones.of(amelie, tone=0) for _ in range(3)]
    calls = {number: callers[at // 4].call(number) for at, number in enumerate(ends)}
    heard = {number: heard_first(call, 500, 600, 700, within=8) for number, call in calls.items()}
    assert heard == expected
    assert 4.8 < calls["110"].rang_for < 6


def not_registered(people, destination):
    """The tab writes it together with busy: only by the tables they can be told apart."""
    ForwardingRule.objects.filter(user__in=people).update(
        not_registered_internal=Destination.parse(destination)
    )
    stamp([people[0].customer_id])
