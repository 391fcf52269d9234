"""Where a NOTIFY may go: to a phone's address, never the machine's own or a service of the network."""

import ipaddress
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal

from pbxadmin.common.values import network
from pbxadmin.common.values.network import Address, Network, Why

Allowed = Callable[[Address], bool] | Iterable[Network]

_HOST = re.compile(r"[A-Za-z0-9.:%\-_]{1,253}")
# Token characters that a SIP URI takes without escaping.
_USER = re.compile(r"[A-Za-z0-9\-.!*_+'~]{1,64}")

_FIRST_PORT = 1024
"""Below are the services of machines (SSH, mail, web); no phone and no NAT puts a registration there."""


# Whatever an installation adds: no phone is there.
_NEVER = frozenset({Why.NOBODY, Why.DISGUISED, Why.METADATA})


class ForbiddenAddressError(Exception):
    """An address that gets no NOTIFY; the text says why."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """A phone as SIP reaches it: its address, and the account whose credentials it knows.

    Raises ValueError for what could break out of a header or a URI; whether the address may be written to
    is decided when something is sent there.
    """

    host: str
    """An IP address in its canonical writing, IPv6 without brackets; no name is ever looked up."""
    user: str
    """The phone's SIP user: the user part of the request URI."""
    auth_id: str
    password: str = field(repr=False)
    port: int = 5060
    transport: Literal["udp", "tcp"] = "udp"

    def __post_init__(self) -> None:
        require(_HOST.fullmatch(self.host), "host", "an IP address")
        require(_USER.fullmatch(self.user), "user", "1 to 64 characters that a SIP URI takes unescaped")
        # Both stand inside a digest: the one quoted and escaped, the other only hashed.
        require(self.auth_id.isprintable() and 0 < len(self.auth_id) <= 128, "auth_id", "printable text")
        require(self.password.isprintable() and len(self.password) <= 256, "password", "printable text")
        require(0 < self.port < 65536, "port", "a port number")
        require(self.transport in ("udp", "tcp"), "transport", "udp or tcp")


def phone_networks(*also: str) -> Callable[[Address], bool]:
    """The rule for an installation: any private or public address that can be a device's, and the networks in `also`.

    What can be one is said by `pbxadmin.common.values.network`. A development machine adds "127.0.0.0/8", where its virtual phones
    are. The services of clouds, and what is nobody's, no network in `also` opens. Raises ValueError for what isn't a network.
    """
    added = [ipaddress.ip_network(text) for text in also]

    def rule(address: Address) -> bool:
        why = network.refusal(address)
        return why is None or (why not in _NEVER and network.within(address, added))

    return rule


def as_rule(allowed: Allowed) -> Callable[[Address], bool]:
    """`allowed` as a function, whichever of its two forms it has."""
    if callable(allowed):
        return allowed
    networks = list(allowed)
    return lambda address: network.within(address, networks)


def address_of(host: str, port: int, allowed: Callable[[Address], bool]) -> Address:
    """The address that `host` writes, if it is canonical and allowed and the port one that phones use.

    Names are refused: what they resolve to can change between the check and the sending.
    Raises `ForbiddenAddressError`.
    """
    address = network.read(host)
    if isinstance(address, Why):
        raise ForbiddenAddressError(address)
    if (why := network.refusal(address)) in _NEVER:
        raise ForbiddenAddressError(str(why))
    if not allowed(address):
        raise ForbiddenAddressError("an address outside the phones' networks")
    if port < _FIRST_PORT:
        raise ForbiddenAddressError("a port that phones don't use")
    return address


def bracketed(host: str) -> str:
    """`host` as a SIP URI writes it: an IPv6 address in brackets."""
    return f"[{host}]" if ":" in host else host


def require(condition: object, name: str, what: str) -> None:
    """Raise ValueError that `name` must be `what`, unless `condition`."""
    # Without the value: it may be a password, and what is wrong with it may be a line break in somebody's
    # log.
    if not condition:
        raise ValueError(f"{name} must be {what}")
