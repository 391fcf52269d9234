"""Actions that give many people values: departments, DID numbers in a row, a second factor no longer required, a status."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from signin.tests.signing import sign_in_fully
from users.models import Change, Department, Did, Operation, User
from users.tests.factories import details, make_user, make_users

pytestmark = [pytest.mark.django_db, pytest.mark.slow("pages and previews over many people")]


@pytest.fixture
def people(boreale):
    return make_users(boreale, *(details(f"15{place}", "Personne", f"Numéro {place}") for place in (2, 0, 1)))


def post(client, action, people, **more):
    return client.post(
        reverse(f"chosen_{action}", args=["boreale"]), {"chosen": [each.pk for each in people]} | more
    )


def confirmed(client, action, people, **more):
    return post(client, action, people, **{"confirmed": "1", "expected": str(len(people))} | more)


def operations():
    return Operation.objects.filter(source="portal").count()


# --- Departments --------------------------------------------------------------------------------------------------
@pytest.fixture
def soins(boreale, ines):
    return Department.objects.get(customer=boreale, name="Soins")


def primary(people):
    return {User.objects.get(pk=each.pk).primary_department.name for each in people}


@pytest.mark.parametrize(("stay", "left"), [("", {"Soins"}), ("1", {"Accueil", "Soins"})])
def test_many_change_their_department_and_leave_the_former_one_unless_they_are_to_stay(
    client, felix, people, soins, stay, left
):
    sign_in_fully(client, felix)
    sent = {"department": str(soins.pk)} | ({"stay": "1"} if stay else {})
    assert confirmed(client, "move", people, **sent).status_code == 302
    assert primary(people) == {"Soins"}
    names = Department.objects.filter(memberships__user=people[0]).values_list("name", flat=True)
    assert set(names) == left
    assert Operation.objects.latest("pk").changes.count() == 3


def test_the_same_move_again_writes_nothing(client, felix, people, soins):
    sign_in_fully(client, felix)
    for _again in range(2):
        confirmed(client, "move", people, department=str(soins.pk))
    assert operations() == 1


@pytest.mark.parametrize("department", ["", "0", "x", "9" * 30, "soins"])
def test_no_department_moves_nobody(client, felix, people, department):
    assert confirmed(sign_in_fully(client, felix), "move", people, department=department).status_code == 422
    assert primary(people) == {"Accueil"}


def test_nobody_is_moved_into_another_customers_department(client, felix, people, laurier):
    theirs = Department.objects.create(customer=laurier, name="Ailleurs")
    assert (
        confirmed(sign_in_fully(client, felix), "move", people, department=str(theirs.pk)).status_code == 422
    )


def test_whoever_has_some_departments_moves_nobody_out_of_anothers(client, ines, people, soins):
    answer = confirmed(sign_in_fully(client, ines), "move", people, department=str(soins.pk))
    assert answer.status_code == 409
    assert primary(people) == {"Accueil"}


# --- Numbers in a row ---------------------------------------------------------------------------------------------
@pytest.fixture
def numbers(boreale):
    return [Did.objects.create(customer=boreale, number=f"+1514555020{last}") for last in range(6)]


def ringing(people):
    return [
        list(Did.objects.filter(user=each).values_list("number", flat=True))
        for each in sorted(people, key=lambda each: each.number)
    ]


def test_numbers_in_a_row_go_to_the_chosen_in_the_order_of_their_extensions(
    client, felix, people, numbers, amelie
):
    Did.objects.filter(pk=numbers[1].pk).update(user=amelie)
    sign_in_fully(client, felix)
    shown = post(client, "numbers", people, **{"from": "514 555-0200", "to": ""})
    text = shown.content.decode()
    assert text.index("514 555-0200</strong>") < text.index("514 555-0202</strong>")
    assert "514 555-0201</strong>" not in text  # rings somebody else
    assert ringing(people) == [[], [], []]
    asked = {"from": "514 555-0200", "to": "", "seen": "+15145550200-"}
    assert confirmed(client, "numbers", people, **asked).status_code == 302
    assert ringing(people) == [["+15145550200"], ["+15145550202"], ["+15145550203"]]
    assert Operation.objects.latest("pk").changes.count() == 3


def test_what_wasnt_looked_at_isnt_assigned(client, felix, people, numbers):
    sign_in_fully(client, felix)
    asked = {"from": "514 555-0201", "to": "", "seen": "+15145550200-"}
    assert confirmed(client, "numbers", people, **asked).status_code == 422
    assert ringing(people) == [[], [], []]


def test_too_few_numbers_are_told_and_given_to_nobody(client, felix, people, numbers):
    sign_in_fully(client, felix)
    asked = {"from": "514 555-0204", "to": "514 555-0205", "seen": "+15145550204-+15145550205"}
    answer = confirmed(client, "numbers", people, **asked)
    assert (answer.status_code, ringing(people)) == (422, [[], [], []])
    assert "resterait sans numéro" in answer.content.decode()


def test_numbers_that_were_given_are_not_given_again(client, felix, people, numbers):
    sign_in_fully(client, felix)
    asked = {"from": "514 555-0200", "to": "", "seen": "+15145550200-"}
    confirmed(client, "numbers", people, **asked)
    confirmed(client, "numbers", people, **asked)
    assert operations() == 1
    assert Did.objects.filter(user__in=people).count() == 3


@pytest.mark.parametrize("typed", ["", "abc", "9" * 50, "\0", "911"])
def test_no_number_is_told_and_breaks_nothing(client, felix, people, numbers, typed):
    answer = confirmed(sign_in_fully(client, felix), "numbers", people, **{"from": typed, "to": typed})
    assert (answer.status_code, ringing(people)) == (422, [[], [], []])


def test_another_customers_numbers_are_given_to_nobody(client, felix, people, laurier):
    Did.objects.create(customer=laurier, number="+15145550200")
    asked = {"from": "514 555-0200", "to": "", "seen": "+15145550200-"}
    assert confirmed(sign_in_fully(client, felix), "numbers", people, **asked).status_code == 422
    assert not Did.objects.filter(customer=laurier).exclude(user=None).exists()


def test_whoever_has_some_departments_gives_no_number_of_the_companys(client, ines, people, numbers, soins):
    User.objects.filter(pk=people[0].pk).update(primary_department=soins)
    asked = {"from": "514 555-0200", "to": "", "seen": "+15145550200-", "without": "1"}
    answer = confirmed(sign_in_fully(client, ines), "numbers", people[:1], **asked)
    assert (answer.status_code, ringing(people[:1])) == (409, [[]])


# --- The second factor --------------------------------------------------------------------------------------------
def test_a_second_factor_is_no_longer_required_of_many(client, felix, people):
    User.objects.filter(pk__in=[each.pk for each in people[:2]]).update(require_2fa=True)
    sign_in_fully(client, felix)
    assert confirmed(client, "no_second_factor", people).status_code == 302
    assert not User.objects.filter(pk__in=[each.pk for each in people], require_2fa=True).exists()
    assert Operation.objects.latest("pk").changes.count() == 2


def test_nobody_who_is_restricted_lifts_it_for_themselves_among_many(client, ines, people, soins):
    User.objects.filter(pk__in=[ines.pk, people[0].pk]).update(require_2fa=True, primary_department=soins)
    chosen = [ines, people[0]]
    sign_in_fully(client, User.objects.get(pk=ines.pk))
    page = post(client, "no_second_factor", chosen).content.decode()
    assert "Inès Roy" in page.split('id="refused-title"')[1].split("</section>")[0]
    assert confirmed(client, "no_second_factor", chosen).status_code == 409
    assert User.objects.get(pk=people[0].pk).require_2fa
    assert confirmed(client, "no_second_factor", chosen, expected="1", without="1").status_code == 302
    assert User.objects.get(pk=ines.pk).require_2fa


# --- The status ---------------------------------------------------------------------------------------------------
def test_many_get_another_status_until_a_time(client, felix, people):
    sign_in_fully(client, felix)
    answer = confirmed(client, "change_status", people, status="lunch", status_until="23:59")
    assert answer.status_code == 302
    found = User.objects.filter(pk__in=[each.pk for each in people])
    assert {(each.status, each.status_after, each.status_until is None) for each in found} == {
        ("lunch", "available", False)
    }
    assert Change.objects.filter(operation=Operation.objects.latest("pk")).count() == 3


@pytest.mark.parametrize(
    "sent", [{}, {"status": "x"}, {"status": "lunch", "status_until": "25:99"}, {"status": "lunch x"}]
)
def test_no_status_is_told(client, felix, people, sent):
    assert confirmed(sign_in_fully(client, felix), "change_status", people, **sent).status_code == 422
    assert not User.objects.filter(status="lunch").exists()


# --- For all of them ----------------------------------------------------------------------------------------------
ALL = [
    "move",
    "numbers",
    "no_second_factor",
    "change_status",
    "give_greeting",
    "reprovision",
    "restart",
    "second_factor",
    "welcome",
]


@pytest.mark.parametrize("action", ALL)
def test_the_page_of_an_action_costs_as_many_queries_for_many_as_for_few(
    client, felix, people, boreale, numbers, django_assert_max_num_queries, action
):
    more = make_users(boreale, *(details(f"4{place + 20}", "De", f"Plus {place}") for place in range(20)))
    sign_in_fully(client, felix)
    department = str(people[0].primary_department_id)
    sent = {"from": "514 555-0200", "status": "away", "department": department}
    post(client, action, people, **sent)
    with CaptureQueriesContext(
        connection,
    ) as few:
        post(client, action, people, **sent)
    with django_assert_max_num_queries(len(few)):
        post(client, action, more, **sent)


@pytest.mark.parametrize("action", ALL)
def test_twice_the_same_name_and_other_peoples_keys_are_one_and_nobody(
    client, felix, people, laurier, numbers, action
):
    stranger = make_user(laurier, "201", "Rosalie", "Beaulieu", email="r@laurier.example")
    page = post(sign_in_fully(client, felix), action, [people[0], people[0], stranger]).content.decode()
    assert "Rosalie" not in page
    assert "1 utilisateur n’existe plus" in page
