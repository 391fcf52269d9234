"""The nine tabs of a user: one view opens and saves any tab that is described by its columns alone."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from pbxadmin.common.columns import Scope
from pbxadmin.common.forms import SectionForm
from pbxadmin.common.http import PortalRequest
from pbxadmin.common.sections import Section
from users import rights, road
from users.models import Customer, User
from users.people.sections import user_sheet
from users.road import Outcome, finding
from users.road.pages import saving
from users.road.pages.conflicts import reconcile, seen_version, values_of
from users.road.pages.doors import of_person, require


@dataclass(frozen=True)
class Tab:
    """One tab as a link."""

    label: str
    url: str
    current: bool
    dot: str = ""


def frame_of(customer: Customer, person: User, current: str, refused: bool = False) -> dict[str, Any]:
    """What stands around every tab of a person: head, tabs, breadcrumbs, gauge. Tabs with a view of their own use it too."""
    tabs = [
        Tab(
            str(section.title),
            reverse("user_tab", args=[customer.slug, person.number, section.slug]),
            section.slug == current,
            "refused" if refused and section.slug == current else "",
        )
        for section in user_sheet().sections
    ]
    state = {"kind": "off", "text": _("Disabled")} if person.disabled else person.own_state
    return {
        "person": person,
        "tabs": tabs,
        "status": state,
        "status_url": "" if person.disabled else reverse("user_status", args=[customer.slug, person.number]),
        "meta": [person.primary_department.name if person.primary_department else "", person.email],
        "phones_url": reverse("phones_state", args=[customer.slug, person.number]),
        "gauge": finding.gauge(customer),
        "breadcrumbs": [(_("Users"), reverse("users", args=[customer.slug])), (person.full_name, None)],
    }


@require_http_methods(["GET", "HEAD", "POST"])
@of_person()
def user_tab(request: PortalRequest, customer: Customer, person: User, tab: str) -> HttpResponse:
    """Open a tab, or save it: the whole tab, validated, with its history, or not at all."""
    section = user_sheet().section(tab)
    if section is None:
        raise Http404
    if section.view:
        return import_string(section.view)(request, customer, person)
    if request.method == "POST":
        return save_tab(request, customer, person, section)
    scope = Scope(request.user, customer)
    form = section.form(scope, initial=values_of(section, person))
    return show_tab(request, customer, person, section, form)


def show_tab(
    request: PortalRequest,
    customer: Customer,
    person: User,
    section: Section,
    form: SectionForm,
    status: int = 200,
    **facts: Any,
) -> HttpResponse:
    """The page of a tab."""
    if section.page_facts:
        facts |= section.page_facts(Scope(request.user, customer), person, form)
    return render(
        request,
        section.template,
        {
            **frame_of(customer, person, section.slug, refused=bool(form.errors)),
            "section": section,
            "form": form,
            "seen": facts.pop("seen", person.version),
            "saved": request.GET.get("saved") == "1",
            "may_delete": rights.can(request.user, rights.Verb.DELETE, person, customer),
            **facts,
        },
        status=status,
    )


def save_tab(
    request: PortalRequest,
    customer: Customer,
    person: User,
    section: Section,
    *,
    show: Callable[..., HttpResponse] | None = None,
    conflict: Callable[..., HttpResponse] | None = None,
    query: str = "",
) -> HttpResponse:
    """Plan and apply what the form says; show what is refused, or what somebody else changed in between.

    A tab with a page of its own says how that is shown, by functions like `show_tab` and `show_conflict`, and what its
    address keeps after a save (`query`: "&phone=805ec0123456").
    """
    require(request.user, rights.Verb.EDIT, person, customer)
    scope = Scope(request.user, customer)
    form = section.form(scope, request.POST, initial=values_of(section, person, scope))
    seen = seen_version(request.POST)
    tried = saving.attempt(
        request, scope, user_sheet(), section.columns, person, form.raw(), seen, records={person.pk: person}
    )
    if tried.outcome is Outcome.CONFLICT:
        return (conflict or show_conflict)(request, customer, person, section, tried.row, seen)
    if tried.outcome is Outcome.REFUSED:
        saving.show_refusal(form, tried.row)
        return (show or show_tab)(request, customer, person, section, form, 422, seen=seen)
    url = reverse("user_tab", args=[customer.slug, person.number, section.slug])
    if tried.outcome is Outcome.UNCHANGED:
        return redirect(f"{url}?{query.removeprefix('&')}" if query else url)
    return redirect(f"{url}?saved=1{query}")


def show_conflict(
    request: PortalRequest,
    customer: Customer,
    person: User,
    section: Section,
    row: road.RowPlan,
    seen: int,
) -> HttpResponse:
    """Somebody else saved first: his values where this person hadn't typed, this person's where he had, both told."""
    person = finding.user_or_404(request.user, customer, person.number)
    form, theirs = reconcile(
        user_sheet(), section, person, row, seen, Scope(request.user, customer), request.POST
    )
    return show_tab(request, customer, person, section, form, 409, seen=person.version, conflict=theirs)
