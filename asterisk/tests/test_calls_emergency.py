"""Calls for help: whoever calls, whatever is blocked or broken, and as long as there is one way out."""

import re
import socket
from time import monotonic

import pytest

from asterisk.engine.ports import UDP_AND_TCP, free_port, is_free
from asterisk.models import Errand
from asterisk.tests import sipp
from asterisk.tests.linked import working
from asterisk.tests.phones import heard_first
from asterisk.tests.saving import change_trunk, contract, hours, long_closed, people, save, trunk, trunk_at

pytestmark = pytest.mark.calls


def test_who_may_call_nobody_and_has_no_number_reaches_help_over_the_way_that_is_left(
    phones, boreale, amelie, felix
):
    first, second = (
        phones.trunk("127.0.0.2", answer="503"),
        phones.trunk("127.0.0.3", answer="at once", tone=1200),
    )
    trunk(first, position="1")
    trunk(second, position="2", channels="1")
    contract(boreale, sip_trunk_channels="1")
    for department in ("Accueil", "Soins"):
        hours(boreale, department, outbound_caller_id="")
    save(felix, block_outbound_out_of_hours="1", hours_mode="own", office_hours=f"mon {long_closed(boreale)}")
    save(amelie, disabled="1")
    one, other = phones.of(amelie, register=False), phones.of(felix)
    assert one.register() in (401, 403)
    # The only channel of the contract is taken by the first of them.
    for phone in (one, other):
        assert phone.call("911").hears(1200, 0.3)
        assert second.received[-1].dialled == "911"
    for caller in ("101", "102", "Tremblay", "Gagnon"):
        assert not any(caller in call.from_uri for call in second.received)
    assert heard_first(other.call("4185550188"), "speech", 1200) == "speech"
    # Whoever is busy there is called over the next way.
    first.answers("busy")
    assert one.call("911").hears(1200, 0.3)
    assert (len(first.received), len(second.received)) == (3, 3)


def test_a_sip_trunk_that_says_nothing_at_all_delays_a_call_for_help_by_seconds(phones, boreale, amelie):
    second = phones.trunk("127.0.0.3", answer="at once", tone=1200)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.2", 0))
        trunk_at("127.0.0.2", silent.getsockname()[1], position="1")
        trunk(second, position="2")
        assert phones.of(amelie).call("911").hears(1200, 0.3, within=9)


def remembered(engine):
    """The SIP trunks that the node doesn't have to ask for."""
    kept = [
        set(re.findall(r"trunk-([0-9]+)", engine.cli(f"sorcery memory cache dump res_pjsip/{kind}")))
        for kind in ("endpoint", "aor")
    ]
    return {int(key) for key in set.intersection(*kept)}


def test_ways_that_say_they_are_trying_and_nothing_more_are_left_after_eight_seconds_each(
    phones, gate, engine, boreale, amelie
):
    """Also while the portal is away and nobody is told of anything."""
    port = free_port(UDP_AND_TCP, "127.0.0.2")
    lines = {trunk_at("127.0.0.2", port, position="1").pk}
    second, third = (
        phones.trunk("127.0.0.3", answer="silent"),
        phones.trunk("127.0.0.4", answer="at once", tone=1200),
    )
    lines |= {trunk(second, position="2").pk, trunk(third, position="3").pk}
    one = phones.of(amelie)
    with working():
        engine.wait_until(
            lambda: not Errand.objects.exists() and remembered(engine) >= lines,
            "the node remembers its SIP trunks",
        )
    gate.shut()
    with sipp.playing("trying", port, address="127.0.0.2") as first:
        engine.wait_until(lambda: not is_free(port, UDP_AND_TCP, "127.0.0.2"), "the first one listens")
        began = monotonic()
        call = one.call("911")
        second.incoming(within=9.5)
        assert monotonic() - began > 7.5
        third.incoming(within=9.5)
        assert call.hears(1200, 0.3)
        # Cancelled at both: no second call of the same person waits at the rescuers.
        assert second.received[-1].ended
        engine.wait_until(lambda: sipp.counted(first.folder).successful == 1, "the first one hears it, too")


def test_a_way_that_rings_or_speaks_is_not_left_and_one_that_does_neither_is_left_by_other_calls_too(
    phones, boreale, amelie, felix, ines
):
    first = phones.trunk("127.0.0.2", answer="silent", answers={"911": "ring", "933": "early"}, tone=1000)
    second = phones.trunk("127.0.0.3", answer="at once", tone=1200)
    trunk(first, position="1")
    trunk(second, position="2")
    [zoe] = people(boreale, "104")
    save(ines, available__busy_internal="external:+14185550100")
    phones.of(ines, answer="decline")
    one, other, third = phones.of(amelie), phones.of(felix), phones.of(zoe)
    began = monotonic()
    calls = [one.call("911"), other.call("933")]
    outside = third.call("103")
    there = [first.incoming(within=3) for _ in range(3)]
    assert outside.hears(1200, 0.3, within=18)
    assert monotonic() - began > 14
    assert [each.dialled for each in second.received] == ["+14185550100"]
    assert not any(call.ended for call in calls)
    for each in there:
        if each.dialled in ("911", "933"):
            each.answer()
    assert all(call.hears(1000, 0.3) for call in calls)


def test_when_all_ways_that_a_node_remembers_fail_it_asks_for_those_there_are_now(phones, boreale, amelie):
    """Nobody has told the node of the second one: there is no link."""
    old, new = phones.trunk("127.0.0.2", answer="503"), phones.trunk("127.0.0.3", answer="at once", tone=1200)
    line = trunk(old)
    one = phones.of(amelie)
    change_trunk(line, enabled="0")
    trunk(new)
    assert one.call("911").hears(1200, 0.3)
    assert (old.received, new.received[-1].dialled) == ([], "911")
    # The only one there is has more time than eight seconds, once nothing else is left.
    new.answers("silent")
    call = one.call("9-911")
    new.incoming(within=3)
    again = new.incoming(within=10)
    assert not call.ended_within(9)
    again.answer()
    assert call.hears(1200, 0.3)
