"""Devices that are written while their people are deleted."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from asterisk.link import contacts
from asterisk.link.told import Registered
from asterisk.models import Contact, Errand
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
