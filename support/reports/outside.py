"""Who forwards calls outside: where to, since when, by whom, with the country and the kind of number."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from forwarding import outside
from forwarding.models import ForwardingRule, names_number
from pbxadmin.common.fields import phone_number_national
from pbxadmin.common.listing import NOTHING, Filter, Shape
from pbxadmin.common.places import country_said
from pbxadmin.common.searching import number_sought
from pbxadmin.common.templatetags.portal import moment
from pbxadmin.common.values.numbers import Line, place_of
from pbxadmin.common.values.signs import words_of
from support.reports.base import Cell, Report, by_customer, customer_cell, of_customer, person_cell
from users.models import User

# How new a forwarding is that is told first.
NEW = timedelta(days=7)

LINES = {
    Line.PREMIUM: _("Premium rate"),
    Line.SATELLITE: _("Satellite or international network"),
    Line.TOLL_FREE: _("Toll-free"),
    Line.MOBILE: _("Mobile"),
    Line.FIXED: _("Landline"),
    Line.EITHER: _("Landline or mobile"),
    Line.VOIP: _("Internet telephony"),
    Line.OTHER: _("Other"),
}
TO = {
    "number": (_("An outside number"), names_number),
    "mobile": (_("Their own mobile"), outside.to_mobile),
    "abroad": (_("Another country"), outside.leads_abroad),
}


def sought(text: str) -> Q:
    """People by their name or extension, or rules by the number to which they lead."""
    people = Q()
    for word in words_of(text):
        people &= Q(user__search_text__contains=word)
    found = people if people else NOTHING
    if digits := number_sought(text):
        for name in outside.COLUMNS:
            found |= Q(**{f"{name}__contains": digits})
        found |= Q(user__mobile__contains=digits)
    return found


class Outside(Report):
    """A line for each number to which somebody's status sends calls."""

    slug = "outside"
    title = _("Forwarded outside")
    about = _(
        "Who sends calls to an outside number or to their mobile, at which status, since when and by whom."
    )
    headings = (
        (_("Customer"), "customer"),
        (_("User"), "user"),
        (_("Status"), "status"),
        (_("Calls"), ""),
        (_("Number"), ""),
        (_("Country"), ""),
        (_("Type of number"), ""),
        (_("Since"), ""),
        (_("By"), ""),
    )

    def shape(self, counts: Mapping[str, Mapping[str, int]]) -> Shape:
        """By customer, by where it leads, by whether it is in force now."""
        return Shape(
            search=sought,
            search_label=_("Name, extension or number"),
            filters=[
                of_customer("user__customer__"),
                Filter(
                    "to",
                    _("Leads to"),
                    lambda name: TO[name][1]() if name in TO else NOTHING,
                    lambda: [(name, label) for name, (label, _condition) in TO.items()],
                ),
                Filter.switch("now", _("In force now"), outside.in_force()),
                Filter("new", _("Since this week"), self._lately, lambda: [("1", _("Yes"))]),
            ],
            orders={
                "customer": (*by_customer("user__customer__"), "user__number", "id"),
                "user": ("user__sort_name", "id"),
                "status": ("status", "user__number", "id"),
            },
        )

    def _lately(self, value: str) -> Q:
        """The rules that lead outside since this week; asked for only where somebody wants to know."""
        if value != "1":
            return NOTHING
        return outside.rules_of(outside.news_since(timezone.now() - NEW))

    def rows(self, actor: User) -> QuerySet[Any]:
        """The rules that lead outside."""
        return (
            ForwardingRule.objects.visible_to(actor)
            .filter(outside.leads_outside())
            .select_related("user", "user__customer")
            .defer("user__password", "user__sip_password", "user__search_text")
        )

    def lines(self, records: Sequence[ForwardingRule]) -> list[list[Cell]]:
        """Each number once; one query for the history of all of them."""
        history = outside.history_of({rule.user_id for rule in records})
        return [line for rule in records for line in self._lines(rule, history)]

    def _lines(self, rule: ForwardingRule, history: Mapping[Any, outside.Since]) -> list[list[Cell]]:
        customer = rule.user.customer
        assert customer is not None  # support staff have no rules
        leads = outside.leads_of(rule)
        since = outside.since(rule.user_id, leads, history)
        status = rule.get_status_display()
        now = rule.status == rule.user.status
        found = []
        for lead in leads:
            place, told = place_of(lead.number), since[lead]
            kind = gettext("The user's own mobile") if lead.mobile else str(LINES[place.line])
            found.append(
                [
                    customer_cell(customer),
                    person_cell(customer, rule.user, "forwarding"),
                    Cell(gettext("%(status)s (now)") % {"status": status} if now else status),
                    Cell(", ".join(str(way).partition(" · ")[2] or str(way) for way in lead.ways)),
                    Cell(phone_number_national(lead.number), whole=True),
                    Cell(country_said(place.country) if place.country else ""),
                    Cell(kind, tone="bad" if place.line in (Line.PREMIUM, Line.SATELLITE) else ""),
                    Cell(moment(told.at) if told else ""),
                    Cell(told.who if told else ""),
                ]
            )
        return found
