"""What was planned for a call: noted at once, written for many calls together within a second, so that no call waits for a disk.

How it went tells the node when it has ended (`asterisk.calls.ended`); a call whose note was lost with a process is written then,
without the steps that were planned.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction

from asterisk.calls import settling
from asterisk.models import CallRecord
from forwarding.asking import PlannedCall
from forwarding.calls import FromExtension, FromOutside
from forwarding.decisions import Reach
from pbxadmin.common.gathering import Gathered

logger = logging.getLogger("pbxadmin.calls")

GATHERED_FOR = 1.0  # seconds
# Calls that wait to be written, at most: while the database is away for long, later ones are left to what the node tells.
MOST = 10_000


@dataclass(frozen=True, slots=True)
class Noted:
    """One call at the moment of its plan."""

    node: str
    call: str
    customer: int
    at: datetime
    origin: FromExtension | FromOutside
    dialled: str
    planned: PlannedCall

    @property
    def unique_id(self) -> str:
        """The call among those of all nodes."""
        return unique(self.node, self.call)

    @property
    def extensions(self) -> list[str]:
        """Whom it concerns already: who calls, and to whom it comes first."""
        found = [self.origin.extension] if isinstance(self.origin, FromExtension) else []
        first = self.planned.plan.first if self.planned.plan else None
        return [*found, first.extension] if isinstance(first, Reach) else found


def unique(node: str, call: str) -> str:
    """One call among those of all nodes."""
    return f"{node}/{call}"[:100]


def write(calls: Sequence[Noted]) -> None:
    """The rows of these calls, but for those of whom somebody was deleted at that moment."""
    try:
        write_all(calls)
    except IntegrityError:
        if len(calls) == 1:
            logger.info("a planned call wasn't written: somebody whom it concerns is gone")
            return
        # Nobody else's calls are lost with it.
        for call in calls:
            write([call])


def write_all(calls: Sequence[Noted]) -> None:
    """The same in one transaction: a constant number of statements for any number of them.

    A call that is there already stays as it is, but for one whose end was told before its plan was written: that gets the plan, and is
    settled.
    """
    noted = {call.unique_id: call for call in calls}
    with transaction.atomic():
        # In one order, whoever else writes the same calls.
        CallRecord.objects.bulk_create([_row(noted[key]) for key in sorted(noted)], ignore_conflicts=True)
        there = CallRecord.objects.select_for_update().filter(unique_id__in=noted).order_by("pk")
        found = [
            (key, noted[unique_id], ended_at)
            for key, unique_id, customer, ended_at in there.values_list(
                "pk", "unique_id", "customer", "ended_at"
            )
            if customer == noted[unique_id].customer
        ]
        settling.involve(_concerned(key, call) for key, call, _ended_at in found)
        _settle([key for key, _call, ended_at in found if ended_at is not None], noted)


def _settle(ended: Sequence[int], noted: Mapping[str, Noted]) -> None:
    """The plans of calls whose end was told before: nearly always of none."""
    rows = CallRecord.objects.filter(pk__in=ended) if ended else ()
    late = [row for row in rows if not row.planned]
    for row in late:
        _into(row, noted[row.unique_id])
    CallRecord.objects.bulk_update(late, ["at", "from_extension", "from_number", "dialled", "planned"])
    settling.settle(late)


def _concerned(key: int, call: Noted) -> settling.Concerned:
    caller = call.origin.extension if isinstance(call.origin, FromExtension) else ""
    return settling.Concerned(key, call.customer, call.at, call.extensions, caller)


def _into(row: CallRecord, call: Noted) -> None:
    new = _row(call)
    row.at, row.dialled, row.planned = new.at, new.dialled, call.planned.as_data()
    row.from_extension, row.from_number = new.from_extension, new.from_number


def _row(call: Noted) -> CallRecord:
    inside = isinstance(call.origin, FromExtension)
    return CallRecord(
        customer_id=call.customer,
        unique_id=call.unique_id,
        at=call.at,
        from_extension=call.origin.extension if isinstance(call.origin, FromExtension) else "",
        from_number="" if inside else getattr(call.origin, "number", "")[:40],
        dialled=call.dialled[:40],
        planned=call.planned,
    )


gathered = Gathered(write, GATHERED_FOR, MOST, (logger, "planned calls weren't written"))
