"""An outside number that is the company's own is the extension that it rings: never a way back to oneself, wherever it stands."""

import pytest
from django.urls import reverse
from django.utils import timezone, translation

from forwarding.asking import plan_call
from forwarding.calls import FromOutside
from forwarding.decisions import Busy, Mode, Outside, Reach, Ring, Why, path
from forwarding.models import ForwardingRule
from forwarding.tests.road import change, planned, values
from pbxadmin.common.fields import phone_number_national
from pbxadmin.common.values.statuses import Status
from signin.tests.signing import sign_in_fully
from users import road
from users.company.sheets import did_sheet
from users.models import Did, SystemExtension, User
from users.people.replacing import Wish, legacies, plan_replacement
from users.people.sections import user_sheet
from users.tests.factories import FACTS, make_user

COLUMNS = [
    f"{status}.{name}"
    for status in Status
    for name in (
        ("no_answer_external", "busy_external", "no_answer_internal", "busy_internal")
        if status.rings
        else ("divert_external", "divert_internal")
    )
]


@pytest.fixture
def numbers(boreale, amelie, felix):
    """Amélie's own number, and Félix's."""
    found = list(Did.objects.of(boreale).order_by("pk"))
    for did, person in zip(found, (amelie, felix), strict=True):
        Did.objects.filter(pk=did.pk).update(user=person)
    return [did.number for did in found]


def told(row: road.RowPlan, name: str) -> str:
    return " ".join(map(str, row.warnings.get(name, [])))


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("flag", ["", "?bounce", "?deflect"])
def test_nobody_forwards_to_a_number_of_their_own_in_any_status(
    staff, boreale, amelie, numbers, column, flag
):
    boreale.supports_deflection = True
    boreale.save()
    if flag and column.endswith("internal"):
        return
    with translation.override("fr-ca"):
        row = planned(staff, amelie, **{column: f"external:{phone_number_national(numbers[0])}{flag}"})
    assert "reviendrait" in " ".join(row.errors[column])


def test_a_colleagues_number_is_followed_as_the_extension_and_told(staff, amelie, felix, numbers):
    row = planned(staff, amelie, away__divert_external=f"external:{numbers[1]}")
    assert row.outcome == "changed"
    assert str(felix) in told(row, "away.divert_external")
    # There is nobody to accept a call that doesn't leave the company.
    refused = planned(staff, amelie, away__divert_external=f"external:{numbers[1]}?bounce")
    assert str(felix) in " ".join(refused.errors["away.divert_external"])


def test_a_number_that_rings_nobody_or_somebody_disabled_or_hidden_is_no_destination(
    staff, amelie, felix, numbers
):
    Did.objects.filter(number=numbers[1]).update(user=None)
    assert planned(staff, amelie, away__divert_external=f"external:{numbers[1]}").errors
    Did.objects.filter(number=numbers[1]).update(user=felix)
    for reason in ("disabled", "hidden"):
        User.objects.filter(pk=felix.pk).update(**{"disabled": False, "hidden": False, reason: True})
        row = planned(staff, amelie, away__divert_external=f"external:{numbers[1]}")
        assert row.errors
        assert str(felix) not in " ".join(row.errors["away.divert_external"]), reason


@pytest.mark.parametrize("whose", [0, 1])
def test_a_number_of_the_company_is_nobodys_mobile(staff, amelie, numbers, whose):
    row = planned(staff, amelie, mobile=phone_number_national(numbers[whose]))
    assert "mobile" in row.errors


def test_two_who_forward_to_each_others_numbers_are_told(staff, amelie, felix, numbers):
    change(staff, felix, available__no_answer_external=f"external:{numbers[0]}")
    row = planned(staff, amelie, available__no_answer_external=f"external:{numbers[1]}")
    assert "102" in told(row, "available.no_answer_external")
    assert "101" in told(row, "available.no_answer_external")


def test_a_round_of_three_over_numbers_extensions_and_in_one_plan_is_told(
    staff, boreale, amelie, felix, ines, numbers
):
    change(staff, felix, available__no_answer_external="extension:103")
    rows = [
        road.Row(ines.pk, {"lunch.busy_external": f"external:{numbers[0]}"}),
        road.Row(amelie.pk, {"lunch.no_answer_external": f"external:{numbers[1]}"}),
    ]
    last, first = road.plan(staff, boreale, user_sheet(), rows).rows
    assert "103" in told(last, "lunch.busy_external")
    assert "101" in told(first, "lunch.no_answer_external")


def test_a_number_is_not_given_to_whoever_forwards_their_calls_to_it(staff, boreale, amelie, numbers):
    Did.objects.filter(number=numbers[0]).update(user=None)
    key = Did.objects.get(number=numbers[0]).pk
    ForwardingRule.objects.filter(user=amelie, status="lunch").update(
        no_answer_external=f"external:{numbers[0]}?bounce"
    )
    (row,) = road.plan(staff, boreale, user_sheet(), [road.Row(amelie.pk, {"dids": [key]})]).rows
    assert "Lunch" in " ".join(row.errors["dids"])
    ForwardingRule.objects.filter(user=amelie).update(no_answer_external="voicemail")
    User.objects.filter(pk=amelie.pk).update(mobile=numbers[0])
    (row,) = road.plan(staff, boreale, user_sheet(), [road.Row(amelie.pk, {"dids": [key]})]).rows
    assert "dids" in row.errors


def test_a_number_that_closes_a_round_is_told_on_the_day_on_which_it_is_given(
    client, staff, boreale, amelie, felix, numbers
):
    Did.objects.filter(number=numbers[0]).update(user=None)
    did = Did.objects.get(number=numbers[0])
    ForwardingRule.objects.filter(user=felix, status="available").update(
        no_answer_external=f"external:{did.number}"
    )
    change(staff, amelie, available__no_answer_external="extension:102")
    (row,) = road.plan(staff, boreale, user_sheet(), [road.Row(amelie.pk, {"dids": [did.pk]})]).rows
    assert "102" in told(row, "dids")
    sign_in_fully(client, staff)
    client.post(reverse("did_assign", args=["boreale", did.pk]), {"extension": "101"})
    assert Did.objects.get(pk=did.pk).user == amelie


def test_a_number_that_becomes_the_companys_tells_who_has_used_it_as_an_outside_one(
    staff, boreale, amelie, felix
):
    change(staff, amelie, mobile="438 555-0177")
    change(staff, felix, away__divert_external="external:438 555-0177?bounce")
    (row,) = road.plan(staff, boreale, did_sheet(), [road.Row(None, {"number": "438 555-0177"})]).rows
    assert str(amelie) in told(row, "number")
    assert str(felix) in told(row, "number")


# --- The engine, whatever is stored --------------------------------------------------------------------------------
def first_steps(customer, number: str):
    planned_call = plan_call(customer, FromOutside("+14185550199"), number, timezone.now())
    assert planned_call.plan is not None
    return path(planned_call.plan)


@pytest.mark.parametrize("flag", ["", "?bounce"])
def test_a_stored_mobile_that_is_ones_own_number_ends_in_the_reason(boreale, amelie, numbers, flag):
    User.objects.filter(pk=amelie.pk).update(mobile=numbers[0], status="away")
    ForwardingRule.objects.filter(user=amelie, status="away").update(divert_external=f"mobile{flag}")
    last = first_steps(boreale, numbers[0])[-1]
    assert isinstance(last, Busy)
    assert last.reason.cause is not None
    assert last.reason.cause.why is Why.LOOP


def test_a_stored_mobile_that_is_ones_own_number_does_not_ring_along(boreale, amelie, numbers):
    User.objects.filter(pk=amelie.pk).update(mobile=numbers[0])
    ForwardingRule.objects.filter(user=amelie, status="available").update(ring_mobile=True)
    ring = next(step for step in first_steps(boreale, numbers[0]) if isinstance(step, Ring))
    assert ring.mobile == ""
    User.objects.filter(pk=amelie.pk).update(mobile="+14385550177")
    ring = next(step for step in first_steps(boreale, numbers[0]) if isinstance(step, Ring))
    assert ring.mobile == "+14385550177"


def test_a_stored_number_of_a_colleague_reaches_them_with_bounce_too(boreale, amelie, felix, numbers):
    User.objects.filter(pk=amelie.pk).update(status="away")
    ForwardingRule.objects.filter(user=amelie, status="away").update(
        divert_external=f"external:{numbers[1]}?bounce"
    )
    reached = [step.extension for step in first_steps(boreale, numbers[0]) if isinstance(step, Reach)]
    assert reached == ["101", "102"]


def test_anybody_elses_number_is_an_outside_one(boreale, amelie, numbers):
    User.objects.filter(pk=amelie.pk).update(status="away", mobile="+14385550177")
    ForwardingRule.objects.filter(user=amelie, status="away").update(divert_external="mobile?bounce")
    step = next(step for step in first_steps(boreale, numbers[0]) if isinstance(step, Outside))
    assert (step.number, step.mode) == ("+14385550177", Mode.BOUNCE)


def test_a_ring_group_behind_a_number_is_reached(staff, boreale, amelie, numbers):
    group = SystemExtension.objects.create(customer=boreale, number="180", name="Accueil", kind="ring_group")
    Did.objects.filter(number=numbers[1]).update(user=None, system_extension=group)
    row = planned(staff, amelie, away__divert_external=f"external:{numbers[1]}")
    assert "180 Accueil" in told(row, "away.divert_external")


def test_making_somebody_with_a_number_and_rules_at_once_asks_the_same(staff, boreale, numbers):
    key = Did.objects.create(customer=boreale, number="+15145550177").pk
    raw = {
        "number": "150",
        "first_name": "Olivier",
        "primary_department": "Accueil",
        "dids": [key],
        "away.divert_external": "external:514 555-0177",
    }
    (row,) = road.plan(staff, boreale, user_sheet(), [road.Row(None, raw)]).rows
    assert row.errors
    assert make_user(boreale, "151", "Olivier", "Bélanger", dids=[key])
    assert FACTS


# --- Who, or what, a number rings goes ----------------------------------------------------------------------------
@pytest.fixture
def olivier(boreale):
    return make_user(boreale, "104", "Olivier", "Bélanger")


@pytest.fixture
def to_olivier(staff, amelie, olivier, numbers):
    """Amélie's calls are forwarded to Olivier, by the number that rings his extension."""
    Did.objects.filter(number=numbers[1]).update(user=olivier)
    change(staff, amelie, away__divert_external=f"external:{numbers[1]}")
    return numbers[1]


def test_nobody_is_disabled_or_deleted_while_calls_come_over_their_number(
    client, staff, boreale, amelie, olivier, to_olivier
):
    row = planned(staff, olivier, disabled=True)
    assert str(amelie) in " ".join(map(str, row.errors["disabled"]))
    sign_in_fully(client, staff)
    url = reverse("user_delete", args=["boreale", "104"])
    assert "101 Amélie Tremblay" in client.get(url).content.decode()
    make_user(boreale, "105", "Maude", "Côté")
    assert client.post(url, {"confirm": "104", "instead": "105"}).status_code == 302
    assert not User.objects.filter(pk=olivier.pk).exists()
    assert str(values(amelie, "away.divert_external")[0]) == "extension:105"


def test_disabling_is_possible_where_the_same_change_leads_the_calls_away(
    staff, boreale, amelie, olivier, to_olivier
):
    rows = [
        road.Row(olivier.pk, {"disabled": True}),
        road.Row(amelie.pk, {"away.divert_external": "voicemail"}),
    ]
    assert not road.plan(staff, boreale, user_sheet(), rows).refused


def test_a_number_that_is_taken_away_tells_whose_calls_are_forwarded_to_it(
    client, staff, boreale, amelie, olivier, to_olivier
):
    did = Did.objects.get(number=to_olivier)
    (row,) = road.plan(staff, boreale, user_sheet(), [road.Row(olivier.pk, {"dids": []})]).rows
    assert str(amelie) in told(row, "dids")
    # Whoever takes it over in the same change takes the calls.
    maude = make_user(boreale, "105", "Maude", "Côté")
    rows = [road.Row(olivier.pk, {"dids": []}), road.Row(maude.pk, {"dids": [did.pk]})]
    assert not told(road.plan(staff, boreale, user_sheet(), rows).rows[0], "dids")
    sign_in_fully(client, staff)
    url = reverse("did_assign", args=["boreale", did.pk])
    assert str(amelie) not in client.post(url, {"extension": "105"}, follow=True).content.decode()
    assert str(amelie) in client.post(url, {"extension": ""}, follow=True).content.decode()


def test_a_number_that_leads_to_no_group_any_more_or_is_deleted_tells_the_same(
    staff, boreale, amelie, numbers
):
    group = SystemExtension.objects.create(customer=boreale, number="180", name="Accueil", kind="ring_group")
    Did.objects.filter(number=numbers[1]).update(user=None, system_extension=group)
    change(staff, amelie, away__divert_external=f"external:{numbers[1]}")
    did = Did.objects.get(number=numbers[1])
    (row,) = road.plan(staff, boreale, did_sheet(), [road.Row(did.pk, {"system_extension": None})]).rows
    assert str(amelie) in told(row, "system_extension")
    removal = road.plan_removal(staff, boreale, did_sheet(), [did.pk])
    assert str(amelie) in " ".join(removal.losses[did.pk])


def test_a_number_that_closes_a_round_is_told_on_the_page_on_which_it_is_given(
    client, staff, boreale, amelie, felix, numbers
):
    change(staff, felix, available__no_answer_external=f"external:{numbers[0]}")
    maude = make_user(boreale, "105", "Maude", "Côté")
    change(staff, maude, available__no_answer_external="extension:102")
    sign_in_fully(client, staff)
    did = Did.objects.get(number=numbers[0])
    page = client.post(reverse("did_assign", args=["boreale", did.pk]), {"extension": "105"}, follow=True)
    assert Did.objects.get(pk=did.pk).user == maude
    with translation.override("fr-ca"):
        assert "le poste 102" in page.content.decode().lower()


def test_whoever_takes_the_place_takes_the_calls_over_the_leavers_number(
    staff, boreale, amelie, olivier, to_olivier
):
    heir = Wish(identity={}, parts=frozenset(each.name for each in legacies()), heir=amelie)
    made = plan_replacement(staff, boreale, olivier, heir)
    assert not made.refusals
    assert str(made.plans[0].rows[1].after["away.divert_external"]) == "voicemail"
