"""From a question to an answer: what a call does, asked of the tables and of whoever knows what is registered.

`plan_call` is the one way in: the simulator, `manage.py simulate_call` and the PBX ask it, and nobody else brings routing, directory
and presence together.
"""

import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from forwarding.calls import Call, Callee, FromExtension, FromOutside, Presence
from forwarding.decisions import CallPlan, Dialled, PlanEncoder, Verdict
from forwarding.routing import EVERYTHING_REGISTERED, arrive, dial, route
from forwarding.snapshot import CustomerDirectory, caller_of
from users.models import Customer, User


class NoSuchCallerError(LookupError):
    """The calling extension is nobody's of this customer."""


@dataclass(frozen=True)
class PlannedCall:
    """What happens to one call: first where the dialled number goes (`dialled`, None for a call from outside), then the plan at the
    company's own numbers (`plan`, None where the call leaves the company, is refused or is answered by the PBX itself)."""

    dialled: Dialled | None = None
    plan: CallPlan | None = None

    def as_data(self) -> dict[str, Any]:
        """For JSON; the same in every language."""
        found: dict[str, Any] = json.loads(json.dumps(self, cls=PlanEncoder))
        return found


def plans_of_members(
    call: Call,
    group: str,
    directory: CustomerDirectory,
    presence: Presence = EVERYTHING_REGISTERED,
    *,
    queue: bool = False,
) -> list[tuple[Callee, CallPlan]]:
    """What the call of a ring group (or `queue`) does at each of its members, by extension: it rings them, or leaves them out with the reason."""
    as_member = replace(call, from_ring_group=not queue, from_queue=queue)
    return [(member, route(as_member, member, directory, presence)) for member in directory.members(group)]


def plan_call(
    customer: Customer,
    origin: FromExtension | FromOutside,
    dialled: str,
    at: datetime,
    presence: Presence = EVERYTHING_REGISTERED,
    *,
    directory: CustomerDirectory | None = None,
    pin_entered_at: datetime | None = None,
) -> PlannedCall:
    """What happens when `origin` calls `dialled` at an instant (aware): an extension, a number in E.164 or as it was dialled.

    A number that is nobody's is a plan as well: busy, with the reason. `pin_entered_at`: when the caller last entered the PIN of
    the PIN protection. However many people the customer has, the queries are those of `CustomerDirectory` and at most five more.
    Raises `NoSuchCallerError`.
    """
    directory = directory or CustomerDirectory(customer)
    if isinstance(origin, FromOutside):
        return PlannedCall(None, arrive(Call(origin, at), dialled, directory, presence))
    person = (
        User.objects.of(customer)
        .filter(number=origin.extension)
        .select_related("primary_department", "customer")
        .defer("password", "sip_password")
        .first()
    )
    if person is None:
        raise NoSuchCallerError(origin.extension)
    decided = dial(dialled, caller_of(person, pin_entered_at), at, directory)
    if decided.verdict is not Verdict.INTERNAL:
        return PlannedCall(decided)
    return PlannedCall(decided, arrive(Call(origin, at), decided.number, directory, presence))
