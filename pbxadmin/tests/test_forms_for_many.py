"""One form for several records: what they share, what is to be changed, and what may be changed of many at all."""

import pytest
from django.http import QueryDict
from django.utils.translation import override

from pbxadmin.common.columns import Scope
from pbxadmin.common.for_many import VARIOUS, shared
from phones.keys.sections import BLF
from users import road
from users.models import User
from users.people.sections import user_sheet
from users.tests.factories import FACTS, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def both(staff, boreale, amelie, felix):
    """Amélie and Félix, who differ in department, mobile and one rule."""
    rows = [
        road.Row(
            felix.pk,
            {"primary_department": "Soins", "mobile": "514 555-0142", "available.no_answer_seconds": 30},
        ),
    ]
    road.apply(road.plan(staff, boreale, user_sheet(), rows), FACTS)
    return list(User.objects.of(boreale).order_by("number"))


def section(slug):
    return user_sheet().section(slug)


def test_what_records_share_is_their_value_and_what_they_differ_in_is_various(staff, boreale, both):
    scope = Scope(staff, boreale)
    common = shared(section("general").values(both, scope))
    assert common["last_name"] is VARIOUS
    assert common["mobile"] is VARIOUS
    assert common["departments"] is VARIOUS
    assert common["require_2fa"] is False
    assert common["dids"] == ()
    rules = shared(section("forwarding").values(both, scope))
    assert (rules["available.no_answer_seconds"], rules["lunch.no_answer_seconds"]) == (VARIOUS, 20)


def test_one_record_shares_everything_with_itself_and_none_shares_nothing(staff, boreale, both):
    values = section("options").values(both[:1], Scope(staff, boreale))
    assert shared(values) == values[both[0].pk]
    assert shared({}) == {}


@pytest.mark.parametrize("slug", [each.slug for each in user_sheet().sections])
def test_the_values_of_many_cost_as_many_queries_as_those_of_two(
    staff, boreale, both, slug, django_assert_max_num_queries
):
    for number in range(120, 126):
        make_user(boreale, str(number))
    people = list(User.objects.of(boreale))
    stores = {id(column.store) for column in section(slug).columns if hasattr(column, "store")}
    with django_assert_max_num_queries(len(stores)):
        values = section(slug).values(people, Scope(staff, boreale))
    assert values.keys() == {person.pk for person in people}
    names = {column.name for column in section(slug).columns if not column.secret}
    assert all(each.keys() == names for each in values.values())


def test_no_secret_is_read_for_a_form(staff, boreale, both):
    values = section("voicemail").values(both, Scope(staff, boreale))
    assert "voicemail.pin" not in values[both[0].pk]


def many(staff, boreale, both, slug="general", data=None):
    scope = Scope(staff, boreale)
    return section(slug).form(scope, data, initial=shared(section(slug).values(both, scope)), many=True)


def test_a_form_for_many_has_only_what_may_be_changed_of_many(staff, boreale, both):
    names = set(many(staff, boreale, both).fields)
    assert names == {column.name for column in section("general").columns if column.bulk}
    assert "mobile" in names or "role" in names
    assert not names & {"number", "first_name", "last_name", "email", "dids"}
    assert "status" not in many(staff, boreale, both, "forwarding").fields


def test_it_shows_the_common_value_and_marks_where_they_differ(staff, boreale, both):
    form = many(staff, boreale, both)
    assert form["require_2fa"].value() is False
    assert form["primary_department"].value() is None
    assert form.fields["primary_department"].is_various
    assert not form.fields["require_2fa"].is_various
    with override("fr"):
        assert str(VARIOUS) == "Valeurs différentes"


def test_only_what_is_ticked_is_changed_an_unticked_box_of_a_ticked_column_included(staff, boreale, both):
    data = QueryDict(
        "_change=require_2fa&_change=role&role=receptionists&primary_department=1&outbound_caller_id=x"
    )
    form = many(staff, boreale, both, data=data)
    assert form.ticked == {"require_2fa", "role"}
    assert form.raw() == {"require_2fa": False, "role": "receptionists"}
    assert form.fields["role"].is_ticked
    assert not form.fields["primary_department"].is_ticked
    assert form.raw(only=["role"]) == {"role": "receptionists"}


def test_nothing_ticked_changes_nothing(staff, boreale, both):
    assert many(staff, boreale, both, data=QueryDict("role=users&require_2fa=on")).raw() == {}


def test_what_is_not_in_the_form_cannot_be_ticked_into_it(staff, boreale, both):
    data = QueryDict("_change=number&_change=first_name&_change=nothing&first_name=X")
    assert many(staff, boreale, both, data=data).raw() == {}


def test_what_is_locked_for_all_of_them_stays_out(staff, boreale, both):
    """The recording controls can't be turned off without the licence."""
    data = QueryDict("_change=recordings_controllable&_change=hidden&hidden=on")
    form = many(staff, boreale, both, "options", data)
    assert "recordings_controllable" in form.locked
    assert form.raw() == {"hidden": True}


def test_what_they_differ_in_is_not_locked_for_those_who_may_change_it(staff, boreale, both):
    User.objects.filter(pk=both[0].pk).update(recordings_controllable=False)
    people = list(User.objects.of(boreale))
    assert "recordings_controllable" not in many(staff, boreale, people, "options").locked


def test_the_forms_values_are_planned_for_each_of_them(staff, boreale, both):
    form = many(staff, boreale, both, data=QueryDict("_change=role&role=receptionists"))
    rows = [road.Row(person.pk, form.raw()) for person in both]
    plan = road.plan(staff, boreale, user_sheet(), rows)
    assert plan.rows[0].outcome == "unchanged"


def test_a_form_of_one_record_is_what_it_was(staff, boreale, both):
    form = section("general").form(Scope(staff, boreale), QueryDict("first_name=Zoé"))
    assert form.raw()["first_name"] == "Zoé"
    assert form.raw()["require_2fa"] is False
    assert BLF.values(both, Scope(staff, boreale))[both[0].pk] == {"keys": ()}
