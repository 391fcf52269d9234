"""PURE: what a node says of a registered device, read out of its messages."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from asterisk.ami.protocol import Message

LINE = re.compile(r"([0-9]{2,5})@([a-z0-9](?:[a-z0-9.-]{0,250}[a-z0-9])?)\Z")
# "IPV4/UDP/192.0.2.7/5060", as events of the class "security" write an address.
REMOTE = re.compile(r"IPV[46]/[A-Z]+/([0-9a-fA-F.:]+)/([0-9]+)\Z")


@dataclass(frozen=True)
class Registered:
    """One device as the node tells it."""

    line: str
    uri: str
    address: str
    user_agent: str
    expires: datetime | None

    @property
    def host(self) -> str:
        """From where it came, without the port."""
        return self.address.rpartition(":")[0].strip("[]")

    def came_from(self, address: str) -> bool:
        """Whether this is the device that somebody at `address` registered."""
        return self.address == address or self.uri.partition(";")[0].endswith((f"@{address}", f":{address}"))


def of_message(message: Message) -> Registered | None:
    """Out of a `ContactList` or a `ContactStatusDetail`; None for what is no person's (a trunk's)."""
    line = message.get("Endpoint") or message.get("EndpointName") or message.get("AOR")
    uri = message.get("Uri")[:400]
    if not LINE.match(line) or not uri:
        return None
    address = message.get("ViaAddress") or _joined(message.get("ViaAddr"), message.get("ViaPort"))
    until = message.get("ExpirationTime") or message.get("RegExpire")
    return Registered(line, uri, address[:60], message.get("UserAgent")[:120], _moment(until))


def remote(text: str) -> str:
    """ "192.0.2.7:5060" out of an address of the class "security"; empty for what isn't one."""
    found = REMOTE.match(text)
    return _joined(found[1], found[2]) if found else ""


def _joined(host: str, port: str) -> str:
    if not host:
        return ""
    shown = f"[{host}]" if ":" in host and not host.startswith("[") else host
    return f"{shown}:{port}" if port else shown


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromtimestamp(int(text), UTC) if int(text) > 0 else None
    except (ValueError, OverflowError, OSError):
        return None
