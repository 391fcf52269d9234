"""What is done as a whole: followed while it runs, cancelled, taken over, tried again, and never done twice."""

from datetime import timedelta

import pytest
from django.db import OperationalError, transaction
from django.utils import timezone, translation

from pbxadmin.common.columns import Scope
from signin.tests.signing import sign_in_fully
from users.models import Customer, Job
from users.road import jobs, works
from users.road.pages.jobs import told
from users.tests.factories import FACTS

pytestmark = [pytest.mark.both_databases("a lease that is renewed beside a transaction")]


class Doing:
    """A kind of work whose doing each test says."""

    def __init__(self) -> None:
        self.does = lambda scope, beat: beat.finish(5, 1)
        self.times = 0
        self.work = works.Work(
            slug="trial",
            title=lambda job: "A trial",
            url=lambda job: "",
            phases={"read": ("Reading", 0), "write": ("Writing", 400)},
            do=self.do,
        )

    def do(self, scope, beat):
        """Called by the worker."""
        self.times += 1
        self.does(scope, beat)


@pytest.fixture
def doing():
    """The only kind of work in these tests."""
    made = Doing()
    works.register_work(made.work)
    yield made
    del works.WORKS["trial"]


@pytest.fixture
def job(doing, boreale, felix):
    """One that waits."""
    with translation.override("en"):
        return jobs.start_work(doing.work, Scope(felix, boreale), {}, FACTS)


def run(job):
    """A worker's turn; the job afterwards."""
    assert jobs.run(job.pk) is False
    job.refresh_from_db()
    return job


def test_what_is_done_as_a_whole_ends_with_what_it_counted(doing, job):
    run(job)
    assert (job.state, job.done, job.refused, job.left, job.worker) == ("done", 5, 1, 0, "")
    assert jobs.run(job.pk) is False
    assert doing.times == 1


def test_it_says_in_words_and_percent_how_far_it_is(doing, job):
    seen = []

    def does(scope, beat):
        for phase, share in (("read", 0.5), ("write", 0.5)):
            beat.at(phase, share)
            beat._tell()
            found = Job.objects.select_related("customer").get(pk=job.pk)
            seen.append(told(found, found.starter).counts)

    doing.does = does
    with translation.override("en"):
        run(job)
        assert seen == ["Reading · 20%", "Writing · 70%"]
        assert told(job, job.starter).counts == "0 done"


def test_a_cancellation_is_heard_in_the_middle_and_rolls_back_what_was_written(doing, job, boreale):
    def does(scope, beat):
        with transaction.atomic():
            Customer.objects.filter(pk=boreale.pk).update(name="Written")
            jobs.cancel(Job.objects.get(pk=job.pk))
            beat._tell()
            beat.at("write")

    doing.does = does
    run(job)
    assert job.state == "cancelled"
    assert not Customer.objects.filter(name="Written").exists()
    with translation.override("en"):
        assert told(job, job.starter).counts == "nothing was done"


def test_one_that_is_cancelled_before_it_begins_never_begins(doing, job):
    jobs.cancel(job)
    run(job)
    assert (job.state, doing.times) == ("cancelled", 0)


def test_a_worker_that_was_believed_dead_writes_nothing_when_it_wakes_up(doing, job, boreale):
    def does(scope, beat):
        Job.objects.filter(pk=job.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
        assert jobs._claim(job.pk)
        with transaction.atomic():
            Customer.objects.filter(pk=boreale.pk).update(name="Written")
            beat.finish(5)

    doing.does = does
    run(job)
    assert job.state == "running"
    assert not Customer.objects.filter(name="Written").exists()


def test_a_beat_renews_the_lease_of_this_worker_only(doing, job):
    def does(scope, beat):
        before = Job.objects.get(pk=job.pk).lease_until
        Job.objects.filter(pk=job.pk).update(lease_until=before - timedelta(seconds=20))
        beat._tell()
        assert Job.objects.get(pk=job.pk).lease_until >= before
        Job.objects.filter(pk=job.pk).update(worker="another", lease_until=before)
        beat._tell()
        assert Job.objects.get(pk=job.pk).lease_until == before

    doing.does = does
    run(job)
    assert job.worker == "another"


def test_whoever_may_no_longer_administer_has_it_stopped_with_the_reason(doing, job, felix):
    felix.disabled = True
    felix.save()
    run(job)
    assert (job.state, doing.times) == ("stopped", 0)
    assert "disabled" in job.words


def test_a_reason_why_it_cannot_go_on_is_what_its_reader_reads(doing, job):
    def does(scope, beat):
        raise works.StoppedError("The file is gone.")

    doing.does = does
    run(job)
    assert (job.state, job.words) == ("stopped", "The file is gone.")


def test_a_database_that_goes_away_leaves_it_to_the_next_worker(doing, job):
    def does(scope, beat):
        raise OperationalError("gone")

    doing.does = does
    with pytest.raises(OperationalError):
        jobs.run(job.pk)
    doing.does = lambda scope, beat: beat.finish(5)
    assert [key for key, _kind in jobs.due()] == [job.pk]
    assert run(job).state == "done"


def test_what_no_worker_survives_is_given_up_with_a_sentence(doing, job):
    Job.objects.filter(pk=job.pk).update(attempts=works.MOST_ATTEMPTS)
    run(job)
    assert (job.state, doing.times) == ("stopped", 0)
    assert job.words == "It was interrupted several times and isn't tried again."


def test_an_error_of_ours_is_said_to_be_one_and_stops_it(doing, job, caplog):
    doing.does = lambda scope, beat: 1 / 0
    run(job)
    assert (job.state, job.words) == ("stopped", "It failed unexpectedly. Support can see why.")
    assert "ZeroDivisionError" in caplog.text


def test_its_workers_are_others_than_those_of_mails_and_steps(
    doing, felix, boreale, monkeypatch, django_capture_on_commit_callbacks
):
    queues = []
    monkeypatch.setattr(jobs.run_job, "apply_async", lambda args, **options: queues.append(options["queue"]))
    with django_capture_on_commit_callbacks(execute=True):
        job = jobs.start_work(doing.work, Scope(felix, boreale), {}, FACTS)
    jobs.sweep_jobs()
    assert queues == ["files", "files"]
    assert job.kind in works.WORKS


def test_the_page_of_a_job_leads_whoever_started_it_to_where_it_is_followed(client, doing, job, felix):
    sign_in_fully(client, felix)
    page = f"/c/{felix.customer.slug}/jobs/{job.pk}"
    assert client.get(page).status_code == 200
    object.__setattr__(doing.work, "url", lambda job: "/elsewhere")
    assert client.get(page)["Location"] == "/elsewhere"
