"""French names are found, sorted and written as people do: accents, apostrophes, ligatures, and signs that nobody sees."""

import re
from html import unescape

import pytest
from django.urls import reverse

from signin.tests.signing import sign_in_fully
from users import road
from users.company.sheets import department_sheet
from users.company.views.company import DEPARTMENTS
from users.models import Department
from users.people.sections import user_sheet
from users.people.sections.talk import suggested_name
from users.tests.factories import details, make_user, make_users

pytestmark = [
    pytest.mark.both_databases("searches and orders are the database's"),
    pytest.mark.slow("draws the list of users again and again"),
]

PEOPLE = [
    ("201", "Réjean", "Lebœuf"),
    ("202", "Zoé", "D’Amours"),
    ("203", "Ève", "L'Écuyer"),
    ("204", "Jean-Luc", "Leblanc"),
]
ORDER = ["D’Amours", "Leblanc", "Lebœuf", "L'Écuyer"]


@pytest.fixture
def people(boreale):
    return make_users(boreale, *(details(*names) for names in PEOPLE))


@pytest.fixture
def owner(client, felix):
    sign_in_fully(client, felix)
    return client


def shown(page: str, names: list[str]) -> list[str]:
    """The names that stand on a page, in their order."""
    text = unescape(page)
    return sorted((name for name in names if name in text), key=text.index)


@pytest.mark.parametrize(("sought", "name"), [
    ("d'amours", "D’Amours"), ("d’amours", "D’Amours"), ("damours", "D’Amours"), ("D AMOURS", "D’Amours"), ("D\u02bcAmours", "D’Amours"),
    ("leboeuf", "Lebœuf"), ("LEBŒUF", "Lebœuf"), ("lebœuf rejean", "Lebœuf"), ("lecuyer", "L'Écuyer"), ("l’ecuyer", "L'Écuyer"),
    ("eve", "L'Écuyer"), ("jean luc", "Leblanc"), ("jean\u2011luc", "Leblanc"), ("Leb\u00adlanc", "Leblanc"), ("jean\u00a0luc\u200b", "Leblanc"),
    ("２０４", "Leblanc"),
])  # fmt: skip
def test_somebody_is_found_however_their_name_is_typed(owner, people, sought, name):
    found = owner.get("/c/boreale/users/", {"q": sought}).content.decode()
    assert shown(found, ORDER) == [name]
    offered = owner.get(reverse("destination_search", args=["boreale"]), {"q": sought}).content.decode()
    assert shown(offered, ORDER) == [name]


def test_people_stand_where_their_letters_put_them(owner, people):
    assert shown(owner.get("/c/boreale/users/").content.decode(), ORDER) == ORDER
    assert shown(owner.get("/c/boreale/users/?sort=-name").content.decode(), ORDER) == ORDER[::-1]


def test_departments_are_sorted_and_found_as_people_do(owner, boreale):
    for name in ("École", "Œuvres", "administration", "L’Assomption"):
        Department.objects.create(customer=boreale, name=name)
    order = ["Accueil", "administration", "École", "L’Assomption", "Œuvres", "Soins"]
    assert [each.name for each in Department.objects.of(boreale)] == order
    for sought, name in (
        ("ecole", "École"),
        ("oeuvres", "Œuvres"),
        ("l'assomption", "L’Assomption"),
        ("ADMIN", "administration"),
    ):
        page = owner.get(DEPARTMENTS.list_url(boreale), {"q": sought}).content.decode()
        rows = re.search(r"<tbody.*?</tbody>", page, re.DOTALL)
        assert rows
        assert shown(rows[0], order) == [name], sought


def test_the_list_of_people_is_sorted_by_department_as_people_do(owner, boreale):
    for place, name in enumerate(("École", "administration", "Œuvres")):
        Department.objects.create(customer=boreale, name=name)
        make_user(boreale, f"22{place}", f"Personne{place}", "Roy", department=name)
    page = owner.get("/c/boreale/users/?sort=department").content.decode()
    assert shown(page, ["Personne0", "Personne1", "Personne2"]) == ["Personne1", "Personne0", "Personne2"]


def test_the_history_is_searched_as_the_lists_are(owner, people):
    for sought in ("leboeuf", "LEBŒUF rejean", "d'amours"):
        page = owner.get(reverse("history", args=["boreale"]), {"q": sought}).content.decode()
        assert "Lebœuf" in page or "D’Amours" in page, sought


def test_two_departments_that_read_the_same_are_one_too_many(felix, boreale):
    for name in ("L’Œuvre", "L'Oeuvre", "l\u02bcœuvre"):
        row = road.plan(felix, boreale, department_sheet(), [road.Row(None, {"name": name})]).rows[0]
        if name == "L’Œuvre":
            assert not row.errors
            Department.objects.create(customer=boreale, name=name)
        else:
            assert "name" in row.errors, name


def test_signs_that_nobody_sees_are_not_kept(felix, boreale, amelie):
    raw = {
        "first_name": "\ufeffAmé\u00adlie\u200b",
        "last_name": "Côté\u2011Roy\u00a0",
        "email": "amelie\u200b@clinique.example.com\u200e",
    }
    row = road.plan(felix, boreale, user_sheet(), [road.Row(amelie.pk, raw)]).rows[0]
    assert {name: new for name, (_old, new) in row.changes.items()} == {
        "last_name": "Côté-Roy",
        "email": "amelie@clinique.example.com",
    }


def test_a_name_in_a_file_is_the_one_that_is_written_so_before_one_that_reads_alike(felix, boreale):
    column = user_sheet().columns["primary_department"]
    scope = road.plan(felix, boreale, user_sheet(), []).scope
    one, two = (Department.objects.create(customer=boreale, name=name) for name in ("Été", "Ete"))
    assert [column.from_cell(name, scope) for name in ("Été", "Ete")] == [one.pk, two.pk]


def test_the_proposed_talk_name_keeps_the_letters_of_a_ligature():
    assert suggested_name("Réjean", "Lebœuf", "201") == "rejeanleboeuf"
    assert suggested_name("Zoé", "D’Amours", "202") == "zoedamours"
    assert suggested_name("Jean‑Luc", "Saint-Laurent", "203") == "jeanlucsaintlaurent"
    assert suggested_name("", "", "204") == "204"


def test_the_support_desk_searches_as_the_portal_does(client, staff, people):
    sign_in_fully(client, staff)
    for sought, name in (
        ("d'amours", "D’Amours"),
        ("Lebœuf", "Lebœuf"),
        ("leboeuf Clinique Boreale", "Lebœuf"),
    ):
        page = client.get(reverse("admin:users_user_changelist"), {"q": sought}).content.decode()
        assert shown(page, ORDER) == [name], sought
