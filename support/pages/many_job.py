"""A job over many customers: its preview with the way to carry it out, how far it is, its report with the way back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.paginator import Page, Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from pbxadmin.common.http import RequestFacts
from pbxadmin.common.listing import PAGE_SIZE
from support.many import undoing
from support.many.phones import COMMAND, command_of
from support.pages.frame import page, show
from support.sheets import SOURCE
from users import rights
from users.models import Customer, Job, JobStep, Operation
from users.road import jobs
from users.road.pages.jobs import told
from users.road.wide import WIDES, Wide


@dataclass(frozen=True)
class At:
    """One customer in a preview or a report."""

    key: int
    name: str
    url: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    records: str = ""  # how many change, in words
    why_not: str = ""
    suspended: bool = False
    operation_url: str = ""
    undone: bool = False


def _job_or_404(request: HttpRequest, pk: int) -> tuple[Job, Wide]:
    found = (
        Job.objects.visible_to(request.user).filter(customer=None, pk=pk).defer("keys")
        if pk < 2**63
        else None
    )
    job = found.select_related("preview").first() if found is not None else None
    if job is None or job.kind not in WIDES:
        raise Http404
    return job, WIDES[job.kind]


@page("many/<int:pk>", "many_job")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def many_job(request: Any, pk: int) -> HttpResponse:
    """Where it stands. What is posted confirms a preview, cancels what runs, or begins to take back what was done."""
    job, wide = _job_or_404(request, pk)
    refusal = rights.why_not(request.user, wide.verb)
    problem = ""
    if request.method == "POST":
        if refusal:
            raise PermissionDenied(str(refusal))
        answer = _do(request, job, wide)
        if not isinstance(answer, str):
            return answer
        problem = answer
    if request.htmx:
        return _progress(request, job)
    shown = told(job, request.user)
    facts = {"title": shown.title, "told": shown, "job": job, "refusal": refusal, "problem": problem}
    if job.is_over:
        facts |= _report(request, job, wide)
    return show(request, "support/many_job.html", facts, 422 if problem else 200)


def _progress(request: HttpRequest, job: Job) -> HttpResponse:
    """The bar alone, asked for again and again; the whole page at the end."""
    if job.is_over:
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    shown = told(job, request.user)
    aloud = request.GET.get("said", "") != str(shown.tenth)
    return render(request, "users/jobs/progress.html", {"told": shown, "job": job, "aloud": aloud})


def _do(request: HttpRequest, job: Job, wide: Wide) -> HttpResponse | str:
    """What was asked for: where that leads, or what stands against it."""
    actor: Any = request.user
    facts = RequestFacts.of(request, SOURCE)
    what = request.POST.get("do", "")
    if what == "cancel":
        jobs.cancel(job)
        return redirect("admin:many_job", job.pk)
    if what == "confirm" and jobs.is_preview(job) and job.state == Job.State.DONE:
        changed = sum(told["changed"] for step in job.steps.all() for _key, _name, told in step.done)
        if not changed:
            return _("Nothing changes: none of them would be otherwise than now.")
        if disturbs(job) and request.POST.get("count", "").strip() != str(changed):
            return _("Type the number of phones to confirm.")
        return redirect("admin:many_job", jobs.confirm(job, actor, facts).pk)
    if what == "undo" and wide.undoable and job.is_over and not jobs.is_preview(job):
        keys = undoing.operations_of(job)
        if not keys:
            return _("There is nothing left to undo.")
        return redirect(
            "admin:many_job", jobs.look(undoing.UNDO, actor, keys, undoing.settings_for(job), facts).pk
        )
    return _("This can't be done here any more.")


def disturbs(job: Job) -> bool:
    """Whether people notice at once: their phones restart."""
    return job.kind == COMMAND.slug and command_of(job.settings) == "restart"


def _report(request: HttpRequest, job: Job, wide: Wide) -> dict[str, Any]:
    steps: Sequence[JobStep] = list(job.steps.all())
    done = [(step, *line) for step in steps for line in step.done]
    changed = [line for line in done if line[3]["changed"]]
    same = [line for line in done if not line[3]["changed"]]
    refused = [(step, *line) for step in steps for line in step.refused]
    pages = [
        _page(request, name, lines)
        for name, lines in (("changed", changed), ("refused", refused), ("same", same))
    ]
    _complete(request, wide, pages)
    records = sum(line[3]["changed"] for line in changed)
    undoable = wide.undoable and not jobs.is_preview(job) and any(step.operation_id for step in steps)
    preview = jobs.is_preview(job)
    return {
        "preview": preview,
        "changed": pages[0],
        "refused": pages[1],
        "same": pages[2],
        "records": wide.records(records),
        "record_count": records,
        "same_records": sum(line[3]["same"] for line in done),
        "left_out": sum(1 for line in changed if line[3]["left_out"]),
        "disturbs": disturbs(job),
        "carried_out": Job.objects.filter(preview=job).first() if preview else None,
        "undoable": undoable,
        "again": f"{reverse('admin:many')}?{job.settings['asked']}" if job.settings.get("asked") else "",
    }


def _page(request: HttpRequest, name: str, lines: Sequence[Any]) -> Page:
    return Paginator(lines, PAGE_SIZE).get_page(request.GET.get(name))


def _complete(request: HttpRequest, wide: Wide, pages: Sequence[Any]) -> None:
    """Put in place of each shown line what the page says of it: two queries for all of them."""
    keys = {line[1] for each in pages for line in each.object_list}
    customers = Customer.objects.visible_to(request.user).only("name", "slug", "suspended").in_bulk(keys)
    operations = {line[0].operation_id for each in pages for line in each.object_list} - {None}
    undone = set(
        Operation.objects.filter(undoes__in=operations).values_list("undoes", flat=True) if operations else ()
    )
    for each in pages:
        each.object_list = [_at(wide, customers, undone, *line) for line in each.object_list]


def _at(
    wide: Wide,
    customers: Mapping[int, Customer],
    undone: set[Any],
    step: JobStep,
    key: int,
    name: str,
    rest: Any,
) -> At:
    customer = customers.get(key)
    operation = step.operation_id
    facts = rest if isinstance(rest, dict) else {}
    return At(
        key,
        customer.name if customer else name or _("Record %(key)s") % {"key": key},
        reverse("customer_home", args=[customer.slug]) if customer else "",
        facts,
        wide.records(facts["changed"]) if facts else "",
        rest if isinstance(rest, str) else "",
        bool(customer and customer.suspended),
        reverse("operation", args=[customer.slug, operation]) if customer and operation else "",
        operation in undone,
    )
