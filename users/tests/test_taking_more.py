"""Taking more than one has: by what a form doesn't offer, by an undo, by a department, by a link that should be dead."""

import pytest
from django.test import Client
from django.urls import reverse

from signin import credentials as signin
from signin.tests.signing import sign_in_fully
from users import road
from users.company.sheets import customer_sheet, department_sheet
from users.mail import links
from users.models import Customer, Department, PersonalLink, User
from users.people.sections import user_sheet
from users.road import undo
from users.tests.factories import FACTS, make_user
from users.tests.test_customer_pages import department
from users.tests.test_pages import posted
from users.tests.test_undo import again, edit, url

pytestmark = pytest.mark.slow("pages and previews over many people")


@pytest.fixture
def marc(boreale) -> User:
    """Marc Roy, 110, a plain user of Soins."""
    return make_user(boreale, "110", "Marc", "Roy", department="Soins", email="marc@boreale.example")


def path_of(link: str) -> str:
    return link[link.index("/set-password") :]


# --- By a form ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("tab", ["general", "talk", "visualiser", "options"])
def test_what_a_tab_does_not_offer_is_not_assigned(ines, marc, laurier, tab):
    client = sign_in_fully(Client(), ines)
    at = reverse("user_tab", args=["boreale", "110", tab])
    facts = dict(client.get(at).context["form"].initial)
    assert "password" not in facts
    before = User.objects.filter(pk=marc.pk).values().get()
    stolen = {
        "is_staff": "1", "is_superuser": "1", "customer": str(laurier.pk), "customer_id": str(laurier.pk), "password": "x", "number": "911",
        "sip_password": "x", "sip_auth_id": "102", "sessions_epoch": "9", "version": "9", "id": "1", "pk": "1",
    }  # fmt: skip
    answer = client.post(at, posted(client.get(at).content.decode()) | stolen)
    assert answer.status_code == 302
    after = User.objects.filter(pk=marc.pk).values().get()
    assert {name: after[name] for name in before if name in stolen} == {
        name: before[name] for name in before if name in stolen
    }
    assert after["version"] == before["version"], "nothing that the tab offers was changed"


# --- By an undo ---------------------------------------------------------------------------------------------------
def test_nobody_gives_back_a_role_above_his_own_by_an_undo(boreale, felix, ines):
    luc = make_user(boreale, "105", "Luc", "Roy", role="system_admins", department="Soins")
    demoted = edit(felix, boreale, luc, role="users")
    assert sign_in_fully(Client(), ines).post(url(demoted)).status_code == 409
    assert again(luc).role_id == "users"


def test_nobody_takes_back_what_was_taken_from_himself(boreale, felix, ines):
    accueil, soins = department(boreale, "Accueil").pk, department(boreale, "Soins").pk
    edit(felix, boreale, ines, role="system_admins", departments=[soins, accueil])
    demoted = edit(felix, boreale, ines, role="group_admins")
    left = edit(felix, boreale, ines, departments=[soins])
    client = sign_in_fully(Client(), again(ines))
    for operation in (demoted, left):
        assert client.post(url(operation)).status_code == 409
    assert again(ines).role_id == "group_admins"
    assert again(ines).department_ids == {soins}


def test_who_was_moved_away_is_not_fetched_back_by_an_undo(boreale, felix, ines, marc):
    accueil = department(boreale, "Accueil").pk
    moved = edit(felix, boreale, marc, primary_department=accueil, departments=[accueil])
    client = sign_in_fully(Client(), ines)
    assert client.get(url(moved)).status_code == 403
    assert client.post(url(moved)).status_code == 403


@pytest.mark.parametrize("which", ["contract", "caller ID"])
def test_what_support_has_set_is_not_undone_by_the_customer(boreale, felix, staff, which):
    soins = department(boreale, "Soins")
    sheet, record, values = {
        "contract": (customer_sheet(), boreale, {"included_extensions": "5"}),
        "caller ID": (department_sheet(), soins, {"outbound_caller_id": "+15145550199"}),
    }[which]
    done = road.apply(road.plan(staff, boreale, sheet, [road.Row(record.pk, values)]), FACTS)
    assert sign_in_fully(Client(), felix).post(url(done)).status_code == 409
    assert Customer.objects.get(pk=boreale.pk).included_extensions == (5 if which == "contract" else 25)
    with pytest.raises(undo.NotUndoableError):
        undo.undo(felix, Customer.objects.get(pk=boreale.pk), done, FACTS)


# --- By a department ----------------------------------------------------------------------------------------------
def test_another_customers_keys_mean_nobody_in_the_forms_of_a_department(boreale, laurier, felix, marc):
    rosalie = make_user(laurier, "201", "Rosalie", "Beaulieu")
    theirs = Department.objects.of(laurier).first()
    soins = department(boreale, "Soins")
    client = sign_in_fully(Client(), felix)
    members = reverse("department_tab", args=["boreale", soins.pk, "members"])
    client.post(members, {"do": "remove", "person": str(rosalie.pk)})
    assert rosalie.memberships.count() == 1
    answer = client.post(
        reverse("department_delete", args=["boreale", soins.pk]),
        {"confirm": "Soins", "replacement": str(theirs.pk)},
    )
    assert answer.status_code == 422
    assert Department.objects.filter(pk=soins.pk).exists()
    assert again(marc).primary_department_id == soins.pk


def test_nobody_makes_himself_a_member_of_another_department(boreale, ines):
    accueil = department(boreale, "Accueil").pk
    client = sign_in_fully(Client(), ines)
    assert (
        client.post(reverse("department_tab", args=["boreale", accueil, "members"]), {"do": "add", "numbers": "103"}).status_code
        == 403
    )  # fmt: skip
    plan = road.plan(ines, boreale, user_sheet(), [road.Row(ines.pk, {"departments": [accueil]})])
    assert plan.refused


# --- By a link ----------------------------------------------------------------------------------------------------
def test_a_link_to_set_a_password_dies_with_the_address_that_it_went_to(boreale, felix, marc):
    link = path_of(signin.set_password_link(marc))
    assert Client().get(link).status_code == 302
    edit(felix, boreale, marc, email="autre@boreale.example")
    assert Client().get(link).status_code == 404


def test_a_link_that_is_open_already_sets_nothing_once_its_person_is_disabled(boreale, felix, marc):
    client = Client()
    form = client.get(path_of(signin.set_password_link(marc))).headers["Location"]
    edit(felix, boreale, marc, disabled=True)
    typed = {"new_password": "Zx-9kkwoq2!aa", "repeated": "Zx-9kkwoq2!aa"}
    assert client.post(form, typed).status_code == 404
    assert not again(marc).has_usable_password()


def test_an_apps_link_gives_nothing_while_its_person_is_disabled(boreale, felix, marc):
    link = links.reveal(felix, boreale, again(marc), PersonalLink.Kind.APP, FACTS)
    at = reverse("app_config", args=[link.token])
    assert Client().get(at).status_code == 200
    edit(felix, boreale, marc, disabled=True)
    assert Client().get(at).status_code == 404


# --- By the support desk ------------------------------------------------------------------------------------------
@pytest.mark.parametrize("query", [
    "password__startswith=a", "sip_password__startswith=a", "customer__users__password__startswith=a", "_to_field=password",
    "customer__id__in=1,2,999999999999999999999999", "department=1",
])  # fmt: skip
def test_a_list_of_the_desk_is_asked_only_what_it_offers(staff, query):
    assert sign_in_fully(Client(), staff).get(f"/support/users/user/?{query}").status_code == 400


@pytest.mark.parametrize(
    "address",
    ["/support/", "/support/users/user/", "/support/login/?next=//evil.example", "/support/logout/"],
)
def test_the_desk_lets_nobody_out_or_in_by_its_own_doors(felix, address):
    assert sign_in_fully(Client(), felix).get(address).status_code == 403
    assert Client().get(address).headers["Location"].startswith("/sign-in?next=%2Fsupport%2F")
