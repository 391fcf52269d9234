"""Attacks on the phone system by packets that no phone sends: by strangers, and by people who have a line."""

import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from asterisk.engine.engine import Engine
from asterisk.engine.ports import free_ports
from asterisk.link.connection import FILTERS
from asterisk.tests import sipp
from asterisk.tests.phones import wait_for
from asterisk.tests.raw import RawSip, sdp
from asterisk.tests.saving import did, save, trunk
from asterisk.tests.toy import ToyPortal

pytestmark = pytest.mark.calls

HERE = "127.0.0.9"
DID, CLIENT = "+15145550123", "4185550177"
# What somebody writes who wants to be taken for somebody else.
FORGED = (
    'Diversion: "Police" <sip:+15145550911@elsewhere.example>;reason=unconditional',
    'P-Asserted-Identity: "La direction" <sip:+15145558888@boreale.example.com>',
    "P-Preferred-Identity: <sip:+15145558888@boreale.example.com>",
    'Remote-Party-ID: "La direction" <sip:+15145557777@boreale.example.com>;party=calling;privacy=off',
)


def line_of(person):
    return {
        "caller": f"<sip:{person.number}@{person.customer.fqdn}>",
        "auth": (person.sip_auth_id, person.sip_password),
    }


class Listener:
    """Whoever listens at the manager interface as the link does; `text` is all that it heard."""

    def __init__(self, engine):
        self.line = socket.create_connection(("127.0.0.1", int(engine.values["AMI_PORT"])))
        self.text = ""
        threading.Thread(target=self._hear, daemon=True).start()
        self.say("Login", Username="pbxadmin", Secret="the password of the node", Events="off")
        for each in FILTERS:
            self.say("Filter", Operation="Add", MatchCriteria=each)
        self.say("Events", EventMask="on")

    def say(self, action, **values):
        lines = "".join(f"{key}: {value}\r\n" for key, value in values.items())
        self.line.sendall(f"Action: {action}\r\n{lines}\r\n".encode())

    def _hear(self):
        while data := self.line.recv(65536):
            self.text += data.decode(errors="replace")


def test_a_stranger_whose_name_holds_line_breaks_tells_the_portal_nothing(engine, boreale, amelie):
    save(amelie, sip_id="amelie")
    listener = Listener(engine)
    assert wait_for(lambda: listener.text.count("Response: Success") >= 2 + len(FILTERS), 5), listener.text
    lie = "x%0D%0A%0D%0AEvent%3A%20UserEvent%0D%0AUserEvent%3A%20PbxCall%0D%0ALie%3A%20yes%0D%0A%0D%0A"
    with RawSip(engine.sip) as raw:
        for target in ("amelie", lie, "nobody"):
            raw.ask(
                "INVITE", f"sip:{target}@boreale.example.com", caller=f"<sip:{lie}@elsewhere.example>", body=sdp(), within=1
            )  # fmt: skip
    listener.say("UserEvent", UserEvent="Last")
    assert wait_for(lambda: "UserEvent: Last" in listener.text, 5)
    assert "Lie" not in listener.text
    assert "Newchannel" not in listener.text


@pytest.mark.parametrize("path", [False, True], ids=["contact", "path"])
def test_a_device_is_called_where_it_is_and_never_at_a_trunk(phones, engine, boreale, amelie, felix, path):
    provider = phones.trunk(answer="at once", tone=1000)
    trunk(provider)
    place = f"127.0.0.2:{provider.port}"
    contact = f"<sip:+19005551234@{HERE}>" if path else f"<sip:+19005551234@{place}>"
    more = (f"Path: <sip:{place};lr>", "Supported: path") if path else ()
    caller = phones.of(felix)
    with RawSip(engine.sip, HERE) as raw:
        answer = raw.ask(
            "REGISTER", "sip:boreale.example.com", to="<sip:101@boreale.example.com>", contact=contact, lines=("Expires: 120", *more),
            **line_of(amelie),
        )  # fmt: skip
        assert answer.code == 200
        call = caller.call("101")
        assert wait_for(lambda: [each for each in raw.came if each.method == "INVITE"], 3)
        call.hangup()
    assert not provider.received


def test_nobody_says_who_calls_but_the_portal(phones, engine, boreale, amelie, felix):
    provider = phones.trunk(answer="busy")
    trunk(provider)
    save(felix, sip_id="felix")
    other = phones.of(felix, answer="busy")
    with RawSip(engine.sip, HERE) as raw:
        for target in (CLIENT, "102"):
            raw.ask(
                "INVITE", f"sip:{target}@boreale.example.com", body=sdp(HERE), lines=FORGED, **line_of(amelie)
            )
    with RawSip(engine.sip) as raw:
        raw.ask(
            "INVITE", "sip:felix@boreale.example.com", body=sdp(), lines=FORGED, caller='"102" <sip:911@boreale.example.org>'
        )  # fmt: skip
    out = provider.incoming()
    assert out.from_number == out.asserted_number == "+15145550100"
    inside = other.incoming()
    outside = other.incoming()
    assert (inside.from_number, inside.from_name) == ("101", "Amélie Tremblay")
    assert (outside.from_name, outside.from_number) in (("", ""), ("", "anonymous"))
    for call in (out, inside, outside):
        assert not any(word in call.invite.text for word in ("Police", "direction", "8888", "7777", "911")), (
            call.invite.text
        )


def test_whoever_may_not_call_outside_transfers_nobody_there(phones, engine, boreale, amelie):
    provider = phones.trunk(answer="at once", tone=1000)
    trunk(provider)
    did(boreale, DID, amelie)
    save(amelie, outbound_disabled=True)
    one = phones.of(amelie, answer="at once", tone=440)
    for target in ("4185550188", "94185550188", "4185550188;x=1", "Local%2F4185550188%40step"):
        call = provider.call(DID, CLIENT)
        assert call.hears(440, 0.3)
        one.incoming().transfer(f"sip:{target}@boreale.example.com")
        assert call.hears("speech", 0.3) or call.ended, target
        call.hangup()
        assert call.ended_within(3)
    assert not provider.received


@pytest.mark.parametrize("domain", ["elsewhere.example", "boreale.example.com"])
def test_a_call_is_set_up_while_strangers_try_three_hundred_names(
    phones, engine, boreale, amelie, felix, domain
):
    one, other = phones.of(amelie), phones.of(felix, answer="at once", tone=700)
    tried = [sipp.User(str(200 + number), domain, "", "") for number in range(300)]
    with ThreadPoolExecutor(1) as pool:
        flood = pool.submit(sipp.run, "stranger", engine.sip, tried, rate=500, address="127.0.3.2")
        call = one.call("102")
        assert call.hears(700, 0.1, within=15)
        call.hangup()
        flood.result()
    assert one.call("102").hears(700, 0.3)
    assert len(other.received) == 2


def test_a_stranger_costs_two_questions_of_which_one_names_no_host(asterisk, tmp_path):
    toy = ToyPortal()
    node = Engine(tmp_path / "node", asterisk, **free_ports(), PORTAL_URL=toy.url, SIP_ADDRESS="127.0.0.1")
    node.start()
    try:
        server = ("127.0.0.1", int(node.values["SIP_PORT"]))
        with RawSip(server) as raw:
            # An ACK is a request like any other, and would be asked about as well.
            raw._acknowledge = lambda *_given: None
            # How strangers are treated, which the node then remembers.
            assert (
                raw.ask("OPTIONS", "sip:elsewhere.example", caller="<sip:901@elsewhere.example>") is not None
            )
            for method in ("REGISTER", "OPTIONS", "INVITE"):
                toy.asked.clear()
                answer = raw.ask(method, "sip:elsewhere.example", caller="<sip:900@elsewhere.example>")
                assert answer is not None, method
                assert [body for what, body in toy.asked if what.endswith("/single")] == [
                    "id=900%40elsewhere.example", "id=900",
                ], method  # fmt: skip
    finally:
        node.stop()
        toy.close()
