"""A NOTIFY and its phone: sipp is the honest peer, the loopback phones follow a script."""

import asyncio
import contextlib
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from phones.push.notify.sip import Notify, Outcome, Result, send_all_async
from phones.push.tests.loopback import (
    LOOPBACK,
    QUICK,
    Phone,
    answer,
    both,
    header,
    meet,
    notify,
    says,
    send,
    to,
)
from phones.tests.desk import Desk

pytestmark = pytest.mark.slow("starts sipp")

SCENARIOS = Path(__file__).parent / "sipp"


# --- sipp, a peer that isn't ours ---------------------------------------------------------------------------


@contextlib.contextmanager
def sipp(
    scenario: str, transport: str = "udp", calls: int = 1
) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """A sipp that plays `scenario` on loopback: its port and its process, which ends after `calls` calls."""
    assert shutil.which("sipp"), "These tests need sipp as the phone: install Debian's sip-tester."
    kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, kind) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["sipp", "-sf", str(SCENARIOS / f"{scenario}.xml"), "-i", "127.0.0.1", "-p", str(port)]
    command += ["-m", str(calls), "-t", "u1" if transport == "udp" else "t1", "-nostdin", "-timeout", "15s"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 5
        while not _listens(port, kind):
            assert process.poll() is None, f"sipp ended with {process.returncode} before it listened"
            assert time.monotonic() < deadline, "sipp did not listen within 5 s"
            time.sleep(0.01)
        yield port, process
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(5)


def _listens(port: int, kind: int) -> bool:
    table = "udp" if kind == socket.SOCK_DGRAM else "tcp"
    local = f"0100007F:{port:04X} "
    return local in Path(f"/proc/net/{table}").read_text()


@both
@pytest.mark.parametrize("scenario", ["accepts", "accepts_late", "challenges", "challenges_plainly"])
def test_a_real_peer_takes_the_notify(scenario: str, transport: Any) -> None:
    with sipp(scenario, transport) as (port, process):
        [result] = send(notify(to(port=port, transport=transport)), timeout=5)
        assert process.wait(5) == 0, "sipp found fault with what it heard"
    assert (result.outcome, result.code, result.reason) == (Outcome.ACCEPTED, 200, "OK")
    assert result.key == "amelie"


@both
def test_a_real_peer_that_verifies_the_digest_refuses_a_wrong_password(transport: Any) -> None:
    with sipp("challenges", transport) as (port, _):
        [result] = send(notify(to(port=port, transport=transport, password="wrong")), timeout=5)
    assert (result.outcome, result.code) == (Outcome.REFUSED, 403)


@both
def test_a_real_peer_that_never_answers_is_silent(transport: Any) -> None:
    with sipp("silent", transport) as (port, _):
        [result] = send(notify(to(port=port, transport=transport)), timeout=0.3, t1=0.05)
    assert (result.outcome, result.code) == (Outcome.SILENT, None)
    assert 0.3 <= result.seconds < 1.3


# --- the transaction ----------------------------------------------------------------------------------------


def test_the_request_is_a_complete_unsolicited_notify() -> None:
    _, phone = meet(says(("200 OK",)))
    [request] = phone.heard
    port = phone.wire.get_extra_info("sockname")
    assert re.fullmatch(r"NOTIFY sip:101@127\.0\.0\.1:\d+ SIP/2\.0", request.split("\r\n")[0]), port
    via = r"SIP/2\.0/UDP 127\.0\.0\.1:\d+;rport;branch=z9hG4bK[0-9a-f]{24}"
    assert re.fullmatch(via, header(request, "Via"))
    assert re.fullmatch(r"<sip:pbxadmin@pbx\.example\.net>;tag=[0-9a-f]{16}", header(request, "From"))
    assert header(request, "To") == "<sip:101@pbx.example.net>"
    assert re.fullmatch(r"<sip:pbxadmin@127\.0\.0\.1:\d+>", header(request, "Contact"))
    assert header(request, "CSeq") == "1 NOTIFY"
    assert header(request, "Event") == "check-sync;reboot=false"
    assert header(request, "Subscription-State") == "terminated"
    assert header(request, "Max-Forwards") == "70"
    assert header(request, "User-Agent") == "pbxadmin"
    assert header(request, "Content-Length") == "0"
    assert request.endswith("\r\n\r\n")


def test_it_is_sent_again_after_t1_then_twice_as_long_up_to_t2_until_the_time_is_over() -> None:
    result, phone = meet(lambda *_: None, t1=0.05, t2=0.2, timeout=0.9)
    assert result.outcome is Outcome.SILENT
    assert 0.9 <= result.seconds < 1.5
    # At 0, 0.05, 0.15, 0.35, 0.55 and 0.75 s: the same bytes each time.
    assert len(phone.heard) == 6
    assert len(set(phone.heard)) == 1
    gaps = [later - earlier for earlier, later in zip(phone.times, phone.times[1:], strict=False)]
    for gap, due in zip(gaps, [0.05, 0.1, 0.2, 0.2, 0.2], strict=True):
        assert due - 0.02 < gap < due + 0.1


def test_provisional_answers_slow_the_copies_down_and_never_move_the_deadline() -> None:
    def endless(request: str, phone: Phone, source: Any) -> None:
        for code in ("100 Trying", "183 Session Progress") * 20:
            phone.say(answer(request, code), source)

    result, phone = meet(endless, t1=0.05, t2=0.4, timeout=0.9)
    assert result.outcome is Outcome.SILENT
    assert 0.9 <= result.seconds < 1.5
    # The first copy was due already; then at t2: 0, 0.05, 0.45, 0.85 s.
    assert len(phone.heard) == 4


def test_the_copies_of_a_restart_end_before_the_phone_can_be_back_and_the_answer_is_awaited_all_the_same() -> (
    None
):
    with Desk(status=None) as desk:
        restart = Notify(key=1, target=to(port=desk.port), event="check-sync;reboot=true", repeat_for=0.1)
        [result] = send(restart, t1=0.05, t2=0.05, timeout=0.6)
        assert (result.outcome, result.seconds >= 0.6) == (Outcome.SILENT, True)
        assert 1 <= len(desk.heard) <= 3  # at 0, 0.05 and 0.1 s


def test_an_answer_to_any_copy_counts_and_late_ones_do_no_harm(caplog: pytest.LogCaptureFixture) -> None:
    def second_time(request: str, phone: Phone, source: Any) -> None:
        if len(phone.heard) == 2:
            for _ in range(3):
                phone.say(answer(request, "200 OK"), source)

    result, _ = meet(second_time)
    assert (result.outcome, result.code) == (Outcome.ACCEPTED, 200)
    assert "answer to nothing asked: 2" in caplog.text


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("202 Accepted", Outcome.ACCEPTED),
        ("302 Moved Temporarily", Outcome.REFUSED),
        ("481 Subscription does not exist", Outcome.REFUSED),
        ("489 Bad Event", Outcome.REFUSED),
        ("503 Service Unavailable", Outcome.REFUSED),
        ("603 Decline", Outcome.REFUSED),
    ],
)
def test_a_final_answer_ends_it(status: str, outcome: Outcome) -> None:
    result, phone = meet(says((status, "Contact: <sip:elsewhere@127.0.0.2:5060>")))
    code, _, words = status.partition(" ")
    assert (result.outcome, result.code, result.reason) == (outcome, int(code), words)
    assert len(phone.heard) == 1


def test_a_redirection_is_not_followed() -> None:
    async def scene() -> tuple[Result, list[str]]:
        loop = asyncio.get_running_loop()
        lured, elsewhere = await loop.create_datagram_endpoint(
            lambda: Phone(says(("200 OK",))), local_addr=("127.0.0.2", 0)
        )
        port = lured.get_extra_info("sockname")[1]
        redirect = says(("302 Moved Temporarily", f"Contact: <sip:101@127.0.0.2:{port}>"))
        wire, _ = await loop.create_datagram_endpoint(lambda: Phone(redirect), local_addr=("127.0.0.1", 0))
        target = to(port=wire.get_extra_info("sockname")[1])
        [result] = await send_all_async([notify(target)], from_host="pbx", allowed=LOOPBACK, **QUICK)
        wire.close()
        lured.close()
        return result, elsewhere.heard

    result, heard = asyncio.run(scene())
    assert (result.outcome, result.code) == (Outcome.REFUSED, 302)
    assert heard == []


def test_a_phone_over_ipv6_is_reached_and_may_write_its_received_parameter_bare() -> None:
    def script(request: str, phone: Phone, source: Any) -> None:
        via = header(request, "Via") + ";received=::1"
        phone.say(answer(request, "200 OK", Via=via), source)

    result, phone = meet(script, "::1")
    assert result.outcome is Outcome.ACCEPTED
    assert phone.heard[0].startswith("NOTIFY sip:101@[::1]:")
    assert "@[::1]:" in header(phone.heard[0], "Contact")


def test_an_answer_in_compact_folded_and_untidy_headers_is_read() -> None:
    def script(request: str, phone: Phone, source: Any) -> None:
        via = header(request, "Via").replace(";branch", "\r\n ;branch")
        text = f"SIP/2.0 200 \r\nv : {via}\r\ni:{header(request, 'Call-ID')}\r\nCSeq:  1  NOTIFY\r\n"
        phone.say(text.encode() + b"Server: T\xe9l\r\nl: 0\r\n\r\n", source)

    result, _ = meet(script)
    assert (result.outcome, result.code, result.reason) == (Outcome.ACCEPTED, 200, "")


def test_a_closed_port_is_unreachable_at_once_and_only_that_phone() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        closed = free.getsockname()[1]
    with sipp("accepts", calls=4) as (port, _):
        started = time.monotonic()
        results = send(
            *(notify(to(port=closed if n % 2 else port), key=n) for n in range(8)), timeout=5, t1=0.5
        )
    assert [result.outcome for result in results] == [Outcome.ACCEPTED, Outcome.UNREACHABLE] * 4
    assert time.monotonic() - started < 3
    [tcp] = send(notify(to(port=closed, transport="tcp")))
    assert (tcp.outcome, tcp.code, tcp.reason) == (Outcome.UNREACHABLE, None, "Connection refused")
