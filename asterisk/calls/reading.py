"""PURE: the plan of a call as it was kept (`PlannedCall.as_data`), read back.

What an older or newer version of the portal wrote, or what isn't whole, is no plan: the call is then shown without its steps.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from forwarding.calls import Call
from forwarding.decisions import (
    Busy,
    CallPlan,
    Dialled,
    Mode,
    NotRung,
    Outcome,
    Outside,
    Reach,
    Reason,
    Ring,
    Step,
    System,
    Verdict,
    Voicemail,
    Why,
)
from pbxadmin.common.values.devices import Device
from pbxadmin.common.values.statuses import Status

# As many steps as a plan may have, and more.
MOST_STEPS = 5_000
# From one step to the next, and from one reason to what led to it; a plan has at most ten colleagues, each with two or three.
DEEPEST = 60
# What a damaged row may raise while it is read.
UNREADABLE = (KeyError, TypeError, ValueError, IndexError, AttributeError)


def dialled_of(data: Any) -> Dialled | None:
    """Where the dialled number went; None for a call from outside, and for what can't be read."""
    try:
        said = data["dialled"]
        shown = {"number": str(said["number"]), "caller_id": str(said["caller_id"])}
        code = {"code": str(said["code"])} if "code" in said else {}
        return Dialled(Verdict(said["verdict"]), **shown, reason=Reason(Why(said["reason"]), shown | code))
    except UNREADABLE:
        return None


def plan_of(data: Any, call: Call) -> CallPlan | None:
    """All that could happen to the call; None where nothing was planned, and for what can't be read."""
    try:
        steps = data["plan"]
        if not isinstance(steps, list) or not 0 < len(steps) <= MOST_STEPS:
            return None
        return CallPlan(call, _Reader(steps).step(0, 0))
    except UNREADABLE:
        return None


class _Reader:
    """The steps of one plan, each read once."""

    def __init__(self, steps: list[Any]) -> None:
        self.steps = steps
        self.known: dict[int, Step] = {}

    def step(self, position: Any, depth: int) -> Step:
        """The step at a place of the list. Raises one of `UNREADABLE`, also for steps that go round in circles."""
        if not isinstance(position, int) or position < 0 or depth > DEEPEST:
            raise ValueError(position)
        if position not in self.known:
            said = self.steps[position]
            self.known[position] = KINDS[said["step"]](said, lambda place: self.step(place, depth + 1))
        return self.known[position]


Follow = Callable[[Any], Step]


def _reach(said: Mapping[str, Any], follow: Follow) -> Step:
    return Reach(
        str(said["extension"]), str(said["name"]), Status(said["status"]), _reason(said["reason"]), follow(said["next"])
    )  # fmt: skip


def _ring(said: Mapping[str, Any], follow: Follow) -> Step:
    return Ring(
        str(said["extension"]), tuple(_device(each) for each in said["devices"]), str(said["mobile"]), int(said["seconds"]),
        bool(said["one_call"]), bool(said["apps"]), _reason(said["reason"]), _on(said, follow),
    )  # fmt: skip


def _outside(said: Mapping[str, Any], follow: Follow) -> Step:
    return Outside(
        str(said["number"]), Mode(said["mode"]), bool(said["screening"]), int(said["attempts"]), int(said["channels"]),
        _reason(said["reason"]), _on(said, follow),
    )  # fmt: skip


def _on(said: Mapping[str, Any], follow: Follow) -> dict[Outcome, Step]:
    return {Outcome(name): follow(place) for name, place in said["on"].items()}


KINDS: Mapping[str, Callable[[Mapping[str, Any], Follow], Step]] = {
    "reach": _reach,
    "ring": _ring,
    "outside": _outside,
    "voicemail": lambda said, follow: Voicemail(
        str(said["extension"]), str(said["greeting"]), _reason(said["reason"])
    ),
    "system": lambda said, follow: System(str(said["extension"]), str(said["kind"]), _reason(said["reason"])),
    "busy": lambda said, follow: Busy(_reason(said["reason"])),
    "notrung": lambda said, follow: NotRung(str(said["extension"]), _reason(said["reason"])),
}


def _reason(said: Mapping[str, Any], depth: int = 0) -> Reason:
    if depth > DEEPEST:
        raise ValueError(depth)
    cause = said["cause"]
    data = {name: _datum(name, value) for name, value in said["data"].items()}
    return Reason(Why(said["why"]), data, _reason(cause, depth + 1) if cause is not None else None)


def _datum(name: str, value: Any) -> Any:
    if name == "until":
        return datetime.fromisoformat(value)
    if name == "targets":
        return tuple(str(each) if isinstance(each, str) else _device(each) for each in value)
    return value


def _device(said: Mapping[str, Any]) -> Device:
    return Device(str(said["key"]), str(said["label"]), bool(said["push"]))
