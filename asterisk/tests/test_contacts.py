"""Devices that are written while their people are deleted, and devices that are to be registered no more."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from asterisk.engine.ports import free_port
from asterisk.link import contacts
from asterisk.link.told import Registered
from asterisk.models import Contact, Errand, Node
from asterisk.tests import linked
from asterisk.tests.manager import listing
from asterisk.tests.told import a_node
from phones.tests import factories
from phones.tests.processes import wait_until
from users.models import User
from users.people.sections import user_sheet
from users.road.removal import plan_removal, remove
from users.tests.factories import FACTS

pytestmark = [
    pytest.mark.postgresql,
    pytest.mark.django_db(transaction=True),
    pytest.mark.slow("waits for locks"),
]


def a_device(person: User) -> Registered:
    line = f"{person.number}@{person.customer.fqdn}"  # type: ignore[union-attr]
    return Registered(line, f"sip:{person.number}@192.0.2.7:5060", "192.0.2.7:5060", "", None)


def waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return cursor.fetchone() is not None


def test_whoever_is_deleted_while_a_device_of_theirs_is_written_is_deleted_and_the_others_are_written(
    known, boreale, amelie, felix
):
    node = a_node()

    def written() -> list[str]:
        try:
            return contacts.replace_all(node.pk, [a_device(amelie), a_device(felix)])
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            remove(plan_removal(factories.provider(), boreale, user_sheet(), [amelie.pk]), FACTS)
            writing = pool.submit(written)
            wait_until(waits_for_a_lock, 10, "the device waits for its person")
        assert writing.result(10) == ["102@boreale.example.com"]
    assert not User.objects.filter(pk=amelie.pk).exists()
    assert list(Contact.objects.values_list("user", flat=True)) == [felix.pk]
    assert Errand.objects.filter(node=node, kind="drop").exists()


def test_where_a_node_cant_be_told_which_devices_are_to_go_everything_else_goes_on(known, boreale, caplog):
    """Nothing answers at its ARI port: they are tried again, and the log says so."""
    manager = linked.a_manager()
    row = [
        "Endpoint: 101@boreale.example.com",
        "ObjectName: 101@boreale.example.com;@0f",
        "Uri: sip:101@192.0.2.7:5060",
    ]
    manager.answers["PJSIPShowContacts"] = lambda asked: listing(asked, "ContactList", row)
    node = linked.a_node(manager.port)
    Node.objects.filter(pk=node.pk).update(ari_port=free_port())
    for kind in ("drop", "forget"):
        Errand.objects.create(node=node, kind=kind, subject="101@boreale.example.com")
    try:
        with linked.working():
            wait_until(
                lambda: list(Errand.objects.values_list("kind", flat=True)) == ["left"],
                10,
                "all else is done",
            )
            assert Node.objects.filter(connected_at__isnull=False).exists()
    finally:
        manager.stop()
    assert "devices stay registered that shouldn't" in caplog.text
    assert [each["Action"] for each in manager.asked].count("Login") == 1
