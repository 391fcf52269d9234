"""The tabs Talk, Visualiser and Options: their rules on the road, and their pages."""

import pytest
from django.urls import reverse

from signin.tests.signing import sign_in_fully
from users import rights, road
from users.models import Customer, Department, Membership, SystemExtension, User, Visibility
from users.people.sections import user_sheet
from users.tests.factories import FACTS, make_user


def plan(actor, customer, person, **values):
    return road.plan(actor, customer, user_sheet(), [road.Row(person.pk if person else None, values)])


def edit(actor, customer, person, **values):
    made = plan(actor, customer, person, **values)
    road.apply(made, FACTS)
    return made.rows[0]


def again(user):
    return User.objects.select_related("customer", "role", "primary_department").get(pk=user.pk)


def soins(customer):
    return Department.objects.of(customer).get(name="Soins")


# --- Talk -------------------------------------------------------------------------------------------------------
def test_talk_without_a_name_gets_the_persons_own(felix, amelie, boreale):
    edit(felix, boreale, amelie, talk_enabled=True)
    assert again(amelie).talk_name == "amelietremblay"


def test_two_of_the_same_name_get_different_links(felix, amelie, boreale):
    other = make_user(boreale, "150", "Amélie", "Tremblay")
    both = road.plan(
        felix,
        boreale,
        user_sheet(),
        [road.Row(key, {"talk_enabled": True}) for key in (amelie.pk, other.pk)],
    )
    road.apply(both, FACTS)
    assert {again(amelie).talk_name, again(other).talk_name} == {"amelietremblay101", "amelietremblay150"}


@pytest.mark.parametrize(
    "name", ["meet", "Static", "talk", "with-dash", "é", "a b", "x" * 51, "a/b", "<script>"]
)
def test_a_link_that_could_not_be_reached_is_refused(felix, amelie, boreale, name):
    assert "talk_name" in plan(felix, boreale, amelie, talk_name=name).rows[0].errors


def test_a_link_leads_to_one_person_or_department_whatever_its_capitals(felix, amelie, ines, boreale):
    edit(felix, boreale, amelie, talk_name="accueil")
    refused = plan(felix, boreale, ines, talk_name="ACCUEIL").rows[0]
    assert "Amélie Tremblay" in refused.errors["talk_name"][0]
    Department.objects.of(boreale).filter(name="Soins").update(talk_name="soins")
    assert "talk_name" in plan(felix, boreale, ines, talk_name="Soins").rows[0].errors
    assert "talk_name" not in plan(felix, boreale, amelie, talk_name="accueil").rows[0].errors


def test_a_suggested_link_is_no_queues(felix, amelie, boreale):
    SystemExtension.objects.create(
        customer=boreale, number="160", name="File", kind="queue", talk_name="AmelieTremblay"
    )
    edit(felix, boreale, amelie, talk_enabled=True)
    assert again(amelie).talk_name == "amelietremblay101"


def test_the_talk_tab_shows_both_addresses_to_copy(client, felix, amelie, boreale):
    edit(felix, boreale, amelie, talk_enabled=True, talk_name="amelie")
    page = (
        sign_in_fully(client, felix)
        .get(reverse("user_tab", args=["boreale", "101", "talk"]))
        .content.decode()
    )
    assert 'data-copy-text="https://boreale.example.com/amelie"' in page
    assert 'data-copy-text="https://boreale.example.com/meet/amelie"' in page


# --- Options ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("edition", "may"), [("standard", False), ("pro", False), ("enterprise", True)])
def test_turning_the_recording_controls_off_takes_enterprise(felix, amelie, boreale, edition, may):
    Customer.objects.filter(pk=boreale.pk).update(edition=edition)
    boreale.refresh_from_db()
    row = plan(felix, boreale, amelie, recordings_controllable=False).rows[0]
    assert (row.outcome == "changed") == may
    User.objects.filter(pk=amelie.pk).update(recordings_controllable=False)
    assert plan(felix, boreale, amelie, recordings_controllable=True).rows[0].outcome == "changed", (
        "on again is always allowed"
    )


@pytest.mark.parametrize(("edition", "may"), [("standard", False), ("pro", True), ("enterprise", True)])
def test_hot_desking_takes_pro(felix, amelie, boreale, edition, may):
    Customer.objects.filter(pk=boreale.pk).update(edition=edition)
    boreale.refresh_from_db()
    assert (plan(felix, boreale, amelie, hot_desking=True).rows[0].outcome == "changed") == may


def test_a_new_person_can_not_get_what_the_licence_does_not_have(staff, boreale):
    Customer.objects.filter(pk=boreale.pk).update(edition="standard")
    boreale.refresh_from_db()
    row = plan(staff, boreale, None, first_name="X", primary_department="Soins", hot_desking=True).rows[0]
    assert "hot_desking" in row.errors


def test_a_locked_switch_is_shown_with_the_sentence_and_keeps_its_value(client, felix, amelie, boreale):
    url = reverse("user_tab", args=["boreale", "101", "options"])
    page = sign_in_fully(client, felix).get(url)
    assert "id_recordings_controllable_locked" in page.content.decode()
    version = again(amelie).version
    # What a browser sends: a disabled box not at all, and here nothing else is ticked either.
    sent = client.post(
        url,
        {"seen": version, "recording": "off", "srtp": "disabled", "pin_protect_seconds": "60", "sip_id": ""},
    )
    assert sent.status_code == 302
    assert again(amelie).recordings_controllable
    assert not again(amelie).block_remote


@pytest.mark.parametrize(
    "column",
    [
        "ms365_teams",
        "ms365_calendar",
        "ms365_sso",
        "ms365_contacts",
        "google_sso",
        "google_contacts",
        "google_calendar",
    ],
)
def test_integrations_are_there_only_where_the_customer_has_them(client, felix, amelie, boreale, column):
    url = reverse("user_tab", args=["boreale", "101", "options"])
    assert f'name="{column}"' not in sign_in_fully(client, felix).get(url).content.decode()
    assert column in plan(felix, boreale, amelie, **{column: False}).rows[0].errors
    Customer.objects.filter(pk=boreale.pk).update(has_microsoft_365=True, has_google=True)
    boreale.refresh_from_db()
    assert f'name="{column}"' in client.get(url).content.decode()
    assert plan(felix, boreale, amelie, **{column: False}).rows[0].outcome == "changed"


def test_saving_the_tab_of_a_customer_without_integrations_keeps_their_switches(client, felix, amelie):
    url = reverse("user_tab", args=["boreale", "101", "options"])
    sign_in_fully(client, felix).post(
        url, {"seen": amelie.version, "recording": "all", "srtp": "disabled", "pin_protect_seconds": "60"}
    )
    assert again(amelie).recording == "all"
    assert again(amelie).ms365_teams


def test_who_may_delete_recordings_sees_them(felix, amelie, boreale):
    edit(felix, boreale, amelie, recordings_deletable=True)
    assert again(amelie).recordings_visible
    assert "recordings_visible" in plan(felix, boreale, amelie, recordings_visible=False).rows[0].errors
    edit(felix, boreale, amelie, recordings_visible=False, recordings_deletable=False)
    assert not again(amelie).recordings_visible


@pytest.mark.parametrize("typed", ["4", "86401", "-1", "abc", "6e1", "", "٦٠"])
def test_the_pin_window_has_sensible_limits(felix, amelie, boreale, typed):
    row = plan(felix, boreale, amelie, pin_protect_seconds=typed).rows[0]
    assert row.outcome in ("refused", "unchanged")


def test_a_sip_id_is_one_persons(felix, amelie, ines, boreale):
    edit(felix, boreale, amelie, sip_id="Accueil")
    assert "sip_id" in plan(felix, boreale, ines, sip_id="accueil").rows[0].errors
    assert "sip_id" in plan(felix, boreale, ines, sip_id="a@b").rows[0].errors


def test_a_disabled_person_is_signed_out_and_stays_out(client, felix, amelie, boreale):
    sign_in_fully(client, amelie)
    assert client.get(reverse("own_page")).status_code == 200
    edit(felix, boreale, amelie, disabled=True)
    assert client.get(reverse("own_page")).status_code == 302
    assert not client.login(username="101@boreale.example.com", password="Boréale-2026-matin")


def test_who_is_hidden_is_in_no_directory(felix, amelie, boreale):
    everybody = User.objects.of(boreale).filter(rights.in_directory())
    assert amelie in everybody
    edit(felix, boreale, amelie, hidden=True)
    assert amelie not in everybody.all()


def test_forwarding_rules_are_hidden_from_their_person_not_from_administrators(felix, amelie, boreale):
    edit(felix, boreale, amelie, hide_forwarding=True)
    edit(felix, boreale, felix, hide_forwarding=True)
    assert not rights.sees_own_forwarding(again(amelie))
    assert rights.sees_own_forwarding(again(felix))


# --- Visualiser -------------------------------------------------------------------------------------------------
def test_a_view_of_another_department_makes_no_member(felix, amelie, boreale):
    edit(felix, boreale, amelie, visibility=[[soins(boreale).pk, "", "yes", "", ""]])
    assert Visibility.objects.get(user=amelie).see_presence is True
    assert list(Membership.objects.filter(user=amelie).values_list("department__name", flat=True)) == [
        "Accueil"
    ]


def test_what_says_nothing_is_no_row_and_no_change(felix, amelie, boreale):
    row = edit(felix, boreale, amelie, visibility=[[soins(boreale).pk, "", "", "", ""]])
    assert row.outcome == "unchanged"
    assert not Visibility.objects.filter(user=amelie).exists()


def test_leaving_a_department_forgets_what_was_forced_there_and_undo_brings_it_back(felix, amelie, boreale):
    from users.road import undo

    accueil = Department.objects.of(boreale).get(name="Accueil")
    edit(
        felix,
        boreale,
        amelie,
        departments=["Accueil", "Soins"],
        visibility=[[soins(boreale).pk, None, None, True, None], [accueil.pk, False, None, None, None]],
    )
    made = plan(felix, boreale, amelie, departments=["Accueil"])
    operation = road.apply(made, FACTS)
    assert list(Visibility.objects.filter(user=amelie).values_list("department", flat=True)) == [accueil.pk]
    undo.undo(felix, boreale, operation, FACTS)
    assert Visibility.objects.filter(user=amelie, department=soins(boreale), see_calls=True).exists()


@pytest.mark.parametrize(
    "bad", [[["x", "", "", "", ""]], [[1]], ["abc"], [[10**20, "yes", "", "", ""]], [[0, "yes", "", "", ""]]]
)
def test_a_view_of_nothing_that_exists_is_refused(felix, amelie, boreale, bad):
    assert plan(felix, boreale, amelie, visibility=bad).rows[0].errors["visibility"]


def test_another_customers_department_can_not_be_granted(felix, amelie, boreale, laurier):
    assert (
        plan(felix, boreale, amelie, visibility=[[soins(laurier).pk, "yes", "", "", ""]])
        .rows[0]
        .errors["visibility"]
    )


def test_a_department_administrator_opens_the_view_of_his_own_departments_only(ines, boreale):
    person = make_user(boreale, "150", "Olivier", "Bélanger", department="Soins")
    accueil = Department.objects.of(boreale).get(name="Accueil")
    assert (
        plan(ines, boreale, person, visibility=[[soins(boreale).pk, "", "", "yes", ""]]).rows[0].outcome
        == "changed"
    )
    assert (
        plan(ines, boreale, person, visibility=[[accueil.pk, "", "", "yes", ""]]).rows[0].errors["visibility"]
    )


def test_a_department_administrators_save_keeps_what_others_granted(client, ines, felix, boreale):
    person = make_user(boreale, "150", "Olivier", "Bélanger", department="Soins")
    accueil = Department.objects.of(boreale).get(name="Accueil")
    edit(felix, boreale, person, visibility=[[accueil.pk, None, True, None, None]])
    url = reverse("user_tab", args=["boreale", "150", "visualiser"])
    page = sign_in_fully(client, ines).get(url).content.decode()
    assert f'<input type="hidden" name="visibility-{accueil.pk}-see_presence" value="yes">' in page
    data = {
        f"visibility-{accueil.pk}-see_presence": "yes",
        f"visibility-{soins(boreale).pk}-see_calls": "yes",
        "seen": again(person).version,
    }
    assert client.post(url, data).status_code == 302
    assert Visibility.objects.filter(user=person).count() == 2


def test_the_tab_shows_what_is_inherited_and_answers_live(client, felix, amelie, boreale):
    make_user(boreale, "150", "Olivier", "Bélanger", department="Soins")
    url = reverse("user_tab", args=["boreale", "101", "visualiser"])
    page = sign_in_fully(client, felix).get(url).content.decode()
    assert "Olivier" not in page.split('id="answer"')[1]
    answer = client.post(
        reverse("visualiser_answer", args=["boreale", "101"]),
        {f"visibility-{soins(boreale).pk}-see_calls": "yes"},
    )
    assert "Olivier Bélanger" in answer.content.decode()
    assert not Visibility.objects.exists(), "only asked, nothing saved"


def test_a_copy_of_a_stale_matrix_tells_what_the_other_saved(client, felix, amelie, boreale):
    url = reverse("user_tab", args=["boreale", "101", "visualiser"])
    version = again(amelie).version
    edit(felix, boreale, amelie, visibility=[[soins(boreale).pk, None, True, None, None]])
    answer = sign_in_fully(client, felix).post(
        url, {f"visibility-{soins(boreale).pk}-see_calls": "yes", "seen": version}
    )
    assert answer.status_code == 409
    assert "Félix Gagnon" in answer.content.decode()


@pytest.mark.parametrize("tab", ["general", "talk", "options", "visualiser"])
def test_a_tab_opens_within_twelve_queries(
    client, felix, amelie, boreale, tab, django_assert_max_num_queries
):
    for place in range(6):
        make_user(boreale, f"16{place}", "Personne", str(place), department="Soins")
    sign_in_fully(client, felix).get(reverse("users", args=["boreale"]))
    with django_assert_max_num_queries(12):
        client.get(reverse("user_tab", args=["boreale", "101", tab]))
