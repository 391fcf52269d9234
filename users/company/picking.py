"""A customer picked by typing a part of its name, for support staff, who have hundreds of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, Q, QuerySet, Value, When

from pbxadmin.common.searching import anywhere
from users.models import Customer, User

# Among how many one is chosen at a glance.
FEW = 8
LONGEST = 100
# The lists over all customers where whoever searches goes on: {kind: address}. The desk, which has them, fills it.
LISTS: dict[str, Callable[[], str]] = {}


def typed(parameters: Mapping[str, Any], name: str) -> str:
    """What was typed, or chosen, under that name in an address."""
    return str(parameters.get(name, "")).replace("\0", "").strip()[:LONGEST]


def named_by(text: str) -> Q:
    """The condition over customers that a text means: those whose name, host name or address in the portal hold every word of it."""
    return anywhere(Customer, ["search_text"], text)


@dataclass(frozen=True)
class Meant:
    """Who is meant by what was typed: one, several, or nobody. One query, whichever it is."""

    text: str
    few: Sequence[Customer]  # the first of them
    more: bool  # whether there are others

    @property
    def one(self) -> Customer | None:
        """The only one that is meant: by its address in the portal, or because no other is called so."""
        exact = [each for each in self.few if each.slug == self.text]
        return (exact or self.few)[0] if self.text and (exact or len(self.few) == 1) else None


def meant(actor: User, text: str, most: int = FEW) -> Meant:
    """Whom `text` means of those that the actor sees; without a text the first in their order."""
    found: QuerySet[Customer] = Customer.objects.visible_to(actor)
    if text:
        # Whose address it is comes first, so that it is among the few.
        own = Case(When(slug=text, then=Value(0)), default=Value(1))
        found = found.filter(Q(slug=text) | named_by(text)).order_by(own, "sort_name", "pk")
    rows = list(found[: most + 1])
    return Meant(text, rows[:most], len(rows) > most)
