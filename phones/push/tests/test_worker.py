"""What the workers tell, whom they tell it again, and everything that may die on the way."""

import time
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from phones import selectors, services
from phones.models import Phone
from phones.push import outbox as marks
from phones.push import worker
from phones.push.tests.steps import KilledError, closed_port, later, place, state, while_sending
from phones.tests import factories
from phones.tests.desk import Desk
from phones.tests.factories import again, change, fetch, fetched, make_phone, outbox, rename
from users.models import Customer, Operation, User
from users.tests.factories import FACTS

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.both_databases("claims of the push"),
    pytest.mark.slow("makes an office of thirty people and their phones"),
]

SECONDS = timedelta(seconds=1)


# --- Who doesn't answer ---
def test_a_phone_that_is_off_is_tried_again_ever_more_rarely_and_told_as_soon_as_it_is_back(
    phone: Phone, amelie: User
) -> None:
    Phone.objects.filter(pk=phone.pk).update(sip_port=closed_port())
    rename(amelie, "Anne")
    waits = []
    for _ in range(5):
        before = timezone.now()
        assert worker.sweep() == 1
        assert state(phone).kind == "silent"
        now = again(phone)
        assert now.outcome == Phone.Outcome.UNREACHABLE
        waits.append(round((now.next_attempt_at - before) / SECONDS))
        assert worker.sweep() == 0
        later(phone, hours=1, seconds=1)
    assert [round(wait, -1) for wait in waits] == [30, 120, 600, 3600, 3600]
    with Desk() as desk:
        place(phone, desk)
        assert worker.sweep() == 1
        assert desk.events == ["check-sync;reboot=false"]
    assert state(phone).kind == "notified"


def test_a_phone_that_says_nothing_is_silent_and_a_new_change_is_told_at_once(
    phone: Phone, amelie: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker.sip, "TIMEOUT", 0.3)
    with Desk(status=None) as desk:
        place(phone, desk)
        rename(amelie, "Anne")
        assert worker.push([phone.pk]) == 1
        assert state(phone).kind == "silent"
        assert state(phone).sentence == str(selectors.OUTCOMES[Phone.Outcome.SILENT])
        assert worker.push([phone.pk]) == 0
        rename(amelie, "Annie")
        desk.status = "200 OK"
        assert worker.push([phone.pk]) == 1
    assert state(phone).kind == "notified"


def test_a_phone_that_says_yes_and_doesnt_fetch_is_told_again(phone: Phone, amelie: User, desk: Desk) -> None:
    rename(amelie, "Anne")
    worker.sweep()
    assert worker.sweep() == 0
    later(phone, seconds=110)
    assert (worker.sweep(), state(phone).kind) == (0, "notified")
    later(phone, seconds=11)
    assert state(phone).kind == "silent"
    assert worker.sweep() == 1
    assert len(desk.events) == 2


def test_a_phone_that_refuses_is_shown_as_such(phone: Phone, amelie: User, desk: Desk) -> None:
    desk.status = "489 Bad Event"
    rename(amelie, "Anne")
    worker.sweep()
    assert (again(phone).outcome, again(phone).outcome_detail) == (Phone.Outcome.REFUSED, "489 Bad Event")
    assert state(phone).tone == "bad"


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"\x00" * 2000,
        b"SIP/2.0 200 OK\r\n\r\n",
        b"SIP/2.0 302 Moved\r\nContact: <sip:a@169.254.169.254>\r\n\r\n",
        b"X" * 60_000,
        b'SIP/2.0 401 U\r\nWWW-Authenticate: Digest nonce="' + b"a" * 60_000 + b'"\r\n\r\n',
    ],
    ids=["empty", "nul", "bare", "moved", "huge", "nonce"],
)
def test_hostile_answers_end_in_an_outcome(
    phone: Phone, amelie: User, garbage: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker.sip, "TIMEOUT", 0.3)
    with Desk(reply=lambda data: garbage) as hostile:
        place(phone, hostile)
        rename(amelie, "Anne")
        begin = time.monotonic()
        assert worker.push([phone.pk]) == 1
        assert time.monotonic() - begin < 2
    assert again(phone).outcome in (Phone.Outcome.SILENT, Phone.Outcome.REFUSED)
    assert outbox(phone)


def test_a_phone_that_has_never_fetched_waits_and_costs_nothing(boreale: Customer, amelie: User) -> None:
    phone = make_phone(boreale, amelie)
    assert state(phone).kind == "never"
    assert worker.push([phone.pk]) == worker.sweep() == 0
    assert again(phone).next_attempt_at is None
    assert services.phone_command(factories.provider(), again(phone), Phone.Command.RESTART, FACTS)
    assert Operation.objects.filter(kind="command").count() == 0


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.0.0.2",
        "0.0.0.0",
        "169.254.169.254",
        "::1",
        "::ffff:127.0.0.1",
        "fe80::1",
        "224.0.0.1",
        "255.255.255.255",
        "100.100.100.200",
        "fd00:ec2::254",
        "fd20:ce::254",
        "2002:7f00:1::",
        "64:ff9b::7f00:1",
    ],
)
def test_nothing_is_sent_where_no_phone_can_be(
    phone: Phone, amelie: User, desk: Desk, settings: Any, address: str
) -> None:
    settings.NOTIFY_EXTRA_NETWORKS = []
    Phone.objects.filter(pk=phone.pk).update(fetched_from=address)
    rename(amelie, "Anne")
    worker.sweep()
    assert desk.heard == []
    assert again(phone).outcome == Phone.Outcome.UNREACHABLE


def test_services_of_a_machine_are_never_a_phone(phone: Phone, amelie: User) -> None:
    Phone.objects.filter(pk=phone.pk).update(sip_port=80)
    rename(amelie, "Anne")
    worker.sweep()
    assert again(phone).outcome == Phone.Outcome.UNREACHABLE


def test_a_file_that_cant_be_written_is_told_and_doesnt_stop_the_others(
    phone: Phone, boreale: Customer, felix: User, desk: Desk, caplog: Any
) -> None:
    other = fetched(make_phone(boreale, felix))
    place(other, desk)
    Phone.objects.filter(pk=phone.pk).update(time_zone="Asia/Tokyo")
    User.objects.filter(pk=felix.pk).update(first_name="Felix")
    marks.mark_stale(Phone.objects.all())
    assert worker.sweep() == 1
    assert state(other).kind == "notified"
    assert (state(phone).kind, state(phone).tone) == ("silent", "bad")
    assert worker.sweep() == 0
    assert "time_zone" in caplog.text


def test_a_person_who_is_disabled_has_nothing_to_fetch(phone: Phone, amelie: User, desk: Desk) -> None:
    change(amelie, first_name="Anne")
    User.objects.filter(pk=amelie.pk).update(disabled=True)
    assert worker.sweep() == 0
    assert not outbox(phone)
    assert state(phone).kind == "disabled"


# --- Two at a time ---
def test_two_workers_tell_a_phone_once(
    phone: Phone, amelie: User, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename(amelie, "Anne")
    second: list[int] = []
    while_sending(monkeypatch, lambda: second.extend([worker.push([phone.pk]), worker.sweep()]))
    assert worker.push([phone.pk]) == 1
    assert second == [0, 0]
    assert len(desk.events) == 1


def test_a_change_during_the_sending_is_told_too(
    phone: Phone, amelie: User, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename(amelie, "Anne")
    while_sending(monkeypatch, lambda: rename(amelie, "Annie"))
    assert worker.push([phone.pk]) == 1
    assert again(phone).next_attempt_at is None
    assert worker.sweep() == 1
    assert len(desk.events) == 2


def test_a_fetch_during_the_sending_settles_it(
    phone: Phone, amelie: User, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename(amelie, "Anne")
    while_sending(monkeypatch, lambda: fetch(phone))
    worker.push([phone.pk])
    assert state(phone).kind == "up_to_date"
    later(phone, hours=2)
    assert worker.sweep() == 0


def test_a_change_while_the_file_is_compared_isnt_lost(
    phone: Phone, amelie: User, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    marks.mark_stale(Phone.objects.filter(pk=phone.pk))  # nothing has really changed
    decide = worker._decide

    def deciding(*args: Any) -> Any:
        decided = decide(*args)
        monkeypatch.undo()
        rename(amelie, "Anne")
        return decided

    monkeypatch.setattr(worker, "_decide", deciding)
    assert worker.push([phone.pk]) == 0
    assert outbox(phone)
    assert worker.sweep() == 1


@pytest.mark.parametrize("step", ["_decide", "_send", "_store_results"])
def test_a_worker_that_dies_loses_nothing(
    phone: Phone, amelie: User, desk: Desk, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def killed(*_: Any) -> Any:
        raise KilledError

    rename(amelie, "Anne")
    monkeypatch.setattr(worker, step, killed)
    with pytest.raises(KilledError):
        worker.push([phone.pk])
    monkeypatch.undo()
    assert outbox(phone)
    assert worker.sweep() == 0, "somebody may still be telling it"
    later(phone, seconds=worker.sip.TIMEOUT + worker.CLAIM_MARGIN + 2)
    assert worker.sweep() == 1
    assert state(phone).kind == "notified"
