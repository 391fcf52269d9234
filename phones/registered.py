"""Which devices of a person are registered at the phone system: what follows registrations makes itself known here."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from pbxadmin.common.columns import Text
from users.models import User


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


_known: list[Callable[[User], Registered]] = []


def register(source: Callable[[User], Registered]) -> None:
    """Make known what follows registrations; it asks a constant number of queries."""
    _known[:] = [source]


def of(person: User) -> Registered:
    """The registered devices of a person."""
    if not _known:
        return Registered((), False, _("No phone system is connected to the portal yet."))
    return _known[0](person)
