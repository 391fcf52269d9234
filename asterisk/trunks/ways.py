"""Which trunks a customer's calls take, and which ones a node has: rows → `TrunkLine`, one query each."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Q

from asterisk.models import Trunk
from asterisk.trunks.addresses import networks_of
from asterisk.trunks.line import NumberFormat, TrunkLine

READ = (
    "pk", "customer_id", "host", "port", "transport", "networks", "username", "registers", "number_format", "channels",
)  # fmt: skip


def of(customer: Any) -> list[TrunkLine]:
    """The trunks over which a customer (an object or its key) calls out, in the order in which they are tried: their own that are in use,
    else the provider's."""
    key = getattr(customer, "pk", customer)
    found = _lines(Trunk.objects.filter(Q(customer=key) | Q(customer=None), enabled=True))
    return [line for line in found if line.customer is not None] or found


def names_for(customer: Any) -> list[str]:
    """The same as the phone system calls them."""
    return [line.name for line in of(customer)]


def at_node() -> list[TrunkLine]:
    """Every trunk in use, as each node has them: calls come in from all of them."""
    return _lines(Trunk.objects.filter(enabled=True))


def one(key: int) -> TrunkLine | None:
    """The trunk with this key, if it is in use."""
    return next(iter(_lines(Trunk.objects.filter(pk=key, enabled=True))), None)


def _lines(trunks: Any) -> list[TrunkLine]:
    rows: Iterable[Any] = trunks.values_list(*READ)
    return [
        TrunkLine(
            id=key, customer=customer, host=host, port=port, transport=transport, networks=tuple(map(str, networks_of(networks))),
            username=username, registers=registers, number_format=NumberFormat(number_format), channels=channels,
        )
        for key, customer, host, port, transport, networks, username, registers, number_format, channels in rows
    ]  # fmt: skip
