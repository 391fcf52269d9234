"""Over many customers: what is to be done, to whom; then the preview that says what that means at each of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from pbxadmin.common.columns import Scope, Text
from pbxadmin.common.http import RequestFacts
from pbxadmin.common.sections import Sheet
from support.many.holidays import HOLIDAY, HolidayForm
from support.many.values import (
    EMPTY,
    NOTHING_WANTED,
    OF_CUSTOMERS,
    OF_DEPARTMENTS,
    ValuesForm,
    columns_for_many,
)
from support.many.whom import WhomForm
from support.pages.frame import page, show
from support.sheets import SOURCE
from users import rights
from users.company.sheets import customer_sheet, department_sheet
from users.models import Job
from users.road import jobs
from users.road.pages.jobs import told
from users.road.wide import Wide

LATEST = 10  # jobs below the form
ASKED = "asked"


@dataclass(frozen=True)
class What:
    """One tab of the page: a thing that can be done to many."""

    slug: str
    label: Text
    wide: Wide
    of_departments: bool

    def form(self, scope: Scope, data: Any) -> forms.Form:
        """What is asked for."""
        if self.wide is HOLIDAY:
            return HolidayForm(data)
        return ValuesForm(scope, columns_for_many(self.sheet), data)

    @property
    def sheet(self) -> Sheet:
        """Whose columns are asked for."""
        return department_sheet() if self.of_departments else customer_sheet()


WHATS = (
    What("holiday", gettext_lazy("A holiday"), HOLIDAY, True),
    What("departments", gettext_lazy("Settings of departments"), OF_DEPARTMENTS, True),
    What("customers", gettext_lazy("Licence and settings of customers"), OF_CUSTOMERS, False),
)


def wanted_of(form: forms.Form) -> tuple[Mapping[str, Any], Mapping[str, list[str]]]:
    """What a form that was sent wants, as a job keeps it; and what is wrong with it, by field."""
    if isinstance(form, HolidayForm):
        return (
            (form.wanted, {})
            if form.is_valid()
            else ({}, {name: [str(each) for each in said] for name, said in form.errors.items()})
        )
    assert isinstance(form, ValuesForm)
    wanted = form.wanted()
    problems = form.problems() if wanted else {"__all__": [str(NOTHING_WANTED)]}
    return {"wanted": wanted}, problems


@page("many/", "many", gettext_lazy("Over many customers"))
@require_http_methods(["GET", "HEAD", "POST"])
def many(request: HttpRequest) -> HttpResponse:
    """The form; sent, it becomes a preview, which is a job of its own. The address may have the answers of an earlier one."""
    actor: Any = request.user
    sent = request.POST if request.method == "POST" else request.GET
    what = next((each for each in WHATS if each.slug == sent.get("what")), WHATS[0])
    refusal = rights.why_not(actor, what.wide.verb)
    scope = Scope(actor, EMPTY)
    # An address without answers is a blank form; one with answers (back from a preview) shows them.
    answered = request.method == "POST" or ASKED in request.GET
    form = what.form(scope, sent if answered else None)
    whom = WhomForm(actor, sent, what.of_departments)
    problem = ""
    if request.method == "POST":
        if refusal:
            raise PermissionDenied(str(refusal))
        wanted, problems = wanted_of(form)
        if isinstance(form, ValuesForm):
            form.full_clean()
            for name, sentences in problems.items():
                form.add_error(None if name == "__all__" else name, sentences)
        if whom.is_valid() and not problems:
            keys = whom.keys()
            if keys:
                settings = {**wanted, ASKED: asked_again(request.POST)}
                job = jobs.look(what.wide, actor, keys, settings, RequestFacts.of(request, SOURCE))
                return redirect("admin:many_job", job.pk)
            problem = _("Nothing matches: say it with fewer conditions.")
    latest = Job.objects.visible_to(actor).filter(customer=None).defer("keys")
    done = latest.filter(~Q(phase=jobs.PREVIEW) | Q(ended_at=None) | Q(carried_out=None, starter=actor))
    return show(
        request,
        "support/many.html",
        {
            "title": _("Over many customers"),
            "whats": WHATS,
            "what": what,
            "form": form,
            "whom": whom,
            "problem": problem,
            "refusal": refusal,
            "jobs": [told(job, request.user) for job in done[:LATEST]],
        },
        422 if request.method == "POST" else 200,
    )


def asked_again(data: QueryDict) -> str:
    """What was sent, as the address of the same form."""
    kept = data.copy()
    for name in ("csrfmiddlewaretoken", ASKED):
        kept.pop(name, None)
    kept[ASKED] = "1"
    return kept.urlencode()
