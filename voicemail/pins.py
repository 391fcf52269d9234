"""The PIN of a mailbox: which ones anybody would guess, and how one is made that keeps the rules."""

import re
from enum import StrEnum
from random import Random

SHORTEST, LONGEST, GENERATED = 4, 10, 6
_DIGITS = re.compile(r"[0-9]+\Z")
_RUNS = "01234567890", "09876543210"
_YEARS = range(1900, 2100)


class Weakness(StrEnum):
    """Why a PIN isn't accepted; the sentence is made where the reader's language is known."""

    NOT_DIGITS = "not_digits"
    LENGTH = "length"
    EXTENSION = "extension"
    REPEATED = "repeated"
    RUN = "run"
    YEAR = "year"


def weakness(pin: str, extension: str = "") -> Weakness | None:
    """Why this PIN can't be used for this extension; None when it can.

    Repeated is one digit (0000), or a group said over and over (1212, 123123). A run goes up or down by one, past 9 to 0.
    """
    if not _DIGITS.match(pin):
        return Weakness.NOT_DIGITS
    if not SHORTEST <= len(pin) <= LONGEST:
        return Weakness.LENGTH
    if extension and pin in (extension, extension.zfill(len(pin))):
        return Weakness.EXTENSION
    if any(
        pin == pin[:size] * (len(pin) // size) for size in range(1, len(pin) // 2 + 1) if len(pin) % size == 0
    ):
        return Weakness.REPEATED
    if any(pin in run for run in _RUNS):
        return Weakness.RUN
    if len(pin) == 4 and int(pin) in _YEARS:
        return Weakness.YEAR
    return None


def random_pin(source: Random, extension: str = "") -> str:
    """Six digits that keep the rules; `source` is `secrets.SystemRandom()` but in tests."""
    while True:
        pin = "".join(source.choice("0123456789") for _ in range(GENERATED))
        if weakness(pin, extension) is None:
            return pin
