"""Questions about customers and people: the list with its search, the contract's gauge, what somebody else changed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.http import Http404
from django.utils.translation import gettext_lazy as _

from pbxadmin.common.columns import Column, Scope
from pbxadmin.common.sections import Section
from signin.models import TotpDevice
from users import rights
from users.models import Change, Customer, Department, User
from users.people.sections import user_sheet

PAGE_SIZE = 50
ORDERS = {
    "name": ("sort_name", "number"),
    "number": ("number",),
    "status": ("status", "sort_name", "number"),
    "department": ("primary_department__name", "sort_name", "number"),
    "role": ("role__level", "role", "sort_name", "number"),
    "email": ("email", "sort_name", "number"),
}
# Secrets and hashes have no business in a list.
NOT_IN_LISTS = ("password", "sip_password", "search_text")


def customer_or_404(actor: User, slug: str) -> Customer:
    """The customer of an address; `Http404` where it doesn't exist or isn't the actor's."""
    own = actor.customer
    if own is not None:
        if own.slug == slug:
            return own
        raise Http404
    customer = Customer.objects.visible_to(actor).filter(slug=slug).first()
    if customer is None:
        raise Http404
    return customer


def with_status_message(people: QuerySet[User]) -> QuerySet[User]:
    """With what each says beside his status, as `status_message`: read along, without a query of its own."""
    expressions = [section.status_message for section in user_sheet().sections if section.status_message]
    return people.annotate(status_message=expressions[0]) if expressions else people


def user_or_404(actor: User, customer: Customer, number: str) -> User:
    """A person of a customer by his extension."""
    user = (
        with_status_message(User.objects.visible_to(actor).of(customer))
        .filter(number=number)
        .select_related("role", "customer", "primary_department")
        .defer("password", "sip_password")
        .first()
    )
    if user is None:
        raise Http404
    return user


@dataclass(frozen=True)
class Gauge:
    """How many of the contract's extensions are in use."""

    used: int
    included: int

    @property
    def percent(self) -> float:
        """0 to 100, and more when the contract is exceeded."""
        return 100 * self.used / self.included if self.included else (100 if self.used else 0)

    @property
    def over(self) -> bool:
        """Whether more are in use than the contract includes."""
        return self.used > self.included


def gauge(customer: Customer) -> Gauge:
    """The contract's gauge, counted now."""
    return Gauge(User.objects.of(customer).count(), customer.included_extensions)


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
            text=parameters.get("q", "").replace("\0", "").strip()[:100],
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
    """The filters that are switched on and off: the tabs' own, and those of the person himself."""
    flags: dict[str, tuple[Any, Q]] = {
        "no_2fa": (_("2FA missing"), Q(require_2fa=True) & Q(~enrolled())),
        "disabled": (_("Disabled"), Q(disabled=True)),
    }
    for section in user_sheet().sections:
        flags |= section.filters
    return flags


def matching(query: Query) -> Q:
    """The condition over users that a query means."""
    condition = Q()
    if query.text:
        found = Q(pk__in=[])
        for section in user_sheet().sections:
            if section.search:
                found |= section.search(query.text)
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


def facts_for_list(people: Iterable[User]) -> list[tuple[Section, Mapping[Any, Any]]]:
    """What the tabs add to each row of the list."""
    people = list(people)
    return [(section, section.list_facts(people)) for section in user_sheet().sections if section.list_facts]


def departments_for_filter(actor: User, customer: Customer) -> list[tuple[int, str]]:
    """The departments that may be asked for."""
    found = Department.objects.visible_to(actor).of(customer)
    if not rights.acts_on_whole_customer(actor):
        found = found.filter(pk__in=actor.department_ids)
    return list(found.values_list("pk", "name"))


@dataclass(frozen=True)
class Meanwhile:
    """What others changed of a record since a version: per column the value before them, and the last who did it."""

    before: dict[str, Any]
    after: dict[str, str]  # in words
    who: str


def changed_since(
    record: Any, sheet_label: str, version: int, columns: Mapping[str, Column], scope: Scope
) -> Meanwhile:
    """Everything that the history knows of `record` after `version`, for these columns."""
    found = (
        Change.objects.filter(model=sheet_label, object_pk=record.pk, version__gt=version)
        .select_related("operation")
        .order_by("id")
    )
    before: dict[str, Any] = {}
    after: dict[str, str] = {}
    who: list[str] = []
    for change in found:
        for cell in change.cells:
            column = columns.get(cell["column"])
            if column is None:
                continue
            before.setdefault(column.name, cell["old"])
            after[column.name] = shown(cell, "new", column, scope)
            if change.operation.actor_name not in who:
                who.append(change.operation.actor_name)
    return Meanwhile(before, after, ", ".join(who))


def shown(cell: Mapping[str, Any], which: str, column: Column | None, scope: Scope | None = None) -> str:
    """A value of the history in words, in the reader's language; "" for a blank one.

    Other rows are called what they were called then, unless that differs by language.
    """
    value = cell.get(which)
    if value in (None, "", []):
        return ""
    label = cell.get(f"{which}_label")
    if column is None or column.secret:
        return str(label or value)
    if label and not (column.translated and scope):
        return str(label)
    return column.show(value, scope)
