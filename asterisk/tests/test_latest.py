"""The page "Latest calls": what it lists, how a call went beside what would become of it now, for whom, and for how long."""

import re
from datetime import timedelta
from html import unescape
from itertools import pairwise

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from asterisk.calls import keeping, planned
from asterisk.models import CallParty, CallRecord, Node
from asterisk.tests.test_ended import rule
from asterisk.tests.told import a_call, a_node, ended, noted, tell
from signin.tests.signing import sign_in_fully
from users import road
from users.models import Department, Membership, SystemExtension, User, Visibility
from users.people.sections import user_sheet
from users.tests.factories import FACTS, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.slow("draws lists again and again")]


@pytest.fixture(autouse=True)
def _node(known):
    cache.clear()
    return a_node()


@pytest.fixture
def owner(boreale):
    return sign_in_fully(Client(), make_user(boreale, "190", "Odile", "Proprio", role="system_owners"))


@pytest.fixture
def as_amelie(amelie):
    return sign_in_fully(Client(), amelie)


def page(client, url, **query):
    answer = client.get(url, query, headers={"accept-language": "en"})
    assert answer.status_code == 200, answer.status_code
    return unescape(answer.content.decode())


def words_of(text):
    """The words of a page; its phone numbers as people read them."""
    return " ".join(re.sub('<span class="text-nowrap">(.*?)</span>', r"\1", text).split())


CALLS = "/c/boreale/users/102/calls"


def test_the_list_says_who_called_whom_when_and_what_came_of_it(owner, boreale, amelie, felix):
    a_call(boreale, "1.1", "101", "102", "answered.", seconds=65, peer=f"PJSIP/102@{boreale.fqdn}-0001")
    a_call(boreale, "1.2", "+14185550100", "102", "no_answer.")
    a_call(boreale, "1.3", "", "102", "given_up.")
    a_call(boreale, "1.4", "102", "5145550199", "answered.", seconds=3)
    planned.write([noted(boreale, "1.5", "102", "101")])
    found = page(owner, CALLS)
    text = words_of(found)
    for said in (
        "Amélie Tremblay",
        "1 min 5 s",
        "418 555-0100",
        "Missed (voicemail)",
        "Withheld number",
        "In progress",
    ):
        assert said in text
    assert text.count("Missed") >= 3
    assert [
        words_of(found).count(f"/calls/{key}") for key in CallRecord.objects.values_list("pk", flat=True)
    ] == [1] * 5


@pytest.mark.parametrize(("which", "count"), [("missed", 1), ("in", 2), ("out", 1), ("x", 0)])
def test_the_list_is_narrowed_to_missed_incoming_or_outgoing_calls(
    owner, boreale, amelie, felix, which, count
):
    a_call(boreale, "1.1", "101", "102", "answered.")
    a_call(boreale, "1.2", "101", "102", "no_answer.")
    a_call(boreale, "1.3", "102", "101", "answered.")
    assert page(owner, CALLS, which=which).count("lead-cell") == count


def outcome_of(client, url=CALLS):
    """What the first line of a list says of its call, and what the call's own page says."""
    (line, at), *_others = client.get(url, headers={"accept-language": "en"}).context["lines"]
    assert line.outcome in words_of(page(client, at))
    return line.outcome


@pytest.mark.parametrize(
    ("rules", "dialled", "taken", "said"),
    [
        ({"no_answer_internal": "extension:103"}, "102", "no_answer.answered.", "Missed, answered by Inès Roy"),
        ({"no_answer_internal": "external:+15145550199"}, "102", "no_answer.answered.", "Missed, answered by 514 555-0199"),
        ({"no_answer_internal": "extension:103"}, "102", "no_answer.no_answer.", "Missed (voicemail: Inès Roy)"),
        ({"busy_internal": "busy"}, "102", "declined.", "Busy tone: status Available, call declined"),
        ({}, "102", "no_answer.", "Missed (voicemail)"),
        ({}, "102", "answered.", "Answered"),
    ],
)  # fmt: skip
def test_an_outcome_says_who_took_the_call_whose_voicemail_it_was_and_why(
    owner, boreale, amelie, felix, ines, rules, dialled, taken, said
):
    rule(felix, **rules)
    peer = f"PJSIP/103@{boreale.fqdn}-0001" if "Inès" in said else ""
    a_call(boreale, "1.1", "101", dialled, taken, peer=peer)
    assert outcome_of(owner) == said


def test_who_called_hears_who_answered_and_whose_voicemail_it_was(owner, boreale, amelie, felix, ines):
    rule(felix, no_answer_internal="extension:103")
    amelies = "/c/boreale/users/101/calls"
    a_call(boreale, "1.1", "101", "102", "no_answer.answered.", peer=f"PJSIP/103@{boreale.fqdn}-0001")
    assert outcome_of(owner, amelies) == "Answered by Inès Roy"
    a_call(boreale, "1.2", "101", "103", "no_answer.", at=timezone.now() + timedelta(seconds=1))
    assert outcome_of(owner, amelies) == "Voicemail: Inès Roy"
    a_call(boreale, "1.3", "101", "103", "given_up.", at=timezone.now() + timedelta(seconds=2))
    assert outcome_of(owner, amelies) == "Hung up before an answer"


@pytest.mark.parametrize(
    ("dialled", "said"),
    [
        ("5145550188", "Refused: outside calls need the PIN first. Dial 777"),
        ("199", "Refused: there is no extension 199"),
        ("*31", "Code *31: sets the status Away"),
    ],
)
def test_a_refusal_and_a_code_say_what_they_are(owner, boreale, felix, dialled, said):
    User.objects.filter(pk=felix.pk).update(pin_protected=True)
    a_call(boreale, "1.1", "102", dialled, "")
    assert outcome_of(owner).startswith(said)


def test_whoever_may_not_see_the_rules_that_led_there_is_not_told_where_they_lead(
    as_amelie, boreale, amelie, felix, ines
):
    rule(felix, no_answer_internal="external:+15145550199")
    a_call(boreale, "1.1", "101", "102", "no_answer.answered.")
    assert outcome_of(as_amelie, "/me/calls") == "Answered"
    rule(felix, no_answer_internal="extension:103")
    a_call(boreale, "1.2", "101", "102", "no_answer.no_answer.", at=timezone.now() + timedelta(seconds=1))
    assert outcome_of(as_amelie, "/me/calls") == "Voicemail"
    User.objects.filter(pk=amelie.pk).update(hide_forwarding=True, outbound_disabled=True)
    a_call(boreale, "1.3", "101", "5145550188", "", at=timezone.now() + timedelta(seconds=2))
    assert outcome_of(as_amelie, "/me/calls") == "Refused"


def test_a_call_goes_on_as_last_known_while_its_node_is_not_heard(owner, boreale, felix):
    planned.write([noted(boreale, "1.1", "102", "5145550188")])
    assert outcome_of(owner) == "In progress, as last known"
    Node.objects.update(connected_at=timezone.now(), heard_at=timezone.now())
    assert outcome_of(owner) == "In progress"


def test_newer_calls_come_first_and_the_list_goes_on_from_a_call(owner, boreale, amelie, felix):
    now = timezone.now()
    planned.write(
        [
            noted(boreale, f"1.{number}", "101", "102", at=now - timedelta(minutes=number))
            for number in range(120)
        ]
    )
    keys, url = [], CALLS
    while url and len(keys) < 500:
        answer = owner.get(url)
        lines = answer.context["lines"]
        keys += [line.at for line, _url in lines]
        url = answer.context["steps"][1]
    assert len(keys) == 120
    assert all(one > other for one, other in pairwise(keys))


def test_a_long_list_costs_as_many_questions_as_a_short_one(owner, boreale, amelie, felix):
    def asked():
        with CaptureQueriesContext(connection) as queries:
            page(owner, CALLS)
        return len(queries)

    a_call(boreale, "1.1", "101", "102", "answered.")
    page(owner, CALLS)
    few = asked()
    for number in range(2, 30):
        a_call(boreale, f"1.{number}", "101" if number % 2 else "+14185550100", "102", "no_answer.")
    assert asked() == few


def test_htmx_is_given_the_same_page(owner, boreale, amelie, felix):
    a_call(boreale, "1.1", "101", "102", "answered.")
    answer = owner.get(CALLS, {"which": "in"}, headers={"hx-request": "true"})
    assert answer.headers["HX-Push-Url"] == f"{CALLS}?which=in"


def test_without_any_node_the_page_says_so_in_a_sentence(owner, boreale, felix):
    assert "within the last thirty days" in page(owner, CALLS)
    Node.objects.all().delete()
    assert "No phone system is connected to the portal yet" in page(owner, CALLS)


# --- One call -----------------------------------------------------------------------------------------------------
def path_of(answer):
    return [(step.title, step.differs) for step in answer]


def changed(actor, customer, person, **values):
    road.apply(road.plan(actor, customer, user_sheet(), [road.Row(person.pk, values)]), FACTS)


def opened(client, call, base=CALLS):
    answer = client.get(f"{base}/{call.pk}", headers={"accept-language": "en"})
    assert answer.status_code == 200
    return answer.context["compared"], words_of(unescape(answer.content.decode()))


def test_a_call_shows_its_steps_with_their_reasons_beside_what_would_happen_now(
    owner, boreale, amelie, felix, ines
):
    rule(felix, no_answer_internal="extension:103")
    call = a_call(boreale, "1.1", "101", "102", "no_answer.answered.", seconds=9)
    compared, text = opened(owner, call)
    assert compared.same
    assert path_of(compared.then) == path_of(compared.now)
    titles = [step.title for step in compared.then]
    assert titles[0] == "Internal call to 102"
    assert any(title.startswith("102 rings for 20 s: their devices") for title in titles)
    assert titles[-1].startswith("103 rings")
    assert "and is answered" in text
    assert "unanswered" in text
    assert "It would go the same way." in text


def test_what_did_not_ring_and_who_sent_the_call_on_is_said(owner, boreale, amelie, felix, ines):
    rule(felix, no_answer_internal="extension:103", not_registered_internal="extension:103")
    silent = a_call(boreale, "1.1", "101", "102", "not_registered.answered.", seconds=9)
    compared, _text = opened(owner, silent)
    assert [step.title for step in compared.then if "ring" in step.title] == [
        "102 doesn't ring",
        "103 rings for up to 20 s: their devices",
    ]
    assert "Forwarded by 102: status Available, devices can't be reached" in [
        step.reason for step in compared.then
    ]


def test_what_would_go_otherwise_now_is_marked_on_both_sides(owner, boreale, amelie, felix, ines):
    rule(felix, no_answer_internal="extension:103")
    call = a_call(boreale, "1.1", "101", "102", "no_answer.answered.")
    rule(felix, no_answer_internal="voicemail")
    compared, text = opened(owner, call)
    assert not compared.same
    differing = [step.title for step in compared.then if step.differs]
    assert [title[:3] for title in differing] == ["103", "103"]
    assert [step.title for step in compared.now if step.differs] == ["Voicemail of 102"]
    assert not compared.then[0].differs
    assert "what differs is marked" in text
    assert "no person's settings were changed since" in text


def test_why_a_call_would_go_another_way_is_said_by_who_was_changed_since(
    owner, boreale, staff, amelie, felix, ines
):
    rule(felix, no_answer_internal="extension:103")
    changed(staff, boreale, amelie, mobile="5145550133")
    call = a_call(boreale, "1.1", "101", "102", "no_answer.answered.")
    changed(staff, boreale, felix, mobile="5145550144")
    rule(felix, no_answer_internal="voicemail")
    _compared, text = opened(owner, call)
    assert f"Settings of {felix.full_name} were changed since then, the last time on" in text
    assert 'href="/c/boreale/users/102/history"' in text
    assert "Settings of Amélie" not in text


@pytest.mark.parametrize(
    ("taken", "last"),
    [("given_up.", "The caller hung up"), ("full.", "All channels were in use"), ("answered.", "102 rings")],
)
def test_how_the_call_ended_is_its_last_step(owner, boreale, amelie, felix, taken, last):
    compared, _text = opened(owner, a_call(boreale, "1.1", "101", "102", taken))
    assert compared.then[-1].title.startswith(last)


def test_an_emergency_call_is_on_the_list_and_says_why_it_went_out(owner, boreale, amelie):
    tell(
        ended(boreale, "1.1", "emergency.answered.", **{"from": "101", "to": "911", "shown": "+15145550110"})
    )
    url = "/c/boreale/users/101/calls"
    assert "911" in page(owner, url)
    text = words_of(page(owner, f"{url}/{CallRecord.objects.get().pk}"))
    assert "Emergency call to 911, always allowed, shown as 514 555-0110" in text
    assert "The steps of this call aren't known." not in text


def test_a_ring_groups_call_says_who_answered(owner, boreale, amelie, felix, ines):
    group = SystemExtension.objects.create(customer=boreale, number="800", name="Accueil", kind="ring_group")
    group.members.set([felix, ines])
    call = a_call(
        boreale,
        "1.1",
        "+14185550100",
        "800",
        "answered.",
        rang="102&103&",
        peer=f"PJSIP/103@{boreale.fqdn}-01",
    )
    compared, text = opened(owner, call)
    assert "Answered by" in text
    assert "Inès Roy" in text
    assert compared.then[-1].title == "Answered"


def test_a_call_of_somebody_who_is_gone_and_one_without_steps_say_so(owner, boreale, amelie, felix):
    call = a_call(boreale, "1.1", "101", "102", "answered.")
    CallRecord.objects.update(from_extension="177")
    assert "Extension 177 doesn't exist any more." in opened(owner, call)[1]
    CallRecord.objects.update(from_extension="101", planned={"plan": "?"})
    assert "The steps of this call aren't known." in opened(owner, call)[1]
    CallRecord.objects.update(from_extension="", dialled="nobodys")
    assert "nobodys is nobody's any more." in opened(owner, call)[1]
    planned_then = noted(boreale, "x", "101", "102").planned.as_data()
    planned_then["plan"][0]["reason"]["data"] = {}
    CallRecord.objects.update(from_extension="101", dialled="102", planned=planned_then)
    assert "aren't known" in opened(owner, call)[1]


def test_the_simulator_is_asked_about_the_same_call(owner, boreale, amelie, felix):
    call = a_call(boreale, "1.1", "+14185550100", "102", "answered.")
    assert "/c/boreale/simulator?to=102&caller=%2B14185550100" in opened(owner, call)[1]


# --- For whom -----------------------------------------------------------------------------------------------------
def test_one_sees_ones_own_calls_and_steps_up_to_colleagues_rules(as_amelie, boreale, amelie, felix, ines):
    rule(amelie, no_answer_internal="extension:102")
    call = a_call(boreale, "1.1", "103", "101", "no_answer.answered.")
    assert "Inès" in page(as_amelie, "/me/calls")
    compared, text = opened(as_amelie, call, "/me/calls")
    assert [step.icon for step in compared.then] == ["phone", "user", "ring", "lock"]
    assert compared.then[-1].reason == "From here on, rules apply that you can't see."
    assert "Ask the simulator" not in text
    User.objects.filter(pk=amelie.pk).update(hide_forwarding=True)
    compared, _text = opened(as_amelie, call, "/me/calls")
    assert [step.icon for step in compared.then] == ["phone", "lock"]


def test_ones_own_settings_are_called_so(as_amelie, boreale, staff, amelie, ines):
    rule(amelie, no_answer_internal="extension:102")
    call = a_call(boreale, "1.1", "103", "101", "no_answer.answered.")
    changed(staff, boreale, amelie, mobile="5145550133")
    rule(amelie, no_answer_internal="voicemail")
    _compared, text = opened(as_amelie, call, "/me/calls")
    assert "Your settings were changed since then" in text
    assert "Settings of" not in text


def see(viewer, target, **forced):
    Visibility.objects.update_or_create(user=viewer, department=target.primary_department, defaults=forced)


def test_a_colleague_sees_the_calls_that_visualiser_says_and_none_of_the_rules(
    as_amelie, boreale, amelie, felix, ines
):
    url = f"/me/colleagues/{ines.number}/calls"
    call = a_call(boreale, "1.1", "102", "103", "no_answer.")
    assert as_amelie.get(url).status_code == 404
    see(amelie, ines, see_calls=True)
    assert "Félix" in page(as_amelie, url)
    compared, _text = opened(as_amelie, call, url)
    assert [step.icon for step in compared.then] == ["phone", "lock"]
    assert url in page(as_amelie, reverse("own_colleagues"))


@pytest.mark.parametrize("hidden", ["show_my_calls", "hidden", "disabled"])
def test_who_shows_no_calls_is_seen_by_no_colleague(as_amelie, boreale, amelie, ines, hidden):
    url = f"/me/colleagues/{ines.number}/calls"
    see(amelie, ines, see_calls=True)
    assert as_amelie.get(url).status_code == 200
    if hidden == "show_my_calls":
        for key in Membership.objects.filter(user=ines).values_list("department", flat=True):
            see_self = Department.objects.get(pk=key)
            Visibility.objects.create(user=ines, department=see_self, show_my_calls=False)
    else:
        User.objects.filter(pk=ines.pk).update(**{hidden: True})
    assert as_amelie.get(url).status_code == 404


def test_a_call_is_opened_through_those_whom_it_concerned_alone(owner, boreale, amelie, felix, ines):
    call = a_call(boreale, "1.1", "101", "102", "answered.")
    assert owner.get(f"/c/boreale/users/103/calls/{call.pk}").status_code == 404
    assert owner.get(f"/c/boreale/users/101/calls/{call.pk}").status_code == 200
    assert owner.get(f"{CALLS}/{2**64}").status_code == 404


def test_no_call_of_another_customer_shows(boreale, laurier, amelie, felix):
    stranger = make_user(laurier, "102", "Autre", "Part", role="system_owners")
    call = a_call(boreale, "1.1", "101", "102", "answered.")
    client = sign_in_fully(Client(), stranger)
    assert client.get(f"/c/laurier/users/102/calls/{call.pk}").status_code == 404
    assert client.get(CALLS).status_code == 404
    assert client.get(f"/me/calls/{call.pk}").status_code == 404


def test_the_ways_to_the_page(owner, as_amelie, boreale, amelie, felix):
    assert CALLS in page(owner, "/c/boreale/users/102/forwarding")
    assert "/me/calls" in page(as_amelie, reverse("own_page"))
    assert "/me/calls" in page(as_amelie, reverse("own_forwarding"))


# --- For how long -------------------------------------------------------------------------------------------------
def test_calls_are_erased_after_thirty_days(owner, boreale, amelie, felix, monkeypatch):
    monkeypatch.setattr(keeping, "PART", 2)
    now = timezone.now()
    planned.write(
        [noted(boreale, f"1.{days}", "101", "102", at=now - timedelta(days=days)) for days in range(28, 36)]
    )
    assert page(owner, CALLS).count("lead-cell") == 2
    assert keeping.forget() == 6
    assert CallRecord.objects.count() == 2
    assert CallParty.objects.count() == 4
    assert keeping.forget() == 0
