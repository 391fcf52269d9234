"""List, create, edit and delete the rows of any sheet: what a page needs to know of its kind of row is said in `SheetPages`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.db.models.expressions import Combinable
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from pbxadmin.common.columns import Scope, Text
from pbxadmin.common.forms import SectionForm
from pbxadmin.common.http import PortalRequest, RequestFacts
from pbxadmin.common.listing import Filter, ListState, Shape, show_list
from pbxadmin.common.sections import Section, Sheet
from pbxadmin.common.values.destinations import Kind
from users import rights, road
from users.models import Customer, User
from users.rights import Verb
from users.road import Outcome, finding
from users.road.pages import saving
from users.road.pages.conflicts import values_of
from users.road.pages.deleting import Words, delete_page
from users.road.pages.doors import in_customer
from users.road.pages.saving import show_refusal, tell_warnings
from users.road.replacements import Departure, plan_departure


@dataclass(frozen=True)
class Tab:
    """One part of a record's pages, or a page beside them, as a link."""

    label: Text
    url: str
    current: bool
    dot: str = ""


@dataclass(frozen=True)
class Cell:
    """One column of a list: its heading, and what stands there for a record (with where it leads)."""

    heading: Text
    text: Callable[[Any], Any]
    url: Callable[[Customer, Any], str] | None = None
    css: str = ""
    order: str = ""  # the field, or what the rows are annotated with, by which the list is sorted here
    by: Combinable | None = None  # how that is sorted, where it is otherwise than its values


@dataclass(frozen=True)
class SheetPages:
    """The pages of one kind of row under /c/<customer>/<path>/. Addresses are named <name>_list, _new, _tab and _delete."""

    name: str
    path: str
    sheet: Callable[[], Sheet]
    icon: str
    title: Text
    new: Text
    lead: Callable[[Any], str]
    cells: tuple[Cell, ...]
    # What the list shows, with all that its cells ask for.
    rows: Callable[[User, Customer], QuerySet]
    search: Callable[[str], Q]
    search_label: Text
    empty: Text
    filters: tuple[Filter, ...] = ()
    see: Verb = Verb.ADMINISTER
    # Pages beside the list, for its tabs: (customer) → tabs.
    beside: Callable[[User, Customer, str], Sequence[Tab]] | None = None
    # What stands below the form of a record.
    below: str = ""
    below_facts: Callable[[User, Customer, Any], Mapping[str, Any]] | None = None
    # What the page that deletes a record says or does otherwise: (request, customer, record) → arguments of `delete_page`.
    deletion: Callable[[PortalRequest, Customer, Any], Mapping[str, Any]] = field(
        default=lambda request, customer, record: {}
    )
    # What sort of destination such a record is, where calls can be sent to it: who deletes it is asked who takes them.
    destination: Kind | None = None
    initial: Callable[[Customer], Mapping[str, Any]] = field(default=lambda customer: {})

    def urls(self) -> list[URLPattern]:
        """The addresses, for a URLconf."""
        start = f"c/<slug:slug>/{self.path}/"
        edit = require_http_methods(["GET", "HEAD", "POST"])
        return [
            path(start, require_safe(in_customer(self.see)(self.index)), name=f"{self.name}_list"),
            path(f"{start}new", edit(in_customer(self.see)(self.create)), name=f"{self.name}_new"),
            path(
                f"{start}<int:pk>/delete",
                edit(in_customer(self.see)(self.remove)),
                name=f"{self.name}_delete",
            ),
            path(
                f"{start}<int:pk>/<slug:tab>", edit(in_customer(self.see)(self.tab)), name=f"{self.name}_tab"
            ),
        ]

    def record_or_404(self, actor: User, customer: Customer, pk: int) -> Any:
        """A record of the customer; what belongs to departments that aren't the actor's is refused with a sentence."""
        found = self.rows(actor, customer).filter(pk=pk).first() if pk < 2**63 else None
        if found is None:
            manager: Any = self.sheet().model._default_manager
            if pk < 2**63 and manager.visible_to(actor).of(customer).filter(pk=pk).exists():
                raise PermissionDenied(
                    _(
                        "This belongs to a department that isn't one of yours: ask an administrator of the whole company."
                    )
                )
            raise Http404
        return found

    def list_url(self, customer: Customer) -> str:
        """Where the list is."""
        return reverse(f"{self.name}_list", args=[customer.slug])

    def url(self, customer: Customer, record: Any, tab: str = "") -> str:
        """Where a record is edited."""
        return reverse(f"{self.name}_tab", args=[customer.slug, record.pk, tab or self.tabs()[0].slug])

    def tabs(self) -> list[Section]:
        """The parts that have something to show."""
        return [section for section in self.sheet().sections if section.columns or section.view]

    # --- The pages ------------------------------------------------------------------------------------------------
    def index(self, request: PortalRequest, customer: Customer) -> HttpResponse:
        """The list, searched by its address."""
        state = ListState.of(self.shape(), request.GET, request.path)
        page = state.page_of(state.rows(self.rows(request.user, customer)))
        scope = Scope(request.user, customer)
        return show_list(
            request,
            "users/sheets/list.html",
            state,
            page,
            {
                "pages": self,
                "title": self.title,
                "headings": [state.heading(cell.heading, cell.order, cell.css) for cell in self.cells],
                "rows": [
                    (record, self.url(customer, record), self.lead(record), self._cells(customer, record))
                    for record in page
                ],
                "may_create": road.why_not(self.sheet(), scope, Verb.CREATE) is None,
                "new_url": reverse(f"{self.name}_new", args=[customer.slug]),
                "beside": self.beside(request.user, customer, self.name) if self.beside else (),
                "gauge": finding.gauge(customer),
                "breadcrumbs": [(self.title, None)],
            },
        )

    def shape(self) -> Shape:
        """What the list can be asked for; without asking, it is in the model's order, which is that of the first cell."""
        # Counting in the list drops the order that the model has.
        own: list[Any] = [*(self.sheet().model._meta.ordering or ()), "pk"]
        first, *others = self.cells
        orders = {first.order: own} | {
            cell.order: [cell.by or cell.order, *own] for cell in others if cell.order
        }
        return Shape(self.search, self.search_label, self.filters, orders)

    def _cells(self, customer: Customer, record: Any) -> list[tuple[Any, str, str, Text]]:
        return [
            (cell.text(record), cell.url(customer, record) if cell.url else "", cell.css, cell.heading)
            for cell in self.cells[1:]
        ]

    def create(self, request: PortalRequest, customer: Customer) -> HttpResponse:
        """A new record: all the parts that have columns, in one form."""
        scope = Scope(request.user, customer)
        sheet = self.sheet()
        if refusal := road.why_not(sheet, scope, Verb.CREATE):
            refuse(refusal)
        section = self.tabs()[0]
        locked = road.locks(sheet, scope)
        status = 200
        if request.method == "POST":
            form = section.form(scope, request.POST, creating=True, locked=locked)
            plan = road.plan(request.user, customer, sheet, [road.Row(None, form.raw())])
            done = road.commit(plan, RequestFacts.of(request))
            if done.outcome is Outcome.SAVED:
                tell_warnings(request, done.row)
                messages.success(request, _("%(name)s was created.") % {"name": done.row.record})
                return redirect(self.url(customer, done.row.record))
            status = 422
            show_refusal(form, done.row)
        else:
            form = section.form(
                scope,
                initial=default_values(section) | dict(self.initial(customer)),
                creating=True,
                locked=locked,
            )
        return render(
            request,
            "users/sheets/create.html",
            {
                "title": self.new,
                "section": section,
                "form": form,
                "gauge": finding.gauge(customer),
                "breadcrumbs": [(self.title, self.list_url(customer)), (self.new, None)],
            },
            status=status,
        )

    def tab(self, request: PortalRequest, customer: Customer, pk: int, tab: str) -> HttpResponse:
        """Open a part of a record, or save it."""
        record = self.record_or_404(request.user, customer, pk)
        section = next((section for section in self.tabs() if section.slug == tab), None)
        if section is None:
            raise Http404
        frame = self.frame(request.user, customer, record, tab)
        if section.view:
            return import_string(section.view)(request, customer, record, frame)
        return edit_section(
            request,
            customer,
            self.sheet(),
            record,
            section,
            frame,
            self.url(customer, record, tab),
            reload=lambda: self.record_or_404(request.user, customer, pk),
        )

    def frame(self, actor: User, customer: Customer, record: Any, current: str) -> dict[str, Any]:
        """What stands around every part of a record."""
        scope = Scope(actor, customer)
        tabs = [
            Tab(section.title, self.url(customer, record, section.slug), section.slug == current)
            for section in self.tabs()
        ]
        may_delete = road.why_not(self.sheet(), scope, Verb.DELETE, record) is None
        facts: Mapping[str, Any] = self.below_facts(actor, customer, record) if self.below_facts else {}
        return {
            "pages": self,
            "record": record,
            "title": self.lead(record),
            "tabs": tabs if len(tabs) > 1 else (),
            "below": self.below if current == self.tabs()[0].slug else "",
            "delete_url": reverse(f"{self.name}_delete", args=[customer.slug, record.pk])
            if may_delete
            else "",
            "history_url": history_url(actor, customer, record),
            "gauge": finding.gauge(customer),
            "breadcrumbs": [(self.title, self.list_url(customer)), (self.lead(record), None)],
            **facts,
        }

    def remove(self, request: PortalRequest, customer: Customer, pk: int) -> HttpResponse:
        """Says what goes with a record, asks to type its name, and deletes."""
        record = self.record_or_404(request.user, customer, pk)
        if refusal := road.why_not(self.sheet(), Scope(request.user, customer), Verb.DELETE, record):
            refuse(refusal)
        return self.delete_page(request, customer, record, **self.deletion(request, customer, record))

    def delete_page(
        self, request: PortalRequest, customer: Customer, record: Any, **more: Any
    ) -> HttpResponse:
        """The page that asks before a record is deleted; `more` as `users.road.pages.deleting` takes it."""
        lead = self.lead(record)
        own: dict[str, Any] = {
            "losses": [_("%(name)s and its settings.") % {"name": lead}],
            "gauge": finding.gauge(customer),
            "breadcrumbs": [
                (self.title, self.list_url(customer)),
                (lead, self.url(customer, record)),
                (_("Delete"), None),
            ],
        }
        return delete_page(
            request,
            record,
            lambda: self.departure(request.user, customer, record),
            Words(
                title=_("Delete %(name)s?") % {"name": lead},
                typed=lead,
                mistyped=_("Type “%(name)s” to confirm.") % {"name": lead},
                deleted=_("%(name)s was deleted.") % {"name": record},
            ),
            done_url=self.list_url(customer),
            cancel_url=self.url(customer, record),
            **own | more,
        )

    def departure(self, actor: User, customer: Customer, record: Any) -> Departure:
        """What deleting a record means; where no calls can be sent to such a thing, nobody's calls lead there."""
        return plan_departure(actor, customer, self.sheet(), self.destination, [record.pk])


def history_url(actor: User, customer: Customer, record: Any) -> str:
    """Where the history of one record is; "" for whoever doesn't read it."""
    if not rights.can(actor, Verb.HISTORY, customer=customer):
        return ""
    return reverse("record_history", args=[customer.slug, record._meta.model_name, record.pk])


def refuse(reason: Text) -> NoReturn:
    """403 with the sentence that says why."""
    raise PermissionDenied(str(reason))


def default_values(section: Section) -> dict[str, Any]:
    """What the model says of a new record, for its form."""
    return {
        column.name: column.field.get_default()
        for column in section.columns
        if hasattr(column, "field") and column.field.has_default()
    }


def locked_columns(sheet: Sheet, scope: Scope, record: Any, section: Section) -> dict[str, Text]:
    """Which columns of a part the actor sees but may not change, with the reason."""
    refusal = road.why_not(sheet, scope, Verb.EDIT, record)
    locked: dict[str, Text] = {}
    if refusal:
        locked = {column.name: refusal for column in section.columns if column.name not in sheet.own_verbs}
    own = road.locks(sheet, scope, record)
    return locked | {column.name: own[column.name] for column in section.columns if column.name in own}


def edit_section(
    request: PortalRequest,
    customer: Customer,
    sheet: Sheet,
    record: Any,
    section: Section,
    frame: Mapping[str, Any],
    url: str,
    reload: Callable[[], Any],
) -> HttpResponse:
    """Show or save one part of a record, with everything that may be refused, or have been changed by somebody else."""
    scope = Scope(request.user, customer)
    locked = locked_columns(sheet, scope, record, section)
    now = values_of(section, record)
    template = section.template or "users/sheets/tab.html"

    def show(form: SectionForm, status: int = 200, record: Any = record, **facts: Any) -> HttpResponse:
        if section.page_facts:
            facts |= section.page_facts(scope, record, form)
        return render(
            request,
            template,
            {
                **frame,
                "section": section,
                "form": form,
                "seen": record.version,
                "saved": request.GET.get("saved") == "1",
                "may_save": not form.fields.keys() <= locked.keys(),
                "facts": [
                    (column.label, column.show(now.get(name), scope)) for name, column in form.columns.items()
                ],
                **facts,
            },
            status=status,
        )

    if request.method != "POST":
        return show(section.form(scope, initial=now, locked=locked))

    def typed(record: Any, data: QueryDict, initial: Mapping[str, Any]) -> SectionForm:
        form = section.form(scope, data, initial=initial, locked=locked)
        if form.fields.keys() <= locked.keys():
            refuse(next(iter(locked.values()), ""))
        return form

    page = saving.Page(sheet, section, show, url, reload=reload, form=typed)
    return saving.save(request, scope, page, record)
