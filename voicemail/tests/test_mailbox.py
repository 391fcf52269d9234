"""Mailboxes: made with the person, their PIN kept and kept secret, their rules."""

import random
import re

import pytest
from django.db import connection
from django.test import Client

from forwarding.snapshot import CustomerDirectory
from pbxadmin.common.crypto import MASK
from signin.tests.signing import sign_in_fully
from users import rights, road
from users.models import Change
from users.people.sections import user_sheet
from users.tests.factories import FACTS, make_user
from voicemail.models import Greeting, Mailbox
from voicemail.pins import Weakness, random_pin, weakness
from voicemail.resets import renew_pins


def change(actor, person, verb=rights.Verb.EDIT, **values):
    row = road.Row(person.pk, {f"voicemail.{name}": value for name, value in values.items()})
    plan = road.plan(actor, person.customer, user_sheet(), [row], verb)
    if not plan.refused:
        road.apply(plan, FACTS)
    return plan.rows[0]


@pytest.mark.parametrize(("pin", "why"), [
    ("0000", Weakness.REPEATED), ("1212", Weakness.REPEATED), ("123123", Weakness.REPEATED), ("1234", Weakness.RUN), ("987654", Weakness.RUN),
    ("7890", Weakness.RUN), ("1987", Weakness.YEAR), ("0101", Weakness.REPEATED), ("123", Weakness.LENGTH), ("12345678901", Weakness.LENGTH),
    ("12a4", Weakness.NOT_DIGITS), ("١٢٣٥", Weakness.NOT_DIGITS), ("4101", Weakness.EXTENSION), ("0472", None), ("829164", None),
    ("2047583916", None), ("198714", None),
])  # fmt: skip
def test_a_pin_that_anybody_would_guess_is_refused(pin, why):
    assert weakness(pin, "4101") == why


def test_a_generated_pin_keeps_its_own_rules():
    source = random.Random(7)
    pins = [random_pin(source, "101") for _ in range(2000)]
    assert all(re.fullmatch(r"\d{6}", pin) and weakness(pin, "101") is None for pin in pins)
    assert len(set(pins)) > 1900


def test_everybody_has_a_mailbox_with_a_pin_of_his_own(boreale, amelie, felix):
    boxes = Mailbox.objects.filter(user__in=[amelie, felix])
    assert [box.enabled for box in boxes] == [True, True]
    assert len({box.pin for box in boxes}) == 2
    with connection.cursor() as cursor:
        cursor.execute("SELECT pin FROM voicemail_mailbox")
        assert not {stored for (stored,) in cursor.fetchall()} & {box.pin for box in boxes}


def test_a_pin_is_set_kept_and_never_in_the_history(boreale, felix, amelie):
    before = Mailbox.objects.get(user=amelie).pin
    assert change(felix, amelie, pin="", play_caller_id=True).outcome == "changed"
    assert Mailbox.objects.get(user=amelie).pin == before
    change(felix, amelie, pin="829164")
    assert Mailbox.objects.get(user=amelie).pin == "829164"
    text = str(list(Change.objects.values_list("cells", flat=True)))
    assert "829164" not in text
    assert MASK in text


def test_the_extension_is_no_pin(boreale, felix):
    person = make_user(boreale, "104")
    row = change(felix, person, pin="0104")
    assert "voicemail.pin" in row.errors


def test_a_regenerated_pin_is_each_ones_own(boreale, felix, amelie):
    rows = [road.Row(person.pk, {"voicemail.pin": "regenerate"}) for person in (amelie, felix)]
    before = {box.pin for box in Mailbox.objects.all()}
    road.apply(road.plan(felix, boreale, user_sheet(), rows), FACTS)
    after = {box.pin for box in Mailbox.objects.all()}
    assert len(after) == 2
    assert not after & before
    renew_pins([amelie, felix], None)
    assert not {box.pin for box in Mailbox.objects.all()} & after


def test_a_pin_is_in_no_page_and_shown_only_when_it_was_asked_for(boreale, felix, amelie):
    pin = Mailbox.objects.get(user=amelie).pin
    client = sign_in_fully(Client(), felix)
    page = client.get(f"/c/boreale/users/{amelie.number}/voicemail")
    assert page.status_code == 200
    assert pin not in page.content.decode()
    shown = client.post(f"/c/boreale/users/{amelie.number}/voicemail/pin")
    assert pin in shown.content.decode()
    assert Change.objects.filter(kind="reveal", object_pk=amelie.pk).exists()
    assert client.get(f"/c/boreale/users/{amelie.number}/voicemail/pin").status_code == 405
    client.post(f"/c/boreale/users/{amelie.number}/voicemail/new-pin")
    assert Mailbox.objects.get(user=amelie).pin != pin


def test_a_greeting_changes_the_plan_of_a_call(boreale, felix, amelie):
    greeting = Greeting.objects.get(name="En vacances")
    change(felix, amelie, default_greeting=str(greeting.pk))
    assert CustomerDirectory(boreale).user("101").mailbox.default_greeting == str(greeting.pk)
    change(felix, amelie, enabled="")
    assert CustomerDirectory(boreale).user("101").mailbox.enabled is False


def test_another_customers_greeting_is_no_choice(boreale, felix, amelie, laurier):
    foreign = Greeting.objects.create(customer=laurier, name="Ailleurs")
    assert change(felix, amelie, default_greeting=str(foreign.pk)).outcome == "refused"


def test_mails_to_nobody_and_open_mailboxes_are_told(boreale, felix, amelie):
    row = change(felix, amelie, email_option="attach", pin_disabled=True)
    assert row.warnings.keys() >= {"voicemail.email_option", "voicemail.pin_disabled"}


def test_a_person_changes_his_own_options_and_no_others(boreale, amelie, felix):
    assert change(amelie, amelie, rights.Verb.SELF, play_date_time="h24", pin="829164").outcome == "changed"
    assert "voicemail.pin_disabled" in change(amelie, amelie, rights.Verb.SELF, pin_disabled=True).errors
    assert change(amelie, felix, rights.Verb.SELF, play_date_time="h24").refusal
    assert change(amelie, amelie, play_date_time="h12").refusal


def test_own_page_of_the_voicemail_saves_and_hides_what_is_not_ones_own(boreale, amelie):
    client = sign_in_fully(Client(), amelie)
    page = client.get("/me/voicemail")
    assert page.status_code == 200
    assert "pin_disabled" not in page.content.decode()
    sent = client.post("/me/voicemail", {"seen": amelie.version, "voicemail.enabled": "on", "voicemail.play_date_time": "h12",
                                         "voicemail.email_option": "none", "voicemail.pin_disabled": "on"})  # fmt: skip
    assert sent.status_code == 302, sent.content.decode()[:500]
    box = Mailbox.objects.get(user=amelie)
    assert (box.play_date_time, box.email_option, box.pin_disabled) == ("h12", "none", False)
