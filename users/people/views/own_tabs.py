"""A part of one's own tabs, for everybody: the same sections, the same road, only the columns that are one's own to change."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from pbxadmin.common.columns import Scope
from pbxadmin.common.forms import SectionForm
from pbxadmin.common.http import PortalRequest
from pbxadmin.common.sections import Section
from users import rights
from users.models import User
from users.people.sections import user_sheet
from users.road.pages import saving
from users.road.pages.conflicts import reconcile, seen_version, values_of
from users.road.pages.saving import Outcome


def own_section(
    request: PortalRequest, person: User, section: Section, url: str, template: str, *, query: str = ""
) -> HttpResponse:
    """Show or save the columns of a section that somebody may change of himself; the others aren't on the page."""
    customer: Any = person.customer  # who has an own page has a customer
    scope = Scope(request.user, customer)
    mine = rights.own_columns(person, rights.Verb.SELF, section.columns)

    def trimmed(form: SectionForm) -> SectionForm:
        for name in [name for name in form.fields if name not in mine]:
            del form.fields[name]
        return form

    def show(form: SectionForm, status: int = 200, **facts: Any) -> HttpResponse:
        form.shown_status = request.GET.get("shown", "")  # type: ignore[attr-defined]  # what the address asks for
        if section.page_facts:
            facts |= section.page_facts(scope, person, form)
        return render(request, template, {
            "section": section, "form": form, "person": person, "customer": person.customer, "seen": person.version, "own": True,
            "saved": request.GET.get("saved") == "1", "breadcrumbs": [(_("My page"), reverse("own_page")), (section.title, None)], **facts,
        }, status=status)  # fmt: skip

    if request.method != "POST":
        return show(trimmed(section.form(scope, initial=values_of(section, person))))
    form = trimmed(section.form(scope, request.POST, initial=values_of(section, person)))
    seen = seen_version(request.POST)
    tried = saving.attempt(
        request,
        scope,
        user_sheet(),
        section.columns,
        person,
        form.raw(),
        seen,
        verb=rights.Verb.SELF,
        source="self",
    )
    if tried.outcome is Outcome.CONFLICT:
        fresh = User.objects.select_related("customer", "role", "primary_department").get(pk=person.pk)
        form, theirs = reconcile(user_sheet(), section, fresh, tried.row, seen, scope, request.POST)
        return show(trimmed(form), 409, seen=fresh.version, conflict=theirs)
    if tried.outcome is Outcome.REFUSED:
        saving.show_refusal(form, tried.row)
        return show(form, 422, seen=seen)
    if tried.outcome is Outcome.UNCHANGED:
        return redirect(f"{url}?{query.removeprefix('&')}" if query else url)
    return redirect(f"{url}?saved=1{query}")
