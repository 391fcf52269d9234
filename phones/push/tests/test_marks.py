"""From a change to the outbox: which phones fall behind, and what that costs."""

from datetime import timedelta

import pytest
from django.utils import timezone

from phones import build
from phones.models import Key, Phone, Sbc
from phones.push import outbox as marks
from phones.push import worker
from phones.push.receivers import phones_fall_behind
from phones.push.tests.steps import queries, state
from phones.tests import factories
from phones.tests.desk import Desk
from phones.tests.factories import again, change, fetch, fetched, make_phone, outbox, rename
from users import road
from users.models import Customer, Department, Operation, User
from users.tests.factories import FACTS

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.both_databases("the outbox's locks and marks"),
    pytest.mark.slow("makes an office of thirty people and their phones"),
]


# --- A change ---
def test_a_renamed_persons_phone_is_told_fetches_and_is_up_to_date(
    phone: Phone, amelie: User, desk: Desk
) -> None:
    assert state(phone).kind == "up_to_date"
    rename(amelie, "Anne")
    assert state(phone).kind == "waiting"
    assert worker.push([phone.pk]) == 1
    assert desk.events == ["check-sync;reboot=false"]
    assert state(phone).kind == "notified"
    assert again(phone).outcome == Phone.Outcome.ACCEPTED
    assert b"Anne Tremblay" in fetch(phone).content
    assert state(phone).kind == "up_to_date"
    assert worker.push([phone.pk]) == worker.sweep() == 0
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
    assert worker.push([phone.pk]) == 0
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
    assert worker.push([phone.pk]) == 1
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
        phones_fall_behind(sender, rows=[row], operation=Operation())
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
def test_a_change_of_thirty_costs_as_many_queries_as_one_of_three(office: list[Phone]) -> None:
    def renamed(count: int) -> None:
        phones_fall_behind(
            User, rows=[_Row(phone.user_id, "first_name") for phone in office[:count]], operation=Operation()
        )

    assert queries(lambda: renamed(3)) == queries(lambda: renamed(30)) <= 6
    assert Phone.objects.filter(stale_since__isnull=False).count() == 30


def test_a_push_of_thirty_costs_as_many_queries_as_one_of_three(office: list[Phone]) -> None:
    ids = [phone.pk for phone in office]
    with Desk() as desk:
        Phone.objects.update(sip_port=desk.port)
        marks.mark_stale(Phone.objects.all())
        same = [queries(lambda ids=ids[:3]: worker.push(ids)), queries(lambda: worker.push(ids))]
        assert same[0] == same[1]
        assert desk.events == []
        User.objects.update(last_name="Autrement")
        marks.mark_stale(Phone.objects.all())
        told = [queries(lambda: worker.push(ids[:3])), queries(lambda: worker.push(ids))]
        assert len(desk.events) == 30
        assert told[0] == told[1] <= 12


def test_contexts_cost_two_queries_for_any_number_of_phones(office: list[Phone]) -> None:
    for count in (3, 30):
        chosen = Phone.objects.filter(pk__in=[phone.pk for phone in office[:count]])
        assert queries(lambda chosen=chosen: build.contexts_for(list(build.loaded(chosen)))) == 2
