"""The nine tabs of a user: one view opens and saves any tab that is described by its columns alone."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from pbxadmin.common.columns import Scope
from pbxadmin.common.forms import SectionForm
from pbxadmin.common.http import PortalRequest
from pbxadmin.common.sections import Section
from signin import credentials, lockout
from users import rights
from users.models import Customer, User
from users.people import beginnings, emergency, exports
from users.people.sections import user_sheet
from users.road import finding
from users.road.pages import saving
from users.road.pages.conflicts import values_of
from users.road.pages.doors import of_person, require


@dataclass(frozen=True)
class Tab:
    """One tab as a link."""

    label: str
    url: str
    current: bool
    dot: str = ""


def contributed(name: str) -> Any:
    """What an app above gives to the pages of a person (a field of `Contribution`); "" where none does."""
    return next((found for section in user_sheet().sections if (found := getattr(section.adds, name))), "")


def _url(name: str, customer: Customer, person: User) -> str:
    """The address of that name for a person; "" where no app has one."""
    found = contributed(name)
    return reverse(found, args=[customer.slug, person.number]) if found else ""


def frame_of(
    actor: User, customer: Customer, person: User, current: str, refused: bool = False
) -> dict[str, Any]:
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
    why_not_edit = rights.why_not(actor, rights.Verb.EDIT, person, customer) or ""
    state = {"kind": "off", "text": _("Disabled")} if person.disabled else person.own_state
    gauge, is_blocked = finding.gauge_and(customer, lockout.blocked(credentials.account_key(person)))
    return {
        "person": person,
        "tabs": tabs,
        "status": state,
        # Where it is said why, nothing of them can be changed: pages show it all the same, without what changes it.
        "why_not_edit": why_not_edit,
        "may_hand_over": person.role_id == rights.OWNERS
        and rights.can(actor, rights.Verb.OWNERSHIP, person, customer),
        "may_reveal": rights.can(actor, rights.Verb.REVEAL, person, customer),
        # What keeps them out, beside that they are disabled, which stands in the place of the status.
        "kept_out": _kept_out(person, is_blocked),
        "sign_in_url": reverse("user_sign_in", args=[customer.slug, person.number]),
        "status_url": "" if person.disabled or why_not_edit else _url("status_url", customer, person),
        "status_menu": contributed("status_menu"),
        "meta": [person.primary_department.name if person.primary_department else "", person.email],
        "head_url": _url("head_url", customer, person),
        # Asked by the pages alone that show it.
        "devices": partial(contributed("devices") or str, actor, customer, person),
        "followed_url": _url("followed_url", customer, person),
        "emergency_gap": emergency.gap_of_person(actor, customer, person),
        "gauge": gauge,
        "breadcrumbs": [(_("Users"), reverse("users", args=[customer.slug])), (person.full_name, None)],
    }


def _kept_out(person: User, is_blocked: bool) -> str:
    """In a word why their signing in fails now, whatever they type; "" where it doesn't, or where they are disabled.

    Most people never set a password, because they only have a phone: that is no news, and stands on the page behind.
    """
    return _("Sign-in blocked") if is_blocked and not person.disabled else ""


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
        section.template or "users/tab.html",
        {
            **frame_of(request.user, customer, person, section.slug, refused=bool(form.errors)),
            "section": section,
            "form": form,
            "seen": facts.pop("seen", person.version),
            "saved": request.GET.get("saved") == "1",
            "may_delete": rights.can(request.user, rights.Verb.DELETE, person, customer),
            "export_url": exports.url(customer),
            "left_to_do": beginnings.left_to_do(Scope(request.user, customer), person)
            if request.GET.get("created") == "1" and request.method != "POST"
            else (),
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
    kept: str = "",
) -> HttpResponse:
    """Plan and apply what the form says; show what is refused, or what somebody else changed in between.

    A tab with a page of its own says how that is shown, by a function like `show_tab`, and one that also takes the planned row
    and the version that was seen; and what its address keeps after a save ("phone=805ec0123456").
    """
    require(request.user, rights.Verb.EDIT, person, customer)
    page = saving.Page(
        user_sheet(),
        section,
        lambda form, status, record=person, **facts: (show or show_tab)(
            request, customer, record, section, form, status, **facts
        ),
        reverse("user_tab", args=[customer.slug, person.number, section.slug]),
        kept,
        reload=lambda: finding.user_or_404(request.user, customer, person.number),
        conflict=(lambda row, seen: conflict(request, customer, person, section, row, seen))
        if conflict
        else None,
    )
    return saving.save(request, Scope(request.user, customer), page, person, fresh=True)
