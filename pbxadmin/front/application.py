"""The front: takes requests from anybody, holds their bodies until they are whole, and hands them to the pages, the phones, or whoever answers nodes.

Run by `granian --interface rsgi pbxadmin.front.application:front`, which reads the HTTP: slow heads, broken requests and slow
readers are its business. Behind it servers listen on Unix sockets, so that whatever keeps pages busy keeps no phone waiting, and nothing any caller.
nginx does all this and more (`deploy/nginx.conf`); this stands in its place where there is none, in `./run` for one.
"""

import asyncio
import contextlib
import logging
import os
import random
import re
import resource
from collections.abc import Coroutine
from ipaddress import IPv6Address, ip_address, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pbxadmin.common.values.unsaid import UnsaidFilter
from pbxadmin.front import words
from pbxadmin.front.bodies import Bodies, RefusedBodyError, allowed
from pbxadmin.front.upstream import Answer, AwayError, FullError, Headers, Upstream
from pbxadmin.front.words import Words

logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
for handler in logging.getLogger().handlers:
    handler.addFilter(UnsaidFilter())
UNAVAILABLE = (Path(__file__).resolve().parents[2] / "deploy" / "unavailable.html").read_bytes()
# RFC 9110, 7.6.1: what concerns one connection alone.
HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
WRITTEN_HERE = HOP_BY_HOP | {"content-length", "expect", "x-forwarded-for", "x-forwarded-proto"}
HEADER_NAME = re.compile(r"[a-z0-9!#$%&'*+.^`|~-]+\Z")  # without "_", which WSGI can't tell from "-"
# Seconds after which phones that found no place are to ask again: between these.
PHONES_COME_BACK = (15, 45)
# Bytes of an address and all headers, and of one of them: as nginx takes (`large_client_header_buffers`).
LONGEST_HEAD, LONGEST_LINE = 65_536, 16_384
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Front:
    """The servers, what strangers send to them, and how many proxies of our own stand before."""

    def __init__(
        self, pages: Upstream, phones: Upstream, proxies: int = 1, calls: Upstream | None = None
    ) -> None:
        """`proxies`: as the portal counts them (`TRUSTED_PROXY_COUNT`), this one included. `calls`: for nodes; None: pages answer them."""
        self.pages = pages
        self.phones = phones
        self.calls = calls or pages
        self.proxies = proxies
        self.bodies = Bodies()

    def __rsgi_init__(self, loop: Any) -> None:
        """Each request takes two descriptors; the usual limit is for programs that open files."""
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(
                resource.RLIMIT_NOFILE, (65_536 if hard == resource.RLIM_INFINITY else hard, hard)
            )

    async def __rsgi__(self, scope: Any, protocol: Any) -> None:
        """Answer one request."""
        if scope.proto != "http":
            return
        try:
            await self._answer(scope, protocol)
        except RefusedBodyError as refused:
            headers = [("connection", "close")]
            if refused.status in (429, 503):
                headers.append(("retry-after", "10"))
            refuse(scope, protocol, refused.status, refused.why, headers)
        except (FullError, AwayError):
            unavailable(protocol, self._upstream(scope.path) is self.phones)

    async def _answer(self, scope: Any, protocol: Any) -> None:
        if scope.method not in METHODS:
            refuse(scope, protocol, 405, words.NOT_DONE, [("allow", ", ".join(sorted(METHODS)))])
            return
        headers = list(scope.headers.items())
        if too_long(
            [len(scope.path) + len(scope.query_string), *(len(name) + len(value) for name, value in headers)]
        ):
            refuse(scope, protocol, 431, words.NOT_VALID, [("connection", "close")])
            return
        address = peer(scope.client)
        visitor = self._visitor(headers, address)
        length = one(headers, "content-length")
        if length is not None and not (length.isascii() and length.isdigit()):
            raise RefusedBodyError(400, words.NOT_VALID)
        if (length or "0") == "0" and one(headers, "transfer-encoding") is None:
            await self._hand_over(scope, headers, address, bytearray(), protocol)
            return
        async with self.bodies.whole(
            protocol, length, allowed(cookies(headers), scope.path), visitor
        ) as body:
            await self._hand_over(scope, headers, address, body, protocol)

    def _visitor(self, headers: Headers, address: str) -> str:
        """As whom a body is counted: behind a proxy of our own all have that one's address, so it is what the proxy says.

        An IPv6 network of 64 bits is one subscriber; an IPv4 address may come as an IPv6 one.
        """
        said = ",".join(value for name, value in headers if name == "x-forwarded-for").split(",")
        before = self.proxies - 1
        try:
            found = ip_address(said[-before].strip() if 0 < before <= len(said) else address)
        except ValueError:
            return address
        if isinstance(found, IPv6Address) and not found.ipv4_mapped:
            return str(ip_network((int(found), 64), strict=False))
        return str(getattr(found, "ipv4_mapped", None) or found)

    async def _hand_over(
        self, scope: Any, headers: Headers, address: str, body: bytearray, protocol: Any
    ) -> None:
        upstream = self._upstream(scope.path)
        # All the work is done once it is its turn: thousands that wait, or are sent away, cost nearly nothing.
        async with upstream.turn():
            head = self._head(scope, headers, address, len(body))
            answer = self._answered(upstream, head, body, scope.method, protocol)
            # A phone that went away has no file: its server must learn that before it notes the fetch.
            await (unless_gone(protocol, answer) if upstream is self.phones else answer)

    @staticmethod
    async def _answered(upstream: Upstream, head: bytes, body: bytearray, method: str, protocol: Any) -> None:
        async with upstream.ask(head, body, method) as answer:
            await hand_back(protocol, answer, method)

    def _upstream(self, path: str) -> Upstream:
        """Who answers there: devices' addresses are `phones.serving.urls_devices`, nodes' are `asterisk.asked.urls`."""
        if path[:3] in ("/p", "/p/", "/r", "/r/"):
            return self.phones
        return self.calls if path[:3] in ("/n", "/n/") else self.pages

    def _head(self, scope: Any, headers: Headers, address: str, length: int) -> bytes:
        """The head of the request as the server behind gets it; what a stranger says of where they come from isn't in it."""
        lines = [
            f"{scope.method} {quote(scope.path, safe=SAFE_IN_PATH)}{'?' if scope.query_string else ''}{scope.query_string} HTTP/1.0"
        ]
        said, scheme = [], scope.scheme
        if not any(name == "host" for name, _ in headers) and scope.authority:
            lines.append(f"host: {scope.authority}")
        for name, value in headers:
            if name == "x-forwarded-for" and self.proxies > 1:
                said.append(value)
            elif name == "x-forwarded-proto" and self.proxies > 1 and value in ("http", "https"):
                scheme = value
            if name not in WRITTEN_HERE and HEADER_NAME.match(name):
                lines.append(f"{name}: {value}")
        lines.append(f"x-forwarded-for: {', '.join([*said, address])}")
        lines.append(f"x-forwarded-proto: {scheme}")
        if length or scope.method in ("POST", "PUT", "PATCH"):
            lines.append(f"content-length: {length}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogateescape")


# RFC 3986: what stands in a path as it is.
SAFE_IN_PATH = "/!$&'()*+,;=:@-._~"


def too_long(lines: list[int]) -> bool:
    """Whether a head with lines of these lengths is one that no browser sends."""
    return max(lines) > LONGEST_LINE or sum(lines) > LONGEST_HEAD


def one(headers: Headers, name: str) -> str | None:
    """The value of the header `name`."""
    return next((value for other, value in headers if other == name), None)


def cookies(headers: Headers) -> str:
    """All cookies; a browser may send them in several headers."""
    return "; ".join(value for name, value in headers if name == "cookie")


def peer(client: str) -> str:
    """The address alone of "address:port"."""
    return client.rpartition(":")[0].strip("[]")


async def unless_gone(protocol: Any, work: Coroutine[Any, Any, None]) -> None:
    """Do `work`, and drop it when whoever asked goes away before it is done."""

    async def gone() -> None:
        await protocol.client_disconnect()

    working, leaving = asyncio.ensure_future(work), asyncio.ensure_future(gone())
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            working.result()
    finally:
        working.cancel()
        leaving.cancel()


async def hand_back(protocol: Any, answer: Answer, method: str) -> None:
    """Give the answer to whoever asked, at their own pace."""
    headers = [(name, value) for name, value in answer.headers if name not in HOP_BY_HOP and name != "server"]
    if answer.rest is None:
        if method != "HEAD" and answer.status not in (204, 304):
            headers = [(name, value) for name, value in headers if name != "content-length"]
        protocol.response_bytes(answer.status, headers, answer.body)
        return
    transport = protocol.response_stream(answer.status, headers)
    piece = answer.body
    while piece:
        await transport.send_bytes(piece)
        piece = await answer.rest.read(65_536)


def refuse(scope: Any, protocol: Any, status: int, why: Words, headers: Headers) -> None:
    """One line for whoever isn't served any further, in the language that their browser asks for."""
    language = words.language_of(one(list(scope.headers.items()), "accept-language"))
    in_one_line(protocol, status, why.of(language), [("content-language", language), *headers])


def in_one_line(protocol: Any, status: int, reason: str, headers: Headers) -> None:
    """One line of plain text."""
    protocol.response_bytes(
        status,
        [
            ("content-type", "text/plain; charset=utf-8"),
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            *headers,
        ],
        f"{reason}\n".encode(),
    )


def unavailable(protocol: Any, to_phone: bool) -> None:
    """503: full, or the server is just starting. Phones ask again after what `Retry-After` says, not all of them at once."""
    later = str(random.randint(*PHONES_COME_BACK)) if to_phone else "5"  # noqa: S311 - not a secret
    headers = [("cache-control", "no-store"), ("retry-after", later)]
    if to_phone:
        in_one_line(protocol, 503, "Try again later", headers[1:])
        return
    headers += [
        ("content-type", "text/html; charset=utf-8"),
        ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
        ("x-content-type-options", "nosniff"),
    ]
    protocol.response_bytes(503, headers, UNAVAILABLE)


def from_environment() -> Front:
    """The front of this installation: where its servers listen, and how many requests each takes at once."""
    read = os.environ.get

    def number(name: str, usual: int) -> int:
        return int(read(name, "") or usual)

    pages = Upstream(
        "pages", read("PAGES_SOCKET", "/run/pbxadmin/pages.sock"), number("PAGES_THREADS", 8), waiting=200
    )
    phones = Upstream(
        "phones",
        read("PHONES_SOCKET", "/run/pbxadmin/phones.sock"),
        number("PHONES_THREADS", 8),
        # After a power cut all phones come at once. Each one that waits takes 30 kB; of those that find no place, not all come back
        # in the same second.
        waiting=5_000,
        # As long as a phone waits by itself.
        patience=20.0,
        # Whoever looks at a page waits for it; a phone that starts has time. One core is left to pages.
        before=pages,
        beside=number("PHONES_BESIDE_PAGES", max(1, len(os.sched_getaffinity(0)) // 2)),
    )
    # An installation without a phone system has none.
    calls = (
        # A node has gone on without us after two seconds.
        Upstream("calls", path, number("CALLS_THREADS", 8), waiting=200, patience=2.0, answers_within=5.0)
        if (path := read("CALLS_SOCKET", ""))
        else None
    )
    return Front(pages, phones, number("TRUSTED_PROXY_COUNT", 1), calls)


front = from_environment()
