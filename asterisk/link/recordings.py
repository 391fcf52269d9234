"""Greetings that are recorded by phone at a node: phones rung, how far the call is, the recording fetched.

The dialplan ([greeting] in `deploy/asterisk/extensions.conf`) keeps how far each call is as `DB(pbxgreetings/<key>)`, and what was said
as `recording/out/<key>.wav`. Both stay there until they are seen to an end here.
"""

import asyncio
import logging

from asterisk.ami.client import Client
from asterisk.ami.protocol import Message
from asterisk.link import ari, database
from asterisk.link.leases import Held
from asterisk.mailboxes import recording
from asterisk.mailboxes.recording import State, Waiting
from pbxadmin.common.values.dial_codes import VOICEMAIL

logger = logging.getLogger("pbxadmin.link")

KEPT = "pbxgreetings"


def may_be_there(message: Message) -> bool:
    """Whether a call that ended had to do with a mailbox: greetings that were recorded in its menu are taken out of it then."""
    return message.get("To") == VOICEMAIL or bool(message.get("Box"))


async def call(client: Client, node: int, key: str) -> None:
    """Have phones ring, once: what has begun is written down at the node first of all."""
    wanted = await database.insist(recording.to_make, node, key)
    if wanted is None or key in await _kept(client):
        return
    variables = {
        "__key": key, "__line": wanted.line, "__spoken": wanted.language, "__title": wanted.title,
        "__CUSTOMER": wanted.customer,
    }  # fmt: skip
    await client.ask(
        "Originate", ("Channel", f"Local/{key}@greeting/n"), ("Application", "NoOp"), ("Async", "true"),
        ("Timeout", "90000"), *(("Variable", f"{name}={value}") for name, value in variables.items()),
    )  # fmt: skip


async def look(client: Client, held: Held) -> bool:
    """See to every call of this node what is to be seen to; whether one goes on."""
    # In this order: a call is written down by us before it is there.
    kept = await _kept(client)
    rows = await database.insist(recording.waiting, held.pk)
    goes_on = False
    for row in rows:
        goes_on |= await _see_to(client, held, row, kept.get(row.key, ""))
    for key in kept.keys() - {row.key for row in rows}:
        goes_on |= await _see_to_unknown(client, held, key, kept[key])
    return goes_on


async def _see_to_unknown(client: Client, held: Held, key: str, said: str) -> bool:
    """What somebody has recorded in the menu of their mailbox is news; whatever else is there nobody wants any more."""
    what, *menu = said.split(",")
    if what == "own" and len(menu) == 2 and await database.insist(recording.of_menu, held.pk, key, *menu):
        await _bring(client, held, key)
        return False
    await _clear(client, held, key, said)
    return _tells_its_end(said)


def _tells_its_end(said: str) -> bool:
    """Whether a call was there, that writes down how it ended, perhaps only after it was cleared: it is looked at once more."""
    return said.startswith((State.RECORDING, State.RINGING))


async def _see_to(client: Client, held: Held, row: Waiting, said: str) -> bool:
    if row.state == State.CANCELLED:
        await _clear(client, held, row.key, said)
        await database.insist(recording.forget, row.key)
        return _tells_its_end(said)
    state = recording.states(said) or row.state
    if state != State.RECORDED and (row.late or not await _lives(client, row.key, said)):
        state = State.LOST
    await database.insist(recording.told, row.key, state)
    if state == State.RECORDED:
        await _bring(client, held, row.key)
    elif state not in recording.OPEN:
        await _clear(client, held, row.key, said)
    return state in recording.GOES_ON


async def _lives(client: Client, key: str, said: str) -> bool:
    """Whether the phone that records is still there: a node that restarts says nothing of it any more."""
    what, _blank, channel = said.partition(" ")
    if what != State.RECORDING:
        return True
    answer = await client.ask("Getvar", ("Channel", channel), ("Variable", "UNIQUEID"))
    # It may have ended between the two questions.
    return answer.succeeded or (await _kept(client)).get(key) != said


async def _bring(client: Client, held: Held, key: str) -> None:
    try:
        sound = await asyncio.to_thread(ari.fetch, held, f"out/{key}")
    except ari.GoneError:
        sound = None
    except OSError as error:
        logger.warning("%r: a greeting can't be fetched: %s", held, error)
        return
    if await database.insist(recording.brought, key, sound):
        await _clear(client, held, key, "")


async def _clear(client: Client, held: Held, key: str, said: str) -> None:
    """Whatever is there of it ends and goes."""
    if said.startswith(State.RECORDING):
        await client.ask("Hangup", ("Channel", said.partition(" ")[2]))
    elif said == State.RINGING:
        await client.ask("Hangup", ("Channel", f"/^Local/{key}@greeting-.*$/"))
    try:
        await asyncio.to_thread(ari.delete, held, f"out/{key}")
    except OSError as error:
        logger.warning("%r: a greeting can't be deleted: %s", held, error)
        return
    await client.ask("DBDel", ("Family", KEPT), ("Key", key))


async def _kept(client: Client) -> dict[str, str]:
    listed = await client.listing("DBGetTree", ("Family", KEPT))
    return {each.get("Key").removeprefix(f"/{KEPT}/"): each.get("Val") for each in listed if each.get("Key")}
