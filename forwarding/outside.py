"""Rules that send calls out of the house: to an outside number, or to somebody's mobile; where to, since when and by whom."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet, TextField
from django.db.models.functions import Cast

from forwarding.models import ForwardingRule, names_mobile, names_number
from forwarding.tabs.rules import DESTINATIONS, RING_MOBILE, column_label
from pbxadmin.common.columns import Text
from pbxadmin.common.destination_field import DestinationField
from pbxadmin.common.values.destinations import Kind
from users.models import Change, User
from users.models.history import changes_since

COLUMNS = tuple(
    field.name for field in ForwardingRule._meta.concrete_fields if isinstance(field, DestinationField)
)
# Written together with the choice for busy calls, under whose name the history has both.
TOLD_AS = {name: name.replace("not_registered", "busy") for name in COLUMNS}
# What is abroad of here, as a regular expression of a number in E.164: anything but +1, and the countries that share it.
ABROAD = r"\+([2-9]|1(242|246|264|268|284|345|441|473|649|658|664|721|758|767|784|809|829|849|868|869|876))"


@dataclass(frozen=True)
class Lead:
    """A number to which a rule sends calls, and by which columns of the person's record it does."""

    number: str  # E.164
    columns: tuple[str, ...]  # as the history names them: "away.divert_external"
    mobile: bool  # the person's own

    @property
    def ways(self) -> list[Text]:
        """Each of the columns in words: "Away · Forward external calls to"."""
        return [column_label(name) for name in self.columns]


def _has_mobile() -> Q:
    return ~Q(user__mobile="")


def to_mobile() -> Q:
    """The rules that send some calls to the person's mobile, or ring it along, where there is one."""
    return names_mobile() & _has_mobile()


def leads_outside() -> Q:
    """The rules by which some calls leave the house. Said of the rule alone first: of these there is an index (`rule_outside`)."""
    return (names_number() | names_mobile()) & (names_number() | _has_mobile())


def leads_abroad() -> Q:
    """Those of which some calls leave for another country than Canada and the United States."""
    condition = to_mobile() & Q(user__mobile__regex=f"^{ABROAD}")
    for name in COLUMNS:
        condition |= Q(**{f"{name}__regex": f"^{Kind.EXTERNAL}:{ABROAD}"})
    return condition


def in_force() -> Q:
    """The rules of the status that their person has now."""
    return Q(status=F("user__status"))


def leads_of(rule: ForwardingRule) -> list[Lead]:
    """Every number outside to which this rule (with its person) sends calls, each once."""
    found: dict[tuple[str, bool], dict[str, None]] = defaultdict(dict)
    mobile = rule.user.mobile
    for name in COLUMNS:
        destination = getattr(rule, name)
        said = f"{rule.status}.{TOLD_AS[name]}"
        if destination.kind is Kind.EXTERNAL:
            found[destination.value, False][said] = None
        elif destination.kind is Kind.MOBILE and mobile:
            found[mobile, True][said] = None
    if rule.ring_mobile and mobile:
        found[mobile, True][f"{rule.status}.ring_mobile"] = None
    return [
        Lead(number, tuple(name for name in names if name in DESTINATIONS or name in RING_MOBILE), own)
        for (number, own), names in found.items()
    ]


# --- Since when, and by whom ---------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Since:
    """When something became as it is, and by whom."""

    at: datetime
    who: str


def history_of(keys: Collection[int]) -> dict[tuple[int, str], Since]:
    """When each forwarding column, and the mobile number, of these people was last changed: one query. {(person, column): since}"""
    changes = Change.objects.filter(model=User._meta.label_lower, object_pk__in=keys)
    return latest_of(changes.order_by("-id"))


def latest_of(changes: Any) -> dict[tuple[int, str], Since]:
    """The same of some rows of the history, the newest first."""
    found: dict[tuple[int, str], Since] = {}
    rows = changes.values_list("object_pk", "cells", "operation__at", "operation__actor_name")
    for key, cells, at, who in rows.iterator(chunk_size=2_000):
        for cell in cells:
            name = cell["column"]
            if name == "mobile" or name in DESTINATIONS or name in RING_MOBILE:
                found.setdefault((key, name), Since(at, who))
    return found


def since(
    user: int, leads: Iterable[Lead], history: Mapping[tuple[int, str], Since]
) -> dict[Lead, Since | None]:
    """Since when each of these leads of a person is so; None where the history doesn't tell. A mobile is also as new as its number."""
    found: dict[Lead, Since | None] = {}
    for lead in leads:
        names: Sequence[str] = (*lead.columns, "mobile") if lead.mobile else lead.columns
        told = [each for name in names if (each := history.get((user, name)))]
        found[lead] = max(told, key=lambda each: each.at, default=None)
    return found


# --- What is new ---------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class News:
    """Somebody whose calls lead outside since lately: by which column, where to (E.164; "" for their own mobile), since when."""

    user: int
    column: str
    number: str
    since: Since


def about_forwarding() -> Q:
    """The rows of the history that may tell of it, out of all that is about people: read off their text, before anything is parsed."""
    return Q(text__contains="_external") | Q(text__contains="_internal") | Q(text__contains="mobile")


def with_text(changes: "QuerySet[Change]") -> "QuerySet[Change]":
    """Rows of the history with what `about_forwarding` asks of, and whether each one's person has a mobile, and calls that lead there."""
    person = User.objects.filter(pk=OuterRef("object_pk"))
    leads = ForwardingRule.objects.filter(to_mobile(), user=OuterRef("object_pk"))
    return changes.alias(text=Cast("cells", TextField())).annotate(
        has_mobile=Exists(person.exclude(mobile="")), leads_to_mobile=Exists(leads), is_there=Exists(person)
    )


def news_of(changes: "Iterable[Change]") -> list[News]:
    """What these rows of the history (from `with_text`, with their operations, the newest first) say that leads outside since then.

    What a column was given last is what it has now. No query.
    """
    seen: set[tuple[int, str]] = set()
    found = []
    for change in changes:
        for cell in change.cells:
            name = cell["column"]
            if (change.object_pk, name) in seen:
                continue
            number = _leads(name, cell["new"], change)
            if number is None and name not in DESTINATIONS and name not in RING_MOBILE and name != "mobile":
                continue
            seen.add((change.object_pk, name))
            if number is not None and change.is_there:  # type: ignore[attr-defined]  # annotated
                said = Since(change.operation.at, change.operation.actor_name)
                found.append(News(change.object_pk, name, number, said))
    return found


def _leads(name: str, new: Any, change: Any) -> str | None:
    """Where this new value of a column sends calls outside: a number, "" for the mobile, None for nowhere."""
    if name == "mobile":
        return "" if new and change.leads_to_mobile else None
    if name in RING_MOBILE:
        return "" if new and change.has_mobile else None
    if name not in DESTINATIONS or not isinstance(new, str):
        return None
    kind, _colon, rest = new.partition(":")
    if kind == Kind.EXTERNAL:
        return rest.partition("?")[0]
    return "" if kind.partition("?")[0] == Kind.MOBILE and change.has_mobile else None


def news_since(moment: datetime) -> list[News]:
    """What leads outside since that moment or later, the latest first: one query."""
    changes = changes_since(moment).filter(model=User._meta.label_lower)
    told = with_text(changes).filter(about_forwarding())
    return news_of(told.select_related("operation").order_by("-id"))


def rules_of(news: Iterable[News]) -> Q:
    """The condition over rules that they are those of which this is told."""
    by_status: dict[str, set[int]] = defaultdict(set)
    mobiles: set[int] = set()
    for each in news:
        if each.column == "mobile":
            mobiles.add(each.user)
        else:
            by_status[each.column.partition(".")[0]].add(each.user)
    condition = to_mobile() & Q(user__in=mobiles)
    for status, people in by_status.items():
        condition |= Q(status=status, user__in=people)
    return condition
