"""A part of one's own tabs, for everybody: the same sections, the same road, only the columns that are one's own to change."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from pbxadmin.common.http import PortalRequest, RequestFacts
from pbxadmin.common.sections import Scope, Section, SectionForm
from users import changes, rights
from users.models import User
from users.sections import user_sheet
from users.selectors import changed_since
from users.views.conflicts import reconcile, seen_version, values_of


def own_section(
    request: PortalRequest, person: User, section: Section, url: str, template: str, *, query: str = ""
) -> HttpResponse:
    """Show or save the columns of a section that somebody may change of himself; the others aren't on the page."""
    customer: Any = person.customer  # who has an own page has a customer
    scope = Scope(request.user, customer)
    mine = rights.own_columns(person)

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
    plan = changes.plan(
        request.user,
        customer,
        user_sheet(),
        [changes.Row(person.pk, form.raw(), seen=seen)],
        rights.Verb.SELF,
    )
    row = plan.rows[0]
    columns = {column.name: column for column in section.columns if not column.own_form}
    if (
        row.stale
        and 0 < seen < person.version
        and not changed_since(person, user_sheet().label, seen, columns, scope).before
    ):
        # What changed is elsewhere (a status that switched by itself): no conflict.
        plan = changes.plan(
            request.user,
            customer,
            user_sheet(),
            [changes.Row(person.pk, form.raw(), seen=person.version)],
            rights.Verb.SELF,
        )
        row = plan.rows[0]
    try:
        if row.stale:
            raise changes.ChangedMeanwhileError([person.pk])
        operation = changes.apply(plan, RequestFacts.of(request, "self"))
    except changes.ChangedMeanwhileError:
        fresh = User.objects.select_related("customer", "role", "primary_department").get(pk=person.pk)
        form, theirs = reconcile(user_sheet(), section, fresh, row, seen, scope, request.POST)
        return show(trimmed(form), 409, seen=fresh.version, conflict=theirs)
    except changes.RefusedError:
        form.show_errors(row.errors | ({"": [row.refusal]} if row.refusal else {}))
        return show(form, 422, seen=seen)
    for sentence in [sentence for sentences in row.warnings.values() for sentence in sentences]:
        messages.warning(request, sentence)
    if operation is None:
        messages.info(request, _("Nothing to save: everything is as it was."))
        return redirect(f"{url}?{query.removeprefix('&')}" if query else url)
    return redirect(f"{url}?saved=1{query}")
