"""What a file has read already isn't read again by the plan, and what a plan knows of new records takes no room of its own."""

import pytest

from pbxadmin.common import many
from pbxadmin.common.columns import Column, Pending, Scope
from users import road
from users.models import User
from users.people.sections import user_sheet
from users.tests.factories import FACTS, make_customer, make_staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def scope():
    """Somebody of the provider's support in a customer with room."""
    return Scope(make_staff(), make_customer("clinique", name="Clinique", included_extensions=50))


@pytest.fixture
def read(monkeypatch):
    """The names of the columns that are read, one for each reading."""
    found = []
    clean = Column.clean
    monkeypatch.setattr(
        Column, "clean", lambda column, raw, scope: found.append(column.name) or clean(column, raw, scope)
    )
    return found


def planned(scope, values, cleaned=(), **row):
    """A plan of one new person."""
    said = {"number": "101", "first_name": "Amélie", "primary_department": "Accueil"} | values
    rows = [road.Row(None, said, **row)]
    return road.plan(scope.actor, scope.customer, user_sheet(), rows, scope=scope, cleaned=cleaned)


def test_what_is_clean_is_taken_as_it_is(scope, read):
    made = planned(scope, {"last_name": "Roy", "mobile": "+15145550100"}, cleaned={"last_name", "mobile"})
    assert "first_name" in read
    assert not {"last_name", "mobile"} & set(read)
    road.apply(made, FACTS)
    person = User.objects.get(number="101")
    assert (person.last_name, person.mobile) == ("Roy", "+15145550100")


def test_a_reference_is_asked_for_again_whoever_says_that_it_is_clean(scope):
    assert "role" in planned(scope, {"role": "emperors"}, cleaned={"role"}).rows[0].errors
    keys = [{"position": 2, "kind": "blf", "target": Pending()}]  # of nobody
    assert "keys" in planned(scope, {"keys": keys}, cleaned={"keys"}).rows[0].errors


def test_a_problem_of_a_clean_column_stays_one(scope):
    problems = {"last_name": ["Something is wrong with it."]}
    made = planned(scope, {"last_name": "Roy"}, cleaned={"last_name"}, problems=problems)
    assert made.rows[0].sentences == problems["last_name"]


def test_rules_are_asked_about_clean_values_too(scope):
    """The number is of the right kind and has another length than the customer's."""
    made = planned(scope, {"number": "12345"}, cleaned={"number"})
    assert [reason.code for reason in made.rows[0].errors["number"]] == ["number_length"]


def test_what_is_left_out_leaves_clean_values_clean(scope, read):
    rows = [
        road.Row(None, {"number": number, "last_name": "Roy", "primary_department": "Accueil"})
        for number in ("101", "12345")
    ]
    made = road.plan(
        scope.actor, scope.customer, user_sheet(), rows, scope=scope, cleaned={"last_name"}
    ).without_refused()
    assert len(made.rows) == 1
    assert "last_name" not in read


def test_the_changes_of_somebody_new_are_all_that_they_will_have(scope):
    row = planned(scope, {"last_name": "Roy"}).rows[0]
    assert row.changes == {name: (None, value) for name, value in row.after.items()}
    assert row.changes["last_name"] == (None, "Roy")
    assert row.changes.get("sip_id", "nothing") == "nothing"
    assert {"last_name"} & row.changes.keys()
    row.put("last_name", "Côté")
    assert row.changes["last_name"] == (None, "Côté")
    row.leave("last_name")
    assert "last_name" not in row.changes
    assert len(row.changes) == len(row.after)


def test_records_of_many_are_those_that_django_makes(scope, django_assert_num_queries):
    road.apply(planned(scope, {"last_name": "Roy", "email": "amelie@clinique.example"}), FACTS)
    for people in (
        User.objects.order_by("pk"),
        User.objects.order_by("pk").defer("password", "sip_password"),
        User.objects.order_by("pk").only("number", "customer"),
    ):
        made = many.records(people)
        assert made == list(people)
        for record, same in zip(made, people, strict=True):
            assert record.get_deferred_fields() == same.get_deferred_fields()
            assert {name: value for name, value in record.__dict__.items() if name != "_state"} == {
                name: value for name, value in same.__dict__.items() if name != "_state"
            }
            assert (record._state.adding, record._state.db) == (False, same._state.db)
    with django_assert_num_queries(2):  # what was deferred is read when it is asked for
        assert many.records(User.objects.filter(number="101").only("number"))[0].last_name == "Roy"


def test_what_is_computed_is_computed_anew_where_the_row_has_something_else(scope):
    road.apply(planned(scope, {"last_name": "Roy"}), FACTS)
    User.objects.filter(number="101").update(search_text="something old", sort_name="old")
    person = User.objects.get(number="101")
    row = road.Row(person.pk, {"last_name": "Côté"})
    road.apply(road.plan(scope.actor, scope.customer, user_sheet(), [row]), FACTS)
    person.refresh_from_db()
    assert (person.search_text, person.sort_name) == ("amelie cote 101", "cote amelie")
