"""Departments whose people's emergency calls show another place's number, or none."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Case, CharField, Exists, F, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models import Count as Counted
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from pbxadmin.common.fields import phone_number_national
from pbxadmin.common.listing import NOTHING, Filter, Shape
from pbxadmin.common.searching import Folded, named
from support.reports.base import Cell, Report, by_customer, customer_cell, of_customer
from users.models import Department, Did, User

SHOWS = {"none": _("No number at all"), "wrong": _("The number of another place")}


def gaps(actor: User) -> QuerySet[Any]:
    """The departments without a number of their own in which somebody works, with what is shown instead (`shown`, E.164, "" for none),
    whose it is (`of`) and how many people that is about (`people`): as `users.people.emergency` decides it."""
    others = (
        Department.objects.filter(customer=OuterRef("customer")).exclude(outbound_caller_id="").order_by("pk")
    )
    numbers = Did.objects.filter(customer=OuterRef("customer")).order_by("pk")
    people = User.objects.filter(primary_department=OuterRef("pk"), disabled=False).order_by()
    count = people.values("primary_department").annotate(count=Counted("pk")).values("count")
    return (
        Department.objects.visible_to(actor)
        .filter(Exists(people), outbound_caller_id="", customer__suspended=False)
        .annotate(
            shown=Coalesce(
                Subquery(others.values("outbound_caller_id")[:1], output_field=CharField()),
                Subquery(numbers.values("number")[:1], output_field=CharField()),
                Value(""),
                output_field=CharField(),
            ),
            of=Coalesce(
                Subquery(others.values("name")[:1], output_field=CharField()),
                Subquery(numbers.values("name")[:1], output_field=CharField()),
                Value(""),
                output_field=CharField(),
            ),
            people=Subquery(count[:1]),
        )
        .annotate(shows=Case(When(shown="", then=Value("none")), default=Value("wrong")))
        .select_related("customer")
    )


class EmergencyCalls(Report):
    """A line for each department without a number of its own."""

    slug = "emergency"
    title = _("Emergency calls (911)")
    about = _(
        "Departments without a number of their own: rescuers come to where the number is that their people's emergency calls show."
    )
    headings = (
        (_("Customer"), "customer"),
        (_("Department"), "name"),
        (_("Users"), "people"),
        (_("Emergency calls show"), ""),
    )

    def shape(self, counts: Mapping[str, Mapping[str, int]]) -> Shape:
        """By customer, and by whether anything is shown."""
        return Shape(
            search=lambda text: named("name", text) or NOTHING,
            search_label=_("Department"),
            filters=[
                of_customer(),
                Filter(
                    "shows",
                    _("Emergency calls show"),
                    lambda name: Q(shows=name) if name in SHOWS else NOTHING,
                    lambda: list(SHOWS.items()),
                ),
            ],
            orders={
                "worst": ("shows", F("people").desc(), "pk"),
                "customer": (*by_customer(), "pk"),
                "name": (Folded("name"), "pk"),
                "people": (F("people").desc(), "pk"),
            },
        )

    def rows(self, actor: User) -> QuerySet[Any]:
        """Those with people."""
        return gaps(actor)

    def lines(self, records: Sequence[Any]) -> list[list[Cell]]:
        """One for each."""
        return [
            [
                customer_cell(each.customer),
                Cell(each.name, reverse("department_tab", args=[each.customer.slug, each.pk, "general"])),
                Cell(str(each.people)),
                Cell(said(each.shown, each.of), tone="wait" if each.shown else "bad"),
            ]
            for each in records
        ]


def said(number: str, whose: str) -> str:
    """What the calls of such a department show: a number (E.164) and whose it is, or none."""
    if not number:
        return str(SHOWS["none"])
    return f"{phone_number_national(number)} ({whose or gettext('without a name')})"
