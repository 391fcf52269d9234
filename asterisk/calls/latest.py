"""The latest calls of a person: those of thirty days, and the people whom they name."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy, pgettext_lazy

from asterisk.calls import words
from asterisk.calls.became import Became, all_became
from asterisk.calls.naming import Names, caller_of, names_of, said
from asterisk.models import CallParty
from pbxadmin.common.columns import Text
from pbxadmin.common.keyset import Places
from pbxadmin.common.listing import Filter, Shape
from users.models import User

KEPT = timedelta(days=30)
NEWEST_FIRST = Places(("at", "id"), backwards=True)
WHICH: Mapping[str, tuple[Text, Q]] = {
    "missed": (pgettext_lazy("calls", "Missed"), Q(missed=True)),
    "in": (gettext_lazy("Incoming"), Q(calling=False)),
    "out": (gettext_lazy("Outgoing"), Q(calling=True)),
}
SHAPE = Shape(
    filters=[
        Filter(
            "which",
            gettext_lazy("Calls"),
            lambda value: WHICH[value][1] if value in WHICH else Q(pk__in=[]),
            lambda: [(value, label) for value, (label, _condition) in WHICH.items()],
            flat=True,
        )
    ]
)


@dataclass(frozen=True)
class Line:
    """One call as the list of a person shows it."""

    key: int
    at: datetime
    outgoing: bool
    who: str  # the other side: a name, or a number
    number: str  # the extension of whoever has a name
    tone: str
    outcome: str
    length: str


def parties_of(reader: User, person: User) -> "QuerySet[CallParty]":
    """The calls of a person that are kept, for a reader who sees them."""
    since = timezone.now() - KEPT
    return CallParty.objects.visible_to(reader).filter(user=person, at__gt=since)


# Of these extensions those whose settings the reader may see.
Seen = Callable[[Collection[str]], Collection[str]]


def lines_of(keys: Sequence[int], person: User, seen: Seen) -> list[Line]:
    """The lines of these parts of a person's calls, in their order: three queries, and those of `seen`."""
    parties = {party.pk: party for party in CallParty.objects.filter(pk__in=keys).select_related("call")}
    became = all_became([party.call for party in parties.values()])
    known = {key: became[party.call_id] for key, party in parties.items()}
    theirs = seen({extension for each in known.values() for extension in each.rules_of})
    known = {key: each.seen(theirs) for key, each in known.items()}
    customer: Any = person.customer_id  # whoever has an extension has one
    named = names_of(
        [party.call for party in parties.values()],
        customer,
        {number for each in known.values() for number in (each.taker, each.mailbox)},
    )
    now = timezone.now()
    return [_line(parties[key], person.number, known[key], named, now) for key in keys if key in parties]


def _line(party: CallParty, person: str, known: Became, named: Names, now: datetime) -> Line:
    call = party.call
    number = call.dialled if party.calling else caller_of(call)
    tone, outcome = words.outcome_for(party, person, known, named, now)
    return Line(
        call.pk, call.at, party.calling, said(number, named), number if number in named else "", tone, outcome,
        words.spoken(call.seconds),
    )  # fmt: skip
