"""Which worker holds which node: a lease of a few seconds in the node's row, by the clock of the database. So two workers on two machines
share the nodes, and what one that is killed held is taken by the other."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import DateTimeField, ExpressionWrapper, Q, Value
from django.db.models.functions import Now
from django.utils import timezone

from asterisk.models import Node
from pbxadmin.common.crypto import Reader, plain

LASTS = timedelta(seconds=6)
RENEWED = 1.5  # seconds


@dataclass(frozen=True)
class Held:
    """A node that this worker holds, and the way to it."""

    pk: int
    name: str
    host: str
    port: int
    secret: str
    ari_port: int

    def __repr__(self) -> str:
        return f"<node {self.name}>"


def renew(worker: str, heard: Collection[int] = ()) -> Mapping[int, Held]:
    """Keep the nodes of this worker and take those that nobody holds any more; note of `heard` that they said something just now."""
    until = ExpressionWrapper(Now() + Value(LASTS), output_field=DateTimeField())
    free = Q(held_by=worker) | Q(held_until__isnull=True) | Q(held_until__lt=Now())
    Node.objects.filter(free).update(held_by=worker, held_until=until)
    mine = Node.objects.filter(held_by=worker)
    if heard:
        mine.filter(pk__in=heard).update(heard_at=timezone.now())
    return {
        node.pk: Held(
            node.pk,
            node.name,
            node.host,
            node.ami_port,
            plain(node, Node.node_password, Reader.PHONE_SYSTEM),
            node.ari_port,
        )
        for node in mine
    }


def give_back(worker: str) -> None:
    """Leave everything to others at once."""
    Node.objects.filter(held_by=worker).update(held_by="", held_until=None, connected_at=None)


def connected(node: int, release: str) -> None:
    """The link stands."""
    now = timezone.now()
    Node.objects.filter(pk=node).update(connected_at=now, heard_at=now, trouble="", release=release[:80])


def parted(node: int, worker: str, trouble: str) -> None:
    """The link doesn't stand; `trouble` is one of `status.TROUBLES`."""
    Node.objects.filter(pk=node, held_by=worker).update(connected_at=None, trouble=trouble)
