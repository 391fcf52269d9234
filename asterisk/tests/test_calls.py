"""What the tabs say is what happens to a call: each option by a call of real phones through a real Asterisk."""

from typing import Any

import pytest

from asterisk.receivers import stamp
from forwarding.models import ForwardingRule
from pbxadmin.common.values.destinations import Destination
from users.models import Did, User

pytestmark = pytest.mark.calls

OUTSIDE = "+15145550199"


def rule(person: User, status: str = "available", **values: Any) -> None:
    """What one status of somebody does with calls, as the tab would write it."""
    ForwardingRule.objects.filter(user=person, status=status).update(
        **{
            name: Destination.parse(v) if isinstance(v, str) and not name.startswith("greeting") else v
            for name, v in values.items()
        }
    )
    stamp([person.customer_id])


def person_is(person: User, **values: Any) -> None:
    User.objects.filter(pk=person.pk).update(**values)
    stamp([person.customer_id])


@pytest.fixture
def provider(phones, boreale):
    """A provider's trunk to the public network."""
    from asterisk.models import Trunk

    trunk = phones.trunk(answer="at once", tone=1000)
    Trunk.objects.create(
        name="Fournisseur", host="127.0.0.2", port=trunk.port, networks="127.0.0.2/32", channels=10
    )
    return trunk


def test_a_colleague_is_called_by_their_extension_and_sees_who_calls(phones, boreale, amelie, felix):
    one, other = phones.of(amelie, tone=440), phones.of(felix, tone=700, answer="after 1")
    call = one.call("102")
    heard = other.incoming(within=3)
    assert (heard.from_number, heard.from_name) == ("101", "Amélie Tremblay")
    assert call.answered_within(5)
    assert call.hears(700, seconds=1)
    assert heard.hears(440, seconds=1)
    call.hangup()
    assert heard.ended_within(2)


@pytest.mark.parametrize(
    ("answer", "column"),
    [
        ("ring", "no_answer"),
        ("busy", "busy"),
        ("decline", "busy"),
        ("480", "no_answer"),
        ("404", "not_registered"),
    ],
)
def test_how_ringing_ends_says_where_the_call_goes(phones, boreale, amelie, felix, ines, answer, column):
    rule(felix, no_answer_seconds=5, **{f"{column}_internal": "extension:103"})
    one = phones.of(amelie)
    phones.of(felix, answer=answer)
    third = phones.of(ines, tone=900, answer="at once")
    call = one.call("102")
    assert third.incoming(within=8).from_number == "101"
    assert call.hears(900, seconds=0.5)


def test_who_has_no_phone_registered_is_not_rung(phones, boreale, amelie, felix, ines):
    rule(felix, not_registered_internal="extension:103")
    third = phones.of(ines, tone=900, answer="at once")
    phones.of(amelie).call("102")
    assert third.incoming(within=3)


def test_a_call_from_outside_rings_whose_number_it_is(phones, provider, boreale, amelie):
    Did.objects.create(customer=boreale, number="+15145550123", user=amelie)
    phone = phones.of(amelie, tone=440, answer="at once")
    call = provider.call("5145550123", "4185550100")
    assert phone.incoming(within=3).from_number == "+14185550100"
    assert call.hears(440, seconds=0.5)


def test_an_outside_call_shows_the_callers_number(phones, provider, boreale, amelie):
    person_is(amelie, outbound_caller_id="+15145550123")
    call = phones.of(amelie).call("4185550100")
    out = provider.incoming(within=3)
    assert (out.dialled, out.from_number, out.from_name) == ("+14185550100", "+15145550123", "")
    assert call.hears(1000, seconds=0.5)


def test_the_voicemail_answers_with_its_own_words(phones, boreale, amelie, felix):
    call = phones.of(amelie).call("102")
    assert call.answered_within(3)
    assert call.hears("speech", seconds=1)


def test_a_status_dialled_on_the_phone_is_the_persons_status(phones, boreale, amelie):
    call = phones.of(amelie).call("*32")
    assert call.answered_within(3)
    assert call.hears("speech", seconds=0.3)
    amelie.refresh_from_db()
    assert amelie.status == "do_not_disturb"


def test_an_emergency_call_asks_the_portal_nothing(phones, provider, boreale, amelie):
    phones.of(amelie, tone=440).call("9911")
    assert provider.incoming(within=3).dialled == "911"
