"""Resetting: seven boxes, for one or many, with everything that follows from them."""

import re

import pytest
from django.core import mail
from django.urls import reverse

from phones.models import Phone
from phones.services import phone_plan
from signin import credentials as signin
from signin.tests.signing import sign_in_fully
from users import road
from users.mail import letters, links
from users.models import Change, Letter, Operation, PersonalLink, User
from users.people import reset
from users.tests.factories import FACTS, PASSWORD, make_user

pytestmark = pytest.mark.slow("opens page after page")


@pytest.fixture
def phone(felix, amelie, boreale):
    """A desk phone of Amélie's."""
    plan = phone_plan(felix, boreale, amelie, {"mac": "805ec0001001", "model": "yealink-t54w"})
    road.apply(plan, FACTS)
    return Phone.objects.get(mac="805ec0001001")


def do(actor, customer, people, *boxes):
    planned = reset.plan_reset(actor, customer, [person.pk for person in people])
    return reset.reset(planned, boxes, FACTS)


def again(user):
    return User.objects.select_related("customer", "role", "primary_department").get(pk=user.pk)


def test_new_sip_secrets_reach_the_phone_and_the_app(felix, amelie, boreale, phone):
    Phone.objects.update(stale_since=None)
    before = again(amelie)
    operation = do(felix, boreale, [amelie], "sip")
    after = again(amelie)
    assert before.sip_password != after.sip_password
    assert before.sip_auth_id != after.sip_auth_id
    assert after.version == before.version + 1
    assert Phone.objects.get(pk=phone.pk).stale_since is not None, "the phone is told to reprovision"
    done = reset.aftermath(felix, boreale, operation)
    assert [str(person) for person in done.rescan] == [str(amelie)]


def test_the_web_password_ends_with_every_session_and_every_older_link(client, felix, amelie, boreale):
    sign_in_fully(client, amelie)
    token = signin.LINK_TOKENS.make_token(again(amelie))
    do(felix, boreale, [amelie], "web_password")
    assert client.get(reverse("own_page")).status_code == 302
    assert not client.login(username="101@boreale.example.com", password=PASSWORD)
    assert not signin.LINK_TOKENS.check_token(again(amelie), token)


def test_the_old_configuration_link_is_dead_at_once(client, felix, amelie, boreale):
    link = links.reveal(felix, boreale, amelie, links.Kind.APP, FACTS)
    address = links.address_of(link).removeprefix("http://127.0.0.1:8000")
    assert client.get(address).status_code == 200
    do(felix, boreale, [amelie], "link")
    assert client.get(address).status_code == 404


def test_only_what_is_ticked_is_touched(felix, amelie, boreale):
    link = links.reveal(felix, boreale, amelie, links.Kind.APP, FACTS)
    before = again(amelie)
    do(felix, boreale, [amelie], "rps")
    after = again(amelie)
    assert (before.sip_password, before.password, before.sessions_epoch) == (
        after.sip_password,
        after.password,
        after.sessions_epoch,
    )
    assert PersonalLink.objects.filter(pk=link.pk).exists()


def test_nothing_ticked_or_something_unknown_does_nothing(felix, amelie, boreale):
    before = Operation.objects.count()
    assert do(felix, boreale, [amelie]) is None
    assert do(felix, boreale, [amelie], "password", "is_staff") is None
    assert Operation.objects.count() == before


def test_the_history_says_that_but_not_what(felix, amelie, boreale):
    operation = do(felix, boreale, [amelie], "sip", "web_password", "link")
    text = str([change.cells for change in Change.objects.filter(operation=operation)])
    assert "••••" in text
    for secret in (again(amelie).sip_password, again(amelie).sip_auth_id, again(amelie).password):
        assert secret not in text


def test_a_reset_can_not_be_undone(felix, amelie, boreale):
    from users.road import undo

    operation = do(felix, boreale, [amelie], "sip")
    with pytest.raises(undo.NotUndoableError):
        undo.plan_undo(felix, boreale, operation)


def test_all_are_reset_or_nobody(ines, felix, amelie, boreale):
    mine = make_user(boreale, "150", "Olivier", "Bélanger", department="Soins")
    before = [again(person).sip_password for person in (mine, amelie)]
    with pytest.raises(road.RefusedError):
        do(ines, boreale, [mine, amelie], "sip")
    assert [again(person).sip_password for person in (mine, amelie)] == before


def test_nobody_resets_who_is_above_him_or_elsewhere(ines, felix, boreale, laurier):
    stranger = make_user(laurier, "201", "Rosalie", "Beaulieu")
    assert reset.plan_reset(ines, boreale, [felix.pk]).refusals
    assert reset.plan_reset(felix, boreale, [stranger.pk]).people == []


def test_as_many_statements_for_twenty_people_as_for_three(felix, boreale):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    people = [
        make_user(boreale, "", "Personne", str(place), email=f"p{place}@boreale.example")
        for place in range(15)
    ]

    def cost(some):
        with CaptureQueriesContext(connection) as queries:
            do(felix, boreale, some, "sip", "web_password", "link", "rps", reset.WELCOME)
        return len(queries)

    assert cost(people[:3]) == cost(people[3:])


def test_welcome_goes_to_those_with_an_address_and_names_the_others(
    felix, amelie, boreale, django_capture_on_commit_callbacks
):
    with_mail = make_user(boreale, "150", "Olivier", "Bélanger", email="olivier@boreale.example")
    operation = do(felix, boreale, [amelie, with_mail], reset.WELCOME)
    done = reset.aftermath(felix, boreale, operation)
    assert [address for _person, address in done.mailed] == ["olivier@boreale.example"]
    assert [str(person) for person in done.no_address] == [str(amelie)]
    assert letters.send_due() == 1
    assert mail.outbox[0].to == ["olivier@boreale.example"]


# --- Pages --------------------------------------------------------------------------------------------------------
def test_one_person_is_reset_from_his_page(client, felix, amelie, boreale, phone):
    url = reverse("user_reset", args=["boreale", "101"])
    sign_in_fully(client, felix)
    page = client.get(url).content.decode()
    for box in reset.boxes():
        assert f'value="{box.name}"' in page
    before = again(amelie).sip_password
    answer = client.post(url, {"confirmed": "1", "expected": "1", "box": ["sip", "link"]})
    assert answer.status_code == 302
    assert again(amelie).sip_password != before
    report = client.get(answer["Location"])
    assert "Amélie Tremblay" in report.content.decode()


def test_a_reset_without_a_box_is_asked_again(client, felix, amelie):
    answer = sign_in_fully(client, felix).post(
        reverse("user_reset", args=["boreale", "101"]), {"confirmed": "1", "expected": "1"}
    )
    assert answer.status_code == 422


def test_the_report_is_for_who_did_it_and_who_reads_the_history(
    client, felix, ines, amelie, boreale, laurier
):
    operation = do(felix, boreale, [amelie], "sip")
    url = reverse("reset_done", args=["boreale", operation.pk])
    assert sign_in_fully(client, felix).get(url).status_code == 200
    assert sign_in_fully(client, ines).get(url).status_code == 404
    stranger = make_user(laurier, "201", "Rosalie", "Beaulieu", role="system_owners")
    assert sign_in_fully(client, stranger).get(url).status_code == 404
    assert (
        sign_in_fully(client, stranger).get(reverse("reset_done", args=["laurier", operation.pk])).status_code
        == 404
    )


def test_two_welcome_mails_in_the_box_are_one(felix, boreale):
    person = make_user(boreale, "150", "Olivier", "Bélanger", email="olivier@boreale.example")
    do(felix, boreale, [person], reset.WELCOME)
    do(felix, boreale, [person], reset.WELCOME)
    assert Letter.objects.filter(user=person).count() == 1


def test_a_reset_asks_for_proof_where_the_last_one_is_old(client, felix, amelie, boreale):
    sign_in_fully(client, felix)
    session = client.session
    for name in list(session.keys()):
        if name.endswith("_at"):
            session[name] = 0
    session.save()
    before = again(amelie).sip_password
    one = client.post(
        reverse("user_reset", args=["boreale", "101"]), {"confirmed": "1", "expected": "1", "box": ["sip"]}
    )
    many = client.post(
        reverse("chosen_reset", args=["boreale"]),
        {"chosen": [amelie.pk], "confirmed": "1", "expected": "1", "box": ["sip"]},
    )
    assert (one.status_code, many.status_code) == (403, 403)
    assert 'name="box" value="sip"' in one.content.decode()
    assert f'name="chosen" value="{amelie.pk}"' in many.content.decode()
    assert again(amelie).sip_password == before


@pytest.mark.parametrize(("pressed", "ticked", "title", "told"), [
    ("?reset=passwords", ["sip", "web_password", "welcome_mail"], "Réinitialiser les mots de passe de Amélie", "redémarrer"),
    ("?reset=link", ["link"], "Réinitialiser le lien de configuration de Amélie", "les mots de passe restent"),
    ("", ["sip", "link", "welcome_mail"], "Réinitialiser Amélie", "redémarrer"),
    ("?reset=nonsense", ["sip", "link", "welcome_mail"], "Réinitialiser Amélie", "redémarrer"),
])  # fmt: skip
def test_the_boxes_are_ticked_as_the_button_that_was_pressed_says(
    client, felix, amelie, pressed, ticked, title, told
):
    sign_in_fully(client, felix)
    url = reverse("user_reset", args=["boreale", "101"]) + pressed
    page = client.get(url).content.decode()
    assert re.findall(r'name="box" value="(\w+)"[^>]*checked', page) == ticked
    assert title in page
    assert told in page
    # What was ticked by hand stays where the form comes back.
    refused = client.post(url, {"confirmed": "1", "expected": "9", "box": ["rps"]}).content.decode()
    assert re.findall(r'name="box" value="(\w+)"[^>]*checked', refused) == ["rps"]
    assert title in refused


def test_each_button_leads_to_its_own_reset(client, felix, amelie):
    sign_in_fully(client, felix)
    url = reverse("user_reset", args=["boreale", "101"])
    assert f'href="{url}?reset=passwords"' in client.get("/c/boreale/users/101/general").content.decode()
    assert (
        f'href="{url}?reset=link"'
        in client.get(reverse("app_link", args=["boreale", "101"])).content.decode()
    )
