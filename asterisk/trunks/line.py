"""A SIP trunk as calls see it, without tables: how a number is dialled there, and which number comes from there. Pure."""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import phonenumbers

# What stands before a number of another country where it is dialled, in North America and nearly everywhere else.
_ABROAD = ("011", "00")
_SEPARATORS = str.maketrans("", "", " -.()")
_LONGEST = 100
# E.164: fifteen digits at most; no country has a number of fewer than seven.
_DIGITS = range(7, 16)


class NumberFormat(StrEnum):
    """How numbers are written at a trunk."""

    E164 = "e164"
    PLAIN = "plain"
    NATIONAL = "national"


@dataclass(frozen=True, slots=True)
class TrunkLine:
    """A SIP trunk. `networks` are those from which it sends calls, in CIDR notation; none: the addresses of `host`."""

    id: int
    customer: int | None  # whose it is; None: the provider's
    host: str
    port: int
    transport: str  # "udp", "tcp", "tls"
    networks: tuple[str, ...]
    username: str
    registers: bool
    number_format: NumberFormat
    channels: int

    @property
    def name(self) -> str:
        """As the phone system calls it."""
        return f"trunk-{self.id}"

    @property
    def at(self) -> str:
        """Where it is, as a call is sent there whether or not it answers when it is asked if it is there."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def dialled(self, number: str) -> str:
        """How a number in E.164 is dialled there; short codes (211, 911) as they are."""
        if not number.startswith("+") or self.number_format is NumberFormat.E164:
            return number
        digits = number[1:]
        if self.number_format is NumberFormat.PLAIN:
            return digits
        return digits[1:] if digits.startswith("1") and len(digits) == 11 else f"011{digits}"

    def way(self, number: str) -> str:
        """How the phone system reaches a number there: "trunk-4/30/sip:15145550100@sip.example.com:5060", the second being its channels."""
        return f"{self.name}/{self.channels}/sip:{self.dialled(number)}@{self.at}"

    def read(self, number: str) -> str:
        """The number in E.164 that comes from there (`read`)."""
        return read(number, self.number_format)


def read(number: str, written: NumberFormat) -> str:
    """The number in E.164 that comes from a trunk, as a caller's or as the one that was called, whichever way it is written; "" for
    none: anonymous, an extension, a name."""
    text = _bare(number)
    if text.startswith("+"):
        return _international(text[1:])
    for prefix in _ABROAD:
        if text.startswith(prefix):
            return _international(text.removeprefix(prefix))
    if len(text) == 11 and text.startswith("1"):
        return _north_american(text[1:])
    if written is not NumberFormat.PLAIN and (found := _north_american(text)):
        return found
    return _international(text) if _exists(text) else _north_american(text)


def _bare(number: str) -> str:
    """The number of a SIP or tel address, or of a text, without what people write between digits; "" for anything else."""
    if len(number) > _LONGEST or not number.isascii() or not number.isprintable():
        return ""
    _scheme, separator, rest = number.partition(":")
    text = (rest if separator else number).partition("@")[0].partition(";")[0].translate(_SEPARATORS)
    return text if text.removeprefix("+").isdigit() else ""


def _international(digits: str) -> str:
    return f"+{digits}" if digits.isdigit() and digits[0] != "0" and len(digits) in _DIGITS else ""


def _north_american(digits: str) -> str:
    return f"+1{digits}" if len(digits) == 10 and digits[0] in "23456789" and digits[3] in "23456789" else ""


@lru_cache(maxsize=4_096)
def _exists(digits: str) -> bool:
    """Whether these digits are a number with its country code, by the numbering plans."""
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(f"+{digits}"))
    except phonenumbers.NumberParseException:
        return False
