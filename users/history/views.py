"""The history as pages: of a customer, of a person, of one operation with all its rows."""

from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Page
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from pbxadmin.common.http import PortalRequest
from users import rights
from users.history import timeline
from users.models import Customer, Operation, User
from users.road import finding
from users.road.pages.doors import in_customer, of_person


@require_safe
@of_person()
def user_history(request: PortalRequest, customer: Customer, person: User) -> HttpResponse:
    """Everything that was changed about a person: by whom, when, from where."""
    query = timeline.Query.of(request.GET)
    page = timeline.of_person(request.user, person, query, request.GET.get("page"))
    trail = [
        (_("Users"), reverse("users", args=[customer.slug])),
        (person.full_name, reverse("user_tab", args=[customer.slug, person.number, "general"])),
        (_("History"), None),
    ]
    return _show(request, customer, query, page, trail, person=person)


@require_safe
@in_customer(rights.Verb.HISTORY)
def history(request: PortalRequest, customer: Customer) -> HttpResponse:
    """What was changed in the whole customer."""
    query = timeline.Query.of(request.GET)
    page = timeline.of_customer(request.user, customer, query, request.GET.get("page"))
    return _show(request, customer, query, page, [(_("History"), None)])


def _show(
    request: PortalRequest,
    customer: Customer,
    query: timeline.Query,
    page: Page,
    trail: list[tuple[str, str | None]],
    **facts: Any,
) -> HttpResponse:
    return render(
        request,
        "users/history.html",
        {
            "page": page,
            "filters": _filters(query),
            "search": {"name": "q", "value": query.text, "label": _("Person, changed item or reason")},
            "hidden": list(query.parameters(q=None).items()),
            "clear_all_url": "?" if query.parameters() else "",
            "query_text": urlencode(query.parameters()),
            "gauge": finding.gauge(customer),
            "breadcrumbs": trail,
            **facts,
        },
    )


def _filters(query: timeline.Query) -> list[dict[str, Any]]:
    """The chips above the history."""
    menus: tuple[tuple[str, str, list[tuple[str, str]]], ...] = (
        ("kind", _("What was done"), [(value, str(label)) for value, label in Operation.Kind.choices]),
        ("source", _("Source"), [(value, str(label)) for value, label in timeline.SOURCES.items()]),
        ("period", _("When"), [(value, str(label)) for value, (label, _days) in timeline.PERIODS.items()]),
    )
    return [
        {
            "label": label,
            "value": dict(choices).get(getattr(query, name), ""),
            "options": [
                (text, "?" + urlencode(query.parameters(**{name: value})), value == getattr(query, name))
                for value, text in choices
            ],
            "clear_url": "?" + urlencode(query.parameters(**{name: None})),
        }
        for name, label, choices in menus
    ]


@require_safe
@in_customer(rights.Verb.HISTORY)
def operation(request: PortalRequest, customer: Customer, operation: int) -> HttpResponse:
    """One operation with every row that it changed."""
    found = Operation.objects.visible_to(request.user).of(customer).filter(pk=operation).first()
    if found is None:
        raise Http404
    page = timeline.rows_of(request.user, customer, found, request.GET.get("page"))
    if not page.paginator.count and not rights.acts_on_whole_customer(request.user):
        raise Http404  # about nobody whom they administer: for them it isn't there
    # The records stand below, each with its name.
    what = timeline.title_of(found, list(page.object_list), 1, named=False)
    return render(
        request,
        "users/operation.html",
        {
            "operation": found,
            "what": what,
            "where": timeline.source_in_words(found.source),
            "reason": timeline.reason_in_words(found).strip(),
            "page": page,
            "gauge": finding.gauge(customer),
            "breadcrumbs": [
                (_("History"), reverse("history", args=[customer.slug])),
                (what, None),
            ],
        },
    )
