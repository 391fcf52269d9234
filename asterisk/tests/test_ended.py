"""How calls ended: told once or twice, before or after their plan is written, by nodes that may lie."""

import copy
import dataclasses
import itertools
import json
import time
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from asterisk.calls import ended as ends
from asterisk.calls import planned, reading, settling
from asterisk.calls.taken import Ending
from asterisk.models import CallParty, CallRecord
from asterisk.tests.told import a_call, a_node, ended, noted, tell
from forwarding.calls import Call, FromExtension
from forwarding.decisions import Outside, Ring, Verdict, Voicemail
from forwarding.models import ForwardingRule
from pbxadmin.common.values.destinations import Destination
from users.models import SystemExtension, User

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases("locks, and statements for many rows")]


@pytest.fixture(autouse=True)
def _node(known):
    return a_node()


def rule(person, **values):
    ForwardingRule.objects.filter(user=person, status="available").update(
        **{name: Destination.parse(value) for name, value in values.items()}
    )


def concerned(call):
    return set(call.parties.values_list("user__number", flat=True))


def missed(call):
    return set(call.parties.filter(missed=True).values_list("user__number", flat=True))


def test_a_call_that_was_answered_says_how_long_they_spoke(boreale, amelie, felix):
    call = a_call(
        boreale, "1.1", "101", "102", "answered.", seconds=65, peer=f"PJSIP/102@{boreale.fqdn}-0001"
    )
    assert (call.outcome, call.seconds, call.answered_by) == (Ending.ANSWERED, 65, "102")
    assert (concerned(call), missed(call)) == ({"101", "102"}, set())
    assert CallParty.objects.get(call=call, user=amelie).calling
    assert not CallParty.objects.get(call=call, user=felix).calling


def test_the_way_of_a_call_is_that_of_its_plan_by_how_its_ringing_ended(boreale, amelie, felix, ines):
    rule(felix, no_answer_internal="extension:103")
    call = a_call(boreale, "1.1", "101", "102", "no_answer.busy.")
    way = settling.way_of(call).steps
    assert [(each.step.extension, each.how) for each in way if isinstance(each.step, Ring)] == [
        ("102", "no_answer"), ("103", "busy"),
    ]  # fmt: skip
    assert isinstance(way[-1].step, Voicemail)
    assert (call.outcome, concerned(call), missed(call)) == (
        Ending.VOICEMAIL, {"101", "102", "103"}, {"102"},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("words", "outcome", "who"),
    [
        ("given_up.", Ending.GIVEN_UP, {"102"}),
        ("no_answer.", Ending.VOICEMAIL, {"102"}),
        ("declined.", Ending.VOICEMAIL, set()),
        ("busy.", Ending.VOICEMAIL, set()),
        ("not_registered.", Ending.VOICEMAIL, set()),
        ("answered.", Ending.ANSWERED, set()),
        ("full.", Ending.FULL, set()),
    ],
)
def test_who_was_rung_until_nobody_had_answered_there_has_missed_the_call(
    boreale, amelie, felix, words, outcome, who
):
    call = a_call(boreale, "1.1", "+14185550100", "102", words)
    assert (call.outcome, missed(call)) == (outcome, who)


def test_who_took_the_call_on_their_mobile_has_missed_nothing(boreale, amelie, felix):
    User.objects.filter(pk=felix.pk).update(mobile="+14185550177")
    rule(felix, no_answer_external="mobile?bounce", no_answer_internal="same")
    taken = a_call(boreale, "1.1", "101", "102", "no_answer.answered.")
    assert isinstance(settling.way_of(taken).steps[-1].step, Outside)
    not_accepted = a_call(boreale, "1.2", "101", "102", "no_answer.declined.")
    assert (taken.outcome, missed(taken)) == (Ending.ANSWERED, set())
    assert (not_accepted.outcome, missed(not_accepted)) == (Ending.VOICEMAIL, {"102"})


def test_a_call_that_a_colleague_took_then_was_missed_by_whom_it_rang_first(boreale, amelie, felix, ines):
    rule(felix, no_answer_internal="extension:103")
    call = a_call(boreale, "1.1", "101", "102", "no_answer.answered.")
    assert missed(call) == {"102"}


@pytest.mark.parametrize(
    ("kind", "words", "who"),
    [
        ("ring_group", "no_answer.", {"102", "103"}),
        ("ring_group", "given_up.", {"102", "103"}),
        ("ring_group", "answered.", set()),
        ("queue", "no_answer.", set()),
    ],
)
def test_a_ring_groups_call_is_missed_by_each_where_nobody_answered(
    boreale, amelie, felix, ines, kind, words, who
):
    group = SystemExtension.objects.create(customer=boreale, number="800", name="Accueil", kind=kind)
    group.members.set([felix, ines])
    call = a_call(boreale, "1.1", "+14185550100", "800", words, rang="102&103&")
    assert (concerned(call), missed(call)) == ({"102", "103"}, who)


def test_what_is_told_twice_counts_once(boreale, amelie, felix):
    call = a_call(boreale, "1.1", "101", "102", "no_answer.", seconds=0)
    tell(ended(boreale, "1.1", "answered.", seconds=99))
    call.refresh_from_db()
    assert (call.taken, call.seconds, call.outcome) == (["no_answer"], 0, Ending.VOICEMAIL)


def test_a_call_may_be_told_to_have_ended_before_its_plan_is_written(boreale, amelie, felix):
    said = noted(boreale, "1.1", "101", "102")
    tell(ended(boreale, "1.1", "no_answer.", **{"from": "101", "to": "102"}))
    early = CallRecord.objects.get()
    assert (early.outcome, early.planned, concerned(early), missed(early)) == (
        Ending.NO_ANSWER, {}, {"101", "102"}, set(),
    )  # fmt: skip
    planned.write([said])
    call = CallRecord.objects.get()
    assert (call.outcome, call.at, call.taken) == (Ending.VOICEMAIL, said.at, ["no_answer"])
    assert (concerned(call), missed(call)) == ({"101", "102"}, {"102"})
    planned.write([said])
    tell(ended(boreale, "1.1", "answered."))
    assert CallRecord.objects.get().outcome == Ending.VOICEMAIL


def test_a_call_whose_plan_was_lost_is_there_without_its_steps(boreale, amelie, felix):
    tell(ended(boreale, "1.1", "answered.", seconds=60, **{"from": "+14185550100", "to": "102"}))
    call = CallRecord.objects.get()
    assert (call.from_number, call.dialled, call.outcome) == ("+14185550100", "102", Ending.ANSWERED)
    assert call.ended_at - call.at == timedelta(seconds=60)
    assert (concerned(call), settling.way_of(call).steps) == ({"102"}, ())


@pytest.mark.parametrize("how", ["given_up", "no_answer"])
def test_without_the_portal_whoever_was_dialled_missed_the_call(boreale, amelie, felix, how):
    tell(ended(boreale, "1.1", f"alone.{how}.", **{"from": "101", "to": "102"}))
    assert missed(CallRecord.objects.get()) == {"102"}


def test_a_refused_call_and_one_that_left_the_company_end_as_what_they_were(boreale, amelie):
    refused = a_call(boreale, "1.1", "101", "999", "")
    outside = a_call(boreale, "1.2", "101", "4185550100", "answered.", seconds=3)
    assert (refused.outcome, outside.outcome) == (Ending.REFUSED, Ending.ANSWERED)
    assert concerned(outside) == {"101"}


# --- Nodes that were killed ---------------------------------------------------------------------------------------
def test_calls_that_a_node_has_no_more_and_told_nothing_of_are_over(boreale, amelie, felix):
    now = timezone.now()
    begun = {"1.1": 60, "1.2": 60, "1.3": 0, "1.4": 5 * 3600}
    planned.write(
        [noted(boreale, call, "101", "102", at=now - timedelta(seconds=ago)) for call, ago in begun.items()]
    )
    planned.write([noted(boreale, "1.1", "101", "102", node="toronto", at=now - timedelta(seconds=60))])
    told = a_call(boreale, "1.5", "101", "102", "answered.", at=now - timedelta(seconds=60))
    ends.gone(a_node().pk, {"1.2"}, now - timedelta(seconds=1))
    over = CallRecord.objects.exclude(ended_at=None).exclude(pk=told.pk)
    assert [(each.unique_id, each.outcome, missed(each)) for each in over] == [
        ("montreal/1.1", Ending.ENDED, set())
    ]
    # Its end is found after all.
    tell(ended(boreale, "1.1", "no_answer.", **{"from": "101", "to": "102"}))
    tell(ended(boreale, "1.1", "answered.", **{"from": "101", "to": "102"}))
    assert [(each.outcome, missed(each)) for each in over.all()] == [(Ending.VOICEMAIL, {"102"})]


# --- Nodes that lie -----------------------------------------------------------------------------------------------
def test_a_node_changes_no_call_of_another_one_nor_of_another_customer(boreale, laurier, amelie, felix):
    call = a_call(boreale, "1.1", "101", "102", "answered.")
    planned.write([noted(boreale, "1.2", "101", "102")])
    tell(ended(boreale, "1.1", "no_answer."), ended(boreale, "1.2", "no_answer."), node="toronto")
    tell(ended(laurier, "1.2", "no_answer.", **{"from": "101", "to": "102"}))
    call.refresh_from_db()
    other = CallRecord.objects.get(unique_id="montreal/1.2")
    assert (call.outcome, other.ended_at, other.customer) == (Ending.ANSWERED, None, boreale)
    assert not CallParty.objects.exclude(call__in=[call, other]).exists()


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(said, id=f"{key} {number}")
        for number, said in enumerate([
            {"Seconds": "-5"}, {"Seconds": "9" * 40}, {"Seconds": "ten"}, {"At": "-1"}, {"At": "9" * 12}, {"At": "soon"},
            {"Taken": "won.lost.answered." * 400}, {"Rang": "1&" * 2000}, {"Peer": "PJSIP/102@elsewhere.example-1"},
            {"From": "x" * 500}, {"To": "\0é," * 500}, {"Call": "1" * 60},
        ])
        for key in said
    ],
)  # fmt: skip
def test_what_a_node_cannot_know_is_left_out(boreale, amelie, said):
    tell(ended(boreale, "1.1", "answered.") | said)
    call = CallRecord.objects.get()
    assert abs(call.ended_at - timezone.now()) < timedelta(minutes=1)
    assert 0 <= call.seconds <= 7 * 86_400
    assert (call.answered_by, call.rang) == ("", [])
    assert set(call.taken) == {"answered"}


def test_what_was_kept_for_days_says_when_it_was(boreale, amelie):
    tell(ended(boreale, "1.1", "answered.", at=int(time.time()) - 3 * 86_400))
    assert timezone.now() - CallRecord.objects.get().ended_at > timedelta(days=2)


@pytest.mark.parametrize("number", ["", "1" * 500, "1\0", "1/2", "é"], ids=ascii)
def test_a_call_without_a_number_as_nodes_have_them_is_nothing_and_takes_no_other_with_it(boreale, number):
    tell(ended(boreale, number, "answered."), ended(boreale, "1.1", "answered."))
    assert [call.unique_id for call in CallRecord.objects.all()] == ["montreal/1.1"]


def test_a_call_of_a_customer_that_there_is_not_is_nothing(boreale):
    tell(ended(boreale, "1.1", "answered.") | {"System": "nobody.example"})
    assert not CallRecord.objects.exists()


# --- Plans as they were kept --------------------------------------------------------------------------------------
def test_a_plan_that_was_kept_is_read_back_as_it_was(boreale, amelie, felix, ines):
    User.objects.filter(pk=felix.pk).update(mobile="+14185550177")
    rule(felix, no_answer_internal="mobile?bounce", busy_internal="extension:103")
    said = noted(boreale, "1.1", "101", "102").planned
    data = json.loads(json.dumps(said.as_data()))
    read = reading.plan_of(data, said.plan.call)
    assert read.as_data() == said.plan.as_data()
    assert reading.dialled_of(data).verdict == said.dialled.verdict


def test_a_plan_of_another_version_or_a_damaged_one_is_no_plan(boreale, amelie, felix, ines):
    rule(felix, no_answer_internal="extension:103")
    data = json.loads(json.dumps(noted(boreale, "1.1", "101", "102").planned.as_data()))
    call = Call(FromExtension("101"), timezone.now())
    for wrong in (
        None,
        [],
        {},
        {"plan": None},
        {"plan": []},
        {"plan": ["x"]},
        {"plan": [{"step": "fax"}]},
        "x",
    ):
        assert reading.plan_of(wrong, call) is None
        assert reading.dialled_of(wrong) is None
    for number, key in itertools.chain.from_iterable(
        ((number, key) for key in step) for number, step in enumerate(data["plan"])
    ):
        broken = copy.deepcopy(data)
        del broken["plan"][number][key]
        assert reading.plan_of(broken, call) is None
        broken["plan"][number][key] = {"x": [None]}
        reading.plan_of(broken, call)
    circle = copy.deepcopy(data)
    circle["plan"][0]["next"] = 0
    assert reading.plan_of(circle, call) is None


# --- For many -----------------------------------------------------------------------------------------------------
def test_a_hundred_calls_cost_as_many_questions_as_three(boreale, amelie, felix):
    def asked(first, count):
        calls = [f"{first}.{number}" for number in range(count)]
        planned.write([noted(boreale, call, "101", "102") for call in calls])
        said = [ended(boreale, call, "no_answer.", **{"from": "101", "to": "102"}) for call in calls]
        with CaptureQueriesContext(
            connection,
        ) as queries:
            tell(*said)
        return len(queries)

    assert asked(1, 3) == asked(2, 60)


@pytest.mark.django_db(transaction=True)
def test_whoever_is_deleted_at_that_moment_takes_nobody_elses_calls_along(boreale, amelie, felix):
    calls = [noted(boreale, "2.1", "101", "102"), noted(boreale, "2.2", "102", "101")]
    gone = noted(boreale, "2.3", "101", "102")
    planned.write([calls[0], dataclasses.replace(gone, customer=987_654), calls[1]])
    assert set(CallRecord.objects.values_list("unique_id", flat=True)) == {"montreal/2.1", "montreal/2.2"}


def test_an_event_that_can_not_be_written_takes_no_other_along(boreale, amelie, felix, monkeypatch):
    settle = settling.settle

    def settled(records):
        if any(record.unique_id == "montreal/3.2" for record in records):
            raise IntegrityError("somebody whom it names is gone")
        settle(records)

    monkeypatch.setattr("asterisk.calls.ended.settling.settle", settled)
    tell(
        *(ended(boreale, f"3.{number}", "answered.", **{"from": "101", "to": "102"}) for number in (1, 2, 3))
    )
    assert set(CallRecord.objects.values_list("unique_id", flat=True)) == {"montreal/3.1", "montreal/3.3"}


@pytest.mark.parametrize(
    ("words", "outcome"),
    [("answered.", Ending.ANSWERED), ("given_up.", Ending.GIVEN_UP), ("unreachable.", Ending.UNREACHABLE)],
)
def test_an_emergency_call_that_asked_nobody_says_that_it_was_one_and_as_what_it_was_shown(
    boreale, amelie, words, outcome
):
    tell(
        ended(boreale, "1.1", f"emergency.{words}", **{"from": "101", "to": "9911", "shown": "+15145550110"})
    )
    call = CallRecord.objects.get()
    dialled = settling.way_of(call).dialled
    assert (call.outcome, dialled.verdict, dialled.number, dialled.caller_id) == (
        outcome, Verdict.EMERGENCY, "911", "+15145550110",
    )  # fmt: skip
    assert (concerned(call), missed(call)) == ({"101"}, set())


def test_nobody_elses_call_is_made_an_emergency_call_by_its_words(boreale, amelie):
    tell(ended(boreale, "1.1", "emergency.answered.", **{"from": "+15145550188", "to": "911"}))
    assert CallRecord.objects.get().planned == {}
