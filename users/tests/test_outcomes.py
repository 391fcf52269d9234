"""How writing ended, as a value; and a plan without some of its rows."""

import pytest

from users import road
from users.models import Operation, User
from users.people.sections import user_sheet
from users.road import Outcome
from users.tests.factories import FACTS

pytestmark = pytest.mark.both_databases("constraints that refuse a write")


def plan(actor, customer, *rows):
    """A plan over users."""
    return road.plan(actor, customer, user_sheet(), list(rows))


def test_what_is_written_is_saved_with_its_operation(felix, amelie, boreale):
    done = road.commit(plan(felix, boreale, road.Row(amelie.pk, {"first_name": "Amelia"})), FACTS)
    assert done.outcome is Outcome.SAVED
    assert done.operation == Operation.objects.latest("pk")
    assert done.row.changes == {"first_name": ("Amélie", "Amelia")}


def test_the_same_again_is_unchanged(felix, amelie, boreale):
    done = road.commit(plan(felix, boreale, road.Row(amelie.pk, {"first_name": "Amélie"})), FACTS)
    assert (done.outcome, done.operation) == (Outcome.UNCHANGED, None)


def test_one_refused_row_refuses_the_whole_and_says_why_once(felix, amelie, ines, boreale):
    rows = (
        road.Row(amelie.pk, {"first_name": "Amelia"}),
        road.Row(ines.pk, {"email": "no address"}, label="103"),
    )
    done = road.commit(plan(felix, boreale, *rows), FACTS)
    assert (done.outcome, done.operation) == (Outcome.REFUSED, None)
    [sentence] = done.plan.sentences
    assert sentence.startswith("103\N{NO-BREAK SPACE}: ")
    assert done.plan.rows[1].sentences == [sentence.removeprefix("103\N{NO-BREAK SPACE}: ")]
    assert User.objects.get(pk=amelie.pk).first_name == "Amélie"


def test_an_older_version_before_the_senders_eyes_is_a_conflict(felix, amelie, boreale):
    made = plan(felix, boreale, road.Row(amelie.pk, {"first_name": "Amelia"}, seen=amelie.version - 1))
    assert road.commit(made, FACTS).outcome is Outcome.CONFLICT


def test_somebody_who_writes_between_plan_and_commit_makes_it_a_conflict(felix, amelie, boreale):
    made = plan(felix, boreale, road.Row(amelie.pk, {"first_name": "Amelia"}))
    road.apply(plan(felix, boreale, road.Row(amelie.pk, {"mobile": "514 555-0142"})), FACTS)
    assert road.commit(made, FACTS).outcome is Outcome.CONFLICT


@pytest.mark.parametrize(
    ("who", "outcome"), [("amelie", Outcome.SAVED), ("felix", Outcome.REFUSED)], ids=["allowed", "oneself"]
)
def test_a_removal_says_how_it_ended_too(felix, amelie, boreale, who, outcome):
    going = {"amelie": amelie, "felix": felix}[who]
    removal = road.plan_removal(felix, boreale, user_sheet(), [going.pk])
    assert road.commit_removal(removal, FACTS) is outcome
    assert bool(removal.refusals) is (outcome is Outcome.REFUSED)
    assert User.objects.filter(pk=going.pk).exists() is (outcome is Outcome.REFUSED)


def test_who_was_refused_because_of_another_row_may_go_when_that_one_is_left_out(felix, boreale):
    new = {"last_name": "Roy", "role": "users", "primary_department": "Accueil", "number": "140"}
    made = plan(
        felix, boreale, road.Row(None, new | {"first_name": "A"}), road.Row(None, new | {"first_name": "B"})
    )
    assert len(made.refused) == 2
    left = made.without(made.rows[:1])
    assert [row.outcome for row in left.rows] == ["new"]
    assert len(made.refused) == 2, "the plan that it was made from stays as it was"


def test_who_depends_on_a_row_that_is_left_out_is_refused_with_it(felix, amelie, ines, boreale):
    line = boreale.dids.first()
    road.apply(plan(felix, boreale, road.Row(amelie.pk, {"dids": [line.pk]})), FACTS)
    made = plan(
        felix,
        boreale,
        # She gives the number up, and he takes it; but what else she is to become can't be.
        road.Row(amelie.pk, {"dids": [], "email": "no address"}),
        road.Row(ines.pk, {"dids": [line.pk]}),
        road.Row(felix.pk, {"mobile": "514 555-0142"}),
    )
    assert [row.outcome for row in made.rows] == ["refused", "changed", "changed"]
    left = made.without_refused()
    assert [row.key for row in left.rows] == [felix.pk]
    assert road.commit(left, FACTS).outcome is Outcome.SAVED


def test_a_version_that_a_row_was_planned_with_is_not_forgotten_when_others_are_left_out(
    felix, amelie, ines, boreale
):
    made = plan(
        felix,
        boreale,
        road.Row(amelie.pk, {"first_name": "Amelia"}, seen=amelie.version - 1),
        road.Row(ines.pk, {"email": "no address"}),
    )
    assert made.without(made.rows[1:]).rows[0].stale
