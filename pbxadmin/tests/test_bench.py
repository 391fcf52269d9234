"""The players of the benches: phones that the portal's NOTIFY reaches, and forms sent as a browser would send them."""

import asyncio
from typing import Any

import pytest
from django.test import Client

from bench.administrators import form_of
from bench.telephones import answer_to
from phones.push.notify import sip
from signin.tests.signing import sign_in_fully
from users.models import Customer, User
from users.people.sections import user_sheet


def test_a_played_phone_understands_the_portals_notify() -> None:
    events: list[str] = []

    class Phone(asyncio.DatagramProtocol):
        def connection_made(self, transport: Any) -> None:
            self.wire = transport

        def datagram_received(self, data: bytes, source: Any) -> None:
            answer, call, event = answer_to(data)
            assert call.encode() in answer
            events.append(event)
            self.wire.sendto(answer, source)

    async def told() -> list[sip.Result]:
        loop = asyncio.get_running_loop()
        wire, _ = await loop.create_datagram_endpoint(Phone, local_addr=("127.0.0.1", 0))
        port = wire.get_extra_info("sockname")[1]
        target = sip.Target(
            host="127.0.0.1", port=port, transport="udp", user="104", auth_id="a", password="b"
        )
        notify = sip.Notify(key=1, target=target, event="check-sync;reboot=false")
        results = await sip.send_all_async(
            [notify], from_host="boreale.example.com", allowed=sip.phone_networks("127.0.0.0/8")
        )
        wire.close()
        return results

    [result] = asyncio.run(told())
    assert result.outcome is sip.Outcome.ACCEPTED
    assert events == ["check-sync;reboot=false"]


@pytest.mark.parametrize(
    "said", [b"", b"NOTIFY sip:1 SIP/2.0\r\n\r\n", b"INVITE sip:a@b SIP/2.0\r\nVia: x\r\n\r\n"]
)
def test_a_played_phone_takes_nothing_else(said: bytes) -> None:
    with pytest.raises(ValueError, match=r"NOTIFY|missing"):
        answer_to(said)


@pytest.mark.django_db
def test_a_form_that_nobody_touched_is_sent_as_it_stands_and_changes_nothing(
    boreale: Customer, felix: User, ines: User
) -> None:
    client = sign_in_fully(Client(), felix)
    for section in user_sheet().sections:
        tab = f"/c/{boreale.slug}/users/{ines.number}/{section.slug}"
        page = client.get(tab).content.decode()
        if 'id="tab"' not in page:
            continue
        sent: dict[str, list[str]] = {}
        for name, value in form_of(page, "tab"):
            sent.setdefault(name, []).append(value)
        answer = client.post(tab, sent)
        assert answer.status_code == 302, section.slug
        assert "saved=1" not in answer["Location"], section.slug
    with pytest.raises(ValueError, match="no form"):
        form_of("<form id=other></form>", "tab")
