"""Why something was done: asked in one line beside every save, kept with the change, found again."""

import pytest
from django.test import Client
from django.urls import reverse

from pbxadmin.common.columns import Scope
from pbxadmin.common.http import RequestFacts
from pbxadmin.tests.forms import TabForm
from phones.tests.factories import make_phone
from signin.tests.signing import sign_in_fully
from users.models import Department, Operation
from users.people.sections import user_sheet
from users.road import jobs
from users.road.actions import ACTIONS
from users.tests.factories import make_user

pytestmark = pytest.mark.slow("opens page after page")


@pytest.fixture
def owner(felix):
    return sign_in_fully(Client(), felix)


def save(client, person, **typed):
    url = reverse("user_tab", args=["boreale", person.number, "options"])
    sent = TabForm(client.get(url).content.decode()).sent
    return client.post(url, {**sent, "recording": "all", **typed})


def test_a_reason_stands_beside_the_change_and_is_found(owner, amelie):
    assert save(owner, amelie, why="Billet 4711, demande de Mme Roy").status_code == 302
    for address in (
        reverse("history", args=["boreale"]),
        reverse("user_history", args=["boreale", amelie.number]),
    ):
        found = owner.get(address, {"q": "4711"}).content.decode()
        assert "Billet 4711, demande de Mme Roy" in found
        assert "Billet 4711" not in owner.get(address, {"q": "4712"}).content.decode()


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("", ""),
        ("  deux\tmots\r\n et un\0 ", "deux mots et un"),
        ("é" * 500, "é" * 200),
        ("\u202ebillet\u200b 1", "billet 1"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
    ],
)
def test_a_reason_is_one_line_and_nothing_else(owner, amelie, typed, kept):
    save(owner, amelie, why=typed)
    assert Operation.objects.latest("pk").note == kept
    page = owner.get(reverse("history", args=["boreale"])).content.decode()
    assert "<script>alert(1)" not in page


def test_a_refused_save_keeps_the_reason_that_was_typed(owner, amelie):
    answer = save(owner, amelie, why="Billet 4711", sip_id="pas permis !")
    assert answer.status_code == 422
    assert 'value="Billet 4711"' in answer.content.decode()


def test_the_reason_of_what_is_done_to_many_stands_with_it(owner, boreale):
    people = [make_user(boreale, f"17{place}", "Personne", f"Dix-sept {place}") for place in range(3)]
    soins = Department.objects.of(boreale).get(name="Soins")
    sent = {"chosen": [each.pk for each in people], "department": soins.pk, "confirmed": "1", "expected": "3"}
    assert owner.post(reverse("chosen_move", args=["boreale"]), {**sent, "why": "Congrès"}).status_code == 302
    assert Operation.objects.latest("pk").note == "Congrès"


def test_the_reason_goes_with_a_job_to_its_worker(felix, boreale, amelie):
    action, scope = ACTIONS["move"], Scope(felix, boreale)
    soins = Department.objects.of(boreale).get(name="Soins")
    settings = {"department": soins.pk, "stay": False}
    job = jobs.start(action, scope, [amelie.pk], settings, RequestFacts("portal", note="Congrès"))
    jobs.run(job.pk)
    job.refresh_from_db()
    assert job.done == 1, job.words
    assert job.operation.note == "Congrès"


def test_the_desk_asks_for_the_reason_too(staff, amelie):
    client = sign_in_fully(Client(), staff)
    url = reverse("admin:users_user_change", args=[amelie.pk])
    assert 'name="why"' in client.get(url).content.decode()
    deletion = client.get(reverse("admin:users_user_delete", args=[amelie.pk])).content.decode()
    assert 'name="why"' in deletion


def test_every_tab_asks_for_it_and_the_own_pages_do_not(owner, amelie):
    make_phone(amelie.customer, amelie)
    for section in user_sheet().sections:
        page = owner.get(reverse("user_tab", args=["boreale", amelie.number, section.slug])).content.decode()
        assert 'name="why"' in page, section.slug
    away = owner.get(reverse("user_sign_in", args=["boreale", amelie.number])).content.decode()
    assert 'name="why"' in away
    assert 'name="why"' not in owner.get(reverse("own_voicemail")).content.decode()


def test_support_staff_are_told_that_the_customer_reads_the_reason(staff, owner, amelie):
    client = sign_in_fully(Client(), staff)
    tab = reverse("user_tab", args=["boreale", amelie.number, "general"])
    bar = client.get(tab).content.decode()
    assert "facultatif, le client peut le lire" in bar
    assert 'placeholder="Motif, billet : lu par le client"' in bar.replace("\xa0", " ")
    for url in (
        reverse("user_sign_in", args=["boreale", amelie.number]),
        reverse("admin:users_user_change", args=[amelie.pk]),
    ):
        assert "facultatif, le client peut le lire" in client.get(url).content.decode()
    # What is the provider's own is read by no customer, and a customer's people aren't told of themselves.
    assert "le client peut le lire" not in client.get("/support/team/").content.decode()
    assert "le client" not in owner.get(tab).content.decode()
