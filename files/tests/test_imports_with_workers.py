"""An import with real workers and a real broker: killed while it is planned, killed after all is written and before it is committed."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from files import uploads
from files.importing.imports import Mode
from files.models import Upload
from files.subjects import USERS
from files.tests import generated
from pbxadmin.common.columns import Scope
from phones.models import Phone
from phones.tests.processes import shared_database, valkey, wait_until, worker
from users.models import Change, Department, Did, Job, Operation, User
from users.road import jobs
from users.tests.factories import FACTS, make_customer, make_user
from users.tests.test_jobs_with_workers import held, nobody_heard_of_the_worker, waits_with

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.postgresql,
    pytest.mark.slow("starts workers and kills them"),
]

ROWS = 300


@pytest.fixture
def place(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """Addresses of the database and the broker."""
    with shared_database(tmp_path) as database, valkey(tmp_path) as broker:
        yield database, broker


@pytest.fixture
def scope() -> Scope:
    """A customer with room, and its owner."""
    customer = make_customer(included_extensions=1_000, slug="quai", extension_digits=4)
    owner = make_user(customer, "1990", "Félix", "Gagnon", role="system_owners")
    Did.objects.of(customer).delete()  # of the block in which the generator has its mobiles
    for name in ("DEFAULT", "Ventes", "Soutien"):
        Department.objects.get_or_create(customer=customer, name=name)
    return Scope(owner, customer)


def there(scope: Scope) -> tuple[int, int, int]:
    """People, phones and lines of the history that came with a file."""
    people = User.objects.of(scope.customer).exclude(pk=scope.actor.pk).count()
    changes = Change.objects.filter(operation__source="csv").values("object_pk").count()
    return people, Phone.objects.of(scope.customer).count(), changes


def now(upload: Upload) -> Upload:
    return Upload.objects.select_related("job").get(pk=upload.pk)


def job_of(upload: Upload) -> Job:
    job = now(upload).job
    assert job is not None
    return job


def looked(scope: Scope, content: bytes) -> Upload:
    """A file that a worker has looked at."""
    upload = uploads.receive(scope, USERS, "liste.csv", [content], Mode.BOTH, FACTS)
    jobs.run(job_of(upload).pk)
    upload = now(upload)
    assert upload.state == "looked", (job_of(upload).words, upload.read)
    assert upload.seen, upload.groups
    return upload


def confirmed(scope: Scope) -> tuple[list[list[str]], Upload, Job]:
    """The rows of a file that was looked at and confirmed, and the job that waits for a worker."""
    rows, _faults = generated.make(ROWS, digits=4)
    upload = looked(scope, generated.as_csv(rows))
    assert uploads.take_in(upload, scope, FACTS, upload.seen, good_rows=False)
    return rows, upload, job_of(upload)


def test_a_worker_that_is_killed_at_any_step_has_written_nothing_and_the_next_one_writes_all_once(
    place: tuple[str, str], tmp_path: Path, scope: Scope
) -> None:
    rows, upload, job = confirmed(scope)

    # While it is planned: it waits for the lock under which its rights are asked again.
    with ExitStack() as stack:
        customer = stack.enter_context(ExitStack())
        customer.enter_context(held("users_customer", scope.customer.pk))
        first = stack.enter_context(worker(tmp_path, *place, name="first"))
        wait_until(lambda: waits_with("SELECT"), 60, "the worker waits before it writes")
        first.kill()
    assert there(scope) == (0, 0, 0)
    nobody_heard_of_the_worker(job)

    # After all of it is written, before the commit: it waits for its own upload's row.
    with ExitStack() as stack:
        stack.enter_context(held("files_upload", upload.pk))
        second = stack.enter_context(worker(tmp_path, *place, name="second"))
        jobs.sweep_jobs()
        wait_until(
            lambda: waits_with("SELECT") and Job.objects.get(pk=job.pk).phase == "writing",
            60,
            "it has written all",
        )
        second.kill()
    assert there(scope) == (0, 0, 0)
    nobody_heard_of_the_worker(job)

    with worker(tmp_path, *place, name="third"):
        jobs.sweep_jobs()
        wait_until(lambda: Job.objects.get(pk=job.pk).is_over, 60, "the import is over")
    done = now(upload)
    assert (done.state, job_of(done).state, job_of(done).done) == ("written", "done", ROWS)
    people, phones, _changes = there(scope)
    assert people == ROWS
    assert phones == sum(bool(row[generated.AT["MAC"]]) for row in rows)
    assert Operation.objects.filter(customer=scope.customer, source="csv").count() == 1
    assert job_of(done).attempts == 3


def test_an_import_is_cancelled_while_a_worker_is_at_it_and_nothing_of_it_is_there(
    place: tuple[str, str], tmp_path: Path, scope: Scope
) -> None:
    _rows, _upload, job = confirmed(scope)
    with ExitStack() as stack:
        customer = stack.enter_context(ExitStack())
        customer.enter_context(held("users_customer", scope.customer.pk))
        stack.enter_context(worker(tmp_path, *place))
        wait_until(lambda: waits_with("SELECT"), 60, "the worker waits before it writes")
        jobs.cancel(Job.objects.get(pk=job.pk))
        # The beat hears of it within a second, while the work itself stands still.
        lease = Job.objects.get(pk=job.pk).lease_until
        wait_until(lambda: Job.objects.get(pk=job.pk).lease_until != lease, 30, "a beat")
        customer.close()
        wait_until(lambda: Job.objects.get(pk=job.pk).is_over, 60, "the job is over")
    assert Job.objects.get(pk=job.pk).state == "cancelled"
    assert there(scope) == (0, 0, 0)
