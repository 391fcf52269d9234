"""Which trunks a customer's calls take, and which ones a node has: rows → `TrunkLine`, one query each."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from django.db.models import Q

from asterisk.models import Trunk
from asterisk.trunks.addresses import networks_of
from asterisk.trunks.line import NumberFormat, TrunkLine
from pbxadmin.common.prepared import Prepared

READ = (
    "pk", "customer_id", "host", "port", "transport", "networks", "username", "registers", "number_format", "channels",
)  # fmt: skip


def of(customer: Any) -> list[TrunkLine]:
    """The trunks over which a customer (an object or its key) calls out, in the order in which they are tried: their own that are in use,
    else the provider's."""
    key = getattr(customer, "pk", customer)
    return taken(_lines(Trunk.objects.filter(Q(customer=key) | Q(customer=None), enabled=True)), key)


def taken(lines: Iterable[TrunkLine], customer: int) -> list[TrunkLine]:
    """Of trunks in use, in their order, those that calls of a customer (its key) take."""
    own, everybodys = [], []
    for line in lines:
        if line.customer == customer:
            own.append(line)
        elif line.customer is None:
            everybodys.append(line)
    return own or everybodys


def to(number: str, lines: Iterable[TrunkLine]) -> str:
    """The ways over these trunks to a number as the phone system reads them, one after the other."""
    return "&".join(line.way(number) for line in lines)


def at_node() -> list[TrunkLine]:
    """Every trunk in use, as each node has them: calls come in from all of them."""
    return _lines(Trunk.objects.filter(enabled=True))


_one = Prepared(lambda key: Trunk.objects.filter(pk=key, enabled=True).order_by().values_list(*READ))


def one(key: int) -> TrunkLine | None:
    """The trunk with this key, if it is in use: one prepared statement, because every call that comes in asks it."""
    return next(iter(_made(_one(key))), None)


def line_of(row: Sequence[Any]) -> TrunkLine:
    """The trunk whose columns (`READ`) are the first of a row."""
    return _line(*row[: len(READ)])


def _lines(trunks: Any) -> list[TrunkLine]:
    return _made(trunks.values_list(*READ))


def _made(rows: Iterable[Any]) -> list[TrunkLine]:
    return [_line(*row) for row in rows]


@lru_cache(maxsize=1_024)
def _line(
    key: int, customer: int | None, host: str, port: int, transport: str, networks: str, username: str, registers: bool,
    number_format: str, channels: int,
) -> TrunkLine:  # fmt: skip
    return TrunkLine(
        id=key, customer=customer, host=host, port=port, transport=transport, networks=tuple(map(str, networks_of(networks))),
        username=username, registers=registers, number_format=NumberFormat(number_format), channels=channels,
    )  # fmt: skip
