"""What was decided about a call: its steps, the reason of each, and the way through them."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any

from forwarding.calls import Call
from pbxadmin.common.values.devices import Device
from pbxadmin.common.values.statuses import Status


class Why(StrEnum):
    """The reason of a step; the data that each one carries is named beside it."""

    # How the person's status was found: extension, name, status.
    STATUS_CHOSEN = "status_chosen"
    STATUS_TEMPORARY = "status_temporary"  # until (local), today: whether it ends on the day of the call
    STATUS_OPEN = "status_open"
    STATUS_BREAK = "status_break"
    STATUS_CLOSED = "status_closed"
    STATUS_HOLIDAY = "status_holiday"
    # What makes a call leave the person: extension, name, status.
    DIVERTED_EXTERNAL = "diverted_external"
    DIVERTED_INTERNAL = "diverted_internal"
    OUT_OF_HOURS = "out_of_hours"
    ON_A_CALL = "on_a_call"
    NO_DEVICE = "no_device"
    NO_PUSH = "no_push"
    NO_ANSWER = "no_answer"  # seconds
    PHONE_BUSY = "phone_busy"
    DECLINED = "declined"
    UNREACHABLE = "unreachable"
    NOT_ACCEPTED = "not_accepted"  # number
    RING_GROUP_NOT_ACCEPTED = "ring_group_not_accepted"
    LOGGED_OUT = "logged_out"
    # Where it goes.
    RINGS = "rings"  # extension, name, status, seconds, targets (devices, and the mobile's number)
    TO_VOICEMAIL = "to_voicemail"  # extension, name, greeting (its key)
    TO_OUTSIDE = "to_outside"  # extension (whose rule it is), number; the same for the next three
    TO_OUTSIDE_BOUNCE = "to_outside_bounce"
    TO_OUTSIDE_SCREENED = "to_outside_screened"
    TO_OUTSIDE_DEFLECTED = "to_outside_deflected"
    TO_SYSTEM = "to_system"  # extension, name, kind
    BUSY_TONE = "busy_tone"
    NOT_RUNG = "not_rung"  # extension, name: the member that a ring group leaves out
    NOT_OFFERED = "not_offered"  # extension, name: the agent that a queue leaves out
    # Why it can't go on, and ends busy: extension, and name where there is one.
    DISABLED = "disabled"
    SUSPENDED = "suspended"
    MAILBOX_DISABLED = "mailbox_disabled"
    NO_MOBILE = "no_mobile"
    NO_DESTINATION = "no_destination"
    UNKNOWN_EXTENSION = "unknown_extension"
    UNKNOWN_NUMBER = "unknown_number"  # number: dialled from outside, and not one of the company's
    LEADS_NOWHERE = "leads_nowhere"  # number: the company's, but nobody has it
    LOOP = "loop"
    BACK_TO_CALLER = "back_to_caller"
    TOO_MANY_HOPS = "too_many_hops"  # hops
    TOO_MANY_WAYS = "too_many_ways"
    # Calls that a person makes: number, and caller_id where it passes.
    EMERGENCY = "emergency"
    INTERNAL_CALL = "internal_call"
    OUTSIDE_CALL = "outside_call"
    PIN_CODE = "pin_code"
    DIAL_CODE = "dial_code"
    BAD_NUMBER = "bad_number"
    NO_SUCH_EXTENSION = "no_such_extension"
    CALLER_DISABLED = "caller_disabled"
    CALLER_SUSPENDED = "caller_suspended"
    OUTSIDE_CALLS_DISABLED = "outside_calls_disabled"
    OUTSIDE_CALLS_OUT_OF_HOURS = "outside_calls_out_of_hours"
    PIN_NEEDED = "pin_needed"  # code: what is dialled before the PIN
    PREMIUM_NUMBER = "premium_number"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a step is taken, with the data of its sentence; `cause` is what led there."""

    why: Why
    data: Mapping[str, Any] = field(default_factory=dict)
    cause: "Reason | None" = None


class Outcome(StrEnum):
    """How ringing ends. When it is answered, the call plan ends."""

    ANSWERED = "answered"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    NOT_REGISTERED = "not_registered"
    DECLINED = "declined"


class Mode(StrEnum):
    """How a call is sent to an outside number."""

    PLAIN = "plain"
    BOUNCE = "bounce"
    DEFLECT = "deflect"


@dataclass(frozen=True, slots=True)
class Reach:
    """The call arrives at a person, whose status decides; nothing is heard yet."""

    extension: str
    name: str
    status: Status
    reason: Reason
    next: "Step"


@dataclass(frozen=True, slots=True)
class Ring:
    """Ring a person's devices, and their mobile ('' = not), for so many seconds; `on` says what follows.

    With `one_call`, a person who is on a call by the time this one comes here is busy: BUSY follows without ringing. Without `apps`,
    of what is registered by then only desk phones ring.
    """

    extension: str
    devices: tuple[Device, ...]
    mobile: str
    seconds: int
    one_call: bool
    apps: bool
    reason: Reason
    on: Mapping[Outcome, "Step"]


@dataclass(frozen=True, slots=True)
class Voicemail:
    """Take a message in this extension's mailbox after the greeting with this key ('' = the system's)."""

    extension: str
    greeting: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class Outside:
    """Send the call through the trunk.

    BOUNCE asks who answers to accept or reject, announces the caller's number or, with `screening`, the name
    that they recorded, and tries a second time when the first one fails; `on` says what follows when nobody accepts.
    DEFLECT answers the trunk with 302. `channels` is how many the whole call takes.
    """

    number: str
    mode: Mode
    screening: bool
    attempts: int
    channels: int
    reason: Reason
    on: Mapping[Outcome, "Step"]


@dataclass(frozen=True, slots=True)
class System:
    """Hand the call to a ring group, queue or digital receptionist."""

    extension: str
    kind: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class Busy:
    """The caller hears the busy tone and is disconnected."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class NotRung:
    """A ring group or queue leaves this member out and goes on with the others."""

    extension: str
    reason: Reason


Step = Reach | Ring | Voicemail | Outside | System | Busy | NotRung


@dataclass(frozen=True, slots=True)
class CallPlan:
    """All that can happen to one call, from `first` on; every branch ends. The same in every language."""

    call: Call
    first: Step

    def steps(self) -> tuple[Step, ...]:
        """Every step of every branch once, the first one first; branches may share steps."""
        found: dict[int, Step] = {}
        waiting = [self.first]
        while waiting:
            step = waiting.pop()
            if id(step) not in found:
                found[id(step)] = step
                waiting += reversed(_following(step).values())
        return tuple(found.values())

    def as_data(self) -> list[dict[str, Any]]:
        """The steps as a list fit for JSON; `next` and `on` are positions in the list."""
        found: list[dict[str, Any]] = json.loads(json.dumps(self, cls=PlanEncoder))
        return found

    def for_json(self) -> list[dict[str, Any]]:
        """The same, with reasons and devices left to `PlanEncoder`."""
        steps = self.steps()
        position = {id(step): index for index, step in enumerate(steps)}
        return [{"step": type(step).__name__.lower()} | _placed(step, position) for step in steps]


def path(plan: CallPlan, outcomes: Sequence[Outcome] = (Outcome.NO_ANSWER,)) -> tuple[Step, ...]:
    """The steps that the call goes through when its ringing ends in these outcomes, one after the other.

    Each step that rings or waits for acceptance takes one; the last outcome holds for all that follow.
    """
    left = list(outcomes) or [Outcome.NO_ANSWER]
    return walk(plan, lambda _step: left.pop(0) if len(left) > 1 else left[0])


def walk(plan: CallPlan, outcome_at: Callable[[Ring | Outside], Outcome]) -> tuple[Step, ...]:
    """The steps that the call goes through; `outcome_at` is asked once for each that rings or waits for acceptance.

    A path that ends at a `Ring` or a bounced `Outside` was answered there.
    """
    taken = []
    step: Step | None = plan.first
    while step is not None:
        taken.append(step)
        following = _following(step)
        if isinstance(step, Ring | Outside) and following:
            step = following.get(outcome_at(step))
        else:
            step = following.get("next")
    return tuple(taken)


def _following(step: Step) -> dict[str, Step]:
    """The steps that may come after this one, by the outcome that leads there."""
    match step:
        case Reach():
            return {"next": step.next}
        case Ring() | Outside():
            return {str(outcome): following for outcome, following in step.on.items()}
        case _:
            return {}


@cache
def _columns(kind: Any) -> tuple[str, ...]:
    """What makes a difference to a value of this dataclass: whether a device was ever seen is none of the PBX's business."""
    return tuple(each.name for each in fields(kind) if each.compare)


def _placed(step: Step, position: Mapping[int, int]) -> dict[str, Any]:
    """The fields of a step, with other steps by their position."""
    kind: Any = type(step)
    found = {name: getattr(step, name) for name in _columns(kind)}
    if "next" in found:
        found["next"] = position[id(found["next"])]
    if "on" in found:
        found["on"] = {outcome: position[id(following)] for outcome, following in found["on"].items()}
    return found


class PlanEncoder(json.JSONEncoder):
    """Writes call plans as JSON. Every call is kept so: what json knows itself it takes as it is, without a look at each word."""

    def default(self, o: Any) -> Any:
        """What json doesn't know: plans, and the values they are made of."""
        if hasattr(o, "for_json"):
            return o.for_json()
        if isinstance(o, datetime):
            return o.isoformat()
        kind: Any = type(o)
        return {name: getattr(o, name) for name in _columns(kind)}


class Verdict(StrEnum):
    """What happens to a call that a person makes."""

    EMERGENCY = "emergency"
    INTERNAL = "internal"
    OUTSIDE = "outside"
    SERVICE = "service"  # the PBX itself answers
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Dialled:
    """Where a dialled number goes, with which caller ID ('' where refused), and why."""

    verdict: Verdict
    number: str
    caller_id: str
    reason: Reason

    def for_json(self) -> dict[str, Any]:
        """What `PlanEncoder` writes."""
        code = {"code": self.reason.data["code"]} if "code" in self.reason.data else {}
        return {
            "verdict": str(self.verdict),
            "number": self.number,
            "caller_id": self.caller_id,
            "reason": str(self.reason.why),
        } | code
