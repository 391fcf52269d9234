"""Whether an address can be a device's: never the machine's own, nor a service of the network that it stands in.

The one place that judges addresses: what is written to (NOTIFY) and what phones are told to write to (an SBC) asks it. Addresses come
in as numbers alone: a name could mean another address at the next look-up, so no name is ever looked up here.
"""

import ipaddress
from collections.abc import Iterable
from enum import StrEnum

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Why(StrEnum):
    """Why an address is no device's."""

    UNREADABLE = "not an IP address"
    SPELLING = "not the canonical writing of an IP address"
    NOBODY = "not the address of one machine"
    OURSELVES = "an address of the machine itself"
    LINK = "an address that means another machine on each link"
    METADATA = "an address of a cloud's own services"
    DISGUISED = "not the canonical writing of an IPv4 address"
    RESERVED = "an address that no device has"


def _networks(*texts: str) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(text) for text in texts)


# In this order: the first one that an address is in says why.
_REFUSED: tuple[tuple[Why, tuple[Network, ...]], ...] = (
    (Why.NOBODY, _networks("0.0.0.0/32", "::/128", "224.0.0.0/4", "ff00::/8", "255.255.255.255/32")),
    # Linux takes all of 0.0.0.0/8 as this machine.
    (Why.OURSELVES, _networks("127.0.0.0/8", "0.0.0.0/8", "::1/128")),
    (
        Why.METADATA,
        _networks(
            "169.254.169.254/32", "100.100.100.200/32", "168.63.129.16/32", "192.0.0.0/24", "192.80.8.124/32",
            "fd00:ec2::/32", "fd20:ce::/32", "fd00:c1::/32", "fd00:42::/32", "fd00:a9fe:a9fe::/48",
        ),
    ),
    (Why.LINK, _networks("169.254.0.0/16", "fe80::/10", "fec0::/10")),
    # Mapped, compatible, translated (NAT64, SIIT), 6to4, Teredo: what is inside may be any of the above.
    (
        Why.DISGUISED,
        _networks("::ffff:0:0/96", "::ffff:0:0:0/96", "::/96", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32"),
    ),
    (Why.RESERVED, _networks("240.0.0.0/4", "192.88.99.0/24", "100::/64", "5f00::/16", "3fff::/20")),
)  # fmt: skip
# What IPv6 has given to anybody at all: the Internet, and networks of one's own.
_GIVEN = _networks("2000::/3", "fc00::/7")
# ISATAP: the second half of an address says that the last quarter is an IPv4 address.
_ISATAP = (0x00005EFE, 0x02005EFE)
_OWN = ipaddress.IPv6Network("fc00::/7")


def read(text: str) -> Address | Why:
    """The address that is written; a `Why` for what isn't one, or is written otherwise than in its one canonical way.

    `localhost`, `2130706433`, `0x7f.1`, `127.1`, `010.0.0.1`, `10.0.0.1.`, and an address with a zone (`fe80::1%eth0`) end here.
    """
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return Why.UNREADABLE
    if str(address) != text or getattr(address, "scope_id", None) is not None:
        return Why.SPELLING
    return address


def refusal(address: Address) -> Why | None:
    """Why this address is no device's; None where it may be one."""
    for why, networks in _REFUSED:
        if within(address, networks):
            return why
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if not within(address, _GIVEN):
        return Why.RESERVED
    host = int(address) & (1 << 64) - 1
    if host >> 32 in _ISATAP:
        return Why.DISGUISED
    # Clouds put the services of their machines at ::254 of a network of their own, or write 169.254.169.254 there.
    if address in _OWN and host in (0x254, 0xFE, 0xA9FEA9FE):
        return Why.METADATA
    return None


def within(address: Address, networks: Iterable[Network]) -> bool:
    """Whether an address is in one of these networks."""
    return any(address in network for network in networks)
