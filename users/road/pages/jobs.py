"""Long work as pages: the bell in the header, the list, one job with its progress, its report at the end."""

from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from pbxadmin.common.counts import grouped
from pbxadmin.common.http import PortalRequest
from pbxadmin.common.listing import PAGE_SIZE, Filter, ListState, Shape, show_list
from users import rights
from users.access import signed_in_user
from users.models import Customer, Job
from users.road import finding, jobs
from users.road.actions import ACTIONS
from users.road.pages.doors import in_customer
from users.road.wide import WIDES
from users.road.works import WORKS, Work

BELL = 8  # jobs in the menu of the bell
STOP_POLLING = 286  # htmx's own status: this answer is shown, and nobody asks again
SHAPES = {
    Job.State.WAITING: "wait",
    Job.State.RUNNING: "wait",
    Job.State.DONE: "ok",
    Job.State.CANCELLED: "off",
    Job.State.STOPPED: "bad",
}


@dataclass(frozen=True)
class Told:
    """A job as pages tell it."""

    job: Job
    title: str
    url: str
    shape: str
    work: Work | None = None  # what is done as a whole counts no records while it runs

    @property
    def whose(self) -> str:
        """At which customer, or at how many."""
        if self.job.customer is not None:
            return self.job.customer.name
        return ngettext("%(count)s customer", "%(count)s customers", self.job.total) % {
            "count": self.job.total
        }

    @property
    def live(self) -> bool:
        """Whether it is moving."""
        return self.job.state == Job.State.RUNNING

    @property
    def counts(self) -> str:
        """How far it is, or what became of it: "212 done · 2 not possible · 40 not reached"."""
        job = self.job
        if self.work:
            return self._of_a_whole(self.work)
        if not job.is_over:
            return _("%(done)s of %(total)s") % {"done": grouped(job.position), "total": grouped(job.total)}
        done = (
            ngettext("%(count)s looked at", "%(count)s looked at", job.done)
            if job.customer is None and jobs.is_preview(job)
            else ngettext("%(count)s done", "%(count)s done", job.done)
        )
        parts = [done % {"count": job.done}]
        if job.refused:
            parts.append(
                ngettext("%(count)s not possible", "%(count)s not possible", job.refused)
                % {"count": job.refused}
            )
        if job.left:
            parts.append(
                ngettext("%(count)s not reached", "%(count)s not reached", job.left) % {"count": job.left}
            )
        return " · ".join(parts)

    def _of_a_whole(self, work: Work) -> str:
        job = self.job
        if not job.is_over:
            share = _("%(share)s%%") % {"share": job.position * 100 // max(1, job.total)}
            words = work.phases[job.phase][0] if job.phase in work.phases else ""
            return f"{words} · {share}" if words else share
        if job.state != Job.State.DONE:
            return _("nothing was done")
        parts = [ngettext("%(count)s done", "%(count)s done", job.done) % {"count": grouped(job.done)}]
        if job.refused:
            parts.append(
                ngettext("%(count)s not possible", "%(count)s not possible", job.refused)
                % {"count": grouped(job.refused)}
            )
        return " · ".join(parts)

    @property
    def left(self) -> str:
        """How long it still takes, roughly; "" where that can't be said."""
        seconds = self.job.seconds_left
        if seconds is None:
            return ""
        if seconds < 60:
            return _("less than a minute left")
        minutes = round(seconds / 60)
        return ngettext("about %(count)s minute left", "about %(count)s minutes left", minutes) % {
            "count": minutes
        }

    @property
    def tenth(self) -> int:
        """How far it is in tenths, for what is said aloud: a voice that tells each record would never be silent."""
        return self.job.position * 10 // max(1, self.job.total)


def told(job: Job, reader: Any) -> Told:
    """A job in words, for `reader`; an action that this version of the portal doesn't know any more is called by its name.

    Pages of a customer are for whoever administers: nobody else is led there.
    """
    shape = SHAPES[Job.State(job.state)]
    if job.customer is None:
        wide = WIDES.get(job.kind)
        title = wide.title(job.settings, job.total) if wide else job.kind
        if jobs.is_preview(job):
            title = _("Preview: %(what)s") % {"what": title}
        return Told(job, title, wide.url(job) if wide else reverse("own_jobs"), shape)
    administers = rights.administers(reader)
    url = reverse("job", args=[job.customer.slug, job.pk]) if administers else ""
    if work := WORKS.get(job.kind):
        theirs = administers or work.verb(job) is rights.Verb.SELF
        return Told(job, work.title(job), (work.url(job) if theirs else "") or url, shape, work)
    action = ACTIONS.get(job.kind)
    title = action.job_title(job.total) if action else job.kind
    return Told(job, title, url, shape)


# --- The bell -----------------------------------------------------------------------------------------------------
@never_cache
@require_safe
def bell(request: PortalRequest) -> HttpResponse:
    """The bell with what runs and what ended lately: fetched by every page of whoever has such a job, and while one runs.

    `?open=1` asks for the inside alone: the menu stays open while it is brought up to date.
    """
    actor = signed_in_user(request)
    found = list(
        Job.objects.visible_to(actor).to_be_told_to(actor).select_related("customer").defer("keys")[:BELL]
    )
    running = sum(not job.is_over for job in found)
    inside = request.GET.get("open") == "1"
    answer = render(
        request,
        "users/jobs/bell_jobs.html" if inside else "users/jobs/bell.html",
        {"jobs": [told(job, actor) for job in found], "running": running, "inside": inside},
    )
    if inside and not running:
        answer.status_code = STOP_POLLING
    return answer


@require_safe
def own_jobs(request: PortalRequest) -> HttpResponse:
    """Everything that one has started in the last thirty days, in whichever customer."""
    actor = signed_in_user(request)
    mine = Job.objects.visible_to(actor).filter(starter=actor)
    return _list(request, mine, [(_("Jobs"), None)])


@require_safe
@in_customer()
def job_list(request: PortalRequest, customer: Customer) -> HttpResponse:
    """The jobs of a customer: one's own, and for support staff everybody's."""
    found = Job.objects.visible_to(request.user).of(customer)
    return _list(request, found, [(_("Jobs"), None)], gauge=finding.gauge(customer))


JOBS = Shape(
    filters=[
        Filter("state", gettext_lazy("Status"), lambda state: Q(state=state), lambda: Job.State.choices)
    ],
    orders={"newest": ["-id"]},
)


def _list(request: PortalRequest, found: Any, trail: list[Any], **facts: Any) -> HttpResponse:
    state = ListState.of(JOBS, request.GET, request.path)
    page: Any = state.page_of(state.rows(found.select_related("customer").defer("keys")))
    page.object_list = [told(job, request.user) for job in page.object_list]
    return show_list(request, "users/jobs/list.html", state, page, {"breadcrumbs": trail, **facts})


# --- One job ------------------------------------------------------------------------------------------------------
def _job_or_404(request: PortalRequest, customer: Customer, pk: int) -> Job:
    found = Job.objects.visible_to(request.user).of(customer).select_related("customer", "operation")
    job = found.filter(pk=pk).first() if pk < 2**63 else None
    if job is None:
        raise Http404
    return job


@never_cache
@require_safe
@in_customer()
def job(request: PortalRequest, customer: Customer, pk: int) -> HttpResponse:
    """How far it is, followed live; its report when it is over. htmx gets the bar alone, and the whole page at the end."""
    found = _job_or_404(request, customer, pk)
    facts = {"told": told(found, request.user), "job": found}
    if facts["told"].work and found.starter_id == request.user.pk and facts["told"].url != request.path:  # type: ignore[attr-defined]
        return redirect(facts["told"].url)  # type: ignore[attr-defined]
    if request.htmx:
        if found.is_over:
            return HttpResponse(status=204, headers={"HX-Refresh": "true"})
        said = request.GET.get("said", "")
        aloud = said != str(facts["told"].tenth)  # type: ignore[attr-defined]
        return render(request, "users/jobs/progress.html", {**facts, "aloud": aloud})
    if found.is_over:
        facts |= _report(request, customer, found)
    return render(
        request,
        "users/jobs/job.html",
        {
            **facts,
            "gauge": finding.gauge(customer),
            "breadcrumbs": [
                (_("Jobs"), reverse("job_list", args=[customer.slug])),
                (facts["told"].title, None),  # type: ignore[attr-defined]
            ],
        },
    )


@dataclass(frozen=True)
class Line:
    """One record in a report: its name, where it is (while it is there), why it was left out."""

    name: str
    url: str
    words: str = ""


def _report(request: PortalRequest, customer: Customer, found: Job) -> dict[str, Any]:
    """What was done to whom, and what wasn't, and why; with what is to be done now."""
    steps = list(found.steps.all())
    action = ACTIONS.get(found.kind)
    after = action.after(customer, found.operation) if action and action.after and found.operation else None

    def lines(rows: list[list[Any]], parameter: str) -> Page:
        page: Any = Paginator(rows, PAGE_SIZE).get_page(request.GET.get(parameter))
        shown = list(page.object_list)
        there = (
            action.records(request.user, customer).in_bulk([key for key, *_rest in shown]) if action else {}
        )
        page.object_list = [
            Line(
                name or _("Record %(key)s") % {"key": key},
                action.url(customer, there[key]) if action and key in there else "",
                "".join(words),
            )
            for key, name, *words in shown
        ]
        return page

    return {
        "refused": lines([row for step in steps for row in step.refused], "refused"),
        "done": lines([row for step in steps for row in step.done], "done"),
        "after": after,
    }


@require_POST
@in_customer(rights.Verb.WORK)
def job_cancel(request: PortalRequest, customer: Customer, pk: int) -> HttpResponse:
    """Have a job end after the step that is under way; what was done stays done."""
    found = _job_or_404(request, customer, pk)
    jobs.cancel(found)
    return redirect("job", customer.slug, found.pk)
