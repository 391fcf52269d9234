"""From a change to a phone that holds it: the outbox, the workers, and everything that may die on the way."""

import json
import logging
import socket
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from celery import Task
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from pbxadmin.celery import app
from phones import build, selectors, services
from phones.models import Key, Phone, Sbc
from phones.push import outbox as push
from phones.push import tasks
from phones.tests import factories
from phones.tests.desk import Desk
from phones.tests.factories import again, change, fetch, fetched, make_phone, outbox, rename
from phones.tests.processes import publish_to
from users import road
from users.models import Change, Customer, Department, Operation, User
from users.signals import changed
from users.tests.factories import FACTS

pytestmark = pytest.mark.django_db

SECONDS = timedelta(seconds=1)


@pytest.fixture
def desk(phone: Phone) -> Iterator[Desk]:
    """Amélie's phone on her desk: takes what it is told and does nothing by itself."""
    with Desk() as desk:
        place(phone, desk)
        yield desk


def place(phone: Phone, desk: Desk) -> None:
    Phone.objects.filter(pk=phone.pk).update(sip_port=desk.port)


def later(phone: Phone, **time: float) -> None:
    """Let time pass for one phone: every moment of its row moves back."""
    for name in ("stale_since", "next_attempt_at", "command_at", "notified_at", "fetched_at"):
        moment = getattr(again(phone), name)
        if moment is not None:
            Phone.objects.filter(pk=phone.pk).update(**{name: moment - timedelta(**time)})


def state(phone: Phone) -> selectors.PhoneState:
    """How the phone is doing, as a page reads it: without a single secret loaded."""
    shown = selectors.light(Phone.objects.filter(pk=phone.pk)).get()
    with CaptureQueriesContext(connection) as queries:
        found = selectors.state(shown)
        selectors.command_in_words(shown)
    assert not queries.captured_queries
    return found


# --- A change ---
def test_a_renamed_persons_phone_is_told_fetches_and_is_up_to_date(
    phone: Phone, amelie: User, desk: Desk
) -> None:
    assert state(phone).kind == "up_to_date"
    rename(amelie, "Anne")
    assert state(phone).kind == "waiting"
    assert push.push([phone.pk]) == 1
    assert desk.events == ["check-sync;reboot=false"]
    assert state(phone).kind == "notified"
    assert again(phone).outcome == Phone.Outcome.ACCEPTED
    assert b"Anne Tremblay" in fetch(phone).content
    assert state(phone).kind == "up_to_date"
    assert push.push([phone.pk]) == push.sweep() == 0
    assert len(desk.events) == 1


def test_what_no_file_shows_isnt_pushed(phone: Phone, amelie: User, desk: Desk) -> None:
    revision = again(phone).revision
    change(amelie, mobile="514 555-0123", outbound_caller_id="")
    assert again(phone).revision == revision
    assert not outbox(phone)


def test_a_change_that_was_taken_back_is_found_to_be_none(phone: Phone, amelie: User, desk: Desk) -> None:
    rename(amelie, "Anne")
    rename(amelie, "Amélie")
    assert outbox(phone)
    assert push.push([phone.pk]) == 0
    assert not outbox(phone)
    assert desk.events == []


def test_who_watches_a_renamed_colleague_gets_the_new_name(
    phone: Phone, boreale: Customer, amelie: User, felix: User, ines: User, desk: Desk
) -> None:
    Key.objects.create(user=amelie, position=2, kind="blf", target=felix)
    fetched(phone)
    other = fetched(make_phone(boreale, ines))
    rename(felix, "Félix-Antoine")
    assert outbox(phone)
    assert not outbox(other)
    assert push.push([phone.pk]) == 1
    assert "linekey.2.label = Félix-Antoine Gagnon" in fetch(phone).content.decode()


def test_a_deleted_colleague_leaves_a_blank_key(phone: Phone, amelie: User, ines: User, desk: Desk) -> None:
    Key.objects.create(user=amelie, position=2, kind="blf", target=ines)
    fetched(phone)
    from users.people.sections import user_sheet

    road.remove(road.plan_removal(factories.provider(), amelie.customer, user_sheet(), [ines.pk]), FACTS)
    assert outbox(phone)
    assert "linekey.2.type = 0" in fetch(phone).content.decode()


class _Row:
    """A changed row as the road hands it to its receivers."""

    new = removed = False

    def __init__(self, key: int, *names: str) -> None:
        self.key = key
        self.changes = dict.fromkeys(names, (None, 1))


def test_departments_customers_and_sbcs_reach_their_phones(
    phone: Phone, boreale: Customer, amelie: User, felix: User
) -> None:
    sbc = Sbc.objects.create(customer=boreale, name="Bureau", address="10.0.0.5")
    other = fetched(make_phone(boreale, felix, connection="sbc", sbc=sbc.pk))
    soins = Department.objects.get(customer=boreale, name="Soins")
    cases: list[tuple[type, _Row, set[int]]] = [
        (Department, _Row(amelie.primary_department_id, "time_zone"), {phone.pk, other.pk}),
        (Department, _Row(soins.pk, "time_zone"), set()),
        (Department, _Row(amelie.primary_department_id, "name"), set()),
        (Customer, _Row(boreale.pk, "fqdn"), {phone.pk, other.pk}),
        (Sbc, _Row(sbc.pk, "address"), {other.pk}),
    ]
    for sender, row, expected in cases:
        Phone.objects.update(stale_since=None)
        changed.send(sender, rows=[row], operation=None)
        assert (
            set(Phone.objects.filter(stale_since__isnull=False).values_list("pk", flat=True)) == expected
        ), (sender, row.changes)


def test_every_change_counts_the_revision_and_keeps_the_time_of_the_first(phone: Phone, amelie: User) -> None:
    rename(amelie, "Anne")
    first = again(phone)
    Phone.objects.filter(pk=phone.pk).update(attempts=3, next_attempt_at=timezone.now() + timedelta(hours=1))
    rename(amelie, "Annie")
    second = again(phone)
    assert (second.revision, second.stale_since) == (first.revision + 1, first.stale_since)
    assert (second.attempts, second.next_attempt_at) == (0, None)


# --- How many queries ---
@pytest.fixture
def office(boreale: Customer) -> list[Phone]:
    """Thirty people with a phone each, who all watch each other's neighbour."""
    Customer.objects.filter(pk=boreale.pk).update(included_extensions=100)
    boreale.refresh_from_db()
    people = factories.make_people(boreale, 30)
    Key.objects.bulk_create(
        Key(user=person, position=2, kind="blf", target=people[number - 1])
        for number, person in enumerate(people)
    )
    return [fetched(phone) for phone in factories.make_phones(boreale, people)]


def queries(work: Any) -> int:
    with CaptureQueriesContext(connection) as captured:
        work()
    return len(captured)


def test_a_change_of_thirty_costs_as_many_queries_as_one_of_three(office: list[Phone]) -> None:
    def renamed(count: int) -> None:
        changed.send(
            User, rows=[_Row(phone.user_id, "first_name") for phone in office[:count]], operation=None
        )

    assert queries(lambda: renamed(3)) == queries(lambda: renamed(30)) <= 6
    assert Phone.objects.filter(stale_since__isnull=False).count() == 30


def test_a_push_of_thirty_costs_as_many_queries_as_one_of_three(office: list[Phone]) -> None:
    ids = [phone.pk for phone in office]
    with Desk() as desk:
        Phone.objects.update(sip_port=desk.port)
        push.mark_stale(Phone.objects.all())
        same = [queries(lambda ids=ids[:3]: push.push(ids)), queries(lambda: push.push(ids))]
        assert same[0] == same[1]
        assert desk.events == []
        User.objects.update(last_name="Autrement")
        push.mark_stale(Phone.objects.all())
        told = [queries(lambda: push.push(ids[:3])), queries(lambda: push.push(ids))]
        assert len(desk.events) == 30
        assert told[0] == told[1] <= 12


def test_contexts_cost_two_queries_for_any_number_of_phones(office: list[Phone]) -> None:
    for count in (3, 30):
        chosen = Phone.objects.filter(pk__in=[phone.pk for phone in office[:count]])
        assert queries(lambda chosen=chosen: build.contexts_for(list(build.loaded(chosen)))) == 2


# --- Who doesn't answer ---
def closed_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def test_a_phone_that_is_off_is_tried_again_ever_more_rarely_and_told_as_soon_as_it_is_back(
    phone: Phone, amelie: User
) -> None:
    Phone.objects.filter(pk=phone.pk).update(sip_port=closed_port())
    rename(amelie, "Anne")
    waits = []
    for _ in range(5):
        before = timezone.now()
        assert push.sweep() == 1
        assert state(phone).kind == "silent"
        now = again(phone)
        assert now.outcome == Phone.Outcome.UNREACHABLE
        waits.append(round((now.next_attempt_at - before) / SECONDS))
        assert push.sweep() == 0
        later(phone, hours=1, seconds=1)
    assert [round(wait, -1) for wait in waits] == [30, 120, 600, 3600, 3600]
    with Desk() as desk:
        place(phone, desk)
        assert push.sweep() == 1
        assert desk.events == ["check-sync;reboot=false"]
    assert state(phone).kind == "notified"


def test_a_phone_that_says_nothing_is_silent_and_a_new_change_is_told_at_once(
    phone: Phone, amelie: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(push, "_sending_time", lambda count: 0.3)
    with Desk(status=None) as desk:
        place(phone, desk)
        rename(amelie, "Anne")
        assert push.push([phone.pk]) == 1
        assert state(phone).kind == "silent"
        assert state(phone).sentence == str(selectors.OUTCOMES[Phone.Outcome.SILENT])
        assert push.push([phone.pk]) == 0
        rename(amelie, "Annie")
        desk.status = "200 OK"
        assert push.push([phone.pk]) == 1
    assert state(phone).kind == "notified"


def test_a_phone_that_says_yes_and_doesnt_fetch_is_told_again(phone: Phone, amelie: User, desk: Desk) -> None:
    rename(amelie, "Anne")
    push.sweep()
    assert push.sweep() == 0
    later(phone, seconds=110)
    assert (push.sweep(), state(phone).kind) == (0, "notified")
    later(phone, seconds=11)
    assert state(phone).kind == "silent"
    assert push.sweep() == 1
    assert len(desk.events) == 2


def test_a_phone_that_refuses_is_shown_as_such(phone: Phone, amelie: User, desk: Desk) -> None:
    desk.status = "489 Bad Event"
    rename(amelie, "Anne")
    push.sweep()
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
    monkeypatch.setattr(push, "_sending_time", lambda count: 0.3)
    with Desk(reply=lambda data: garbage) as hostile:
        place(phone, hostile)
        rename(amelie, "Anne")
        begin = time.monotonic()
        assert push.push([phone.pk]) == 1
        assert time.monotonic() - begin < 2
    assert again(phone).outcome in (Phone.Outcome.SILENT, Phone.Outcome.REFUSED)
    assert outbox(phone)


def test_a_phone_that_has_never_fetched_waits_and_costs_nothing(boreale: Customer, amelie: User) -> None:
    phone = make_phone(boreale, amelie)
    assert state(phone).kind == "never"
    assert push.push([phone.pk]) == push.sweep() == 0
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
    ],
)
def test_nothing_is_sent_where_no_phone_can_be(
    phone: Phone, amelie: User, desk: Desk, settings: Any, address: str
) -> None:
    settings.NOTIFY_EXTRA_NETWORKS = []
    Phone.objects.filter(pk=phone.pk).update(fetched_from=address)
    rename(amelie, "Anne")
    push.sweep()
    assert desk.heard == []
    assert again(phone).outcome == Phone.Outcome.UNREACHABLE


def test_services_of_a_machine_are_never_a_phone(phone: Phone, amelie: User) -> None:
    Phone.objects.filter(pk=phone.pk).update(sip_port=80)
    rename(amelie, "Anne")
    push.sweep()
    assert again(phone).outcome == Phone.Outcome.UNREACHABLE


def test_a_file_that_cant_be_written_is_told_and_doesnt_stop_the_others(
    phone: Phone, boreale: Customer, felix: User, desk: Desk, caplog: Any
) -> None:
    other = fetched(make_phone(boreale, felix))
    place(other, desk)
    Phone.objects.filter(pk=phone.pk).update(time_zone="Asia/Tokyo")
    User.objects.filter(pk=felix.pk).update(first_name="Felix")
    push.mark_stale(Phone.objects.all())
    assert push.sweep() == 1
    assert state(other).kind == "notified"
    assert (state(phone).kind, state(phone).tone) == ("silent", "bad")
    assert push.sweep() == 0
    assert "time_zone" in caplog.text


def test_a_person_who_is_disabled_has_nothing_to_fetch(phone: Phone, amelie: User, desk: Desk) -> None:
    change(amelie, first_name="Anne")
    User.objects.filter(pk=amelie.pk).update(disabled=True)
    assert push.sweep() == 0
    assert not outbox(phone)
    assert state(phone).kind == "disabled"


# --- Two at a time ---
def while_sending(monkeypatch: pytest.MonkeyPatch, work: Any) -> None:
    """Do something between the claim and the answers, as another process could."""
    send = push._send

    def sending(phones: Any) -> Any:
        monkeypatch.setattr(push, "_send", send)
        work()
        return send(phones)

    monkeypatch.setattr(push, "_send", sending)


def test_two_workers_tell_a_phone_once(
    phone: Phone, amelie: User, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename(amelie, "Anne")
    second: list[int] = []
    while_sending(monkeypatch, lambda: second.extend([push.push([phone.pk]), push.sweep()]))
    assert push.push([phone.pk]) == 1
    assert second == [0, 0]
    assert len(desk.events) == 1


def test_a_change_during_the_sending_is_told_too(
    phone: Phone, amelie: User, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename(amelie, "Anne")
    while_sending(monkeypatch, lambda: rename(amelie, "Annie"))
    assert push.push([phone.pk]) == 1
    assert again(phone).next_attempt_at is None
    assert push.sweep() == 1
    assert len(desk.events) == 2


def test_a_fetch_during_the_sending_settles_it(
    phone: Phone, amelie: User, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename(amelie, "Anne")
    while_sending(monkeypatch, lambda: fetch(phone))
    push.push([phone.pk])
    assert state(phone).kind == "up_to_date"
    later(phone, hours=2)
    assert push.sweep() == 0


def test_a_change_while_the_file_is_compared_isnt_lost(
    phone: Phone, amelie: User, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    push.mark_stale(Phone.objects.filter(pk=phone.pk))  # nothing has really changed
    decide = push._decide

    def deciding(*args: Any) -> Any:
        decided = decide(*args)
        monkeypatch.undo()
        rename(amelie, "Anne")
        return decided

    monkeypatch.setattr(push, "_decide", deciding)
    assert push.push([phone.pk]) == 0
    assert outbox(phone)
    assert push.sweep() == 1


class KilledError(BaseException):
    """The worker is gone: nothing after this runs."""


@pytest.mark.parametrize("step", ["_decide", "_send", "_store_results"])
def test_a_worker_that_dies_loses_nothing(
    phone: Phone, amelie: User, desk: Desk, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def killed(*_: Any) -> Any:
        raise KilledError

    rename(amelie, "Anne")
    monkeypatch.setattr(push, step, killed)
    with pytest.raises(KilledError):
        push.push([phone.pk])
    monkeypatch.undo()
    assert outbox(phone)
    assert push.sweep() == 0, "somebody may still be telling it"
    later(phone, seconds=push.sip.TIMEOUT + push.CLAIM_MARGIN + 2)
    assert push.sweep() == 1
    assert state(phone).kind == "notified"


# --- Commands ---
def command(phone: Phone, which: Phone.Command = Phone.Command.RESTART) -> str:
    return services.phone_command(factories.provider(), again(phone), which, FACTS)


def test_a_restart_is_sent_once_and_is_over_when_the_phone_has_fetched(phone: Phone, desk: Desk) -> None:
    assert command(phone) == ""
    assert state(phone).kind == "waiting"
    assert push.sweep() == 1
    assert desk.events == ["check-sync;reboot=true"]
    assert state(phone).kind == "notified"
    assert selectors.command_in_words(again(phone)).tone == "ok"
    fetch(phone)
    assert state(phone).kind == "up_to_date"
    later(phone, hours=2)
    assert push.sweep() == 0
    assert len(desk.events) == 1


def test_a_double_click_is_one_restart_and_one_line_of_history(phone: Phone, desk: Desk) -> None:
    assert command(phone) == ""
    assert command(phone) != ""
    push.sweep()
    assert command(phone) != "", "within the cool-down"
    assert push.sweep() == 0
    assert Operation.objects.filter(kind="command").count() == 1
    later(phone, seconds=31)
    assert command(phone) == ""
    assert push.sweep() == 1
    assert desk.events == ["check-sync;reboot=true"] * 2


def test_a_restart_that_nobody_answers_isnt_repeated(phone: Phone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(push, "_sending_time", lambda count: 0.3)
    with Desk(status=None) as desk:
        place(phone, desk)
        command(phone)
        assert push.sweep() == 1
        later(phone, hours=2)
        assert push.sweep() == 0
        assert len(desk.events) == 1
    assert (state(phone).kind, state(phone).tone) == ("silent", "bad")


def test_a_restart_outlives_its_worker(phone: Phone, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: Any) -> Any:
        raise KilledError

    command(phone)
    monkeypatch.setattr(push, "_send", killed)
    with pytest.raises(KilledError):
        push.sweep()
    monkeypatch.undo()
    later(phone, seconds=20)
    assert push.sweep() == 1
    assert desk.events == ["check-sync;reboot=true"]


def test_a_restart_that_was_carried_out_before_the_worker_died_isnt_repeated(
    phone: Phone, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: Any) -> Any:
        raise KilledError

    command(phone)
    monkeypatch.setattr(push, "_store_results", killed)
    with pytest.raises(KilledError):
        push.sweep()
    monkeypatch.undo()
    fetch(phone)  # it has started again
    later(phone, seconds=20)
    assert push.sweep() == 0
    assert len(desk.events) == 1
    assert not outbox(phone)


def test_a_restart_that_waited_too_long_isnt_wanted_any_more(phone: Phone, desk: Desk) -> None:
    command(phone)
    later(phone, minutes=16)
    assert push.sweep() == 0
    assert not outbox(phone)


def test_a_change_during_a_restart_doesnt_send_it_again(
    phone: Phone, amelie: User, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    command(phone)
    while_sending(monkeypatch, lambda: rename(amelie, "Anne"))
    push.sweep()
    assert push.sweep() == 1
    assert desk.events == ["check-sync;reboot=true", "check-sync;reboot=false"]


def test_reprovision_is_sent_although_nothing_has_changed_until_the_phone_takes_it(
    phone: Phone, desk: Desk
) -> None:
    desk.status = "503 Service Unavailable"
    assert command(phone, Phone.Command.RESYNC) == ""
    assert push.sweep() == 1
    assert command(phone, Phone.Command.RESYNC) != ""
    desk.status = "200 OK"
    later(phone, seconds=31)
    assert push.sweep() == 1
    assert desk.events == ["check-sync;reboot=false"] * 2
    later(phone, hours=2)
    assert push.sweep() == 0


def test_a_fetch_is_all_that_reprovision_asks_for(phone: Phone, desk: Desk) -> None:
    command(phone, Phone.Command.RESYNC)
    fetch(phone)
    assert push.sweep() == 0
    command(phone, Phone.Command.RESTART)
    fetch(phone)
    assert push.sweep() == 1


def test_a_restart_takes_the_place_of_a_waiting_reprovision(phone: Phone, desk: Desk) -> None:
    command(phone, Phone.Command.RESYNC)
    assert command(phone, Phone.Command.RESTART) == ""
    assert command(phone, Phone.Command.RESYNC) != ""
    push.sweep()
    assert desk.events == ["check-sync;reboot=true"]


# --- Many ---
def test_many_phones_are_told_in_slices_at_a_bounded_rate(
    office: list[Phone], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(push, "SLICE", 10)
    User.objects.update(last_name="Autrement")
    ids = push.mark_stale(Phone.objects.all())
    with Desk() as desk:
        Phone.objects.update(sip_port=desk.port)
        begin = time.monotonic()
        assert push.push(ids, rate=50) == 30
        # The first ten at once, twenty more in their time.
        assert time.monotonic() - begin > 20 / 50
        assert len(desk.events) == 30


# --- The broker ---
@pytest.fixture
def broker() -> Iterator[Any]:
    """Says where the broker is."""
    before = app.conf.broker_url
    yield publish_to
    publish_to(before)


def test_a_broker_that_refuses_or_never_answers_costs_a_page_little_and_loses_nothing(
    phone: Phone, amelie: User, desk: Desk, broker: Any, django_capture_on_commit_callbacks: Any, caplog: Any
) -> None:
    with socket.socket() as hole:
        hole.bind(("127.0.0.1", 0))
        hole.listen()
        refused = closed_port()
        for number, (url, most) in enumerate(
            [(f"redis://127.0.0.1:{refused}/0", 0.5), (f"redis://127.0.0.1:{hole.getsockname()[1]}/0", 2.5)]
        ):
            broker(url)
            push.rest(0)
            begin = time.monotonic()
            with django_capture_on_commit_callbacks(execute=True):
                rename(amelie, f"Anne {number}")
            assert time.monotonic() - begin < most + 0.5, url
            assert outbox(phone)
            # Who saves next doesn't wait at all.
            begin = time.monotonic()
            assert not push.publish([phone.pk])
            assert time.monotonic() - begin < 0.1
    assert push.sweep() == 1
    assert desk.events


def test_tasks_carry_keys_only_and_no_log_or_history_holds_a_secret(
    phone: Phone,
    amelie: User,
    desk: Desk,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
    caplog: Any,
) -> None:
    sent: list[Any] = []
    monkeypatch.setattr(
        Task,
        "apply_async",
        lambda self, args=(), kwargs=None, **options: sent.append([self.name, args, kwargs]),
    )
    with caplog.at_level(logging.INFO), django_capture_on_commit_callbacks(execute=True):
        rename(amelie, "Anne")
        command(phone)
        services.token_rotate(factories.provider(), again(phone), FACTS)
        services.reveal_secret(factories.provider(), again(phone), "sip", FACTS)
        services.reveal_secret(factories.provider(), again(phone), "link", FACTS)
    push.sweep()
    assert sent
    assert {name for name, _, _ in sent} == {"phones.push.tasks.push_phones"}
    assert all(args == ([phone.pk],) for _, args, _ in sent)
    told = json.dumps(
        [
            list(Change.objects.values_list("cells", flat=True)),
            list(Operation.objects.values_list("reason", flat=True)),
        ]
    )
    for secret in (amelie.sip_password, phone.web_password, phone.token, again(phone).token):
        assert secret not in told + caplog.text + json.dumps(sent)


def test_the_tasks_are_what_the_workers_run(phone: Phone, amelie: User, desk: Desk) -> None:
    rename(amelie, "Anne")
    tasks.push_phones([phone.pk, 10**12])
    tasks.push_phones([phone.pk])
    tasks.sweep()
    assert len(desk.events) == 1
