"""Ports on which nobody listens: Asterisk says nothing of one that is taken, and never hears anything there."""

import contextlib
import random
import socket
from collections.abc import Iterable

UDP_AND_TCP = (socket.SOCK_DGRAM, socket.SOCK_STREAM)
TCP = (socket.SOCK_STREAM,)
LOOKED_AT = 200
# Where any port is looked for: above what Asterisk gives to sound (`RTP_LAST`), below what the system gives to whoever
# connects somewhere. A port of the system's own would be gone by the time somebody listens on it.
ANY = range(20_100, 32_700)
# What this process has been given, and nobody else is for as long as it lives.
_given: dict[int, socket.socket] = {}


def is_free(port: int, kinds: tuple[int, ...] = TCP, host: str = "127.0.0.1") -> bool:
    """Whether `port` can be listened on in all of these ways."""
    with contextlib.ExitStack() as held:
        for kind in kinds:
            probe = held.enter_context(socket.socket(socket.AF_INET, kind))
            if kind == socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                return False
    return True


def free_port(
    kinds: tuple[int, ...] = TCP, host: str = "127.0.0.1", *, wanted: int = 0, taken: tuple[int, ...] = ()
) -> int:
    """A free port: the first from `wanted` on that isn't among `taken`, or any; raises `OSError` where there is none.

    Any port is given once, among all processes of this machine that ask here, for as long as the asking one lives: whoever
    listens there may start much later.
    """
    for port in _candidates(wanted):
        if port not in taken and is_free(port, kinds, host) and (wanted or _reserved(port)):
            return port
    raise OSError(f"no free port of {host} from {wanted or ANY.start} on")


def _candidates(wanted: int) -> Iterable[int]:
    return range(wanted, min(wanted + LOOKED_AT, 65536)) if wanted else random.sample(ANY, LOOKED_AT)


def _reserved(port: int) -> bool:
    """Reserve it by a name that the system forgets with the process; only Linux has such names, elsewhere chance has to do."""
    if port in _given:
        return False
    mark = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        mark.bind(f"\0pbxadmin-port-{port}")
    except FileNotFoundError:  # not Linux
        mark.close()
        return True
    except OSError:
        mark.close()
        return False
    _given[port] = mark
    return True


def free_ports(host: str = "127.0.0.1", address: str = "127.0.0.1") -> dict[str, str]:
    """Ports for one Asterisk, whoever else runs on this machine: SIP on `host`, AMI and ARI on `address`."""
    names = {"SIP_PORT": (UDP_AND_TCP, host), "SIP_TLS_PORT": (TCP, host)}
    names |= {"AMI_PORT": (TCP, address), "HTTP_PORT": (TCP, address)}
    return {name: str(free_port(kinds, where)) for name, (kinds, where) in names.items()}
