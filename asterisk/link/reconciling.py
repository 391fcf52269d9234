"""What a node is asked after a gap, because its events of that time are lost: release, devices, states, messages, and what calls kept."""

import logging
from collections.abc import Collection, Sequence
from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from asterisk.ami.client import ActionError, Client
from asterisk.ami.protocol import Message, UnsafeActionError
from asterisk.asked import trunk_rows
from asterisk.calls import ended
from asterisk.link import contacts, database, errands, events
from asterisk.link.told import Registered, of_message
from asterisk.mailboxes.names import Box
from asterisk.models import Node
from voicemail.models import Mailbox

logger = logging.getLogger("pbxadmin.link")

# Where the dialplan keeps what it couldn't tell.
KEPT = "pbxcalls"
KEPT_AS = "PbxCall"
# Entries of it that are taken together, and mailboxes.
PART = 200
# Calls that began within this may have done so after the node was asked, by another clock.
JUST_BEGUN = timedelta(seconds=1)


async def devices(client: Client) -> list[Registered]:
    """All registered devices of the node."""
    listed = await client.listing("PJSIPShowContacts")
    return [found for each in listed if (found := of_message(each)) is not None]


async def reconcile(client: Client, node: int, told: Sequence[Registered]) -> None:
    """Write the devices, and have the node learn their lines again, and its SIP trunks, which calls for help need when nobody can be asked:
    whether it restarted or the connection was cut, learning twice is cheap."""
    lines = await database.insist(contacts.replace_all, node, told)
    await database.insist(errands.to_learn, node, [*await database.insist(_trunks, node), *lines])
    await what_calls_kept(client, node)
    await messages(client, node, lines)


async def what_calls_kept(client: Client, node: int) -> None:
    """Tell what was kept, then delete it: whoever is killed in between tells it again."""
    entries = [_entry(each) for each in await client.listing("DBGetTree", ("Family", KEPT))]
    for start in range(0, len(entries), PART):
        part = entries[start : start + PART]
        await database.insist(events.tell, node, [(KEPT_AS, events.kept(value)) for _key, value in part])
        await forget_kept(client, [key for key, _value in part])


async def what_is_over(client: Client, node: int) -> None:
    """End the calls that the node has no more, and of which it kept nothing: it was killed in the middle of them."""
    before = timezone.now() - JUST_BEGUN
    listed = await client.listing("CoreShowChannels")
    await database.insist(ended.gone, node, {each.get("Uniqueid") for each in listed}, before)


async def forget_kept(client: Client, keys: Collection[str]) -> None:
    """Delete what calls kept, now that it was told; what isn't there needs nothing."""
    for key in keys:
        try:
            await client.ask("DBDel", ("Family", KEPT), ("Key", key))
        except UnsafeActionError as error:
            logger.error("what a call kept can't be deleted: %s", error)


def _entry(message: Message) -> tuple[str, str]:
    return message.get("Key").removeprefix(f"/{KEPT}/"), message.get("Val")


async def messages(client: Client, node: int, lines: Collection[str]) -> None:
    """Ask for the mailboxes in which messages are known to wait, and those of the lines that have devices: no action lists those that
    Asterisk asks the portal for."""
    boxes = await database.insist(_mailboxes, node, lines)
    several = await database.insist(Node.objects.count) > 1
    for start in range(0, len(boxes), PART):
        told: list[tuple[str, int]] = []
        for box in boxes[start : start + PART]:
            try:
                answer = await client.demand("MailboxCount", ("Mailbox", box))
                count = int(answer.get("NewMessages"))
            except (ActionError, UnsafeActionError, ValueError):
                continue
            # Another node may keep the messages of this one.
            if count or not several:
                told.append((box, count))
        await database.insist(events.messages_waiting, node, told)


def _trunks(node: int) -> list[str]:
    return trunk_rows.names(Node.objects.get(pk=node))


def _mailboxes(node: int, lines: Collection[str]) -> list[str]:
    people = list(contacts.people_of(node, lines).values())
    wanted = Mailbox.objects.filter(Q(user__in=people) | Q(unread__gt=0), enabled=True).order_by("pk")
    return [str(Box(number, person)) for number, person in wanted.values_list("user__number", "user")]
