"""What holds for a call whatever is configured."""

import json
from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from forwarding.calls import (
    Branch,
    Call,
    Callee,
    FromExtension,
    FromOutside,
    Mailbox,
    StatusRule,
    TemporaryStatus,
)
from forwarding.decisions import Mode, Outcome, Outside, Reach, Ring, Voicemail, path
from forwarding.reasons import sentence
from forwarding.routing import MAX_HOPS, effective_status, route
from forwarding.tests.people import APP, CLIENT, DESK, MOBILE, OFFICE, TUESDAY_MORNING, People, away
from pbxadmin.common.values.destinations import Destination
from pbxadmin.common.values.statuses import Status

NUMBERS = ["101", "102", "103", "104", "105"]
TEXTS = [
    *("voicemail", "busy", "same", "system:801", "system:899", "extension:199", "mobile", "mobile?bounce"),
    *("mobile?deflect", "mobile?bounce&deflect", f"external:{CLIENT}", f"external:{CLIENT}?bounce&deflect"),
    *(f"extension:{number}" for number in NUMBERS),
    *(f"extension:{number}?voicemail" for number in NUMBERS),
]
# Drawn from a list, which is much quicker to draw from than one strategy per kind.
destinations = st.sampled_from([Destination.parse(text) for text in TEXTS])
branches = st.builds(Branch, destinations, destinations)
rules = st.builds(
    StatusRule,
    no_answer=branches,
    busy=branches,
    not_registered=branches,
    divert=branches,
    voicemail_out_of_hours_external=st.booleans(),
    voicemail_out_of_hours_internal=st.booleans(),
    ring_mobile=st.booleans(),
    accept_multiple_calls=st.booleans(),
    accept_ring_group_calls=st.booleans(),
    accept_push=st.booleans(),
)
instants = st.integers(0, 60 * 24 * 60).map(lambda minutes: TUESDAY_MORNING + timedelta(minutes=minutes))


def anybody(extension: str) -> st.SearchStrategy[Callee]:
    return st.builds(
        Callee,
        extension=st.just(extension),
        name=st.just(f"Poste {extension}"),
        schedule=st.just(OFFICE),
        status=st.sampled_from(Status),
        temporary=st.none() | st.builds(TemporaryStatus, st.sampled_from(Status), instants),
        auto_switch_status=st.booleans(),
        rules=rules.map(lambda rule: dict.fromkeys(Status, rule)),
        mailbox=st.builds(Mailbox, st.booleans()),
        mobile=st.sampled_from(["", MOBILE]),
        disabled=st.booleans(),
        suspended=st.booleans(),
        call_screening=st.booleans(),
        supports_deflection=st.booleans(),
        devices=st.lists(st.sampled_from([DESK, APP]), max_size=2).map(tuple),
    )


directories = st.tuples(
    st.tuples(*(anybody(extension) for extension in NUMBERS)),
    st.sets(st.sampled_from(NUMBERS)),
    st.sets(st.sampled_from([DESK, APP])),
).map(lambda drawn: People(*drawn[0], on_a_call=drawn[1], unregistered=drawn[2]))
origins = st.sampled_from([FromOutside(CLIENT), FromOutside(), FromExtension("101"), FromExtension("105")])
calls = st.builds(Call, origins, instants, st.booleans())


@settings(deadline=None)
@given(directories, calls, st.lists(st.sampled_from(Outcome), max_size=12))
def test_whatever_is_configured_a_call_ends_and_every_step_has_a_sentence(people, call, outcomes):
    plan = route(call, people.user("103"), people, people)
    steps = path(plan, outcomes)
    # A person, their ringing, ten more of both, and the end.
    assert len(steps) <= 2 * (MAX_HOPS + 1) + 2
    assert all(sentence(step.reason) for step in plan.steps())
    assert plan.as_data() == json.loads(json.dumps(plan.as_data()))


@settings(deadline=None)
@given(directories, calls)
def test_whatever_is_configured_the_same_call_has_the_same_plan(people, call):
    once, again = (route(call, people.user("103"), people, people).as_data() for _ in range(2))
    assert once == again


@settings(deadline=None)
@given(directories, calls)
def test_whatever_is_configured_nobody_is_asked_about_to_whom_the_call_does_not_come(people, call):
    plan = route(call, people.user("103"), people, people)
    reached = {step.extension for step in plan.steps() if isinstance(step, Reach)}
    assert {extension for extension, _what in people.asked} <= reached


@settings(deadline=None)
@given(directories, calls)
def test_whatever_is_configured_no_rule_is_broken(people, call):
    for step in route(call, people.user("103"), people, people).steps():
        match step:
            case Voicemail():
                mailbox = people.user(step.extension)
                assert mailbox.mailbox.enabled
                assert not mailbox.disabled
                assert not mailbox.suspended
            case Ring():
                callee = people.user(step.extension)
                status = effective_status(callee, call.at)
                # A group's call rings whoever accepts it, whatever their status does with other calls.
                assert callee.rules[status].accept_ring_group_calls if call.from_ring_group else status.rings
                assert not callee.disabled
                assert not callee.suspended
                assert step.devices or step.mobile
                assert not people.unregistered & set(step.devices)
                one_call = status.rings and not callee.rules[status].accept_multiple_calls
                assert step.one_call is one_call
                assert not (step.one_call and step.extension in people.busy)
                assert callee.rules[status].accept_push or APP not in step.devices
                assert not call.from_ring_group or step.on == {}
            case Outside():
                assert not call.from_ring_group
                assert step.number
                assert step.mode is not Mode.DEFLECT or isinstance(call.origin, FromOutside)


@settings(deadline=None)
@given(directories, instants, destinations)
def test_same_as_all_calls_is_the_rule_for_outside_calls(people, at, destination):
    here = away(Branch(destination))
    people.people["103"] = replace(here, supports_deflection=False)
    colleague = route(Call(FromExtension("190"), at), people.user("103"), people).first.next
    outside = route(Call(FromOutside(CLIENT), at), people.user("103"), people).first.next
    assert type(colleague) is type(outside)
    assert getattr(colleague, "extension", "") == getattr(outside, "extension", "")
    assert getattr(colleague, "number", "") == getattr(outside, "number", "")
