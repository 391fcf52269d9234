"""Calls for help: whoever calls, whatever is blocked or broken, and as long as there is one way out."""

import socket

import pytest

from asterisk.tests.phones import heard_first
from asterisk.tests.saving import contract, hours, long_closed, save, trunk, trunk_at

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
