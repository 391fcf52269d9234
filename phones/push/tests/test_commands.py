"""Restart and reprovision: sent once for each press, whatever comes of it."""

from typing import Any

import pytest

from phones import selectors
from phones.models import Phone
from phones.push import worker
from phones.push.tests.steps import KilledError, command, later, place, state, while_sending
from phones.tests.desk import Desk
from phones.tests.factories import again, fetch, outbox, rename
from users.models import Operation, User

pytestmark = pytest.mark.django_db


def test_a_restart_is_sent_once_and_is_over_when_the_phone_has_fetched(phone: Phone, desk: Desk) -> None:
    assert command(phone) == ""
    assert state(phone).kind == "waiting"
    assert worker.sweep() == 1
    assert desk.events == ["check-sync;reboot=true"]
    assert state(phone).kind == "notified"
    assert selectors.command_in_words(again(phone)).tone == "ok"
    fetch(phone)
    assert state(phone).kind == "up_to_date"
    later(phone, hours=2)
    assert worker.sweep() == 0
    assert len(desk.events) == 1


def test_a_double_click_is_one_restart_and_one_line_of_history(phone: Phone, desk: Desk) -> None:
    assert command(phone) == ""
    assert command(phone) != ""
    worker.sweep()
    assert command(phone) != "", "within the cool-down"
    assert worker.sweep() == 0
    assert Operation.objects.filter(kind="command").count() == 1
    later(phone, seconds=31)
    assert command(phone) == ""
    assert worker.sweep() == 1
    assert desk.events == ["check-sync;reboot=true"] * 2


def test_a_restart_that_nobody_answers_isnt_repeated(phone: Phone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "_sending_time", lambda count: 0.3)
    with Desk(status=None) as desk:
        place(phone, desk)
        command(phone)
        assert worker.sweep() == 1
        later(phone, hours=2)
        assert worker.sweep() == 0
        assert len(desk.events) == 1
    assert (state(phone).kind, state(phone).tone) == ("silent", "bad")


def test_a_restart_outlives_its_worker(phone: Phone, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: Any) -> Any:
        raise KilledError

    command(phone)
    monkeypatch.setattr(worker, "_send", killed)
    with pytest.raises(KilledError):
        worker.sweep()
    monkeypatch.undo()
    later(phone, seconds=20)
    assert worker.sweep() == 1
    assert desk.events == ["check-sync;reboot=true"]


def test_a_restart_that_was_carried_out_before_the_worker_died_isnt_repeated(
    phone: Phone, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: Any) -> Any:
        raise KilledError

    command(phone)
    monkeypatch.setattr(worker, "_store_results", killed)
    with pytest.raises(KilledError):
        worker.sweep()
    monkeypatch.undo()
    fetch(phone)  # it has started again
    later(phone, seconds=20)
    assert worker.sweep() == 0
    assert len(desk.events) == 1
    assert not outbox(phone)


def test_a_restart_that_waited_too_long_isnt_wanted_any_more(phone: Phone, desk: Desk) -> None:
    command(phone)
    later(phone, minutes=16)
    assert worker.sweep() == 0
    assert not outbox(phone)


def test_a_change_during_a_restart_doesnt_send_it_again(
    phone: Phone, amelie: User, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    command(phone)
    while_sending(monkeypatch, lambda: rename(amelie, "Anne"))
    worker.sweep()
    assert worker.sweep() == 1
    assert desk.events == ["check-sync;reboot=true", "check-sync;reboot=false"]


def test_reprovision_is_sent_although_nothing_has_changed_until_the_phone_takes_it(
    phone: Phone, desk: Desk
) -> None:
    desk.status = "503 Service Unavailable"
    assert command(phone, Phone.Command.RESYNC) == ""
    assert worker.sweep() == 1
    assert command(phone, Phone.Command.RESYNC) != ""
    desk.status = "200 OK"
    later(phone, seconds=31)
    assert worker.sweep() == 1
    assert desk.events == ["check-sync;reboot=false"] * 2
    later(phone, hours=2)
    assert worker.sweep() == 0


def test_a_fetch_is_all_that_reprovision_asks_for(phone: Phone, desk: Desk) -> None:
    command(phone, Phone.Command.RESYNC)
    fetch(phone)
    assert worker.sweep() == 0
    command(phone, Phone.Command.RESTART)
    fetch(phone)
    assert worker.sweep() == 1


def test_a_restart_takes_the_place_of_a_waiting_reprovision(phone: Phone, desk: Desk) -> None:
    command(phone, Phone.Command.RESYNC)
    assert command(phone, Phone.Command.RESTART) == ""
    assert command(phone, Phone.Command.RESYNC) != ""
    worker.sweep()
    assert desk.events == ["check-sync;reboot=true"]
