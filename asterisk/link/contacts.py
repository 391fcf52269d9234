"""Registered devices, written as a node tells of them: its whole list after a gap, and single lines afterwards, gathered.

Asterisk doesn't tell of a registration that is renewed: what it tells is that somebody proved who they are (`SuccessfulAuth`, of the class
"security"), with the line and the address. That is a sign of life of the device that came from there, and what isn't known yet is asked
(`devices`).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from django.db import IntegrityError, connection, transaction
from django.db.models import Q
from django.utils import timezone

from asterisk.link import desk_phones
from asterisk.link.events import say_once
from asterisk.link.told import LINE, Registered
from asterisk.models import Contact, Node
from asterisk.nodes import customers_of
from phones import presence
from users.models import User


# --- Whose line it is -----------------------------------------------------------------------------------------------
def people_of(node: int, lines: Collection[str]) -> dict[str, int]:
    """The person of each line that there is and that the node serves; the others are told once. One query for a thousand lines."""
    parts = {line: found.groups() for line in lines if (found := LINE.match(line))}
    known: dict[tuple[str, str], int] = {}
    wanted = sorted(parts.values())
    served = customers_of(node)
    for start in range(0, len(wanted), 1_000):
        part = wanted[start : start + 1_000]
        found_people = User.objects.filter(
            customer__in=served.filter(fqdn__in={host for _, host in part}),
            number__in={number for number, _ in part},
        )
        for number, host, key in found_people.order_by().values_list("number", "customer__fqdn", "pk"):
            known[number, host.lower()] = key
    for line, pair in parts.items():
        if pair not in known:
            say_once("line", line)
    return {line: known[pair] for line, pair in parts.items() if pair in known}


# --- Writing --------------------------------------------------------------------------------------------------------
def replace_all(node: int, told: Iterable[Registered]) -> list[str]:
    """Make the rows of the node what it tells; returns the lines that have devices."""
    told = list(told)
    return _write(node, told, Q())


def replace_lines(
    node: int, lines: Collection[str], told: Iterable[Registered], fresh: Collection[Registered] = ()
) -> None:
    """The same for these lines alone; `fresh` are those that registered just now."""
    people = people_of(node, lines)
    _write(node, [each for each in told if each.line in lines], Q(user__in=list(people.values())))
    heard(((people[each.line], each) for each in fresh if each.line in people), timezone.now())


def _write(node: int, told: Sequence[Registered], which: Q) -> list[str]:
    try:
        return _write_once(node, told, which)
    except IntegrityError:
        # Somebody of theirs was deleted at that moment.
        return _write_once(node, told, which)


def _write_once(node: int, told: Sequence[Registered], which: Q) -> list[str]:
    """What is there stays, with what is new of it; what isn't any more goes; what comes is added: four statements at most. Returns
    the lines of people that there are."""
    people = people_of(node, {each.line for each in told})
    wanted = {(people[each.line], each.uri): each for each in told if each.line in people}
    now = timezone.now()
    with transaction.atomic():
        # One at a time writes of a node; and a node that was removed meanwhile has nothing to write to. Whoever is being deleted, of whom
        # the node is to be told, may name it meanwhile.
        if not Node.objects.select_for_update(no_key=True).filter(pk=node).exists():
            return []
        there = {(row.user_id, row.uri): row for row in Contact.objects.filter(which, node=node)}
        gone = [row.pk for key, row in there.items() if key not in wanted]
        Contact.objects.filter(pk__in=gone).delete()
        changed = [
            row
            for key, row in there.items()
            if (new := wanted.get(key)) is not None and _takes_over(row, new)
        ]
        Contact.objects.bulk_update(changed, ["address", "user_agent", "expires_at"], batch_size=500)
        Contact.objects.bulk_create(
            [
                Contact(
                    node_id=node, user_id=user, uri=uri, address=new.address, user_agent=new.user_agent,
                    since=now, expires_at=new.expires,
                )
                for (user, uri), new in sorted(wanted.items()) if (user, uri) not in there
            ],
            batch_size=1_000, ignore_conflicts=True,
        )  # fmt: skip
    return sorted({each.line for each in wanted.values()})


def _takes_over(row: Contact, new: Registered) -> bool:
    before = (row.address, row.user_agent, row.expires_at)
    row.address, row.user_agent, row.expires_at = new.address, new.user_agent, new.expires
    return before != (row.address, row.user_agent, row.expires_at)


def renewed(node: int, told: Mapping[Registered, datetime]) -> None:
    """Devices that registered again, and until when: an UPDATE for all of them, and their phones are there."""
    people = people_of(node, {each.line for each in told})
    rows = [(people[each.line], each.uri, until) for each, until in told.items() if each.line in people]
    if connection.vendor == "postgresql" and rows:
        with connection.cursor() as cursor:
            cursor.execute(RENEWED, [*(list(column) for column in zip(*sorted(rows), strict=True)), node])
    else:
        for user, uri, until in rows:
            Contact.objects.filter(node=node, user=user, uri=uri).update(expires_at=until)
    heard(((people[each.line], each) for each in told if each.line in people), timezone.now())


RENEWED = """
WITH held AS (
  SELECT contact.id, told.until FROM asterisk_contact AS contact
  JOIN unnest(%s::bigint[], %s::text[], %s::timestamptz[]) AS told(person, uri, until) ON told.person = contact.user_id AND told.uri = contact.uri
  WHERE contact.node_id = %s ORDER BY contact.id FOR UPDATE OF contact)
UPDATE asterisk_contact AS contact SET expires_at = held.until FROM held WHERE contact.id = held.id
"""


def removed(node: int, told: Iterable[tuple[str, str]]) -> None:
    """Devices that are registered no more, by line and URI."""
    pairs = list(told)
    people = people_of(node, {line for line, _ in pairs})
    which = Q()
    for line, uri in pairs:
        if line in people:
            which |= Q(user=people[line], uri=uri)
    if which:
        Contact.objects.filter(which, node=node).delete()


def forget_expired() -> None:
    """Devices whose registration ended and of which no node said so."""
    Contact.objects.filter(expires_at__lt=timezone.now() - timedelta(seconds=90)).delete()


def heard(devices: Iterable[tuple[int, Registered]], now: datetime) -> None:
    """Note a sign of life of the phones among these devices."""
    known = [desk_phones.Device(user, each.user_agent, each.host) for user, each in devices]
    if macs := desk_phones.macs_of(known):
        presence.heard_from(dict.fromkeys(macs.values(), now))
