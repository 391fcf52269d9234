"""Restart and reprovision: sent once for each press, whatever comes of it."""

from typing import Any

import pytest
from django.utils import translation

from phones import selectors
from phones.models import Phone
from phones.push import worker
from phones.push.tests.steps import KilledError, command, later, place, state, while_sending
from phones.tests.desk import Desk
from phones.tests.factories import again, fetch, outbox, rename
from users.models import Operation, User

pytestmark = [pytest.mark.django_db, pytest.mark.slow("makes an office of thirty people and their phones")]


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
    assert worker.sweep() == 0, "it can't be back yet"
    fetch(phone)
    assert worker.sweep() == 1
    assert desk.events == ["check-sync;reboot=true"] * 2


def test_a_restart_that_nobody_answers_isnt_repeated(phone: Phone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker.sip, "TIMEOUT", 0.3)
    with Desk(status=None) as desk:
        place(phone, desk)
        command(phone)
        assert worker.sweep() == 1
        later(phone, hours=2)
        assert worker.sweep() == 0
        assert len(desk.events) == 1
    assert (state(phone).kind, state(phone).tone) == ("silent", "bad")
    assert said(phone) == PERHAPS
    assert command(phone) == "", "it is offered again"


def said(phone: Phone) -> tuple[str, str]:
    """What the page says of the configuration and of the last command."""
    with translation.override("fr-ca"):
        return state(phone).sentence, selectors.command_in_words(again(phone)).text


PERHAPS = (
    "a peut-être redémarré",
    "Redémarrer\N{NO-BREAK SPACE}: peut-être reçu, aucune réponse n’est venue; redémarrez-le de nouveau s’il n’a pas redémarré",
)


def killed_at(step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker takes up what there is and dies at this step."""

    def killed(*_: Any) -> Any:
        raise KilledError

    monkeypatch.setattr(worker, step, killed)
    with pytest.raises(KilledError):
        worker.sweep()
    monkeypatch.undo()


@pytest.mark.parametrize("step", ["_decide", "_note_restarts"])
def test_a_restart_that_didnt_leave_outlives_its_worker(
    phone: Phone, desk: Desk, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    command(phone)
    killed_at(step, monkeypatch)
    later(phone, seconds=20)
    assert worker.sweep() == 1
    assert desk.events == ["check-sync;reboot=true"]


@pytest.mark.parametrize(("step", "heard"), [("_send", 0), ("_store_results", 1)])
def test_a_restart_that_may_have_left_before_the_worker_died_is_never_sent_again_by_itself(
    phone: Phone, amelie: User, desk: Desk, monkeypatch: pytest.MonkeyPatch, step: str, heard: int
) -> None:
    command(phone)
    killed_at(step, monkeypatch)
    assert state(phone).live, "it may still be on its way"
    later(phone, seconds=20)
    assert said(phone) == PERHAPS
    assert state(phone).settled
    assert worker.sweep() == 0
    assert len(desk.events) == heard
    later(phone, seconds=20)
    assert command(phone) == "", "it is offered again"
    later(phone, seconds=60)
    assert worker.sweep() == 1
    assert desk.events == ["check-sync;reboot=true"] * (heard + 1)


def test_who_presses_while_the_sending_began_gets_one_restart(
    phone: Phone, amelie: User, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    decide = worker._decide

    def deciding(*args: Any) -> Any:
        decided = decide(*args)
        rename(amelie, "Anne")  # the claim is no longer this worker's
        return decided

    command(phone)
    monkeypatch.setattr(worker, "_decide", deciding)
    assert worker.sweep() == 0
    monkeypatch.undo()
    assert worker.sweep() == 1
    assert desk.events == ["check-sync;reboot=true"]


def test_a_phone_that_restarts_isnt_asked_for_a_change_before_it_can_be_back(
    phone: Phone, amelie: User, desk: Desk
) -> None:
    command(phone)
    worker.sweep()
    rename(amelie, "Anne")
    assert worker.push([phone.pk]) == worker.sweep() == 0
    later(phone, seconds=80)
    assert worker.sweep() == 0
    later(phone, seconds=11)
    assert worker.sweep() == 1
    assert desk.events == ["check-sync;reboot=true", "check-sync;reboot=false"]
    # One that refused is there all the time.
    desk.status = "489 Bad Event"
    fetch(phone)
    command(phone)
    worker.sweep()
    rename(amelie, "Annie")
    assert worker.sweep() == 1


def test_a_closed_port_that_a_copy_finds_may_be_a_phone_that_took_the_first_one(
    phone: Phone, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(after: float) -> Any:
        return lambda sending: [
            worker.sip.Result(
                key=sent.phone.pk, outcome=worker.sip.Outcome.UNREACHABLE, code=None, reason="", seconds=after
            )
            for sent, _notify in sending
        ]

    command(phone)
    monkeypatch.setattr(worker, "_send", closed(0.01))
    worker.sweep()
    assert again(phone).outcome == Phone.Outcome.UNREACHABLE
    later(phone, minutes=2)
    command(phone)
    monkeypatch.setattr(worker, "_send", closed(0.51))
    worker.sweep()
    assert said(phone) == PERHAPS


def test_a_restart_that_was_carried_out_before_the_worker_died_isnt_repeated(
    phone: Phone, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    command(phone)
    killed_at("_store_results", monkeypatch)
    fetch(phone)  # it has started again
    later(phone, seconds=20)
    assert worker.sweep() == 0
    assert len(desk.events) == 1
    assert not outbox(phone)
    assert said(phone) == (
        "à jour",
        "Redémarrer\N{NO-BREAK SPACE}: peut-être reçu; il a récupéré sa configuration depuis",
    )


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
    later(phone, seconds=91)
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
