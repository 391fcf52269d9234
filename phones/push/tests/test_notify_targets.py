"""Who may be written to at all, and many phones at once."""

import asyncio
import socket
import time
from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from phones.push.notify.sip import Notify, Outcome, Result, phone_networks, send_all, send_all_async
from phones.push.tests.loopback import (
    LOOPBACK,
    PASSWORD,
    Phone,
    answer,
    both,
    notify,
    send,
    to,
)

pytestmark = pytest.mark.slow("waits for phones that don't answer")

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
    "::ffff:0:7f00:1",
    "64:ff9b:1::7f00:1",
    "2607:f8b0::5efe:7f00:1",
    "2607:f8b0::200:5efe:a9fe:a9fe",
    "fec0::1",
    "3fff::1",
    "fd00:ec2::254",
    "fd20:ce::254",
    "fd00:c1::a9fe:a9fe",
    "fd00:42::42",
    "fd00:a9fe:a9fe::1",
    "fd7a:115c::254",
    "168.63.129.16",
    "192.88.99.1",
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


def test_a_clouds_services_and_addresses_in_disguise_are_opened_by_no_network_of_an_installation() -> None:
    rule = phone_networks("0.0.0.0/0", "::/0")
    for host in ("169.254.169.254", "fd20:ce::254", "::ffff:7f00:1", "64:ff9b::a00:1", "224.0.0.1"):
        assert not rule(ip_address(host)), host
    assert rule(ip_address("127.0.0.1"))
    assert rule(ip_address("fe80::1"))


@both
def test_the_machine_itself_is_no_phone_whichever_of_its_addresses_it_is(transport: Any) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as route:
        route.connect(("192.0.2.1", 5060))
        own = route.getsockname()[0]
    [result] = send(notify(to(own, transport=transport)), allowed=phone_networks())
    assert (result.outcome, result.reason) == (Outcome.UNREACHABLE, "an address of the machine itself")


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
