"""Pages of the support desk that write by the one road of changes: forms only collect what was typed."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.contrib.admin import helpers
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pbxadmin.common.columns import Column, Scope, Text
from pbxadmin.common.forms import SectionForm
from pbxadmin.common.http import RequestFacts
from pbxadmin.common.rendering import part
from pbxadmin.common.sections import Section
from support.filters import CUSTOMER, KEY, customer_asked
from support.sheets import NOBODY, SOURCE, SheetAdmin, planned_for
from users import road
from users.company import picking
from users.models import Customer
from users.rights import Verb
from users.road import Outcome
from users.road.meanwhile import Meanwhile
from users.road.pages.conflicts import reconcile, seen_version, values_of
from users.road.pages.saving import show_refusal, tell_warnings
from users.road.pages.sheet_pages import Tab, default_values, locked_columns

# Which part of a record is shown, in the address.
PART = "part"
# Customers among whom one is chosen without another word.
MOST_OFFERED = 20
# In an address: that a new record is to be nobody's.
FOR_ALL = "for_all"


def _conflict(theirs: Meanwhile) -> dict[str, list[str]]:
    """What somebody else saved meanwhile, as messages beside the fields."""
    who = theirs.who or _("Somebody else")
    told = {
        "": [
            _("%(who)s made changes while you had this page open. Save again to keep what you see.")
            % {"who": who}
        ]
    }
    for name, value in theirs.after.items():
        told[name] = [
            _("%(who)s saved “%(value)s” here in the meantime.") % {"who": theirs.by[name], "value": value}
        ]
    return told


def stands_alone(column: Column, scope: Scope) -> bool:
    """Whether a column's answer can be shown in any form, without the page of its own tab (as a phone's keys can't)."""
    widget = column.form_field(scope).widget
    return not widget.is_hidden and bool(getattr(widget, "template_name", ""))


class RoadAdmin(SheetAdmin):
    """Pages over a `Sheet`: the form has its columns, `users.road` validates, writes and remembers."""

    change_form_template = "admin/road_change_form.html"
    new: Text = ""  # what a new record is called, as in the portal
    may_add = True
    # What is shown above the form and isn't typed in: names of attributes or methods, as Django's `readonly_fields`.
    facts: ClassVar[Sequence[str]] = ()
    # Whether the parts of a record are shown, and saved, one at a time, as the portal's tabs are: all that somebody has stands in
    # a dozen tables and is more than anybody reads at once.
    part_by_part: ClassVar[bool] = False
    # What is said of a record that belongs to no customer, where there are such; a new one may then be made for nobody.
    for_all: ClassVar[Text] = ""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Whether new ones are made here, and by this reader. What the sheet says is asked again when it is written."""
        return self.may_add and self._may(request, Verb.CREATE)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the reader changes such records at all."""
        return self._may(request, Verb.EDIT, obj)

    # --- What subclasses say --------------------------------------------------------------------------------------
    def facts_for(self, scope: Scope) -> Sequence[Any]:
        """`facts`, as far as they are its reader's."""
        return self.facts

    def portal_url(self, record: Any) -> str:
        """Where the portal has the same record."""
        return ""

    def sections(self, creating: bool) -> Sequence[Section]:
        """The parts of the form; a new record begins with the first one, as in the portal."""
        found = type(self).sheet().sections
        return found[:1] if creating else found

    def parts(self, request: HttpRequest, record: Any) -> Sequence[Section]:
        """Those of them that are shown: of a record that has them one by one the one that the address names, else its first."""
        found = self.sections(record is None)
        if record is None or not self.part_by_part:
            return found
        asked = request.GET.get(PART, "")
        return [next((section for section in found if section.slug == asked), found[0])]

    def part_url(self, record: Any, section: Section) -> str:
        """Where the portal has the same part of a record, for what only its own page can change; "" where there is none."""
        return ""

    @admin.display(description=gettext_lazy("Customer"), ordering="customer__sort_name")
    def owner(self, record: Any) -> Any:
        """Whose record it is."""
        customer = self.customer_of(record)
        return customer if customer.pk is not None else self.for_all

    @admin.display(description=gettext_lazy("Portal"))
    def portal(self, record: Any) -> SafeString | str:
        """A link to the record in the portal, for the list."""
        url = self.portal_url(record)
        return format_html('<a href="{}">{}</a>', url, _("Open in the portal")) if url else "—"

    def planned(self, scope: Scope, record: Any, raw: dict[str, Any], seen: int) -> road.Plan:
        """What the form would do."""
        row = road.Row(None, raw) if record is None else road.Row(record.pk, raw, seen=seen)
        return road.plan(scope.actor, planned_for(scope.customer), type(self).sheet(), [row])

    def asked_first(self, request: HttpRequest, plan: road.Plan) -> HttpResponse | None:
        """A page that comes before what was sent is written; None where nothing is to be asked."""
        return None

    def written(self, plan: road.Plan, facts: RequestFacts) -> road.Commit:
        """Write it, and how it ended."""
        return road.commit(plan, facts)

    # --- The form -------------------------------------------------------------------------------------------------
    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        """Show the form, or plan and apply what it says."""
        record = None
        if object_id is not None:
            record = self.get_object(request, unquote(object_id))
            if record is None:
                raise Http404
        elif not self.has_add_permission(request):
            raise PermissionDenied
        if (
            request.method == "POST"
            and record is not None
            and not self.has_change_permission(request, record)
        ):
            raise PermissionDenied
        customer = self.customer_of(record) if record is not None else self._asked_customer(request)
        if customer is None:
            return self._choose_customer(request)
        scope = Scope(request.user, customer)
        parts = self.parts(request, record)
        whole = self._whole(scope, parts)
        sheet = type(self).sheet()
        locked: dict[str, Text] = (
            road.locks(sheet, scope) if record is None else locked_columns(sheet, scope, record, whole)
        )
        initial = (
            default_values(whole) | dict(self.initial(customer))
            if record is None
            else values_of(whole, record)
        )
        seen = record.version if record is not None and hasattr(record, "version") else 0
        if request.method != "POST":
            form = whole.form(scope, initial=initial, creating=record is None, locked=locked)
            return self._show(request, scope, record, form, seen)
        form = whole.form(scope, request.POST, initial=initial, creating=record is None, locked=locked)
        seen = seen_version(request.POST)
        plan = self.planned(scope, record, form.raw(), seen)
        if question := self.asked_first(request, plan):
            return question
        done = self.written(plan, RequestFacts.of(request, SOURCE))
        row = done.row
        if done.outcome is Outcome.CONFLICT:
            fresh = self.get_object(request, unquote(object_id or ""))
            if fresh is None:
                raise Http404
            form, theirs = reconcile(
                sheet,
                whole,
                fresh,
                row,
                seen,
                scope,
                request.POST,
                lambda data, now: whole.form(scope, data, initial=now, locked=locked),
            )
            form.show_errors(_conflict(theirs))
            return self._show(request, scope, fresh, form, getattr(fresh, "version", 0), 409)
        if done.outcome is Outcome.REFUSED:
            show_refusal(form, row)
            return self._show(request, scope, record, form, seen, 422)
        tell_warnings(request, row)
        if done.outcome is Outcome.UNCHANGED:
            messages.info(request, _("Nothing to save: everything is as it was."))
            return redirect(request.get_full_path())
        if record is None:
            return self.response_add(request, row.record)
        return self.response_change(request, row.record)

    def initial(self, customer: Customer) -> dict[str, Any]:
        """What the form of a new record offers."""
        return {}

    def _whole(self, scope: Scope, parts: Sequence[Section]) -> Section:
        """The parts as one. What only a page of its own can show (the keys of a phone) is left to the portal."""
        columns: list[Column] = []
        for section in parts:
            columns += [column for column in section.columns if stands_alone(column, scope)]
        return Section(slug="all", title=str(self.opts.verbose_name), columns=tuple(columns))

    def _only_told(self, scope: Scope, record: Any, section: Section) -> list[Callable[[Any], Any]]:
        """What a part has that only its own page in the portal can change, in words, with the way there: as Django's page takes facts."""
        url = self.part_url(record, section)
        columns = [column for column in section.columns if column.own_form or not stands_alone(column, scope)]
        values = values_of(replace(section, columns=tuple(columns), parts=()), record)
        facts: list[tuple[Text, Any]] = [
            (column.label, column.show(values.get(column.name), scope)) for column in columns
        ]
        for column in section.adds.listed:
            if column.usual and column.template and column.facts:
                facts.append(
                    (column.label, part(column.template, facts=column.facts([record]).get(record.pk)))
                )
        return [self._fact(label, text, url) for label, text in facts]

    @staticmethod
    def _fact(label: Text, text: Any, url: str) -> Callable[[Any], Any]:
        def fact(record: Any) -> SafeString:
            if not url:
                return format_html("{}", text)
            return format_html('{} <a href="{}">{}</a>', text, url, _("Change in the portal"))

        fact.short_description = label  # type: ignore[attr-defined]
        return fact

    def _asked_customer(self, request: HttpRequest) -> Customer | None:
        """Who is meant by the address, or by the list that one comes from."""
        if self.for_all and request.GET.get(FOR_ALL):
            return NOBODY
        text, key = customer_asked(request.GET)
        if text:
            return picking.meant(self._actor(request), text).one
        found: Customer | None = (
            Customer.objects.visible_to(request.user).filter(pk=key).first() if key is not None else None
        )
        return found

    def _choose_customer(self, request: HttpRequest) -> HttpResponse:
        """Whose it is to be: a part of the name is typed, and one of the few chosen who are called so."""
        text, _key = customer_asked(request.GET)
        meant = picking.meant(self._actor(request), text, MOST_OFFERED)
        kept = [(name, value) for name, value in request.GET.items() if name not in (CUSTOMER, KEY, "p")]
        return TemplateResponse(
            request,
            "admin/choose_customer.html",
            {
                **self.admin_site.each_context(request),
                "opts": self.opts,
                "title": _("For which customer?"),
                "text": text,
                "meant": meant,
                "kept": kept,
                "for_all": (self.for_all, f"?{urlencode([*kept, (FOR_ALL, '1')])}") if self.for_all else None,
                "found": [(each, f"?{urlencode([*kept, (CUSTOMER, each.slug)])}") for each in meant.few],
            },
        )

    def _show(
        self, request: HttpRequest, scope: Scope, record: Any, form: SectionForm, seen: int, status: int = 200
    ) -> HttpResponse:
        """Django's own page around our form."""
        whole = record is not None and not self.has_change_permission(request, record)
        for field in form.fields.values():
            field.label = capfirst(field.label)
        for name, reason in form.locked.items():
            # Of what is all locked one sentence above says why.
            if name in form.fields and not whole:
                form.fields[name].help_text = f"{form.fields[name].help_text} {reason}".strip()
        # What Django's page asks of a model's form for the facts that aren't typed in.
        form._meta = SimpleNamespace(labels={}, help_texts={}, model=self.model)  # type: ignore[attr-defined]
        form.instance = record  # type: ignore[attr-defined]
        parts: list[tuple[Any, dict[str, Any]]] = []
        shown_parts = self.parts(request, record)
        # The facts stand with the first part; a page of facts alone, a phone's, has no parts.
        first = list(shown_parts[:1]) == list(self.sections(record is None)[:1])
        told: list[Any] = list(self.facts_for(scope)) if first else []
        if record is not None and told:
            parts.append((None, {"fields": list(told)}))
        for number, section in enumerate(shown_parts):
            names: list[Any] = [column.name for column in section.columns if column.name in form.fields]
            if record is not None:
                only_told = self._only_told(scope, record, section)
                names += only_told
                told.extend(only_told)
            if not names:
                continue
            parts.append(
                (
                    section.title,
                    {
                        "fields": names,
                        "classes": ["collapse"] if number else [],
                        "description": section.intro,
                    },
                )
            )
        shown: Any = form
        adminform = helpers.AdminForm(shown, parts, {}, told, model_admin=self)
        editable = record is None or self.has_change_permission(request, record)
        context = {
            **self.admin_site.each_context(request),
            "adminform": adminform,
            "inline_admin_formsets": [],
            "object_id": record.pk if record else None,
            "original": record,
            "is_popup": False,
            "to_field": None,
            "media": self.media + adminform.media,
            "errors": form.errors,
            "title": self.new if record is None else str(record),
            "subtitle": self._whose(scope, record),
            "show_save": editable,
            "show_save_and_continue": editable,
            "show_save_and_add_another": False,
            "preserved_filters": self.get_preserved_filters(request),
            "seen": seen,
            "internal": planned_for(scope.customer) is None,
            "portal_url": self.portal_url(record) if record is not None else "",
            "tabs": self._tabs(request, shown_parts[0]) if record is not None and self.part_by_part else [],
        }
        response = self.render_change_form(
            request, context, add=record is None, change=record is not None, obj=record
        )
        response.status_code = status
        return response

    def _whose(self, scope: Scope, record: Any) -> str | None:
        """Whose a record is, below its name; nothing where that says it already."""
        if record == scope.customer:
            return None
        return str(scope.customer if scope.customer.pk is not None else self.for_all)

    def _tabs(self, request: HttpRequest, current: Section) -> list[Tab]:
        """The parts of a record that are shown one by one, as links that keep what else the address says."""
        found = []
        for section in self.sections(creating=False):
            address = request.GET.copy()
            address[PART] = section.slug
            found.append(Tab(section.title, f"?{address.urlencode()}", section is current))
        return found

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        """Django's; whoever goes on with the record goes on with its part."""
        answer = super().response_change(request, obj)
        return (
            redirect(request.get_full_path()) if self.part_by_part and "_continue" in request.POST else answer
        )
