"""The networks from which a trunk's calls come: read, judged, and compared with those of others. Pure."""

import re
from ipaddress import IPv4Network, IPv6Network, ip_network

from pbxadmin.common.values import network
from pbxadmin.common.values.network import Network, Why

# Whatever is wider holds strangers too: calls are taken from there without a password.
_WIDEST = {4: 16, 6: 32}


def networks_of(text: str) -> tuple[Network, ...]:
    """The networks that a stored text has."""
    return tuple(ip_network(part) for part in text.split(", ") if part)


def parts_of(text: str) -> list[str]:
    """What was typed, network by network: commas, semicolons and blanks part them."""
    return [part for part in re.split(r"[\s,;]+", text) if part]


def network_meant(part: str) -> Network | None:
    """The network, or the one address, that is written in its canonical way; None for anything else."""
    address, slash, bits = part.partition("/")
    if isinstance(network.read(address), Why) or (slash and not re.fullmatch(r"0|[1-9][0-9]{0,2}", bits)):
        return None
    try:
        return ip_network(part, strict=False)
    except ValueError:
        return None


def begins_with(part: str, found: Network) -> bool:
    """Whether what was typed is the first address of its network."""
    return part.partition("/")[0] == str(found.network_address)


def is_everybody(found: Network) -> bool:
    """Whether a network is too wide for calls to be taken from there."""
    return found.prefixlen < _WIDEST[found.version]


def is_nobodys(found: Network) -> Why | None:
    """Why no machine of others has an address there."""
    return network.refusal(found.network_address)


def where_from(host: str, networks: tuple[Network, ...]) -> tuple[Network, ...]:
    """From where a trunk's calls come as far as that is known without a look-up: its networks, else its host where that is an address."""
    if networks:
        return networks
    address = network.read(host)
    return () if isinstance(address, Why) else (ip_network(address),)


def meet(one: tuple[Network, ...], other: tuple[Network, ...]) -> Network | None:
    """The first network of `one` that has an address of `other`, if any has."""
    for first in one:
        for second in other:
            if isinstance(first, IPv4Network) and isinstance(second, IPv4Network) and first.overlaps(second):
                return first
            if isinstance(first, IPv6Network) and isinstance(second, IPv6Network) and first.overlaps(second):
                return first
    return None
