"""Numbers to which calls aren't forwarded: somebody would earn on every minute of them, or the country isn't open."""

import re
from collections.abc import Collection
from enum import StrEnum
from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneNumberType

# North America: 900 and 976 are pay-per-call.
_PAY_PER_CALL = re.compile(r"\+1(900|[2-9]\d{2}976)")
# Countries that share +1 and are called at international prices, unlike what the number looks like: the classic of
# forwarding fraud. Canada, the United States and their territories aren't among them.
_CARIBBEAN = frozenset(
    [
        "242",
        "246",
        "264",
        "268",
        "284",
        "345",
        "441",
        "473",
        "649",
        "658",
        "664",
        "721",
        "758",
        "767",
        "784",
        "809",
        "829",
        "849",
        "868",
        "869",
        "876",
    ]
)
# Inmarsat, the global mobile satellite systems, international networks, international premium rate; and Canada's code 600, which
# leads to satellite telephones and special networks at prices of their own, although it looks like any area code.
_SATELLITE = ("+870", "+881", "+882", "+883", "+979", "+878", "+1600")
# Premium rate of the countries that people here have numbers of: France 089, Belgium 090, the United Kingdom 09, Germany 0900.
_PREMIUM_ABROAD = re.compile(r"\+(3389|3290|449|49900|41900|39899|34[89]0[3-7])")


# What the numbering plans themselves call paid, whatever the country.
_PAID = frozenset(
    {PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST, PhoneNumberType.PERSONAL_NUMBER}
)
# Countries share the codes of these two numbering plans; a number of none of them by its digits counts as one of these.
_SHARED = {1: ("CA", "US"), 7: ("RU",)}


class Toll(StrEnum):
    """Why calls aren't forwarded to a number."""

    PREMIUM = "premium"
    SATELLITE = "satellite"
    CARIBBEAN = "caribbean"
    COUNTRY = "country"  # not one of those that are open


def toll_of(number: str, countries: Collection[str] | None = None) -> Toll | None:
    """Why calls aren't forwarded to this number (E.164); None when they are.

    `countries`: the open ones (ISO 3166, two letters); None where only what is dear counts.
    """
    if _PAY_PER_CALL.match(number) or _PREMIUM_ABROAD.match(number):
        return Toll.PREMIUM
    if number.startswith(_SATELLITE):
        return Toll.SATELLITE
    if number.startswith("+1") and number[2:5] in _CARIBBEAN:
        return Toll.CARIBBEAN
    # In North America the first seven of the ten digits decide: many numbers of a company are one look-up.
    alike = f"{number[:9]}000" if number.startswith("+1") and len(number) == 12 else number
    paid, where = _in_the_numbering_plan(alike)
    if paid:
        return Toll.PREMIUM
    return None if countries is None or where & set(countries) else Toll.COUNTRY


@lru_cache(maxsize=16_384)
def _in_the_numbering_plan(number: str) -> tuple[bool, frozenset[str]]:
    """Whether a number's own plan calls it paid, and the countries that it may be in; of none where it can't be read."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return False, frozenset()
    region = phonenumbers.region_code_for_number(parsed)
    code = parsed.country_code or 0
    where = [region] if region else _SHARED.get(code) or phonenumbers.region_codes_for_country_code(code)
    return phonenumbers.number_type(parsed) in _PAID, frozenset(where)


# What is put before a number and is no part of it: an outside line, an operator (0, and 01 with the number abroad), a carrier of
# one's own choice (101 and four digits). Then what says that it is abroad: 011 here, 00 nearly everywhere else.
_BEFORE = re.compile(r"101[0-9]{4}|9|0")
_ABROAD = re.compile(r"(?:011|00|01)([1-9][0-9]{6,13})")
_HERE = re.compile(r"1?([2-9][0-9]{2}[2-9][0-9]{6})")
# What is dialled before a number and changes only how it is called: *67, *72, and whatever else has two or three digits.
_CODE = re.compile(r"[*#]+([0-9]{2,3})")


def numbers_in(text: str) -> dict[str, bool]:
    """The outside numbers (E.164) that are dialled by what a key holds, or by some of it; and whether each stands there plainly.

    "9,,,19005551234" dials one plainly. "1900,5551234", "9,1,900,5551234", "*729005551234" and "1010288*19005551234" hide it: a phone
    dials what stands before a pause, so that whoever looks at that alone sees something else. What follows a whole number are tones in a
    call that is there already; they are read as numbers of their own.
    """
    found: dict[str, bool] = {}
    parts = [re.sub(r"[^0-9+]", "", part) for part in re.split(r"[,;*#a-zA-Z]+", text)]
    for part in parts:
        if number := _outside(part):
            found[number] = True
    for start in range(len(parts)):
        joined = ""
        for part in parts[start:]:
            joined += part
            if number := _outside(joined):
                found.setdefault(number, False)
                break
    for code in _CODE.finditer(text):
        behind = re.sub(r"[^0-9+]", "", text[code.end() :])
        for digits in (len(code[1]) - 2, 0):  # most have two digits, some three
            if number := _outside(text[code.end() - digits : code.end()] + behind):
                found.setdefault(number, False)
                break
    return found


# The same few numbers are called again and again.
@lru_cache(maxsize=2_000)
def as_dialled(text: str) -> str:
    """The outside number in what is dialled, in E.164: "9,,,19005551234" and "011 881…" included; "" where there is none.

    Pauses and star codes before it are left out: what follows them is dialled all the same. The last one counts.
    """
    return next((number for number, plainly in reversed(numbers_in(text).items()) if plainly), "")


def _outside(digits: str) -> str:
    """The number of the public network that these digits reach, in E.164, whatever is put before it; "" for none."""
    if digits.startswith("+"):
        return digits if len(digits) > 7 else ""
    if here := _HERE.fullmatch(digits):
        return f"+1{here[1]}"
    if abroad := _ABROAD.fullmatch(digits):
        return f"+{abroad[1]}"
    if (before := _BEFORE.match(digits)) and len(digits) > 10:
        return _outside(digits[before.end() :])
    return ""
