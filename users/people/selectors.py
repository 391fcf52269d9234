"""Questions about people: the list with its search, its filters and its pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from pbxadmin.common.columns import Scope, Text
from pbxadmin.common.contributions import ListColumn
from pbxadmin.common.keyset import Counted, Part
from pbxadmin.common.listing import NOTHING, PAGE_SIZE, Filter, ListState, Shape
from users import rights
from users.models import STATUS_CHOICES, Customer, User
from users.people import list_columns
from users.people.list_columns import enrolled
from users.people.sections import departments_of, user_sheet
from users.road.finding import NOT_IN_LISTS, Gauge, gauge, with_status_message


def search(text: str) -> Q:
    """The condition over users that a search means: whatever one of the tabs finds."""
    found = NOTHING
    for section in user_sheet().sections:
        if section.adds.search:
            found |= section.adds.search(text)
    return found


def shape(actor: User, customer: Customer, scope: Scope | None = None) -> Shape:
    """What the list of people can be asked for: by department, role, status, and by what the tabs add."""
    known = scope or Scope(actor, customer)
    switches: dict[str, tuple[Text, Q]] = {
        "no_2fa": (_("2FA missing"), Q(require_2fa=True) & Q(~enrolled())),
        "disabled": (_("Disabled"), Q(disabled=True)),
    }
    menus = []
    for section in user_sheet().sections:
        switches |= section.adds.filters
        menus += [Filter.menu(name, label, found) for name, (label, found) in section.adds.menus.items()]
    return Shape(
        search=search,
        search_label=_("Name, extension, email, mobile, MAC, DID"),
        filters=[
            Filter("department", _("Department"), _in_department, lambda: departments_for_filter(known)),
            Filter("role", _("Role"), lambda value: Q(role=value), rights.role_names),
            Filter("status", _("Status"), lambda value: Q(status=value), lambda: STATUS_CHOICES),
            *(Filter.switch(name, label, condition) for name, (label, condition) in switches.items()),
            *menus,
        ],
        orders=list_columns.orders(list_columns.offered(known)),
        by_place=True,
    )


def _in_department(key: str) -> Q:
    known = key.isascii() and key.isdecimal() and len(key) < 18
    return Q(primary_department=int(key)) if known else NOTHING


@dataclass(frozen=True)
class Listing:
    """One page of the list, and the gauge beside it."""

    page: Part  # of people
    gauge: Gauge


def list_users(
    actor: User, customer: Customer, state: ListState, columns: Sequence[ListColumn] = ()
) -> Listing:
    """The people whom `actor` administers in `customer` and that were asked for, one page of them: three queries.

    The first finds their keys in order and reads as little as that takes; the last reads what `columns` show of these alone.
    """
    everybody = User.objects.visible_to(actor).of(customer)
    mine = rights.administered_by(actor) & state.condition()
    rows = everybody.filter(mine)
    # What was searched for mostly fits on one page: then the rows say how many there are, and only the gauge is counted, which
    # reads an index instead of everybody's row.
    found: list[Any] = []
    if state.text and not state.after and not state.before and state.page in ("", "1"):
        found = list(state.ordered(rows).values_list("pk", flat=True)[: PAGE_SIZE + 1])
    if found and len(found) <= PAGE_SIZE:
        page, contract = Part(found, 0, Counted(rows, PAGE_SIZE, len(found))), gauge(customer)
    else:
        counts = everybody.order_by().aggregate(all=Count("pk"), matching=Count("pk", filter=mine))
        page = state.part_of(rows, PAGE_SIZE, counts["matching"])
        contract = Gauge(counts["all"], customer.included_extensions)
    page.object_list = _read(actor, customer, list(page.object_list), columns)
    return Listing(page, contract)


def _read(actor: User, customer: Customer, keys: Sequence[Any], columns: Sequence[ListColumn]) -> list[User]:
    """The people with these keys, in the order of the keys, with what the columns show of them."""
    reads = {name: what for column in columns for name, what in column.reads.items()}
    people: QuerySet[User] = (
        with_status_message(User.objects.visible_to(actor).of(customer).filter(pk__in=keys))
        .select_related("role", "primary_department")
        .defer(*NOT_IN_LISTS)
        .annotate(**reads)
        .order_by()
    )
    # Whoever is deleted in between is left out.
    known = {person.pk: person for person in people}
    return [known[key] for key in keys if key in known]


def departments_for_filter(scope: Scope) -> list[tuple[str, str]]:
    """The departments that may be asked for."""
    found = departments_of(scope)
    if not rights.acts_on_whole_customer(scope.actor):
        found = [each for each in found if each.pk in scope.actor.department_ids]
    return [(str(each.pk), each.name) for each in found]
