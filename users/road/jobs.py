"""Long work in steps: asked for once, carried out by workers, left and found again.

A job is a row. A step is one transaction that holds all of it: what is done to some records, the line that says so, and the
place where the next step begins. So what was done isn't done twice, and a worker that is killed in the middle has done
nothing. Which worker has a job is a lease: a conditional UPDATE takes it, each step renews it, and when it has run out the
sweep starts the job again. Who acts is whoever started it, with the rights of this very step.

What is done as a whole (`users.road.works`) has one step, which is long: a thread renews the lease meanwhile. What is done at many
customers (`users.road.wide`) has a step for each of them, and belongs to none.
"""

import logging
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from celery import shared_task
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from pbxadmin.common.columns import Scope
from pbxadmin.common.crypto import random_secret
from pbxadmin.common.http import RequestFacts
from pbxadmin.common.proof import Takeover
from users import rights
from users.models import Customer, Job, JobStep, User
from users.road.actions import ACTIONS, Action, Settings, Trace
from users.road.wide import WIDES, Taken, Wide, carry_out, look_at
from users.road.works import (
    LEASE,
    MOST_ATTEMPTS,
    WHOLE,
    WORKS,
    Beat,
    CancelledError,
    StoppedError,
    TakenOverError,
    Work,
)

logger = logging.getLogger(__name__)

State = Job.State
# How long a worker stays with one job before others, and the phones that wait for news, have their turn: seconds.
TURN = 2.0
# How many records a step begins with, and takes at most. It grows while a step is quick, and shrinks where somebody would wait
# for the customer's row: seconds.
FIRST, MOST = 50, 200
# How many customers a step of a preview begins with: it writes nothing, so that they may be looked at together.
FIRST_CUSTOMERS = 10
QUICK, SLOW = 0.5, 2.0
SWEEP_EVERY = 10  # seconds
# So many customers have something done, or looked at, while one waits.
FEW = 5
# What a job over customers is at, that plans and writes nothing.
PREVIEW = "preview"
KEPT = timedelta(days=30)


# --- From a page --------------------------------------------------------------------------------------------------
def start(action: Action, scope: Scope, keys: Sequence[int], settings: Settings, facts: RequestFacts) -> Job:
    """Have `action` done to these records, one after the other; a worker is told after the commit.

    The same asked again while it still runs (a second click) is the job that is there. Raises `ProofNeededError` where the action
    takes a fresh proof of who asks: a job has nobody to ask later.
    """
    facts.demand_proof(action.takes_over)
    with transaction.atomic():
        Customer.objects.select_for_update().only("pk").get(pk=scope.customer.pk)
        asked: dict[str, Any] = {"keys": list(keys), "settings": dict(settings)}
        same = Job.objects.of(scope.customer).filter(starter=scope.actor, kind=action.slug).open()
        for job in same:
            if {"keys": job.keys, "settings": job.settings} == asked:
                return job
        return _made(action.slug, scope.actor, scope.customer, facts, len(keys), **asked)


def start_work(work: Work, scope: Scope, settings: Settings, facts: RequestFacts) -> Job:
    """Have a work done; a worker is told after the commit. Whoever calls it sees to it that the same isn't asked for twice."""
    with transaction.atomic():
        return _made(work.slug, scope.actor, scope.customer, facts, WHOLE, settings=dict(settings))


def look(
    wide: Wide,
    actor: User,
    keys: Sequence[tuple[int, Sequence[int]]],
    settings: Settings,
    facts: RequestFacts,
) -> Job:
    """Have it planned what `wide` would do at these customers: [customer, records there]. Its report is the preview.

    Few are looked at here and now, more by a worker.
    """
    asked = {"keys": [[key, list(records), ""] for key, records in keys], "settings": dict(settings)}
    with transaction.atomic():
        job = _made(wide.slug, actor, None, facts, len(keys), PREVIEW, **asked)
    return _at_once_if_few(job)


def confirm(preview: Job, actor: User, facts: RequestFacts) -> Job:
    """Have done what a preview that is over has shown, at each customer where something changes.

    However often it is confirmed, and by however many, it is done once: then the job is the one that is there. Raises
    `ProofNeededError` where one of its changes takes a fresh proof.
    """
    lines = [line for step in preview.steps.all() for line in step.done]
    for what in sorted({told["takes_over"] for _key, _name, told in lines} - {""}):
        facts.demand_proof(Takeover(what))
    shown = {key: told["mark"] for key, _name, told in lines if told["changed"]}
    with transaction.atomic():
        Job.objects.select_for_update().only("pk").get(pk=preview.pk)
        if there := Job.objects.filter(preview=preview).first():
            return there
        keys = [[key, records, shown[key]] for key, records, _mark in preview.keys if key in shown]
        job = _made(
            preview.kind, actor, None, facts, len(keys), keys=keys, settings=preview.settings, preview=preview
        )
    return _at_once_if_few(job)


def is_preview(job: Job) -> bool:
    """Whether a job over customers only looks."""
    return job.phase == PREVIEW


def _at_once_if_few(job: Job) -> Job:
    if job.total > FEW:
        return job
    try:
        more = run(job.pk)
    except (OperationalError, InterfaceError):
        more = True  # the row says what is to be done
    if more:
        publish(job.pk)
    job.refresh_from_db()
    return job


def _made(
    kind: str,
    actor: User,
    customer: Customer | None,
    facts: RequestFacts,
    total: int,
    phase: str = "",
    **asked: Any,
) -> Job:
    job = Job.objects.create(
        customer=customer,
        kind=kind,
        phase=phase,
        starter=actor,
        starter_name=str(actor)[:160],
        language=translation.get_language() or "",
        source=facts.source,
        address=facts.address,
        request_id=facts.request_id,
        note=facts.note,
        total=total,
        **asked,
    )
    if customer is None and total <= FEW:
        return job  # whoever asked does it themselves
    # Robust: the job is there whatever the broker says, and the sweep finds it.
    transaction.on_commit(lambda: publish(job.pk, kind), robust=True)
    return job


def cancel(job: Job) -> None:
    """Have it end after the step that is under way; what nobody has begun ends now."""
    now = timezone.now()
    mine = Job.objects.filter(pk=job.pk).open()
    if not mine.filter(position=0, lease_until=None).update(
        state=State.CANCELLED, cancel_asked_at=now, ended_at=now
    ):
        mine.filter(cancel_asked_at=None).update(cancel_asked_at=now)


# --- In a worker --------------------------------------------------------------------------------------------------
def run(key: int) -> bool:
    """Go on with a job for one turn; whether there is more to do. Does nothing where another worker has it, or it is over.

    Raises what the database raises when it is away: the sweep tries again.
    """
    worker = _claim(key)
    if not worker:
        return False
    try:
        job = Job.objects.select_related("customer").get(pk=key)
        return _as_a_whole(job, worker) if job.kind in WORKS else _in_steps(key, worker)
    except TakenOverError:
        return False
    finally:
        Job.objects.filter(pk=key, worker=worker).update(worker="", lease_until=None)


def _in_steps(key: int, worker: str) -> bool:
    until = 0.0
    size = 0
    while True:
        job = Job.objects.select_related("customer").get(pk=key)
        if job.worker != worker or job.is_over:
            return False
        if job.cancel_asked_at or not job.left:
            _end(job, State.CANCELLED if job.left else State.DONE)
            return False
        if until and time.monotonic() > until:
            return True
        until = until or time.monotonic() + TURN  # one step at least
        with translation.override(job.language):
            size = _go_on(job, (size or _first_size(job)) if job.customer_id or is_preview(job) else 1)


def _first_size(job: Job) -> int:
    return FIRST if job.customer_id else FIRST_CUSTOMERS


def _as_a_whole(job: Job, worker: str) -> bool:
    """Do a work from its beginning to its end: there is never more to do."""
    work = WORKS[job.kind]
    with translation.override(job.language):
        if job.cancel_asked_at:
            _end(job, State.CANCELLED)
            return False
        if job.attempts >= MOST_ATTEMPTS:
            _end(job, State.STOPPED, _("It was interrupted several times and isn't tried again."))
            return False
        Job.objects.filter(pk=job.pk).update(attempts=F("attempts") + 1)
        try:
            customer = Customer.objects.get(pk=job.customer_id or 0)
            actor = actor_of(job, customer, work.verb(job))
            if isinstance(actor, str):
                _end(job, State.STOPPED, actor)
                return False
            with Beat(job, worker, work) as beat:
                work.do(Scope(actor, customer), beat)
            if not beat.finished:
                beat.finish(0)
        except CancelledError:
            _end(job, State.CANCELLED)
        except StoppedError as stopped:
            _end(job, State.STOPPED, str(stopped))
        except (TakenOverError, OperationalError, InterfaceError):
            raise  # the database is away, or two waited for each other: the sweep begins it again
        except Exception:
            logger.exception("job %s failed", job.pk)
            _end(job, State.STOPPED, _("It failed unexpectedly. Support can see why."))
    return False


def _claim(key: int) -> str:
    """Take the job for this worker: the name under which it has it, "" where it isn't to be had."""
    now, worker = timezone.now(), random_secret(12)
    free = Job.objects.filter(Q(lease_until=None) | Q(lease_until__lt=now), pk=key).open()
    taken = free.update(
        worker=worker,
        lease_until=now + LEASE,
        state=State.RUNNING,
        started_at=Coalesce("started_at", now),
    )
    return worker if taken else ""


def _end(job: Job, state: Job.State, words: str = "") -> None:
    Job.objects.filter(pk=job.pk, worker=job.worker).open().update(
        state=state, words=words[:300], ended_at=timezone.now()
    )


class _Smaller(Exception):  # noqa: N818  # not an error: the step is rolled back and tried with fewer
    """Something stands against these records together."""


def _go_on(job: Job, size: int) -> int:
    """Take one step of at most `size` records; how many the next one should take."""
    began = time.monotonic()
    try:
        with transaction.atomic():
            _step(job, size)
    except _Smaller:
        return max(1, size // 2)
    except (TakenOverError, OperationalError, InterfaceError):
        raise  # the database is away, or two waited for each other: nothing is wrong with the records
    except Exception:
        logger.exception("job %s: step at %s of %s records failed", job.pk, job.position, size)
        if size > 1:
            return max(1, size // 2)
        key = job.keys[job.position]
        failed = [[key if job.customer_id else key[0], "", _("It failed unexpectedly. Support can see why.")]]
        with transaction.atomic():
            _note(job, 1, [], failed, job.operation)
        return FIRST
    took = time.monotonic() - began
    return min(size * 2, MOST) if took < QUICK else max(1, size // 2) if took > SLOW else size


def _step(job: Job, size: int) -> None:
    if job.customer_id is None:
        if is_preview(job):
            _look_at_customers(job, size)
        else:
            _at_one_customer(job)
        return
    action = ACTIONS[job.kind]
    # First, as everybody who writes does: whose rights are read below has them until the commit.
    customer = Customer.objects.select_for_update().get(pk=job.customer_id)
    actor = actor_of(job, customer)
    if isinstance(actor, str):
        _end(job, State.STOPPED, actor)
        return
    keys = job.keys[job.position : job.position + size]
    scope = Scope(actor, customer)
    found = action.records(actor, customer).in_bulk(keys)
    records = [found[key] for key in keys if key in found]
    refusals = {key: str(words) for key, words in action.may(scope, records).items()}
    going = [record for record in records if record.pk not in refusals]
    names = {record.pk: str(record) for record in records}
    operation = job.operation
    if going:
        facts = RequestFacts(job.source, job.address, job.request_id, job.note)
        done = action.do(scope, going, job.settings, Trace(facts, f"job {job.pk}", operation))
        if not done.well:
            if len(keys) > 1:
                raise _Smaller
            words = done.why_not or _("Somebody else changed this in the meantime. Reload the page.")
            refusals |= dict.fromkeys((record.pk for record in going), words)
            going = []
        operation = done.operation or operation
    gone = [[key, "", _("This item no longer exists. Reload the page.")] for key in keys if key not in found]
    refused = [[key, names[key], refusals[key]] for key in keys if key in refusals]
    _note(job, len(keys), [[record.pk, names[record.pk]] for record in going], [*refused, *gone], operation)


def _look_at_customers(job: Job, size: int) -> None:
    """The turns of some customers in a preview: nothing is written there, and nobody waits for anybody."""
    wide = WIDES[job.kind]
    turns = job.keys[job.position : job.position + size]
    customers = Customer.objects.in_bulk([key for key, _records, _mark in turns])
    found = []
    actor: User | str | None = None
    for key, records, _mark in turns:
        customer = customers.get(key)
        if customer is None:
            found.append(_gone(key))
            continue
        if actor is None:
            actor = actor_of(job, customer, wide.verb)
        if isinstance(actor, str):
            _end(job, State.STOPPED, actor)
            return
        found.append(look_at(wide, Scope(actor, customer), records, job.settings))
    done, refused = ([line for each in found for line in getattr(each, name)] for name in ("done", "refused"))
    _note(job, len(turns), done, refused, None)


def _at_one_customer(job: Job) -> None:
    """The turn of one customer, in its own history."""
    wide = WIDES[job.kind]
    key, records, mark = job.keys[job.position]
    customer = Customer.objects.select_for_update().filter(pk=key).first()
    if customer is None:
        taken = _gone(key)
    else:
        actor = actor_of(job, customer, wide.verb)
        if isinstance(actor, str):
            _end(job, State.STOPPED, actor)
            return
        facts = RequestFacts(job.source, job.address, job.request_id, job.note)
        trace = Trace(facts, f"job {job.pk}")
        taken = carry_out(wide, Scope(actor, customer), records, job.settings, mark, trace)
    _note(job, 1, taken.done, taken.refused, None, taken.operation)


def _gone(key: int) -> Taken:
    return Taken(refused=[[key, "", _("This item no longer exists. Reload the page.")]])


def actor_of(job: Job, customer: Customer, verb: rights.Verb = rights.Verb.WORK) -> User | str:
    """Whoever started it, as they are now; as a sentence why they may not go on."""
    people = User.objects.select_related("role", "customer", "primary_department")
    actor = people.filter(pk=job.starter_id or 0).first()
    if actor is None:
        return _("The account that started this no longer exists: start it again.")
    subject = actor if verb is rights.Verb.SELF else None
    return str(rights.why_not(actor, verb, subject, customer) or "") or actor


def _note(
    job: Job, count: int, done: list[Any], refused: list[Any], operation: Any, of_step: Any = None
) -> None:
    """Write down what a step did, and where the next one begins; all is rolled back where another worker was there first.

    `operation` is the job's one, `of_step` that of this step alone.
    """
    moved = Job.objects.filter(pk=job.pk, worker=job.worker, position=job.position).update(
        position=F("position") + count,
        done=F("done") + len(done),
        refused=F("refused") + len(refused),
        operation=operation,
        lease_until=timezone.now() + LEASE,
    )
    if moved != 1:
        raise TakenOverError
    JobStep.objects.create(job=job, position=job.position, done=done, refused=refused, operation=of_step)


# --- Telling workers ----------------------------------------------------------------------------------------------
@shared_task(name="users.road.jobs.run")
def run_job(key: int) -> None:
    """One turn of a job, and a place at the end of the queue for the next."""
    if run(key):
        publish(key)


@shared_task(name="users.road.jobs.sweep")
def sweep_jobs() -> None:
    """Start what no worker has: what the broker lost, and what died with its worker."""
    for key, kind in due():
        publish(key, kind, expires=SWEEP_EVERY)


@shared_task(name="users.road.jobs.forget")
def forget_jobs() -> None:
    """Delete what ended more than thirty days ago; what was done stays in the history."""
    Job.objects.filter(ended_at__lt=timezone.now() - KEPT).delete()


def due() -> list[tuple[int, str]]:
    """The jobs that nobody is at, with their kind."""
    free = Q(lease_until=None) | Q(lease_until__lt=timezone.now())
    return list(Job.objects.filter(free).open().order_by("pk").values_list("pk", "kind")[:1_000])


def publish(key: int, kind: str = "", expires: int | None = None) -> None:
    """Ask a worker to go on with a job. Never fails: where no broker answers, the sweep does it.

    What is done as a whole has workers of its own: minutes of it keep no letter and no step of others waiting.
    """
    try:
        run_job.apply_async((key,), expires=expires, queue=WORKS[kind].queue if kind in WORKS else None)
    except Exception as error:  # whatever is wrong with the broker: the row says what is to be done
        logger.warning(
            "the broker can't be reached (%s): job %s waits for the sweep", type(error).__name__, key
        )
