"""Talk links of departments, queues and ring groups: the same page and the same care as a person's, and several people are told."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from signin.tests.signing import sign_in_fully
from talk import visits
from talk.models import Visitor
from users import road
from users.company.sheets import department_sheet, system_extension_sheet
from users.mail import letters
from users.models import Customer, Department, Letter, SystemExtension, User
from users.people.sections import user_sheet
from users.tests.factories import FACTS, PASSWORD, make_user

pytestmark = pytest.mark.slow("visits until it is refused")

SOINS, FILE = "/talk/boreale/soins", "/talk/boreale/file"
HOST = {"HTTP_HOST": "boreale.example.com"}
VISITOR = {"name": "Jean Visiteur", "email": "jean@ailleurs.example", "number": "514 555-0199"}


def write(sheet, customer, key, **values):
    actor = User(is_staff=True, staff_level="technician", role_id="users")
    plan = road.plan(actor, customer, sheet(), [road.Row(key, values)])
    assert not plan.refused, plan.rows[0].errors
    road.apply(plan, FACTS)
    return plan.rows[0].record


@pytest.fixture
def people(boreale):
    """Soins: a receptionist whose department it is, another who only is a member of it, and two more; with addresses."""
    wanted = [
        ("111", "Zoé", "receptionists", "Soins", ["Soins"]),
        ("112", "Mathis", "receptionists", "Accueil", ["Accueil", "Soins"]),
        ("113", "Chloé", "users", "Soins", ["Soins"]),
        ("114", "Édouard", "users", "Accueil", ["Accueil", "Soins"]),
    ]
    return {
        number: make_user(
            boreale,
            number,
            first_name,
            "Lavoie",
            role=role,
            department=department,
            departments=departments,
            email=f"{number}@boreale.example",
        )
        for number, first_name, role, department, departments in wanted
    }


@pytest.fixture
def soins(boreale, people):
    """The department with its link."""
    key = Department.objects.get(customer=boreale, name="Soins").pk
    write(department_sheet, boreale, key, talk_name="soins", outbound_caller_id="514 555-0110")
    return Department.objects.get(pk=key)


@pytest.fixture
def queue(boreale, people):
    """A queue with its link and two members."""
    members = [people["111"].pk, people["113"].pk]
    return write(
        system_extension_sheet,
        boreale,
        None,
        number="181",
        name="File Soins",
        kind="queue",
        talk_name="file",
        members=members,
    )


def told() -> set[str]:
    """The extensions whose people are sent a mail now."""
    letters.send_due()
    return {letter.to[0].partition("@")[0] for letter in mail.outbox}


# --- Whom a request reaches ---------------------------------------------------------------------------------------
def test_a_request_to_a_department_reaches_its_own_receptionists(client, soins):
    page = client.get(SOINS).content.decode()
    assert "Soins" in page
    assert "514 555-0110" in page
    assert client.post(SOINS, VISITOR, follow=True).status_code == 200
    assert told() == {"111"}
    (letter,) = mail.outbox
    for text in (letter.body, letter.alternatives[0][0]):
        assert "Jean Visiteur" in text
        assert "jean@ailleurs.example" in text
        assert "«\xa0Soins\xa0»" in text
    assert "Soins" not in letter.subject


def test_without_receptionists_of_its_own_it_reaches_those_who_are_members_and_else_everybody(
    client, boreale, soins, people
):
    User.objects.filter(number="111").update(role_id="users")
    client.post(SOINS, VISITOR)
    assert told() == {"112"}
    User.objects.filter(number="112").update(disabled=True)
    mail.outbox.clear()
    client.post(SOINS, VISITOR)
    assert told() == {"111", "113", "114"}


def test_who_has_no_address_takes_no_requests(client, soins, people):
    User.objects.filter(number="111").update(email="")
    client.post(SOINS, VISITOR)
    assert told() == {"112"}


@pytest.mark.parametrize("kind", ["queue", "ring_group"])
def test_a_request_to_a_queue_or_a_ring_group_reaches_every_member(client, queue, kind):
    SystemExtension.objects.update(kind=kind)
    assert "File Soins" in client.get(FILE).content.decode()
    client.post(FILE, VISITOR)
    assert told() == {"111", "113"}


def test_each_mail_is_in_the_language_of_its_reader(client, boreale, queue, people):
    english = Department.objects.create(customer=boreale, name="Sales", language="en")
    User.objects.filter(number="113").update(primary_department=english)
    client.post(FILE, VISITOR)
    told()
    words = {letter.to[0]: letter.body.split()[0] for letter in mail.outbox}
    assert words == {"111@boreale.example": "Bonjour", "113@boreale.example": "Hello"}


def test_no_place_has_so_many_people_that_its_link_becomes_a_flood(client, queue, monkeypatch):
    monkeypatch.setattr("users.company.takers.MOST_TOLD", 1)
    client.post(FILE, VISITOR)
    assert Letter.objects.count() == 1


def test_those_who_were_told_see_the_request_on_their_page_and_nobody_else_does(
    client, boreale, queue, people
):
    client.post(FILE, VISITOR)
    for number, sees in (("113", True), ("114", False)):
        person = people[number]
        person.set_password(PASSWORD)
        person.save(update_fields=["password"])
        answer = sign_in_fully(Client(), person).get(reverse("own_visitors"))
        assert (answer.status_code == 200) is sees
        assert ("Jean Visiteur" in answer.content.decode()) is sees
        if sees:
            page = answer.content.decode()
            assert "File Soins" in page
            assert reverse("own_meeting") not in page, "he has no meeting of his own"
            assert (
                sign_in_fully(Client(), person).post(reverse("own_meeting"), {"do": "open"}).status_code
                == 404
            )


# --- The same page as a person's ----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("ask", "asked"),
    [("name_email", {"name", "email"}), ("name", {"name"}), ("email", {"email"}), ("nothing", set())],
)
def test_the_page_asks_exactly_what_is_set(client, boreale, soins, queue, ask, asked):
    write(department_sheet, boreale, soins.pk, talk_ask=ask)
    write(system_extension_sheet, boreale, queue.pk, talk_ask=ask)
    for path in (SOINS, FILE, "/soins", "/file"):
        page = client.get(path, **({} if path.startswith("/talk") else HOST)).content.decode()
        assert {name for name in ("name", "email", "number") if f'name="{name}"' in page} == asked | {
            "number"
        }
    assert client.post(SOINS, {}).status_code == 422
    assert client.post(SOINS, {"number": "514 555-0199"}).status_code == (422 if asked else 302)


def test_there_is_no_meeting_with_a_place(client, soins, queue):
    for name in ("soins", "file"):
        assert client.get(f"/meet/boreale/{name}").status_code == 404
        assert client.post(f"/meet/boreale/{name}", VISITOR).status_code == 404
        assert client.get(f"/meet/{name}", **HOST).status_code == 404
    assert not Visitor.objects.exists()


def test_a_link_that_leads_nowhere_any_more_is_the_same_404_with_the_same_work_as_unknown(
    client, boreale, soins, queue
):
    def answer(path):
        with CaptureQueriesContext(connection) as captured:
            response = client.get(path)
        text = re.sub(r'value="[^"]*"', "", response.content.decode())
        return response.status_code, re.sub(r"X-CSRFToken[^}]*", "", text), len(captured)

    unknown = answer("/talk/boreale/personne")
    assert unknown[0] == 404
    assert answer("/meet/boreale/soins") == unknown
    assert client.get(SOINS).status_code == client.get(FILE).status_code == 200
    write(department_sheet, boreale, soins.pk, talk_name="infirmieres")
    assert answer(SOINS) == unknown
    assert client.get("/talk/boreale/INFIRMIERES").status_code == 200
    User.objects.update(disabled=True)
    assert answer("/talk/boreale/infirmieres") == answer(FILE) == unknown, "there is nobody to be told"
    User.objects.update(disabled=False)
    Customer.objects.filter(pk=boreale.pk).update(suspended=True)
    assert answer("/talk/boreale/infirmieres") == answer(FILE) == unknown
    Customer.objects.filter(pk=boreale.pk).update(suspended=False)
    queue.delete()
    assert answer(FILE) == unknown


def test_another_customer_does_not_answer_for_it(client, soins, laurier):
    assert client.get("/talk/laurier/soins").status_code == 404
    assert client.get("/soins", HTTP_HOST="laurier.example.com").status_code == 404


def test_the_customers_own_host_takes_requests_too_and_protects_its_form(soins, queue):
    client = Client(enforce_csrf_checks=True)
    assert client.post("/soins", VISITOR, **HOST).status_code == 403
    for name in ("soins", "file"):
        assert client.get(f"/{name}", **HOST).status_code == 200
        facts = VISITOR | {"csrfmiddlewaretoken": client.cookies["csrftoken"].value}
        assert client.post(f"/{name}", facts, **HOST).status_code == 302
    assert {visitor.place for visitor in Visitor.objects.all()} == {"Soins", "File Soins"}


def test_the_visitor_is_answered_in_his_language(client, soins):
    for language, words in (("fr", "Joindre Soins"), ("en", "Reach Soins")):
        assert words in client.get(SOINS, headers={"Accept-Language": language}).content.decode()
        sent = client.get(f"{SOINS}?sent=1", headers={"Accept-Language": language}).content.decode()
        assert "Soins" in sent


def test_one_address_asks_only_so_often_and_a_flooded_place_stays_open_to_others(client, soins):
    answers = [client.post(SOINS, VISITOR).status_code for _try in range(visits.BY_ADDRESS.tries + 1)]
    assert answers[-1] == 429
    for place in range(visits.BY_LINK.tries + 5):
        last = Client(REMOTE_ADDR=f"192.0.2.{place}").post(SOINS, VISITOR).status_code
    assert last == 302


def test_a_place_a_person_and_another_place_of_one_key_are_counted_apart(people, soins, queue):
    links = [visits.link_of("boreale", name) for name in ("soins", "file")] + [visits.Link(people["111"])]
    assert len({link.key for link in links}) == 3


def test_who_guesses_names_does_not_learn_that_he_found_a_place(client, soins):
    for place in range(visits.UNKNOWN.tries):
        client.get(f"/talk/boreale/nom{place}")
    assert client.get(SOINS).status_code == 404
    assert Client(REMOTE_ADDR="192.0.2.9").get(SOINS).status_code == 200


def test_what_visitors_told_a_place_is_forgotten_after_a_day(client, queue):
    client.post(FILE, VISITOR)
    assert visits.forget() == 0
    Visitor.objects.update(created_at=timezone.now() - timedelta(hours=25))
    visits.forget()
    assert not Visitor.objects.exists()
    assert not Letter.objects.exists()


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", "{{ settings.SECRET_KEY }}", '" onmouseover="x']
)
def test_a_places_name_and_a_visitors_are_only_text(client, boreale, queue, people, name):
    SystemExtension.objects.update(name=name)
    page = client.get(FILE).content.decode()
    client.post(FILE, VISITOR | {"name": name})
    told()
    own = sign_in_fully(Client(), people["111"]).get(reverse("own_visitors")).content.decode()
    for text in (page, own, *(letter.alternatives[0][0] for letter in mail.outbox)):
        assert "<script>alert" not in text
        assert 'onmouseover="x' not in text


def test_a_request_is_as_many_queries_for_many_people_as_for_few(boreale, soins, queue, people):
    counts = []
    for extra in range(0, 11, 10):
        new = [
            make_user(boreale, str(120 + place), "Gens", str(place), email=f"p{place}@boreale.example").pk
            for place in range(extra)
        ]
        write(system_extension_sheet, boreale, queue.pk, members=[people["111"].pk, people["113"].pk, *new])
        cache.clear()
        with CaptureQueriesContext(connection) as captured:
            assert Client().post(FILE, VISITOR).status_code == 302
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_a_person_who_leaves_a_queue_is_not_told_any_more(client, boreale, queue, people):
    write(system_extension_sheet, boreale, queue.pk, members=[people["113"].pk])
    client.post(FILE, VISITOR)
    assert told() == {"113"}


def test_a_department_with_requests_is_deleted_like_any_other(client, boreale, soins, people):
    client.post(SOINS, VISITOR)
    for number, departments in (
        ("111", ["Accueil"]),
        ("113", ["Accueil"]),
        ("112", ["Accueil"]),
        ("114", ["Accueil"]),
    ):
        write(user_sheet, boreale, people[number].pk, primary_department="Accueil", departments=departments)
    from users.company.views.company import DEPARTMENTS

    departure = DEPARTMENTS.departure(
        User(is_staff=True, staff_level="technician", role_id="users"), boreale, soins
    )
    departure.leave(None, FACTS)
    assert client.get(SOINS).status_code == 404
    assert Visitor.objects.count() == 1
