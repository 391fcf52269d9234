"""The background of a worker: who is silent, slow or restarting costs the others nothing."""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from django.db import DatabaseError
from django.utils import timezone

from phones.models import Phone
from phones.push import outbox as marks
from phones.push import pusher, tasks, worker
from phones.push.pusher import Pusher
from phones.push.tests.steps import place
from phones.tests.desk import Desk, answer
from phones.tests.factories import again, fetched, make_phone, outbox, rename
from phones.tests.processes import wait_until
from users.models import Customer, User

pytestmark = [pytest.mark.django_db, pytest.mark.slow("makes an office of thirty people and their phones")]

# The background has a connection of its own: what a test writes must be committed.
committed = pytest.mark.django_db(transaction=True)


@pytest.fixture
def running() -> Iterator[Pusher]:
    """The background of this process, which sees what the test commits."""
    yield pusher.of_this_process()
    pusher.stop()
    assert not [thread.name for thread in threading.enumerate() if thread.name in ("pusher", "wire")]


@pytest.fixture
def asleep(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is looked at: only what is offered is told."""
    monkeypatch.setattr(Pusher, "_look", lambda self: None)


def told(phone: Phone) -> bool:
    return again(phone).outcome == Phone.Outcome.ACCEPTED


def stale(*phones: Phone) -> list[int]:
    """Their files differ from what they hold."""
    ids = [phone.pk for phone in phones]
    Phone.objects.filter(pk__in=ids).update(fetched_digest="another")
    return marks.mark_stale(Phone.objects.filter(pk__in=ids))


@committed
def test_a_task_has_a_phone_told_and_waits_for_nothing(phone: Phone, amelie: User, running: Pusher) -> None:
    with Desk(status=None) as deaf:
        place(phone, deaf)
        rename(amelie, "Anne")
        begin = time.monotonic()
        tasks.push_phones([phone.pk, 10**12])
        tasks.push_phones([phone.pk])
        assert time.monotonic() - begin < 0.5
        wait_until(lambda: deaf.events, 5, "it is told")
        assert len(deaf.events) == 1


@committed
def test_what_no_task_told_is_found_within_a_second(
    phone: Phone, amelie: User, desk: Desk, running: Pusher
) -> None:
    rename(amelie, "Anne")
    assert wait_until(lambda: desk.events, 5, "a look at the outbox") < 2
    wait_until(lambda: told(phone), 5, "its outcome")


@committed
def test_silent_phones_hold_up_nobody(
    office: list[Phone], asleep: None, running: Pusher, phone: Phone, amelie: User
) -> None:
    with Desk(status=None) as deaf, Desk() as desk:
        Phone.objects.update(sip_port=deaf.port)
        place(phone, desk)
        running.offer(stale(*office))
        wait_until(lambda: len(deaf.events) == len(office), 5, "all of them are asked at once")
        rename(amelie, "Anne")
        running.offer([phone.pk])
        assert wait_until(lambda: desk.events, 5, "the one that is there") < 1
        wait_until(lambda: told(phone), 5, "its outcome, although the others have none yet")
        assert {again(one).outcome for one in office} == {""}


@committed
def test_a_small_change_passes_a_large_one_and_larger_ones_take_turns(
    office: list[Phone],
    asleep: None,
    phone: Phone,
    amelie: User,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.NOTIFY_RATE = 20
    monkeypatch.setattr(pusher, "FEW", 5)
    with Desk() as desk, Desk() as first, Desk() as second:
        place(phone, desk)
        for one, where in zip(office, [first] * 15 + [second] * 15, strict=True):
            place(one, where)
        large, other = stale(*office[:15]), stale(*office[15:])
        running = pusher.of_this_process()
        try:
            begin = time.monotonic()
            running.offer(large)
            running.offer(other)
            wait_until(lambda: first.events and second.events, 5, "both have begun")
            rename(amelie, "Anne")
            running.offer([phone.pk])
            wait_until(lambda: desk.events, 5, "the small one")
            assert len(first.events) < 15
            assert len(second.events) < 15
            wait_until(lambda: len(first.events + second.events) == 30, 10, "all")
            assert time.monotonic() - begin > 20 / 20, "no quicker than the rate"
        finally:
            pusher.stop()


def test_first_tries_come_before_retries(office: list[Phone], asleep: None) -> None:
    stale(*office)
    tried = [phone.pk for phone in office[:20]]
    Phone.objects.filter(pk__in=tried).update(attempts=1)
    taken: list[int] = []
    background = Pusher()
    background._wire = type(
        "Nowhere", (), {"send": lambda self, sending: taken.extend(s.phone.pk for s, _ in sending)}
    )()
    background._retries.extend(tried)
    background._sort(tuple(phone.pk for phone in office[20:]))
    background._take_up()
    assert set(taken[:10]) == {phone.pk for phone in office[20:]}
    assert set(taken[10:]) <= set(tried)


@pytest.mark.parametrize("rate", [1, 3, 100, 0])
def test_at_any_rate_a_large_change_goes_on(
    office: list[Phone], asleep: None, settings: Any, monkeypatch: pytest.MonkeyPatch, rate: int
) -> None:
    settings.NOTIFY_RATE = rate
    monkeypatch.setattr(pusher, "FEW", 5)
    background = Pusher()
    background._wire = type("Nowhere", (), {"send": lambda self, sending: None})()
    background._sort(tuple(stale(*office)))
    background._take_up()
    first = len(background._flying)
    assert 1 <= first <= max(1, rate / 4 if rate else 30)
    background._paced_at -= 1  # a second later
    background._take_up()
    assert first <= len(background._flying) <= max(2, 2 * rate / 4 if rate else 30)


def test_of_retries_only_so_many_are_under_way(
    office: list[Phone], monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.NOTIFY_RATE = 0
    monkeypatch.setattr(pusher, "MOST_RETRIES", 4)
    ids = stale(*office)
    Phone.objects.filter(pk__in=ids).update(attempts=1)
    background = Pusher()
    background._wire = type("Nowhere", (), {"send": lambda self, sending: None})()
    for _ in range(3):
        background._look()
        background._take_up()
    assert len(background._flying) == 4


@committed
def test_who_takes_long_stays_claimed_and_who_was_answering_is_soon_free_when_the_worker_dies(
    phone: Phone,
    boreale: Customer,
    felix: User,
    asleep: None,
    running: Pusher,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pusher, "CLAIM_AGAIN", 0.1)
    with Desk(status=None) as deaf:
        place(phone, deaf)
        running.offer(stale(phone))
        wait_until(lambda: deaf.events, 5, "it is asked")
        claimed = again(phone).next_attempt_at
        assert (claimed - timezone.now()).total_seconds() < pusher.FIRST_CLAIM + 1
        wait_until(lambda: again(phone).next_attempt_at > claimed, 5, "claimed for as long as it may take")
        assert (again(phone).next_attempt_at - timezone.now()).total_seconds() > worker.sip.TIMEOUT


@committed
def test_a_worker_that_is_told_to_end_leaves_the_rest_to_others_at_once(
    phone: Phone, amelie: User, running: Pusher
) -> None:
    with Desk(status=None) as deaf:
        place(phone, deaf)
        rename(amelie, "Anne")
        running.offer([phone.pk])
        wait_until(lambda: deaf.events, 5, "it is asked")
        pusher.stop()
        assert outbox(phone)
        assert again(phone).next_attempt_at is None


@committed
def test_an_outcome_that_cant_be_noted_is_noted_when_the_database_is_back(
    phone: Phone, amelie: User, desk: Desk, running: Pusher, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, tries = worker._store_results, []

    def away(ended: Any) -> None:
        tries.append(len(ended))
        if len(tries) < 3:
            raise DatabaseError
        store(ended)

    monkeypatch.setattr(pusher, "RESTED", 0.01)
    monkeypatch.setattr(worker, "_store_results", away)
    rename(amelie, "Anne")
    running.offer([phone.pk])
    wait_until(lambda: told(phone), 5, "its outcome")
    assert len(desk.events) == 1


@committed
def test_a_mistake_with_one_phone_costs_the_others_nothing(
    phone: Phone,
    boreale: Customer,
    felix: User,
    amelie: User,
    desk: Desk,
    asleep: None,
    running: Pusher,
    caplog: Any,
) -> None:
    other = fetched(make_phone(boreale, felix))
    place(other, desk)
    send = worker.sip.Sender.send

    async def failing(self: Any, notify: Any, from_host: str) -> Any:
        if notify.key == phone.pk:
            raise RuntimeError
        return await send(self, notify, from_host)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(worker.sip.Sender, "send", failing)
        running.offer(stale(phone, other))
        wait_until(lambda: told(other), 5, "the other one")
        wait_until(lambda: again(phone).outcome == Phone.Outcome.UNREACHABLE, 5, "its outcome")
    assert amelie.sip_password not in caplog.text


@committed
def test_slow_phones_are_heard_when_they_answer(
    phone: Phone, amelie: User, asleep: None, running: Pusher
) -> None:
    go = threading.Event()

    def slowly(request: bytes) -> bytes:
        go.wait(5)
        return answer(request.decode(), "200 OK")

    with ExitStack() as stack:
        stack.callback(go.set)
        slow = stack.enter_context(Desk(reply=slowly))
        place(phone, slow)
        rename(amelie, "Anne")
        running.offer([phone.pk])
        wait_until(lambda: slow.heard, 5, "it is asked")
        assert not told(phone)
        go.set()
        wait_until(lambda: told(phone), 5, "its answer")
