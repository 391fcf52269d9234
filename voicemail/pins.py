"""The PIN of a mailbox: which ones anybody would guess, and how one is made that keeps the rules.

Refused is what stands on the lists of PINs that people choose, and what whoever knows the person can read off: the extension, the
phone numbers. A day and a month, or a date of birth, isn't: the portal knows nobody's, and a list of all of them is longer than what
can be tried before the mailbox shuts; the few that everybody knows are on the list.
"""

import re
from collections.abc import Collection, Iterable
from enum import StrEnum
from itertools import groupby, pairwise
from random import Random

SHORTEST, LONGEST, GENERATED = 4, 10, 6
_DIGITS = re.compile(r"[0-9]+\Z")
_YEARS = range(1900, 2100)

# Where each key lies on a telephone: column and row.
_KEYS = {
    digit: (column, row)
    for row, line in enumerate(["123", "456", "789"])
    for column, digit in enumerate(line)
} | {"0": (1, 3)}
# Three keys in a row, a column or a diagonal, from either end; the column in the middle has a fourth.
_LINES = {
    way
    for line in ("123", "456", "789", "147", "258", "369", "159", "357", "580")
    for way in (line, line[::-1])
}
# Around the keypad, or across it: the corners, the sides.
_AROUND = ("1397", "2684")
# The rest of the lists of what people choose: words on the keypad (LOVE), constants, films, days that everybody knows.
_COMMON = frozenset(
    re.findall(
        "[0-9]+",
        """
        1004 1342 5683 1230 1235 1245 1243 1324 1423 2345 0911 9110 1492 1776 1812 1867 1701 4711 3141 2718 1618 0007
        2512 1225 2412 1224 3112 1231 2406 0624 0107 0701 1402 0214
        0420 5150 1029 7894 4561 1237 3691
        12340 10203 90210 42069 38317 31415 12369
        010203 102030 131415 314159 271828 292513 520131 142536 123654 112358 246810
        101112 121314 100200 200300 258025 102938 321654
        8675309 5201314 3141592 10203040 11235813 12131415 31415926 1029384756 3141592653
        """,
    )
)


class Weakness(StrEnum):
    """Why a PIN isn't accepted; the sentence is made where the reader's language is known."""

    NOT_DIGITS = "not_digits"
    LENGTH = "length"
    EXTENSION = "extension"
    PHONE_NUMBER = "phone_number"
    REPEATED = "repeated"
    RUN = "run"
    KEYPAD = "keypad"
    YEAR = "year"
    COMMON = "common"


def weakness(pin: str, extension: str = "", numbers: Iterable[str] = ()) -> Weakness | None:
    """Why this PIN can't be used for this extension; None when it can. `numbers`: phone numbers of its person, however written."""
    if not _DIGITS.match(pin):
        return Weakness.NOT_DIGITS
    if not SHORTEST <= len(pin) <= LONGEST:
        return Weakness.LENGTH
    if extension and says_extension(pin, extension):
        return Weakness.EXTENSION
    if says_number(pin, numbers):
        return Weakness.PHONE_NUMBER
    if _repeats(pin):
        return Weakness.REPEATED
    if _runs(pin):
        return Weakness.RUN
    if _is_drawn(pin):
        return Weakness.KEYPAD
    if len(pin) == 4 and int(pin) in _YEARS:
        return Weakness.YEAR
    return Weakness.COMMON if pin in _COMMON else None


def says_extension(pin: str, extension: str) -> bool:
    """Whether a PIN is the extension with something around it (1041, 0104), from behind (4010), or a part of it said over again.

    What is around it must be less than it, or one digit alone (104000): three digits of six are there by chance in one PIN of a hundred.
    """
    for said in (extension, extension[::-1]):
        if pin in said * LONGEST:
            return True
        if said not in pin:
            continue
        rest = pin.replace(said, "", 1)
        if len(rest) < len(said) or len(pin) == SHORTEST or len(set(rest)) == 1:
            return True
    return False


def says_number(pin: str, numbers: Iterable[str]) -> bool:
    """Whether a PIN is a part of one of these phone numbers, such as the last digits."""
    return any(pin in re.sub(r"[^0-9]", "", number) for number in numbers)


def _repeats(pin: str) -> bool:
    """One or two digits alone (0000, 1211, 1010), a group said over and over (123123), each digit doubled (112233), a mirror (123321)."""
    size = len(pin)
    return (
        len(set(pin)) < 3
        or any(pin == pin[:part] * (size // part) for part in range(1, size // 2 + 1) if size % part == 0)
        or 2 * sum(1 for _digit in groupby(pin)) <= size
        or (size > 4 and pin == pin[::-1])
    )


def _runs(pin: str) -> bool:
    """Up or down by the same step, past 9 to 0 (1234, 8901, 2468, 9630), or one by one but for the last digit (12349)."""
    steps = [(int(after) - int(before)) % 10 for before, after in pairwise(pin)]
    return len(set(steps)) == 1 or (len(pin) > 4 and set(steps[:-1]) in ({1}, {9}))


def _is_drawn(pin: str) -> bool:
    """What a finger draws on the keypad: key after neighbouring key (2580, 1254), lines one after another (147258), a line and the
    zero below (8520, 0147), its corners (1379)."""
    if all(_beside(*two) for two in pairwise(pin)):
        return True
    if len(pin) % 3 == 0 and all(pin[place : place + 3] in _LINES for place in range(0, len(pin), 3)):
        return True
    if len(pin) == 4 and ((pin[0] == "0" and pin[1:] in _LINES) or (pin[3] == "0" and pin[:3] in _LINES)):
        return True
    return len(pin) == 4 and any(set(pin) == set(keys) for keys in _AROUND)


def _beside(one: str, other: str) -> bool:
    (column, row), (other_column, other_row) = _KEYS[one], _KEYS[other]
    return abs(column - other_column) + abs(row - other_row) == 1


def random_pin(source: Random, extension: str = "", numbers: Collection[str] = ()) -> str:
    """Six digits that keep the rules; `source` is `secrets.SystemRandom()` but in tests."""
    while True:
        pin = "".join(source.choice("0123456789") for _ in range(GENERATED))
        if weakness(pin, extension, numbers) is None:
            return pin
