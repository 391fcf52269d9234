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

from django.db import DatabaseError, connection

from asterisk.models import CallParty, CallRecord
from forwarding.asking import PlannedCall
from forwarding.calls import FromExtension, FromOutside
from forwarding.decisions import Reach
from users.models import User

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
    """The rows of these calls: three statements for any number of them. A call that is there already stays as it is."""
    CallRecord.objects.bulk_create([_row(call) for call in calls], ignore_conflicts=True)
    keys = dict(
        CallRecord.objects.filter(unique_id__in=[call.unique_id for call in calls]).values_list(
            "unique_id", "pk"
        )
    )
    involve(
        {
            (keys[call.unique_id], call.customer, call.at): call.extensions
            for call in calls
            if call.unique_id in keys
        }
    )


def involve(concerned: dict[tuple[int, int, datetime], list[str]]) -> None:
    """Note whom calls concern: {(call, customer, when): extensions}. Two statements."""
    numbers = {number for several in concerned.values() for number in several}
    customers = {customer for _call, customer, _at in concerned}
    people = {
        (customer, number): key
        for key, customer, number in User.objects.filter(customer__in=customers, number__in=numbers)
        .order_by()
        .values_list("pk", "customer", "number")
    }
    rows = [
        CallParty(user_id=people[customer, number], call_id=call, at=at)
        for (call, customer, at), several in concerned.items()
        for number in dict.fromkeys(several)
        if (customer, number) in people
    ]
    CallParty.objects.bulk_create(rows, ignore_conflicts=True)


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
