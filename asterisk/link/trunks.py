"""Whether SIP trunks answer: asked of a node after a gap and from time to time, told by it whenever that changes."""

import re
from collections.abc import Collection, Mapping
from contextlib import suppress

from django.utils import timezone

from asterisk.ami.client import ActionError, Client
from asterisk.ami.protocol import Message
from asterisk.models import Node, Trunk
from asterisk.nodes import customers_of
from asterisk.trunks import states, ways

NAME = re.compile(r"trunk-([1-9][0-9]{0,9})\Z")
ANSWERS = {"Reachable": True, "Unreachable": False}

Told = Mapping[int, tuple[bool, str]]


def is_name(name: str) -> bool:
    """Whether this is the name of a trunk."""
    return NAME.match(name) is not None


def of_message(message: Message) -> dict[int, tuple[bool, str]]:
    """What a `ContactStatus` or a `ContactStatusDetail` says of a trunk; empty while the node doesn't know it yet."""
    found = NAME.match(message.get("AOR"))
    said = message.get("ContactStatus") or message.get("Status")
    if found is None or said not in ANSWERS:
        return {}
    return {int(found[1]): (ANSWERS[said], "" if ANSWERS[said] else said)}


async def ask(client: Client, keys: Collection[int]) -> Told:
    """What the node knows of these trunks now; those of which it knows nothing yet are asked whether they are there."""
    told: dict[int, tuple[bool, str]] = {}
    for key in keys:
        with suppress(ActionError):  # one that this node doesn't have
            for message in await client.listing("PJSIPShowEndpoint", ("Endpoint", f"trunk-{key}")):
                told |= of_message(message)
            if key not in told:
                await question(client, f"trunk-{key}")
    return told


async def question(client: Client, name: str) -> None:
    """Have the node ask a trunk now whether it is there; else its first question comes half a minute later. What it finds, it tells."""
    with suppress(ActionError):
        await client.demand("PJSIPQualify", ("Endpoint", name))


def in_use() -> list[int]:
    """The trunks in use."""
    return list(Trunk.objects.filter(enabled=True).order_by("pk").values_list("pk", flat=True))


def ways_at(node: int) -> list[tuple[str, str]]:
    """What each customer of a node has in place of the ways to 911 that its lines remember: the dialplan's variable, and the ways now."""
    customers = customers_of(node).order_by("pk").values_list("pk", "fqdn")
    lines = ways.at_node()
    return [(f"WAYS-{fqdn.lower()}", ways.to("911", ways.taken(lines, key))) for key, fqdn in customers]


def tell(node: int, told: Told) -> None:
    """Write what a node says; of one that was removed meanwhile nothing."""
    if held := Node.objects.filter(pk=node).first():
        states.tell(held, told, timezone.now())


def forget(node: int) -> None:
    """The node is heard again and will tell: what it said before may be otherwise."""
    states.forget(Node(pk=node))
