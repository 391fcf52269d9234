"""What an outside number is, by the numbering plan of its country: where it is, and which kind of line answers there."""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneNumberType

from pbxadmin.common.values.tolls import Toll, toll_of


class Line(StrEnum):
    """The kinds of line that people tell apart, the dear ones first."""

    PREMIUM = "premium"
    SATELLITE = "satellite"
    TOLL_FREE = "toll_free"
    MOBILE = "mobile"
    FIXED = "fixed"
    EITHER = "either"  # in North America a number doesn't say whether it is a mobile's
    VOIP = "voip"
    OTHER = "other"


_KINDS = {
    PhoneNumberType.TOLL_FREE: Line.TOLL_FREE,
    PhoneNumberType.MOBILE: Line.MOBILE,
    PhoneNumberType.FIXED_LINE: Line.FIXED,
    PhoneNumberType.FIXED_LINE_OR_MOBILE: Line.EITHER,
    PhoneNumberType.VOIP: Line.VOIP,
}
_TOLLS: dict[Toll | None, Line] = {Toll.PREMIUM: Line.PREMIUM, Toll.SATELLITE: Line.SATELLITE}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a number leads: the country (ISO 3166, two letters; "" where several share the code, or none has it), and the kind of line."""

    country: str
    line: Line


@lru_cache(maxsize=16_384)
def place_of(number: str) -> Place:
    """What the numbering plans say of a number in E.164; `Line.OTHER` in no country for what isn't one."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return Place("", Line.OTHER)
    country = phonenumbers.region_code_for_number(parsed) or ""
    line = _TOLLS.get(toll_of(number)) or _KINDS.get(phonenumbers.number_type(parsed), Line.OTHER)
    # 1 800 and 1 900 are of all of North America, whichever country the library counts them to; "001" is the whole world.
    shared = country == "001" or (parsed.country_code == 1 and line in (Line.TOLL_FREE, Line.PREMIUM))
    return Place("" if shared else country, line)
