"""The five statuses of a person: one record each, from which everything else that tells of a status derives."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


def gettext_noop(message: str) -> str:
    """Marks a text for the catalogue; whoever shows it translates it."""
    return message


@dataclass(frozen=True, slots=True)
class StatusRecord:
    """What is to be said of one status. `rings`: a call rings first (available type), or is diverted at once (away type)."""

    slug: str
    label: str  # a msgid
    rings: bool
    dial_code: str  # dialled on one's own phone to take it
    tone: Literal["ok", "wait", "bad"]  # how it is drawn
    # What a new person's rule says of PUSH notifications, and of the calls of ring groups.
    wakes_app: bool = True
    rings_in_groups: bool = True


class Status(StrEnum):
    """What a person is doing, as far as calls are concerned; each one has its own forwarding rule."""

    AVAILABLE = StatusRecord("available", gettext_noop("Available"), rings=True, dial_code="*30", tone="ok")
    AWAY = StatusRecord(
        "away", gettext_noop("Away"), rings=False, dial_code="*31", tone="wait", rings_in_groups=False
    )
    DO_NOT_DISTURB = StatusRecord(
        "do_not_disturb",
        gettext_noop("Do not disturb"),
        rings=False,
        dial_code="*32",
        tone="bad",
        wakes_app=False,
        rings_in_groups=False,
    )
    LUNCH = StatusRecord("lunch", gettext_noop("Lunch"), rings=True, dial_code="*33", tone="wait")
    BUSINESS_TRIP = StatusRecord(
        "business_trip",
        gettext_noop("Business Trip"),
        rings=False,
        dial_code="*34",
        tone="wait",
        rings_in_groups=False,
    )

    record: StatusRecord

    def __new__(cls, record: "StatusRecord | str") -> "Status":
        """A member's value is its record's slug; `Status("away")` looks it up."""
        assert isinstance(record, StatusRecord)
        status = str.__new__(cls, record.slug)
        status._value_ = record.slug
        status.record = record
        return status

    @property
    def rings(self) -> bool:
        """Whether a call rings first (available type) or is diverted at once (away type)."""
        return self.record.rings

    @property
    def dial_code(self) -> str:
        """What to dial on one's own phone to take this status."""
        return self.record.dial_code
