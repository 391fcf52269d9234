"""The outbox: which phones may hold an old file, and which were given a command. Columns of the phone, so that no crash
empties it.

What must be done is a row: `stale_since` (the phone may hold an old file) or `command_at` (a button was pressed) isn't
null. Whoever changes something marks the rows here, in the transaction of the change; `telling` tells the workers after the
commit, `worker` brings the phones up to date, and a fetch (`phones.serving.provisioning`) acknowledges.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.db import connection, transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from phones.models import Phone

Item = TypeVar("Item")

# Two presses within this are one.
COOL_DOWN = timedelta(seconds=30)


def mark_stale(phones: "QuerySet[Phone]") -> list[int]:
    """Note that the files of these phones may have changed: one UPDATE, in the caller's transaction.

    Counts `revision` up, so that a fetch under way doesn't acknowledge a change that it hasn't seen; keeps
    the time since which a phone waits; lets it be tried at once, however often it was silent before. Returns
    the primary keys.
    """
    ids = list(phones.order_by("pk").values_list("pk", flat=True))
    mark_stale_by_key(ids)
    return ids


def mark_stale_by_key(ids: Sequence[int]) -> None:
    """`mark_stale` for phones whose primary keys are known; `ids` are sorted."""
    now = timezone.now()
    for part in chunks(ids, 5_000):
        update_in_order(
            part,
            Q(),
            revision=F("revision") + 1,
            stale_since=Coalesce("stale_since", now),
            attempts=0,
            next_attempt_at=None,
        )


def update_in_order(ids: Sequence[int], condition: Q, **values: Any) -> int:
    """One UPDATE of the phones among `ids` that fulfil `condition`; returns how many they were.

    The rows are locked in the order of their keys first: a save and a worker that touch the same phones wait
    for each other instead of dying in a deadlock. One row has no order, and SQLite has one writer at a time
    anyway.
    """
    phones = Phone.objects.filter(pk__in=ids)
    if len(ids) == 1 or not connection.features.has_select_for_update:
        return phones.filter(condition).update(**values)
    with transaction.atomic(savepoint=False):
        held = list(phones.order_by("pk").select_for_update(of=("self",)).values_list("pk", flat=True))
        return Phone.objects.filter(condition, pk__in=held).update(**values)


def press(phone_id: int, command: str, now: datetime) -> bool:
    """Put a command of a person into the outbox; False where the same is waiting, or a restart was sent just
    now.

    Decided by the one UPDATE, so that a double click is one command. A restart includes a fetch: it takes the
    place of a waiting "reprovision", not the other way round.
    """
    phones = Phone.objects.filter(_may_be_pressed(command, now), pk=phone_id)
    return bool(phones.update(command=command, command_at=now, attempts=0, next_attempt_at=None))


def press_all(ids: Sequence[int], command: str, now: datetime) -> list[int]:
    """The same for many phones, held in the order of their keys; the keys of those into whose outbox it went."""
    with transaction.atomic(savepoint=False):
        phones = Phone.objects.filter(_may_be_pressed(command, now), pk__in=ids).order_by("pk")
        held = list(phones.select_for_update(of=("self",)).values_list("pk", flat=True))
        Phone.objects.filter(pk__in=held).update(
            command=command, command_at=now, attempts=0, next_attempt_at=None
        )
    return held


def _may_be_pressed(command: str, now: datetime) -> Q:
    """Which phones aren't about to be told the same, or just were."""
    if command == Phone.Command.RESTART:
        waits = Q(command_at__isnull=False, command=Phone.Command.RESTART)
        return ~waits & ~Q(notified_command=Phone.Command.RESTART, notified_at__gt=now - COOL_DOWN)
    return Q(command_at__isnull=True)


def chunks(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """`items` in pieces of at most `size`."""
    return (items[start : start + size] for start in range(0, len(items), size))
