"""Telephones as a bench plays them: sockets that understand a NOTIFY and fetch their file over HTTP. They know nothing of the portal.

Each lives on an address of loopback of its own. One that restarts hears nothing for a while and fetches everything when it is back;
one that is told to wait (503 with `Retry-After`) waits so long, and one that gets no answer asks again after five seconds.
"""

import asyncio
import random
import re
import threading
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

SIP_PORT = 5060
RESTART_SECONDS = 20.0
ASK_AGAIN = 5.0
REPEATED = re.compile(rb"(?i)(via|from|to|call-id|cseq):")
AGENT = "Yealink SIP-T54W 96.86.0.45"


def answer_to(notify: bytes) -> tuple[bytes, str, str]:
    """The 200 to a NOTIFY, its Call-ID, and its event; raises ValueError for anything else."""
    head, blank, _ = notify.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    if not blank or not re.fullmatch(rb"NOTIFY sips?:\S+ SIP/2\.0", first):
        raise ValueError("no NOTIFY")
    said = {}
    for line in lines:
        name, colon, value = line.partition(b":")
        if colon:
            said.setdefault(name.strip().lower(), value.strip().decode())
    kept = [line for line in lines if REPEATED.match(line)]
    if len(kept) < 5 or b"event" not in said:
        raise ValueError("a header is missing")
    answer = b"\r\n".join([b"SIP/2.0 200 OK", *kept, b"Content-Length: 0", b"", b""])
    return answer, said[b"call-id"], said[b"event"]


async def get(port: int, path: str, host: str, source: str) -> tuple[int, dict[str, str], bytes]:
    """Ask over a connection of its own, from the address `source`: status, headers, body."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0))
    try:
        writer.write(request(path, host))
        return await read_answer(reader)
    finally:
        writer.close()


def request(path: str, host: str) -> bytes:
    """A phone's request."""
    return f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {AGENT}\r\n\r\n".encode()


async def read_answer(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], bytes]:
    """The next answer of a connection; raises OSError or EOFError where it doesn't come whole."""
    first, *lines = (await reader.readuntil(b"\r\n\r\n"))[:-4].decode("latin-1").split("\r\n")
    headers = {}
    for line in lines:
        name, _colon, value = line.partition(":")
        headers[name.lower()] = value.strip()
    status = int(first.split(" ", 2)[1])
    length = 0 if status in (204, 304) else int(headers.get("content-length", 0))
    return status, headers, await reader.readexactly(length)


class Telephone(asyncio.DatagramProtocol):
    """One of them. What happened to it is kept with its moment (`time.monotonic`)."""

    def __init__(self, desks: "Desks", facts: dict[str, str]) -> None:
        self.desks = desks
        self.mac, self.folder, self.address = facts["mac"], facts["folder"], facts["address"]
        self.number = facts["number"]
        self.silent = False
        self.starts: list[float] = []
        self.told: list[float] = []  # to fetch
        self.told_to_restart: list[float] = []
        self.fetches: list[float] = []  # when the file was asked for that it then got
        self.file = ""
        self.answers: dict[int, int] = {}  # by status; 0: none
        self._calls: set[str] = set()
        self._wanted = asyncio.Event()
        self._busy = False

    def connection_made(self, transport: Any) -> None:
        """Its socket is there."""
        self.wire = transport

    @property
    def is_off(self) -> bool:
        """Whether it is starting, or was switched off."""
        return self.silent or bool(self.starts and time.monotonic() < self.starts[-1] + RESTART_SECONDS)

    def datagram_received(self, data: bytes, source: Any) -> None:
        """A NOTIFY, or one of its copies."""
        now = time.monotonic()
        if self.is_off:
            return
        try:
            answer, call, event = answer_to(data)
        except ValueError:
            self.desks.unreadable += 1
            return
        self.wire.sendto(answer, source)
        if call in self._calls:
            return
        self._calls.add(call)
        if event == "check-sync;reboot=true":
            self.told_to_restart.append(now)
            self.restart()
        elif event == "check-sync;reboot=false":
            self.told.append(now)
            self.want()
        else:
            self.desks.unreadable += 1

    def restart(self) -> None:
        """Hear nothing for a while; then fetch everything."""
        self.starts.append(time.monotonic())
        asyncio.get_running_loop().call_later(RESTART_SECONDS + 0.01, self.want)

    def want(self) -> None:
        """Fetch the file soon, and once more where it is wanted again meanwhile."""
        self._wanted.set()
        if not self._busy:
            self._busy = True
            self.desks.go(self._fetch())

    async def _fetch(self) -> None:
        while self._wanted.is_set() and not self.is_off:
            await asyncio.sleep(random.uniform(0.2, 1.0))
            self._wanted.clear()
            if wait := await self._ask():
                # Whoever is told meanwhile doesn't wait for the rest.
                with suppress(TimeoutError):
                    async with asyncio.timeout(wait):
                        await self._wanted.wait()
                self._wanted.set()
        self._busy = False

    async def _ask(self) -> float:
        """Fetch the file once; gives the seconds until the next try, 0 where it came."""
        status, headers, body = 0, dict[str, str](), b""
        begin = time.monotonic()
        with suppress(OSError, EOFError, asyncio.LimitOverrunError, ValueError):
            async with asyncio.timeout(30):
                status, headers, body = await get(
                    self.desks.port, f"{self.folder}{self.mac}.cfg", self.desks.host, self.address
                )
        self.answers[status] = self.answers.get(status, 0) + 1
        if status != 200:
            return float(headers.get("retry-after", ASK_AGAIN))
        if not self.is_off:  # else it started anew before it could use it
            self.file = body.decode()
            self.fetches.append(begin)
        return 0.0


class Desks:
    """All phones, in a thread with a loop of its own."""

    def __init__(self, port: int, host: str, facts: list[dict[str, str]]) -> None:
        """`port`, `host`: where files are asked for; `facts`: of each phone its mac, folder, address and number."""
        self.port, self.host = port, host
        self.unreadable = 0
        self.phones = [Telephone(self, each) for each in facts]
        self._tasks: set[asyncio.Task[None]] = set()
        ready = threading.Event()
        threading.Thread(target=lambda: asyncio.run(self._run(ready)), daemon=True).start()
        ready.wait()

    async def _run(self, ready: threading.Event) -> None:
        self.loop = asyncio.get_running_loop()
        for phone in self.phones:
            await self.loop.create_datagram_endpoint(
                lambda phone=phone: phone,  # type: ignore[misc]
                local_addr=(phone.address, SIP_PORT),
            )
        ready.set()
        await asyncio.Event().wait()

    def go(self, work: Coroutine[Any, Any, None]) -> None:
        """Do that beside everything else."""
        task = self.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def tell(self, what: Callable[..., None], *of: Any) -> None:
        """Have that done in the phones' thread."""
        self.loop.call_soon_threadsafe(what, *of)
