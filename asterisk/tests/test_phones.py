"""The phones with which calls are tested, tried on an Asterisk that asks nobody: what they say they hear and see is so."""

import threading
from collections.abc import Iterator

import pytest

from asterisk.softphone.phone import LINES
from asterisk.tests.fixed import DOMAIN, FixedAsterisk
from asterisk.tests.phones import Phone, PhoneError, Phones, Trunk, wait_for
from phones.tests.processes import wait_until

pytestmark = pytest.mark.calls


@pytest.fixture
def phones(phone_store: Phones, fixed: FixedAsterisk) -> Iterator[Phones]:
    """Phones that register with it."""
    phone_store.server = fixed.sip
    phone_store.tls_port = int(fixed.values["SIP_TLS_PORT"])
    yield phone_store
    phone_store.release()


@pytest.fixture
def provider(phones: Phones, fixed: FixedAsterisk) -> Trunk:
    """The provider behind the SIP trunk."""
    return phones.trunk(port=int(fixed.values["PROVIDER_PORT"]), answer="at once", tone=1000)


def phone(phones: Phones, number: str, **account: object) -> Phone:
    return phones.phone(number, DOMAIN, f"auth{number}", "secret", **account)


def test_two_phones_hear_each_other_for_as_long_as_they_talk(phones):
    amelie, felix = phone(phones, "101", tone=440), phone(phones, "102", tone=700, answer="after 0.5")
    call = amelie.call("102")
    heard = felix.incoming(within=3)
    assert (heard.from_number, heard.from_name, heard.asserted_number) == ("101", "Amélie Tremblay", "101")
    assert call.answered_within(5)
    assert call.hears(700, seconds=1)
    assert heard.hears(440, seconds=1)
    assert call.hangup()
    assert heard.ended_within(2)
    assert 0.4 < heard.rang_for < 0.7
    assert abs(call.heard_for(700) - call.lasted) < 0.4
    assert abs(heard.heard_for(440) - heard.lasted) < 0.4
    assert felix.rang == 1


@pytest.mark.parametrize(
    ("answer", "code", "told"),
    [("busy", 486, 486), ("603 after 0.3", 603, 403), ("480", 480, 480)],
    ids=["busy", "declined", "away"],
)
def test_a_phone_refuses_as_it_was_told(phones, answer, code, told):
    amelie, felix = phone(phones, "101"), phone(phones, "102", answer=answer)
    call = amelie.call("102")
    assert call.ended_within(5)
    assert call.code == told
    heard = felix.incoming()
    assert heard.ended_within(2)
    assert heard.code == code
    assert felix.rang == ("after" in answer)


def test_a_caller_who_gives_up_is_seen_to_have_given_up(phones):
    amelie, felix = phone(phones, "101"), phone(phones, "102", answer="ring")
    call = amelie.call("102")
    heard = felix.incoming()
    assert call.rings_within(2)
    assert not call.answered_within(0.6)
    call.hangup()
    assert heard.ended_within(2)
    assert not heard.answered
    assert heard.code == 487
    assert 0.5 < heard.rang_for < 1


def test_a_wrong_password_is_refused_and_another_phone_can_be_had_from_the_same_process(phones):
    wrong = phones.phone("101", DOMAIN, "auth101", "wrong", register=False)
    assert wrong.register() == 401
    with pytest.raises(PhoneError, match="401"):
        phones.phone("101", DOMAIN, "auth101", "wrong")
    assert wrong.become(phone(phones, "102").account).register() == 200
    assert wrong.unregister() == 200


def test_two_devices_of_one_extension_ring_together_and_one_is_told_that_the_other_answered(phones):
    desk, cell, amelie = phone(phones, "102", tone=700), phone(phones, "102", tone=900), phone(phones, "101")
    call = amelie.call("102")
    ringing = desk.incoming(), cell.incoming()
    ringing[1].answer()
    assert call.hears(900)
    assert ringing[0].ended_within(2)
    assert (desk.rang, cell.rang) == (1, 1)
    assert "completed elsewhere" in ringing[0].reason


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_a_phone_speaks_over_tcp_and_tls(phones, transport):
    amelie, felix = (
        phone(phones, "101", transport=transport),
        phone(phones, "102", answer="at once", tone=700),
    )
    call = amelie.call("102")
    assert call.hears(700)
    back = felix.call("101")
    assert amelie.incoming().answer()
    assert back.hears(440)


def test_sound_is_encrypted_where_the_phone_system_wants_it_and_only_there(phones):
    amelie = phone(phones, "101", answer="at once")
    secret = phone(phones, "103", transport="tls", srtp="mandatory", answer="at once", tone=900)
    call = amelie.call("103")
    assert call.hears(900)
    heard = secret.incoming()
    assert heard.srtp
    assert heard.invite.encrypted
    assert heard.hears(440)
    assert not call.srtp
    call.hangup()
    plain = phone(phones, "103")
    refused = plain.call("101")
    assert refused.ended_within(2)
    assert refused.code == 488


def test_the_order_of_codecs_is_seen_and_the_first_is_used(phones):
    amelie = phone(phones, "101", codecs=["g722", "alaw"])
    felix = phone(phones, "102", codecs=["alaw", "ulaw"], answer="at once", tone=700)
    call = amelie.call("102")
    heard = felix.incoming()
    assert heard.codecs[0] in ("g722", "alaw")
    assert call.answered_within(2)
    assert call.codec in ("G722/16000", "PCMA/8000")
    assert heard.codec == "PCMA/8000"
    assert call.hears(700)
    assert heard.hears(440)


def test_media_is_seen_to_go_directly_or_through_the_phone_system(phones):
    one, other = phone(phones, "104"), phone(phones, "105", address="127.0.0.3", answer="at once", tone=700)
    # Whoever hears the phone system first, as the other one would what is sent there, stays with it (symmetric RTP).
    call = one.call("105", listens=True)
    assert call.hears(700, seconds=1)
    assert call.media_address.startswith("127.0.0.3:")
    wait_until(lambda: call.statistics()["from"].startswith("127.0.0.3:"), 2, "the sound comes from there")
    relayed = phone(phones, "101").call("105")
    assert relayed.hears(700)
    assert relayed.media_address.startswith("127.0.0.1:")
    assert len(other.received) == 2


def test_keys_arrive_on_either_side(phones):
    call = phone(phones, "101").call("digits")
    assert call.answered_within(2)
    call.dtmf("12#")
    assert call.digits_within("12", 8)


@pytest.mark.parametrize(
    ("number", "what"),
    [("tone", 1004), ("prompt", "speech"), ("ringing", "ringback")],
    ids=["tone", "prompt", "ringback"],
)
def test_tones_speech_and_ringback_are_told_apart_also_before_the_answer(phones, number, what):
    call = phone(phones, "101").call(number)
    assert call.hears(what, seconds=0.8)
    assert call.answered == (number != "ringing")


def test_hold_and_transfer_are_seen(phones):
    amelie, felix = phone(phones, "101", tone=440), phone(phones, "102", answer="at once", tone=700)
    ines = phone(phones, "104", answer="at once", tone=900)
    call = amelie.call("102")
    heard = felix.incoming()
    assert heard.hears(440)
    call.hold()
    silent_since = heard.heard_for(440)
    assert not heard.hears(440, seconds=silent_since + 1, within=1)
    call.resume()
    assert heard.hears(440, seconds=silent_since + 1)
    heard.transfer(felix.uri("104"))
    assert call.hears(900)
    assert ines.incoming().from_number == "101"
    assert heard.ended_within(2)


def test_a_consulted_transfer_joins_two_calls(phones):
    amelie, felix = phone(phones, "101", tone=440), phone(phones, "102", answer="at once", tone=700)
    ines = phone(phones, "104", answer="at once", tone=900)
    first = felix.call("101")
    assert amelie.incoming().answer()
    second = felix.call("104")
    assert second.hears(900)
    first.transfer_to(second)
    assert ines.incoming().hears(440)
    assert first.ended_within(2)


def test_waiting_messages_are_told(phones):
    felix = phone(phones, "102")
    caller = phone(phones, "101")
    call = caller.call("message")
    assert call.answered_within(2)
    assert not call.ended_within(2.5)
    call.hangup()
    assert felix.messages_become(1, 0)


def test_the_provider_sees_numbers_and_treats_them_differently(phones, provider):
    provider.answers("at once", {"5145550199": "busy", "5145550198": "early"})
    amelie = phone(phones, "101", answer="at once")
    call = amelie.call("5145550142")
    out = provider.incoming()
    assert (out.dialled, out.from_number, out.asserted_number) == ("5145550142", "5145550100", "5145550100")
    assert call.hears(1000)
    assert out.hears(440)
    call.hangup()
    busy = amelie.call("5145550199")
    assert busy.ended_within(2)
    assert busy.code == 486
    early = amelie.call("5145550198")
    assert early.hears(1000)
    assert not early.answered


def test_the_provider_calls_in_with_a_number_and_a_name(phones, provider):
    amelie = phone(phones, "101", answer="at once")
    call = provider.call("5145550101", "5145550177", name="Olivier Bélanger", headers={"X-Line": "7"})
    heard = amelie.incoming()
    assert (heard.from_number, heard.from_name) == ("5145550177", "Olivier Bélanger")
    assert call.hears(440)
    assert heard.hears(1000)


def test_a_deflection_is_seen_as_302_with_its_target(phones, provider):
    call = provider.call("5145550102", "5145550177")
    assert call.ended_within(3)
    assert call.code == 302
    assert "5145550188@127.0.0.2" in call.redirected_to


def test_a_phone_redirects_with_302_as_whoever_called_it_sees(phones):
    """A stranger calls the phone at its own address, without anything between them."""
    felix = phone(phones, "102", answer="302 to sip:104@boreale.example")
    stranger = phones.stranger("900", "elsewhere.example", address="127.0.0.4", server=None)
    call = stranger.call(f"sip:102@127.0.0.1:{felix.port}")
    assert call.ended_within(3)
    answer = call.messages[-1]
    assert answer.code == 302
    assert answer.header("Contact") == "<sip:104@boreale.example>"
    assert call.redirected_to == "sip:104@boreale.example"


def test_a_phone_whose_lines_are_all_taken_calls_when_one_of_its_calls_has_ended(phones, provider):
    amelie, _felix = phone(phones, "101"), phone(phones, "102", answer="at once")
    first, *_others = [amelie.call(called) for called in ("5145550101", "5145550102", "5145550103", "102")]
    assert len(amelie.on_a_call()) == LINES
    assert wait_for(lambda: all(call.answered for call in amelie.on_a_call()), within=5)
    soon = threading.Timer(0.3, first.hangup)
    soon.start()
    assert amelie.call("5145550109").answered_within(5)
    soon.join()


def test_a_phone_whose_calls_nobody_ends_becomes_no_other(phones):
    caller, gone = (
        phones.stranger(number, "elsewhere.example.com", server=None) for number in ("900", "901")
    )
    call = caller.call(f"sip:901@127.0.0.1:{gone.port}")
    assert call.rings_within(2)
    gone.process._child.kill()
    assert call.hangup()
    assert caller.lines_within(0.2) == 1
    phones.release()
    assert caller not in phones.free


def test_a_process_that_dies_is_an_error_and_no_wait(phones):
    gone = phone(phones, "102", register=False)
    gone.process._child.kill()
    with pytest.raises(PhoneError, match="ended"):
        gone.call("101")
    gone.process._child.wait()
