"""Where a NOTIFY may go: to a phone's address, never the machine's own or a service of the network."""

import ipaddress
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Allowed = Callable[[Address], bool] | Iterable[Network]

_HOST = re.compile(r"[A-Za-z0-9.:%\-_]{1,253}")
# Token characters that a SIP URI takes without escaping.
_USER = re.compile(r"[A-Za-z0-9\-.!*_+'~]{1,64}")

_FIRST_PORT = 1024
"""Below are the services of machines (SSH, mail, web); no phone and no NAT puts a registration there."""

_UNICAST = [ipaddress.ip_network(text) for text in ("0.0.0.0/0", "2000::/3", "fc00::/7")]
_NOT_PHONES = [
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8",  # this network: Linux takes it as this machine
        "127.0.0.0/8",
        "169.254.0.0/16",  # link-local, and the metadata services of most clouds
        "192.0.0.0/24",  # protocol assignments; a cloud's metadata at .192
        "100.100.100.200/32",  # a cloud's metadata
        "168.63.129.16/32",  # a cloud's metadata
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
        "2001::/32",  # Teredo and 6to4 carry an IPv4 address, which may be any of the above
        "2002::/16",
        "fd00:ec2::/32",  # a cloud's metadata
    )
]


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
    """The rule for an installation: any private or public unicast address, and the networks in `also`.

    Without `also`, no loopback, link-local, multicast, unspecified or metadata address passes. A
    development machine adds "127.0.0.0/8", where its virtual phones are. Raises ValueError for what isn't a
    network.
    """
    added = [ipaddress.ip_network(text) for text in also]

    def rule(address: Address) -> bool:
        return _within(address, added) or (_within(address, _UNICAST) and not _within(address, _NOT_PHONES))

    return rule


def as_rule(allowed: Allowed) -> Callable[[Address], bool]:
    """`allowed` as a function, whichever of its two forms it has."""
    if callable(allowed):
        return allowed
    networks = list(allowed)
    return lambda address: _within(address, networks)


def address_of(host: str, port: int, allowed: Callable[[Address], bool]) -> Address:
    """The address that `host` writes, if it is canonical and allowed and the port one that phones use.

    Names are refused: what they resolve to can change between the check and the sending.
    Raises `ForbiddenAddressError`.
    """
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        # `localhost`, `2130706433`, `0x7f.1`, `127.1` and `010.0.0.1` end here.
        raise ForbiddenAddressError("not an IP address") from None
    if str(address) != host:
        raise ForbiddenAddressError(f"not the canonical writing of {address}")
    # An IPv4 address in disguise, or one that means something else on each interface.
    if address.version == 6 and (address.ipv4_mapped is not None or address.scope_id is not None):
        raise ForbiddenAddressError("not the canonical writing of an address")
    # Whatever the rule says: there is no phone at an address of everybody or nobody.
    if address.is_multicast or address.is_unspecified or str(address) == "255.255.255.255":
        raise ForbiddenAddressError("not the address of one machine")
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


def _within(address: Address, networks: Iterable[Network]) -> bool:
    return any(address in network for network in networks)
