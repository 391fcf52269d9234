"""Ports on which nobody listens: Asterisk says nothing of one that is taken, and never hears anything there."""

import contextlib
import socket

UDP_AND_TCP = (socket.SOCK_DGRAM, socket.SOCK_STREAM)
TCP = (socket.SOCK_STREAM,)
LOOKED_AT = 200


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
    """A free port: the first from `wanted` on that isn't among `taken`, or any; raises `OSError` where there is none."""
    if wanted:
        candidates = iter(range(wanted, min(wanted + LOOKED_AT, 65536)))
    else:
        candidates = iter(_any(kinds[0], host) for _ in range(LOOKED_AT))
    for port in candidates:
        if port not in taken and is_free(port, kinds, host):
            return port
    raise OSError(f"no free port of {host} from {wanted} on")


def _any(kind: int, host: str) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def free_ports(host: str = "127.0.0.1", address: str = "127.0.0.1") -> dict[str, str]:
    """Ports for one Asterisk, whoever else runs on this machine: SIP on `host`, AMI and ARI on `address`."""
    sip = free_port(UDP_AND_TCP, host)
    tls = free_port(TCP, host, taken=(sip,))
    ami = free_port(TCP, address, taken=(sip, tls))
    ari = free_port(TCP, address, taken=(sip, tls, ami))
    names = ("SIP_PORT", "SIP_TLS_PORT", "AMI_PORT", "HTTP_PORT")
    return dict(zip(names, map(str, (sip, tls, ami, ari)), strict=True))
