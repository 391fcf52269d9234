"""Many calls in the same moment: never more than a contract has channels for, and afterwards all of them are free again."""

import secrets

import pytest

from asterisk.engine.ports import UDP_AND_TCP, free_port
from asterisk.tests import sipp
from asterisk.tests.raw import RawSip, sdp
from asterisk.tests.saving import contract, did, trunk_at

pytestmark = pytest.mark.calls

AMELIE, THERE = "+15145550123", "127.0.0.2"


@pytest.fixture
def port(boreale):
    """Where the provider of the SIP trunk is called."""
    contract(boreale, sip_trunk_channels="2")
    found = free_port(UDP_AND_TCP, THERE)
    trunk_at(THERE, found)
    return found


def test_of_twenty_calls_out_at_once_as_many_pass_as_the_contract_has_channels(
    engine, port, boreale, amelie, felix, ines
):
    callers = [
        sipp.User(each.number, boreale.fqdn, each.sip_auth_id, each.sip_password, callee="4185550188")
        for each in (amelie, felix, ines)
    ]
    with sipp.playing("answer", port, address=THERE):
        for count, passed in ((20, 2), (2, 2)):
            done = sipp.run("call", engine.sip, callers, count=count, rate=2000, lasting_ms=1000, within=20)
            assert (done.successful, done.failed) == (passed, count - passed)


def test_of_twenty_calls_in_at_once_as_many_pass_and_the_others_hear_that_all_channels_are_taken(
    phones, engine, port, boreale, amelie
):
    did(boreale, AMELIE, amelie)
    one = phones.of(amelie, answer="at once")
    with RawSip(engine.sip, THERE) as provider:

        def codes(count):
            calls = [secrets.token_hex(8) for _ in range(count)]
            for call in calls:
                provider.send(
                    message(
                        engine, provider, "INVITE", call, "Content-Type: application/sdp", body=sdp(THERE)
                    )
                )
            engine.wait_until(lambda: len(ends(provider, calls)) == count, "all are answered finally")
            found = ends(provider, calls)
            for call, answer in found.items():
                provider.send(
                    message(engine, provider, "ACK", call, tag=answer.header("To").rpartition(">")[2])
                )
            return sorted(answer.code for answer in found.values())

        assert codes(20) == [200, 200, *[503] * 18]
        for call in one.on_a_call():
            call.hangup()
        engine.wait_until(lambda: "0 active channels" in engine.cli("core show channels"), "all are free")
        assert codes(2) == [200, 200]


def message(engine, provider, method, call, *lines, tag="", body=""):
    """One of a call from outside."""
    server = f"{engine.sip[0]}:{engine.sip[1]}"
    return "\r\n".join((
        f"{method} sip:{AMELIE}@{server} SIP/2.0", f"Via: SIP/2.0/UDP {provider.here};rport;branch=z9hG4bK{call}{method}", "Max-Forwards: 70",
        f"From: <sip:+14185550177@{THERE}>;tag={call}", f"To: <sip:{AMELIE}@{server}>{tag}", f"Call-ID: {call}", f"CSeq: 1 {method}",
        f"Contact: <sip:{provider.here}>", *lines, f"Content-Length: {len(body)}", "", body,
    ))  # fmt: skip


def ends(provider, calls):
    """The last answer to each of these calls."""
    invites = (each for each in provider.came if each.header("CSeq").endswith("INVITE"))
    found = {each.header("Call-ID"): each for each in invites if each.code >= 200}
    return {call: found[call] for call in calls if call in found}
