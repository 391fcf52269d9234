"""Channels of a contract at several nodes: each node counts those that it has itself, at every call, and the link counts the others'."""

from datetime import timedelta
from typing import Any

from django.db.models import Q, Subquery, Sum, Value
from django.db.models.functions import Now

from asterisk.link.status import HEARD_WITHIN
from asterisk.models import ChannelsInUse


def elsewhere(customer: Any, node: Any) -> Subquery:
    """How many channels of the contract of `customer` (an expression) are in use at other nodes than `node` (a key): part of a plan's one
    statement. What was counted at a node that isn't heard any more limits nobody."""
    heard: timedelta = HEARD_WITHIN
    rows = ChannelsInUse.objects.filter(
        ~Q(node=node),
        customer=customer,
        node__connected_at__isnull=False,
        node__heard_at__gt=Now() - Value(heard),
    )
    return Subquery(rows.order_by().values("customer").annotate(all=Sum("channels")).values("all"))
