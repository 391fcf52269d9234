"""The scenarios of sipp with which load and odd answers are made: each is what it says, on an Asterisk that asks nobody."""

import pytest

from asterisk.engine.ports import UDP_AND_TCP, free_port
from asterisk.tests.fixed import DOMAIN
from asterisk.tests.phones import Phones
from asterisk.tests.sipp import User, playing, run

pytestmark = pytest.mark.calls
PEOPLE = [User(number, DOMAIN, f"auth{number}", "secret", callee="104") for number in ("101", "102", "105")]


@pytest.fixture
def phones(phone_store: Phones, fixed):
    """Phones that register with it."""
    phone_store.server = fixed.sip
    yield phone_store
    phone_store.release()


def test_registrations_are_counted_with_their_times(fixed):
    done = run("register", fixed.sip, PEOPLE, count=30, rate=100)
    assert (done.successful, done.failed) == (30, 0)
    assert done.mean_ms < 200
    assert 20 < done.rate < 110
    assert sum(done.spread.values()) == 30
    assert run("register", fixed.sip, PEOPLE, keys={"expires": "0"}).successful == 3


def test_a_wrong_password_is_counted_as_failed(fixed):
    done = run("register", fixed.sip, [User("101", DOMAIN, "auth101", "wrong")], count=2)
    assert (done.successful, done.failed) == (0, 2)


def test_calls_by_sipp_reach_phones_of_sipp(fixed):
    """Whoever is called registers from the port at which they are called."""
    port = free_port(UDP_AND_TCP)
    callee = [User("104", DOMAIN, "auth104", "secret")]
    assert run("register", fixed.sip, callee, port=port).successful == 1
    with playing("answer", port, count=6) as called:
        done = run("call", fixed.sip, PEOPLE, count=6, rate=10, lasting_ms=100, within=15)
        assert (done.successful, done.failed) == (6, 0)
        assert called.ended().successful == 6
    assert run("register", fixed.sip, callee, port=port, keys={"expires": "0"}).successful == 1


@pytest.mark.parametrize(
    ("status", "seen"),
    [
        ("408 Request Timeout", 408),
        ("500 Server Internal Error", 500),
        ("503 Service Unavailable", 503),
        ("603 Decline", 403),
    ],
)
def test_a_provider_refuses_with_any_code(fixed, phones, status, seen):
    amelie = phones.phone("101", DOMAIN, "auth101", "secret")
    with playing(
        "refuse", int(fixed.values["PROVIDER_PORT"]), address="127.0.0.2", keys={"status": status}, count=1
    ) as provider:
        call = amelie.call("5145550142")
        assert call.ended_within(5)
        assert call.code == seen
        assert provider.ended().successful == 1


def test_a_provider_redirects(fixed, phones):
    stranger = phones.stranger("900", "elsewhere.example", server=None)
    port = free_port(UDP_AND_TCP)
    keys = {"status": "302 Moved Temporarily", "more": "Contact: <sip:5145550188@127.0.0.9>"}
    with playing("refuse", port, keys=keys, count=1):
        call = stranger.call(f"sip:5145550142@127.0.0.1:{port}")
        assert call.ended_within(5)
        assert call.redirected_to == "sip:5145550188@127.0.0.9"


@pytest.mark.parametrize("password", ["secret", "wrong"])
def test_a_provider_wants_a_password_for_calls(phones, password):
    """A phone without anything between plays the SIP trunk."""
    port = free_port(UDP_AND_TCP)
    trunk = phones.phone(
        "account", "127.0.0.1", "account", password, server=("127.0.0.1", port), register=False
    )
    with playing("provider", port, keys={"username": "account", "password": "secret"}, count=1):
        call = trunk.call("5145550142")
        assert call.answered_within(5) == (password == "secret")
        call.hangup()
        assert call.code == (200 if password == "secret" else 403)


@pytest.mark.parametrize(("password", "code"), [("secret", 200), ("wrong", 403)])
def test_a_registrar_lets_in_who_has_the_password(phones, password, code):
    port = free_port(UDP_AND_TCP)
    trunk = phones.phone(
        "account", "127.0.0.1", "account", password, server=("127.0.0.1", port), register=False
    )
    with playing("registrar", port, keys={"username": "account", "password": "secret"}):
        assert trunk.register() == code
        if code == 200:
            assert trunk.unregister() == 200
