"""The five statuses of a person, which of them ring, and the codes that set them from a phone."""

from enum import StrEnum


class Status(StrEnum):
    """What a person is doing, as far as calls are concerned; each one has its own forwarding rule."""

    AVAILABLE = "available"
    AWAY = "away"
    DO_NOT_DISTURB = "do_not_disturb"
    LUNCH = "lunch"
    BUSINESS_TRIP = "business_trip"

    @property
    def rings(self) -> bool:
        """Whether a call rings first (available type) or is diverted at once (away type)."""
        return self in AVAILABLE_TYPES

    @property
    def dial_code(self) -> str:
        """What to dial on one's own phone to take this status."""
        return DIAL_CODES[self]


AVAILABLE_TYPES = frozenset({Status.AVAILABLE, Status.LUNCH})
AWAY_TYPES = frozenset(Status) - AVAILABLE_TYPES

DIAL_CODES = {
    Status.AVAILABLE: "*30",
    Status.AWAY: "*31",
    Status.DO_NOT_DISTURB: "*32",
    Status.LUNCH: "*33",
    Status.BUSINESS_TRIP: "*34",
}
