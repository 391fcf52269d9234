"""Devices that are to be registered at a node no more: their line has another secret, or is nobody's.

Asterisk's manager interface can't remove a registration, ARI can. Where it doesn't answer the devices are noted, each with the end of its
registration, and tried again every `AGAIN` seconds: until it is done, or there is nothing to be done any more: it ended, or was renewed by
whoever knows the secret of now (the node had forgotten the former one before).
"""

import asyncio
import logging
from collections.abc import Collection, Sequence
from datetime import timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from asterisk.ami.client import Client
from asterisk.ami.protocol import Message
from asterisk.link import ari, database
from asterisk.link.leases import Held
from asterisk.link.status import REFUSES, SAYS_NOTHING
from asterisk.models import Errand, Node

logger = logging.getLogger("pbxadmin.link")

AGAIN = 5.0  # seconds
# No registration is longer than an hour; of one of which the node says no end nothing is tried for longer.
BOUND = timedelta(minutes=70)


async def drop(client: Client, held: Held, lines: Collection[str]) -> None:
    """Have these lines' devices be registered no more; what can't be done now is noted."""
    dropped = frozenset(lines)
    listed = await client.listing("PJSIPShowContacts")
    devices = [_device(each) for each in listed if each.get("Endpoint") in dropped]
    if trouble := await _try(held, devices):
        await database.insist(note, held.pk, devices, trouble)


async def drop_those_left(client: Client, held: Held) -> bool:
    """Try again; whether some are left."""
    if not (noted := await database.insist(left, held.pk)):
        return False
    there = {_device(each) for each in await client.listing("PJSIPShowContacts")}
    trouble = await _try(held, sorted(there.intersection(noted)))
    over = set(noted) - there if trouble else set(noted)
    return await database.insist(settle, held.pk, over, trouble)


def _device(message: Message) -> str:
    until = message.get("ExpirationTime") or message.get("RegExpire")
    return f"{message.get('ObjectName')} {until}"


async def _try(held: Held, devices: Sequence[str]) -> str:
    """Why it couldn't be done; "" where it was."""
    try:
        await asyncio.to_thread(ari.drop, held, [each.rpartition(" ")[0] for each in devices])
    except OSError as error:
        logger.warning("%r: devices stay registered that shouldn't: %s", held, error)
        return REFUSES if str(error).startswith(("401", "403")) else SAYS_NOTHING
    return ""


# --- In the tables ----------------------------------------------------------------------------------------------------
def note(node: int, devices: Collection[str], trouble: str) -> None:
    """These are left."""
    waits = set(left(node))
    rows = [
        Errand(node_id=node, kind=Errand.Kind.LEFT, subject=each) for each in sorted(set(devices) - waits)
    ]
    with transaction.atomic():
        Errand.objects.bulk_create(rows)
        Node.objects.filter(pk=node).update(ari_trouble=trouble)


def left(node: int) -> list[str]:
    """The devices that are left at a node."""
    return list(_left(node).order_by("pk").values_list("subject", flat=True))


def settle(node: int, over: Collection[str], trouble: str) -> bool:
    """With these it is over; whether others are left."""
    _left(node).filter(subject__in=over).delete()
    _left(node).filter(created_at__lt=timezone.now() - BOUND).delete()
    remain = _left(node).exists()
    Node.objects.filter(pk=node).update(ari_trouble=trouble if remain else "")
    return remain


def _left(node: int) -> "QuerySet[Errand]":
    return Errand.objects.filter(node=node, kind=Errand.Kind.LEFT)
