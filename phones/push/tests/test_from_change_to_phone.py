"""The main job with real processes: Celery workers, Valkey, sipp as the phone; and workers that are killed on
the way."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from phones import selectors, services
from phones.models import Phone
from phones.push import telling
from phones.push import worker as pushing
from phones.push.tests.test_notify import sipp
from phones.tests import factories
from phones.tests.desk import Desk
from phones.tests.factories import FACTS, again, fetch, fetched, make_phone, rename
from phones.tests.processes import shared_database, valkey, wait_until, worker
from users.models import Customer, User

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow("starts workers, a broker and sipp")]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """Addresses of the database and the broker."""
    with shared_database(tmp_path) as database, valkey(tmp_path) as broker:
        yield database, broker


@pytest.fixture
def phone(place: Any, boreale: Customer, amelie: User) -> Phone:
    """Amélie's phone, up to date."""
    return fetched(make_phone(boreale, amelie, factories.MAC))


@pytest.fixture
def boreale(place: Any) -> Customer:
    """The customer, made where other processes see it."""
    from users.tests.factories import make_customer

    return make_customer()


def put(phone: Phone, port: int) -> None:
    Phone.objects.filter(pk=phone.pk).update(sip_port=port)


def state(phone: Phone) -> str:
    return selectors.state(selectors.light(Phone.objects.filter(pk=phone.pk)).get()).kind


def test_a_saved_name_is_on_the_wire_within_a_second_and_on_the_phone_after_its_fetch(
    place: tuple[str, str], tmp_path: Path, phone: Phone, amelie: User
) -> None:
    with worker(tmp_path, *place) as running, Desk() as desk:
        put(phone, desk.port)
        # Once for what only the first task of a process does.
        rename(amelie, "Anne")
        wait_until(lambda: state(phone) == "notified", 10, "the first NOTIFY")
        fetch(phone)
        times = []
        for name in ("Annie", "Annick", "Amélie-Anne"):
            told = len(desk.events)
            rename(amelie, name)
            times.append(wait_until(lambda told=told: len(desk.events) > told, 10, "a NOTIFY"))
            wait_until(lambda: state(phone) == "notified", 10, "its outcome")
            assert name.encode() in fetch(phone).content
            assert state(phone) == "up_to_date"
        assert min(times) < 1.0, times
        assert set(desk.events) == {"check-sync;reboot=false"}
        assert len(desk.events) == 4
        # sipp, which isn't ours, takes it too, and finds no fault with it.
        with sipp("accepts") as (port, process):
            put(phone, port)
            rename(amelie, "Amélie")
            assert process.wait(10) == 0
        wait_until(lambda: state(phone) == "notified", 10, "the outcome")
        log = running.log.read_text()
        for secret in (phone.token, phone.web_password, amelie.sip_password):
            assert secret not in log


def test_a_worker_killed_in_the_middle_loses_no_change_and_sends_no_restart_twice(
    place: tuple[str, str], tmp_path: Path, boreale: Customer, phone: Phone, amelie: User, felix: User
) -> None:
    other = fetched(make_phone(boreale, felix))
    with Desk(status=None) as deaf:
        for one in (phone, other):
            put(one, deaf.port)
        with worker(tmp_path, *place, "first") as first:
            rename(amelie, "Anne")
            assert (
                services.phone_command(factories.provider(), again(other), Phone.Command.RESTART, FACTS) == ""
            )
            wait_until(lambda: len(deaf.events) == 2, 10, "the worker has claimed and is sending")
            first.kill()
        claim = again(phone).next_attempt_at
        assert claim is not None, "the claim stands, and ends by itself"
        assert 0 < (claim - timezone.now()).total_seconds() < pushing.sip.TIMEOUT + pushing.CLAIM_MARGIN + 1
    with Desk() as desk, worker(tmp_path, *place, "second"):
        for one in (phone, other):
            put(one, desk.port)
        # Time passes: the claims of the dead worker are over.
        Phone.objects.update(next_attempt_at=timezone.now())
        wait_until(lambda: state(phone) == "notified", 10, "the change is told")
        assert desk.events == ["check-sync;reboot=false"]
        assert deaf.events.count("check-sync;reboot=true") == 1
        # Nobody knows whether the phone took it: the page says so, and offers it again.
        assert selectors.perhaps_restarted(again(other), timezone.now() + selectors.SENDING_LASTS)
        assert b"Anne" in fetch(phone).content
        assert fetch(other).status_code == 200
        assert {state(phone), state(other)} == {"up_to_date"}


def test_a_change_that_was_saved_without_a_broker_is_told_all_the_same(
    place: tuple[str, str], tmp_path: Path, phone: Phone, amelie: User
) -> None:
    with Desk() as desk, worker(tmp_path, *place):
        put(phone, desk.port)
        telling.rest(60)
        begin = time.monotonic()
        rename(amelie, "Anne")
        assert time.monotonic() - begin < 1
        assert state(phone) == "waiting"
        wait_until(lambda: desk.events, 10, "a look at the outbox")
