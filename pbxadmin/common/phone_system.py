"""Where devices find the phone system: addresses that they are given, from the settings and the customer's host name.

The domain of every SIP address is the customer's host name; where requests for it are sent is the network's: the same name, or
`SIP_SERVER`, one for all customers.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from pbxadmin.common.values.signalling import Transport

_HOST_NAME = re.compile(
    r"(?=.{1,253}\Z)[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*"
)


@dataclass(frozen=True, slots=True)
class SipServer:
    """Where SIP requests are sent. `host` is a name or an address, an IPv6 one in brackets; "" where the domain itself says it."""

    host: str
    port: int
    transport: Transport

    def uri(self, domain: str) -> str:
        """The address of the server for devices of `domain`, with the port only where the transport has another one."""
        port = "" if self.port == self.transport.port else f":{self.port}"
        return f"sip:{self.host or domain}{port};transport={self.transport}"


def sip_server(transport: Transport) -> SipServer:
    """Where devices send what they send over this transport."""
    port = settings.SIP_TLS_PORT if transport is Transport.TLS else settings.SIP_PORT
    return SipServer(settings.SIP_SERVER, port, transport)


def ntp_servers() -> tuple[str, ...]:
    """The time servers of every device, the first one first."""
    return tuple(settings.NTP_SERVERS)


def is_host(text: str) -> bool:
    """Whether devices could be given `text` as a host: a name, an IPv4 address, an IPv6 address in brackets."""
    if text.startswith("[") and text.endswith("]"):
        return _is_address(text[1:-1]) and ":" in text
    return _HOST_NAME.fullmatch(text) is not None


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


@register()
def devices_can_use_the_addresses(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """A mistyped address would stand in every device's configuration: the start says so instead."""
    wrong = (
        [f"SIP_SERVER: {settings.SIP_SERVER!r}"]
        if settings.SIP_SERVER and not is_host(settings.SIP_SERVER)
        else []
    )
    wrong += [
        f"{name}: {getattr(settings, name)!r}"
        for name in ("SIP_PORT", "SIP_TLS_PORT")
        if not 0 < getattr(settings, name) < 65536
    ]
    if not settings.NTP_SERVERS or not all(map(is_host, settings.NTP_SERVERS)):
        wrong.append(f"NTP_SERVERS: {settings.NTP_SERVERS!r}")
    return [Error(f"Devices can't be given this address: {each}", id="pbxadmin.E001") for each in wrong]
