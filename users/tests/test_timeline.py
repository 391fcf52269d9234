"""The history as people read it: one entry for one decision, found by name, kind, way in and time, page by page."""

import ast
from html import unescape
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from pbxadmin.common.fields import phone_number_national
from pbxadmin.common.http import RequestFacts
from pbxadmin.tests.packages import PACKAGES
from signin.tests.signing import sign_in_fully
from users import road
from users.company.sheets import department_sheet, did_sheet
from users.history import timeline
from users.models import Department, Operation, SystemExtension, User
from users.people.sections import user_sheet
from users.tests.factories import FACTS, details, make_user, make_users

pytestmark = pytest.mark.slow("opens page after page")

both_databases = pytest.mark.both_databases("the search in the history's JSON")


@pytest.fixture
def people(boreale):
    return make_users(
        boreale,
        *(details(f"15{place}", "Personne", f"Numéro {place}", department="Soins") for place in range(10)),
    )


@pytest.fixture
def owner(felix):
    return sign_in_fully(Client(), felix)


def edit(actor, customer, people, facts=FACTS, **values):
    rows = [road.Row(person.pk, values) for person in people]
    return road.apply(road.plan(actor, customer, user_sheet(), rows), facts)


def history(client, **query):
    return client.get(reverse("history", args=["boreale"]), query).content.decode()


def test_what_one_person_did_at_once_is_one_entry(owner, felix, boreale, people):
    operation = edit(felix, boreale, people, mobile="514 555-0142")
    page = history(owner, q="Numéro 4")
    assert "et 9 autres" in page
    assert page.count("<time") == 2, "the change of all ten, and his creation"
    assert f'href="{reverse("operation", args=["boreale", operation.pk])}"' in page
    whole = owner.get(reverse("operation", args=["boreale", operation.pk])).content.decode()
    assert all(person.last_name in whole for person in people)
    assert whole.count("514 555-0142") == 10


def test_one_entry_is_taken_back_as_one(owner, felix, boreale, people):
    operation = edit(felix, boreale, people, mobile="514 555-0142")
    url = reverse("undo", args=["boreale", operation.pk])
    assert url in history(owner)
    assert owner.post(url).status_code == 302
    assert not User.objects.filter(mobile="+15145550142").exists()
    assert url not in history(owner)


@both_databases
def test_of_an_operation_on_many_a_person_sees_his_own_part(owner, felix, boreale, people):
    edit(felix, boreale, people, mobile="514 555-0142")
    page = owner.get(reverse("user_history", args=["boreale", "153"])).content.decode()
    assert "Numéro 3" in page
    assert "Numéro 4" not in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"kind": "edit"}, True), ({"kind": "delete"}, False), ({"source": "csv"}, True), ({"source": "system"}, False),
        ({"period": "day"}, True), ({"q": "gagnon"}, True), ({"q": "nobody at all"}, False), ({"kind": "<script>"}, False),
        ({"kind": "edit", "page": "-1"}, True),
        ({"q": "a\0b%_'\""}, False), ({"page": "9" * 30}, True),
    ],
)  # fmt: skip
@both_databases
def test_it_is_narrowed_by_what_its_address_says(owner, felix, boreale, people, query, found):
    edit(felix, boreale, people[:1], RequestFacts("csv", "", "test"), mobile="514 555-0142")
    assert ("514 555-0142" in history(owner, **query)) is found


def test_what_the_portal_notes_is_told_in_the_readers_language(owner, felix, boreale, people):
    plan = road.plan(felix, boreale, user_sheet(), [road.Row(people[0].pk, {"status": "away"})])
    road.apply(plan, FACTS, "automatic status")
    page = history(owner)
    assert "automatic status" not in page
    assert "Statut changé par l’horaire" in page


@both_databases
def test_older_entries_are_on_further_pages(owner, felix, boreale, people):
    for turn in range(timeline.PAGE_SIZE + 5):
        edit(felix, boreale, people[:1], first_name=f"Tour {turn}")
    assert "Tour 0" not in history(owner, kind="edit")
    assert "Tour 0" in history(owner, kind="edit", page="2")


def test_a_page_costs_the_same_however_much_one_operation_changed(
    owner, felix, boreale, people, django_assert_max_num_queries
):
    for turn in range(4):
        edit(felix, boreale, people, first_name=f"Tour {turn}")
    history(owner)
    with django_assert_max_num_queries(8):
        history(owner)


def test_an_operation_of_another_customer_does_not_exist(owner, laurier, staff):
    make_user(laurier, "201", "Rosalie", "Beaulieu")
    other = Operation.objects.filter(customer=laurier).latest("pk")
    assert owner.get(reverse("operation", args=["boreale", other.pk])).status_code == 404
    assert owner.get(reverse("operation", args=["laurier", other.pk])).status_code == 404


def test_values_are_told_by_name_and_never_by_key(owner, felix, boreale, people):
    soins = boreale.departments.get(name="Soins")
    SystemExtension.objects.create(customer=boreale, number="180", name="Accueil", kind="ring_group")
    edit(
        felix,
        boreale,
        people[:1],
        visibility=[[soins.pk, None, None, "no", None]],
        keys=[{"position": 1, "kind": "blf", "target": "153"}],
        **{"away.divert_external": "extension:154?voicemail", "lunch.busy_external": "system:180"},
    )
    page = unescape(history(owner, q="Numéro 0", kind="edit"))
    assert "Soins : Appels Non" in page.replace("\u00a0", " ")
    assert "1 BLF 153 Personne Numéro 3" in page
    assert "Numéro d'extension 154 Personne Numéro 4 (Messagerie vocale)" in page
    assert "Extension système 180 Accueil" in page


def test_names_are_in_the_language_of_the_reader_and_outlive_what_they_name(owner, felix, boreale, people):
    extra = Department.objects.create(customer=boreale, name="Radiologie")
    edit(felix, boreale, people[:1], role="receptionists", departments=["Soins", "Radiologie"])
    assert "Réceptionniste" in history(owner, kind="edit")
    edit(felix, boreale, people[:1], departments=["Soins"])
    road.remove(road.plan_removal(felix, boreale, department_sheet(), [extra.pk]), FACTS)
    with translation.override("en"):
        owner.cookies["django_language"] = "en"
        page = history(owner, kind="edit")
    assert "Receptionist" in page
    assert "Réceptionniste" not in page
    assert "Radiologie" in page


def test_names_cost_a_query_for_each_kind_and_not_for_each_value(
    owner, felix, boreale, people, django_assert_max_num_queries
):
    for place in range(1, 9):
        edit(felix, boreale, people[:1], **{"away.divert_external": f"extension:15{place}"})
    history(owner)
    with django_assert_max_num_queries(9):
        history(owner)


@both_databases
def test_an_owner_of_departments_reads_the_history_of_his_people_alone(boreale, felix, amelie, people):
    rosalie = make_user(boreale, "108", "Rosalie", "Côté", role="group_owners", department="Soins")
    operation = edit(felix, boreale, [*people, amelie], mobile="514 555-0142")
    elsewhere = edit(felix, boreale, [amelie], first_name="Mélie")
    client = sign_in_fully(Client(), rosalie)
    page = history(client)
    assert "Numéro 3" in page
    assert "Tremblay" not in page
    whole = client.get(reverse("operation", args=["boreale", operation.pk])).content.decode()
    assert "Numéro 9" in whole
    assert "Tremblay" not in whole
    assert client.get(reverse("operation", args=["boreale", elsewhere.pk])).status_code == 404
    # Taking back what was also done to others isn't theirs.
    assert client.get(reverse("undo", args=["boreale", operation.pk])).status_code == 403


def test_who_has_no_event_log_reads_no_history_of_the_customer(boreale, ines):
    client = sign_in_fully(Client(), ines)
    assert client.get(reverse("history", args=["boreale"])).status_code == 403
    assert reverse("history", args=["boreale"]) not in client.get("/c/boreale/users/").content.decode()


def test_a_number_is_found_in_the_history_however_it_is_written(client, staff, boreale):
    did = boreale.dids.first()
    plan = road.plan(staff, boreale, did_sheet(), [road.Row(did.pk, {"name": "Accueil du soir"})])
    road.apply(plan, FACTS)
    sign_in_fully(client, staff)
    national = phone_number_national(did.number)
    for typed in (national, did.number, did.number[2:], f"1-{national.replace(' ', '-')}"):
        page = client.get(reverse("history", args=["boreale"]), {"q": typed}).content.decode()
        assert national in page, typed


def noted_reasons():
    """What the code notes as the reason of an operation, where that is a text of its own."""
    root = Path(road.__file__).parents[2]
    for app in PACKAGES:
        for module in (root / app).rglob("*.py"):
            if "tests" in module.parts:
                continue
            for call in ast.walk(ast.parse(module.read_text())):
                name = getattr(getattr(call, "func", None), "attr", "") or getattr(
                    getattr(call, "func", None), "id", ""
                )
                if not isinstance(call, ast.Call) or name not in ("commit", "apply", "apply_all"):
                    continue
                given = [*call.args[2:3], *(each.value for each in call.keywords if each.arg == "reason")]
                yield from (each.value for each in given if isinstance(each, ast.Constant) and each.value)


def test_what_the_portal_notes_as_a_reason_is_said_in_the_readers_language():
    found = set(noted_reasons())
    assert {"status dialled on the phone", "automatic status"} <= found
    with translation.override("fr-ca"):
        said = {each: timeline.reason_in_words(Operation(reason=each)) for each in found}
    assert [each for each, words in said.items() if words == each] == []
