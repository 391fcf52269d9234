"""Long work: asked for once, done in steps, with the rights of now, cancelled, told; and what survives which failure."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from pbxadmin.common.columns import Scope
from pbxadmin.common.http import RequestFacts
from pbxadmin.common.proof import ProofNeededError
from signin.tests.signing import sign_in_fully
from users import road
from users.models import Change, Customer, Job, JobStep, Letter, Operation, Role, User
from users.people import actions
from users.people.sections import user_sheet
from users.road import jobs, undo
from users.tests.factories import FACTS, make_staff, make_user

pytestmark = [
    pytest.mark.both_databases("steps that claim their rows"),
    pytest.mark.slow("many people, step by step"),
]


@pytest.fixture(autouse=True)
def small_steps(monkeypatch):
    """Three records a step, and more than two are a job: so that a handful shows what a thousand would do."""
    monkeypatch.setattr(jobs, "FIRST", 3)
    monkeypatch.setattr(jobs, "MOST", 3)


@pytest.fixture
def published(monkeypatch):
    """The jobs that a worker was told of."""
    told = []
    monkeypatch.setattr(jobs.run_job, "apply_async", lambda args, **options: told.append(args[0]))
    return told


@pytest.fixture
def people(boreale):
    """Seven in Soins, 150 to 156."""
    return [
        make_user(boreale, f"15{place}", "Personne", f"Numéro {place}", department="Soins")
        for place in range(7)
    ]


def start(action, actor, people, **settings):
    """A job that `actor` starts for these people."""
    with translation.override("en"):
        return jobs.start(
            action, Scope(actor, people[0].customer), [user.pk for user in people], settings, FACTS
        )


def finish(job):
    """Turn after turn, as workers would do it; the job afterwards."""
    while jobs.run(job.pk):
        pass
    job.refresh_from_db()
    return job


def one_step(job, monkeypatch):
    """A worker's turn that is over after one step; the job afterwards."""
    with monkeypatch.context() as patch:
        patch.setattr(jobs, "TURN", 0.0)
        assert jobs.run(job.pk)
    job.refresh_from_db()
    return job


def lines(job, name):
    """What the report has of "done" or "refused"."""
    return [line for step in job.steps.all() for line in getattr(step, name)]


def there(people):
    return User.objects.filter(pk__in=[user.pk for user in people]).count()


# --- Doing --------------------------------------------------------------------------------------------------------
def test_a_job_does_all_of_it_step_by_step_and_reads_as_one_operation(felix, people):
    job = finish(start(actions.DELETE, felix, people))
    assert (job.state, job.done, job.refused, job.left) == ("done", 7, 0, 0)
    assert [step.position for step in job.steps.all()] == [0, 3, 6]
    assert there(people) == 0
    operation = Operation.objects.get(pk=job.operation_id)
    assert (operation.kind, operation.reason, operation.actor_pk) == ("delete", f"job {job.pk}", felix.pk)
    assert (operation.address, operation.source) == (FACTS.address, FACTS.source)
    assert set(operation.changes.values_list("object_pk", flat=True)) == {user.pk for user in people}
    assert Operation.objects.filter(kind="delete").count() == 1


def test_whom_it_is_not_possible_for_is_left_out_and_named_with_the_reason(felix, people):
    job = finish(start(actions.DELETE, felix, [*people[:2], felix, *people[2:]]))
    assert (job.state, job.done, job.refused) == ("done", 7, 1)
    [(key, name, words)] = lines(job, "refused")
    assert (key, name, words) == (
        felix.pk,
        str(felix),
        "You can't delete yourself: ask another administrator of your company.",
    )
    assert User.objects.filter(pk=felix.pk).exists()


def test_whoever_went_meanwhile_is_told_as_gone(felix, people):
    job = start(actions.SECOND_FACTOR, felix, people)
    road.remove(road.plan_removal(felix, felix.customer, user_sheet(), [people[4].pk]), FACTS)
    finish(job)
    assert (job.done, job.refused) == (6, 1)
    assert lines(job, "refused") == [[people[4].pk, "", "This item no longer exists. Reload the page."]]


def test_people_who_send_their_calls_to_one_another_are_deleted_in_any_order(felix, people):
    for user, other in zip(people, people[1:] + people[:1], strict=True):
        plan = road.plan(
            felix,
            felix.customer,
            user_sheet(),
            [road.Row(user.pk, {"away.divert_external": f"extension:{other.number}"})],
        )
        road.apply(plan, FACTS)
    job = finish(start(actions.DELETE, felix, people))
    assert (job.done, job.refused) == (7, 0)


def test_one_whom_only_the_doing_refuses_costs_nobody_else_the_deed(felix, people, monkeypatch):
    victim = people[1]
    real = actions.replacements.Departure.leave

    def leave(self, *args):
        if victim.pk in {record.pk for record in self.removal.records}:
            self.removal.refusals = {victim.pk: "Somebody holds on."}
            raise road.RefusedError
        return real(self, *args)

    monkeypatch.setattr(actions.replacements.Departure, "leave", leave)
    job = finish(start(actions.DELETE, felix, people))
    assert (job.done, job.refused) == (6, 1)
    assert "Somebody holds on." in lines(job, "refused")[0][2]
    assert [user.pk for user in User.objects.filter(pk__in=[user.pk for user in people])] == [victim.pk]


def test_a_record_that_breaks_the_work_is_left_out_and_stops_nothing(felix, people, monkeypatch, caplog):
    real = road.plan_removal

    def breaks(actor, customer, sheet, keys, *more):
        if people[5].pk in list(keys):
            raise ZeroDivisionError
        return real(actor, customer, sheet, keys, *more)

    monkeypatch.setattr(road, "plan_removal", breaks)
    job = finish(start(actions.DELETE, felix, people))
    assert (job.state, job.done, job.refused) == ("done", 6, 1)
    assert lines(job, "refused")[0][2] == "It failed unexpectedly. Support can see why."
    assert "ZeroDivisionError" in caplog.text


def test_a_reset_of_many_gives_everybody_new_secrets_once_and_says_what_is_left_to_do(client, felix, people):
    before = {user.pk: (user.sip_password, user.version) for user in people}
    job = finish(start(actions.RESET, felix, people, boxes=["sip", "welcome_mail"]))
    assert job.done == 7
    for user in User.objects.filter(pk__in=before):
        assert user.sip_password != before[user.pk][0]
        assert user.version == before[user.pk][1] + 1
    page = sign_in_fully(client, felix).get(reverse("job", args=["boreale", job.pk])).content.decode()
    todo = reverse("reset_done", args=["boreale", job.operation_id])
    assert todo in page
    left = client.get(todo).content.decode()
    assert left.count("Personne Numéro") >= 14  # reset, to be scanned again, and without a mail


def test_the_welcome_mails_of_a_job_are_in_the_box_once_each(felix, people):
    User.objects.filter(pk__in=[user.pk for user in people[:4]]).update(email="p@boreale.example")
    job = finish(start(actions.WELCOME, felix, people))
    assert (job.done, job.refused) == (4, 3)
    assert sorted(Letter.objects.values_list("user", flat=True)) == [user.pk for user in people[:4]]


def test_what_a_job_changed_is_taken_back_as_one_but_not_before_it_is_over(felix, people, monkeypatch):
    job = start(actions.SECOND_FACTOR, felix, people)
    one_step(job, monkeypatch)
    assert 0 < job.position < 7
    with pytest.raises(undo.NotUndoableError, match="Une tâche y travaille encore"):
        undo.undo(felix, felix.customer, job.operation, FACTS)
    finish(job)
    assert User.objects.filter(require_2fa=True, pk__in=[user.pk for user in people]).count() == 7
    undo.undo(felix, felix.customer, job.operation, FACTS)
    assert User.objects.filter(require_2fa=True, pk__in=[user.pk for user in people]).count() == 0


# --- The rights of now --------------------------------------------------------------------------------------------
LOSSES = {
    "role": lambda boreale, felix: User.objects.filter(pk=felix.pk).update(role="users"),
    "disabled": lambda boreale, felix: User.objects.filter(pk=felix.pk).update(disabled=True),
    "suspended": lambda boreale, felix: Customer.objects.filter(pk=boreale.pk).update(suspended=True),
    "the role's right": lambda boreale, felix: Role.objects.filter(pk="system_owners").update(
        administer_users=False
    ),
}


@pytest.mark.parametrize("loss", LOSSES)
def test_whoever_loses_the_right_on_the_way_goes_no_step_further_and_the_report_says_why(
    boreale, felix, people, monkeypatch, loss
):
    job = start(actions.DELETE, felix, people)
    one_step(job, monkeypatch)
    assert (job.done, there(people)) == (3, 4)
    LOSSES[loss](boreale, felix)
    finish(job)
    assert (job.state, job.done, job.left) == ("stopped", 3, 4)
    assert there(people) == 4
    assert job.words


def test_a_role_that_became_smaller_reaches_only_whom_it_reaches_now(boreale, felix, people, monkeypatch):
    other = make_user(boreale, "170", "Zoé", "Lavoie", department="Accueil")
    job = start(actions.DELETE, felix, [*people[:3], other, people[3]])
    one_step(job, monkeypatch)
    User.objects.filter(pk=felix.pk).update(role="group_admins")
    felix.memberships.all().delete()
    felix.memberships.create(department=people[0].primary_department)
    finish(job)
    assert (job.done, job.refused) == (4, 1)
    assert lines(job, "refused") == [
        [other.pk, str(other), "This person's primary department is not one of yours."]
    ]


def test_a_job_whose_starter_was_deleted_stops_and_stays_in_the_history(boreale, felix, ines, people):
    owner = make_user(boreale, "171", "Rose", "Paré", role="system_owners")
    job = start(actions.SECOND_FACTOR, owner, people)
    road.remove(road.plan_removal(felix, boreale, user_sheet(), [owner.pk]), FACTS)
    job.refresh_from_db()
    finish(job)
    assert (job.state, job.done, job.starter_id) == ("stopped", 0, None)
    assert job.starter_name == "171 Rose Paré"


def test_keys_of_another_customer_in_a_job_are_nobody(felix, people, laurier):
    stranger = make_user(laurier, "201", "Rosalie", "Beaulieu")
    job = finish(start(actions.DELETE, felix, [*people[:1], stranger]))
    assert (job.done, job.refused) == (1, 1)
    assert "Rosalie" not in str(lines(job, "refused"))
    assert User.objects.filter(pk=stranger.pk).exists()


# --- Cancelling ---------------------------------------------------------------------------------------------------
def test_a_cancelled_job_ends_between_two_steps_and_says_how_many_were_not_reached(
    felix, people, monkeypatch
):
    job = start(actions.DELETE, felix, people)
    one_step(job, monkeypatch)
    jobs.cancel(job)
    finish(job)
    assert (job.state, job.done, job.left) == ("cancelled", 3, 4)
    assert there(people) == 4


def test_a_job_that_nobody_has_begun_is_cancelled_at_once_even_without_a_worker(felix, people):
    job = start(actions.DELETE, felix, people)
    jobs.cancel(job)
    job.refresh_from_db()
    assert (job.state, job.is_over) == ("cancelled", True)
    assert finish(job).done == 0
    assert there(people) == 7


# --- What fails ---------------------------------------------------------------------------------------------------
def test_a_second_worker_finds_a_job_taken_and_does_nothing(felix, people):
    job = start(actions.DELETE, felix, people)
    assert jobs._claim(job.pk)
    assert jobs.run(job.pk) is False
    assert there(people) == 7


def test_a_job_whose_worker_was_not_heard_of_is_taken_up_by_another_and_the_first_one_lets_go(felix, people):
    job = start(actions.DELETE, felix, people)
    first = jobs._claim(job.pk)
    assert jobs.due() == []
    Job.objects.filter(pk=job.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    assert jobs.due() == [(job.pk, job.kind)]
    finish(job)
    assert job.done == 7
    # The first one wakes up, and believes that it still has the job.
    late = Job.objects.get(pk=job.pk)
    late.worker, late.position = first, 0
    with pytest.raises(jobs.TakenOverError), transaction.atomic():
        jobs._step(late, 3)
    assert JobStep.objects.filter(job=job).count() == 3


def test_a_broker_that_is_away_loses_nothing_and_the_sweep_starts_the_job(
    felix, people, monkeypatch, django_capture_on_commit_callbacks
):
    def away(*args, **options):
        raise ConnectionError("no broker")

    monkeypatch.setattr(jobs.run_job, "apply_async", away)
    with django_capture_on_commit_callbacks(execute=True):
        job = start(actions.DELETE, felix, people)
    assert Job.objects.get(pk=job.pk).state == "waiting"
    told = []
    monkeypatch.setattr(jobs.run_job, "apply_async", lambda args, **options: told.append(args[0]))
    jobs.sweep_jobs()
    assert told == [job.pk]


def test_a_worker_is_told_after_the_commit_and_given_a_number_and_nothing_else(
    felix, people, published, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        job = start(actions.DELETE, felix, people)
        assert published == []
    assert published == [job.pk]


def test_the_same_asked_for_twice_is_one_job(felix, people):
    assert start(actions.DELETE, felix, people).pk == start(actions.DELETE, felix, people).pk
    assert start(actions.DELETE, felix, people[:3]).pk != start(actions.DELETE, felix, people).pk


def test_steps_shrink_while_they_are_slow_and_grow_while_they_are_quick(felix, people, monkeypatch):
    monkeypatch.setattr(jobs, "MOST", 100)
    job = start(actions.SECOND_FACTOR, felix, people)
    worker = jobs._claim(job.pk)
    job = Job.objects.select_related("customer").get(pk=job.pk, worker=worker)
    assert jobs._go_on(job, 2) == 4
    monkeypatch.setattr(jobs, "QUICK", -2)
    monkeypatch.setattr(jobs, "SLOW", -1)
    job.refresh_from_db()
    assert jobs._go_on(job, 4) == 2


def test_old_jobs_are_forgotten_after_thirty_days_and_what_runs_never(felix, people):
    old, new, running = (start(actions.SECOND_FACTOR, felix, people[place:]) for place in range(3))
    now = timezone.now()
    Job.objects.filter(pk=old.pk).update(ended_at=now - timedelta(days=31))
    Job.objects.filter(pk=new.pk).update(ended_at=now - timedelta(days=29))
    Job.objects.filter(pk=running.pk).update(created_at=now - timedelta(days=99))
    jobs.forget_jobs()
    assert set(Job.objects.values_list("pk", flat=True)) == {new.pk, running.pk}


def test_no_secret_is_in_a_job_or_its_report(felix, people):
    job = finish(start(actions.RESET, felix, people, boxes=[box.name for box in actions.reset.boxes()]))
    kept = str(Job.objects.filter(pk=job.pk).values()) + str(list(job.steps.values()))
    for user in User.objects.filter(pk__in=[user.pk for user in people]):
        assert user.sip_password not in kept
        assert user.sip_auth_id not in kept


# --- Pages --------------------------------------------------------------------------------------------------------
def url(job, name="job"):
    return reverse(name, args=["boreale", job.pk])


def sent(people, **more):
    return {"chosen": [person.pk for person in people], "confirmed": "1", "expected": str(len(people))} | more


@pytest.fixture
def five_at_once(monkeypatch):
    """Deletions and resets of more than five are a job's."""
    for action in (actions.DELETE, actions.RESET):
        monkeypatch.setitem(action.__dict__, "at_once", 5)


@pytest.mark.parametrize("slug", ["delete", "reset"])
def test_a_page_that_asks_for_many_says_that_it_will_be_a_job_and_begins_it(
    client, felix, people, five_at_once, slug
):
    sign_in_fully(client, felix)
    address = reverse(f"chosen_{slug}", args=["boreale"])
    asked = client.post(address, {"chosen": [person.pk for person in people]}).content.decode()
    assert "la cloche y ramène" in asked
    answer = client.post(address, sent(people, confirm="7", box=["sip"]))
    job = Job.objects.get()
    assert answer["Location"] == url(job)
    assert (job.kind, job.starter, job.total, job.language) == (slug, felix, 7, "fr-ca")
    assert there(people) == 7


def test_a_job_that_lets_a_thief_stay_begins_with_a_fresh_proof_alone(felix, people):
    scope, keys = Scope(felix, people[0].customer), [person.pk for person in people]
    not_proved = RequestFacts("portal", proved=lambda: False)
    for action, settings in ((actions.RESET, {"sip": True}), (actions.WELCOME, {})):
        with pytest.raises(ProofNeededError):
            jobs.start(action, scope, keys, settings, not_proved)
    assert not Job.objects.exists()
    jobs.start(actions.DELETE, scope, keys, {}, not_proved)
    assert Job.objects.count() == 1


@pytest.mark.parametrize("slug", ["delete", "reset"])
def test_few_are_done_while_one_waits(client, felix, people, five_at_once, slug):
    address = reverse(f"chosen_{slug}", args=["boreale"])
    sign_in_fully(client, felix).post(address, sent(people[:5], confirm="5", box=["sip"]))
    assert not Job.objects.exists()
    assert Operation.objects.latest("pk").changes.count() == 5


def test_the_page_of_a_job_follows_it_and_loads_the_report_when_it_is_over(
    client, felix, people, monkeypatch
):
    job = start(actions.DELETE, felix, people)
    sign_in_fully(client, felix)
    page = client.get(url(job)).content.decode()
    assert '<progress class="progress-line" id="job-bar" value="0" max="7">' in page
    assert "every 2s" in page
    assert 'http-equiv="refresh"' in page
    one_step(job, monkeypatch)
    part = client.get(url(job), headers={"hx-request": "true"}).content.decode()
    assert 'value="3"' in part
    assert "<html" not in part
    assert "announcer" in part
    assert (
        "announcer" not in client.get(url(job) + "?said=4", headers={"hx-request": "true"}).content.decode()
    )
    finish(job)
    answer = client.get(url(job), headers={"hx-request": "true"})
    assert answer.headers["HX-Refresh"] == "true"
    report = client.get(url(job)).content.decode()
    assert "every 2s" not in report
    assert "Personne Numéro 0" in report


def test_the_report_leads_to_those_who_are_still_there(client, felix, people):
    job = finish(start(actions.DELETE, felix, [*people, felix]))
    page = sign_in_fully(client, felix).get(url(job)).content.decode()
    assert (
        reverse("user_tab", args=["boreale", "102", "general"])
        in page.split('id="refused"')[1].split("</section>")[0]
    )
    assert reverse("user_tab", args=["boreale", "150", "general"]) not in page


def test_a_job_is_seen_by_its_starter_and_support_alone(boreale, felix, people, laurier):
    job = start(actions.DELETE, felix, people)
    other = make_user(boreale, "172", "Rose", "Paré", role="system_owners")
    stranger = make_user(laurier, "201", "Rosalie", "Beaulieu", role="system_owners")
    for person, expected in ((other, 404), (stranger, 404), (make_staff(), 200), (felix, 200)):
        browser = sign_in_fully(Client(), person)
        assert browser.get(url(job)).status_code == expected
        assert browser.post(url(job, "job_cancel")).status_code == (302 if expected == 200 else 404)
        listed = browser.get(reverse("own_jobs")).content.decode()
        assert (url(job) in listed) is (person == felix)
    assert browser.get(reverse("job", args=["boreale", 2**70])).status_code == 404


def test_the_page_cancels(client, felix, people):
    job = start(actions.DELETE, felix, people)
    sign_in_fully(client, felix)
    assert client.get(url(job, "job_cancel")).status_code == 405
    page = client.post(url(job, "job_cancel"), follow=True).content.decode()
    assert "Annulée" in page
    assert there(people) == 7


def test_the_bell_is_fetched_only_by_whom_it_tells_something_and_stops_asking_at_the_end(
    client, felix, people
):
    sign_in_fully(client, felix)
    home = reverse("users", args=["boreale"])
    assert 'id="bell"' in client.get(home).content.decode()
    assert reverse("bell") not in client.get(home).content.decode()
    job = start(actions.DELETE, felix, people)
    assert reverse("bell") in client.get(home).content.decode()
    bell = client.get(reverse("bell")).content.decode()
    assert url(job) in bell
    assert "every 5s" in bell
    finish(job)
    assert "every 5s" not in client.get(reverse("bell")).content.decode()
    last = client.get(reverse("bell") + "?open=1")
    assert last.status_code == 286
    assert "bell-count" in last.content.decode()
    Job.objects.update(ended_at=timezone.now() - timedelta(days=2))
    assert reverse("bell") not in client.get(home).content.decode()


def test_a_person_who_administers_nobody_has_no_bell(client, amelie):
    assert 'id="bell"' not in sign_in_fully(client, amelie).get(reverse("own_page")).content.decode()


def test_the_bell_costs_no_query_of_its_own(client, felix, people, django_assert_max_num_queries):
    sign_in_fully(client, felix).get(reverse("users", args=["boreale"]))
    start(actions.DELETE, felix, people)
    with django_assert_max_num_queries(8):
        client.get(reverse("users", args=["boreale"]))


def test_the_history_says_which_job_it_was(client, felix, people):
    job = finish(start(actions.DELETE, felix, people))
    page = sign_in_fully(client, felix).get(reverse("history", args=["boreale"])).content.decode()
    assert f"Tâche n°\xa0{job.pk}" in page
    assert Change.objects.filter(operation=job.operation).count() == 7


def test_a_page_that_asks_about_hundreds_names_thirty_and_counts_the_others(
    client, felix, people, monkeypatch
):
    monkeypatch.setattr(actions, "SHOWN", 3)
    sign_in_fully(client, felix)
    page = client.post(reverse("chosen_reset", args=["boreale"]), {"chosen": [user.pk for user in people]})
    assert [str(user) for user in page.context["no_address"]] == [str(user) for user in people[:3]]
    assert page.context["more_without_address"] == 4
