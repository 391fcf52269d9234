"""Mailboxes: made with the person, their PIN kept and kept secret, their rules."""

import random
import re
from contextlib import suppress
from types import SimpleNamespace

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.utils import translation

from forwarding.snapshot import CustomerDirectory
from pbxadmin.common.columns import Scope
from pbxadmin.common.crypto import MASK, Reader, plain
from signin.tests.signing import sign_in_fully
from users import rights, road
from users.models import Change, Did
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


GUESSED = {
    Weakness.NOT_DIGITS: ["12a4", "١٢٣٥", "2580\n", ""],
    Weakness.LENGTH: ["123", "12345678901"],
    # The extension with something around it, from behind, cut, said over again.
    Weakness.EXTENSION: ["4101", "04101", "41010", "194101", "1014", "410141", "0141"],
    # The last digits of a mobile and of a DID number, and any other part of them.
    Weakness.PHONE_NUMBER: ["0123", "550123", "5145550123", "9876", "4505"],
    Weakness.REPEATED: ["0000", "1212", "1122", "1221", "0101", "1211", "123123", "112233", "111222", "123321", "12321", "774488", "6969"],
    Weakness.RUN: ["1234", "7890", "8901", "0987", "987654", "2468", "8642", "1357", "1470", "12349"],
    # Columns, diagonals, rows, corners, and what a finger draws.
    Weakness.KEYPAD: ["2580", "0852", "1254", "8520", "7410", "3690", "0147", "1590", "1478", "3698", "5698", "1379", "1397", "2684",
                      "147258", "159357", "741963", "456123"],
    Weakness.YEAR: [str(year) for year in range(1940, 2036) if len(set(str(year))) > 2 and year != 1973],
    Weakness.COMMON: ["1004", "5683", "1342", "2345", "90210", "5150", "7894", "121314", "258025", "131415", "3112", "1029384756"],
}  # fmt: skip


@pytest.mark.parametrize(("why", "pin"), [(why, pin) for why, pins in GUESSED.items() for pin in pins])
def test_a_pin_that_anybody_would_guess_is_refused(why, pin):
    found = weakness(pin, "4101", ["+15145550123", "450 555-9876"])
    # 2345 is both one of the list and a run, 1987 on the way round the keypad: one reason is enough.
    assert found == why or (found is Weakness.RUN and why in (Weakness.COMMON, Weakness.YEAR))


@pytest.mark.parametrize("pin", ["0472", "829164", "2047583916", "198714", "73019", "91037", "7410852936"])
def test_a_pin_that_nobody_guesses_is_taken(pin):
    assert weakness(pin, "4101", ["+15145550123"]) is None


def test_of_a_short_extension_only_a_pin_that_is_half_of_it_is_refused():
    assert weakness("4210", "42") is Weakness.EXTENSION
    assert weakness("428160", "42") is None


@pytest.mark.parametrize("extension", ["42", "101", "4101", "41019"])
def test_a_generated_pin_keeps_its_own_rules(extension):
    source, numbers = random.Random(7), ["+15145550123"]
    pins = [random_pin(source, extension, numbers) for _ in range(2000)]
    assert all(re.fullmatch(r"\d{6}", pin) and weakness(pin, extension, numbers) is None for pin in pins)
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


REASONS = {
    "0104": "can't contain the extension",
    "1041": "can't contain the extension",
    "4017": "can't contain the extension",
    "2580": "a pattern on the keypad",
    "1122": "three different digits",
    "0198": "one of the extension's phone numbers",
    "7862": "one of the extension's phone numbers",
    "1987": "can't be a year",
    "5683": "most often",
}


@pytest.mark.parametrize("way", ["administrator", "self", "desk", "cell", "creation"])
def test_whichever_way_a_pin_comes_in_it_is_refused_with_its_reason(boreale, felix, staff, way):
    translation.activate("en")
    did = Did.objects.create(customer=boreale, number="+15145557862")
    facts = {"number": "104", "mobile": "+15145550198"}
    if way != "creation":
        person = make_user(boreale, **facts)
        Did.objects.filter(pk=did.pk).update(user=person)
    for pin, said in REASONS.items():
        if way == "creation":
            new = facts | {"last_name": "Roy", "primary_department": felix.primary_department_id}
            row = road.Row(None, new | {"dids": [did.pk], "voicemail.pin": pin})
            errors = road.plan(felix, boreale, user_sheet(), [row]).rows[0].errors["voicemail.pin"]
        elif way == "cell":
            column = user_sheet().columns["voicemail.pin"]
            with suppress(ValidationError):  # what the cell alone tells, it says itself
                pin = column.from_cell(pin, Scope(felix, boreale))
            errors = change(felix, person, pin=pin).errors["voicemail.pin"]
        else:
            actor, verb = (person, rights.Verb.SELF) if way == "self" else (staff, rights.Verb.EDIT)
            errors = change(felix if way == "administrator" else actor, person, verb, pin=pin).errors[
                "voicemail.pin"
            ]
        assert len(errors) == 1
        assert said in errors[0], pin


def test_whoever_is_made_without_a_pin_has_one_that_is_not_their_extension(boreale, felix, monkeypatch):
    drawn = iter("104222401401258741829164")
    monkeypatch.setattr(
        "voicemail.sections.secrets.SystemRandom", lambda: SimpleNamespace(choice=lambda _digits: next(drawn))
    )
    row = {"number": "104", "last_name": "Roy", "primary_department": felix.primary_department_id}
    road.apply(road.plan(felix, boreale, user_sheet(), [road.Row(None, row)]), FACTS)
    assert Mailbox.objects.get(user__number="104").pin == "829164"


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
    assert f'href="/c/boreale/users/{amelie.number}/voicemail"' in shown.content.decode()  # the way back
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


@pytest.mark.parametrize(
    "text", ["307392E1-F915-4f3a-9362-5049AADC242C", "52AUSSIE-f462-4b74-aa85-a1600db86d57", "Klingon"]
)
def test_a_file_with_prompts_that_the_portal_has_not_gives_the_departments_language_and_tells(
    boreale, staff, text
):
    column = user_sheet().columns["voicemail.language"]
    scope = Scope(staff, boreale)
    said, (told,) = column.said_in_file(text, scope, record_is_new=True)
    assert said == {"voicemail.language": ""}
    assert (told.code, text in told) == ("unknown_language", True)
    # Everywhere else it is refused.
    for read in (column.from_cell, column.clean):
        with pytest.raises(ValidationError):
            read(text, scope)
    with pytest.raises(ValidationError):
        column.said(text, scope, record_is_new=True)


@pytest.mark.parametrize(
    ("text", "language"),
    [("0d767fea-10a3-4BA4-8a57-fe74bdabe4e5", "fr-CA"), ("en", "en"), ("", ""), (" ", "")],
)
def test_a_language_that_is_known_in_a_file_tells_nothing(boreale, staff, text, language):
    column = user_sheet().columns["voicemail.language"]
    assert column.said_in_file(text, Scope(staff, boreale), False) == ({"voicemail.language": language}, ())


def test_the_present_pin_again_is_no_change_and_another_one_is(boreale, amelie, felix):
    present = plain(amelie.mailbox, Mailbox.pin, Reader.CHECK)
    for pin, outcome in ((present, "unchanged"), ("493827", "changed")):
        plan = road.plan(felix, boreale, user_sheet(), [road.Row(amelie.pk, {"voicemail.pin": pin})])
        assert plan.rows[0].outcome == outcome
