"""Questions about people: the list with its search, its filters and its pages."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from pbxadmin.common.columns import Text
from pbxadmin.common.contributions import ListCell
from pbxadmin.common.listing import NOTHING, PAGE_SIZE, Filter, ListState, Shape
from pbxadmin.common.searching import Folded
from signin.models import TotpDevice
from users import rights
from users.models import STATUS_CHOICES, Customer, Department, User
from users.people.sections import user_sheet
from users.road.finding import NOT_IN_LISTS, Gauge, gauge, with_status_message

ORDERS = {
    "name": ("sort_name", "number"),
    "number": ("number",),
    "status": ("status", "sort_name", "number"),
    "department": (Folded("primary_department__name"), "sort_name", "number"),
    "role": ("role__level", "role", "sort_name", "number"),
    "email": ("email", "sort_name", "number"),
}


def enrolled() -> Exists:
    """Whether a person has an authenticator app."""
    return Exists(TotpDevice.objects.filter(user=OuterRef("pk"), confirmed=True))


def search(text: str) -> Q:
    """The condition over users that a search means: whatever one of the tabs finds."""
    found = NOTHING
    for section in user_sheet().sections:
        if section.adds.search:
            found |= section.adds.search(text)
    return found


def shape(actor: User, customer: Customer) -> Shape:
    """What the list of people can be asked for: by department, role, status, and by what the tabs add."""
    switches: dict[str, tuple[Text, Q]] = {
        "no_2fa": (_("2FA missing"), Q(require_2fa=True) & Q(~enrolled())),
        "disabled": (_("Disabled"), Q(disabled=True)),
    }
    for section in user_sheet().sections:
        switches |= section.adds.filters
    return Shape(
        search=search,
        search_label=_("Name, extension, email, mobile, MAC, DID"),
        filters=[
            Filter(
                "department", _("Department"), _in_department, lambda: departments_for_filter(actor, customer)
            ),
            Filter("role", _("Role"), lambda value: Q(role=value), rights.role_names),
            Filter("status", _("Status"), lambda value: Q(status=value), lambda: STATUS_CHOICES),
            *(Filter.switch(name, label, condition) for name, (label, condition) in switches.items()),
        ],
        orders=ORDERS,
    )


def _in_department(key: str) -> Q:
    known = key.isascii() and key.isdecimal() and len(key) < 18
    return Q(primary_department=int(key)) if known else NOTHING


class NearestEndPaginator(Paginator):
    """Pages of a sorted list, read from whichever end is nearer: the last page costs what the first one does."""

    def __init__(self, rows: QuerySet, per_page: int, count: int) -> None:
        super().__init__(rows, per_page)
        self.rows = rows
        # Known already: one aggregate counted it together with the gauge.
        self.count = count

    def page(self, number: Any) -> Page:
        """One page; from the far half it is read backwards and turned around."""
        number = self.validate_number(number)
        bottom = (number - 1) * self.per_page
        top = min(bottom + self.per_page, self.count)
        if bottom > self.count // 2:
            rows: Any = list(self.rows.reverse()[self.count - top : self.count - bottom])[::-1]
        else:
            rows = list(self.rows[bottom:top])
        return Page(rows, number, self)


@dataclass(frozen=True)
class Listing:
    """One page of the list, and the gauge beside it."""

    page: Page
    gauge: Gauge


def list_users(actor: User, customer: Customer, state: ListState) -> Listing:
    """The people whom `actor` administers in `customer` and that were asked for, one page of them: two queries."""
    everybody = User.objects.visible_to(actor).of(customer)
    mine = rights.administered_by(actor) & state.condition()
    rows = state.ordered(
        with_status_message(everybody.filter(mine))
        .select_related("role", "primary_department")
        .defer(*NOT_IN_LISTS)
        .annotate(has_second_factor=enrolled())
    )
    # What was searched for mostly fits on one page: then the rows say how many there are, and only the gauge is counted, which
    # reads an index instead of everybody's row.
    first = list(rows[: PAGE_SIZE + 1]) if state.text and state.page in ("", "1") else None
    if first is not None and len(first) <= PAGE_SIZE:
        return Listing(Page(first, 1, NearestEndPaginator(rows, PAGE_SIZE, len(first))), gauge(customer))
    counts = everybody.order_by().aggregate(all=Count("pk"), matching=Count("pk", filter=mine))
    paginator = NearestEndPaginator(rows, PAGE_SIZE, counts["matching"])
    shown = paginator.get_page(state.page) if first is None else Page(first[:PAGE_SIZE], 1, paginator)
    return Listing(shown, Gauge(counts["all"], customer.included_extensions))


def facts_for_list(people: Iterable[User]) -> list[tuple[ListCell, Mapping[Any, Any]]]:
    """What the tabs add to each row of the list."""
    people = list(people)
    cells = [section.adds.cell for section in user_sheet().sections if section.adds.cell]
    return [(cell, cell.facts(people)) for cell in cells]


def departments_for_filter(actor: User, customer: Customer) -> list[tuple[str, str]]:
    """The departments that may be asked for."""
    found = Department.objects.visible_to(actor).of(customer)
    if not rights.acts_on_whole_customer(actor):
        found = found.filter(pk__in=actor.department_ids)
    return [(str(key), name) for key, name in found.values_list("pk", "name")]
