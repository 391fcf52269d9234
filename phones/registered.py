"""Which devices of a person are registered at the phone system: what follows registrations makes itself known here."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from django.db.models import Value
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


@dataclass(frozen=True)
class Brief:
    """That something is registered of somebody who has no phone in the portal: whether it is an `app`, or another device of their own;
    `current`: whether that is so now, or was when the phone system was last heard."""

    app: bool
    current: bool

    @property
    def tone(self) -> str:
        """As states are drawn."""
        return "ok" if self.current else "off"

    @property
    def sentence(self) -> str:
        """In words."""
        if self.app:
            return _("app registered") if self.current else _("app registered, as last known")
        return _("device registered") if self.current else _("device registered, as last known")


class Source(Protocol):
    """What follows registrations; each of its answers takes a constant number of queries."""

    def of(self, person: User) -> Registered:
        """The registered devices of a person."""

    def with_app(self, people: Collection[int]) -> Collection[int]:
        """Of these people (keys) those of whom something is registered now that is no desk phone."""

    def read(self) -> Any:
        """What a query over people reads along with each of them for `in_brief`."""

    def in_brief(self, value: Any) -> Brief | None:
        """What that means: of somebody of whom nothing is registered, nothing."""


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


class BesidePhones:
    """What a query over people reads for `in_brief`; asked of what follows registrations once the query is made."""

    def resolve_expression(self, *args: Any, **kwargs: Any) -> Any:
        """As Django's expressions have it."""
        found = _known[0].read() if _known else Value("")
        return found.resolve_expression(*args, **kwargs)


def in_brief(people: Iterable[User]) -> dict[Any, Brief]:
    """What is registered of these people, by their keys: no query where they were read along with `BesidePhones` as `beside_phones`, else one."""
    people = list(people)
    if not _known:
        return {}
    read = {person.pk: vars(person).get("beside_phones") for person in people}
    if any("beside_phones" not in vars(person) for person in people):
        found = User.objects.filter(pk__in=read).order_by()
        read = dict(found.annotate(beside_phones=BesidePhones()).values_list("pk", "beside_phones"))
    return {key: brief for key, value in read.items() if (brief := _known[0].in_brief(value))}


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
