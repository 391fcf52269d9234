"""The lamps with which calls are tested: they see ringing, talking and waiting messages, and a wrong password."""

import pytest

from asterisk.tests.fixed import DOMAIN
from asterisk.tests.lamps import Lamp, answer_to
from asterisk.tests.phones import Phones

pytestmark = pytest.mark.calls


@pytest.fixture
def phones(phone_store: Phones, fixed):
    """Phones that register with an Asterisk that asks nobody."""
    phone_store.server = fixed.sip
    yield phone_store
    phone_store.release()


def test_a_lamp_sees_that_somebody_is_rung_talks_and_has_ended(phones, fixed):
    felix = phones.phone("102", DOMAIN, "auth102", "secret")
    amelie = phones.phone("101", DOMAIN, "auth101", "secret")
    with Lamp(fixed.sip, "101", DOMAIN, "auth101", "secret", watched="102") as lamp:
        assert lamp.code == 200
        assert lamp.becomes("terminated")
        call = amelie.call("102")
        assert lamp.becomes("early")
        felix.incoming().answer()
        assert lamp.becomes("confirmed")
        call.hangup()
        assert lamp.becomes("terminated")
        assert lamp.subscribe() == 200
        assert len(lamp.notices) >= 4


def test_a_wrong_password_watches_nothing(fixed):
    with Lamp(fixed.sip, "101", DOMAIN, "auth101", "wrong", watched="102") as lamp:
        assert lamp.code == 401
        assert lamp.notices == []


def test_waiting_messages_are_watched(phones, fixed):
    with Lamp(fixed.sip, "106", DOMAIN, "auth106", "secret", watched="106", event="message-summary") as lamp:
        assert lamp.code == 200
        assert lamp.becomes(lamp.state)


def test_a_digest_is_that_of_the_rfc():
    """RFC 2617, 3.5, without qop as in RFC 2069: the response is then a function of these alone."""
    challenge = 'Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"'
    header = answer_to(challenge, "GET", "/dir/index.html", "Mufasa", "Circle Of Life")
    assert 'response="670fd8c2df070c60b045671b8b24ff02"' in header
