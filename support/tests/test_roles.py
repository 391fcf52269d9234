"""A change of a role says whom it touches before it is written, leaves no customer without help, and is taken back."""

import pytest
from django.urls import reverse

from signin.tests.signing import sign_in_fully
from support.tests.test_admin import filled, page
from users import road
from users.company import roles
from users.models import Change, Operation, Role, User
from users.road.undo import NotUndoableError
from users.tests.factories import FACTS, details, make_staff, make_user, make_users

pytestmark = pytest.mark.slow("opens the pages of the roles")


@pytest.fixture
def staff(db):
    """Somebody who leads the support: roles are theirs to change."""
    return make_staff("chef@tic.example", staff_level="manager")


@pytest.fixture
def desk(client, staff):
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return sign_in_fully(client, staff)


@pytest.fixture
def managers(boreale, laurier):
    """Two at Boréale, one at Laurier."""
    return [
        *make_users(
            boreale,
            details("180", "Marie", "Roy", role="managers"),
            details("181", "Paul", "Côté", role="managers"),
        ),
        make_user(laurier, "180", "Luc", "Huot", role="managers"),
    ]


def change(desk, key, **values):
    """The form of a role as it stands, with some answers changed, sent."""
    return desk.post(
        page("users_role", "change", key), filled(desk, page("users_role", "change", key), **values)
    )


def confirm(desk, url, asked, **typed):
    """What the page that asks sends back."""
    hidden = dict(asked.context["sent"]) | {"_shown": asked.context["shown"]}
    return desk.post(url, hidden | typed)


def role(key="managers"):
    return Role.objects.get(pk=key)


def test_a_change_of_rights_says_first_whom_it_touches_and_what_they_lose(desk, managers):
    asked = change(desk, "managers", outbound_rules="on", intercom=None)
    text = asked.content.decode()
    assert not role().outbound_rules, "nothing is written yet"
    assert "3 people have this role" in text
    assert "at 2 customers" in text
    for person in managers:
        assert reverse("user_tab", args=[person.customer.slug, person.number, "general"]) in text
    assert list(map(str, asked.context["touched"].losses)) == ["Intercom"]
    assert list(map(str, asked.context["touched"].gains)) == ["Outbound rules"]
    url = page("users_role", "change", "managers")
    assert confirm(desk, url, asked, why="Billet 12").status_code == 302
    assert (role().outbound_rules, role().intercom) == (True, False)
    assert Operation.objects.get(changes__model="users.role").note == "Billet 12"


def test_where_somebody_stops_administering_their_number_is_typed(desk, managers):
    url = page("users_role", "change", "managers")
    asked = change(desk, "managers", administer_users=None)
    assert "They no longer administer" in asked.content.decode()
    assert confirm(desk, url, asked, _count="2").status_code == 422
    assert role().administer_users
    assert confirm(desk, url, asked, _count="3").status_code == 302
    assert not role().administer_users


def test_whoever_came_to_the_role_meanwhile_is_shown_before_it_is_written(desk, managers, boreale):
    asked = change(desk, "managers", outbound_rules="on")
    make_user(boreale, "182", "Nora", "Roy", role="managers")
    again = confirm(desk, page("users_role", "change", "managers"), asked)
    assert again.status_code == 422
    assert "Something changed since" in again.content.decode()
    assert not role().outbound_rules


@pytest.mark.parametrize("values", [{"name_en": "Team lead"}, {"outbound_rules": "on"}])
def test_what_touches_nobody_is_written_at_once(desk, boreale, values):
    if "name_en" in values:
        make_user(boreale, "180", role="managers")
    assert change(desk, "managers", **values).status_code == 302


def test_no_customer_is_left_without_anybody_who_administers_it(desk, boreale, laurier, felix):
    make_user(boreale, "180", role="system_admins")
    assert change(desk, "system_admins", whole_customer=None).status_code == 200, "Félix is still there"
    make_user(laurier, "201", role="system_admins")
    refused = change(desk, "system_admins", whole_customer=None)
    assert refused.status_code == 422
    text = refused.content.decode()
    assert "Librairie Laurier" in text
    assert "Clinique Boréale" not in text.partition("errorlist")[2].partition("</ul>")[0]
    User.objects.filter(pk=felix.pk).update(disabled=True)
    assert change(desk, "system_admins", administer_users=None).status_code == 422


def test_two_customers_lose_nobody_where_the_rule_is_asked_again_under_the_lock(staff, laurier):
    made = roles.plan(staff, role("system_admins"), {"whole_customer": ""})
    make_user(laurier, "201", role="system_admins")
    assert roles.commit(made, FACTS).outcome is road.Outcome.REFUSED
    assert role("system_admins").whole_customer


# --- History and back ---------------------------------------------------------------------------------------------
def made(staff, key="managers", **values):
    return roles.commit(roles.plan(staff, role(key), values), FACTS).operation


def test_the_history_of_a_role_has_its_changes_and_no_other(desk, staff):
    made(staff, outbound_rules="on")
    made(staff, "receptionists", outbound_rules="on")
    address = desk.get(page("users_role", "history", "managers")).url
    told = list(desk.get(address).context["page"].object_list)
    assert [row.name for each in told for row in each.rows] == [str(role())]
    assert Change.objects.filter(object_pk=0).count() == 0


def test_a_change_of_a_role_is_taken_back_from_the_roles_own_page(desk, staff, managers):
    operation = made(staff, intercom="", level="35")
    url = reverse("admin:role_undo", args=[operation.pk])
    assert url in desk.get(page("users_role", "change", "managers")).content.decode()
    asked = desk.get(url)
    assert "3 people have this role" in asked.content.decode()
    assert not role().intercom
    assert confirm(desk, url, asked).status_code == 302
    assert (role().intercom, role().level) == (True, 30)
    assert Operation.objects.latest("pk").undoes == operation
    assert url not in desk.get(page("users_role", "change", "managers")).content.decode()
    assert desk.get(url).status_code == 409
    assert desk.post(url).status_code == 409


def test_what_was_decided_anew_since_is_not_taken_back(desk, staff):
    first = made(staff, level="35")
    made(staff, level="36")
    url = reverse("admin:role_undo", args=[first.pk])
    for answer in (desk.get(url), desk.post(url, {"_shown": "x"})):
        assert answer.status_code == 422
        assert "It was changed again since: it is now “36”." in answer.content.decode()
    assert role().level == 36


def test_undoing_is_judged_by_the_rules_of_now(desk, staff, laurier):
    operation = made(staff, whole_customer="on", administer_users="on", key="managers")
    make_user(laurier, "201", role="managers")
    answer = desk.get(reverse("admin:role_undo", args=[operation.pk]))
    assert answer.status_code == 422
    assert "Librairie Laurier" in answer.content.decode()


def test_what_is_no_change_of_a_role_has_no_such_page(desk, amelie, boreale, felix, staff):
    operation = Operation.objects.filter(customer=boreale).first() or road.apply(
        road.plan(staff, boreale, road.sheet_of(User), [road.Row(amelie.pk, {"title": "Dre"})]), FACTS
    )
    assert desk.get(reverse("admin:role_undo", args=[operation.pk])).status_code == 404
    assert desk.get(reverse("admin:role_undo", args=[10**19])).status_code == 404
    with pytest.raises(NotUndoableError):
        roles.plan_undo(staff, operation)
    assert roles.plan_undo(felix, made(staff, level="35")).refused


def test_the_page_that_asks_costs_as_many_queries_for_many_as_for_few(
    desk, managers, boreale, django_assert_max_num_queries
):
    soins = boreale.departments.get(name="Soins")
    User.objects.bulk_create(
        User(
            customer=boreale, number=str(900 + place), first_name="X", last_name=str(place), role_id="managers",
            primary_department=soins, sort_name=str(place), search_text=str(place), email="",
        )
        for place in range(60)
    )  # fmt: skip
    values = filled(desk, page("users_role", "change", "managers"), outbound_rules="on")
    with django_assert_max_num_queries(8):
        asked = desk.post(page("users_role", "change", "managers"), values)
    assert asked.context["touched"].people == 63
    assert asked.context["touched"].more == 43
