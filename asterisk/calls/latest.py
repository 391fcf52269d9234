"""The latest calls of a person: those of thirty days, and the people whom they name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from asterisk.calls import words
from asterisk.models import CallParty, CallRecord
from pbxadmin.common.columns import Text
from pbxadmin.common.fields import phone_number_national
from pbxadmin.common.keyset import Places
from pbxadmin.common.listing import Filter, Shape
from pbxadmin.common.values import tolls
from users.models import SystemExtension, User

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


def lines_of(keys: Sequence[int], customer: int) -> list[Line]:
    """The lines of these parts of calls, in their order: three queries."""
    parties = {
        party.pk: party
        for party in CallParty.objects.filter(pk__in=keys).select_related("call").defer("call__planned")
    }
    named = names_of([party.call for party in parties.values()], customer)
    now = timezone.now()
    return [_line(parties[key], named, now) for key in keys if key in parties]


Names = dict[str, str]


def names_of(calls: Sequence[CallRecord], customer: int) -> Names:
    """What the extensions of these calls are called now: two queries."""
    numbers = {number for call in calls for number in (call.from_extension, call.dialled, call.answered_by)}
    numbers = {number for number in numbers if number.isdecimal() and len(number) <= 5}
    people = User.objects.filter(customer=customer, number__in=numbers).only(
        "number", "first_name", "last_name"
    )
    found = dict(
        SystemExtension.objects.filter(customer=customer, number__in=numbers).values_list("number", "name")
    )
    return found | {person.number: person.full_name for person in people}


def _line(party: CallParty, named: Names, now: datetime) -> Line:
    call = party.call
    number = call.dialled if party.calling else caller_of(call)
    tone, outcome = words.outcome_for(party, now)
    return Line(
        call.pk, call.at, party.calling, said(number, named), number if number in named else "", tone, outcome,
        words.spoken(call.seconds),
    )  # fmt: skip


def caller_of(call: CallRecord) -> str:
    """Who called: an extension, a number in E.164, or "" for a withheld one."""
    return call.from_extension or call.from_number


def said(number: str, named: Names) -> str:
    """An extension by its name, a number as people write it."""
    if not number:
        return _("Withheld number")
    outside = number if number.startswith("+") else tolls.as_dialled(number)
    return named.get(number) or (phone_number_national(outside) if outside else number)
