"""What is done with mailboxes at a node: told what lies there, messages taken out, sounds fetched.

What Asterisk's manager interface can't do its dialplan does ([box] in `deploy/asterisk/extensions.conf`), called by the same interface.
"""

import asyncio
import logging
import re

from asterisk.ami.client import ActionError, Client
from asterisk.ami.protocol import Message
from asterisk.link import ari, database
from asterisk.link.leases import Held
from asterisk.mailboxes import arriving

logger = logging.getLogger("pbxadmin.link")

# "102@acme", as Asterisk calls a mailbox.
BOX = re.compile(r"(?P<number>[0-9]{2,5})@(?P<slug>[a-z0-9-]{1,50})\Z")
WITHIN = 20.0


async def look(client: Client, node: int, box: str) -> None:
    """Write what lies in a mailbox."""
    listed = await messages(client, box)
    await database.insist(arriving.write, node, box, listed)


async def messages(client: Client, box: str) -> list[Message]:
    """What lies there; nothing where there is no such mailbox."""
    if not (found := BOX.match(box)):
        logger.error("no mailbox has a name like this: %.80r", box)
        return []
    try:
        listed = await client.listing(
            "VoicemailBoxSummary", ("Context", found["slug"]), ("Mailbox", found["number"])
        )
    except ActionError as error:
        logger.warning("a mailbox can't be looked at: %s", error)
        return []
    return [each for each in listed if each.event == "VoicemailBoxDetail"]


async def remove(client: Client, subject: str) -> None:
    """Delete the message `subject` ("102@acme/1795840220-00000000"), wherever it lies; whoever deleted it before did the same."""
    box, _, number = subject.partition("/")
    found = BOX.match(box)
    for each in await messages(client, box):
        if found and each.get("ID") == number:
            answer = await client.ask(
                "VoicemailRemove", ("Mailbox", found["number"]), ("Context", found["slug"]),
                ("Folder", each.get("Folder")), ("ID", number),
            )  # fmt: skip
            if not answer.succeeded:
                logger.warning("a message can't be deleted: %.80s", answer.get("Message"))


async def in_the_dialplan(client: Client, what: str, **values: str) -> bool:
    """Have [box] do something; whether it was done."""
    variables = [("Variable", f"{name}={value}") for name, value in {"what": what, **values}.items()]
    answer = await client.ask(
        "Originate", ("Channel", "Local/s@box/n"), ("Application", "NoOp"), ("Timeout", "15000"), *variables, within=WITHIN
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
    await in_the_dialplan(client, "fetch", box=wanted.box, id=wanted.number)
    place = f"out/{wanted.number}"
    try:
        sound = await asyncio.to_thread(ari.fetch, held, place)
    except ari.GoneError:
        return None
    await asyncio.to_thread(ari.delete, held, place)
    return sound
