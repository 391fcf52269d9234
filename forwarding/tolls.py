"""Numbers to which calls aren't forwarded, because somebody would earn on every minute of them."""

import re
from enum import StrEnum

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
# Inmarsat, the global mobile satellite systems, international networks, international premium rate.
_SATELLITE = ("+870", "+881", "+882", "+883", "+979", "+878")
# Premium rate of the countries that people here have numbers of: France 089, Belgium 090, the United Kingdom 09, Germany 0900.
_PREMIUM_ABROAD = re.compile(r"\+(3389|3290|449|49900|41900|39899|34[89]0[3-7])")


class Toll(StrEnum):
    """Why a number is expensive."""

    PREMIUM = "premium"
    SATELLITE = "satellite"
    CARIBBEAN = "caribbean"


def toll_of(number: str) -> Toll | None:
    """Why calls aren't forwarded to this number (E.164); None when they are."""
    if _PAY_PER_CALL.match(number) or _PREMIUM_ABROAD.match(number):
        return Toll.PREMIUM
    if number.startswith(_SATELLITE):
        return Toll.SATELLITE
    if number.startswith("+1") and number[2:5] in _CARIBBEAN:
        return Toll.CARIBBEAN
    return None
