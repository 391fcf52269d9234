"""What was planned for a call: noted at once, written for many calls together within a second, so that no call waits for a disk.

How it went tells the node when it has ended (`asterisk.calls.ended`); a call whose note was lost with a process is written then,
without the steps that were planned.
"""

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import DatabaseError, connection, transaction

from asterisk.calls import settling
from asterisk.models import CallRecord
from forwarding.asking import PlannedCall
from forwarding.calls import FromExtension, FromOutside
from forwarding.decisions import Reach

logger = logging.getLogger("pbxadmin.calls")

GATHERED_FOR = 1.0  # seconds
# Calls that wait to be written, at most: while the database is away, later ones are left to what the node tells.
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


class Gathered:
    """The calls that this process hasn't written yet."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: list[Noted] = []
        self._waiting = False

    def note(self, call: Noted) -> None:
        """Remember it; a thread writes it soon, also when the process ends before."""
        with self._lock:
            if len(self._calls) >= MOST:
                return
            self._calls.append(call)
            if self._waiting:
                return
            self._waiting = True
        threading.Timer(GATHERED_FOR, self._write_and_leave).start()

    def write(self) -> None:
        """Write what was gathered until now."""
        with self._lock:
            calls, self._calls, self._waiting = self._calls, [], False
        if calls:
            write(calls)

    def forget(self) -> None:
        """Leave out what was gathered: for tests."""
        with self._lock:
            self._calls = []

    def _write_and_leave(self) -> None:
        try:
            self.write()
        except DatabaseError as error:
            logger.warning("planned calls weren't written (%s)", type(error).__name__)
        finally:
            connection.close()


def write(calls: Sequence[Noted]) -> None:
    """The rows of these calls: a constant number of statements for any number of them.

    A call that is there already stays as it is, but for one whose end was told before its plan was written: that gets the plan, and is
    settled.
    """
    noted = {call.unique_id: call for call in calls}
    with transaction.atomic():
        # In one order, whoever else writes the same calls.
        CallRecord.objects.bulk_create([_row(noted[key]) for key in sorted(noted)], ignore_conflicts=True)
        there = CallRecord.objects.select_for_update().filter(unique_id__in=noted).order_by("pk")
        rows = [
            row for row in there.defer("planned", "taken") if row.customer_id == noted[row.unique_id].customer
        ]
        late = [row for row in rows if row.ended_at is not None and not row.planned]
        for row in late:
            _into(row, noted[row.unique_id])
        CallRecord.objects.bulk_update(late, ["at", "from_extension", "from_number", "dialled", "planned"])
        settling.involve(_concerned(row.pk, noted[row.unique_id]) for row in rows)
        settling.settle(late)


def _concerned(key: int, call: Noted) -> settling.Concerned:
    caller = call.origin.extension if isinstance(call.origin, FromExtension) else ""
    return settling.Concerned(key, call.customer, call.at, call.extensions, caller)


def _into(row: CallRecord, call: Noted) -> None:
    new = _row(call)
    row.at, row.planned, row.dialled = new.at, new.planned, new.dialled
    row.from_extension, row.from_number = new.from_extension, new.from_number


def _row(call: Noted) -> CallRecord:
    inside = isinstance(call.origin, FromExtension)
    data: dict[str, Any] = call.planned.as_data()
    return CallRecord(
        customer_id=call.customer,
        unique_id=call.unique_id,
        at=call.at,
        from_extension=call.origin.extension if isinstance(call.origin, FromExtension) else "",
        from_number="" if inside else getattr(call.origin, "number", "")[:40],
        dialled=call.dialled[:40],
        planned=data,
    )


gathered = Gathered()
