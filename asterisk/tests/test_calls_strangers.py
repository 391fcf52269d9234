"""Customers on one Asterisk never meet, and whoever calls from the Internet reaches SIP IDs alone, whatever they say and send."""

from urllib.parse import quote

import pytest

from asterisk.tests.phones import heard_by_each, heard_first
from asterisk.tests.registering import Device
from asterisk.tests.saving import did, save, trunk
from phones.tests import factories
from users.people.sections import user_sheet
from users.road.removal import plan_removal, remove
from users.tests.factories import FACTS, make_user

pytestmark = pytest.mark.calls

AMELIE, THEIRS, CLIENT = "+15145550123", "+15145550199", "4185550177"


@pytest.fixture
def their_amelie(laurier):
    """101 of the other customer."""
    return make_user(laurier, "101", "Aline", "Laurier")


@pytest.fixture
def their_felix(laurier):
    """102 of the other customer."""
    return make_user(laurier, "102", "Fanny", "Laurier")


def test_the_internet_reaches_sip_ids_and_nothing_else(phones, boreale, laurier, amelie, felix, their_amelie):
    provider = phones.trunk(answer="at once", tone=1000)
    trunk(provider)
    did(boreale, AMELIE, felix)
    save(amelie, sip_id="amelie")
    save(their_amelie, sip_id="aline")
    called, other, theirs = (
        phones.of(p, answer="at once", tone=t) for p, t in ((amelie, 440), (felix, 700), (their_amelie, 900))
    )
    stranger = phones.stranger("900", "elsewhere.example", address="127.0.1.4")

    def hears(name, host="boreale.example.com"):
        call = stranger.call(f"sip:{name}@{host}")
        found = heard_first(call, 440, 700, 900, 1000, "speech")
        call.hangup()
        return found

    assert hears("amelie") == 440
    heard = called.incoming()
    assert "900" not in heard.from_uri
    assert hears("aline", "laurier.example.com") == 900
    targets = [
        ("aline", "boreale.example.com"), ("amelie", "laurier.example.com"), ("amelie", "127.0.0.1"), ("nobody", "boreale.example.com"),
        ("101", "boreale.example.com"), ("102", "boreale.example.com"), (AMELIE, "boreale.example.com"), ("5145550123", "boreale.example.com"),
        ("911", "boreale.example.com"), ("4185550100", "boreale.example.com"), ("*97", "boreale.example.com"), ("*31", "boreale.example.com"),
        ("amelie%2F..%2F..", "boreale.example.com"), ("s", "boreale.example.com"),
    ]  # fmt: skip
    heard_there = heard_by_each(
        lambda target: stranger.call("sip:{}@{}".format(*target)), targets, 440, 700, 900, 1000, "speech"
    )
    assert set(heard_there.values()) <= {"speech", 404, 484, 403}, heard_there
    # Who says to be a colleague, or the trunk, proves it.
    for caller in (
        "<sip:101@boreale.example.com>",
        "<sip:102@boreale.example.com>",
        "<sip:101@laurier.example.com>",
    ):
        call = stranger.call("sip:amelie@boreale.example.com", caller=caller)
        assert call.ended_within(3)
        assert call.code in (401, 403), caller
    assert (called.rang, other.rang, theirs.rang, len(provider.received)) == (1, 0, 1, 0)


def test_the_same_extensions_of_two_customers_never_meet(
    phones, boreale, laurier, amelie, felix, their_amelie, their_felix
):
    one, other = phones.of(amelie, tone=440), phones.of(felix, tone=700, answer="at once")
    theirs, their_other = (
        phones.of(their_amelie, tone=900),
        phones.of(their_felix, tone=1100, answer="at once"),
    )
    for phone, tone in ((one, 700), (theirs, 1100)):
        call = phone.call("102")
        assert call.hears(tone, 0.3)
        call.hangup()
    provider = phones.trunk(answer="at once")
    line = trunk(provider)
    did(laurier, THEIRS, their_felix)
    # Addresses of the other company are numbers of one's own; a name of theirs is no proof of anything.
    call = one.call("sip:102@laurier.example.com")
    assert call.hears(700, 0.3)
    call.hangup()
    for caller in (
        "<sip:101@laurier.example.com>",
        "<sip:102@laurier.example.com>",
    ):
        forged = one.call("102", caller=caller)
        assert forged.ended_within(3)
        assert forged.code in (401, 403), caller
    forged = heard_by_each(
        lambda name: one.call(THEIRS, caller=f"<sip:{name}@127.0.0.1>"), (f"trunk-{line.pk}", "102", "101"), 1100, 700, "speech"
    )  # fmt: skip
    assert set(forged.values()) <= {"speech", 401, 403}, forged
    guessed = heard_by_each(one.call, ("102%40laurier.example.com", "laurier-102", "102;x=1"), 1100, "speech")
    assert set(guessed.values()) <= {"speech", 404}, guessed
    # Who has the other's password doesn't become the other.
    wrong = phones.phone(
        "101", "laurier.example.com", amelie.sip_auth_id, amelie.sip_password, register=False
    )
    assert wrong.register() in (401, 403)
    assert (len(other.received), len(their_other.received)) == (2, 1)


def test_a_call_that_is_transferred_stays_with_the_customer(
    phones, boreale, laurier, amelie, felix, ines, their_felix
):
    their_other = phones.of(their_felix, tone=1100, answer="at once")
    one, other, third = (
        phones.of(amelie, tone=440),
        phones.of(felix, tone=700, answer="at once"),
        phones.of(ines, tone=900, answer="at once"),
    )
    call = one.call("102")
    assert call.hears(700, 0.3)
    other.incoming().transfer("sip:103@laurier.example.com")
    assert call.hears(900, 0.3)
    assert third.incoming().from_number == "101"
    call.hangup()
    call = one.call("102")
    assert call.hears(700, 0.3)
    heard = other.incoming()
    heard.transfer("sip:102@laurier.example.com")
    assert not call.hears(1100, 0.3, within=1.5)
    assert their_other.rang == 0


def test_a_stranger_who_is_transferred_comes_to_a_colleague_by_their_rules_with_their_own_number(
    phones, boreale, amelie, felix, ines
):
    provider = phones.trunk(answer="at once", tone=1000)
    trunk(provider)
    did(boreale, AMELIE, amelie)
    save(felix, status="away", away__divert_internal="extension:103")
    one, third = phones.of(amelie, answer="at once", tone=440), phones.of(ines, answer="at once", tone=900)
    call = provider.call(AMELIE, CLIENT)
    assert call.hears(440, 0.3)
    one.incoming().transfer("sip:102@boreale.example.com")
    assert call.hears(900, 0.3)
    assert third.incoming().from_number == "+14185550177"
    call.hangup()
    # Out again: the company calls, and takes a second channel.
    call = provider.call(AMELIE, CLIENT)
    assert call.hears(440, 0.3)
    one.incoming().transfer("sip:4185550188@boreale.example.com")
    out = provider.incoming(within=3)
    assert (out.dialled, out.from_number) == ("+14185550188", "+15145550100")
    call.hangup()
    consulted = provider.call(AMELIE, CLIENT)
    assert consulted.hears(440, 0.3)
    second = one.call("103")
    assert second.hears(900, 0.3)
    one.incoming().transfer_to(second)
    assert consulted.hears(900, 0.3)


def test_numbers_and_own_trunks_bring_calls_to_their_customer_alone(
    phones, boreale, laurier, amelie, their_amelie
):
    own = phones.trunk("127.0.0.4", answer="at once", tone=1200)
    trunk(own, laurier)
    did(boreale, AMELIE, amelie)
    did(laurier, THEIRS, their_amelie)
    one, theirs = (
        phones.of(amelie, answer="at once", tone=440),
        phones.of(their_amelie, answer="at once", tone=900),
    )
    assert own.call(THEIRS, CLIENT).hears(900, 0.3)
    assert heard_first(own.call(AMELIE, CLIENT), "speech", 440, 900) == "speech"
    for call in own.on_a_call():
        call.hangup()
    # Neither do extensions, services or names come in there.
    inside = ("101", "*97", "911", "4185550188", "amelie")
    there = heard_by_each(lambda dialled: own.call(dialled, "101"), inside, 440, 900, "speech")
    assert set(there.values()) <= {"speech", 403, 404}, there
    assert (one.rang, theirs.rang, len(own.received)) == (0, 1, 0)
    # A number of one's own is called inside; another customer's goes out like anybody's.
    theirs.call(AMELIE)
    assert own.incoming(within=3).dialled == AMELIE
    assert one.rang == 0


ODD = (
    "102&PJSIP/103", "Local/103@phones", "103,1", "102|103", "102/103", '102"103', "102'103", "${EXTEN}", "$[1+1]", "102)103", "102(103", "102;103",
    "102=103", "102\\103", "102\n103", "a" * 300, "9" * 79, "é102", "１０２x", "..", "*97,s", "s", "h", "i", "t", "<sip:103>",
    "102?x=1", "102#103",
)  # fmt: skip


def test_nothing_that_is_dialled_becomes_anything_but_a_number(phones, engine, boreale, amelie, felix, ines):
    one, other, third = (
        phones.of(amelie),
        phones.of(felix, answer="at once", tone=700),
        phones.of(ines, answer="at once", tone=900),
    )
    odd = {each: f"sip:{quote(each, safe='')}@boreale.example.com" for each in ODD}
    heard = heard_by_each(lambda each: one.call(odd[each]), ODD, 700, 900, "speech")
    assert set(heard.values()) <= {"speech", 401, 404, 484, 400, 414, 416}, heard
    assert (other.rang, third.rang) == (0, 0)
    assert one.call("102").hears(700, 0.3)
    assert engine.errors == []


def test_nothing_that_a_device_says_of_its_address_becomes_anything_but_an_address(
    phones, engine, boreale, amelie, felix, ines
):
    """Whoever has a password could else have everybody who calls them dial for them."""
    provider = phones.trunk(answer="at once", tone=1000)
    line = trunk(provider)
    one, third = phones.of(amelie), phones.of(ines, answer="at once", tone=900)
    for contact in (
        f"sip:102&PJSIP/+19005550100@trunk-{line.pk}", f"sip:102&PJSIP/911@trunk-{line.pk}", "sip:102&PJSIP/103@boreale.example.com",
        "sip:102&Local/emergency@step", "sip:102&Local/103@phones",
    ):  # fmt: skip
        says(engine, felix, contact)
    call = one.call("102")
    assert heard_first(call, 900, 1000, within=2) not in (900, 1000)
    call.hangup()
    assert (third.rang, len(provider.received)) == (0, 0)
    says(engine, felix, "sip:102,30,S(1)@127.0.0.1:9")
    one.call("102").ended_within(0.5)
    assert "Unrecognized option" not in engine.said


def says(engine, person, contact):
    """A device of somebody says that it is there, whatever that is."""
    device = Device(
        f"{person.number}@{person.customer.fqdn}", person.sip_auth_id, person.sip_password, engine.sip
    )
    device.contact = contact
    assert device.register() == 200
    device.close()


def test_who_was_deleted_calls_nobody_although_the_node_remembers_their_line(
    phones, engine, boreale, amelie, felix
):
    """Nobody tells the node of it here: the portal's word at the call is enough."""
    one, other = phones.of(amelie), phones.of(felix, answer="at once", tone=700)
    call = one.call("102")
    assert call.hears(700, 0.3)
    call.hangup()
    remove(plan_removal(factories.provider(), boreale, user_sheet(), [amelie.pk]), FACTS)
    assert "101@boreale.example.com" in engine.cli("sorcery memory cache dump res_pjsip/endpoint")
    calls = {dialled: one.call(dialled) for dialled in ("102", "4185550177", "*97")}
    for dialled, call in calls.items():
        assert call.ended_within(8), dialled
        assert call.code == 403, dialled
    assert len(other.received) == 1
