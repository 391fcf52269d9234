"""Questions about people: the list with its search, its filters and its pages."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from pbxadmin.common.contributions import ListCell
from pbxadmin.common.searching import Folded
from pbxadmin.common.values.signs import as_it_looks
from signin.models import TotpDevice
from users import rights
from users.models import Customer, Department, User
from users.people.sections import user_sheet
from users.road.finding import NOT_IN_LISTS, Gauge, gauge, with_status_message

PAGE_SIZE = 50
ORDERS = {
    "name": ("sort_name", "number"),
    "number": ("number",),
    "status": ("status", "sort_name", "number"),
    "department": (Folded("primary_department__name"), "sort_name", "number"),
    "role": ("role__level", "role", "sort_name", "number"),
    "email": ("email", "sort_name", "number"),
}


@dataclass(frozen=True)
class Query:
    """What the list was asked for, as it stands in its address."""

    text: str = ""
    department: str = ""
    role: str = ""
    status: str = ""
    flags: tuple[str, ...] = ()
    sort: str = "name"

    @classmethod
    def of(cls, parameters: Mapping[str, str]) -> "Query":
        """Read an address's parameters; what isn't offered is left out rather than refused."""
        sort = parameters.get("sort", "name")
        department = parameters.get("department", "")
        return cls(
            text=as_it_looks(parameters.get("q", "").replace("\0", "")).strip()[:100],
            # A key: what is none, or longer than any, is nobody's department.
            department=department if len(department) < 18 and department.isascii() else "x",
            role=parameters.get("role", "").replace("\0", "")[:20],
            status=parameters.get("status", "").replace("\0", "")[:20],
            flags=tuple(name for name in list_flags() if parameters.get(name) == "1"),
            sort=sort if sort.removeprefix("-") in ORDERS else "name",
        )

    def parameters(self, **changed: str | None) -> dict[str, str]:
        """The address's parameters again, some of them changed (None takes one off); always on the first page."""
        now: dict[str, str | None] = {
            "q": self.text,
            "department": self.department,
            "role": self.role,
            "status": self.status,
            "sort": "" if self.sort == "name" else self.sort,
            **dict.fromkeys(self.flags, "1"),
        }
        return {name: value for name, value in (now | changed).items() if value}

    @property
    def narrows(self) -> bool:
        """Whether anything but the order is asked for."""
        return bool(self.text or self.department or self.role or self.status or self.flags)


def enrolled() -> Exists:
    """Whether a person has an authenticator app."""
    return Exists(TotpDevice.objects.filter(user=OuterRef("pk"), confirmed=True))


def list_flags() -> dict[str, tuple[Any, Q]]:
    """The filters that are switched on and off: the tabs' own, and those of the person."""
    flags: dict[str, tuple[Any, Q]] = {
        "no_2fa": (_("2FA missing"), Q(require_2fa=True) & Q(~enrolled())),
        "disabled": (_("Disabled"), Q(disabled=True)),
    }
    for section in user_sheet().sections:
        flags |= section.adds.filters
    return flags


def matching(query: Query) -> Q:
    """The condition over users that a query means."""
    condition = Q()
    if query.text:
        found = Q(pk__in=[])
        for section in user_sheet().sections:
            if section.adds.search:
                found |= section.adds.search(query.text)
        condition &= found
    if query.department:
        condition &= Q(primary_department=query.department) if query.department.isdecimal() else Q(pk__in=[])
    if query.role:
        condition &= Q(role=query.role)
    if query.status:
        condition &= Q(status=query.status)
    for name in query.flags:
        condition &= list_flags()[name][1]
    return condition


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
    """One page of the list, and what stands around it."""

    page: Page
    gauge: Gauge
    query: Query


def list_users(actor: User, customer: Customer, query: Query, page: Any) -> Listing:
    """The people whom `actor` administers in `customer` and that match, one page of them: two queries."""
    everybody = User.objects.visible_to(actor).of(customer)
    mine = rights.administered_by(actor) & matching(query)
    order = ORDERS[query.sort.removeprefix("-")]
    rows = (
        with_status_message(everybody.filter(mine))
        .select_related("role", "primary_department")
        .defer(*NOT_IN_LISTS)
        .annotate(has_second_factor=enrolled())
        .order_by(*order)
    )
    if query.sort.startswith("-"):
        rows = rows.reverse()
    # What was searched for mostly fits on one page: then the rows say how many there are, and only the gauge is counted, which
    # reads an index instead of everybody's row.
    first = list(rows[: PAGE_SIZE + 1]) if query.text and page in (None, "", "1") else None
    if first is not None and len(first) <= PAGE_SIZE:
        shown = Page(first, 1, NearestEndPaginator(rows, PAGE_SIZE, len(first)))
        return Listing(shown, gauge(customer), query)
    counts = everybody.order_by().aggregate(all=Count("pk"), matching=Count("pk", filter=mine))
    paginator = NearestEndPaginator(rows, PAGE_SIZE, counts["matching"])
    shown = paginator.get_page(page) if first is None else Page(first[:PAGE_SIZE], 1, paginator)
    return Listing(shown, Gauge(counts["all"], customer.included_extensions), query)


def facts_for_list(people: Iterable[User]) -> list[tuple[ListCell, Mapping[Any, Any]]]:
    """What the tabs add to each row of the list."""
    people = list(people)
    cells = [section.adds.cell for section in user_sheet().sections if section.adds.cell]
    return [(cell, cell.facts(people)) for cell in cells]


def departments_for_filter(actor: User, customer: Customer) -> list[tuple[int, str]]:
    """The departments that may be asked for."""
    found = Department.objects.visible_to(actor).of(customer)
    if not rights.acts_on_whole_customer(actor):
        found = found.filter(pk__in=actor.department_ids)
    return list(found.values_list("pk", "name"))
