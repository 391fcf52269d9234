"""A customer's phones at a glance: how many are up to date, under way, silent."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Case, CharField, Count, F, Q, QuerySet, Value, When
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy, ngettext

from pbxadmin.common.columns import Text
from phones.models import Phone
from phones.presence import away
from phones.selectors import FETCH_EXPECTED, RESTART_EXPECTED, SENDING_LASTS
from users import rights
from users.models import Customer, User

Outcome = Phone.Outcome

# How phones may be doing, by name; each is in one of these.
STATES: dict[str, Text] = {
    "silent": gettext_lazy("Silent"),
    "waiting": gettext_lazy("Waiting"),
    "never": gettext_lazy("Never connected"),
    "current": gettext_lazy("Up to date"),
    "off": gettext_lazy("Without configuration"),
    "stock": gettext_lazy("In stock"),
}
# Whether they are there, by name: those that ought to be and aren't, whichever state they are in.
AWAY = "away"
PRESENCES: dict[str, Text] = {AWAY: gettext_lazy("Not seen")}


@dataclass(frozen=True)
class Tile:
    """One number of the home page, as a state is drawn, and the list of what it counts."""

    count: int
    kind: str
    text: str
    url: str


def doing(now: datetime) -> Case:
    """How a phone is doing, as a column of the database: decided in the order of `selectors.state`, which says it in words."""
    changed, told = Q(stale_since__isnull=False), Q(attempts__gt=0, notified_at__isnull=False)
    accepted = Q(outcome=Outcome.ACCEPTED)
    restarting = Q(notified_command=Phone.Command.RESTART, notified_at__gt=F("fetched_at"))
    return Case(
        When(user=None, then=Value("stock")),
        When(Q(user__disabled=True) | Q(user__customer__suspended=True), then=Value("off")),
        When(fetched_at=None, then=Value("never")),
        When(command_at__isnull=False, then=Value("waiting")),
        When(changed & ~told, then=Value("waiting")),
        When(changed & accepted & Q(notified_at__gt=now - FETCH_EXPECTED), then=Value("waiting")),
        When(changed, then=Value("silent")),
        When(
            restarting & Q(outcome=Outcome.WAITING, notified_at__gte=now - SENDING_LASTS),
            then=Value("waiting"),
        ),
        When(restarting & accepted & Q(notified_at__gt=now - RESTART_EXPECTED), then=Value("waiting")),
        When(restarting, then=Value("silent")),
        default=Value("current"),
        output_field=CharField(),
    )


def phones_in_sight(actor: User, customer: Customer) -> "QuerySet[Phone]":
    """The phones of whom `actor` administers, and those in stock for whoever acts on the whole customer."""
    people = User.objects.visible_to(actor).of(customer).filter(rights.administered_by(actor))
    condition = Q(user__in=people)
    if rights.acts_on_whole_customer(actor):
        condition |= Q(user=None)
    return Phone.objects.visible_to(actor).of(customer).filter(condition)


def present(now: datetime, name: str) -> Q:
    """The condition that a name of `PRESENCES` means; nothing for any other."""
    return away(now) if name == AWAY else Q(pk__in=[])


def counted(
    phones: "QuerySet[Phone]", now: datetime, in_presence: Q | None = None, in_state: Q | None = None
) -> dict[str, int]:
    """How many of these phones are in each state, and how many aren't there: one query.

    Each state counts the phones of `in_presence` alone, each presence those of `in_state`.
    """
    states = {name: Count("pk", filter=Q(doing=name) & (in_presence or Q())) for name in STATES}
    presences = {name: Count("pk", filter=present(now, name) & (in_state or Q())) for name in PRESENCES}
    found: dict[str, Any] = phones.order_by().alias(doing=doing(now)).aggregate(**states, **presences)
    return found


def tiles(actor: User, customer: Customer) -> list[Tile]:
    """The phones of whom `actor` administers, by state, each leading to those that it counts: one query."""
    counts = counted(phones_in_sight(actor, customer), timezone.now())
    address = reverse("phones", args=[customer.slug])
    current, waiting, silent, never = (counts[name] for name in ("current", "waiting", "silent", "never"))
    return [
        Tile(
            current,
            "ok",
            ngettext("phone up to date", "phones up to date", current),
            f"{address}?state=current",
        ),
        Tile(
            waiting, "wait", ngettext("phone waiting", "phones waiting", waiting), f"{address}?state=waiting"
        ),
        Tile(
            silent,
            "bad",
            ngettext("phone without an answer", "phones without an answer", silent),
            f"{address}?state=silent",
        ),
        Tile(
            never,
            "wait",
            ngettext("phone never connected", "phones never connected", never),
            f"{address}?state=never",
        ),
        Tile(
            counts[AWAY],
            "bad",
            ngettext("phone not seen", "phones not seen", counts[AWAY]),
            f"{address}?presence={AWAY}",
        ),
    ]
