"""A customer's contract shows its own SIP trunks, the calls that go on and its numbers; nothing of others, and nothing to change there."""

from datetime import timedelta
from html import unescape

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from asterisk.calls import planned
from asterisk.models import Node, Trunk
from asterisk.tests.told import a_node, noted
from asterisk.trunks import contract, states
from signin.tests.signing import sign_in_fully
from users.models import Did

pytestmark = pytest.mark.django_db
CONTRACT = "/c/boreale/settings/contract"


@pytest.fixture
def owner(known, felix):
    cache.clear()
    return sign_in_fully(Client(), felix)


@pytest.fixture
def desk(known, staff):
    cache.clear()
    return sign_in_fully(Client(), staff)


def shown(client, address=CONTRACT):
    answer = client.get(address, headers={"accept-language": "en"})
    assert answer.status_code == 200
    text = " ".join(unescape(answer.content.decode()).split())
    return text[text.index('id="sip-trunks"') :]


def trunk(customer, name, **values):
    return Trunk.objects.create(customer=customer, name=name, host="sip.nord.example", **values)


def test_its_own_sip_trunks_show_with_their_state_and_no_others(owner, boreale, laurier):
    montreal = a_node()
    Node.objects.filter(pk=montreal.pk).update(connected_at=timezone.now(), heard_at=timezone.now())
    north, south = (
        trunk(boreale, "Nord", channels=12, trunk_password="hunter2"),
        trunk(boreale, "Sud", enabled=False),
    )
    trunk(laurier, "Ailleurs")
    trunk(None, "Commune")
    states.tell(montreal, {north.pk: (False, "no answer"), south.pk: (True, "")}, timezone.now())
    text = shown(owner)
    for said in ("Nord", "sip.nord.example", ">12<", "Doesn't answer", "Sud", "Not in use"):
        assert said in text
    for other in ("Ailleurs", "Commune", "hunter2", "They go over"):
        assert other not in text


def test_who_has_none_in_use_is_told_over_what_calls_go(owner, boreale):
    assert "No SIP trunk is in use: nobody outside can be called, not even 911." in shown(owner)
    trunk(None, "Commune")
    trunk(boreale, "Sud", enabled=False)
    text = shown(owner)
    assert "They go over the provider's SIP trunks." in text
    assert "Commune" not in text


def test_numbers_that_lead_to_nobody_are_plain_to_see(owner, boreale, amelie):
    Did.objects.filter(customer=boreale).update(user=amelie, system_extension=None)
    assert "nassigned" not in shown(owner)
    free = Did.objects.create(customer=boreale, number="+15145550199")
    text = shown(owner)
    assert "1 unassigned number" in text
    assert f"/c/boreale/numbers/{free.pk}" in text
    assert "/c/boreale/numbers/?free=1" in text
    for last in range(contract.NAMED):
        Did.objects.create(customer=boreale, number=f"+1514555018{last}")
    text = shown(owner)
    assert f"{contract.NAMED + 1} unassigned numbers" in text
    assert "…" in text


def test_calls_with_the_outside_are_counted_beside_the_channels_of_the_contract(owner, boreale, amelie):
    boreale.sip_trunk_channels = 4
    boreale.save()
    planned.write([
        noted(boreale, "1", "101", "5145550188"), noted(boreale, "2", "101", "102"), noted(boreale, "3", "+14185550100", "+15145550110"),
        noted(boreale, "4", "101", "5145550188", at=timezone.now() - timedelta(hours=5)),
    ])  # fmt: skip
    assert "2, of 4 channels in the contract" in shown(owner)


def test_what_goes_on_is_as_last_known_while_the_phone_system_is_not_heard(owner, boreale):
    node = a_node()
    Node.objects.filter(pk=node.pk).update(connected_at=timezone.now(), heard_at=timezone.now())
    assert "As last known" not in shown(owner)
    Node.objects.update(connected_at=None)
    assert "0, of" in shown(owner)
    assert "As last known" in shown(owner)


def test_only_who_may_change_them_is_led_to_where(owner, desk, boreale):
    trunk(boreale, "Nord")
    way = "/support/asterisk/trunk/?customer=boreale"
    assert way in shown(desk)
    assert way not in shown(owner)
    assert "<form" not in shown(owner)


def test_many_sip_trunks_and_numbers_cost_as_many_questions_as_one(known, felix, boreale):
    def asked():
        with CaptureQueriesContext(connection) as queries:
            contract.panel(felix, boreale)
        return len(queries)

    trunk(boreale, "Nord")
    Did.objects.create(customer=boreale, number="+15145550199")
    few = asked()
    for number in range(5):
        trunk(boreale, f"Nord {number}")
        Did.objects.create(customer=boreale, number=f"+1514555018{number}")
    assert asked() == few
