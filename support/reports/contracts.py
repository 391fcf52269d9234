"""Customers by how full their contract is, and who is suspended."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import (
    Case,
    ExpressionWrapper,
    F,
    FloatField,
    Q,
    QuerySet,
    Value,
    When,
)
from django.db.models import Count as Counted
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from pbxadmin.common.listing import Filter, Shape
from pbxadmin.common.templatetags.portal import moment
from support.reports.base import Cell, Report, customer_cell, of_customer
from users.models import Customer, User

# From so many hundredths of the contract on it is time to speak of a larger one.
NEARLY_FULL = 90


def contracts(actor: User) -> QuerySet[Any]:
    """All customers with how many extensions are in use (`used`), and how many hundredths of the contract that is (`share`)."""
    share = ExpressionWrapper(100.0 * F("used") / F("included_extensions"), output_field=FloatField())
    return (
        Customer.objects.visible_to(actor)
        .annotate(used=Counted("users"))
        .annotate(
            share=Case(
                When(included_extensions__gt=0, then=share),
                When(used__gt=0, then=Value(100.0)),
                default=Value(0.0),
                output_field=FloatField(),
            )
        )
    )


class Contracts(Report):
    """A line for each customer, the fullest contract first."""

    slug = "contracts"
    title = _("Contracts")
    about = _("How many extensions each customer uses of its contract, and who is suspended.")
    headings = (
        (_("Customer"), "name"),
        (_("Licence"), "edition"),
        (_("Extensions"), "used"),
        (_("Of the contract"), "full"),
        (_("Suspended"), ""),
    )

    def shape(self, counts: Mapping[str, Mapping[str, int]]) -> Shape:
        """The nearly full ones, the suspended ones."""
        return Shape(
            search=of_customer("").meaning,
            search_label=_("Name or host name"),
            filters=[
                Filter.switch("full", _("90% and more"), Q(share__gte=NEARLY_FULL, suspended=False)),
                Filter.switch("suspended", _("Suspended"), Q(suspended=True)),
                Filter(
                    "edition", _("Licence"), lambda name: Q(edition=name), lambda: Customer.Edition.choices
                ),
            ],
            orders={
                "full": (F("share").desc(), "pk"),
                "name": ("sort_name", "pk"),
                "used": (F("used").desc(), "pk"),
                "edition": ("edition", "pk"),
            },
        )

    def rows(self, actor: User) -> QuerySet[Any]:
        """All customers."""
        return contracts(actor)

    def lines(self, records: Sequence[Any]) -> list[list[Cell]]:
        """One for each."""
        return [
            [
                customer_cell(each),
                Cell(each.get_edition_display()),
                Cell(
                    f"{each.used} / {each.included_extensions}",
                    reverse("admin:users_customer_change", args=[each.pk]),
                ),
                Cell(percent(each.share), tone=tone(each.share)),
                Cell(suspended_since(each), tone="bad") if each.suspended else Cell(""),
            ]
            for each in records
        ]


def percent(share: float) -> str:
    """A share as people read it: "92%"."""
    return gettext("%(count)s%%") % {"count": int(share)}


def tone(share: float) -> str:
    """How a contract that is so full is drawn."""
    return "bad" if share > 100 else "wait" if share >= NEARLY_FULL else "ok"


def suspended_since(customer: Customer) -> str:
    """Since when somebody is suspended, by whom and why, as far as that is known."""
    said = (moment(customer.suspended_at), customer.suspended_by, customer.suspended_reason)
    return " · ".join(part for part in said if part) or gettext("Suspended")
