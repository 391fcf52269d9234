"""Registrations that no telephone makes, by hand, and what becomes of a device whose password, person or extension is another one."""

import re
import time

import pytest

from asterisk.models import Contact, Errand
from asterisk.tests.phones import heard_first
from asterisk.tests.raw import RawSip
from phones.tests import factories
from users.people import reset
from users.people.sections import user_sheet
from users.road.removal import plan_removal, remove
from users.tests.factories import FACTS, make_user

pytestmark = pytest.mark.calls

HERE = "127.0.0.9"
UNTIL = re.compile(r'"expiration_time":"(\d+)"')


def test_odd_registrations_leave_no_device_but_those_that_there_are(engine, boreale, amelie):
    line, auth = f"101@{boreale.fqdn}", (amelie.sip_auth_id, amelie.sip_password)
    with RawSip(engine.sip, HERE) as raw:
        one, more = f"<sip:101@{raw.here}>", [f"<sip:101-{n}@{raw.here}>" for n in range(100)]

        def registers(*contacts, expires="", within=4.0):
            """The answer's code, and the seconds for which each device is registered afterwards."""
            lines = [
                *(f"Contact: {each}" for each in contacts[1:]),
                *([f"Expires: {expires}"] if expires else []),
            ]
            answer = raw.ask(
                "REGISTER", f"sip:{boreale.fqdn}", caller=f"<sip:{line}>", to=f"<sip:{line}>", contact=contacts[0], lines=tuple(lines), auth=auth,
                within=within,
            )  # fmt: skip
            until = UNTIL.findall(engine.cli("database show registrar/contact"))
            return answer.code if answer else None, [
                round((int(each) - time.time()) / 30) * 30 for each in until
            ]

        for contacts, expires, code in (
            (more, "", 403), ([", ".join(more)], "", 403), ([f"<sip:{'1' * 4096}@{raw.here}>"], "", 400),
            ([f"<sip:101@{raw.here};x={'1' * 4096}>"], "", 400), (["*"], "", 400), (["*"], "300", 400), (["*", one], "0", 400),
        ):  # fmt: skip
            assert registers(*contacts, expires=expires) == (code, []), (contacts[0][:40], expires)
        # As long as they ask for, between a minute and an hour.
        for expires, seconds in (("", 300), ("1", 60), ("4294967295", 3600)):
            assert registers(one, expires=expires) == (200, [seconds]), expires
        # What isn't a number of seconds changes nothing.
        assert registers(one, expires="-1", within=0.5) == (None, [3600])
        assert registers(one, expires="0") == (200, [])
        assert registers(one) == (200, [300])
        assert registers("*", expires="0") == (200, [])
    assert engine.errors == []


def test_whoever_registered_with_a_former_password_is_rung_no_more_nor_by_calls_to_whoever_comes_after(
    phones, engine, link, boreale, amelie, felix
):
    one, at_home = (
        phones.of(amelie, answer="at once", tone=440),
        phones.of(amelie, address="127.0.0.5", answer="at once", tone=900),
    )
    caller = phones.of(felix)
    engine.wait_until(lambda: Contact.objects.filter(user=amelie).count() == 2, "both devices are known")
    engine.wait_until(lambda: not Errand.objects.exists(), "and learned")
    began = time.monotonic()
    reset.reset(reset.plan_reset(felix, boreale, [amelie.pk]), ["sip"], FACTS)
    engine.wait_until(
        lambda: f"101@{boreale.fqdn}" not in registered(engine), "the devices are registered no more"
    )
    assert time.monotonic() - began < 1
    engine.wait_until(lambda: not Contact.objects.filter(user=amelie).exists(), "pages know it")
    assert "UNAVAILABLE" in engine.cli(f"dialplan eval function DEVICE_STATE(PJSIP/101@{boreale.fqdn})")
    call = caller.call("101")
    assert heard_first(call, 440, 900, "speech") == "speech"
    call.hangup()
    assert one.register() == 401
    # With the new password they are back, and colleagues are as they were.
    amelie.refresh_from_db()
    back = phones.of(amelie, answer="at once", tone=600)
    call = caller.call("101")
    assert call.hears(600, 0.2)
    call.hangup()
    remove(plan_removal(factories.provider(), boreale, user_sheet(), [amelie.pk]), FACTS)
    engine.wait_until(
        lambda: f"101@{boreale.fqdn}" not in registered(engine), "who is deleted is registered no more"
    )
    make_user(boreale, "101", "Zoé", "Lavoie")
    call = caller.call("101")
    assert heard_first(call, 440, 600, 900, "speech") == "speech"
    assert (one.rang, at_home.rang, back.rang) == (0, 0, 1)
    assert "102@" in registered(engine)


def registered(engine):
    """What the node keeps of registered devices."""
    return engine.cli("database show registrar/contact")
