"""A part of one's own tabs, for everybody: the same sections, the same road, only the columns that are one's own to change."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from pbxadmin.common.columns import Scope
from pbxadmin.common.destination_field import DestinationWidget
from pbxadmin.common.forms import SectionForm
from pbxadmin.common.http import PortalRequest
from pbxadmin.common.sections import Section
from users import rights
from users.models import User
from users.people.sections import user_sheet
from users.road.pages import saving
from users.road.pages.conflicts import values_of


def own_section(
    request: PortalRequest, person: User, section: Section, url: str, template: str, *, kept: str = ""
) -> HttpResponse:
    """Show or save the columns of a section that somebody may change of themselves; the others aren't on the page."""
    customer: Any = person.customer  # whoever has a page of their own has a customer
    scope = Scope(request.user, customer)
    mine = rights.own_columns(person, rights.Verb.SELF, section.columns)

    def trimmed(form: SectionForm) -> SectionForm:
        for name in [name for name in form.fields if name not in mine]:
            del form.fields[name]
        _speak_to_oneself(form, section)
        return form

    def show(form: SectionForm, status: int = 200, record: User = person, **facts: Any) -> HttpResponse:
        form.shown_status = request.GET.get("shown", "")  # type: ignore[attr-defined]  # what the address asks for
        if section.page_facts:
            facts |= section.page_facts(scope, record, form)
        return render(request, template, {
            "section": section, "form": form, "person": record, "customer": customer, "seen": person.version, "own": True,
            "saved": request.GET.get("saved") == "1", "breadcrumbs": [(_("My page"), reverse("own_page")), (section.title, None)], **facts,
        }, status=status)  # fmt: skip

    if request.method != "POST":
        return show(trimmed(section.form(scope, initial=values_of(section, person))))
    page = saving.Page(
        user_sheet(),
        section,
        show,
        url,
        kept,
        reload=lambda: User.objects.select_related("customer", "role", "primary_department").get(
            pk=person.pk
        ),
        form=lambda record, data, initial: trimmed(section.form(scope, data, initial=initial)),
        verb=rights.Verb.SELF,
        source="self",
    )
    return saving.save(request, scope, page, person)


def _speak_to_oneself(form: SectionForm, section: Section) -> None:
    for name, made in form.fields.items():
        plain = name.rpartition(".")[2]
        made.help_text = section.own_help.get(plain, made.help_text)
        made.more_help = section.own_more.get(plain, made.more_help)  # type: ignore[attr-defined]  # of the row, see `SectionForm`
        if isinstance(made.widget, DestinationWidget):
            made.widget.own = True
