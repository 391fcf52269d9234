"""Who signs in without a second factor: where one is required and not set up yet, and where none is."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Count as Counted
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from pbxadmin.common.listing import NOTHING, Filter, ListState, Shape
from pbxadmin.common.templatetags.portal import moment
from pbxadmin.common.values.signs import words_of
from support.reports.base import (
    Cell,
    Count,
    Counts,
    Report,
    by_customer,
    customer_cell,
    of_customer,
    person_cell,
)
from users import rights
from users.models import User
from users.people.list_columns import enrolled

REQUIRED = Q(require_2fa=True) | Q(customer__require_2fa=True)
NAMES = {
    "missing": (_("Required, not set up"), REQUIRED & Q(has_factor=False)),
    "optional": (_("Not required, not set up"), ~REQUIRED & Q(has_factor=False)),
    "set_up": (_("Set up"), Q(has_factor=True)),
}


def sought(text: str) -> Q:
    """People by name, extension or address."""
    condition = Q()
    for word in words_of(text):
        condition &= Q(search_text__contains=word)
    return condition or NOTHING


class SecondFactors(Report):
    """A line for each person who may sign in and has no second factor."""

    slug = "second-factor"
    title = _("Second factor")
    about = _(
        "People who sign in without a second factor: where it is required it must be set up at the next sign-in."
    )
    headings = (
        (_("Customer"), "customer"),
        (_("User"), "user"),
        (_("Role"), "role"),
        (_("Second factor"), ""),
        (_("Last sign-in"), "last"),
    )

    def shape(self, counts: Mapping[str, Mapping[str, int]]) -> Shape:
        """By customer, by whether it is required, by role."""
        return Shape(
            search=sought,
            search_label=_("Name, extension or email"),
            filters=[
                of_customer(),
                Filter(
                    "factor",
                    _("Second factor"),
                    lambda name: NAMES[name][1] if name in NAMES else NOTHING,
                    lambda: [(name, label) for name, (label, _condition) in NAMES.items()],
                ),
                Filter("role", _("Role"), lambda slug: Q(role=slug), rights.role_names),
            ],
            orders={
                "customer": (*by_customer(), "number", "pk"),
                "user": ("sort_name", "number", "pk"),
                "role": (F("role__level").desc(), "sort_name", "pk"),
                "last": (F("last_login").desc(nulls_last=True), "pk"),
            },
        )

    def rows(self, actor: User) -> QuerySet[Any]:
        """Whoever of a customer may sign in."""
        return (
            User.objects.visible_to(actor)
            .filter(customer__isnull=False, disabled=False, customer__suspended=False)
            .annotate(has_factor=enrolled())
            .select_related("customer", "role")
            .defer("password", "sip_password", "search_text")
        )

    def usual(self, state: ListState) -> Q:
        """Those without one."""
        return Q() if "factor" in state.chosen else Q(has_factor=False)

    def lines(self, records: Sequence[Any]) -> list[list[Cell]]:
        """One for each."""
        return [self._line(person) for person in records]

    @staticmethod
    def _line(person: Any) -> list[Cell]:
        if person.has_factor:
            factor = Cell(gettext("Set up"), tone="ok")
        elif person.needs_second_factor:
            factor = Cell(str(NAMES["missing"][0]), tone="bad")
        else:
            factor = Cell(str(NAMES["optional"][0]), tone="off")
        return [
            customer_cell(person.customer),
            person_cell(person.customer, person),
            Cell(str(person.role)),
            factor,
            Cell(moment(person.last_login) or gettext("never")),
        ]

    def counted(self, actor: User, state: ListState) -> dict[str, dict[str, int]]:
        """How many of each there are of what else was asked for: one query."""
        people = self.rows(actor).filter(state.condition("factor")).order_by()
        found = people.aggregate(
            **{name: Counted("pk", filter=condition) for name, (_label, condition) in NAMES.items()}
        )
        return {"factor": found}

    def total(self, state: ListState, found: Mapping[str, Mapping[str, int]]) -> int | None:
        """Those without a second factor, or those of whom it was asked."""
        counts, chosen = found["factor"], state.chosen.get("factor")
        return counts.get(chosen, 0) if chosen else counts["missing"] + counts["optional"]

    def counts(self, state: ListState, found: Mapping[str, Mapping[str, int]]) -> list[Counts]:
        """Required and set up are told apart."""
        return [
            Counts(
                _("Second factor"),
                [
                    Count(
                        label,
                        found.get("factor", {}).get(name, 0),
                        state.url(factor=None if state.chosen.get("factor") == name else name),
                        state.chosen.get("factor") == name,
                    )
                    for name, (label, _condition) in NAMES.items()
                ],
            )
        ]
