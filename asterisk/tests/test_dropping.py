"""Devices that are to be registered no more where ARI doesn't answer: tried again until it is done, with the reason where the node is looked
at; and which nodes read of a customer's lines."""

from datetime import timedelta

import pytest
from django.utils import timezone

from asterisk import nodes
from asterisk.engine.ports import free_port
from asterisk.link import dropping
from asterisk.link.status import status
from asterisk.models import Errand, FormerCustomer, Node
from asterisk.tests import linked
from asterisk.tests.linked import working
from asterisk.tests.manager import listing
from asterisk.tests.registering import Device
from asterisk.tests.saving import save
from asterisk.tests.told import a_node
from phones.tests.processes import wait_until
from users.people import reset
from users.tests.factories import FACTS, make_staff, make_user

LINE = "101@boreale.example.com"


def registered(engine):
    return engine.cli("database show registrar/contact")


@pytest.mark.calls
def test_devices_of_a_former_password_go_as_soon_as_ari_answers_and_those_of_the_new_one_stay(
    engine, known, boreale, amelie, felix
):
    line, right = f"101@{boreale.fqdn}", engine.node.ari_port
    Node.objects.filter(pk=engine.node.pk).update(ari_port=free_port())
    former, renewed, new = (
        Device(line, amelie.sip_auth_id, amelie.sip_password, engine.sip) for _ in range(3)
    )
    assert [former.register(), renewed.register()] == [200, 200]
    with working():
        reset.reset(reset.plan_reset(felix, boreale, [amelie.pk]), ["sip"], FACTS)
        left = Errand.objects.filter(kind="left").order_by("pk")
        engine.wait_until(lambda: left.count() == 2, "it couldn't be done")
        # Everything else goes on, and the node says why this doesn't.
        engine.wait_until(lambda: left.count() == Errand.objects.count(), "all else is done")
        said = status(Node.objects.get(pk=engine.node.pk))
        assert (said.healthy, "HTTP (ARI)" in said.trouble) == (True, True)
        assert former.address in registered(engine)
        amelie.refresh_from_db()
        for device in (renewed, new):
            device.auth_id, device.password = amelie.sip_auth_id, amelie.sip_password
            assert device.register(expires=200) == 200
        Node.objects.filter(pk=engine.node.pk).update(ari_port=right)
        engine.wait_until(lambda: not Errand.objects.filter(kind="left").exists(), "it is done", 15)
        there = registered(engine)
        assert [each.address in there for each in (former, renewed, new)] == [False, True, True]
        assert status(Node.objects.get(pk=engine.node.pk)).trouble == ""
    for device in (former, renewed, new):
        device.close()


@pytest.mark.slow("waits for a second try")
@pytest.mark.django_db(transaction=True)
@pytest.mark.postgresql
def test_a_registration_that_ended_by_itself_is_over(known, boreale, monkeypatch):
    monkeypatch.setattr(dropping, "AGAIN", 0.3)
    manager = linked.a_manager()
    there = [
        [f"Endpoint: {LINE}", f"ObjectName: {LINE};@0f", "Uri: sip:101@192.0.2.7:5060", "ExpirationTime: 1795840220"]
    ]  # fmt: skip
    manager.answers["PJSIPShowContacts"] = lambda asked: listing(asked, "ContactList", *there)
    node = linked.a_node(manager.port)
    Node.objects.filter(pk=node.pk).update(ari_port=free_port())
    Errand.objects.create(node=node, kind="drop", subject=LINE)
    try:
        with linked.working():
            wait_until(lambda: dropping.left(node.pk) == [f"{LINE};@0f 1795840220"], 10, "it is left")
            there.clear()
            wait_until(lambda: not Errand.objects.exists(), 10, "it is over")
            wait_until(lambda: Node.objects.get(pk=node.pk).ari_trouble == "", 10, "and the reason, too")
    finally:
        manager.stop()


@pytest.mark.django_db
def test_no_device_is_tried_for_longer_than_a_registration_lasts():
    node = a_node()
    dropping.note(node.pk, ["a 0", "b 0"], "silent")
    dropping.note(node.pk, ["a 0"], "silent")
    assert dropping.left(node.pk) == ["a 0", "b 0"]
    assert dropping.settle(node.pk, {"a 0"}, "silent")
    Errand.objects.update(created_at=timezone.now() - timedelta(minutes=71))
    assert not dropping.settle(node.pk, set(), "silent")
    assert (dropping.left(node.pk), Node.objects.get(pk=node.pk).ari_trouble) == ([], "")


@pytest.mark.django_db
def test_only_nodes_that_may_remember_a_line_read_of_it(known, boreale, laurier, amelie):
    everybodys, ours, theirs = a_node("everybodys"), a_node("ours"), a_node("theirs")
    ours.customers.set([boreale, laurier])
    theirs.customers.set([laurier])
    aline = make_user(laurier, "101", "Aline", "Laurier")
    manager = make_staff("chef@tic.example", staff_level="manager")

    def told(person):
        Errand.objects.all().delete()
        save(person, srtp="enforced" if person.srtp != "enforced" else "disabled")
        person.refresh_from_db()
        rows = Errand.objects.filter(kind="forget").order_by("node__name")
        assert set(rows.values_list("subject", flat=True)) == {f"101@{person.customer.fqdn}"}
        return list(rows.values_list("node__name", flat=True))

    def serve(node, *customers):
        done = nodes.change(
            manager, Node.objects.get(pk=node.pk), {"customers": [each.slug for each in customers]}, FACTS
        )
        assert done.outcome.name == "SAVED", done.plan.rows[0].sentences

    assert told(amelie) == ["everybodys", "ours"]
    assert told(aline) == ["everybodys", "ours", "theirs"]
    # What a node served until now it may still remember; for a week.
    serve(ours, laurier)
    serve(everybodys, boreale)
    assert told(amelie) == ["everybodys", "ours"]
    assert told(aline) == ["everybodys", "ours", "theirs"]
    FormerCustomer.objects.update(until=timezone.now() - timedelta(days=9))
    assert told(amelie) == ["everybodys"]
    assert told(aline) == ["ours", "theirs"]
    # Who is served again, or everybody, is nobody of then.
    serve(everybodys, laurier)
    former = FormerCustomer.objects.order_by("node__name")
    assert list(former.values_list("node__name", "customer__slug")) == [
        ("everybodys", "boreale"), ("ours", "boreale"),
    ]  # fmt: skip
    serve(everybodys)
    serve(ours, boreale, laurier)
    assert not FormerCustomer.objects.exists()
