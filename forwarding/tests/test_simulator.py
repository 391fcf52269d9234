"""The simulator and the snapshot behind it: the database's people in routing's words, and every option seen in a plan or a page."""

import json
from dataclasses import fields
from datetime import datetime
from functools import partial
from io import StringIO
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from forwarding import effects
from forwarding.asking import NoSuchCallerError, plan_call
from forwarding.calls import Call, FromExtension, FromOutside, StatusRule
from forwarding.decisions import Ring, Verdict
from forwarding.models import ForwardingRule
from forwarding.routing import route
from forwarding.simulator import Question, State, WhatIf, ask
from forwarding.snapshot import CustomerDirectory, caller_of
from forwarding.tabs.rules import RULE_COLUMNS
from forwarding.tests.road import change, department_hours, values
from pbxadmin.common.companions import CompanionColumn
from pbxadmin.common.fields import phone_number_national
from pbxadmin.common.values.destinations import Destination
from pbxadmin.common.values.statuses import Status
from phones.tests.factories import make_phone
from signin.tests.signing import sign_in_fully
from users.models import Did, SystemExtension, User
from users.tests.factories import make_user
from voicemail.models import Greeting

pytestmark = pytest.mark.slow("asks what hundreds of calls do")

TUESDAY = datetime(2026, 11, 24, 9, 30, tzinfo=ZoneInfo("America/Toronto"))
SUNDAY = datetime(2026, 11, 22, 9, 30, tzinfo=ZoneInfo("America/Toronto"))
CLIENT = "+14185550199"


@pytest.fixture
def maude(boreale):
    return make_user(boreale, "105", "Maude", "Côté", mobile="438 555-0145")


def told(customer, to, caller=CLIENT, at=TUESDAY, state=State.NO_ANSWER) -> str:
    with translation.override("en"):
        return json.dumps(
            ask(customer, Question(to, caller, at, state)).as_data(), default=str, ensure_ascii=False
        )


def titles(customer, to, caller=CLIENT, at=TUESDAY, state=State.NO_ANSWER) -> list[str]:
    with translation.override("en"):
        return [step.title for step in ask(customer, Question(to, caller, at, state)).steps]


def test_a_call_is_followed_over_others_with_the_time_that_passes(boreale, felix, amelie, maude):
    change(felix, amelie, available__no_answer_external="extension:105", available__no_answer_seconds="15")
    with translation.override("en"):
        steps = ask(boreale, Question("101", CLIENT, TUESDAY)).steps
    assert [step.title for step in steps] == [
        "101 Amélie Tremblay: status Available", "101 rings for 15 s: app", "105 Maude Côté: status Available", "105 rings for 20 s: app",
        "Voicemail of 105",
    ]  # fmt: skip
    assert steps[-1].at == "+35 s"
    assert "no answer after 20 s" in steps[-1].reason
    assert [step.reason for step in steps[:4]] == [
        "", "", "Forwarded by 101: status Available, no answer after 15 s", "",
    ]  # fmt: skip
    with translation.override("fr"):
        assert (
            "Transféré par 101\N{NBSP}: statut"
            in ask(boreale, Question("101", CLIENT, TUESDAY)).steps[2].reason
        )


def test_a_ringing_that_ends_before_its_time_is_said_to_last_so_long_at_most(boreale, amelie):
    for state, title in {
        State.NO_ANSWER: "101 rings for 20 s: app", State.ANSWERED: "101 rings for up to 20 s: app",
        State.DECLINED: "101 rings for up to 20 s: app",
    }.items():  # fmt: skip
        assert title in titles(boreale, "101", state=state)


def test_loops_disabled_mailboxes_and_holidays_are_drawn(boreale, felix, amelie, maude):
    change(felix, amelie, available__no_answer_external="extension:105")
    change(felix, maude, available__no_answer_external="extension:101")
    with translation.override("en"):
        last = ask(boreale, Question("101", CLIENT, TUESDAY)).steps[-1]
    assert (last.icon, last.kind) == ("loop", "bad")
    change(felix, maude, available__no_answer_external="voicemail", voicemail__enabled=False)
    assert titles(boreale, "105")[-1] == "Busy tone"
    department_hours(
        felix, boreale, "Accueil", office_hours="tue 8:00-17:00", holidays='[["2026-11-24", "", "Fermé", ""]]'
    )
    change(felix, amelie, auto_switch_status=True)
    assert "holiday" in titles(boreale, "101")[0]


def test_a_did_rings_its_person_and_says_so_where_it_rings_nobody(boreale, felix, amelie):
    did, other = Did.objects.of(boreale)
    change(felix, amelie, dids=[did.pk])
    assert titles(boreale, did.number)[0].startswith("101")
    assert titles(boreale, other.number)[0].startswith(
        f"{phone_number_national(other.number)} doesn't ring anyone"
    )
    assert "+1" not in titles(boreale, "+15149990000")[0]
    assert "not one of this company's numbers" in titles(boreale, "+15149990000")[0]


def test_a_did_that_leads_to_a_ring_group_comes_to_the_group(boreale, felix, amelie):
    group = SystemExtension.objects.create(customer=boreale, number="180", name="Accueil", kind="ring_group")
    did = Did.objects.of(boreale).first()
    Did.objects.filter(pk=did.pk).update(system_extension=group)
    group.members.add(felix)
    ends = ["Ring group 180 Accueil", "The group rings 102 Félix Gagnon"]
    assert titles(boreale, did.number) == ends
    change(felix, amelie, status="away", away__divert_external=f"external:{did.number}")
    assert titles(boreale, "101")[-2:] == ends
    assert titles(boreale, did.number, caller="101") == ["Internal call to 180", *ends]


@pytest.mark.parametrize("language", ["en", "fr-ca"])
def test_a_queue_says_which_agents_it_rings_and_why_not_the_others(
    boreale, felix, amelie, ines, maude, language
):
    queue = SystemExtension.objects.create(customer=boreale, number="180", name="Soutien", kind="queue")
    rings_nobody, rings, not_105, logged_out = {
        "en": ("The queue rings nobody", "The queue rings", "The queue doesn't ring 105 Maude Côté", "logged out of the queues"),
        "fr-ca": ("La file d’attente ne fait sonner personne", "La file d’attente fait sonner",
                  "La file d’attente ne fait pas sonner 105 Maude Côté", "déconnecté des files d’attente"),
    }[language]  # fmt: skip

    def drawn(state=State.NO_ANSWER, sees=lambda extension: True):
        with translation.override(language):
            return ask(boreale, Question("180", CLIENT, TUESDAY, state), sees).steps[1:]

    assert [step.title for step in drawn()] == [rings_nobody]
    queue.members.add(felix, amelie, maude)
    # A ring group's box is no matter of a queue's, and a forwarding is nobody's but the person's own calls'.
    change(
        felix,
        amelie,
        status="away",
        away__divert_external="external:514 555-0199",
        away__accept_ring_group_calls=False,
    )
    assert [step.title for step in drawn()] == [
        f"{rings} 101 Amélie Tremblay, 102 Félix Gagnon, 105 Maude Côté"
    ]
    change(felix, maude, status="lunch", lunch__log_out_of_queues=True)
    first, second = drawn()
    assert first.title == f"{rings} 101 Amélie Tremblay, 102 Félix Gagnon"
    assert second.title == not_105
    assert logged_out in second.reason
    # Whose settings one may not see, one isn't told of.
    assert "105" not in drawn(sees=lambda extension: extension != "105")[0].title
    assert logged_out not in str(drawn(sees=lambda extension: extension != "105"))
    change(felix, amelie, disabled=True)
    assert next(step.title for step in drawn()) == f"{rings} 102 Félix Gagnon"


def test_outgoing_calls_are_dialled_first(boreale, felix, amelie, maude):
    assert titles(boreale, "105", caller="101")[0] == "Internal call to 105"
    assert titles(boreale, "911", caller="101")[0].startswith("Emergency call")
    change(felix, amelie, outbound_disabled=True)
    assert titles(boreale, "514 555-0199", caller="101")[0].startswith("Refused")
    assert titles(boreale, "911", caller="101")[0].startswith("Emergency call")


@pytest.mark.parametrize(("state", "end"), [
    (State.ANSWERED, "101 rings"), (State.BUSY, "Outside number"), (State.DECLINED, "Outside number"), (State.UNREGISTERED, "Outside number"),
    (State.NO_ANSWER, "Voicemail"),
])  # fmt: skip
def test_each_state_leads_to_its_own_destination(boreale, felix, amelie, state, end):
    change(
        felix,
        amelie,
        available__busy_external="external:514 555-0199",
        available__accept_multiple_calls=False,
    )
    assert titles(boreale, "101", state=state)[-1].startswith(end)


@pytest.mark.parametrize("state", [State.UNREGISTERED, State.DECLINED, State.BUSY, State.ANSWERED])
@pytest.mark.parametrize("caller", [CLIENT, "102"], ids=["from outside", "from a colleague"])
def test_the_state_is_that_of_the_person_asked_about_whoever_rings_first(
    boreale, felix, amelie, maude, state, caller
):
    change(felix, amelie, status="away", away__divert_external="extension:105")
    change(felix, maude, available__busy_external="busy")
    with translation.override("en"):
        steps = ask(boreale, Question("101", caller, TUESDAY, state)).steps
    assert [step.title for step in steps][-3:] == [
        "105 Maude Côté: status Available", "105 rings for 20 s: app", "Voicemail of 105",
    ]  # fmt: skip
    assert steps[-1].at == "+20 s"
    assert "no answer" in steps[-1].reason


@pytest.mark.parametrize(
    ("state", "after"),
    [
        (State.DECLINED, "+20 s"),
        (State.UNREGISTERED, "+20 s"),
        (State.NO_ANSWER, "+35 s"),
        (State.BUSY, "+35 s"),
    ],
)
def test_ringing_takes_its_time_only_where_nobody_answers(boreale, felix, amelie, maude, state, after):
    to_maude = {f"available__{case}_external": "extension:105" for case in ("no_answer", "busy")}
    change(felix, amelie, available__no_answer_seconds="15", **to_maude)
    with translation.override("en"):
        steps = ask(boreale, Question("101", CLIENT, TUESDAY, state)).steps
    assert (steps[-1].title, steps[-1].at) == ("Voicemail of 105", after)


def test_who_has_no_device_but_a_mobile_that_rings_too_is_not_unreachable(boreale, felix, maude):
    change(felix, maude, available__ring_mobile=True, available__busy_external="busy")
    assert titles(boreale, "105", state=State.UNREGISTERED)[1:] == [
        "105 rings for 20 s: 438 555-0145", "Voicemail of 105",
    ]  # fmt: skip


def test_an_extension_that_nobody_has_is_no_outside_call(boreale, amelie):
    assert titles(boreale, "199", caller="101") == ["Refused: there is no extension 199"]
    assert titles(boreale, "811", caller="101")[0].startswith("Outside call to 811")


def test_nobody_of_a_suspended_customer_is_rung_or_calls_but_for_help(boreale, amelie, maude):
    SystemExtension.objects.create(customer=boreale, number="181", name="File", kind="queue")
    boreale.suspended = True
    boreale.save()
    for to in ("105", "181"):
        with translation.override("en"):
            (step,) = ask(boreale, Question(to, CLIENT, TUESDAY)).steps
        assert step.title == "Busy tone"
        assert "suspended" in step.reason
    assert titles(boreale, "105", caller="101") == [
        "Refused: the company is suspended, only emergency numbers can be called"
    ]
    assert titles(boreale, "911", caller="101")[0].startswith("Emergency call")


def flipped(name: str) -> str:
    """Another value of a rule's field, as it is typed."""
    if name.startswith(("no_answer_e", "busy_e", "divert_e")):
        return "external:514 555-0199"
    return {
        "no_answer_internal": "busy",
        "busy_internal": "busy",
        "divert_internal": "busy",
        "no_answer_seconds": "33",
        "custom_message": "En réunion",
    }[name]


IN_THE_PATH = {field.name for field in fields(StatusRule)}


def acts_elsewhere(name: str) -> bool:
    """Whether an option acts when the status is taken, at the PBX: it stands in the line (forwarding.effects), no plan of a call has it."""
    return IN_THE_PATH.isdisjoint((name, name.removesuffix("_external").removesuffix("_internal")))


def another(person: User, column: CompanionColumn) -> Any:
    """A value that the column of this person hasn't now, as it is typed."""
    if column.inner.name == "greeting":
        return str(Greeting.objects.get(name="En vacances").pk)
    now = values(person, column.name)[0]
    return not now if isinstance(now, bool) else flipped(column.inner.name)


def acts_outside_hours(column: CompanionColumn) -> bool:
    return column.inner.name.startswith("voicemail_out_of_hours")


@pytest.mark.parametrize(
    ("status", "outside"),
    sorted({(Status(column.prefix), acts_outside_hours(column)) for column in RULE_COLUMNS}),
)
def test_every_option_of_a_status_changes_a_call_or_what_the_pbx_is_told(
    boreale, felix, maude, status, outside
):
    """Another sentence for the same end is no effect: what is compared is what callers and phones notice.

    What a status does outside business hours shows where calls are sent away otherwise: those options have a run of their own.
    """
    User.objects.filter(pk=maude.pk).update(status=status)
    maude.refresh_from_db()
    department_hours(felix, boreale, "Accueil", office_hours="tue 8:00-17:00")
    # The app of somebody away rings for groups alone.
    change(felix, maude, **{f"{status}__accept_ring_group_calls": True, f"{status}__accept_push": True})
    if outside:
        change(felix, maude, **{f"{status}__divert_external": "busy", f"{status}__divert_internal": "busy"})

    def noticed(
        caller: FromOutside | FromExtension, at: datetime, state: State, member: dict[str, bool]
    ) -> list[Any]:
        directory = CustomerDirectory(boreale)
        call = Call(caller, at, **member)
        plan = route(call, directory.user("105"), directory, WhatIf("105", state))
        return [{key: value for key, value in step.items() if key != "reason"} for step in plan.as_data()]

    seen = [
        partial(noticed, caller, at, state, member)
        for caller in (FromOutside(CLIENT), FromExtension("102"))
        for at in (TUESDAY, SUNDAY)
        for state in State
        for member in ({}, {"from_ring_group": True}, {"from_queue": True})
    ]
    before = [see() for see in seen]
    effects_before = effects.of([maude])[maude.pk]
    without_effect = []
    for column in RULE_COLUMNS:
        field = column.inner.name
        if column.prefix != status or acts_outside_hours(column) != outside:
            continue
        with transaction.atomic():
            change(felix, maude, **{column.name: another(maude, column)})
            effects_now = effects.of([maude])[maude.pk]
            changed = effects.in_words(effects_now) != effects.in_words(effects_before)
            if not acts_elsewhere(field):
                # What logs out of the queues is told to the PBX, and seen by the queue's calls.
                told = changed or field != "log_out_of_queues"
                changed = told and any(see() != then for see, then in zip(seen, before, strict=True))
            transaction.set_rollback(True)
        if not changed:
            without_effect.append(column.name)
    assert without_effect == []


@pytest.mark.parametrize(
    ("column", "value"),
    [("auto_switch_status", True), ("hours_mode", "own"), ("office_hours", "sun 1:00-2:00")],
)
def test_the_schedule_changes_the_plan_of_a_call(boreale, felix, maude, column, value):
    department_hours(felix, boreale, "Accueil", office_hours="tue 8:00-17:00")
    if column != "auto_switch_status":
        change(felix, maude, auto_switch_status=True)
    if column == "office_hours":
        change(felix, maude, hours_mode="own", office_hours="tue 8:00-17:00")
    before = told(boreale, "105")
    change(felix, maude, **{column: value})
    assert told(boreale, "105") != before


def test_outbound_calls_are_blocked_outside_office_hours(boreale, felix, maude):
    department_hours(felix, boreale, "Accueil", office_hours="tue 8:00-17:00")
    before = told(boreale, "514 555-0199", caller="105", at=SUNDAY)
    change(felix, maude, block_outbound_out_of_hours=True)
    assert told(boreale, "514 555-0199", caller="105", at=SUNDAY) != before
    maude.refresh_from_db()
    assert caller_of(maude).block_outbound_out_of_hours


def test_a_temporary_status_hides_the_one_beneath(boreale, felix, maude):
    User.objects.filter(pk=maude.pk).update(
        status="away",
        status_until=datetime(2026, 11, 24, 19, 0, tzinfo=ZoneInfo("UTC")),
        status_after="lunch",
    )
    callee = CustomerDirectory(boreale).user("105")
    assert (callee.temporary.status, callee.status) == (Status.AWAY, Status.LUNCH)
    assert "Away until 14:00" in titles(boreale, "105")[0]
    assert (
        "Lunch"
        in titles(boreale, "105", at=datetime(2026, 11, 24, 14, 0, tzinfo=ZoneInfo("America/Toronto")))[0]
    )


@pytest.mark.parametrize(
    "caller", [FromOutside(CLIENT), FromExtension("102")], ids=["from outside", "a colleague"]
)
def test_a_call_plan_is_the_same_in_both_languages(boreale, felix, maude, caller):
    vacation = Greeting.objects.get(name="En vacances")
    change(felix, maude, available__greeting=str(vacation.pk))
    plans = []
    for language in ("fr-ca", "en"):
        with translation.override(language):
            plans.append(json.dumps(plan_call(boreale, caller, "105", TUESDAY).as_data()))
    assert plans[0] == plans[1]
    assert f'"greeting": "{vacation.pk}"' in plans[0]
    assert "En vacances" not in plans[0]


def test_people_read_the_name_of_a_greeting_in_their_language(boreale, felix, maude):
    change(felix, maude, available__greeting=str(Greeting.objects.get(name="En vacances").pk))
    assert titles(boreale, "105")[-1] == "Voicemail of 105, greeting “On vacation”"
    with translation.override("fr-ca"):
        assert (
            ask(boreale, Question("105", CLIENT, TUESDAY)).steps[-1].title.endswith("«\xa0En vacances\xa0»")
        )


def test_two_phones_of_one_model_ring_as_two(boreale, maude):
    keys = [make_phone(boreale, maude, mac).mac for mac in ("805ec0000001", "805ec0000002")]
    plan = plan_call(boreale, FromOutside(CLIENT), "105", TUESDAY).plan
    ring = next(step for step in plan.steps() if isinstance(step, Ring))
    assert [device.key for device in ring.devices] == [f"phone:{mac}" for mac in keys]
    assert {device.label for device in ring.devices} == {"T54W"}


def test_a_call_of_an_extension_that_nobody_has_is_an_error(boreale):
    with pytest.raises(NoSuchCallerError):
        plan_call(boreale, FromExtension("199"), "101", TUESDAY)


def test_a_rule_that_leads_to_a_number_of_the_company_rings_whoever_has_it(boreale, felix, amelie, maude):
    did = Did.objects.of(boreale).first()
    change(felix, maude, dids=[did.pk])
    change(felix, amelie, status="away", away__divert_external=f"external:{did.number}")
    assert titles(boreale, "101")[1] == "105 Maude Côté: status Available"


def test_a_plan_costs_as_many_queries_among_many_people_as_among_few(boreale, felix, amelie, maude):
    change(felix, amelie, available__no_answer_external="extension:105")
    counts = []
    for numbers in ((), range(110, 130)):
        for number in numbers:
            make_user(boreale, str(number), "Gens", str(number))
        with CaptureQueriesContext(connection) as captured:
            ask(boreale, Question("101", CLIENT, TUESDAY))
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 12


def test_routing_sees_what_the_table_says(boreale, felix, maude):
    ForwardingRule.objects.filter(user=maude, status="lunch").update(busy_external=Destination.parse("busy"))
    assert str(CustomerDirectory(boreale).user("105").rules[Status.LUNCH].busy.external) == "busy"


def test_the_command_says_the_path_and_all_of_the_plan(boreale, felix, maude):
    out = StringIO()
    call_command(
        "simulate_call",
        "boreale",
        "105",
        "--from",
        CLIENT,
        "--at",
        "2026-11-01T08:30",
        "--language",
        "en",
        stdout=out,
    )
    assert "105 rings for 20 s" in out.getvalue()
    data = StringIO()
    call_command("simulate_call", "boreale", "105", "--from", "102", "--unregistered", "--json", stdout=data)
    told_ = json.loads(data.getvalue())
    assert told_["outgoing"]["verdict"] == Verdict.INTERNAL
    assert told_["plan"][0]["step"] == "reach"
    for bad in (
        ["nobody", "105"],
        ["boreale", "199"],
        ["boreale", "105", "--at", "tomorrow"],
        ["boreale", "105", "--from", "*72"],
    ):
        with pytest.raises(CommandError):
            call_command("simulate_call", *bad, stdout=StringIO())


@pytest.mark.parametrize("query", [
    "to=105", "to=105&caller=102&state=busy", "to=105&at=1066-10-14T08:00", "to=105&at=NaN", "to=105&caller=*72", "to=%00", "to=' OR 1=1",
    "to=105&state=nonsense&at=2026-03-08T02:30", "to=" + "9" * 300, "caller=٣",
])  # fmt: skip
def test_the_page_answers_whatever_is_asked(boreale, felix, maude, query):
    client = sign_in_fully(Client(), felix)
    assert client.get(f"/c/boreale/simulator?{query}").status_code == 200
    part = client.get(f"/c/boreale/simulator?{query}", headers={"hx-request": "true"})
    assert part.status_code == 200
    assert "<html" not in part.content.decode()


def test_strangers_have_no_simulator_of_others(boreale, laurier, felix, amelie):
    assert sign_in_fully(Client(), felix).get("/c/laurier/simulator?to=201").status_code == 404
    assert sign_in_fully(Client(), amelie).get("/c/boreale/simulator").status_code == 403
    assert sign_in_fully(Client(), felix).get("/c/laurier/destinations?q=a").status_code == 404


def test_the_picker_offers_colleagues_but_nobody_hidden_or_disabled(boreale, felix, amelie, maude):
    client = sign_in_fully(Client(), felix)
    url = "/c/boreale/destinations?typed=away.divert_external.extension&away.divert_external.extension=maud"
    assert "105 Maude Côté" in client.get(url).content.decode()
    own = sign_in_fully(Client(), amelie).get("/me/destinations?q=maud")
    assert "105 Maude Côté" in own.content.decode()
    User.objects.filter(pk=maude.pk).update(hidden=True)
    assert "105" not in client.get(url).content.decode()


def test_the_tab_opens_with_every_status_and_saves_as_a_whole(boreale, felix, amelie, maude):
    SystemExtension.objects.create(customer=boreale, number="801", name="Accueil", kind="queue")
    client = sign_in_fully(Client(), felix)
    url = f"/c/boreale/users/{amelie.number}/forwarding"
    with CaptureQueriesContext(connection) as captured:
        page = client.get(url)
    assert page.status_code == 200
    assert len(captured) <= 20
    text = page.content.decode()
    assert text.count('name="_shown"') == len(Status)
    data = {"seen": amelie.version, "_shown": "lunch"}
    for column in RULE_COLUMNS:
        value = values(amelie, column.name)[0]
        if value is not False and value is not None:
            data[column.name] = "on" if value is True else str(value)
    data |= {"lunch.busy_external": "system", "lunch.busy_external.system": "801", "away.divert_external": "extension",
             "away.divert_external.extension": "105 Maude Côté", "away.divert_external.voicemail": "on"}  # fmt: skip
    sent = client.post(url, data)
    assert sent.status_code == 302, sent.content.decode()[:400]
    assert sent["Location"].endswith("?saved=1&shown=lunch")
    assert [str(value) for value in values(amelie, "lunch.busy_external", "away.divert_external")] == [
        "system:801",
        "extension:105?voicemail",
    ]
    refused = client.post(url, data | {"seen": amelie.version + 1, "away.divert_external.extension": "199"})
    assert refused.status_code == 422
    assert 'value="199"' in refused.content.decode()
    stale = client.post(url, data | {"seen": 1, "lunch.custom_message": "À table"})
    assert stale.status_code == 409


def test_ones_own_forwarding_unless_it_is_hidden(boreale, felix, amelie):
    client = sign_in_fully(Client(), amelie)
    assert client.get("/me/forwarding").status_code == 200
    change(felix, amelie, hide_forwarding=True)
    assert client.get("/me/forwarding").status_code == 403
    assert client.post("/me/forwarding", {"seen": 2}).status_code == 403
    assert "/me/forwarding" not in client.get("/me").content.decode()


def test_a_phone_that_has_never_connected_explains_nothing_of_a_status_that_does_not_ring(boreale, amelie):
    make_phone(boreale, amelie, "805ec0000003")
    now = datetime(2026, 11, 24, 10, 0, tzinfo=ZoneInfo("America/Toronto"))

    def said(status: Status) -> str:
        return " ".join(step.reason for step in ask(boreale, Question("101", "", now, status=status)).steps)

    with translation.override("fr-ca"):
        assert "n’a jamais été connecté" in said(Status.AVAILABLE)
        assert "n’a jamais été connecté" not in said(Status.AWAY)


def test_who_sent_the_call_on_is_said_beside_a_phone_that_has_never_connected(boreale, felix, amelie, maude):
    change(felix, amelie, available__no_answer_external="extension:105")
    make_phone(boreale, maude, "805ec0000003")
    with translation.override("en"):
        steps = ask(boreale, Question("101", CLIENT, TUESDAY)).steps
    said = next(step.reason for step in steps if step.title.startswith("105 Maude"))
    assert said.startswith("Forwarded by 101: status Available, no answer after 20 s; ")
    assert "has never connected" in said
