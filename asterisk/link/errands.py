"""What a node is told because something was saved: its errands, in their order, gone once it has answered.

An errand that is done twice (the worker was killed in between) does no harm: at worst a device registers once more.
"""

import asyncio
import itertools
import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from asterisk.ami.client import ActionError, Client
from asterisk.ami.protocol import UnsafeActionError
from asterisk.link import BATCH, boxes, database, dropping, recordings, trunks
from asterisk.link.leases import Held
from asterisk.models import Errand

logger = logging.getLogger("pbxadmin.link")

# Seconds between two looks, each of which is one query by an index.
POLLED = 0.1
# Errands that one look finds of all nodes; and subjects that are told together.
MOST, TOGETHER = 800, 64
REMEMBERED = ("res_pjsip/endpoint", "res_pjsip/auth", "res_pjsip/aor")
TRUNKS = "res_pjsip/identify"
# A node asks the portal three times for a line that it learns, two seconds each at most.
LEARNS_WITHIN = 15.0
# All that there are, for which the node is asked once for all its devices; and what it is taught with one question.
SIZES = {Errand.Kind.DROP.value: MOST, Errand.Kind.LEARN.value: BATCH}

Kind = Errand.Kind


@dataclass(frozen=True)
class Todo:
    """One errand."""

    pk: int
    kind: str
    subject: str


def waiting(nodes: Collection[int]) -> Mapping[int, list[Todo]]:
    """The errands of these nodes, oldest first, without those that are tried again beside them: one query by an index."""
    found: dict[int, list[Todo]] = {}
    rows = Errand.objects.filter(node__in=nodes).exclude(kind=Kind.LEFT).order_by("node", "id")
    for node, key, kind, subject in rows.values_list("node", "pk", "kind", "subject")[:MOST]:
        found.setdefault(node, []).append(Todo(key, kind, subject))
    return found


def done(keys: Sequence[int]) -> None:
    """The node has answered."""
    Errand.objects.filter(pk__in=keys).delete()


def begin(keys: Sequence[int]) -> None:
    """The node is about to learn these lines: what it asks is answered with them alone (`asterisk.link.learning`)."""
    Errand.objects.filter(pk__in=keys).update(doing=True)


def nothing_is_being_done(node: int) -> None:
    """Whoever was learning is gone."""
    Errand.objects.filter(node=node, doing=True).update(doing=False)


def to_learn(node: int, lines: Iterable[str]) -> None:
    """Errands for lines that the node is to learn, without those that wait already."""
    waits = set(
        Errand.objects.filter(node=node, kind=Kind.LEARN, doing=False).values_list("subject", flat=True)
    )
    Errand.objects.bulk_create(
        [Errand(node_id=node, kind=Kind.LEARN, subject=line) for line in sorted(set(lines) - waits)],
        batch_size=2_000,
    )


async def do(client: Client, held: Held, todo: Sequence[Todo]) -> list[str]:
    """Do errands of the node to which `client` is connected; returns the lines that it learned. What isn't done stays."""
    node = held.pk
    learned: list[str] = []
    for kind, group in itertools.groupby(todo, key=lambda each: each.kind):
        same = list(group)
        size = SIZES.get(kind, TOGETHER)
        for start in range(0, len(same), size):
            part = same[start : start + size]
            keys = [each.pk for each in part]
            subjects = list(dict.fromkeys(each.subject for each in part))
            if kind == Kind.LEARN:
                await database.insist(begin, keys)
                learned += await _learn(client, subjects)
            elif kind == Kind.FORGET:
                await asyncio.gather(*(forget(client, subject) for subject in subjects))
            elif kind == Kind.DROP:
                await dropping.drop(client, held, subjects)
            elif kind == Kind.TRUNKS:
                await look_at_trunks(client, node)
            elif kind == Kind.MESSAGES:
                await asyncio.gather(*(boxes.look(client, node, subject) for subject in subjects))
            elif kind == Kind.REMOVE:
                await asyncio.gather(*(boxes.remove(client, subject) for subject in subjects))
            elif kind == Kind.EMPTY:
                await boxes.empty(client, subjects)
            elif kind == Kind.RECORD:
                await asyncio.gather(*(recordings.call(client, node, subject) for subject in subjects))
            await database.insist(done, keys)
    return learned


async def forget(client: Client, subject: str) -> None:
    """Have a line or a trunk asked for anew at its next request. What wasn't remembered "could not be expired"."""
    try:
        await asyncio.gather(
            *(
                client.ask("SorceryMemoryCacheExpireObject", ("Cache", cache), ("Object", subject))
                for cache in REMEMBERED
            )
        )
    except UnsafeActionError as error:
        logger.error("an errand can't be written: %s", error)


async def _learn(client: Client, lines: Sequence[str]) -> list[str]:
    results = await asyncio.gather(*(_learn_one(client, line) for line in lines))
    return [line for line, said in zip(lines, results, strict=True) if said]


async def _learn_one(client: Client, line: str) -> bool:
    # Words of the command's line: a name with a blank would be another command.
    if not line or any(sign in line for sign in " \"'\\\t"):
        logger.error("no line has a name like this: %.80r", line)
        return False
    try:
        said = await client.command(f"pjsip reload qualify endpoint {line}", within=LEARNS_WITHIN)
    except (UnsafeActionError, ActionError) as error:
        logger.error("a line can't be learned: %s", error)
        return False
    if trunks.is_name(line):
        await trunks.question(client, line)
        return False  # it has no state of a line that could be looked at
    return any(words.startswith("Synchronizing") for words in said)


async def look_at_trunks(client: Client, node: int) -> None:
    """Have trunks asked for anew: who calls from where, and where the phone system registers; and tell the node the ways to 911.

    What lines remember of them isn't asked anew: what is stale or forgotten at the moment in which the portal goes away is gone, and with it
    the way to 911.
    """
    await client.ask("SorceryMemoryCacheExpire", ("Cache", TRUNKS))
    told = [
        ("Setvar", ("Variable", name), ("Value", value))
        for name, value in await database.insist(trunks.ways_at, node)
    ]
    for start in range(0, len(told), TOGETHER):
        await asyncio.gather(*(client.ask(*each) for each in told[start : start + TOGETHER]))
    try:
        await client.command("module reload res_pjsip_outbound_registration.so", within=LEARNS_WITHIN)
    except ActionError as error:
        logger.warning("registrations of trunks can't be looked at: %s", error)
