"""A NOTIFY and its phone, whatever the phone is: sipp is the honest peer, loopback servers hostile ones."""

import asyncio
import contextlib
import hashlib
import re
import shutil
import socket
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phones.push.notify import transport
from phones.push.notify.digest import ChallengeError, credentials, strongest
from phones.push.notify.message import UnreadableError, read_reply
from phones.push.notify.sip import Notify, Outcome, Result, Target, phone_networks, send_all, send_all_async

SCENARIOS = Path(__file__).parent / "sipp"
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


both = pytest.mark.parametrize("transport", ["udp", "tcp"])


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


# --- answers that aren't ours -------------------------------------------------------------------------------

OTHERS = {
    "wrong branch": {"Via": "SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK000000000000000000000000"},
    "no magic cookie": {"Via": "SIP/2.0/UDP 127.0.0.1:5060;branch=1"},
    "wrong sequence": {"CSeq": "2 NOTIFY"},
    "wrong method": {"CSeq": "1 INVITE"},
    "wrong call": {"Call_ID": "somebody-elses"},
    "no sequence": {"CSeq": ""},
}


@pytest.mark.parametrize("changed", OTHERS.values(), ids=OTHERS.keys())
def test_an_answer_to_something_else_is_ignored_and_counted(
    changed: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    result, phone = meet(
        lambda request, phone, source: phone.say(answer(request, "200 OK", **changed), source)
    )
    assert result.outcome is Outcome.SILENT
    counted = re.search(r"SIP answers ignored \((.+): (\d+)\)", caplog.text)
    assert counted
    assert int(counted[2]) == len(phone.heard)


def test_an_answer_from_another_address_is_ignored() -> None:
    def spoof(request: str, phone: Phone, source: Any) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            stranger.bind(("127.0.0.2", 0))
            stranger.sendto(answer(request, "200 OK"), source)

    result, _ = meet(spoof)
    assert result.outcome is Outcome.SILENT


UNREADABLE = {
    "two Vias": lambda r: answer(r, "200 OK", "Via: SIP/2.0/UDP 10.0.0.9;branch=z9hG4bKx"),
    "64 kB": lambda r: answer(r, "200 OK", "X: " + "a" * 60_000),
    "past 8 kB": lambda r: answer(r, "200 OK", "X: " + "a" * 8_192),
    "500 headers": lambda r: answer(r, "200 OK", *["A: b"] * 500),
    "shorter than it says": lambda r: answer(r, "200 OK").replace(b"Length: 0", b"Length: 9"),
    "negative length": lambda r: answer(r, "200 OK").replace(b"Length: 0", b"Length: -1"),
    "two lengths": lambda r: answer(r, "200 OK", "Content-Length: 5"),
    "no end": lambda r: answer(r, "200 OK")[:-2],
    "code 99": lambda r: answer(r, "99 OK"),
    "code of 5,000 digits": lambda r: answer(r, "2" * 5_000 + " OK"),
    "a request": lambda r: r.encode(),
    "nothing": lambda _: b"",
}


@pytest.mark.parametrize("made", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_an_unreadable_or_oversized_answer_is_ignored(made: Callable[[str], bytes]) -> None:
    result, _ = meet(lambda request, phone, source: phone.say(made(request), source), timeout=0.2)
    assert result.outcome is Outcome.SILENT
    assert result.seconds < 1


def test_a_phone_that_floods_costs_neither_time_nor_the_other_phones() -> None:
    def flood(request: str, phone: Phone, source: Any) -> None:
        async def pour() -> None:
            for _ in range(300):
                for _ in range(20):
                    phone.say(b"\x00" * 1000, source)
                    phone.say(answer(request, "100 Trying"), source)
                await asyncio.sleep(0)

        phone.pouring = asyncio.ensure_future(pour())  # type: ignore[attr-defined]  # kept from the collector

    result, _ = meet(flood, t1=5, timeout=0.5)
    assert result.outcome is Outcome.SILENT
    assert result.seconds < 1


def test_the_reason_is_short_and_printable() -> None:
    words = "No\x1b[2J \u202ewrong\x00 " + "x" * 1000
    result, _ = meet(says((f"486 {words}",)))
    assert result.code == 486
    assert result.reason == ("No[2J wrong " + "x" * 1000)[:80]


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400) | st.binary(max_size=200).map(lambda tail: b"SIP/2.0 200 OK\r\n" + tail))
def test_any_bytes_are_an_answer_or_unreadable(data: bytes) -> None:
    with contextlib.suppress(UnreadableError):
        assert read_reply(data).code == 200


names = st.sampled_from(
    ["Via", "v", "CSeq", "Call-ID", "Content-Length", "l", "WWW-Authenticate", "Contact", ""]
)
values = st.text(max_size=40) | st.sampled_from(
    ["1 NOTIFY", "0", "SIP/2.0/UDP h;branch=z9hG4bKa;self=1", "SIP/2.0/UDP [::1];received=::1;branch=a"]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(names, values), max_size=70))
def test_any_headers_are_an_answer_or_unreadable(headers: list[tuple[str, str]]) -> None:
    lines = ["SIP/2.0 401 No", "Via: SIP/2.0/UDP h;branch=a", "CSeq: 1 NOTIFY"]
    lines += [f"{name}: {value}" for name, value in headers]
    try:
        reply = read_reply("\r\n".join(lines).encode())
    except UnreadableError:
        return
    with contextlib.suppress(ChallengeError):
        strongest(reply.challenges)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=300), min_size=1, max_size=5))
def test_garbage_on_the_wire_never_raises(pieces: list[bytes]) -> None:
    result, _ = meet(lambda _, phone, source: [phone.say(piece, source) for piece in pieces], timeout=0.03)
    assert result.outcome is Outcome.SILENT
    tcp, _ = meet_over_tcp(lambda _: iter(pieces), timeout=0.03)
    assert tcp.outcome is Outcome.SILENT


# --- the digest ---------------------------------------------------------------------------------------------


def fields_of(authorization: str) -> dict[str, str]:
    scheme, _, rest = authorization.partition(" ")
    assert scheme == "Digest"
    found = re.findall(r'(\w+)=(?:"((?:[^"\\]|\\.)*)"|([^,"]+))', rest)
    return {name: quoted.replace('\\"', '"').replace("\\\\", "\\") or plain for name, quoted, plain in found}


def proves(authorization: str, digest: Callable[[bytes], Any], realm: str = "Bureau") -> bool:
    """Whether `authorization` proves the password, computed as RFC 7616 (3.4.1) has it."""

    def h(text: str) -> str:
        return digest(text.encode()).hexdigest()

    said = fields_of(authorization)
    a1, a2 = h(f"u7Qx2:{realm}:{PASSWORD}"), h(f"NOTIFY:{said['uri']}")
    middle = f"{said['nonce']}:"
    if "qop" in said:
        middle += f"{said['nc']}:{said['cnonce']}:{said['qop']}:"
    return (
        said["username"] == "u7Qx2" and said["realm"] == realm and said["response"] == h(f"{a1}:{middle}{a2}")
    )


def test_the_examples_of_rfc_7616_come_out() -> None:
    for algorithm, response in (
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ):
        challenge = strongest(
            [
                'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm='
                f'{algorithm}, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", '
                'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
            ]
        )
        said = credentials(
            challenge,
            method="GET",
            uri="/dir/index.html",
            username="Mufasa",
            password="Circle of Life",
            cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
        )
        assert f'response="{response}"' in said
        assert f"algorithm={algorithm}, opaque=" in said
        assert "qop=auth, nc=00000001" in said


@pytest.mark.parametrize(
    ("status", "asks", "says_it_in"),
    [
        ("401 Unauthorized", "WWW-Authenticate", "Authorization"),
        ("407 Proxy Authentication Required", "Proxy-Authenticate", "Proxy-Authorization"),
    ],
)
@pytest.mark.parametrize(("algorithm", "digest"), [("MD5", hashlib.md5), ("SHA-256", hashlib.sha256)])
@pytest.mark.parametrize("qop", ['qop="auth,auth-int", ', ""], ids=["qop", "no qop"])
def test_a_challenge_is_answered_once_in_a_new_transaction_of_the_same_call(
    status: str, asks: str, says_it_in: str, algorithm: str, digest: Any, qop: str
) -> None:
    challenge = f'{asks}: Digest realm="Bureau", nonce="7f1c", {qop}opaque="o\\"p", algorithm={algorithm}'
    result, phone = meet(says((status, challenge), ("200 OK",)))
    assert result.outcome is Outcome.ACCEPTED
    first, second = phone.heard
    proof = header(second, says_it_in)
    assert proves(proof, digest)
    assert fields_of(proof)["opaque"] == 'o"p'
    assert header(second, "CSeq") == "2 NOTIFY"
    assert header(first, "Via") != header(second, "Via")
    for same in ("Call-ID", "From", "To", "Event"):
        assert header(first, same) == header(second, same)


def test_the_strongest_known_algorithm_is_answered() -> None:
    offers = [f"WWW-Authenticate: {DIGEST}{name}" for name in ("SHA-512-256", "MD5", "SHA-256")]
    result, phone = meet(says(("401 Unauthorized", *offers), ("200 OK",)))
    assert result.outcome is Outcome.ACCEPTED
    assert proves(header(phone.heard[1], "Authorization"), hashlib.sha256)


def test_a_stale_nonce_is_renewed_once_and_no_more() -> None:
    fresh = ("401 Unauthorized", f"WWW-Authenticate: {DIGEST}MD5")
    stale = ("401 Unauthorized", f"WWW-Authenticate: {DIGEST}MD5, stale=true")
    result, phone = meet(says(fresh, stale, ("200 OK",)))
    assert result.outcome is Outcome.ACCEPTED
    assert [header(request, "CSeq")[0] for request in phone.heard] == ["1", "2", "3"]
    result, phone = meet(says(fresh, stale))
    assert (result.outcome, result.code) == (Outcome.UNAUTHORIZED, 401)
    assert len(phone.heard) == 3


def test_a_phone_that_asks_for_ever_is_left_after_one_proof() -> None:
    result, phone = meet(says(("401 Unauthorized", f"WWW-Authenticate: {DIGEST}MD5")))
    assert (result.outcome, result.code, result.reason) == (Outcome.UNAUTHORIZED, 401, "Unauthorized")
    assert len(phone.heard) == 2


def test_a_later_weaker_challenge_gets_no_proof() -> None:
    strong = ("401 Unauthorized", f"WWW-Authenticate: {DIGEST}SHA-256")
    weak = ("401 Unauthorized", f"WWW-Authenticate: {DIGEST}MD5, stale=true")
    result, phone = meet(says(strong, weak))
    assert result.outcome is Outcome.UNAUTHORIZED
    assert "weaker" in result.reason
    assert len(phone.heard) == 2


UNANSWERABLE = {
    "unknown algorithm": f"{DIGEST}SHA-512-256",
    "no challenge": None,
    "basic": 'Basic realm="Bureau"',
    "no nonce": 'Digest realm="Bureau"',
    "empty nonce": 'Digest realm="Bureau", nonce=""',
    "no realm": 'Digest nonce="1"',
    "nonce of 2 kB": f'Digest realm="Bureau", nonce="{"n" * 2048}"',
    "realm of 2 kB": f'Digest realm="{"r" * 2048}", nonce="n"',
    "opaque of 2 kB": f'Digest realm="r", nonce="n", opaque="{"o" * 2048}"',
    "only auth-int": 'Digest realm="Bureau", nonce="n", qop="auth-int"',
    "nonce twice": 'Digest realm="Bureau", nonce="n", nonce="m"',
    "line feed in the nonce": 'Digest realm="Bureau", nonce="n\nRoute: <sip:127.0.0.2>"',
    "unclosed quote": 'Digest realm="Bureau, nonce=n',
    "hundreds of parameters": "Digest " + ",".join(f'p{n}=""' for n in range(700)) + "!",
}


@pytest.mark.parametrize("challenge", UNANSWERABLE.values(), ids=UNANSWERABLE.keys())
def test_a_challenge_that_cannot_be_trusted_gets_no_proof(challenge: str | None) -> None:
    extra = [] if challenge is None else [f"WWW-Authenticate: {challenge}"]
    result, phone = meet(says(("401 Unauthorized", *extra)))
    assert (result.outcome, result.code) == (Outcome.UNAUTHORIZED, 401)
    assert result.seconds < 0.5
    assert len(phone.heard) == 1


def test_a_nonce_of_64_kb_over_tcp_is_given_up_at_16_kb() -> None:
    challenge = f'WWW-Authenticate: Digest realm="Bureau", nonce="{"n" * 65_536}"'
    result, heard = meet_over_tcp(lambda request: iter([answer(request, "401 Unauthorized", challenge)]))
    assert result.outcome is Outcome.SILENT
    assert result.seconds < 0.5
    assert len(heard) == 1


def test_quotes_in_what_is_sent_back_stay_inside_their_quotes() -> None:
    realm = 'Bureau "du\\ nord", uri="x'
    written = realm.replace("\\", "\\\\").replace('"', '\\"')
    challenge = f'WWW-Authenticate: Digest realm="{written}", nonce="7f1c", qop="auth"'
    result, phone = meet(says(("401 Unauthorized", challenge), ("200 OK",)))
    assert result.outcome is Outcome.ACCEPTED
    assert proves(header(phone.heard[1], "Authorization"), hashlib.md5, realm)


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


# --- who may be written to ----------------------------------------------------------------------------------

TRICKS = [
    "localhost",
    "phone.example.net",
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "127.1",
    "0177.0.0.1",
    "010.0.0.1",
    "10.0.0.1.",
    "2001:DB8::1",
    "2001:db8:0:0::1",
    "::ffff:10.0.0.1",
    "::ffff:7f00:1",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::1",
    "2001::7f00:1",
    "fe80::1%eth0",
    "fe80::1",
    "::1",
    "::",
    "ff02::1",
    "fd00:ec2::254",
    "0.0.0.0",
    "0.1.2.3",
    "127.0.0.1",
    "127.8.9.10",
    "169.254.169.254",
    "192.0.0.192",
    "100.100.100.200",
    "224.0.1.75",
    "239.1.1.1",
    "240.0.0.1",
    "255.255.255.255",
]


@pytest.mark.parametrize("host", TRICKS)
@both
def test_an_address_that_is_no_phones_gets_nothing(
    host: str, transport: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scene() -> list[Result]:
        # The loop has its own socket by now; no other can be made.
        monkeypatch.delattr(socket, "socket")
        target = to(host, transport=transport)
        return await send_all_async([notify(target)], from_host="pbx", allowed=phone_networks())

    [result] = asyncio.run(scene())
    assert (result.outcome, result.code) == (Outcome.UNREACHABLE, None)
    assert result.reason


@pytest.mark.parametrize(
    "host", ["10.0.0.7", "172.16.3.4", "192.168.1.20", "100.64.0.9", "24.48.0.1", "2607:f8b0::1", "fd12::7"]
)
def test_private_and_public_unicast_addresses_are_phones(host: str) -> None:
    assert phone_networks()(ip_address(host))


def test_what_no_rule_can_allow_and_what_the_callers_own_networks_do() -> None:
    everything = [ip_network("0.0.0.0/0"), ip_network("::/0")]
    for host in ("0.0.0.0", "224.0.1.75", "255.255.255.255", "::", "ff02::1", "::ffff:a00:1"):
        [result] = send(notify(to(host)), allowed=everything)
        assert result.outcome is Outcome.UNREACHABLE
        assert result.reason.startswith("not the "), "it was the network that refused, not the rule"
    [outside] = send(notify(to("10.1.0.1")), allowed=iter([ip_network("10.2.0.0/16")]))
    assert (outside.outcome, outside.reason) == (
        Outcome.UNREACHABLE,
        "an address outside the phones' networks",
    )
    [service] = send(notify(to("127.0.0.1", port=25, transport="tcp")))
    assert (service.outcome, service.reason) == (Outcome.UNREACHABLE, "a port that phones don't use")


BREAKS = ["\r\n", "\n", "\r", "\0", "a\r\nRoute: <sip:127.0.0.1>", "\x1b", "\u2028", "\x85"]


@pytest.mark.parametrize("text", BREAKS, ids=repr)
@pytest.mark.parametrize("name", ["host", "user", "auth_id", "password"])
def test_a_line_break_in_a_target_is_refused(name: str, text: str) -> None:
    for value in (text, "a" + text, text + "a"):
        with pytest.raises(ValueError, match=f"^{name} must be") as refusal:
            to(**{name: value})
        assert text not in str(refusal.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"user": ""},
        {"user": "101@evil"},
        {"user": "101;x=y"},
        {"user": "101>"},
        {"user": "1 0"},
        {"user": "é"},
        {"user": "1" * 65},
        {"host": ""},
        {"host": "10.0.0.1;x"},
        {"host": "10.0.0.1>"},
        {"auth_id": ""},
        {"port": 0},
        {"port": 65536},
        {"transport": "tls"},
    ],
    ids=repr,
)
def test_a_target_that_could_break_out_of_its_uri_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"^{next(iter(changes))} must be"):
        to(**changes)


@pytest.mark.parametrize(
    "event",
    [*BREAKS, "", "check sync", "check-sync;", "check-sync;a=b=c", "é", 'a;b="c"', "a" * 129],
    ids=repr,
)
def test_an_event_that_could_break_out_of_its_header_is_refused(event: str) -> None:
    with pytest.raises(ValueError, match=r"^event must be"):
        notify(to(), event=event)


def test_what_the_vendors_phones_listen_to_is_an_event() -> None:
    for event in ("check-sync", "check-sync;reboot=true", "resync", "reboot_now", "ACTION-URI"):
        assert notify(to(), event=event).event == event


def test_the_password_is_in_no_repr() -> None:
    assert PASSWORD not in repr(notify(to()))


@pytest.mark.parametrize(
    "options", [{"from_host": "a\r\nb"}, {"from_host": ""}, {"in_flight": 0}, {"in_flight": 17}]
)
def test_a_call_without_sense_is_refused_before_anything_is_sent(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be"):
        send(notify(to()), **options)


# --- many phones --------------------------------------------------------------------------------------------


class Office:
    """Phones on loopback addresses of their own that answer late, and how many were waited for at once."""

    def __init__(self, phones: int, delay: float) -> None:
        self.delay = delay
        self.open = 0
        self.most = 0
        self.hosts = [f"127.0.{1 + n // 250}.{1 + n % 250}" for n in range(phones)]

    def script(self, request: str, phone: Phone, source: Any) -> None:
        self.open += 1
        self.most = max(self.most, self.open)
        asyncio.get_running_loop().call_later(self.delay, self.reply, request, phone, source)

    def reply(self, request: str, phone: Phone, source: Any) -> None:
        self.open -= 1
        phone.say(answer(request, "200 OK"), source)

    async def notified(self, **options: Any) -> tuple[list[Result], int]:
        loop = asyncio.get_running_loop()
        ends = [
            await loop.create_datagram_endpoint(lambda: Phone(self.script), local_addr=(host, 0))
            for host in self.hosts
        ]
        drawn = 0

        def notifies() -> Iterator[Notify]:
            nonlocal drawn
            for key, (wire, _) in enumerate(ends):
                host, port = wire.get_extra_info("sockname")
                drawn += 1
                assert drawn - 16 <= sum(len(phone.heard) for _, phone in ends), "read ahead of the sending"
                yield notify(to(host, port=port), key=key)

        try:
            results = await send_all_async(notifies(), from_host="pbx", allowed=LOOPBACK, **options)
        finally:
            for wire, _ in ends:
                wire.close()
        return results, sum(len(phone.heard) for _, phone in ends)


def test_three_hundred_phones_are_notified_in_order_with_sixteen_in_flight_and_none_lost() -> None:
    office = Office(phones=300, delay=0.02)
    results, heard = asyncio.run(office.notified())
    assert [result.key for result in results] == list(range(300))
    assert {result.outcome for result in results} == {Outcome.ACCEPTED}
    assert heard == 300
    assert office.most == 16


def test_when_the_budget_is_over_every_phone_still_has_its_result() -> None:
    office = Office(phones=40, delay=0.3)
    results, heard = asyncio.run(office.notified(budget=0.45))
    kinds = [result.outcome for result in results]
    assert kinds == [Outcome.ACCEPTED] * 16 + [Outcome.SILENT] * 16 + [Outcome.NOT_SENT] * 8
    assert heard == 32


def test_silent_phones_end_within_the_time_that_their_number_says() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        deaf.bind(("127.0.0.1", 0))
        target = to(port=deaf.getsockname()[1])
        started = time.monotonic()
        results = send(*(notify(target, key=n) for n in range(48)), timeout=0.2)
    assert {result.outcome for result in results} == {Outcome.SILENT}
    assert 0.6 <= time.monotonic() - started < 1.2


def test_what_the_callers_iterator_raises_comes_out_as_it_is() -> None:
    def broken() -> Iterator[Notify]:
        yield notify(to("10.0.0.1", port=25))
        raise LookupError("the phone is gone")

    with pytest.raises(LookupError, match="the phone is gone"):
        send_all(broken(), from_host="pbx", allowed=LOOPBACK)


def test_nobody_to_notify_is_no_work() -> None:
    assert send_all([], from_host="pbx", allowed=LOOPBACK) == []
