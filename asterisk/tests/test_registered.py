"""The registered devices on a person's tabs: as nodes tell them, and honest where no node can be heard."""

from datetime import timedelta
from html import unescape

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from asterisk.models import Contact, Node
from asterisk.tests.told import a_node
from forwarding.asking import plan_call
from forwarding.calls import FromExtension
from forwarding.decisions import Ring
from forwarding.simulator import State, WhatIf
from forwarding.snapshot import CustomerDirectory
from phones.tests import factories as phone_factories
from signin.tests.signing import sign_in_fully

pytestmark = pytest.mark.django_db
URL = "/c/boreale/users/101/phones/devices"
YEALINK, APP = "Yealink SIP-T54W 96.86.0.45 80:5e:c0:aa:bb:01", "Linphone/5.2"


@pytest.fixture
def owner(known, felix):
    cache.clear()
    return sign_in_fully(Client(), felix)


def linked(name="montreal", heard=timedelta()):
    node = a_node(name)
    now = timezone.now()
    Node.objects.filter(pk=node.pk).update(connected_at=None if heard else now, heard_at=now - heard)
    return node


def registered(node, person, agent, address="192.0.2.7:5060", ends=timedelta(minutes=5)):
    now = timezone.now()
    return Contact.objects.create(
        node=node, user=person, uri=f"sip:101@{address}", address=address, user_agent=agent, since=now, expires_at=now + ends
    )  # fmt: skip


def shown(client, **query):
    answer = client.get(URL, query, headers={"accept-language": "en", "hx-request": "true"})
    assert answer.status_code == 200
    return " ".join(unescape(answer.content.decode()).split())


def test_devices_show_with_address_and_what_they_say_they_are(owner, boreale, amelie):
    node = linked()
    phone = phone_factories.make_phone(boreale, amelie, "805ec0aabb01")
    registered(node, amelie, YEALINK)
    registered(node, amelie, APP, "203.0.113.9:40011")
    text = shown(owner)
    for said in (
        YEALINK,
        "192.0.2.7:5060",
        APP,
        "203.0.113.9:40011",
        phone.mac_with_colons,
        "App or other device",
    ):
        assert said in text
    assert "connected" not in text
    assert "This phone" in shown(owner, phone=phone.mac)
    assert "This phone" not in shown(owner, phone="805ec0aabb99")


def test_a_persons_tabs_have_them_in_the_page_and_ask_for_news_of_them(owner, boreale, amelie):
    phone = phone_factories.make_phone(boreale, amelie, "805ec0aabb01")
    node = linked()
    registered(node, amelie, YEALINK)
    registered(node, amelie, APP, "203.0.113.9:40011")
    for tab, address, is_this in (("phone", f"{URL}?phone={phone.mac}", True), ("options", URL, False)):
        page = owner.get(f"/c/boreale/users/101/{tab}", headers={"accept-language": "en"}).content.decode()
        assert YEALINK in page
        assert APP in page
        assert f'hx-get="{address}"' in page
        assert ("This phone" in page) == is_this
        assert "No device is registered." not in page


def test_the_tab_of_a_person_without_a_phone_has_them_too(owner, amelie):
    registered(linked(), amelie, APP)
    assert APP in owner.get("/c/boreale/users/101/phone").content.decode()


def test_they_have_a_page_of_their_own(owner, amelie):
    registered(linked(), amelie, APP)
    page = owner.get(URL).content.decode()
    assert "<title>" in page
    assert APP in page


def test_nothing_is_registered_where_a_node_says_so(owner, amelie):
    node = linked()
    registered(node, amelie, APP, ends=-timedelta(minutes=5))
    assert "No device is registered." in shown(owner)
    assert APP not in shown(owner)


def test_without_any_node_one_sentence_says_that_nothing_is_known(owner, amelie):
    text = shown(owner)
    assert "No phone system is connected to the portal yet" in text
    assert "No device is registered" not in text


def test_while_no_node_can_be_heard_the_last_that_was_known_is_said_to_be_that(owner, amelie):
    node = linked(heard=timedelta(hours=2))
    registered(node, amelie, APP, ends=-timedelta(hours=1))
    text = shown(owner)
    assert "The phone system isn't connected: what is registered isn't known since" in text
    assert APP in text
    assert 'class="state ok"' not in text
    Contact.objects.all().delete()
    assert "No device is registered" not in shown(owner)


def test_a_node_that_never_was_connected_tells_nothing(owner, amelie):
    a_node()
    assert "isn't connected: what is registered isn't known." in shown(owner)


def test_one_of_two_nodes_that_is_silent_is_told_apart(owner, amelie):
    registered(linked("montreal"), amelie, APP)
    linked("toronto", heard=timedelta(hours=2))
    text = shown(owner)
    assert "A part of the phone system isn't connected" in text
    assert APP in text


def test_what_a_device_says_is_text(owner, amelie):
    registered(linked(), amelie, "<script>alert(1)</script>")
    assert "<script>" not in owner.get(URL, headers={"hx-request": "true"}).content.decode()


def test_devices_of_others_do_not_show(owner, laurier, boreale, felix, amelie):
    registered(linked(), felix, APP)
    assert APP not in shown(owner)


def test_many_devices_cost_as_many_questions_as_one(owner, boreale, amelie):
    node = linked()
    phone_factories.make_phone(boreale, amelie, "805ec0aabb01")
    registered(node, amelie, YEALINK)
    shown(owner)

    def asked():
        with CaptureQueriesContext(connection) as queries:
            shown(owner)
        return len(queries)

    few = asked()
    for number in range(10):
        registered(node, amelie, APP, f"203.0.113.9:{number + 1000}")
    assert asked() == few


def test_nodes_of_other_customers_leave_what_is_known_as_it_is(owner, laurier, amelie):
    linked("toronto", heard=timedelta(hours=2)).customers.set([laurier])
    registered(linked("montreal"), amelie, APP)
    text = shown(owner)
    assert APP in text
    assert "isn't connected" not in text


def test_an_app_that_is_registered_rings_in_the_simulator_beside_a_phone_that_never_came(
    owner, boreale, amelie
):
    node = linked()
    phone_factories.make_phone(boreale, amelie, "805ec0aabb01")

    def rings():
        return [device.key for device in CustomerDirectory(boreale).user("101").devices if device.seen]

    assert rings() == []
    mine = registered(node, amelie, YEALINK)
    assert rings() == [], "it isn't known to have come for its file, and is no app"
    app = registered(node, amelie, APP, "203.0.113.9:40011")
    assert rings() == ["app:101"]
    planned = plan_call(boreale, FromExtension("102"), "101", timezone.now(), WhatIf("101", State.NO_ANSWER))
    assert isinstance(planned.plan.steps()[1], Ring)
    Contact.objects.filter(pk=app.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert rings() == []
    mine.delete()


# --- Beside the names of people ---------------------------------------------------------------------------------------
def listed(client):
    answer = client.get("/c/boreale/users/", headers={"accept-language": "en"})
    return " ".join(unescape(answer.content.decode()).split())


def chip(client):
    answer = client.get(reverse("phones_state", args=["boreale", "101"]), headers={"accept-language": "en"})
    return " ".join(unescape(answer.content.decode()).split())


def test_who_has_no_phone_but_an_app_that_is_registered_is_said_to_have_that(owner, boreale, amelie):
    node = linked()
    assert "app registered" not in listed(owner)
    assert "no phone" in chip(owner)
    registered(node, amelie, APP)
    for text in (listed(owner), chip(owner)):
        assert '<span class="state ok"><span>app registered</span></span>' in text
    Node.objects.update(connected_at=None, heard_at=timezone.now() - timedelta(hours=1))
    assert "app registered, as last known" in listed(owner)
    assert "app registered, as last known" in chip(owner)
    Contact.objects.update(user_agent=YEALINK)
    assert "device registered, as last known" in chip(owner)
    phone_factories.make_phone(boreale, amelie, "805ec0aabb01")
    assert "registered, as last known" not in listed(owner) + chip(owner)


def test_what_of_an_app_has_ended_is_registered_no_more(owner, amelie):
    registered(linked(), amelie, APP, ends=-timedelta(minutes=5))
    assert "no phone" in chip(owner)


def test_many_people_with_an_app_cost_the_list_as_many_questions_as_one(owner, boreale, amelie, ines):
    def asked():
        with CaptureQueriesContext(connection) as queries:
            listed(owner)
        return len(queries)

    registered(node := linked(), amelie, APP)
    listed(owner)
    few = asked()
    registered(node, ines, APP, "203.0.113.9:40011")
    assert asked() == few
