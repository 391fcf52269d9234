"""A job over many customers with real workers: one is killed in the middle, another goes on, and no customer has it twice."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from forwarding.models import Holiday
from phones.tests.processes import shared_database, valkey, wait_until, worker
from support.many.holidays import HOLIDAY
from users.models import Change, Customer, Department, Job, Operation
from users.road import jobs
from users.tests.factories import FACTS, make_staff

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow("starts workers and kills them")]

MANY = 80


@pytest.fixture
def place(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """Addresses of the database and the broker."""
    with shared_database(tmp_path) as database, valkey(tmp_path) as broker:
        yield database, broker


def now(job: Job) -> Job:
    return Job.objects.get(pk=job.pk)


def test_a_worker_that_is_killed_between_customers_leaves_the_rest_to_another_and_nobody_has_it_twice(
    place: tuple[str, str], tmp_path: Path
) -> None:
    staff = make_staff()
    customers = Customer.objects.bulk_create(
        Customer(name=f"Client {number}", slug=f"client-{number}", fqdn=f"client-{number}.example.com")
        for number in range(MANY)
    )
    Department.objects.bulk_create(Department(customer=each, name="Siège") for each in customers)
    keys = [(each.customer_id, [each.pk]) for each in Department.objects.order_by("pk")]
    with worker(tmp_path, *place, name="first") as first:
        preview = jobs.look(HOLIDAY, staff, keys, {"holiday": ["2026-12-25", "", "Noël", ""]}, FACTS)
        wait_until(lambda: now(preview).is_over, 60, "the preview is there")
        job = jobs.confirm(now(preview), staff, FACTS)
        wait_until(lambda: now(job).position > 0, 30, "the first customer has it")
        first.kill()
    assert 0 < now(job).position < MANY, "it was too quick to be killed"
    Job.objects.filter(pk=job.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    with worker(tmp_path, *place, name="second"):
        jobs.sweep_jobs()
        wait_until(lambda: now(job).is_over, 60, "the job is over")
    assert (now(job).state, now(job).done, now(job).refused) == ("done", MANY, 0)
    assert Holiday.objects.count() == MANY
    operations = Operation.objects.filter(reason=f"job {job.pk}")
    assert operations.count() == operations.values("customer").distinct().count() == MANY
    assert Change.objects.filter(operation__in=operations).count() == MANY
