"""The front, run by the real web server, before two servers that share no code with it."""

import asyncio
import http.client
import os
import socket
import socketserver
import subprocess
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from pbxadmin.front.application import Front
from pbxadmin.front.bodies import FILE, SIGNED_IN, STRANGER, Allowed, Bodies, RefusedBodyError, allowed
from pbxadmin.front.upstream import AwayError, FullError, Upstream
from pbxadmin.front.words import language_of
from pbxadmin.run import launcher, processes
from pbxadmin.tests.installation import Installation, free_port, until

BIG = 6_000_000


@dataclass
class Server:
    """A server on a Unix socket that keeps what it was asked."""

    path: Path
    asked: list[tuple[str, list[tuple[str, str]], bytes]] = field(default_factory=list)
    held: threading.Event = field(default_factory=threading.Event)
    left: threading.Event = field(
        default_factory=threading.Event
    )  # whoever asked went away before the answer

    def run(self) -> socketserver.BaseServer:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                server.asked.append((self.path, self.headers.items(), body))
                if self.path.endswith("/hold"):
                    server.held.wait(20)
                if self.path.endswith("/leave"):
                    self.connection.settimeout(10)
                    if self.connection.recv(1) == b"":
                        server.left.set()
                    return
                said = b"x" * BIG if self.path == "/big" else f"{server.path.stem} {len(body)}".encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(said) + (5 if self.path == "/half" else 0)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(said)

            do_GET = do_POST = do_HEAD = answer  # noqa: N815 - the names that the library asks for

            def log_message(self, *args: object) -> None:
                pass

            def address_string(self) -> str:
                return ""

        class Threads(socketserver.ThreadingUnixStreamServer):
            daemon_threads = True
            request_queue_size = 200

        made = Threads(str(self.path), Handler)
        threading.Thread(target=made.serve_forever, args=(0.05,), daemon=True).start()
        return made


@dataclass
class Running:
    """A front on a port, and the servers behind it."""

    port: int
    pages: Server
    phones: Server
    calls: Server

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        connection = self.connection()
        try:
            connection.request(method, path, body, {"Host": "portal.example"} | (headers or {}))
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        finally:
            connection.close()

    def connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)

    def begin(self, said: bytes) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.port), 10)
        connection.sendall(said)
        return connection


def both_servers(stack: ExitStack, folder: Path) -> list[Server]:
    """Those of the pages, of the phones and of calls, until the end of `stack`."""
    servers = []
    for name in ("pages", "phones", "calls"):
        servers.append(Server(folder / f"{name}.sock"))
        running = servers[-1].run()
        stack.callback(running.server_close)
        stack.callback(running.shutdown)
    return servers


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = launcher.socket_folder(tmp_path_factory.mktemp("front"))
    port = free_port()
    with ExitStack() as stack:
        servers = both_servers(stack, folder)
        environment = {
            "PAGES_SOCKET": str(servers[0].path), "PHONES_SOCKET": str(servers[1].path), "PAGES_THREADS": "4",
            "CALLS_SOCKET": str(servers[2].path), "TRUSTED_PROXY_COUNT": "1",
        }  # fmt: skip
        process = subprocess.Popen(
            launcher.front_command("127.0.0.1", port), cwd=processes.ROOT, env=os.environ | environment,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        stack.callback(process.wait)
        stack.callback(process.terminate)
        found = Running(port, *servers)

        def answers() -> bool:
            try:
                return found.ask("GET", "/healthz")[0] == 200
            except OSError:
                return False

        until(answers)
        yield found
        for server in servers:
            server.held.set()


def slow(path: str = "/sign-in", length: int = 60_000) -> bytes:
    return f"POST {path} HTTP/1.1\r\nHost: portal.example\r\nContent-Length: {length}\r\n\r\n1234567".encode()


def test_bodies_that_do_not_come_hold_up_neither_pages_nor_phones(front: Running) -> None:
    with ExitStack() as stack:
        for number in range(80):
            stack.enter_context(front.begin(slow("/p/token/file" if number % 2 else "/sign-in")))
        began = time.monotonic()
        assert front.ask("GET", "/sign-in")[2] == b"pages 0"
        assert front.ask("GET", "/p/token/file.cfg")[2] == b"phones 0"
        assert front.ask("POST", "/sign-in", b"login=102")[2] == b"pages 9"
        assert time.monotonic() - began < 2
        assert not [path for path, _, body in front.pages.asked + front.phones.asked if body == b"1234567"]


@pytest.mark.parametrize("path", ["/p/token/x.cfg", "/p", "/r/key/x.boot", "/p/"])
def test_what_devices_ask_goes_to_the_server_of_the_phones(front: Running, path: str) -> None:
    assert front.ask("GET", path)[2] == b"phones 0"
    assert front.ask("GET", path.replace("/p", "/people").replace("/r/", "/roles/"))[2] == b"pages 0"


@pytest.mark.parametrize("path", ["/n/call/x/101/102/1", "/n", "/n/"])
def test_what_nodes_ask_goes_to_the_server_of_calls(front: Running, path: str) -> None:
    assert front.ask("GET", path)[2] == b"calls 0"
    assert front.ask("GET", path.replace("/n", "/nodes"))[2] == b"pages 0"


def test_pages_that_are_all_busy_keep_neither_phones_nor_calls_waiting(front: Running) -> None:
    with ExitStack() as stack:
        for _ in range(4):
            stack.enter_context(front.begin(b"GET /hold HTTP/1.1\r\nHost: portal.example\r\n\r\n"))
        until(lambda: sum(path == "/hold" for path, *_ in front.pages.asked) == 4)
        assert front.ask("GET", "/p/token/file.cfg")[2] == b"phones 0"
        assert front.ask("POST", "/n/code", b"code=30")[2] == b"calls 7"
        front.pages.held.set()
        assert front.ask("GET", "/sign-in")[2] == b"pages 0"


def test_the_server_of_the_phones_learns_that_a_phone_went_away(front: Running) -> None:
    with front.begin(b"GET /p/token/leave HTTP/1.1\r\nHost: portal.example\r\n\r\n"):
        until(lambda: any(path == "/p/token/leave" for path, *_ in front.phones.asked))
        assert not front.phones.left.is_set()
    assert front.phones.left.wait(5)
    assert front.ask("GET", "/p/token/file.cfg")[2] == b"phones 0"


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (slow(length=300_000_000), b"413"),
        (slow(length=STRANGER.size + 1), b"413"),
        (slow(length=SIGNED_IN.size + 1).replace(b"Host:", b"Cookie: sessionid=made-up\r\nHost:"), b"413"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n20000\r\n" + b"x" * 0x20000, b"413"),
        (slow().replace(b"60000", b"-7"), b"400"),
        (b"TRACE / HTTP/1.1\r\nHost: x\r\n\r\n", b"405"),
    ],
    ids=["300 MB", "a byte too many", "signed in", "in pieces", "negative", "trace"],
)  # fmt: skip
def test_what_is_too_long_is_refused_before_it_has_come(front: Running, said: bytes, status: bytes) -> None:
    before = len(front.pages.asked)
    with front.begin(said) as connection:
        assert connection.recv(100).split()[1] == status
    assert len(front.pages.asked) == before


def test_the_largest_recording_comes_through_in_its_form(front: Running) -> None:
    recording = b"x" * (10 * 1024 * 1024 + 4096)
    cookie = {"Cookie": "sessionid=made-up"}
    assert front.ask("POST", "/me/voicemail/greetings/new", recording, cookie)[2] == b"pages %d" % len(
        recording
    )


def test_what_a_stranger_says_of_where_they_come_from_does_not_reach_the_portal(front: Running) -> None:
    lies = ["X-Forwarded-For", "X_Forwarded_For", "X-Forwarded_For", "X-Forwarded-Proto"]
    front.ask("GET", "/who?a=%00&b", headers=dict.fromkeys(lies, "https") | {"X-Real": "kept"})
    path, headers, _ = front.pages.asked[-1]
    told = [(name.lower(), value) for name, value in headers if "x" in name.lower()[:1]]
    assert path == "/who?a=%00&b"
    assert sorted(told) == [
        ("x-forwarded-for", "127.0.0.1"), ("x-forwarded-proto", "http"), ("x-real", "kept"),
    ]  # fmt: skip


def test_a_proxy_that_is_ours_is_believed_as_far_as_it_is_counted() -> None:
    class Scope:
        method, path, query_string, scheme, authority = "GET", "/é%2f", "", "http", None

    away = Upstream("pages", "/nowhere", 1, 1)
    said = [("host", "x"), ("x-forwarded-for", "203.0.113.9"), ("x-forwarded-proto", "https")]
    head = Front(away, away, proxies=2)._head(Scope, said, "192.0.2.1", 0).decode().split("\r\n")
    assert head[0] == "GET /%C3%A9%252f HTTP/1.0"
    assert "x-forwarded-for: 203.0.113.9, 192.0.2.1" in head
    assert "x-forwarded-proto: https" in head


@pytest.mark.parametrize(
    ("proxies", "said", "peer", "counted"),
    [
        (1, ["203.0.113.9"], "192.0.2.1", "192.0.2.1"),
        (2, ["6.6.6.6, 203.0.113.9"], "192.0.2.1", "203.0.113.9"),
        (2, ["6.6.6.6", "203.0.113.9"], "192.0.2.1", "203.0.113.9"),
        (3, ["6.6.6.6, 203.0.113.9, 198.51.100.7"], "192.0.2.1", "203.0.113.9"),
        (2, [], "192.0.2.1", "192.0.2.1"),
        (2, ["rubbish"], "192.0.2.1", "192.0.2.1"),
        (1, [], "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        (1, [], "::ffff:192.0.2.1", "192.0.2.1"),
    ],
)
def test_bodies_are_counted_for_the_visitor_and_not_for_a_proxy_that_all_share(
    proxies: int, said: list[str], peer: str, counted: str
) -> None:
    away = Upstream("pages", "/nowhere", 1, 1)
    headers = [("x-forwarded-for", one) for one in said]
    assert Front(away, away, proxies)._visitor(headers, peer) == counted


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/", {"Cookie": "a" * 17_000}, 431),
        ("/" + "a" * 17_000, {}, 431),
        ("/?" + "a" * 17_000, {}, 431),
        ("/", {f"X-{number}": "a" * 10_000 for number in range(7)}, 431),
        ("/", {f"X-{number}": "a" * 10_000 for number in range(6)}, 200),
    ],
    ids=["cookie", "path", "query", "all together", "long but not too long"],
)
def test_a_head_longer_than_any_browsers_is_refused_before_a_server_reads_it(
    front: Running, path: str, headers: dict[str, str], status: int
) -> None:
    before = len(front.pages.asked)
    assert front.ask("GET", path, headers=headers)[0] == status
    assert len(front.pages.asked) - before == (status == 200)


def test_an_answer_of_any_size_comes_whole(front: Running) -> None:
    status, headers, body = front.ask("GET", "/big")
    assert (status, len(body), headers["Content-Length"]) == (200, BIG, str(BIG))
    status, headers, body = front.ask("HEAD", "/small")
    assert (status, body) == (200, b"")


def test_half_an_answer_is_told_as_no_answer(front: Running) -> None:
    status, headers, body = front.ask("GET", "/half")
    assert (status, headers["Retry-After"]) == (503, "5")
    assert "Le portail est indisponible pour un moment" in body.decode()
    assert 'lang="en"' in body.decode()
    status, headers, body = front.ask("GET", "/p/../half")
    assert (status, headers["Retry-After"], body) == (200, None, b"phones 0")


def test_a_server_that_is_away_is_a_503_with_a_time_and_comes_back_by_itself(front: Running) -> None:
    hidden = front.phones.path.with_suffix(".away")
    front.phones.path.rename(hidden)
    refused = [front.ask("GET", "/p/token/file.cfg") for _ in range(20)]
    assert {(status, body) for status, _, body in refused} == {(503, b"Try again later\n")}
    # Not all phones come back in the same second.
    seconds = {int(headers["Retry-After"]) for _, headers, _ in refused}
    assert min(seconds) >= 15
    assert max(seconds) <= 45
    assert len(seconds) > 1
    assert front.ask("GET", "/sign-in")[0] == 200
    hidden.rename(front.phones.path)
    assert front.ask("GET", "/p/token/file.cfg")[0] == 200


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({}, "C’est trop volumineux : au plus 64 ko à la fois.\n"),
        ({"Accept-Language": "fr"}, "C’est trop volumineux : au plus 64 ko à la fois.\n"),
        ({"Accept-Language": "en-CA,fr;q=0.8"}, "That is too large: at most 64 KB at once.\n"),
        ({"Accept-Language": "en", "Cookie": "sessionid=x"}, "That is too large: at most 12 MB at once.\n"),
    ],
    ids=["nothing said", "French", "English", "signed in"],
)
def test_a_refusal_is_one_line_in_the_readers_language(
    front: Running, wanted: dict[str, str], said: str
) -> None:
    status, headers, body = front.ask(
        "POST", "/sign-in", headers=wanted | {"Content-Length": str(SIGNED_IN.size + 1)}
    )
    assert (status, body.decode()) == (413, said)
    assert headers["Content-Language"] == ("en" if "That" in said else "fr-CA")


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        (None, "fr-CA"), ("de", "fr-CA"), ("en", "en"), ("EN-us", "en"), ("fr, en", "fr-CA"), ("en;q=0.9, fr;q=0.5", "en"),
        ("en;q=0", "fr-CA"), ("*", "fr-CA"), ("fr;q=0.1, *;q=0.5", "en"), ("en;q=nine", "fr-CA"), ("en" * 5_000, "fr-CA"), (";,;=", "fr-CA"),
    ],
)  # fmt: skip
def test_french_is_read_first_unless_english_is_wanted_more(accepted: str | None, language: str) -> None:
    assert language_of(accepted) == language


# --- Without a server ---
class Sends:
    """A body that comes in these pieces, and then no more; the last one may be the end."""

    def __init__(self, *pieces: bytes, ends: bool = False) -> None:
        self.pieces, self.ends = pieces, ends

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            yield piece
        if not self.ends:
            await asyncio.Event().wait()


async def whole(bodies: Bodies, sends: Sends, length: str | None, limit: Allowed) -> bytes:
    async with bodies.whole(sends, length, limit, "192.0.2.1") as body:
        return bytes(body)


def refusal(bodies: Bodies, sends: Sends, length: str | None, limit: Allowed) -> int:
    with pytest.raises(RefusedBodyError) as refused:
        asyncio.run(whole(bodies, sends, length, limit))
    assert (bodies.held, bodies.on_their_way) == (0, {})
    return refused.value.status


def test_a_body_has_a_time_to_come_in_and_a_pause_has_its_own() -> None:
    class Trickles(Sends):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            while True:
                yield b"a"
                await asyncio.sleep(0.001)

    assert refusal(Bodies(), Sends(b"a"), "10", Allowed(100, within=30, silence=0.01)) == 408
    assert refusal(Bodies(), Trickles(), "1000", Allowed(10_000, within=0.05, silence=30)) == 408


def test_all_bodies_together_have_a_measure_and_so_has_one_address() -> None:
    limit = Allowed(100, within=1, silence=1)
    assert refusal(Bodies(memory=5), Sends(b"123456"), "10", limit) == 503
    assert refusal(Bodies(from_one_address=0), Sends(b"1"), "10", limit) == 429
    assert refusal(Bodies(), Sends(b"123", ends=True), "10", limit) == 400
    assert asyncio.run(whole(Bodies(), Sends(b"12", b"3", ends=True), "3", limit)) == b"123"


def test_a_body_counts_until_it_is_answered() -> None:
    async def while_another_waits() -> None:
        bodies, limit = Bodies(memory=5), Allowed(100, within=1, silence=1)
        async with bodies.whole(Sends(b"123", ends=True), "3", limit, "192.0.2.1"):
            with pytest.raises(RefusedBodyError) as refused:
                await whole(bodies, Sends(b"456", ends=True), "3", limit)
            assert refused.value.status == 503
        assert await whole(bodies, Sends(b"456", ends=True), "3", limit) == b"456"
        assert bodies.held == 0

    asyncio.run(while_another_waits())


def test_the_larger_limit_takes_a_session() -> None:
    assert allowed("theme=dark; csrftoken=sessionid") == STRANGER
    assert allowed("theme=dark;sessionid=") == STRANGER
    assert allowed("theme=dark; sessionid=x") == allowed("__Host-sessionid=x") == SIGNED_IN


def test_where_files_are_sent_a_session_may_send_more_and_a_stranger_not() -> None:
    assert allowed("sessionid=x", "/c/boreale/files/imports") == FILE
    assert allowed("", "/c/boreale/files/imports") == STRANGER
    for other in (
        "/c/boreale/files/imports/1/take",
        "/c/a/b/files/imports",
        "/x/c/boreale/files/imports",
        "/c/boreale/files/imports/",
    ):
        assert allowed("sessionid=x", other) == SIGNED_IN


def test_large_files_take_no_place_of_other_bodies_and_one_address_sends_one_at_a_time() -> None:
    mega = b"x" * 1024 * 1024

    async def while_one_is_answered() -> None:
        bodies = Bodies(memory=SIGNED_IN.size + len(mega))
        large = Sends(*[mega] * 20, ends=True)
        async with bodies.whole(large, str(20 * len(mega)), FILE, "192.0.2.1"):
            assert (bodies.held, bodies.held_large) == (0, 20 * len(mega))
            with pytest.raises(RefusedBodyError) as second:
                async with bodies.whole(
                    Sends(*[mega] * 20, ends=True), str(20 * len(mega)), FILE, "192.0.2.1"
                ):
                    pass
            assert second.value.status == 429
            async with bodies.whole(Sends(*[mega] * 12, ends=True), str(12 * len(mega)), FILE, "192.0.2.1"):
                assert bodies.held == 12 * len(mega)
        assert (bodies.held, bodies.held_large, bodies.large) == (0, 0, set())

    asyncio.run(while_one_is_answered())


async def hold(server: Upstream, until: asyncio.Event | None = None) -> None:
    """Take a turn, and keep it for so long."""
    async with server.turn():
        if until:
            await until.wait()


def test_who_waits_too_long_or_behind_too_many_is_told_so() -> None:
    async def both() -> None:
        one = Upstream("pages", "/nowhere", at_once=1, waiting=1, patience=0.01)
        async with one.turn():
            with pytest.raises(FullError):  # waits, and not for ever
                async with one.turn():
                    pass
            one.patience = 10
            waits = asyncio.ensure_future(hold(one))
            await asyncio.sleep(0)
            with pytest.raises(FullError):  # one more than may wait
                async with one.turn():
                    pass
        await waits
        async with one.turn():  # and there is room again
            with pytest.raises(AwayError):
                async with one.ask(b"", bytearray(), "GET"):
                    pass

    asyncio.run(both())


def test_phones_give_way_while_a_page_is_answered_and_take_their_places_back() -> None:
    async def a_storm() -> None:
        pages = Upstream("pages", "/nowhere", at_once=4, waiting=10)
        phones = Upstream("phones", "/nowhere", at_once=4, waiting=10, before=pages, beside=1)
        served, seen = asyncio.Event(), asyncio.Event()
        page = asyncio.ensure_future(hold(pages, seen))
        await asyncio.sleep(0)
        storm = [asyncio.ensure_future(hold(phones, served)) for _ in range(6)]
        await asyncio.sleep(0)
        assert phones._busy == 1
        seen.set()
        await page
        await asyncio.sleep(0)
        assert phones._busy == 4
        async with pages.turn():  # however many phones there are, no page waits for one
            pass
        served.set()
        await asyncio.gather(*storm)
        assert (phones._busy, pages._busy) == (0, 0)

    asyncio.run(a_storm())


def test_a_phone_that_goes_away_while_it_waits_keeps_no_place() -> None:
    async def leaving() -> None:
        phones = Upstream("phones", "/nowhere", at_once=1, waiting=2)
        served = asyncio.Event()
        first = asyncio.ensure_future(hold(phones, served))
        await asyncio.sleep(0)
        gone, stays = (asyncio.ensure_future(hold(phones)) for _ in range(2))
        await asyncio.sleep(0)
        gone.cancel()
        served.set()
        await asyncio.gather(first, stays)
        assert gone.cancelled()
        # And one that goes just when its turn has come.
        served.clear()
        first = asyncio.ensure_future(hold(phones, served))
        await asyncio.sleep(0)
        gone, stays = (asyncio.ensure_future(hold(phones)) for _ in range(2))
        await asyncio.sleep(0)
        served.set()
        await asyncio.sleep(0)
        assert first.done()
        gone.cancel()
        await stays
        assert gone.cancelled()
        assert (phones._busy, len(phones._queue)) == (0, 0)

    asyncio.run(leaving())


# --- In ./run ---
@pytest.mark.browser
def test_run_serves_phones_while_its_pages_stand_still(installation: Installation) -> None:
    port = int(installation.url.rpartition(":")[2])

    def ask(path: str, timeout: float = 10) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        finally:
            connection.close()

    socket_of = launcher.socket_folder(installation.var / "run") / "pages.sock"
    assert oct(socket_of.stat().st_mode & 0o777) == oct(0o600)
    processes_of_pages = subprocess.run(
        ["pgrep", "-f", str(socket_of)], capture_output=True, text=True, check=True
    ).stdout.split()
    assert len(processes_of_pages) >= 2
    until(lambda: ask("/p/no-token/file.cfg") == 404)
    subprocess.run(["kill", "-STOP", *processes_of_pages], check=True)
    try:
        with ExitStack() as stack:
            for _ in range(12):
                connection = socket.create_connection(("127.0.0.1", port))
                connection.sendall(slow(length=100_000))
                stack.enter_context(connection)
            assert ask("/p/no-token/file.cfg") == 404
            with pytest.raises(TimeoutError):
                ask("/sign-in", 0.3)
    finally:
        subprocess.run(["kill", "-CONT", *processes_of_pages], check=True)
    assert ask("/sign-in") == 200
