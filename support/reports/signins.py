"""Whose sign-in is blocked at this moment."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from pbxadmin.common.listing import Shape
from pbxadmin.common.templatetags.portal import moment
from signin.blocked import Block, blocked
from support.reports.base import Cell, Report, by_customer, customer_cell, of_customer, person_cell
from support.reports.factors import sought
from users.models import User


class BlockedSignIns(Report):
    """A line for each person who isn't let in."""

    slug = "blocked"
    title = _("Blocked sign-ins")
    about = _(
        "People who aren't let in for a while, because somebody entered wrong passwords for them too often."
    )
    nothing = _("Nobody's sign-in is blocked.")
    headings = (
        (_("Customer"), "customer"),
        (_("User"), "user"),
        (_("Blocked until"), ""),
        (_("Address"), ""),
        (_("Failed sign-ins"), ""),
    )

    def shape(self, counts: Mapping[str, Mapping[str, int]]) -> Shape:
        """By customer."""
        return Shape(
            search=sought,
            search_label=_("Name, extension or email"),
            filters=[of_customer()],
            orders={
                "customer": (*by_customer(), "number", "pk"),
                "user": ("sort_name", "number", "pk"),
            },
        )

    def rows(self, actor: User) -> QuerySet[Any]:
        """Of any customer."""
        people = User.objects.visible_to(actor).filter(pk__in=list(blocked()))
        return people.select_related("customer").defer("password", "sip_password", "search_text")

    def lines(self, records: Sequence[User]) -> list[list[Cell]]:
        """One for each, as long as it is so."""
        found = blocked() if records else {}
        return [
            [
                customer_cell(person.customer) if person.customer else Cell(gettext("Support desk")),
                person_cell(person.customer, person) if person.customer else Cell(str(person)),
                Cell(moment(found[person.pk].until), tone="bad"),
                Cell(said(found[person.pk])),
                Cell(str(found[person.pk].failures)),
            ]
            for person in records
            if person.pk in found
        ]


def said(block: Block) -> str:
    """From where somebody isn't let in."""
    return gettext("anywhere") if block.everywhere else ", ".join(block.addresses)
