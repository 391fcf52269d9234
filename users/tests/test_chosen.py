"""Actions on the chosen: whom they reach, what is said first, and that nobody is hit unseen or left out silently."""

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from signin.tests.signing import sign_in_fully
from users.mail import letters
from users.models import Change, Department, Operation, User
from users.tests.factories import details, make_user, make_users

pytestmark = pytest.mark.slow("pages and previews over many people")

ACTIONS = ["chosen_copy", "chosen_delete", "chosen_reset", "chosen_second_factor", "chosen_welcome"]


@pytest.fixture
def people(boreale):
    """Three in Soins, one in Accueil, all with an address but the last."""
    in_soins = (
        details(
            f"15{place}", "Personne", f"Numéro {place}", department="Soins", email=f"p{place}@boreale.example"
        )
        for place in range(3)
    )
    return make_users(boreale, *in_soins, details("153", "Personne", "Numéro 3"))


def url(name, slug="boreale"):
    return reverse(name, args=[slug])


def sent(people, **more):
    return {"chosen": [person.pk for person in people], "confirmed": "1", "expected": str(len(people))} | more


@pytest.mark.parametrize("name", ACTIONS)
def test_a_get_changes_nothing_and_leads_back_to_the_list(client, felix, people, name):
    before = Operation.objects.count()
    sign_in_fully(client, felix)
    answer = client.get(url(name) + f"?chosen={people[0].pk}&confirmed=1&expected=1&confirm=1")
    assert answer["Location"] == reverse("users", args=["boreale"])
    assert Operation.objects.count() == before


@pytest.mark.parametrize("name", ACTIONS)
def test_every_action_is_protected_from_other_sites_and_from_lesser_roles(
    felix, amelie, laurier, people, name
):
    strict = sign_in_fully(Client(enforce_csrf_checks=True), felix)
    assert strict.post(url(name), sent(people[:1])).status_code == 403
    assert sign_in_fully(Client(), amelie).post(url(name), sent(people[:1])).status_code == 403
    stranger = make_user(laurier, "201", "Rosalie", "Beaulieu", role="system_owners")
    assert sign_in_fully(Client(), stranger).post(url(name), sent(people[:1])).status_code == 404
    assert User.objects.filter(pk=people[0].pk, require_2fa=False).exists()


@pytest.mark.parametrize("name", ACTIONS)
def test_nobody_chosen_is_said(client, felix, people, name):
    answer = sign_in_fully(client, felix).post(
        url(name), {"chosen": ["", "abc", "9" * 40, "-1"]}, follow=True
    )
    assert answer.status_code == 200


@pytest.mark.parametrize("name", ACTIONS[1:])
def test_another_customers_people_do_not_exist_here(client, felix, people, laurier, name):
    stranger = make_user(laurier, "201", "Rosalie", "Beaulieu", email="r@laurier.example")
    answer = sign_in_fully(client, felix).post(
        url(name), sent([stranger], box=["sip"], confirm="1", without="1")
    )
    assert answer.status_code in (200, 409)
    assert "Rosalie" not in answer.content.decode()
    fresh = User.objects.get(pk=stranger.pk)
    assert (fresh.sip_password, fresh.require_2fa) == (stranger.sip_password, False)


def test_the_list_offers_the_actions_and_keeps_its_filter(client, felix, people):
    page = (
        sign_in_fully(client, felix)
        .get(reverse("users", args=["boreale"]) + "?q=personne&sort=-number")
        .content.decode()
    )
    for name in ACTIONS:
        assert f'formaction="{url(name)}"' in page
    assert page.count('name="chosen"') == 4
    assert 'data-total="4"' in page


def test_the_list_costs_at_most_eight_queries(client, felix, people, django_assert_max_num_queries):
    sign_in_fully(client, felix).get(reverse("users", args=["boreale"]))
    with django_assert_max_num_queries(8):
        client.get(reverse("users", args=["boreale"]))


# --- Deleting -----------------------------------------------------------------------------------------------------
def test_deleting_says_what_goes_and_takes_the_number_typed(client, felix, people):
    sign_in_fully(client, felix)
    page = client.post(url("chosen_delete"), {"chosen": [person.pk for person in people[:2]]})
    assert page.status_code == 200
    assert "Numéro 0" in page.content.decode()
    assert client.post(url("chosen_delete"), sent(people[:2])).status_code == 422
    assert client.post(url("chosen_delete"), sent(people[:2], confirm="3")).status_code == 422
    assert User.objects.filter(pk__in=[person.pk for person in people]).count() == 4
    assert client.post(url("chosen_delete"), sent(people[:2], confirm="2")).status_code == 302
    assert User.objects.filter(pk__in=[person.pk for person in people]).count() == 2
    assert Change.objects.filter(kind="delete").count() == 2
    assert Change.objects.filter(kind="delete").values("operation").distinct().count() == 1


def test_who_can_not_be_deleted_is_named_and_left_out_only_by_hand(client, felix, people):
    sign_in_fully(client, felix)
    page = client.post(url("chosen_delete"), {"chosen": [felix.pk, people[0].pk]}).content.decode()
    assert "Félix Gagnon" in page.split('id="refused-title"')[1].split("</section>")[0]
    chosen = {"chosen": [felix.pk, people[0].pk], "confirmed": "1", "expected": "1", "confirm": "1"}
    assert client.post(url("chosen_delete"), chosen).status_code == 409
    assert User.objects.filter(pk=people[0].pk).exists()
    assert client.post(url("chosen_delete"), chosen | {"without": "1"}).status_code == 302
    assert User.objects.filter(pk=felix.pk).exists()
    assert not User.objects.filter(pk=people[0].pk).exists()


def test_the_last_owners_are_not_deleted_together(client, staff, felix, boreale):
    second = make_user(boreale, "110", "Zoé", "Lavoie", role="system_owners")
    sign_in_fully(client, staff)
    answer = client.post(url("chosen_delete"), sent([felix, second], confirm="2"))
    assert answer.status_code == 409
    assert User.objects.filter(role="system_owners").count() == 2


# --- All that match -----------------------------------------------------------------------------------------------
def test_all_that_match_are_found_again_on_the_server(client, felix, people):
    sign_in_fully(client, felix)
    page = client.post(
        url("chosen_second_factor"), {"all_matching": "1", "q": "personne", "chosen": [felix.pk]}
    )
    assert 'name="expected" value="4"' in page.content.decode()
    assert (
        client.post(
            url("chosen_second_factor"),
            {"all_matching": "1", "q": "personne", "confirmed": "1", "expected": "4"},
        ).status_code
        == 302
    )
    assert User.objects.filter(require_2fa=True).count() == 4


def test_who_came_in_between_is_not_hit_unseen(client, felix, people, boreale):
    sign_in_fully(client, felix)
    make_user(boreale, "160", "Personne", "De plus", department="Soins")
    answer = client.post(
        url("chosen_second_factor"), {"all_matching": "1", "q": "personne", "confirmed": "1", "expected": "4"}
    )
    assert answer.status_code == 409
    assert 'name="expected" value="5"' in answer.content.decode()
    assert not User.objects.filter(require_2fa=True).exists()


def test_all_means_all_whom_one_administers(client, ines, felix, people):
    sign_in_fully(client, ines)
    page = client.post(url("chosen_second_factor"), {"all_matching": "1"}).content.decode()
    # Inès herself and the three in Soins; nobody in Accueil, and not Félix.
    assert 'name="expected" value="4"' in page
    assert "Gagnon" not in page


def test_a_department_administrator_can_not_reach_others_by_their_keys(client, ines, felix, people):
    sign_in_fully(client, ines)
    answer = client.post(url("chosen_second_factor"), sent([people[3]]))
    assert answer.status_code == 409
    everybody = {"chosen": [people[0].pk, people[3].pk], "confirmed": "1", "expected": "1"}
    assert client.post(url("chosen_second_factor"), everybody).status_code == 409
    assert client.post(url("chosen_second_factor"), everybody | {"without": "1"}).status_code == 302
    assert list(User.objects.filter(require_2fa=True)) == [people[0]]


# --- Resetting, welcome ---------------------------------------------------------------------------------------------
def test_many_are_reset_as_one_operation(client, felix, people):
    sign_in_fully(client, felix)
    before = {person.pk: person.sip_password for person in people}
    answer = client.post(url("chosen_reset"), sent(people, box=["sip", "welcome_mail"]))
    assert answer.status_code == 302
    assert all(before[user.pk] != user.sip_password for user in User.objects.filter(pk__in=before))
    report = client.get(answer["Location"]).content.decode()
    assert "p1@boreale.example" in report
    assert Operation.objects.filter(kind="reset").count() == 1


def test_welcome_names_who_has_no_address(client, felix, people):
    sign_in_fully(client, felix)
    page = client.post(url("chosen_welcome"), {"chosen": [person.pk for person in people]}).content.decode()
    assert "Numéro 3" in page.split('id="refused-title"')[1].split("</section>")[0]
    chosen = sent(people) | {"expected": "3"}
    assert client.post(url("chosen_welcome"), chosen).status_code == 409
    assert client.post(url("chosen_welcome"), chosen | {"without": "1"}).status_code == 302
    assert letters.send_due() == 3
    assert len(mail.outbox) == 3
    assert Operation.objects.filter(kind="mail").count() == 1


# --- Copying --------------------------------------------------------------------------------------------------------
def test_exactly_one_is_copied(client, felix, people):
    sign_in_fully(client, felix)
    one = client.post(url("chosen_copy"), {"chosen": [people[0].pk]})
    assert one["Location"].endswith("?copy=150")
    two = client.post(url("chosen_copy"), {"chosen": [people[0].pk, people[1].pk]})
    assert "copy=" not in two["Location"]


def test_a_copy_has_the_settings_and_not_the_identity(client, felix, people, boreale):
    source = people[0]
    User.objects.filter(pk=source.pk).update(
        recording="all",
        block_remote=False,
        mobile="+15145550141",
        sip_id="perso",
        talk_name="perso",
        talk_enabled=True,
        outbound_caller_id="+15145550199",
    )
    sign_in_fully(client, felix)
    create = reverse("user_create", args=["boreale"]) + "?copy=150"
    page = client.get(create).content.decode()
    assert "Numéro 0" in page
    assert "514 555-0141" not in page
    soins = Department.objects.of(boreale).get(name="Soins").pk
    accueil = Department.objects.of(boreale).get(name="Accueil").pk
    data = {
        "first_name": "Nouvelle",
        "last_name": "Recrue",
        "role": "users",
        "primary_department": soins,
        "departments": [soins, accueil],
    }
    assert client.post(create, data).status_code == 302
    new = User.objects.get(first_name="Nouvelle")
    assert (new.recording, new.block_remote, new.talk_enabled) == ("all", False, True)
    assert (new.sip_id, new.mobile, new.talk_name) == ("", "", "nouvellerecrue")
    assert new.outbound_caller_id == "", "what stands in the form counts"
    assert new.sip_password != source.sip_password
    assert not new.has_usable_password()
    assert set(new.memberships.values_list("department", flat=True)) == {soins, accueil}


def test_nobody_rises_by_a_copy(client, ines, felix, people, boreale):
    sign_in_fully(client, ines)
    assert client.get(reverse("user_create", args=["boreale"]) + "?copy=102").status_code == 403
    assert client.get(reverse("user_create", args=["boreale"]) + "?copy=153").status_code == 403
    assert client.get(reverse("user_create", args=["boreale"]) + "?copy=999").status_code == 404
    soins = Department.objects.of(boreale).get(name="Soins").pk
    data = {"first_name": "X", "role": "group_owners", "primary_department": soins, "departments": [soins]}
    assert client.post(reverse("user_create", args=["boreale"]) + "?copy=150", data).status_code == 422


def test_a_copy_leaves_out_what_the_licence_does_not_allow_anew(client, felix, people, boreale):
    User.objects.filter(pk=people[0].pk).update(recordings_controllable=False)
    sign_in_fully(client, felix)
    create = reverse("user_create", args=["boreale"]) + "?copy=150"
    assert (
        "Enterprise" in client.get(create).content.decode()
        or "Entreprise" in client.get(create).content.decode()
    )
    soins = Department.objects.of(boreale).get(name="Soins").pk
    assert (
        client.post(
            create, {"first_name": "Y", "role": "users", "primary_department": soins, "departments": [soins]}
        ).status_code
        == 302
    )
    assert User.objects.get(first_name="Y").recordings_controllable
