"""Which devices of a person are registered at the phone system: what follows registrations makes itself known here."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from pbxadmin.common.columns import Text
from phones import selectors
from users.models import Customer, User


@dataclass(frozen=True)
class Device:
    """One device: from where it registered, what it says it is, since when it is known, and which phone of the person it certainly is
    (its MAC; "" for an app, or where that isn't certain)."""

    address: str
    user_agent: str
    since: datetime
    phone: str = ""


@dataclass(frozen=True)
class Registered:
    """What is known of a person's devices. `sentence` says what isn't; `current`: whether the devices are those of this moment."""

    devices: tuple[Device, ...]
    current: bool
    sentence: Text = ""


class Source(Protocol):
    """What follows registrations; each of its answers takes a constant number of queries."""

    def of(self, person: User) -> Registered:
        """The registered devices of a person."""

    def with_app(self, people: Collection[int]) -> Collection[int]:
        """Of these people (keys) those of whom something is registered now that is no desk phone."""


_known: list[Source] = []


def register(source: Source) -> None:
    """Make known what follows registrations."""
    _known[:] = [source]


def of(person: User) -> Registered:
    """The registered devices of a person."""
    if not _known:
        return Registered((), False, _("No phone system is connected to the portal yet."))
    return _known[0].of(person)


def with_app(people: Collection[int]) -> Collection[int]:
    """Of these people (keys) those who have an app, or another device of their own, registered beside their phones."""
    return _known[0].with_app(people) if _known and people else ()


def facts(actor: User, customer: Customer, person: User, shown: str = "") -> dict[str, Any]:
    """What `phones/devices.html` takes, for an actor who sees this person; `shown`: the MAC of the phone whose page it is."""
    known = of(person)
    phones = {phone.mac: phone for phone in selectors.phones_of(actor, customer, person)}
    shown = shown if shown in phones else ""
    return {
        "customer": customer,
        "person": person,
        "known": known,
        "shown": shown,
        "devices": [
            (each, phones.get(each.phone), bool(shown) and each.phone == shown) for each in known.devices
        ],
    }


def panel(actor: User, customer: Customer, person: User, shown: str = "") -> str:
    """The same as a panel of a tab."""
    return render_to_string("phones/devices_panel.html", facts(actor, customer, person, shown))
