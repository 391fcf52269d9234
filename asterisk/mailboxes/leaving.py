"""What becomes of the messages of people who are deleted: each node is to delete them, too."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Model

from asterisk.mailboxes.names import Box
from asterisk.models import Errand
from asterisk.receivers import tell_nodes
from users.models import Operation, User
from users.signals import changed


def connect() -> None:
    """Listen to the changes of people."""
    changed.connect(messages_go_too, dispatch_uid="messages go with their person")


def messages_go_too(sender: type[Model], rows: Sequence[Any], operation: Operation, **rest: Any) -> None:
    """An errand to each node, in the transaction that deletes them. Nobody else could find the messages: their name is their person's."""
    if sender is User:
        gone = [str(Box(row.record.number, row.key)) for row in rows if row.removed]
        tell_nodes(Errand.Kind.EMPTY, gone)
