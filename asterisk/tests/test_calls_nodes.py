"""Two phone systems at one portal: each serves its own customers alone."""

from concurrent.futures import ThreadPoolExecutor
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from asterisk import nodes
from asterisk.tests.engine import started
from asterisk.tests.phones import heard_first
from asterisk.tests.saving import did, trunk
from users.tests.factories import FACTS, make_staff, make_user

pytestmark = pytest.mark.calls

OURS, THEIRS, CLIENT = "+15145550123", "+15145550199", "4185550177"


@pytest.fixture
def second(asterisk, engine_portal, engine, boreale, laurier, tmp_path):
    """The node of the customer Laurier; `engine` is that of Boréale."""
    with started("second", asterisk, engine_portal, tmp_path / "second") as made:
        engine.node.customers.add(boreale)
        made.node.customers.add(laurier)
        yield made


def test_a_node_neither_registers_nor_calls_nor_is_told_of_customers_that_are_another_nodes(
    phones, engine, second, boreale, laurier, amelie, felix
):
    provider = phones.trunk(answer="at once", tone=1000)
    trunk(provider)
    aline = make_user(laurier, "101", "Aline", "Laurier")
    did(boreale, OURS, amelie)
    did(laurier, THEIRS, aline)
    there = {"server": second.sip}
    one, theirs = (
        phones.of(amelie, answer="at once", tone=440),
        phones.of(aline, answer="at once", tone=900, **there),
    )
    # Each at its own.
    assert provider.call(OURS, CLIENT).hears(440, 0.2)
    assert one.call("4185550100").hears(1000, 0.2)
    assert theirs.call("4185550100").hears(1000, 0.2)
    # The other's lines, numbers and calls aren't there; whoever has their token is told nothing else.
    for person, elsewhere in ((felix, there), (aline, {})):
        phone = phones.of(person, register=False, **elsewhere)
        assert phone.register() in (401, 403)
        # As a stranger, who reaches SIP IDs alone.
        call = phone.call("911")
        assert heard_first(call, "speech", 1000) == "speech"
        call.hangup()
    from_there = phones.trunk(**there)
    came = from_there.call(OURS, CLIENT)
    assert heard_first(came, "speech", 440, 900) == "speech"
    came.hangup()
    from_there.call(THEIRS, CLIENT)
    assert theirs.incoming(within=3).from_number == "+14185550177"
    assert [len(each.received) for each in (one, theirs, provider)] == [1, 1, 2]
    assert laurier.fqdn.encode() in asked(second, f"call/{laurier.fqdn}/101/911/1")
    for path in (
        f"call/{boreale.fqdn}/101/911/1",
        f"in/1/{CLIENT}/%2B15145550123/1",
    ):
        assert boreale.fqdn.encode() not in asked(second, path), path


def test_a_node_that_has_no_token_any_more_is_answered_nothing(phones, engine, boreale, amelie, felix):
    one = phones.of(amelie)
    engine.node.delete()
    engine.wait_until(
        lambda: asked(engine, f"call/{boreale.fqdn}/101/102/1") is None, "its token has ended", 2.5
    )
    assert phones.of(felix, register=False).register() in (401, 403)
    assert heard_first(one.call("4185550188"), "speech") == "speech"


def test_another_token_is_taken_up_without_the_end_of_a_call_or_a_registration(
    phones, engine, boreale, amelie, felix
):
    manager = make_staff("chef@tic.example", staff_level="manager")
    one, other = phones.of(amelie, tone=440), phones.of(felix, answer="at once", tone=700)
    call = one.call("102")
    assert call.hears(700, 0.2)
    former = engine.values["NODE_TOKEN"]
    _node, engine.values["NODE_TOKEN"], _password = nodes.new_token(manager, engine.node.pk, FACTS)
    question = f"call/{boreale.fqdn}/101/102/1"
    # Until the node has the new one, the former one goes on; as docs/calls.md says, it begins anew once nobody talks any more.
    engine.configure()
    with ThreadPoolExecutor(1) as console:
        console.submit(engine.cli, "core stop when convenient")
        assert call.hears(700, call.heard_for(700) + 0.3)
        assert asked(engine, question, former)
        call.hangup()
        engine.wait_until(lambda: not engine.running, "it has ended by itself")
    engine.stop()
    engine.start()
    call = one.call("102")
    assert call.hears(700, 0.2)
    # Also where the former one is remembered.
    engine.wait_until(lambda: asked(engine, question, former) is None, "the former one has ended", 2.5)
    assert asked(engine, question)
    call.hangup()
    # Nobody who has had to prove who they are so far has to do so again.
    assert (len(one.registrations), len(other.registrations)) == (1, 1)


def asked(engine, path, token=""):
    """What the portal says to whoever has a node's token; None: nothing."""
    request = Request(
        f"{engine.values['PORTAL_URL']}/n/{path}",
        headers={"Authorization": f"Bearer {token or engine.values['NODE_TOKEN']}"},
    )
    try:
        with urlopen(request, timeout=5) as answer:
            return answer.read()
    except HTTPError:
        return None
