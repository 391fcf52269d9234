"""PINs that are typed on a phone to open calls outside: wrong ones, many of them, on several phones at once, however keys are sent."""

from urllib.request import Request, urlopen

import pytest

from asterisk.models import PinEntry
from asterisk.tests.phones import heard_first
from asterisk.tests.saving import people, save, trunk
from voicemail.models import Mailbox

pytestmark = pytest.mark.calls


def test_a_pin_is_tried_on_two_phones_at_once_and_after_too_many_wrong_ones_the_right_one_opens_nothing(
    phones, engine, boreale
):
    provider = phones.trunk(answer="at once", tone=1000)
    trunk(provider)
    # Somebody of this test alone: the portal counts for a quarter of an hour.
    [zoe] = people(boreale, "109")
    save(zoe, pin_protected="1", pin_protect_seconds="60")
    pin = Mailbox.objects.get(user=zoe).pin
    one, other = phones.of(zoe), phones.of(zoe)
    wrong, right = one.call("777"), other.call("777")
    for call in (wrong, right):
        assert call.hears("speech", 0.3)
    wrong.dtmf("000000#")
    right.dtmf(f"{pin}#", info=True)
    assert right.ended_within(6)
    assert PinEntry.objects.filter(user=zoe).count() == 1
    assert heard_first(other.call("4185550188"), 1000, "speech") == 1000
    assert not wrong.ended
    PinEntry.objects.all().delete()
    for _ in range(11):
        assert said(engine, zoe, "000000") == b"0"
    # The other phone is still being asked.
    wrong.dtmf(f"{pin}#")
    last = wrong.heard_for("speech")
    assert wrong.hears("speech", last + 0.5)
    assert said(engine, zoe, pin) == b"0"
    assert heard_first(one.call("4185550188"), 1000, "speech") == "speech"
    assert not PinEntry.objects.exists()


def said(engine, person, pin):
    """What the portal says of a PIN that a node sends."""
    line = f"{person.number}@{person.customer.fqdn}".replace("@", "%40")
    request = Request(
        f"{engine.values['PORTAL_URL']}/n/pin",
        f"line={line}&for=outside&pin={pin}".encode(),
        {"Authorization": f"Bearer {engine.values['NODE_TOKEN']}"},
    )
    with urlopen(request, timeout=5) as answer:
        return answer.read()
