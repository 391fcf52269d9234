"""Numbers that belonged to somebody else once: the history holds who was meant, as function keys do."""

import pytest
from django.test import Client
from django.urls import reverse

from forwarding.models import ForwardingRule
from forwarding.tests.road import change
from phones.context import KeyKind as Kind
from signin.tests.signing import sign_in_fully
from users import road
from users.company.sheets import did_sheet, system_extension_sheet
from users.models import Did, Operation, SystemExtension, User
from users.people.sections import user_sheet
from users.road import undo
from users.tests.factories import FACTS, make_user

pytestmark = pytest.mark.both_databases("the history read back from JSON")


@pytest.fixture
def maude(boreale):
    return make_user(boreale, "110", "Maude", "Côté")


def leaves(staff, customer, person) -> User:
    """The person is deleted, and a stranger hired on the same extension."""
    road.remove(road.plan_removal(staff, customer, user_sheet(), [person.pk]), FACTS)
    return make_user(customer, person.number, "Zoé", "Lavoie")


def last_operation() -> Operation:
    return Operation.objects.order_by("-pk").first()


def rule(person, status="available") -> ForwardingRule:
    return ForwardingRule.objects.get(user=person, status=status)


@pytest.mark.parametrize(
    "destination", ["extension:110", "extension:110?voicemail"], ids=["their phone", "their mailbox"]
)
@pytest.mark.parametrize(
    "column", ["available__no_answer_external", "available__busy_internal", "away__divert_external", "lunch__no_answer_internal"]
)  # fmt: skip
def test_undoing_a_rule_that_led_to_somebody_never_leads_to_the_stranger_who_has_their_number(
    staff, boreale, felix, amelie, maude, column, destination
):
    change(felix, amelie, **{column: destination})
    change(felix, amelie, **{column: "busy"})
    operation = last_operation()
    leaves(staff, boreale, maude)
    with pytest.raises(undo.NotUndoableError) as refused:
        undo.undo(felix, boreale, operation, FACTS)
    assert "Maude Côté" in str(refused.value)
    assert "Zoé Lavoie" in str(refused.value)
    status, _dunder, field = column.partition("__")
    assert str(getattr(rule(amelie, status), field)) == "busy"


def test_while_the_number_is_theirs_the_rule_comes_back(boreale, felix, amelie, maude):
    change(felix, amelie, available__no_answer_external="extension:110?voicemail")
    change(felix, amelie, available__no_answer_external="busy")
    undo.undo(felix, boreale, last_operation(), FACTS)
    assert str(rule(amelie).no_answer_external) == "extension:110?voicemail"


def test_a_rule_that_leads_to_the_stranger_now_is_not_what_the_change_left(
    staff, boreale, felix, amelie, maude
):
    change(felix, amelie, available__no_answer_external="extension:110")
    operation = last_operation()
    change(felix, amelie, available__no_answer_external="voicemail")
    leaves(staff, boreale, maude)
    change(felix, amelie, available__no_answer_external="extension:110")
    with pytest.raises(undo.NotUndoableError, match="110 Zoé Lavoie"):
        undo.undo(felix, boreale, operation, FACTS)


def test_a_ring_group_whose_number_was_given_to_another_is_not_led_to_either(staff, boreale, felix, amelie):
    group = SystemExtension.objects.create(customer=boreale, number="801", name="Accueil", kind="ring_group")
    change(felix, amelie, available__no_answer_external="system:801")
    change(felix, amelie, available__no_answer_external="busy")
    operation = last_operation()
    road.remove(road.plan_removal(staff, boreale, system_extension_sheet(), [group.pk]), FACTS)
    SystemExtension.objects.create(customer=boreale, number="801", name="Urgences", kind="queue")
    with pytest.raises(undo.NotUndoableError, match=r"Accueil.*Urgences"):
        undo.undo(felix, boreale, operation, FACTS)


def test_the_history_names_who_was_meant_and_not_who_has_the_number_now(staff, boreale, felix, amelie, maude):
    change(felix, amelie, available__no_answer_external="extension:110?voicemail")
    change(felix, amelie, available__no_answer_external="busy")
    leaves(staff, boreale, maude)
    page = (
        sign_in_fully(Client(), felix).get(reverse("user_history", args=["boreale", "101"])).content.decode()
    )
    assert "110 Maude Côté" in page
    assert "Zoé" not in page


def test_a_key_of_somebody_who_is_gone_is_never_taken_for_an_extension(staff, boreale, felix, amelie):
    """Members, numbers and function keys are held by key; a stranger's extension may read the same."""
    group = SystemExtension.objects.create(customer=boreale, number="802", name="Accueil", kind="ring_group")
    did = Did.objects.of(boreale).first()
    keys = set(User.objects.values_list("pk", flat=True))
    number = next(number for number in range(120, 800) if number not in keys)
    make_user(boreale, str(number), "Zoé", "Lavoie")
    for sheet, key, values in (
        (system_extension_sheet(), group.pk, {"members": [number]}),
        (system_extension_sheet(), group.pk, {"members": [str(number)]}),
        (did_sheet(), did.pk, {"user": number}),
        (user_sheet(), amelie.pk, {"keys": [[1, Kind.BLF, number, "", "", ""]]}),
    ):
        plan = road.plan(staff, boreale, sheet, [road.Row(key, values)])
        assert plan.refused, (sheet.label, values, plan.rows[0].changes)
