"""What a call to a person does: precedence, every destination on every branch, the trunk, hops and groups."""

import json
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from forwarding.calls import (
    DEFAULT_RULES,
    Branch,
    Call,
    Callee,
    Did,
    FromOutside,
    Mailbox,
    StatusRule,
    TemporaryStatus,
)
from forwarding.decisions import (
    Busy,
    CallPlan,
    Mode,
    NotRung,
    Outcome,
    Outside,
    Reach,
    Ring,
    Step,
    System,
    Voicemail,
    Why,
    path,
)
from forwarding.routing import MAX_ARRIVALS, MAX_HOPS, arrive, effective_status, status_at
from forwarding.tests.people import (
    APP,
    CLIENT,
    DESK,
    MOBILE,
    MONTREAL,
    SATURDAY,
    TUESDAY_MORNING,
    TUESDAY_NOON,
    People,
    amelie,
    away,
    everywhere,
    felix,
    ines,
    last,
    person,
    whys,
)
from pbxadmin.common.values import devices
from pbxadmin.common.values.statuses import Status

# --- The order of precedence


def test_an_available_person_rings_and_then_voicemail_answers():
    reach, ring, voicemail = path(People(ines()).call("103"))
    assert (reach.status, reach.reason.why) == (Status.AVAILABLE, Why.STATUS_CHOSEN)
    assert (ring.devices, ring.mobile, ring.seconds) == ((DESK,), "", 20)
    assert isinstance(voicemail, Voicemail)
    assert whys(voicemail) == [Why.TO_VOICEMAIL, Why.NO_ANSWER]


def test_a_call_that_is_answered_ends_where_it_rang():
    assert isinstance(last(People(ines()).call("103"), Outcome.ANSWERED), Ring)


@pytest.mark.parametrize("to", ["103", "105"], ids=["called", "called by a rule"])
def test_a_suspended_customers_people_are_busy_whatever_their_status(to):
    gone = ines(suspended=True, temporary=TemporaryStatus(Status.AWAY, SATURDAY))
    sender = person(
        "105", "Maude Côté", status=Status.AWAY, rule=StatusRule(divert=everywhere("extension:103?voicemail"))
    )
    end = last(People(gone, sender).call(to))
    assert isinstance(end, Busy)
    assert whys(end)[:2] == [Why.BUSY_TONE, Why.SUSPENDED]


def test_a_disabled_extension_is_busy_before_anything_else():
    plan = People(ines(disabled=True, temporary=TemporaryStatus(Status.AWAY, SATURDAY))).call("103")
    assert isinstance(plan.first, Busy)
    assert whys(plan.first) == [Why.BUSY_TONE, Why.DISABLED]


def test_a_temporary_status_beats_the_schedule_and_the_schedule_beats_the_chosen_one():
    everything = ines(
        status=Status.LUNCH,
        auto_switch_status=True,
        temporary=TemporaryStatus(Status.BUSINESS_TRIP, TUESDAY_MORNING + timedelta(hours=1)),
    )
    assert effective_status(everything, TUESDAY_MORNING) is Status.BUSINESS_TRIP
    assert effective_status(everything, TUESDAY_MORNING + timedelta(hours=1)) is Status.AVAILABLE
    assert (
        effective_status(replace(everything, auto_switch_status=False, temporary=None), SATURDAY)
        is Status.LUNCH
    )


@pytest.mark.parametrize(
    ("at", "status", "why"),
    [
        (TUESDAY_MORNING, Status.AVAILABLE, Why.STATUS_OPEN),
        (TUESDAY_NOON, Status.AWAY, Why.STATUS_BREAK),
        (SATURDAY, Status.DO_NOT_DISTURB, Why.STATUS_CLOSED),
        (datetime(2026, 12, 25, 9, 0, tzinfo=MONTREAL), Status.DO_NOT_DISTURB, Why.STATUS_HOLIDAY),
    ],
)
def test_the_schedule_switches_the_status(at, status, why):
    now = status_at(ines(auto_switch_status=True), at)
    assert (now.status, now.why) == (status, why)


def test_a_temporary_status_ends_once_although_autumn_shows_its_hour_twice():
    first, second = (datetime(2026, 11, 1, 1, 30, fold=fold, tzinfo=MONTREAL) for fold in (0, 1))
    away = ines(temporary=TemporaryStatus(Status.AWAY, first))
    assert effective_status(away, first - timedelta(minutes=30)) is Status.AWAY
    assert effective_status(away, second) is Status.AVAILABLE
    assert effective_status(ines(temporary=TemporaryStatus(Status.AWAY, second)), first) is Status.AWAY


@pytest.mark.parametrize("status", [Status.AWAY, Status.DO_NOT_DISTURB, Status.BUSINESS_TRIP])
def test_an_away_type_diverts_at_once(status):
    rule = StatusRule(divert=everywhere("extension:102", "voicemail"), ring_mobile=True)
    people = People(felix(), ines(status=status, rule=rule))
    _, arrived, ring, _ = path(people.call("103"))
    assert whys(arrived) == [Why.STATUS_CHOSEN, Why.DIVERTED_EXTERNAL]
    assert ring.extension == "102"
    assert whys(last(people.call("103", caller="101"))) == [Why.TO_VOICEMAIL, Why.DIVERTED_INTERNAL]


@pytest.mark.parametrize(
    ("at", "caller", "goes_to"),
    [
        (TUESDAY_MORNING, CLIENT, "busy"),
        (TUESDAY_NOON, CLIENT, "busy"),
        (SATURDAY, CLIENT, "voicemail"),
        (SATURDAY, "101", "busy"),
    ],
    ids=["in hours", "in a break", "out of hours", "out of hours, a colleague"],
)
def test_out_of_hours_an_away_person_may_send_to_his_own_voicemail(at, caller, goes_to):
    rule = StatusRule(divert=everywhere("busy"), voicemail_out_of_hours_external=True)
    end = last(People(ines(status=Status.AWAY, rule=rule)).call("103", caller, at))
    assert isinstance(end, Voicemail if goes_to == "voicemail" else Busy)


def test_out_of_hours_colleagues_have_a_box_of_their_own():
    rule = StatusRule(divert=everywhere("busy"), voicemail_out_of_hours_internal=True)
    people = People(ines(status=Status.AWAY, rule=rule))
    assert whys(last(people.call("103", "101", SATURDAY))) == [Why.TO_VOICEMAIL, Why.OUT_OF_HOURS]
    assert isinstance(last(people.call("103", CLIENT, SATURDAY)), Busy)


def test_on_a_call_a_second_call_rings_unless_only_one_is_accepted():
    people = People(ines(), on_a_call={"103"})
    assert isinstance(last(people.call("103"), Outcome.ANSWERED), Ring)
    one = StatusRule(accept_multiple_calls=False, busy=everywhere("system:801"))
    end = last(People(ines(rule=one), on_a_call={"103"}).call("103"))
    assert isinstance(end, System)
    assert whys(end) == [Why.TO_SYSTEM, Why.ON_A_CALL]


def test_without_a_device_the_not_registered_branch_is_taken_unless_the_mobile_rings_too():
    rule = StatusRule(not_registered=everywhere("system:801"))
    assert whys(last(People(ines(devices=(), rule=rule)).call("103"))) == [Why.TO_SYSTEM, Why.NO_DEVICE]
    ring = last(People(ines(devices=(), rule=replace(rule, ring_mobile=True))).call("103"), Outcome.ANSWERED)
    assert (ring.devices, ring.mobile) == ((), MOBILE)
    without = People(ines(devices=(), mobile="", rule=replace(rule, ring_mobile=True)))
    assert isinstance(last(without.call("103")), System)


def test_busy_comes_before_not_registered():
    rule = StatusRule(accept_multiple_calls=False, busy=everywhere("busy"))
    people = People(ines(devices=(), rule=rule), on_a_call={"103"})
    assert whys(last(people.call("103")))[-1] is Why.ON_A_CALL


OTHER_DESK = devices.phone("805ec0654321", "T54W")


def test_two_phones_of_one_model_are_two_devices():
    both = ines(devices=(DESK, OTHER_DESK))
    plan = People(both).call("103")
    ring = last(plan, Outcome.ANSWERED)
    assert ring.devices == (DESK, OTHER_DESK)
    assert [each["key"] for each in plan.as_data()[1]["devices"]] == [
        "phone:805ec0123456",
        "phone:805ec0654321",
    ]
    one_left = last(People(both, unregistered=[DESK]).call("103"), Outcome.ANSWERED)
    assert one_left.devices == (OTHER_DESK,)


def test_a_device_that_is_not_registered_at_that_moment_does_not_ring():
    rule = StatusRule(not_registered=everywhere("system:801"), accept_push=False)
    people = People(ines(devices=(DESK, APP), rule=rule), unregistered=[DESK, APP])
    assert whys(last(people.call("103"))) == [Why.TO_SYSTEM, Why.NO_DEVICE]
    people.unregistered = {DESK}
    assert whys(last(people.call("103"))) == [Why.TO_SYSTEM, Why.NO_PUSH]


def test_the_state_of_somebody_is_asked_where_the_call_comes_to_them_and_nowhere_else():
    people = People(
        away(everywhere("extension:101")),
        amelie(rule=StatusRule(no_answer=everywhere("extension:102"), accept_multiple_calls=False)),
        felix(status=Status.DO_NOT_DISTURB),
        person("104", "Maxime Cloutier"),
    )
    people.call("103")
    assert people.asked == [("101", "on a call"), ("101", DESK.key)]


def test_a_ring_says_whether_somebody_on_a_call_by_then_is_busy():
    assert last(People(ines()).call("103"), Outcome.ANSWERED).one_call is False
    one = ines(rule=StatusRule(accept_multiple_calls=False))
    assert last(People(one).call("103"), Outcome.ANSWERED).one_call is True


# --- Numbers of the company

MAIN_LINE = "+15145550100"


def company(*people: Callee, leads_to: str = "") -> People:
    found = People(*people)
    found.dids = {MAIN_LINE: Did(MAIN_LINE, leads_to)}
    return found


def arriving(number: str, people: People, **options) -> CallPlan:
    return arrive(Call(FromOutside(CLIENT, number), TUESDAY_MORNING, **options), number, people, people)


@pytest.mark.parametrize("number", [MAIN_LINE, "514 555-0100", "15145550100"])
def test_a_number_of_the_company_rings_its_person_however_the_trunk_writes_it(number):
    plan = arriving(number, company(ines(), leads_to="103"))
    assert plan.first.extension == "103"
    assert plan.steps() == People(ines()).call("103").steps()


def test_a_number_of_the_company_leads_to_a_ring_group_queue_or_receptionist():
    step = arriving(MAIN_LINE, company(leads_to="801")).first
    assert isinstance(step, System)
    assert (step.extension, step.kind, whys(step)) == ("801", "ring_group", [Why.TO_SYSTEM])


def test_a_suspended_company_has_no_ring_group_either():
    people = company(leads_to="801")
    people.systems["801"] = replace(people.systems["801"], suspended=True)
    assert whys(arriving(MAIN_LINE, people).first) == [Why.BUSY_TONE, Why.SUSPENDED]


@pytest.mark.parametrize(
    ("number", "why"),
    [(MAIN_LINE, Why.LEADS_NOWHERE), (CLIENT, Why.UNKNOWN_NUMBER), ("199", Why.UNKNOWN_EXTENSION)],
)
def test_a_number_that_nobody_has_is_busy_and_says_why(number, why):
    assert whys(arriving(number, company()).first) == [Why.BUSY_TONE, why]


def test_a_rule_that_leads_to_the_companys_own_number_stays_inside():
    to_main_line = away(everywhere(f"external:{MAIN_LINE}"))
    assert isinstance(last(company(to_main_line, leads_to="801").call("103")), System)
    rings = last(company(to_main_line, felix(), leads_to="102").call("103"), Outcome.ANSWERED)
    assert (rings.extension, rings.devices) == ("102", (DESK,))
    assert whys(last(company(to_main_line, leads_to="103").call("103")))[1] is Why.LOOP
    assert isinstance(last(company(to_main_line).call("103")), Outside)


def test_the_mobile_rings_with_the_devices_when_asked():
    ring = last(People(ines(rule=StatusRule(ring_mobile=True))).call("103"), Outcome.ANSWERED)
    assert (ring.devices, ring.mobile) == ((DESK,), MOBILE)
    assert ring.reason.data["targets"] == (DESK, MOBILE)


def test_push_decides_whether_apps_ring():
    both = ines(devices=(DESK, APP))
    assert last(People(both).call("103"), Outcome.ANSWERED).devices == (DESK, APP)
    without = replace(both, rules=DEFAULT_RULES | {Status.AVAILABLE: StatusRule(accept_push=False)})
    assert last(People(without).call("103"), Outcome.ANSWERED).devices == (DESK,)
    end = last(People(replace(without, devices=(APP,))).call("103"))
    assert whys(end) == [Why.TO_VOICEMAIL, Why.NO_PUSH]


@pytest.mark.parametrize(
    ("outcome", "number"),
    [
        (Outcome.NO_ANSWER, "+15145550001"),
        (Outcome.BUSY, "+15145550002"),
        (Outcome.DECLINED, "+15145550002"),
        (Outcome.NOT_REGISTERED, "+15145550003"),
    ],
)
def test_each_way_in_which_ringing_ends_has_its_branch(outcome, number):
    rule = StatusRule(
        no_answer=everywhere("external:+15145550001"),
        busy=everywhere("external:+15145550002"),
        not_registered=everywhere("external:+15145550003"),
    )
    assert last(People(ines(rule=rule)).call("103"), outcome).number == number


def test_lunch_rings_for_its_own_time():
    people = People(ines(status=Status.LUNCH, rule=StatusRule(no_answer_seconds=45, greeting="7")))
    _, ring, voicemail = path(people.call("103"))
    assert (ring.seconds, voicemail.greeting) == (45, "7")


def test_the_greeting_is_that_of_the_status_else_of_the_mailbox_else_the_systems():
    default = Mailbox(default_greeting="Bonjour")
    assert last(People(ines(mailbox=default)).call("103")).greeting == "Bonjour"
    assert (
        last(People(ines(mailbox=default, rule=StatusRule(greeting="Absente"))).call("103")).greeting
        == "Absente"
    )
    assert last(People(ines()).call("103")).greeting == ""


# --- Every kind of destination on every branch, for both sides


def nobody_answers(destination: Branch) -> Callee:
    return ines(rule=StatusRule(no_answer=destination))


def on_the_phone(destination: Branch) -> Callee:
    return ines(rule=StatusRule(busy=destination, accept_multiple_calls=False))


def no_phone(destination: Branch) -> Callee:
    return ines(devices=(), rule=StatusRule(not_registered=destination))


BRANCHES = [nobody_answers, on_the_phone, no_phone, away]
ENDS = {
    "voicemail": (Voicemail, {"extension": "103"}),
    "extension:102": (Ring, {"extension": "102"}),
    "extension:102?voicemail": (Voicemail, {"extension": "102"}),
    "mobile": (Outside, {"number": MOBILE, "mode": Mode.PLAIN, "attempts": 1}),
    "mobile?bounce": (Outside, {"number": MOBILE, "mode": Mode.BOUNCE, "attempts": 2, "screening": False}),
    "mobile?deflect": (Outside, {"number": MOBILE, "mode": Mode.PLAIN}),
    "external:+15145550100": (Outside, {"number": "+15145550100", "mode": Mode.PLAIN}),
    "external:+15145550100?bounce": (Outside, {"number": "+15145550100", "mode": Mode.BOUNCE}),
    "system:801": (System, {"extension": "801", "kind": "ring_group"}),
    "busy": (Busy, {}),
}


@pytest.mark.parametrize("branch", BRANCHES)
@pytest.mark.parametrize("caller", [CLIENT, "101"], ids=["from outside", "from a colleague"])
@pytest.mark.parametrize("destination", ENDS)
def test_every_destination_is_reached_from_every_branch(branch, caller, destination):
    # A colleague's call takes "same as all calls", which is the rule for outside calls with its modifiers.
    people = People(felix(), branch(everywhere(destination)), on_a_call={"103"})
    step, expected = ENDS[destination]
    outcomes = [Outcome.NO_ANSWER, Outcome.ANSWERED] if branch is nobody_answers else [Outcome.ANSWERED]
    end = last(people.call("103", caller), *outcomes)
    assert isinstance(end, step)
    assert {name: getattr(end, name) for name in expected} == expected


@pytest.mark.parametrize("branch", BRANCHES)
@pytest.mark.parametrize(
    "destination", [each for each in ENDS if "mobile" not in each and "bounce" not in each]
)
def test_a_colleague_takes_the_internal_destination_where_there_is_one(branch, destination):
    people = People(felix(), branch(everywhere("external:+15145550999", destination)), on_a_call={"103"})
    step, expected = ENDS[destination]
    outcomes = [Outcome.NO_ANSWER, Outcome.ANSWERED] if branch is nobody_answers else [Outcome.ANSWERED]
    end = last(people.call("103", "101"), *outcomes)
    assert isinstance(end, step)
    assert {name: getattr(end, name) for name in expected} == expected


@pytest.mark.parametrize("branch", BRANCHES)
@pytest.mark.parametrize(
    ("destination", "why"),
    [
        ("voicemail", Why.MAILBOX_DISABLED),
        ("extension:104?voicemail", Why.MAILBOX_DISABLED),
        ("extension:105", Why.DISABLED),
        ("extension:105?voicemail", Why.DISABLED),
        ("extension:199", Why.UNKNOWN_EXTENSION),
        ("system:899", Why.UNKNOWN_EXTENSION),
        ("mobile", Why.NO_MOBILE),
        ("same", Why.NO_DESTINATION),
        ("extension:103", Why.LOOP),
    ],
)
def test_a_destination_that_is_not_there_is_busy_and_says_so(branch, destination, why):
    off = Mailbox(enabled=False)
    here = replace(branch(everywhere(destination)), mailbox=off, mobile="")
    olivier = person("104", "Olivier Bélanger", mailbox=off)
    maude = person("105", "Maude Côté", disabled=True)
    end = last(People(here, olivier, maude, on_a_call={"103"}).call("103"))
    assert isinstance(end, Busy)
    assert whys(end)[:2] == [Why.BUSY_TONE, why]


# --- Through the trunk


def test_a_forwarded_outside_call_takes_two_channels_and_a_colleagues_one():
    people = People(away(everywhere("mobile")))
    assert last(people.call("103")).channels == 2
    assert last(people.call("103", "101")).channels == 1


def test_a_call_is_handed_back_to_the_trunk_only_where_that_works():
    rule = StatusRule(divert=everywhere("mobile?deflect"))
    away_ines = ines(status=Status.AWAY, rule=rule, supports_deflection=True)
    deflected = last(People(away_ines).call("103"))
    assert (deflected.mode, deflected.channels) == (Mode.DEFLECT, 0)
    assert last(People(away_ines).call("103", "101")).mode is Mode.PLAIN
    assert last(People(replace(away_ines, supports_deflection=False)).call("103")).mode is Mode.PLAIN


def test_a_call_that_is_to_be_accepted_is_not_handed_back_to_the_trunk():
    rule = StatusRule(divert=everywhere("mobile?bounce&deflect"))
    plan = People(ines(status=Status.AWAY, rule=rule, supports_deflection=True)).call("103")
    assert last(plan, Outcome.ANSWERED).mode is Mode.BOUNCE


def test_screening_asks_for_the_name_with_bounce_only():
    def sent(destination: str) -> Step:
        rule = StatusRule(divert=everywhere(destination))
        return last(
            People(ines(status=Status.AWAY, rule=rule, call_screening=True)).call("103"), Outcome.ANSWERED
        )

    assert sent("mobile?bounce").screening
    assert sent("mobile?bounce").reason.why is Why.TO_OUTSIDE_SCREENED
    assert not sent("mobile").screening


@pytest.mark.parametrize("outcome", [each for each in Outcome if each is not Outcome.ANSWERED])
def test_a_bounced_call_that_nobody_accepts_goes_to_the_voicemail(outcome):
    end = last(People(away(everywhere("mobile?bounce"))).call("103"), outcome)
    assert whys(end) == [Why.TO_VOICEMAIL, Why.NOT_ACCEPTED]
    without = replace(away(everywhere("mobile?bounce")), mailbox=Mailbox(enabled=False))
    assert isinstance(last(People(without).call("103"), outcome), Busy)


# --- From one colleague to the next


def test_a_colleague_is_asked_again_with_his_own_status_and_greeting():
    maude = felix(
        auto_switch_status=True,
        mailbox=Mailbox(default_greeting="Facturation"),
        rule=StatusRule(no_answer_seconds=30),
    )
    steps = path(People(away(everywhere("extension:102")), maude).call("103"))
    assert [type(step) for step in steps] == [Reach, Reach, Ring, Voicemail]
    assert steps[1].reason.why is Why.STATUS_OPEN
    assert (steps[2].extension, steps[2].seconds, steps[3].greeting) == ("102", 30, "Facturation")


def test_an_outside_call_stays_one_through_every_hop():
    rule = StatusRule(divert=everywhere("busy", "voicemail"))
    people = People(away(everywhere("extension:102")), felix(status=Status.AWAY, rule=rule))
    assert isinstance(last(people.call("103")), Busy)
    assert isinstance(last(people.call("103", "101")), Voicemail)


def test_the_mailbox_of_a_colleague_speaks_with_the_greeting_of_his_status_now():
    away_felix = felix(status=Status.AWAY, rule=StatusRule(greeting="En vacances"))
    end = last(People(away(everywhere("extension:102?voicemail")), away_felix).call("103"))
    assert (end.extension, end.greeting) == ("102", "En vacances")


def diverting(extension: str, to: str) -> Callee:
    return person(extension, f"Poste {extension}", status=Status.AWAY, rule=StatusRule(divert=everywhere(to)))


def test_two_people_who_send_to_each_other_end_busy():
    people = People(diverting("101", "extension:102"), diverting("102", "extension:101"))
    steps = path(people.call("101"))
    assert [type(step) for step in steps] == [Reach, Reach, Busy]
    assert whys(steps[-1])[:2] == [Why.BUSY_TONE, Why.LOOP]


def test_a_call_does_not_come_back_to_who_made_it():
    end = last(People(amelie(), diverting("102", "extension:101")).call("102", "101"))
    assert whys(end)[:2] == [Why.BUSY_TONE, Why.BACK_TO_CALLER]


def test_ten_hops_are_followed_and_the_eleventh_is_busy():
    chain = [diverting(str(number), f"extension:{number + 1}") for number in range(110, 122)]
    steps = path(People(*chain).call("110"))
    assert [step.extension for step in steps[:-1]] == [str(number) for number in range(110, 121)]
    assert len(steps) - 2 == MAX_HOPS
    assert whys(steps[-1])[:2] == [Why.BUSY_TONE, Why.TOO_MANY_HOPS]
    assert last(People(*chain[:10], diverting("120", "voicemail")).call("110")).extension == "120"


def test_a_hunt_chain_is_planned_once_however_its_branches_meet():
    def hunting(number: int) -> Callee:
        following = everywhere(f"extension:{number + 1}")
        rule = StatusRule(no_answer=following, busy=following, not_registered=following)
        return person(str(number), f"Poste {number}", rule=rule)

    plan = People(*(hunting(number) for number in range(110, 121))).call("110")
    assert len(plan.steps()) < 100
    ends = [step for step in plan.steps() if isinstance(step, Busy)]
    assert {whys(end)[1] for end in ends} == {Why.UNKNOWN_EXTENSION}
    assert len(json.dumps(plan.as_data())) < 60_000


def test_rules_that_fan_out_without_end_make_a_plan_of_bounded_size():
    def fanning(number: int) -> Callee:
        one, two, three = (everywhere(f"extension:{number + step}") for step in (1, 2, 3))
        rule = StatusRule(no_answer=one, busy=two, not_registered=three)
        return person(str(number), f"Poste {number}", rule=rule)

    plan = People(*(fanning(number) for number in range(110, 160))).call("110")
    assert len(plan.steps()) < 6 * MAX_ARRIVALS  # an arrival is at most itself, its ringing and four ends
    assert Why.TOO_MANY_WAYS in {why for step in plan.steps() for why in whys(step)}


# --- Ring groups


@pytest.mark.parametrize(
    ("member", "why"),
    [
        (ines(rule=StatusRule(accept_ring_group_calls=False)), Why.RING_GROUP_NOT_ACCEPTED),
        (ines(disabled=True), Why.DISABLED),
        (ines(devices=()), Why.NO_DEVICE),
        (ines(devices=(), rule=StatusRule(ring_mobile=True)), Why.NO_DEVICE),
        (ines(rule=StatusRule(accept_multiple_calls=False)), Why.ON_A_CALL),
        (
            ines(status=Status.AWAY, rule=StatusRule(accept_ring_group_calls=False)),
            Why.RING_GROUP_NOT_ACCEPTED,
        ),
    ],
    ids=["not accepted", "disabled", "no device", "only a mobile", "on a call", "away, not accepted"],
)
def test_a_ring_group_leaves_out_who_cannot_ring_and_follows_nobodys_rules(member, why):
    end = last(People(member, felix(), on_a_call={"103"}).call("103", from_ring_group=True))
    assert isinstance(end, NotRung)
    assert whys(end) == [Why.NOT_RUNG, why]


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("at", [TUESDAY_MORNING, SATURDAY], ids=["in hours", "outside"])
def test_the_box_for_ring_groups_decides_in_every_status_whatever_is_done_with_other_calls(status, at):
    for accepts, end in ((True, Ring), (False, NotRung)):
        rule = StatusRule(
            divert=everywhere("external:+15145550199"), voicemail_out_of_hours_external=True,
            accept_ring_group_calls=accepts,
        )  # fmt: skip
        plan = People(ines(status=status, rule=rule)).call("103", at=at, from_ring_group=True)
        assert isinstance(last(plan), end)


@pytest.mark.parametrize("status", Status)
def test_push_decides_whether_a_group_wakes_the_app_in_every_status(status):
    for push in (True, False):
        member = ines(status=status, devices=(APP,), rule=StatusRule(accept_push=push))
        assert isinstance(last(People(member).call("103", from_ring_group=True)), Ring) is push


def test_new_people_take_the_calls_of_groups_in_the_statuses_that_ring():
    taking = {status for status, rule in DEFAULT_RULES.items() if rule.accept_ring_group_calls}
    assert taking == {Status.AVAILABLE, Status.LUNCH}


def test_a_call_from_oneself_or_from_a_member_of_ones_group_rings():
    for options in ({}, {"from_ring_group": True}):
        assert isinstance(path(People(ines()).call("103", caller="103", **options))[1], Ring)


@pytest.mark.parametrize(
    ("agent", "why"),
    [
        (ines(rule=StatusRule(log_out_of_queues=True)), Why.LOGGED_OUT),
        (ines(status=Status.AWAY, rule=StatusRule(log_out_of_queues=True)), Why.LOGGED_OUT),
        (ines(disabled=True), Why.DISABLED),
        (ines(devices=()), Why.NO_DEVICE),
        (ines(rule=StatusRule(accept_multiple_calls=False)), Why.ON_A_CALL),
    ],
    ids=["logged out", "away, logged out", "disabled", "no device", "on a call"],
)
def test_a_queue_leaves_out_who_is_logged_out_or_cannot_ring(agent, why):
    end = last(People(agent, felix(), on_a_call={"103"}).call("103", from_queue=True))
    assert isinstance(end, NotRung)
    assert whys(end) == [Why.NOT_OFFERED, why]


@pytest.mark.parametrize("status", Status)
def test_a_queue_rings_whoever_is_logged_in_whatever_is_done_with_other_calls(status):
    rule = StatusRule(divert=everywhere("external:+15145550199"), accept_ring_group_calls=False)
    ring = last(People(ines(status=status, rule=rule)).call("103", from_queue=True))
    assert isinstance(ring, Ring)
    assert (ring.mobile, ring.on) == ("", {})


def test_a_ring_group_rings_a_member_without_his_mobile_and_looks_after_the_rest_itself():
    ring = last(People(ines(rule=StatusRule(ring_mobile=True))).call("103", from_ring_group=True))
    assert isinstance(ring, Ring)
    assert (ring.mobile, ring.on) == ("", {})
