"""Answers to a NOTIFY that aren't ours, or can't be read."""

import asyncio
import contextlib
import re
import socket
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phones.push.notify.digest import ChallengeError, strongest
from phones.push.notify.message import UnreadableError, read_reply
from phones.push.notify.sip import Outcome
from phones.push.tests.loopback import (
    OTHERS,
    Phone,
    answer,
    meet,
    meet_over_tcp,
    says,
)

# --- answers that aren't ours -------------------------------------------------------------------------------


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
