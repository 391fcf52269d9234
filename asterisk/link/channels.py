"""How many channels of each customer's contract are in use at a node, for calls at the customer's other nodes (`asterisk.asked.channels`).

Where there is one node nothing is asked: it counts by itself. Of several each is asked every `COUNTED` seconds, which costs it a command for
all its calls together; nothing is asked or told in a call.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from django.db import transaction

from asterisk.ami.client import Client
from asterisk.models import ChannelsInUse, Node
from asterisk.nodes import customers_of

COUNTED = 1.0  # seconds
# Seconds after which a node that is alone looks whether it still is.
ALONE = 5.0
# As which groups the dialplan counts them.
CATEGORY = "contract"


async def count(client: Client) -> Mapping[str, int]:
    """Channels in use, by the customer's short name."""
    return counted(await client.command("group show channels"))


def counted(said: Sequence[str]) -> Mapping[str, int]:
    """The same out of Asterisk's table: channel, group, category."""
    rows = (line.split() for line in said)
    return Counter(row[1] for row in rows if len(row) == 3 and row[2] == CATEGORY)


def several() -> bool:
    """Whether there is more than one node."""
    return len(Node.objects.order_by().values_list("pk", flat=True)[:2]) > 1


def write(node: int, channels: Mapping[str, int]) -> None:
    """Make the rows of the node what was counted there; of customers that it doesn't serve it has nothing to say."""
    served = customers_of(node).filter(slug__in=list(channels)).order_by("pk")
    rows = [ChannelsInUse(node_id=node, customer=each, channels=channels[each.slug]) for each in served]
    with transaction.atomic():
        # A node that was removed meanwhile uses nothing.
        if not Node.objects.select_for_update(no_key=True).filter(pk=node).exists():
            return
        ChannelsInUse.objects.filter(node=node).exclude(
            customer__in=[row.customer_id for row in rows]
        ).delete()
        ChannelsInUse.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=["customer", "node"], update_fields=["channels"]
        )
