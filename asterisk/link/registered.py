"""The registered devices of a person for their pages, and how far what is known of them is true now."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Case, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Concat
from django.utils import timezone
from django.utils.translation import gettext as _

from asterisk.link import away, desk_phones
from asterisk.link.status import status
from asterisk.models import Contact, Node
from asterisk.nodes import connected
from pbxadmin.common.clock import moment_in_zone
from phones.registered import Brief, Device, Registered
from phones.vendors import identify
from users.models import User


def of(person: User) -> Registered:
    """What nodes tell of a person's devices: four queries at most."""
    now = timezone.now()
    company: Any = person.customer  # nobody else has devices
    links = {node.pk: status(node, now) for node in away.nodes_of(company)}
    if not links:
        return Registered(
            (), False, _("No phone system is connected to the portal yet: what is registered isn't known.")
        )
    known = Q(expires_at=None) | Q(expires_at__gt=now)
    gone = [link for link in links.values() if not link.healthy]
    # Of a node that can't be heard the last that it said counts: nothing ends there for us.
    silent = [key for key, link in links.items() if not link.healthy]
    contacts = list(Contact.objects.filter(known | Q(node__in=silent), user=person).order_by("since", "pk"))
    devices = _devices(contacts)
    if not gone:
        return Registered(devices, True)
    since = max((link.since for link in gone if link.since), default=None)
    return Registered(devices, False, _sentence(since, person, now, everything=len(gone) == len(links)))


def with_app(people: Collection[int]) -> set[int]:
    """Of these people those of whom something is registered that no maker of desk phones makes: one query."""
    there = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
    rows = Contact.objects.filter(there, user__in=people).order_by().values_list("user", "user_agent")
    return {person for person, agent in rows if identify(agent) is None}


# Before what a device says it is, in what `read` reads: whether that is so now, or was when its node was last heard.
NOW, THEN = "+", "-"


def read() -> Subquery:
    """One device of each person: whether it is there now, then what it says it is; NULL where nothing is registered."""
    now = timezone.now()
    heard = Q(node__in=Node.objects.filter(connected(now)).values("pk"))
    there = Q(expires_at=None) | Q(expires_at__gt=now)
    current = Case(When(heard, then=Value(NOW)), default=Value(THEN))
    # Of a node that can't be heard the last that it said counts.
    found = Contact.objects.filter(there | ~heard, user=OuterRef("pk")).annotate(current=current)
    return Subquery(found.order_by("current", "pk").values(said=Concat("current", "user_agent"))[:1])


def in_brief(value: str | None) -> Brief | None:
    """What was read so."""
    return Brief(identify(value[1:]) is None, value.startswith(NOW)) if value else None


def _sentence(since: datetime | None, person: User, now: datetime, *, everything: bool) -> str:
    if since is None and everything:
        return _("The phone system isn't connected: what is registered isn't known.")
    if since is None:
        return _("A part of the phone system isn't connected: something may be registered there.")
    when = {"when": moment_in_zone(since, person.time_zone, now)}
    if everything:
        return _("The phone system isn't connected: what is registered isn't known since %(when)s.") % when
    return (
        _("A part of the phone system isn't connected: what is registered there isn't known since %(when)s.")
        % when
    )


def _devices(contacts: Sequence[Contact]) -> tuple[Device, ...]:
    said = {row.pk: desk_phones.Device(row.user_id, row.user_agent, _host(row.address)) for row in contacts}
    macs = desk_phones.macs_of(said.values())
    return tuple(
        Device(row.address, row.user_agent, row.since, macs.get(said[row.pk], "")) for row in contacts
    )


def _host(address: str) -> str:
    return address.rpartition(":")[0].strip("[]")
