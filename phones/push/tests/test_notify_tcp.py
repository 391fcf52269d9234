"""A NOTIFY over TCP, to honest phones and to those that pour."""

import asyncio
import contextlib
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from phones.push.notify import transport
from phones.push.notify.sip import Outcome, Result, send_all_async
from phones.push.tests.loopback import (
    DIGEST,
    LOOPBACK,
    OTHERS,
    answer,
    header,
    meet_over_tcp,
    notify,
    send,
    to,
)

pytestmark = pytest.mark.slow("waits for phones that pour or say nothing")

# --- TCP ----------------------------------------------------------------------------------------------------


def test_answers_over_tcp_are_cut_by_their_length_whatever_the_pieces() -> None:
    def speak(request: str) -> Iterator[bytes]:
        body = answer(request, "183 Session Progress").replace(b"Length: 0", b"Length: 24")
        stray = answer(request, "200 OK", Call_ID="somebody-elses")
        whole = (
            b"\r\n\r\n" + body + b"SIP/2.0 603 no\r\n\r\n12345678"[:24] + stray + answer(request, "202 OK")
        )
        return (whole[n : n + 7] for n in range(0, len(whole), 7))

    result, heard = meet_over_tcp(speak, timeout=2)
    assert (result.outcome, result.code) == (Outcome.ACCEPTED, 202)
    [request] = heard
    assert request.startswith("NOTIFY sip:101@127.0.0.1:")
    assert ";transport=tcp SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:" in request


@pytest.mark.parametrize("changed", OTHERS.values(), ids=OTHERS.keys())
def test_an_answer_to_something_else_is_ignored_over_tcp_too(changed: dict[str, str]) -> None:
    result, _ = meet_over_tcp(lambda request: iter([answer(request, "200 OK", **changed)]), timeout=0.1)
    assert result.outcome is Outcome.SILENT


def test_nothing_is_sent_twice_over_tcp() -> None:
    result, heard = meet_over_tcp(lambda _: iter([]), timeout=0.4)
    assert result.outcome is Outcome.SILENT
    assert len(heard) == 1


def test_a_challenge_over_tcp_is_answered_on_the_same_connection() -> None:
    script = iter([("401 Unauthorized", f"WWW-Authenticate: {DIGEST}SHA-256"), ("200 OK",)])
    result, heard = meet_over_tcp(lambda request: iter([answer(request, *next(script))]))
    assert result.outcome is Outcome.ACCEPTED
    assert header(heard[0], "Contact") == header(heard[1], "Contact")


def endless(piece: bytes | None) -> Callable[[str], Iterator[bytes]]:
    def speak(request: str) -> Iterator[bytes]:
        while True:
            yield piece if piece is not None else answer(request, "100 Trying")

    return speak


@pytest.mark.parametrize(
    ("piece", "reason"),
    [
        (None, "no final answer in time"),
        (b"\r\n" * 500, "no final answer in time"),
        (b"a" * 1000, "its answer is not readable"),
        (b"SIP/2.0 200 OK\r\nContent-Length: 99999\r\n\r\n", "its answer is not readable"),
    ],
    ids=["endless 1xx", "endless blank lines", "endless line", "huge body"],
)
def test_a_phone_that_pours_over_tcp_is_bounded_in_time_and_memory(
    piece: bytes | None, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[int] = []
    fill = transport.Connection._fill

    async def watched(self: transport.Connection) -> None:
        await fill(self)
        held.append(len(self._held))

    monkeypatch.setattr(transport.Connection, "_fill", watched)
    result, _ = meet_over_tcp(endless(piece), timeout=0.3)
    assert (result.outcome, result.reason) == (Outcome.SILENT, reason)
    assert result.seconds < 1
    assert max(held) <= 16 * 1024


def test_a_phone_that_pours_faster_than_it_is_read_does_not_stop_the_clock() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def pour() -> None:
            connection, _ = server.accept()
            request = connection.recv(4096).decode()
            piece = answer(request, "100 Trying") * 200
            deadline = time.monotonic() + 3
            with connection, contextlib.suppress(ConnectionError):
                while time.monotonic() < deadline:
                    connection.sendall(piece)

        phone = threading.Thread(target=pour)
        phone.start()
        [result] = send(notify(to(port=port, transport="tcp")), timeout=0.3)
        phone.join()
    assert result.outcome is Outcome.SILENT
    assert result.seconds < 1.5


def test_a_waking_reads_a_bounded_number_of_datagrams() -> None:
    async def scene() -> list[int]:
        ignored: Counter[str] = Counter()
        datagrams = transport.Datagrams(4, ignored)
        taken = []
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
                for _ in range(100):
                    stranger.sendto(b"rubbish", ("127.0.0.1", datagrams.port))
            for _ in range(2):
                datagrams._read()
                taken.append(ignored["not readable"])
        finally:
            datagrams.close()
        return taken

    assert asyncio.run(scene()) == [64, 100]


def test_a_phone_that_hangs_up_is_silent_at_once() -> None:
    async def scene() -> Result:
        async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(10)
            writer.close()

        async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
            target = to(port=server.sockets[0].getsockname()[1], transport="tcp")
            [result] = await send_all_async([notify(target)], from_host="pbx", allowed=LOOPBACK, timeout=5)
        return result

    result = asyncio.run(scene())
    assert (result.outcome, result.reason) == (Outcome.SILENT, "connection closed without an answer")
    assert result.seconds < 2
