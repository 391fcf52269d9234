"""The way of a call that is kept: who called, and the steps that it took of what was planned."""

from dataclasses import dataclass

from asterisk.calls import reading, taken
from asterisk.models import CallRecord
from forwarding.calls import Call, FromExtension, FromOutside
from forwarding.decisions import Dialled


@dataclass(frozen=True, slots=True)
class Way:
    """The way of one call, as far as it is known."""

    dialled: Dialled | None
    steps: tuple[taken.Passed, ...]


def origin_of(record: CallRecord) -> FromExtension | FromOutside:
    """Who called, as plans know it."""
    if record.from_extension:
        return FromExtension(record.from_extension)
    number = record.dialled if record.dialled.startswith("+") else ""
    return FromOutside(record.from_number, number)


def way_of(record: CallRecord) -> Way:
    """The steps that it took."""
    plan = reading.plan_of(record.planned, Call(origin_of(record), record.at))
    return Way(reading.dialled_of(record.planned), taken.passed(plan, record.taken) if plan else ())
