"""Jobs with real Celery workers and a real broker: a worker that is killed in the middle, and a broker that is gone."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from pbxadmin.common.columns import Scope
from phones.tests.processes import publish_to, shared_database, valkey, wait_until, worker
from users import road
from users.models import Change, Job, Operation, User
from users.people import actions
from users.people.sections import user_sheet
from users.road import jobs
from users.tests.factories import FACTS, make_customer, make_user

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow("starts workers and kills them")]

MANY = 400


@pytest.fixture
def place(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """Addresses of the database and the broker."""
    with shared_database(tmp_path) as database, valkey(tmp_path) as broker:
        yield database, broker


@pytest.fixture
def owner(place: tuple[str, str]) -> User:
    """Félix, and four hundred people of his."""
    boreale = make_customer(included_extensions=1_000)
    felix = make_user(boreale, "102", "Félix", "Gagnon", role="system_owners")
    rows = [
        road.Row(
            None,
            {
                "first_name": "Personne",
                "last_name": f"Numéro {place}",
                "role": "users",
                "primary_department": "Soins",
            },
        )
        for place in range(MANY)
    ]
    plan = road.plan(felix, boreale, user_sheet(), rows)
    assert road.commit(plan, FACTS).operation, plan.sentences[:3]
    return felix


def people(owner: User) -> list[int]:
    return list(User.objects.of(owner.customer).filter(role="users").values_list("pk", flat=True))


def start(owner: User, action: actions.Action, **settings: object) -> Job:
    return jobs.start(action, Scope(owner, owner.customer), people(owner), settings, FACTS)


def now(job: Job) -> Job:
    return Job.objects.get(pk=job.pk)


def nobody_heard_of_the_worker(job: Job) -> None:
    """As if the time had passed after which it counts as dead."""
    assert now(job).lease_until
    Job.objects.filter(pk=job.pk).update(lease_until=timezone.now() - timedelta(seconds=1))


def each_was_reset_once(owner: User, job: Job) -> None:
    assert (now(job).state, now(job).done, now(job).refused) == ("done", MANY, 0)
    changes = Change.objects.filter(operation__kind=Operation.Kind.RESET)
    assert changes.count() == changes.values("object_pk").distinct().count() == MANY
    assert changes.values("operation").distinct().count() == 1
    versions = User.objects.filter(pk__in=people(owner)).values_list("version", flat=True)
    assert set(versions) == {2}


def test_a_job_whose_worker_is_killed_in_the_middle_goes_on_with_another_and_does_nothing_twice(
    place: tuple[str, str], tmp_path: Path, owner: User
) -> None:
    with worker(tmp_path, *place, name="first") as first:
        job = start(owner, actions.RESET, boxes=["sip"])
        wait_until(lambda: now(job).position > 0, 30, "the first step is done")
        first.kill()
    assert now(job).position < MANY, "it was too quick to be killed"
    nobody_heard_of_the_worker(job)
    with worker(tmp_path, *place, name="second"):
        jobs.sweep_jobs()
        wait_until(lambda: now(job).is_over, 60, "the job is over")
    each_was_reset_once(owner, job)


@contextmanager
def held(table: str, pk: int) -> Iterator[None]:
    """A row that somebody else holds meanwhile, on a connection of their own."""
    holder = connection.copy()
    holder.set_autocommit(False)
    with holder.cursor() as cursor:
        cursor.execute(f"SELECT 1 FROM {table} WHERE id = %s FOR UPDATE", [pk])
    try:
        yield
    finally:
        holder.rollback()
        holder.close()


def waits_with(statement: str) -> bool:
    """Whether somebody waits for a row, with a statement that begins so."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE %s",
            [f"{statement}%"],
        )
        return cursor.fetchone() is not None


@pytest.mark.postgresql
def test_a_worker_that_is_killed_after_it_did_a_step_and_before_it_noted_it_has_done_nothing(
    place: tuple[str, str], tmp_path: Path, owner: User
) -> None:
    before = set(User.objects.filter(pk__in=people(owner)).values_list("sip_auth_id", flat=True))
    job = start(owner, actions.RESET, boxes=["sip"])
    with ExitStack() as stack:
        customer = stack.enter_context(ExitStack())
        customer.enter_context(held("users_customer", owner.customer_id))
        first = stack.enter_context(worker(tmp_path, *place, name="first"))
        wait_until(lambda: waits_with("SELECT"), 30, "the worker waits at the beginning of its step")
        stack.enter_context(held("users_job", job.pk))
        customer.close()
        wait_until(lambda: waits_with('UPDATE "users_job"'), 30, "the worker waits with its step done")
        first.kill()
    assert now(job).position == 0
    assert set(User.objects.filter(pk__in=people(owner)).values_list("sip_auth_id", flat=True)) == before
    assert not Change.objects.filter(operation__kind=Operation.Kind.RESET).exists()
    nobody_heard_of_the_worker(job)
    while jobs.run(job.pk):
        pass
    each_was_reset_once(owner, job)


def test_a_job_that_was_asked_for_while_the_broker_is_away_is_done_when_it_is_back(
    place: tuple[str, str], tmp_path: Path, owner: User
) -> None:
    database, broker = place
    publish_to(f"redis+socket://{tmp_path}/nobody.sock")
    job = start(owner, actions.DELETE)
    assert now(job).state == "waiting"
    publish_to(broker)
    with worker(tmp_path, database, broker):
        jobs.sweep_jobs()
        wait_until(lambda: now(job).is_over, 60, "the job is over")
    assert (now(job).state, now(job).done) == ("done", MANY)
    assert people(owner) == []


def test_a_job_is_cancelled_while_a_worker_is_at_it(
    place: tuple[str, str], tmp_path: Path, owner: User
) -> None:
    with worker(tmp_path, *place):
        job = start(owner, actions.DELETE)
        wait_until(lambda: now(job).position > 0, 30, "the first step is done")
        jobs.cancel(job)
        wait_until(lambda: now(job).is_over, 30, "the job is over")
    assert now(job).state == "cancelled"
    assert len(people(owner)) == now(job).left == MANY - now(job).done
