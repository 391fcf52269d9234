"""Phones on loopback that answer a NOTIFY as their script says, over UDP and TCP."""

import asyncio
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from phones.push.notify.sip import Notify, Result, Target, phone_networks, send_all, send_all_async

LOOPBACK = phone_networks("127.0.0.0/8", "::1/128")
QUICK = {"t1": 0.05, "t2": 0.2, "timeout": 0.3}
PASSWORD = "s3cret Sip"
DIGEST = 'Digest realm="Bureau", nonce="7f1c", qop="auth", algorithm='

Script = Callable[[str, "Phone", Any], None]


def to(host: str = "127.0.0.1", **changes: Any) -> Target:
    return Target(**{"host": host, "user": "101", "auth_id": "u7Qx2", "password": PASSWORD} | changes)


def notify(target: Target, key: object = "amelie", event: str = "check-sync;reboot=false") -> Notify:
    return Notify(key=key, target=target, event=event)


def send(*notifies: Notify, **options: Any) -> list[Result]:
    return send_all(
        notifies, **{"from_host": "pbx.example.net", "allowed": LOOPBACK, "timeout": 0.6} | options
    )


def header(text: str, name: str) -> str:
    found = re.search(rf"^{name}: (.*)\r$", text, re.MULTILINE)
    assert found, f"no {name} in {text!r}"
    return found[1]


def answer(request: str, status: str, *extra: str, **changed: str) -> bytes:
    """The answer an honest phone gives to `request`, with headers `extra`, some of its own `changed`."""
    values = {"Via": "", "From": "", "To": "", "Call-ID": "", "CSeq": ""}
    values = {name: header(request, name) for name in values}
    values |= {name.replace("_", "-"): value for name, value in changed.items()}
    lines = [f"SIP/2.0 {status}", *(f"{name}: {value}" for name, value in values.items()), *extra]
    return ("\r\n".join(lines) + "\r\nContent-Length: 0\r\n\r\n").encode()


class Phone(asyncio.DatagramProtocol):
    """A loopback phone that does what its script says with each request, and remembers when it came."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.heard: list[str] = []
        self.times: list[float] = []
        self.wire: asyncio.DatagramTransport

    def connection_made(self, transport: Any) -> None:
        self.wire = transport

    def datagram_received(self, data: bytes, source: Any) -> None:
        self.heard.append(data.decode())
        self.times.append(time.monotonic())
        self.script(self.heard[-1], self, source)

    def say(self, data: bytes, source: Any) -> None:
        self.wire.sendto(data, source)


def meet(script: Script, host: str = "127.0.0.1", **options: Any) -> tuple[Result, Phone]:
    """One NOTIFY to a phone at `host` that follows `script`, over UDP."""

    async def scene() -> tuple[Result, Phone]:
        loop = asyncio.get_running_loop()
        wire, phone = await loop.create_datagram_endpoint(lambda: Phone(script), local_addr=(host, 0))
        try:
            port = wire.get_extra_info("sockname")[1]
            [result] = await send_all_async(
                [notify(to(host, port=port))],
                **{"from_host": "pbx.example.net", "allowed": LOOPBACK} | QUICK | options,
            )
        finally:
            wire.close()
        return result, phone

    return asyncio.run(scene())


def says(*statuses_and_headers: tuple[str, ...]) -> Script:
    """A script: each request gets the next of the answers, and the last one from then on."""
    left = list(statuses_and_headers)

    def script(request: str, phone: Phone, source: Any) -> None:
        status, *extra = left.pop(0) if len(left) > 1 else left[0]
        phone.say(answer(request, status, *extra), source)

    return script


def meet_over_tcp(speak: Callable[[str], Iterator[bytes]], **options: Any) -> tuple[Result, list[str]]:
    """One NOTIFY over TCP to a phone that writes, for each request, the pieces that `speak` yields."""
    heard: list[str] = []

    async def phone(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while request := (await reader.readuntil(b"\r\n\r\n")).decode():
                heard.append(request)
                for piece in speak(request):
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(0)
                if writer.is_closing():
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def scene() -> Result:
        server = await asyncio.start_server(phone, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            [result] = await send_all_async(
                [notify(to(port=port, transport="tcp"))],
                **{"from_host": "pbx.example.net", "allowed": LOOPBACK} | QUICK | options,
            )
        return result

    return asyncio.run(scene()), heard


both = pytest.mark.parametrize("transport", ["udp", "tcp"])


OTHERS = {
    "wrong branch": {"Via": "SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK000000000000000000000000"},
    "no magic cookie": {"Via": "SIP/2.0/UDP 127.0.0.1:5060;branch=1"},
    "wrong sequence": {"CSeq": "2 NOTIFY"},
    "wrong method": {"CSeq": "1 INVITE"},
    "wrong call": {"Call_ID": "somebody-elses"},
    "no sequence": {"CSeq": ""},
}
