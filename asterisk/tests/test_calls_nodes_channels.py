"""One customer at two phone systems: the channels of the contract are there once."""

from datetime import timedelta

import pytest
from django.utils import timezone

from asterisk.asked import standing
from asterisk.link import channels
from asterisk.models import ChannelsInUse, Node
from asterisk.tests.engine import started
from asterisk.tests.linked import working
from asterisk.tests.phones import heard_first
from asterisk.tests.saving import contract, did, trunk
from asterisk.tests.told import a_node

OURS, CLIENT = "+15145550123", "4185550177"


@pytest.fixture
def second(asterisk, engine_portal, engine, tmp_path):
    """Another node beside `engine`; both serve everybody."""
    with started("second", asterisk, engine_portal, tmp_path / "second") as made:
        yield made


@pytest.mark.calls
def test_channels_in_use_at_one_node_are_taken_at_the_other_too_but_for_calls_to_911(
    phones, engine, second, boreale, amelie, felix
):
    contract(boreale, sip_trunk_channels="1")
    provider = phones.trunk(answer="at once", tone=1000)
    trunk(provider)
    did(boreale, OURS, felix)
    one = phones.of(amelie)
    other = phones.of(felix, server=second.sip, answer="at once", tone=700)
    provider_there = phones.trunk(server=second.sip)

    def in_use(*expected):
        rows = ChannelsInUse.objects.values_list("node__name", "channels")
        engine.wait_until(lambda: sorted(rows.all()) == sorted(expected), "channels in use are known", 4)

    with working():
        engine.wait_until(lambda: Node.objects.filter(connected_at=None).count() == 0, "both are linked")
        first = one.call("4185550188")
        assert first.hears(1000, 0.3)
        in_use(("pbx", 1))
        # The only channel is taken at the other node: in neither direction is there one more.
        assert heard_first(other.call("4185550188"), "speech", 1000) == "speech"
        refused = provider_there.call(OURS, CLIENT)
        assert refused.ended_within(3)
        assert refused.code == 503
        # Help takes none away, and waits for none.
        help_ = other.call("911")
        assert help_.hears(1000, 0.3)
        assert provider.received[-1].dialled == "911"
        help_.hangup()
        # Where it was used it is free at once, and at the other node a second later.
        first.hangup()
        in_use()
        again = other.call("4185550188")
        assert again.hears(1000, 0.3)
        in_use(("second", 1))
        assert heard_first(one.call("4185550188"), "speech", 1000) == "speech"
    # What was counted at a node that isn't heard any more limits nobody.
    assert one.call("4185550188").hears(1000, 0.3)


def test_what_a_node_counts_is_read_out_of_its_table():
    said = [
        "Channel                    Group                 Category            ",
        "PJSIP/trunk-4-00000001     boreale               contract            ",
        "PJSIP/trunk-4-00000001     trunk-4               trunk               ",
        "PJSIP/trunk-4-0000000b     boreale               contract            ",
        "PJSIP/a-very-long-name-of-a-trunk-00000002  laurier               contract            ",
        "3 active channels",
    ]
    assert channels.counted(said) == {"boreale": 2, "laurier": 1}


@pytest.mark.django_db
def test_a_node_says_nothing_of_customers_that_it_does_not_serve(boreale, laurier):
    ours, theirs = a_node("ours"), a_node("theirs")
    theirs.customers.set([laurier])
    channels.write(theirs.pk, {"boreale": 30, "laurier": 2, "nobody": 4})
    channels.write(ours.pk, {"boreale": 3})
    rows = ChannelsInUse.objects.order_by("pk").values_list("node__name", "customer__slug", "channels")
    assert list(rows) == [("theirs", "laurier", 2), ("ours", "boreale", 3)]
    channels.write(theirs.pk, {})
    assert [row[0] for row in rows.all()] == ["ours"]
    theirs.delete()
    channels.write(theirs.pk, {"laurier": 2})
    assert [row[0] for row in rows.all()] == ["ours"]


@pytest.mark.django_db
def test_it_costs_a_plan_no_further_question(boreale, django_assert_num_queries):
    here, there = a_node("here"), a_node("there")
    now = timezone.now()
    Node.objects.update(connected_at=now, heard_at=now)
    channels.write(there.pk, {"boreale": 3})
    channels.write(here.pk, {"boreale": 5})
    standing.of_host(boreale.fqdn, here.pk)
    with django_assert_num_queries(1):
        assert standing.of_host(boreale.fqdn, here.pk)[1] == 3
    Node.objects.update(heard_at=now - timedelta(seconds=11))
    assert standing.of_host(boreale.fqdn, here.pk)[1] == 0
