"""Where machines of the phone system are: a host name or an address, in one way of writing each."""

import re
from ipaddress import IPv6Address

from pbxadmin.common.values import network
from pbxadmin.common.values.network import Why

_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_NAME = re.compile(rf"(?=.{{1,253}}\Z)({_LABEL}\.)*{_LABEL}")
# Some systems read these as an address, in decimal, octal or hex: no name ends so.
_NUMERIC = re.compile(r"(0x[0-9a-f]*|[0-9]+)")


def place_meant(text: str) -> str:
    """The host that is written: a name in small letters, or an IP address in its canonical way, an IPv6 one without brackets.

    "" for what is none, `127.1` and `0x7f000001` among them.
    """
    text = text.strip().lower().removesuffix(".")
    inside = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    if isinstance(address := network.read(inside), Why):
        return text if _NAME.fullmatch(text) and not _NUMERIC.fullmatch(text.rpartition(".")[2]) else ""
    return inside if inside == text or isinstance(address, IPv6Address) else ""


def why_unreachable(place: str) -> Why | None:
    """Why nobody is at this place, where it is an address; a name may lead anywhere, and isn't looked up."""
    address = network.read(place)
    return None if isinstance(address, Why) else network.refusal(address)


def in_uri(place: str) -> str:
    """As a SIP or HTTP address has it: an IPv6 address in brackets."""
    return f"[{place}]" if ":" in place else place
