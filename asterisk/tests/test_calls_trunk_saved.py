"""A SIP trunk is saved, and the portal goes away at that very moment: every line has its ways to 911, the new ones, as often as it calls."""

import pytest

from asterisk.models import Errand
from asterisk.tests.linked import working
from asterisk.tests.saving import change_trunk, trunk
from users.tests.factories import make_user

pytestmark = pytest.mark.calls


def done(engine):
    engine.wait_until(lambda: not Errand.objects.exists(), "the node was told")


def test_a_save_that_meets_an_outage_takes_no_line_its_ways_to_911(
    phones, gate, engine, boreale, laurier, amelie, felix
):
    first = phones.trunk("127.0.0.2", answer="at once", tone=1000)
    second = phones.trunk("127.0.0.3", answer="at once", tone=1200)
    theirs = phones.trunk("127.0.0.4", answer="at once", tone=900)
    line = trunk(first, position="1")
    trunk(second, position="2")
    trunk(theirs, laurier)
    aline = make_user(laurier, "101", "Aline", "Laurier")
    with working():
        done(engine)
        registered, other = phones.of(amelie), phones.of(aline)
        # Nothing of theirs is registered, but the node remembers the line.
        alone = phones.of(felix, register=False)
        call = alone.call("911")
        assert call.hears(1000, 0.3)
        call.hangup()
        done(engine)
        before = len(first.received)
        gate.shut()
        change_trunk(line, enabled="0")
        done(engine)
        for phone, tone in [(registered, 1200), (alone, 1200), (other, 900)] * 2:
            call = phone.call("911")
            assert call.hears(tone, 0.3)
            call.hangup()
        assert len(first.received) == before
        gate.open()
        # And what is asked when the portal is back is what it says then.
        change_trunk(line, enabled="1", position="1")
        done(engine)
        call = registered.call("911")
        assert call.hears(1000, 0.3)
        call.hangup()
