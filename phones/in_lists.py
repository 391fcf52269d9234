"""Phones in the list of users: the columns that they add to it, and people sought by the MAC of their phone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Min, Q
from django.utils.translation import gettext_lazy as _

from pbxadmin.common.contributions import ListColumn
from pbxadmin.common.keyset import Key
from pbxadmin.common.values.signs import plainly
from phones import registered, selectors
from phones.models import Phone
from phones.presence import in_brief
from phones.settings.columns import HEX, SEPARATORS
from users.models import User


def search_by_mac(text: str) -> Q:
    """People by a part of the MAC of their phone, at least four digits of it."""
    digits = SEPARATORS.sub("", plainly(text).strip()).lower()
    if not 4 <= len(digits) <= 12 or not HEX.match(digits):
        return Q(pk__in=[])
    return Q(pk__in=Phone.objects.filter(mac__contains=digits, user__isnull=False).values("user"))


@dataclass(frozen=True)
class Listed:
    """A phone as the list of users shows it; without a `model`, what is registered of whoever has no phone."""

    model: str
    state: selectors.PhoneState | registered.Brief


def phones_in_list(people: Sequence[User]) -> dict[Any, list[Listed]]:
    """The phones of everybody on a page of the list, with how they are doing, and what is registered of whoever has none: one query."""
    found: dict[Any, list[Listed]] = {}
    for phone in selectors.light(Phone.objects.filter(user__in=[person.pk for person in people])).order_by(
        "pk"
    ):
        found.setdefault(phone.user_id, []).append(Listed(selectors.model_of(phone).name, in_brief(phone)))
    without = [person for person in people if person.pk not in found]
    return found | {key: [Listed("", brief)] for key, brief in registered.in_brief(without).items()}


def macs_in_list(people: Sequence[User]) -> dict[Any, str]:
    """The MAC addresses of everybody's phones, as they are printed: one query."""
    found: dict[Any, list[str]] = {}
    for phone in (
        Phone.objects.filter(user__in=[person.pk for person in people]).only("user", "mac").order_by("mac")
    ):
        found.setdefault(phone.user_id, []).append(phone.mac_with_colons)
    return {user: ", ".join(macs) for user, macs in found.items()}


LISTED = (
    ListColumn(
        "phones",
        _("Phones"),
        template="phones/cell.html.j2",
        facts=phones_in_list,
        reads={"beside_phones": registered.BesidePhones()},
        order=(Key(Min("phones__model"), blank=True),),
        usual=True,
        css="phones-cell",
    ),
    ListColumn(
        "mac",
        _("MAC addresses"),
        facts=macs_in_list,
        order=(Key(Min("phones__mac"), blank=True),),
        css="digits",
    ),
)
