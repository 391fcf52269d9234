"""The history as pages: of a customer, of a person, of one operation with all its rows."""

from typing import Any

from django.core.paginator import Page
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from pbxadmin.common.http import PortalRequest
from pbxadmin.common.listing import ListState, show_list
from users import rights
from users.company.views.customers import only_support
from users.history import asked, timeline
from users.models import Change, Customer, Operation, User
from users.road import SHEETS, finding
from users.road.pages.doors import in_customer, of_person


@require_safe
@of_person()
def user_history(request: PortalRequest, customer: Customer, person: User) -> HttpResponse:
    """Everything that was changed about a person: by whom, when, from where."""
    state = ListState.of(asked.shape(timeline.about_person(person)), request.GET, request.path)
    page = timeline.of_person(request.user, person, state)
    trail = [
        (_("Users"), reverse("users", args=[customer.slug])),
        (person.full_name, reverse("user_tab", args=[customer.slug, person.number, "general"])),
        (_("History"), None),
    ]
    return _show(request, customer, state, page, trail, person=person)


@require_safe
@in_customer(rights.Verb.HISTORY)
def history(request: PortalRequest, customer: Customer) -> HttpResponse:
    """What was changed in the whole customer."""
    about = timeline.within_reach(request.user, customer)
    state = ListState.of(asked.shape(about), request.GET, request.path)
    page = timeline.of_customer(request.user, customer, state)
    return _show(request, customer, state, page, [(_("History"), None)])


@require_safe
@in_customer(rights.Verb.HISTORY)
def record_history(request: PortalRequest, customer: Customer, table: str, pk: int) -> HttpResponse:
    """The history of one thing of the customer's (`table`: the name of its model): a number, a department, a phone, also of one that is gone."""
    # The roles are the same at all customers, and nobody's own.
    of_customers = {
        label: sheet for label, sheet in SHEETS.items() if hasattr(sheet.model._default_manager, "visible_to")
    }
    label = next(
        (label for label, sheet in of_customers.items() if sheet.model._meta.model_name == table), ""
    )
    if not label or pk >= 2**63:
        raise Http404
    about = timeline.within_reach(request.user, customer).filter(asked.about_record(label, pk))
    name = _name_of(request.user, customer, label, pk)
    # Of what isn't about their people, somebody who acts on some departments doesn't learn that it is there.
    if not name or not (rights.acts_on_whole_customer(request.user) or about.exists()):
        raise Http404
    state = ListState.of(asked.shape(about), request.GET, request.path)
    page = timeline.of_record(request.user, customer, label, pk, state)
    trail = [(_("History"), reverse("history", args=[customer.slug])), (name, None)]
    return _show(request, customer, state, page, trail, record=name)


def _name_of(actor: User, customer: Customer, label: str, pk: int) -> str:
    """How a record is called now, else how it was called when the history last spoke of it; "" where it is nothing of the customer's."""
    manager: Any = SHEETS[label].model._default_manager
    if (record := manager.visible_to(actor).of(customer).filter(pk=pk).first()) is not None:
        return str(record)
    told = Change.objects.visible_to(actor).of(customer).filter(model=label, object_pk=pk)
    return told.values_list("object_name", flat=True).first() or ""


@require_safe
def audit(request: PortalRequest) -> HttpResponse:
    """What was changed at all customers, and at none: for the provider's support staff."""
    only_support(request)
    state = ListState.of(
        asked.shape(timeline.within_reach(request.user), everywhere=True), request.GET, request.path
    )
    page = timeline.of_everybody(request.user, state)
    facts = {"breadcrumbs": [(_("History"), None)], "files": _files("audit_file", state)}
    return show_list(request, "users/history.html", state, page, facts)


def _files(name: str, state: ListState, *arguments: str) -> list[tuple[str, str]]:
    """The history that is shown as files: how each kind is called, and where it is."""
    return [
        (kind.upper(), f"{reverse(name, args=[*arguments, kind])}?{state.query_text}")
        for kind in ("xlsx", "csv")
    ]


def _show(
    request: PortalRequest,
    customer: Customer,
    state: ListState,
    page: Page,
    trail: list[tuple[str, str | None]],
    **facts: Any,
) -> HttpResponse:
    return show_list(
        request,
        "users/history.html",
        state,
        page,
        {"gauge": finding.gauge(customer), "breadcrumbs": trail, **facts},
    )


@require_safe
@in_customer(rights.Verb.HISTORY)
def operation(request: PortalRequest, customer: Customer, operation: int) -> HttpResponse:
    """One operation with every row that it changed."""
    operations = Operation.objects.visible_to(request.user).of(customer).filter(pk=operation)
    found = timeline.annotated(request.user, operations).first()
    if found is None:
        raise Http404
    page: Any = timeline.rows_of(request.user, customer, found, request.GET.get("page"))
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
            "address": page.address,
            "reason": timeline.why(found),
            "page": page,
            "gauge": finding.gauge(customer),
            "breadcrumbs": [
                (_("History"), reverse("history", args=[customer.slug])),
                (what, None),
            ],
        },
    )
