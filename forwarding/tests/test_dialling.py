"""Calls that a person makes: emergency numbers, what is refused and why, and the caller ID."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forwarding.calls import Call, Caller, Did, FromOutside
from forwarding.decisions import Verdict, Why
from forwarding.hours import NaiveInstantError
from forwarding.routing import dial, is_emergency, status_at
from forwarding.tests.people import (
    CLIENT,
    MOBILE,
    OFFICE,
    SATURDAY,
    TUESDAY_MORNING,
    TUESDAY_NOON,
    People,
    caller,
    felix,
    ines,
    person,
)
from pbxadmin.common.values.short_codes import SERVICE_NUMBERS


def everything_forbidden(**options) -> Caller:
    return caller(
        disabled=True, outbound_disabled=True, block_outbound_out_of_hours=True, pin_protected=True, **options
    )


@pytest.mark.parametrize("number", ["911", "933", "9-1-1", " 911 "])
def test_an_emergency_number_always_passes_with_the_departments_number(number):
    plan = dial(number, everything_forbidden(caller_id="+15145550777"), SATURDAY, People())
    assert (plan.verdict, plan.caller_id) == (Verdict.EMERGENCY, "+15145550000")
    assert is_emergency(number)


SPELLINGS = (
    "911", "9 1 1", "9-1-1", "9–1–1", "9.1.1", "(911)", "9/1/1", "9\u200b11", "９１１", "٩١١", "+911", "9-911", "9,911", "9911", "911#",
    "911,,", " +9 911# ",
)  # fmt: skip


@pytest.mark.parametrize("number", SPELLINGS)
def test_help_is_called_however_the_number_is_written(number):
    plan = dial(number, everything_forbidden(), SATURDAY, People())
    assert (plan.verdict, plan.number) == (Verdict.EMERGENCY, "911")


@pytest.mark.parametrize("number", ["91", "9119", "19110", "*911", "+19115550100", "5149110000"])
def test_a_number_that_only_resembles_the_emergency_number_is_none(number):
    assert not is_emergency(number)


@pytest.mark.parametrize("number", ["*30", "*34", "*62", "*63", "*97", "*20*", "*20*102"])
def test_a_code_of_the_pbx_is_answered_by_the_pbx(number):
    plan = dial(number, caller(outbound_disabled=True), TUESDAY_MORNING, People())
    assert (plan.verdict, plan.number, plan.reason.why) == (Verdict.SERVICE, number, Why.DIAL_CODE)


@pytest.mark.parametrize(("extension", "verdict"), [("102", Verdict.INTERNAL), ("", Verdict.REFUSED)])
def test_the_companys_own_number_is_a_colleague_where_it_rings_one(extension, verdict):
    people = People(felix())
    people.dids = {"+15145550100": Did("+15145550100", extension)}
    plan = dial("514 555-0100", caller(outbound_disabled=True), TUESDAY_MORNING, people)
    assert (plan.verdict, plan.number) == (verdict, extension or "5145550100")


def test_an_extension_with_the_number_of_the_emergency_services_does_not_take_their_calls():
    plan = dial("911", caller(), TUESDAY_MORNING, People(person("911", "Xavier Lévesque")))
    assert plan.verdict is Verdict.EMERGENCY


@pytest.mark.parametrize(
    ("who", "at", "why"),
    [
        (everything_forbidden(), SATURDAY, Why.CALLER_DISABLED),
        (replace(everything_forbidden(), disabled=False), SATURDAY, Why.OUTSIDE_CALLS_DISABLED),
        (
            caller(block_outbound_out_of_hours=True, pin_protected=True),
            SATURDAY,
            Why.OUTSIDE_CALLS_OUT_OF_HOURS,
        ),
        (caller(block_outbound_out_of_hours=True, pin_protected=True), TUESDAY_MORNING, Why.PIN_NEEDED),
        (caller(pin_protected=True), SATURDAY, Why.PIN_NEEDED),
    ],
    ids=["disabled", "no outside calls", "out of hours", "in hours, PIN", "PIN"],
)
def test_a_refused_call_says_the_first_reason_in_order(who, at, why):
    plan = dial("514 555-0100", who, at, People())
    assert (plan.verdict, plan.caller_id, plan.reason.why) == (Verdict.REFUSED, "", why)


def test_a_break_does_not_block_outside_calls():
    assert (
        dial("5145550100", caller(block_outbound_out_of_hours=True), TUESDAY_NOON, People()).verdict
        is Verdict.OUTSIDE
    )


@pytest.mark.parametrize(
    ("seconds_ago", "verdict"),
    [(0, Verdict.OUTSIDE), (59, Verdict.OUTSIDE), (60, Verdict.REFUSED), (-1, Verdict.REFUSED)],
)
def test_the_pin_opens_outside_calls_for_its_time(seconds_ago, verdict):
    entered = TUESDAY_MORNING - timedelta(seconds=seconds_ago)
    plan = dial("5145550100", caller(pin_protected=True, pin_entered_at=entered), TUESDAY_MORNING, People())
    assert plan.verdict is verdict


def test_the_caller_id_is_the_users_else_the_departments():
    own = dial("5145550100", caller(caller_id="+15145550777"), TUESDAY_MORNING, People())
    assert own.caller_id == "+15145550777"
    assert dial("5145550100", caller(), TUESDAY_MORNING, People()).caller_id == "+15145550000"


@pytest.mark.parametrize("number", ["102", "801"])
def test_a_colleague_can_be_called_whatever_is_said_of_outside_calls(number):
    who = replace(everything_forbidden(), disabled=False)
    plan = dial(number, who, SATURDAY, People(felix()))
    assert (plan.verdict, plan.caller_id) == (Verdict.INTERNAL, "103")


def test_a_disabled_person_calls_nobody():
    assert dial("102", caller(disabled=True), TUESDAY_MORNING, People(felix())).verdict is Verdict.REFUSED


@pytest.mark.parametrize(
    "number", ["", "*72", "*20*eve", "sip:eve@example.com", "5145550100,,,225", "1", "5" * 30]
)
def test_what_is_not_a_number_is_not_dialled(number):
    assert dial(number, caller(), TUESDAY_MORNING, People()).reason.why is Why.BAD_NUMBER


@pytest.mark.parametrize("number", ["999", "1-0-9", "099"])
def test_a_number_as_long_as_an_extension_that_nobody_has_goes_nowhere(number):
    plan = dial(number, caller(), TUESDAY_MORNING, People(felix()))
    assert (plan.verdict, plan.caller_id, plan.reason.why) == (Verdict.REFUSED, "", Why.NO_SUCH_EXTENSION)
    longer = dial(number, caller(extension="1030"), TUESDAY_MORNING, People(felix()))
    assert longer.verdict is Verdict.OUTSIDE


@pytest.mark.parametrize("number", sorted(SERVICE_NUMBERS))
def test_short_codes_of_the_public_network_are_outside_calls(number):
    assert dial(number, caller(), TUESDAY_MORNING, People()).verdict is Verdict.OUTSIDE
    assert dial(number, caller(outbound_disabled=True), TUESDAY_MORNING, People()).verdict is Verdict.REFUSED


@pytest.mark.parametrize(("extension", "code"), [("103", "777"), ("1030", "7777")])
def test_the_access_code_asks_for_the_pin_where_there_is_one(extension, code):
    protected = caller(extension=extension, pin_protected=True)
    assert dial(code, protected, TUESDAY_MORNING, People()).verdict is Verdict.SERVICE
    for who in (replace(protected, pin_protected=False), replace(protected, outbound_disabled=True)):
        assert dial(code, who, TUESDAY_MORNING, People()).reason.why is Why.NO_SUCH_EXTENSION


@pytest.mark.parametrize("number", ["102", "801", "514 555-0100", "*72"])
def test_of_a_suspended_customer_only_emergency_numbers_can_be_called(number):
    plan = dial(number, caller(suspended=True), TUESDAY_MORNING, People(felix()))
    assert (plan.verdict, plan.reason.why) == (Verdict.REFUSED, Why.CALLER_SUSPENDED)
    assert dial("911", caller(suspended=True), TUESDAY_MORNING, People()).verdict is Verdict.EMERGENCY


instants = st.integers(0, 60 * 24 * 60).map(lambda minutes: TUESDAY_MORNING + timedelta(minutes=minutes))


@given(
    st.builds(
        Caller,
        st.just("103"),
        st.just(OFFICE),
        caller_id=st.sampled_from(["", MOBILE]),
        department_caller_id=st.just("+15145550000"),
        disabled=st.booleans(),
        suspended=st.booleans(),
        outbound_disabled=st.booleans(),
        block_outbound_out_of_hours=st.booleans(),
        pin_protected=st.booleans(),
        pin_entered_at=st.none() | instants,
    ),
    instants,
    st.sampled_from(["911", "933"]),
)
def test_whatever_is_configured_help_can_be_called(who, at, number):
    plan = dial(number, who, at, People())
    assert (plan.verdict, plan.number, plan.caller_id) == (Verdict.EMERGENCY, number, "+15145550000")


def test_an_instant_without_a_zone_is_refused():
    naive = datetime.fromisoformat("2026-11-24T09:00")
    with pytest.raises(NaiveInstantError):
        Call(FromOutside(CLIENT), naive)
    with pytest.raises(NaiveInstantError):
        dial("911", caller(), naive, People())
    with pytest.raises(NaiveInstantError):
        status_at(ines(), naive)


@pytest.mark.parametrize(
    "number", ["+19005551234", "1-900-555-1234", "011 881 812 345 678", "9,19005551234", "*6719005551234"]
)
def test_a_premium_or_satellite_number_is_called_by_nobody(number):
    plan = dial(number, caller(), TUESDAY_MORNING, People())
    assert plan.verdict is Verdict.REFUSED
    assert plan.reason.why in (Why.PREMIUM_NUMBER, Why.BAD_NUMBER)
