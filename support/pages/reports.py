"""Reports over all customers: a page each, and the same lines as a file."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from files.exporting.writing import Kind, written
from files.pages.sending import attached
from pbxadmin.common.columns import Text
from pbxadmin.common.keyset import Counted
from pbxadmin.common.listing import PAGE_SIZE, ListState, Typed
from support.pages.frame import page, show
from support.reports import REPORTS
from support.reports.base import Report


@dataclass(frozen=True)
class Field:
    """One thing by which a report is narrowed, as a form shows it: typed in, or one of its values."""

    name: str
    label: Text
    value: str
    options: Sequence[tuple[str, Text]] = ()
    typed: Typed | None = None


def fields_of(state: ListState) -> list[Field]:
    """The filters of a report with what is chosen."""
    found = []
    typed = {each.name: each for each in state.typed}
    for each in state.shape.filters:
        chosen = state.chosen.get(each.name, "")
        if each.name in typed:
            found.append(Field(each.name, each.label, chosen, typed=typed[each.name]))
            continue
        options: list[tuple[str, Text]] = list(each.choices()) if each.choices else [("1", _("Yes"))]
        if chosen and chosen not in dict(options):
            options.append((chosen, chosen))
        found.append(Field(each.name, each.label, chosen, options))
    return found


def _report(slug: str) -> Report:
    if slug not in REPORTS:
        raise Http404
    return REPORTS[slug]


@page("reports/", "reports", _("Reports"))
@require_safe
def reports(request: HttpRequest) -> HttpResponseBase:
    """The first of them."""
    return redirect("admin:report", next(iter(REPORTS)))


@page("reports/<slug:slug>/", "report")
@require_safe
def report(request: HttpRequest, slug: str) -> HttpResponseBase:
    """One report, a page of its lines."""
    wanted, actor = _report(slug), request.user
    path = reverse("admin:report", args=[slug])
    asked = ListState.of(wanted.shape({}), request.GET, path)
    found = wanted.counted(actor, asked)  # type: ignore[arg-type]  # the door lets in people alone
    state = ListState.of(wanted.shape(found), request.GET, path)
    # The keys in order first: sorting reads as little as that takes.
    keys = wanted.wanted(actor, state).values_list("pk", flat=True)  # type: ignore[arg-type]
    total = wanted.total(state, found)
    pages = Paginator(keys, PAGE_SIZE) if total is None else Counted(keys, PAGE_SIZE, total)
    lines = pages.get_page(state.page)
    facts: dict[str, Any] = {
        "title": wanted.title,
        "report": wanted,
        "reports": list(REPORTS.values()),
        "state": state,
        "fields": fields_of(state),
        "counts": wanted.counts(state, found),
        "headings": [state.heading(label, order) for label, order in wanted.headings],
        "page": lines,
        "count": lines.paginator.count,
        "acting": wanted.acting(actor, state),  # type: ignore[arg-type]
        "lines": wanted.lines(wanted.records(actor, list(lines))),  # type: ignore[arg-type]
        "files": [
            (kind.upper(), f"{reverse('admin:report_file', args=[slug, str(kind)])}?{state.query_text}")
            for kind in Kind
        ],
    }
    return show(request, "support/report.html", facts)


@page("reports/<slug:slug>/<slug:kind>", "report_file")
@require_safe
def report_file(request: HttpRequest, slug: str, kind: str) -> HttpResponseBase:
    """All lines that were asked for, as a file. It holds what the page shows and no secret, so like the lists of the portal it is sent
    without a line in the history."""
    wanted, actor = _report(slug), request.user
    if kind not in list(Kind):
        raise Http404
    state = ListState.of(wanted.shape({}), request.GET)
    pieces = written(Kind(kind), str(wanted.title), wanted.header(), wanted.texts(actor, state))  # type: ignore[arg-type]
    return attached(f"{slug}-{timezone.localdate():%Y-%m-%d}.{kind}", Kind(kind), pieces)
