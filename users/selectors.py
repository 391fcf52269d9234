"""Questions about customers and people: the list with its search, the contract's gauge, what somebody else changed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from django.core.paginator import Page, Paginator
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.http import Http404
from django.urls import reverse
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from pbxadmin.common.sections import Column, Scope, Section
from users import changes, rights, signin
from users.models import Change, Customer, Department, Operation, Role, TotpDevice, User
from users.reset import LABELS
from users.sections import user_sheet

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


def user_or_404(actor: User, customer: Customer, number: str) -> User:
    """A person of a customer by his extension."""
    user = (
        User.objects.visible_to(actor)
        .of(customer)
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


def role_choices() -> list[tuple[str, str]]:
    """Identifier and name of every role, in the reader's language. They hardly ever change: remembered for a minute."""
    key = f"roles:{get_language()}"
    if (found := cache.get(key)) is None:
        found = [(role.pk, str(role)) for role in Role.objects.all()]
        cache.set(key, found, 60)
    return found


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
        return cls(
            text=parameters.get("q", "").replace("\0", "").strip()[:100],
            department=parameters.get("department", "") if parameters.get("department", "").isascii() else "",
            role=parameters.get("role", "")[:20],
            status=parameters.get("status", "")[:20],
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
        condition &= Q(primary_department=query.department) if query.department.isdigit() else Q(pk__in=[])
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
        everybody.filter(mine)
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
    """A value of the history in words, in the reader's language; "" for a blank one."""
    value = cell.get(which)
    if value in (None, "", []):
        return ""
    label = cell.get(f"{which}_label")
    if column is None or column.secret:
        return str(label or value)
    return str(label) if label and hasattr(column, "options") and scope is None else column.show(value, scope)


@dataclass(frozen=True)
class Told:
    """An operation as the timeline tells it."""

    who: str
    what: str
    when: Any
    where: str
    reason: str
    changes: list[dict[str, str]]
    url: str = ""
    undo_url: str = ""


def history_of(person: User, limit: int = 200) -> list[Told]:
    """The history of one person: his own row, and those of his phones; latest first."""
    found = with_undone(Change.objects.filter(subject_pk=person.pk))[:limit]
    slug = person.customer.slug if person.customer else ""
    return [tell(change, slug) for change in found]


def history_of_customer(
    actor: User, customer: Customer, limit: int = 200, sign_ins: bool = True
) -> list[Told]:
    """The latest rows of a customer's history, with or without who signed in."""
    found = with_undone(Change.objects.visible_to(actor).of(customer)).order_by("-id")
    if not sign_ins:
        found = found.exclude(kind=Operation.Kind.SIGN_IN)
    return [tell(change, customer.slug) for change in found[:limit]]


def with_undone(changes_of: QuerySet[Change]) -> QuerySet[Change]:
    """Rows of the history with their operation, and whether that was taken back already."""
    undone = Operation.objects.filter(undoes=OuterRef("operation"))
    return changes_of.select_related("operation").annotate(undone=Exists(undone))


def reason_in_words(operation: Operation) -> str:
    """Why something was done, where it was said: a reader's own words, or what the portal notes."""
    if operation.undoes_id:
        return gettext("Undoing of an earlier change")
    return str(signin.REASONS.get(operation.reason, operation.reason))


def may_be_undone(change: Change) -> bool:
    """Whether it is worth a link: an edit without secrets that nobody has taken back. The page behind it decides."""
    sheet = changes.SHEETS.get(change.model)
    if (
        change.kind != Operation.Kind.EDIT
        or change.operation.kind != Operation.Kind.EDIT
        or sheet is None
        or not change.cells
    ):
        return False
    columns = [sheet.columns.get(cell["column"]) for cell in change.cells]
    return not getattr(change, "undone", False) and all(
        column is not None and not column.secret for column in columns
    )


def tell(change: Change, slug: str = "") -> Told:
    """One row of the history in words; `slug`: the customer's, for the link that takes it back."""
    sheet = changes.SHEETS.get(change.model)
    cells = [
        {
            "label": str(sheet.columns[cell["column"]].label)
            if sheet and cell["column"] in sheet.columns
            else str(LABELS.get(cell["column"], cell["column"])),
            "old": shown(cell, "old", sheet.columns.get(cell["column"]) if sheet else None),
            "new": shown(cell, "new", sheet.columns.get(cell["column"]) if sheet else None),
        }
        for cell in change.cells
    ]
    operation = change.operation
    kind = Operation.Kind(change.kind).label
    return Told(
        who=operation.actor_name,
        what=f"{kind} · {change.object_name}",
        when=operation.at,
        where=" ".join(filter(None, [source_in_words(operation.source), operation.address])),
        changes=cells,
        reason=reason_in_words(operation),
        undo_url=reverse("undo", args=[slug, operation.pk]) if slug and may_be_undone(change) else "",
    )


def source_in_words(source: str) -> str:
    """Where an operation came in."""
    return {
        "portal": gettext("portal"),
        "admin": gettext("support"),
        "csv": gettext("import"),
        "self": gettext("own page"),
        "system": gettext("automatic"),
        "demo": gettext("demo data"),
    }.get(source, source)
