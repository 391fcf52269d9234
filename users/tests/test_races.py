"""Two people at once, on two connections of PostgreSQL: one wins, the other is told so, nobody waits for ever, nothing is lost."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction

from users import rights, road
from users.company.sheets import department_sheet
from users.models import Change, Customer, Department, Did, Operation, StaffLevel, User
from users.people import team
from users.people.sections import user_sheet
from users.road import Outcome
from users.tests.factories import FACTS, make_user

pytestmark = [
    pytest.mark.postgresql,
    pytest.mark.django_db(transaction=True),
    pytest.mark.slow("waits for locks"),
]

Writer = Callable[[], Any]


def race(*plans: Callable[[], Writer]) -> list[Any]:
    """What came of writers that all planned before any of them wrote; each on a connection of its own.

    A deadlock is an error of the database's, which this raises; waiting for ever ends after ten seconds.
    """
    start = Barrier(len(plans))

    def run(planned: Callable[[], Writer]) -> Any:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '10s'")
            write = planned()
            start.wait(20)
            return write()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(plans)) as pool:
        return [done.result() for done in [pool.submit(run, planned) for planned in plans]]


def saving(actor: User, *rows: road.Row, sheet: Any = user_sheet) -> Callable[[], Writer]:
    """A plan of these rows, then its writing."""

    def planned() -> Writer:
        plan = road.plan(actor, actor.customer, sheet(), list(rows))
        assert not plan.refused, plan.sentences
        return lambda: road.commit(plan, FACTS).outcome

    return planned


def deleting(actor: User, *keys: int, sheet: Any = user_sheet) -> Callable[[], Writer]:
    def planned() -> Writer:
        removal = road.plan_removal(actor, actor.customer, sheet(), keys)
        assert not removal.refusals
        return lambda: road.commit_removal(removal, FACTS)

    return planned


def somebody(**values: Any) -> road.Row:
    """A new person of Soins."""
    facts = {"first_name": "Zoé", "last_name": "Lavoie", "role": "users", "primary_department": "Soins"}
    return road.Row(None, facts | {"require_2fa": False} | values)


@pytest.fixture
def zoe(boreale: Customer) -> User:
    """A second system owner."""
    return make_user(boreale, "104", "Zoé", "Lavoie", role="system_owners")


def test_the_same_extension_is_one_persons(felix: User, zoe: User) -> None:
    done = race(saving(felix, somebody(number="150")), saving(zoe, somebody(number="150")))
    assert sorted(done, key=str) == [Outcome.REFUSED, Outcome.SAVED]
    assert User.objects.filter(number="150").count() == 1


def test_the_first_free_extension_goes_to_one_and_the_next_to_the_other(felix: User, zoe: User) -> None:
    assert race(saving(felix, somebody()), saving(zoe, somebody())) == [Outcome.SAVED] * 2
    assert User.objects.of(felix.customer).filter(number__in=["100", "101"]).count() == 2


def test_the_last_extension_of_the_contract_is_one_persons(felix: User, zoe: User) -> None:
    Customer.objects.update(included_extensions=User.objects.of(felix.customer).count() + 1)
    felix.customer.refresh_from_db()
    zoe.customer.refresh_from_db()
    done = race(saving(felix, somebody(number="150")), saving(zoe, somebody(number="151")))
    assert sorted(done, key=str) == [Outcome.REFUSED, Outcome.SAVED]
    assert User.objects.filter(number__in=["150", "151"]).count() == 1


@pytest.mark.parametrize("way", ["role", "deletion"])
def test_two_owners_cannot_take_each_other_the_customer_from_everybody(
    felix: User, zoe: User, way: str
) -> None:
    if way == "role":
        one, other = (saving(felix, road.Row(zoe.pk, {"role": "users"})),
                      saving(zoe, road.Row(felix.pk, {"role": "users"})))  # fmt: skip
    else:
        one, other = deleting(felix, zoe.pk), deleting(zoe, felix.pk)
    done = race(one, other)
    assert done.count(Outcome.SAVED) == 1
    assert User.objects.of(felix.customer).filter(role="system_owners").count() == 1


def test_of_two_edits_of_one_person_one_is_a_conflict_and_none_is_lost(
    felix: User, zoe: User, amelie: User
) -> None:
    done = race(
        saving(felix, road.Row(amelie.pk, {"first_name": "Anne"})),
        saving(zoe, road.Row(amelie.pk, {"mobile": "514 555-0142"})),
    )
    assert sorted(done, key=str) == [Outcome.CONFLICT, Outcome.SAVED]
    now = User.objects.get(pk=amelie.pk)
    assert (now.first_name == "Anne") != (now.mobile != "")
    assert now.version == amelie.version + 1
    assert Change.objects.filter(subject_pk=amelie.pk, kind="edit").count() == 1


def test_crossing_edits_of_the_same_people_end_without_a_deadlock(
    felix: User, zoe: User, boreale: Customer
) -> None:
    people = [make_user(boreale, str(150 + place)) for place in range(8)]
    rows = [road.Row(person.pk, {"mobile": "514 555-0142"}) for person in people]
    done = race(saving(felix, *rows), saving(zoe, *reversed(rows)))
    assert sorted(done, key=str) == [Outcome.CONFLICT, Outcome.SAVED]
    assert {person.version for person in User.objects.filter(pk__in=[one.pk for one in people])} == {2}


def test_an_edit_and_a_deletion_of_one_person(felix: User, zoe: User, amelie: User) -> None:
    done = race(saving(felix, road.Row(amelie.pk, {"first_name": "Anne"})), deleting(zoe, amelie.pk))
    assert sorted(done, key=str) == [Outcome.CONFLICT, Outcome.SAVED]
    gone = not User.objects.filter(pk=amelie.pk).exists()
    assert gone == (done[1] is Outcome.SAVED)


def test_two_who_delete_the_same_person_delete_once(felix: User, zoe: User, amelie: User) -> None:
    done = race(deleting(felix, amelie.pk), deleting(zoe, amelie.pk))
    assert sorted(done, key=str) == [Outcome.CONFLICT, Outcome.SAVED]
    assert Operation.objects.filter(kind="delete").count() == 1


def test_nobody_joins_a_department_that_is_deleted_at_that_moment(
    felix: User, zoe: User, boreale: Customer
) -> None:
    night = Department.objects.create(customer=boreale, name="Nuit")
    done = race(
        saving(felix, somebody(number="150", primary_department="Nuit")),
        deleting(zoe, night.pk, sheet=department_sheet),
    )
    assert done.count(Outcome.SAVED) == 1
    assert Department.objects.filter(pk=night.pk).exists() == User.objects.filter(number="150").exists()


def test_one_did_number_rings_one_of_two(felix: User, zoe: User, amelie: User) -> None:
    did = Did.objects.of(felix.customer).first()
    done = race(
        saving(felix, road.Row(amelie.pk, {"dids": [did.pk]})),
        saving(zoe, road.Row(zoe.pk, {"dids": [did.pk]})),
    )
    assert sorted(done, key=str) in ([Outcome.REFUSED, Outcome.SAVED], [Outcome.CONFLICT, Outcome.SAVED])
    assert Did.objects.get(pk=did.pk).user_id in (amelie.pk, zoe.pk)
    assert Change.objects.filter(kind="edit").count() == 1


def test_of_two_first_accounts_of_an_empty_team_one_is_its_manager() -> None:
    """Two terminals at once: the second waits until the first account is there, and is no manager then."""
    User.objects.filter(is_staff=True).delete()

    def invited(email: str, lock_timeout: str) -> User:
        try:
            with connection.cursor() as cursor:
                cursor.execute(f"SET lock_timeout = '{lock_timeout}'")
            return team.invite(rights.terminal_actor(), FACTS, email, mailed=False)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            first = team.invite(rights.terminal_actor(), FACTS, "un@tic.example", mailed=False)
            with pytest.raises(OperationalError, match="lock"):
                pool.submit(invited, "deux@tic.example", "200ms").result()
        second = pool.submit(invited, "deux@tic.example", "10s").result()
    assert (first.staff_level, second.staff_level) == (StaffLevel.MANAGER, StaffLevel.TECHNICIAN)
