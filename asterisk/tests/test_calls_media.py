"""Encryption, codecs and the way of the sound, as the options and the phone's tab say."""

import pytest

from asterisk.tests.phones import heard_first
from asterisk.tests.saving import people, save
from phones.tests.factories import make_phone

pytestmark = pytest.mark.calls


def test_encryption_is_refused_offered_or_demanded_as_the_option_says(phones, boreale, amelie, felix, ines):
    save(felix, srtp="enabled")
    save(ines, srtp="enforced")
    secret = {"transport": "tls", "srtp": "mandatory", "answer": "at once"}
    plain = {
        answer: phones.of(person, answer="at once", tone=tone)
        for answer, person, tone in (("a", amelie, 440), ("f", felix, 700), ("i", ines, 900))
    }
    # Enforced: a phone that doesn't encrypt calls nobody, and nobody hears it.
    refused = plain["i"].call("101")
    assert refused.ended_within(2)
    assert refused.code == 488
    unheard = plain["a"].call("103")
    assert heard_first(unheard, 900, "speech") == "speech"
    unheard.hangup()
    # Enabled: either.
    call = plain["a"].call("102")
    assert call.hears(700, 0.3)
    call.hangup()
    for phone in plain.values():
        phone.unregister()
    enforced, enabled = (
        phones.of(ines, tone=900, **secret),
        phones.of(felix, tone=700, **(secret | {"srtp": "optional"})),
    )
    call = enforced.call("102")
    assert call.hears(700, 0.3)
    heard = enabled.incoming()
    assert heard.hears(900, 0.3)
    assert (call.srtp, heard.invite.encrypted) == (True, True)
    call.hangup()
    # Disabled: nothing encrypted, whatever the phone would like.
    open_phone = phones.of(amelie, tone=440, srtp="optional", answer="at once")
    call = enabled.call("101")
    assert call.hears(440, 0.3)
    heard = open_phone.incoming()
    assert (heard.srtp, heard.invite.encrypted) == (False, False)
    demanding = phones.of(amelie, **secret).call("102")
    assert demanding.ended_within(2)
    assert demanding.code == 488


def test_codecs_are_used_in_the_order_of_the_phones_tab(phones, boreale, amelie, felix):
    make_phone(boreale, felix, codecs=["PCMA", "G722", "PCMU"])
    one = phones.of(amelie, codecs=["ulaw", "alaw", "g722"], answer="at once")
    other = phones.of(felix, codecs=["ulaw", "g722", "alaw"], tone=700, answer="at once")
    call = one.call("102")
    heard = other.incoming()
    # Whatever the caller prefers.
    assert heard.codecs == ["alaw", "g722", "ulaw"]
    assert call.hears(700, 0.3)
    call.hangup()
    own = other.call("101")
    assert own.answered_within(3)
    assert own.codec == "PCMA/8000"


def test_sound_goes_directly_unless_the_phone_system_delivers_or_records_it(
    phones, boreale, amelie, felix, ines
):
    [zoe] = people(boreale, "104")
    save(ines, pbx_delivers_audio="1")
    save(zoe, recording="all")
    one = phones.of(amelie, tone=440)
    for person, tone, direct in ((felix, 700, True), (ines, 900, False), (zoe, 1100, False)):
        phones.of(person, address="127.0.0.3", answer="at once", tone=tone)
        # Whoever hears the phone system first, as the other one would what is sent there, stays with it (symmetric RTP).
        call = one.call(person.number, listens=True)
        assert call.hears(tone, 0.8)
        source = "127.0.0.3:" if direct else "127.0.0.1:"
        assert call.media_address.startswith(source), person
        assert call.statistics()["from"].startswith(source), person
        call.hangup()


def test_who_is_blocked_from_afar_registers_and_calls_from_the_companys_networks_alone(
    phones, boreale, amelie, felix
):
    save(felix, block_remote="0")
    far = {"address": "127.0.1.1", "register": False}
    assert phones.of(amelie, **far).register() in (401, 403)
    assert phones.of(felix, **far, answer="at once", tone=700).register() == 200
    near = phones.of(amelie)
    assert near.call("102").hears(700, 0.3)
    # With the right password, too.
    call = phones.of(amelie, **far).call("102")
    assert call.ended_within(3)
    assert call.code in (401, 403)
