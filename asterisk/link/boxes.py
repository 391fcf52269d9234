"""What is done with mailboxes at a node: told what lies there, messages taken out, sounds fetched.

What Asterisk's manager interface can't do its dialplan does ([box] in `deploy/asterisk/extensions.conf`), called by the same interface.
"""

import asyncio
import logging
from collections.abc import Sequence

from asterisk.ami.client import ActionError, Client
from asterisk.ami.protocol import Message
from asterisk.link import ari, database
from asterisk.link.leases import Held
from asterisk.mailboxes import arriving
from asterisk.mailboxes.names import Box, parse

logger = logging.getLogger("pbxadmin.link")

WITHIN = 20.0
# Mailboxes that are deleted at once.
TOGETHER = 20


async def look(client: Client, node: int, name: str) -> None:
    """Write what lies in a mailbox ("102@u17")."""
    if (box := parse(name)) is None:
        logger.error("no mailbox has a name like this: %.80r", name)
        return
    listed = await messages(client, box)
    await database.insist(arriving.write, node, box, listed)


async def messages(client: Client, box: Box) -> list[Message]:
    """What lies there; nothing where there is no such mailbox."""
    try:
        listed = await client.listing("VoicemailBoxSummary", *_named(box))
    except ActionError as error:
        logger.warning("a mailbox can't be looked at: %s", error)
        return []
    return [each for each in listed if each.event == "VoicemailBoxDetail"]


def _named(box: Box) -> list[tuple[str, str]]:
    return [("Context", box.context), ("Mailbox", box.number)]


async def remove(client: Client, subject: str) -> None:
    """Delete the message `subject` ("102@u17/1795840220-00000000"), wherever it lies; whoever deleted it before did the same."""
    name, _, number = subject.partition("/")
    if (box := parse(name)) is None:
        return
    for each in await messages(client, box):
        if each.get("ID") == number:
            folder = ("Folder", each.get("Folder"))
            answer = await client.ask("VoicemailRemove", *_named(box), folder, ("ID", number))
            if not answer.succeeded:
                logger.warning("a message can't be deleted: %.80s", answer.get("Message"))


async def empty(client: Client, names: Sequence[str]) -> None:
    """Delete mailboxes, those of nobody any more."""
    folders = [box.context for name in names if (box := parse(name)) is not None]
    for start in range(0, len(folders), TOGETHER):
        part = folders[start : start + TOGETHER]
        if not await in_the_dialplan(client, "empty", gone=".".join(part)):
            logger.warning("messages of people who are gone stay: the node deletes nothing")


async def in_the_dialplan(client: Client, what: str, **values: str) -> bool:
    """Have [box] do something; whether it was done."""
    variables = [("Variable", f"{name}={value}") for name, value in values.items()]
    answer = await client.ask(
        "Originate", ("Channel", f"Local/{what}@box/n"), ("Application", "NoOp"), ("Timeout", "15000"), *variables, within=WITHIN
    )  # fmt: skip
    return answer.succeeded


async def bring(client: Client, held: Held) -> None:
    """Fetch the sounds that mails wait for."""
    for wanted in await database.insist(arriving.wanted, held.pk):
        try:
            sound = await _sound(client, held, wanted)
        except OSError as error:
            logger.warning("%r: a message can't be fetched: %s", held, error)
            await database.insist(arriving.not_brought, wanted.key)
            continue
        await database.insist(arriving.brought, wanted.key, sound)


async def _sound(client: Client, held: Held, wanted: arriving.Wanted) -> bytes | None:
    """Messages move when others are deleted: by its number it is copied to a place of its own, and fetched from there."""
    await in_the_dialplan(client, "fetch", box=wanted.folder, id=wanted.number)
    place = f"out/{wanted.number}"
    try:
        sound = await asyncio.to_thread(ari.fetch, held, place)
    except ari.GoneError:
        return None
    await asyncio.to_thread(ari.delete, held, place)
    return sound
