"""A customer's phones at a glance: how many are up to date, under way, silent."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Q
from django.utils import timezone
from django.utils.translation import ngettext

from phones.models import Phone
from phones.selectors import FETCH_EXPECTED
from users import rights
from users.models import Customer, User

Outcome = Phone.Outcome


@dataclass(frozen=True)
class Tile:
    """One number of the home page, as a state is drawn."""

    count: int
    kind: str
    text: str


def silent(now: datetime) -> Q:
    """Phones that were told and gave no sign within the time in which one does: as `selectors.state` says "silent"."""
    told = Q(stale_since__isnull=False, attempts__gt=0, command_at=None)
    unanswered = Q(outcome__in=[Outcome.REFUSED, Outcome.SILENT, Outcome.UNREACHABLE])
    return told & (unanswered | Q(outcome=Outcome.ACCEPTED, notified_at__lt=now - FETCH_EXPECTED))


def tiles(actor: User, customer: Customer) -> list[Tile]:
    """The phones in use by whom `actor` administers, by state: one query."""
    people = User.objects.visible_to(actor).of(customer).filter(rights.administered_by(actor), disabled=False)
    in_use = Phone.objects.visible_to(actor).of(customer).filter(user__in=people)
    never = Q(fetched_at=None)
    is_silent = silent(timezone.now()) & ~never
    current = Q(stale_since=None, command_at=None) & ~never
    counts: dict[str, Any] = in_use.order_by().aggregate(
        current=Count("pk", filter=current),
        never=Count("pk", filter=never),
        silent=Count("pk", filter=is_silent),
        all=Count("pk"),
    )
    waiting = counts["all"] - counts["current"] - counts["never"] - counts["silent"]
    return [
        Tile(counts["current"], "ok", ngettext("phone up to date", "phones up to date", counts["current"])),
        Tile(waiting, "wait", ngettext("phone waiting", "phones waiting", waiting)),
        Tile(
            counts["silent"],
            "bad",
            ngettext("phone without an answer", "phones without an answer", counts["silent"]),
        ),
        Tile(
            counts["never"],
            "wait",
            ngettext("phone never connected", "phones never connected", counts["never"]),
        ),
    ]
