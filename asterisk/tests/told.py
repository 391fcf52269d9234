"""Calls as nodes tell of them, for tests: the plan of a call, and the text of the dialplan at its end."""

import time
from typing import Any

from django.utils import timezone

from asterisk.calls import planned
from asterisk.calls.planned import Noted
from asterisk.link import events
from asterisk.models import CallRecord, Node
from forwarding.asking import plan_call
from forwarding.calls import FromExtension, FromOutside
from users.models import Customer


def a_node(name: str = "montreal") -> Node:
    """One that is told of in the tables alone."""
    return Node.objects.get_or_create(
        name=name, defaults={"token_hash": name.ljust(64, "0"), "host": "127.0.0.1", "node_password": "x"}
    )[0]


def noted(customer: Customer, call: str, origin: str, to: str, node: str = "montreal", **times: Any) -> Noted:
    """A call as it is planned now: `origin` is an extension, a number, or "" for a withheld one."""
    who = (
        FromExtension(origin) if origin.isdecimal() else FromOutside(origin, to if to.startswith("+") else "")
    )
    at = times.get("at") or timezone.now()
    return Noted(node, call, customer.pk, at, who, to, plan_call(customer, who, to, at))


def ended(customer: Customer, call: str, taken: str, **more: Any) -> dict[str, str]:
    """What the dialplan tells when it has ended."""
    said = {
        "System": customer.fqdn, "From": "", "To": "", "Call": call, "Taken": taken, "Rang": "", "Peer": "",
        "Seconds": "0", "At": str(int(time.time())),
    }  # fmt: skip
    return said | {key.capitalize(): str(value) for key, value in more.items()}


def tell(*said: dict[str, str], node: str = "montreal") -> None:
    """Have the node tell it."""
    events.tell(a_node(node).pk, [("PbxCall", each) for each in said])


def a_call(
    customer: Customer, call: str, origin: str, to: str, taken: str, *, at: Any = None, **more: Any
) -> CallRecord:
    """A call from its plan to its end."""
    planned.write([noted(customer, call, origin, to, at=at)])
    tell(ended(customer, call, taken, **{"from": origin, "to": to, **more}))
    return CallRecord.objects.get(unique_id=f"montreal/{call}")
