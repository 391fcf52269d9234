"""Phones by state, presence, model and firmware."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.db.models import BooleanField, Case, F, Q, QuerySet, Value, When
from django.db.models import Count as Counted
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from pbxadmin.common.columns import Text
from pbxadmin.common.listing import Filter, ListState, Shape
from phones import selectors
from phones.models import Phone, model_said
from phones.presence import away, last_seen_column, presence
from phones.sites.overview import AWAY, PRESENCES, STATES, doing, present
from phones.sites.views import matching
from support.many.phones import COMMAND
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

# A change reaches a phone within seconds: what waits longer than this isn't on its way.
LONG = timedelta(minutes=1)
UNKNOWN = "-"  # a firmware that no phone has told yet


def waits_long(now: Any) -> Q:
    """Phones that are waiting for a change or a command for longer than a minute."""
    return Q(doing="waiting") & (Q(stale_since__lt=now - LONG) | Q(command_at__lt=now - LONG))


class Phones(Report):
    """A line for each phone, under how many of each kind there are."""

    slug = "phones"
    title = _("Phones")
    about = _("Phones of all customers by state, model and firmware, and when each was last seen.")
    headings = (
        (_("Customer"), "customer"),
        (_("User"), "user"),
        (_("MAC address"), "mac"),
        (_("Phone model"), "model"),
        (_("Firmware"), "firmware"),
        (_("State"), ""),
        (_("Last seen"), "seen"),
    )

    def shape(self, counts: Mapping[str, Mapping[str, int]]) -> Shape:
        """By customer, state, presence, model and firmware."""
        now = timezone.now()
        return Shape(
            search=matching,
            search_label=_("MAC, extension, name or model"),
            filters=[
                of_customer(),
                Filter("state", _("State"), lambda name: Q(doing=name), lambda: list(STATES.items())),
                Filter(
                    "presence",
                    _("Presence"),
                    lambda name: present(now, name),
                    lambda: list(PRESENCES.items()),
                ),
                Filter(
                    "model",
                    _("Phone model"),
                    lambda slug: Q(model=slug),
                    lambda: sorted(
                        ((slug, model_said(slug)) for slug in counts.get("model", {})),
                        key=lambda each: each[1],
                    ),
                ),
                Filter(
                    "firmware",
                    _("Firmware"),
                    lambda text: Q(firmware="" if text == UNKNOWN else text),
                    lambda: [
                        (text or UNKNOWN, text or gettext("not known yet"))
                        for text in sorted(counts.get("firmware", {}))
                    ],
                ),
                Filter.switch("long", _("Waiting for more than a minute"), waits_long(now)),
            ],
            orders={
                "customer": (*by_customer(), F("user__number").asc(nulls_last=True), "pk"),
                "user": (F("user__sort_name").asc(nulls_last=True), "pk"),
                "mac": ("mac",),
                "model": ("model", "pk"),
                "firmware": ("firmware", "pk"),
                "seen": (last_seen_column().asc(nulls_first=True), "pk"),
            },
        )

    def rows(self, actor: User) -> QuerySet[Any]:
        """All of them, without secrets."""
        phones = selectors.light(Phone.objects.visible_to(actor)).select_related("customer")
        return phones.alias(doing=doing(timezone.now()))

    def acting(self, actor: User, state: ListState) -> tuple[Text, str] | None:
        """The desk's list of the same phones, where they are chosen and restarted; none where that can't be asked for just these."""
        asked = state.parameters(sort=None)
        if not rights.can(actor, COMMAND.verb) or not asked.keys() <= {
            "q",
            "state",
            "presence",
            "model",
            "customer",
        }:
            return None
        url = reverse("admin:phones_phone_changelist")
        return _("Restart or reprovision them"), f"{url}?{urlencode(asked)}" if asked else url

    def lines(self, records: Sequence[Phone]) -> list[list[Cell]]:
        """One for each."""
        now = timezone.now()
        return [self._line(phone, now) for phone in records]

    def _line(self, phone: Phone, now: Any) -> list[Cell]:
        customer, state, there = phone.customer, selectors.state(phone, now), presence(phone, now)
        if phone.user is not None:
            url = f"{reverse('user_tab', args=[customer.slug, phone.user.number, 'phone'])}?phone={phone.mac}"
            person = person_cell(customer, phone.user)
        else:
            url = f"{reverse('phones', args=[customer.slug])}?{urlencode({'q': phone.mac})}"
            person = Cell("")
        return [
            customer_cell(customer),
            person,
            Cell(phone.mac_with_colons, url),
            Cell(phone.model_name),
            Cell(phone.firmware),
            Cell(state.sentence, tone=state.tone),
            Cell(there.sentence, tone=there.tone),
        ]

    def counted(self, actor: User, state: ListState) -> dict[str, dict[str, int]]:
        """Of what was asked for: one query."""
        now = timezone.now()
        is_away = Case(When(away(now), then=Value(True)), default=Value(False), output_field=BooleanField())
        groups = (
            Phone.objects.visible_to(actor)
            .annotate(doing=doing(now), away=is_away)
            .filter(state.condition())
            .order_by()
            .values_list("doing", "away", "model", "firmware")
            .annotate(count=Counted("pk"))
        )
        found: dict[str, Counter[str]] = defaultdict(Counter)
        for name, missing, model, firmware, count in groups:
            found["state"][name] += count
            found["model"][model] += count
            found["firmware"][firmware] += count
            if missing:
                found["presence"][AWAY] += count
        return {name: dict(values) for name, values in found.items()}

    def total(self, state: ListState, found: Mapping[str, Mapping[str, int]]) -> int | None:
        """Each of them is in one state."""
        return sum(found.get("state", {}).values())

    def counts(self, state: ListState, found: Mapping[str, Mapping[str, int]]) -> list[Counts]:
        """By state and presence, by model, by firmware; the most frequent first."""

        def table(title: Any, name: str, said: Any) -> Counts:
            values = sorted(found.get(name, {}).items(), key=lambda each: -each[1])
            return Counts(
                title, [self._count(state, name, value, said(value), count) for value, count in values]
            )

        states = [
            self._count(state, "state", name, label, found.get("state", {}).get(name, 0))
            for name, label in STATES.items()
        ]
        states.append(
            self._count(state, "presence", AWAY, PRESENCES[AWAY], found.get("presence", {}).get(AWAY, 0))
        )
        return [
            Counts(_("State"), states),
            table(_("Phone model"), "model", model_said),
            table(_("Firmware"), "firmware", lambda text: text or gettext("not known yet")),
        ]

    @staticmethod
    def _count(state: ListState, name: str, value: str, label: Any, count: int) -> Count:
        value = value or UNKNOWN
        current = state.chosen.get(name) == value
        return Count(label, count, state.url(**{name: None if current else value}), current)
