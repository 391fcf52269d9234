"""How writing ended, as a value: for callers that go on in a different way for each end, without catching anything.

Inside a transaction that is to be rolled back as a whole, `apply` and `remove` with their exceptions are the right ones.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from pbxadmin.common.http import RequestFacts
from users.models import Operation
from users.road.applying import apply
from users.road.planning import Plan
from users.road.removal import Removal, remove
from users.road.rows import ChangedMeanwhileError, RefusedError, RowPlan


class Outcome(Enum):
    """How it ended. Only `SAVED` has written anything."""

    SAVED = auto()
    UNCHANGED = auto()
    REFUSED = auto()  # the plan, or the removal, says why
    CONFLICT = auto()  # somebody else has written a row in between: plan again


@dataclass(frozen=True)
class Commit:
    """What became of a plan."""

    outcome: Outcome
    plan: Plan
    operation: Operation | None = None

    @property
    def row(self) -> RowPlan:
        """The row of a plan for one record."""
        return self.plan.rows[0]


def commit(
    plan: Plan,
    facts: RequestFacts,
    reason: str = "",
    undoes: Operation | None = None,
    into: Operation | None = None,
) -> Commit:
    """Write a plan, all of it or nothing, and say how it ended.

    Rows whose sender had an older version before them make it a conflict, where nothing else refuses the plan.
    """
    refused = plan.refused
    if refused and all(row.stale for row in refused):
        return Commit(Outcome.CONFLICT, plan)
    outcome, operation = ended(lambda: apply(plan, facts, reason, undoes, into))
    return Commit(outcome, plan, operation)


def commit_removal(removal: Removal, facts: RequestFacts, reason: str = "") -> Outcome:
    """Delete, all of it or nothing, and say how it ended; what refuses it is in `removal.refusals`."""
    return ended(lambda: remove(removal, facts, reason))[0]


def ended(write: Callable[[], Operation | None]) -> tuple[Outcome, Operation | None]:
    """Do what writes, in a transaction of its own, and say how it ended, with the operation where there is one."""
    try:
        operation = write()
    except ChangedMeanwhileError:
        return Outcome.CONFLICT, None
    except RefusedError:
        return Outcome.REFUSED, None
    return (Outcome.SAVED if operation else Outcome.UNCHANGED), operation
