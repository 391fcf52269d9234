"""The pages of what belongs to a customer as a whole: who sees and changes what, and what is refused."""

import re

import pytest
from django.urls import reverse

from signin.tests.signing import sign_in_fully
from users import road
from users.company.sheets import customer_sheet, department_sheet, did_sheet, system_extension_sheet
from users.models import Change, Department, Did, SystemExtension, User
from users.people.sections import user_sheet
from users.tests.factories import FACTS, make_user

pytestmark = pytest.mark.slow("many pages for each role")

ROLES = [
    "users",
    "receptionists",
    "group_admins",
    "managers",
    "group_owners",
    "system_admins",
    "system_owners",
]
DEPARTMENT_ROLES, WHOLE_ROLES = ROLES[2:5], ROLES[5:]


def department(customer, name="Soins"):
    return Department.objects.of(customer).get(name=name)


def write(actor, customer, sheet, key, **values):
    """Plan and apply one row; the planned row, refused or written."""
    plan = road.plan(actor, customer, sheet, [road.Row(key, values)])
    if not plan.refused:
        road.apply(plan, FACTS)
    return plan.rows[0]


@pytest.fixture
def group(boreale, staff, amelie):
    """Ring group 150 with Amélie."""
    return write(
        staff,
        boreale,
        system_extension_sheet(),
        None,
        number="150",
        name="Accueil",
        kind="ring_group",
        members=[amelie.pk],
    ).record


@pytest.fixture
def addresses(boreale, group):
    """Every page of a customer as a whole, by name."""
    one, did = department(boreale), Did.objects.of(boreale).first()
    return {
        "department_list": reverse("department_list", args=["boreale"]),
        "department_new": reverse("department_new", args=["boreale"]),
        "department_tab": reverse("department_tab", args=["boreale", one.pk, "general"]),
        "department_members": reverse("department_tab", args=["boreale", one.pk, "members"]),
        "department_delete": reverse("department_delete", args=["boreale", one.pk]),
        "did_list": reverse("did_list", args=["boreale"]),
        "did_new": reverse("did_new", args=["boreale"]),
        "did_tab": reverse("did_tab", args=["boreale", did.pk, "general"]),
        "did_delete": reverse("did_delete", args=["boreale", did.pk]),
        "system_extension_list": reverse("system_extension_list", args=["boreale"]),
        "system_extension_new": reverse("system_extension_new", args=["boreale"]),
        "system_extension_tab": reverse("system_extension_tab", args=["boreale", group.pk, "general"]),
        "system_extension_delete": reverse("system_extension_delete", args=["boreale", group.pk]),
        "security": reverse("customer_settings", args=["boreale", "security"]),
        "contract": reverse("customer_settings", args=["boreale", "contract"]),
        "roles": reverse("roles", args=["boreale"]),
    }


SEEN_BY_ALL = {
    "department_list",
    "department_tab",
    "department_members",
    "did_list",
    "did_tab",
    "system_extension_list",
    "system_extension_tab",
    "roles",
}
SEEN_BY_SUPPORT = {"did_new", "did_delete"}


@pytest.mark.parametrize("role", [*ROLES, "support"])
def test_who_opens_which_page(client, boreale, staff, addresses, role):
    actor = (
        staff if role == "support" else make_user(boreale, "180", "Rôle", role, role=role, department="Soins")
    )
    sign_in_fully(client, actor)
    for name, address in addresses.items():
        if role in ("users", "receptionists"):
            expected = 403
        elif role == "support" or name in SEEN_BY_ALL:
            expected = 200
        else:
            expected = 200 if role in WHOLE_ROLES and name not in SEEN_BY_SUPPORT else 403
        assert client.get(address).status_code == expected, (role, name)


def test_another_customers_pages_do_not_exist(client, laurier, addresses):
    stranger = make_user(laurier, "201", role="system_owners")
    sign_in_fully(client, stranger)
    for address in addresses.values():
        assert client.get(address).status_code == 404, address
        assert client.post(address, {"confirm": "x"}).status_code in (404, 405), address


def test_another_customers_rows_do_not_exist_under_ones_own_address(client, boreale, laurier, felix):
    sign_in_fully(client, felix)
    theirs = department(laurier)
    assert client.get(reverse("department_tab", args=["boreale", theirs.pk, "general"])).status_code == 404
    assert (
        client.post(
            reverse("department_delete", args=["boreale", theirs.pk]), {"confirm": "Soins"}
        ).status_code
        == 404
    )
    assert client.get(reverse("department_tab", args=["boreale", 2**70, "general"])).status_code == 404


@pytest.mark.parametrize("role", DEPARTMENT_ROLES)
def test_an_administrator_of_departments_writes_nothing_of_the_customers(client, boreale, role, group):
    actor = make_user(boreale, "180", "Rôle", role, role=role, department="Soins")
    sign_in_fully(client, actor)
    one = department(boreale)
    answer = client.post(
        reverse("department_tab", args=["boreale", one.pk, "general"]), {"name": "Autre", "seen": one.version}
    )
    assert answer.status_code == 403
    assert client.post(reverse("department_new", args=["boreale"]), {"name": "Autre"}).status_code == 403
    assert (
        client.post(
            reverse("system_extension_delete", args=["boreale", group.pk]), {"confirm": str(group)}
        ).status_code
        == 403
    )
    for sheet, key in (
        (department_sheet(), one.pk),
        (system_extension_sheet(), group.pk),
        (did_sheet(), Did.objects.of(boreale).first().pk),
    ):
        assert write(actor, boreale, sheet, key, name="Autre").refusal
        assert write(actor, boreale, sheet, None, name="Autre").refusal
        assert road.plan_removal(actor, boreale, sheet, [key]).refusals
    assert write(actor, boreale, customer_sheet(), boreale.pk, require_2fa="oui").refusal


def test_an_administrator_of_departments_sees_his_own_ones_only(client, boreale, ines):
    sign_in_fully(client, ines)
    page = client.get(reverse("department_list", args=["boreale"])).content.decode()
    assert "Soins" in page
    assert "Accueil</a>" not in page
    assert (
        client.get(
            reverse("department_tab", args=["boreale", department(boreale, "Accueil").pk, "general"])
        ).status_code
        == 403
    )


def test_a_department_is_created_changed_and_in_the_history(client, boreale, felix):
    sign_in_fully(client, felix)
    answer = client.post(
        reverse("department_new", args=["boreale"]),
        {"name": "Direction", "language": "en", "time_zone": "America/Vancouver", "talk_ask": "name_email"},
    )
    made = department(boreale, "Direction")
    assert answer.url == reverse("department_tab", args=["boreale", made.pk, "general"])
    client.post(
        answer.url,
        {
            "name": "Direction",
            "language": "fr-CA",
            "time_zone": "America/Vancouver",
            "talk_name": "direction",
            "talk_ask": "name",
            "seen": "1",
        },
    )
    made.refresh_from_db()
    assert (made.language, made.talk_name, made.talk_ask, made.version) == ("fr-CA", "direction", "name", 2)
    rows = Change.objects.filter(model="users.department", object_pk=made.pk).order_by("id")
    assert [(row.kind, row.operation.actor_pk, row.subject_pk) for row in rows] == [
        ("create", felix.pk, None),
        ("edit", felix.pk, None),
    ]
    page = client.get(reverse("history", args=["boreale"])).content.decode()
    assert "Direction" in page


def test_the_caller_id_of_a_department_is_support_staffs(client, boreale, felix, staff):
    one = department(boreale)
    row = write(felix, boreale, department_sheet(), one.pk, outbound_caller_id="514 555-0199")
    assert "outbound_caller_id" in row.errors
    assert (
        write(
            felix,
            boreale,
            department_sheet(),
            one.pk,
            outbound_caller_id=one.outbound_caller_id,
            name="Soins 2",
        ).outcome
        == "changed"
    )
    sign_in_fully(client, felix)
    page = client.get(reverse("department_tab", args=["boreale", one.pk, "general"])).content.decode()
    assert "id_outbound_caller_id_locked" in page
    client.post(
        reverse("department_tab", args=["boreale", one.pk, "general"]),
        {
            "name": "Soins 3",
            "language": "fr-CA",
            "time_zone": "America/Toronto",
            "outbound_caller_id": "514 555-0199",
            "talk_ask": "name_email",
            "seen": "2",
        },
    )
    one.refresh_from_db()
    assert (one.name, one.outbound_caller_id) == ("Soins 3", "+15145550100")
    row = write(staff, boreale, department_sheet(), one.pk, outbound_caller_id="514 555-0199")
    assert row.outcome == "changed"
    assert row.warnings["outbound_caller_id"], "it isn't one of the customer's numbers"


def test_what_somebody_else_saved_meanwhile_is_shown_and_nothing_typed_is_lost(client, boreale, felix, staff):
    one = department(boreale)
    write(staff, boreale, department_sheet(), one.pk, language="en")
    sign_in_fully(client, felix)
    answer = client.post(
        reverse("department_tab", args=["boreale", one.pk, "general"]),
        {
            "name": "Soins infirmiers",
            "language": "fr-CA",
            "time_zone": "America/Toronto",
            "talk_name": "",
            "seen": "1",
        },
    )
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Solange Soutien" in page
    assert 'value="Soins infirmiers"' in page
    assert '<option value="en" selected>' in page, (
        "he hadn't touched the language: the other's value stands there"
    )
    assert 'name="seen" value="2"' in page
    one.refresh_from_db()
    assert one.name == "Soins"


@pytest.mark.parametrize("name", ["Accueil", "ACCUEIL", "accueil"])
def test_two_departments_are_not_called_the_same(boreale, felix, name):
    assert "name" in write(felix, boreale, department_sheet(), None, name=name).errors


def test_a_talk_link_leads_to_one_place(boreale, felix, amelie):
    write(felix, boreale, department_sheet(), department(boreale).pk, talk_name="clinique")
    queue = {"number": "160", "name": "File", "kind": "queue"}
    assert (
        "talk_name"
        in write(felix, boreale, system_extension_sheet(), None, **queue, talk_name="Clinique").errors
    )
    assert write(felix, boreale, system_extension_sheet(), None, **queue, talk_name="file").outcome == "new"
    assert (
        "talk_name"
        in write(
            felix, boreale, department_sheet(), department(boreale, "Accueil").pk, talk_name="FILE"
        ).errors
    )
    assert (
        "talk_name"
        in write(
            felix,
            boreale,
            system_extension_sheet(),
            None,
            number="161",
            name="Répondeur",
            kind="ivr",
            talk_name="choix",
        ).errors
    )


@pytest.mark.parametrize("name", ["meet", "Language", "static"])
def test_a_link_that_the_customers_host_answers_itself_is_no_places_either(boreale, felix, name):
    assert (
        "talk_name"
        in write(felix, boreale, department_sheet(), department(boreale).pk, talk_name=name).errors
    )
    group = {"number": "162", "name": "Groupe", "kind": "ring_group", "talk_name": name}
    assert "talk_name" in write(felix, boreale, system_extension_sheet(), None, **group).errors


def test_a_places_page_shows_both_addresses_of_its_link_and_whom_requests_reach(
    client, boreale, felix, settings
):
    settings.PUBLIC_URL = "https://portail.example.com"
    make_user(boreale, "111", "Zoé", "Lavoie", department="Soins", email="zoe@boreale.example")
    write(felix, boreale, department_sheet(), department(boreale).pk, talk_name="soins")
    group = {"number": "162", "name": "Groupe", "kind": "ring_group", "talk_name": "groupe"}
    made = write(felix, boreale, system_extension_sheet(), None, **group).record
    sign_in_fully(client, felix)
    page = client.get(
        reverse("department_tab", args=["boreale", department(boreale).pk, "general"])
    ).content.decode()
    for address in ("https://boreale.example.com/soins", "https://portail.example.com/talk/boreale/soins"):
        assert f'data-copy-text="{address}"' in page
    assert "111 Zoé Lavoie" in page
    empty = client.get(reverse("system_extension_tab", args=["boreale", made.pk, "general"])).content.decode()
    assert 'data-copy-text="https://boreale.example.com/groupe"' in empty
    assert "ne répond pas" in empty, "nobody of the group can be told"
    without = department(boreale, "Accueil").pk
    assert (
        "talk-url"
        not in client.get(reverse("department_tab", args=["boreale", without, "general"])).content.decode()
    )


def test_a_primary_department_is_not_deleted_without_a_replacement(client, boreale, felix, ines):
    sign_in_fully(client, felix)
    one = department(boreale)
    address = reverse("department_delete", args=["boreale", one.pk])
    page = client.get(address).content.decode()
    assert "103 Inès Roy" in page
    assert client.post(address, {"confirm": "Soins"}).status_code == 422
    assert client.post(address, {"confirm": "Soins", "replacement": one.pk}).status_code == 422
    other = department(boreale, "Accueil")
    assert client.post(address, {"confirm": "autre", "replacement": other.pk}).status_code == 422
    assert Department.objects.filter(pk=one.pk).exists()
    answer = client.post(address, {"confirm": "Soins", "replacement": other.pk})
    assert answer.url == reverse("department_list", args=["boreale"])
    ines.refresh_from_db()
    assert ines.primary_department_id == other.pk
    assert set(ines.memberships.values_list("department", flat=True)) == {other.pk}
    assert not Department.objects.filter(pk=one.pk).exists()
    assert {"users.user", "users.department"} <= set(Change.objects.values_list("model", flat=True))
    assert (
        client.post(
            reverse("department_delete", args=["boreale", other.pk]), {"confirm": "Accueil"}
        ).status_code
        == 422
    ), "the last one stays"


def test_a_replacement_that_may_not_be_moved_into_leaves_everything_as_it_was(
    client, boreale, laurier, felix, ines
):
    make_user(boreale, "104", "Olive", role="system_owners", department="Soins")
    admin = make_user(boreale, "105", "Ada", role="system_admins")
    sign_in_fully(client, admin)
    one = department(boreale)
    answer = client.post(
        reverse("department_delete", args=["boreale", one.pk]),
        {"confirm": "Soins", "replacement": department(boreale, "Accueil").pk},
    )
    assert answer.status_code == 422, "an owner is above him"
    ines.refresh_from_db()
    assert ines.primary_department_id == one.pk
    answer = client.post(
        reverse("department_delete", args=["boreale", one.pk]),
        {"confirm": "Soins", "replacement": department(laurier).pk},
    )
    assert answer.status_code == 422


def test_members_come_and_go_as_changes_of_these_people(client, boreale, felix, amelie):
    sign_in_fully(client, felix)
    one = department(boreale)
    address = reverse("department_tab", args=["boreale", one.pk, "members"])
    assert client.post(address, {"do": "add", "numbers": "101, 199"}).status_code == 422
    assert client.post(address, {"do": "add", "numbers": "101"}).status_code == 302
    assert one.pk in amelie.memberships.values_list("department", flat=True)
    assert (
        Change.objects.filter(model="users.user", object_pk=amelie.pk, operation__actor_pk=felix.pk).count()
        == 1
    )
    assert client.post(address, {"do": "remove", "person": amelie.pk}).status_code == 302
    assert one.pk not in amelie.memberships.values_list("department", flat=True)
    assert client.post(address, {"do": "remove", "person": "x"}).status_code == 302


def test_a_department_administrator_adds_to_his_department_only_whom_he_administers(
    client, boreale, ines, amelie
):
    sign_in_fully(client, ines)
    address = reverse("department_tab", args=["boreale", department(boreale).pk, "members"])
    assert client.post(address, {"do": "add", "numbers": amelie.number}).status_code == 422


def test_numbers_are_support_staffs_and_their_names_the_customers(boreale, felix, staff):
    did = Did.objects.of(boreale).first()
    assert write(felix, boreale, did_sheet(), did.pk, name="Campagne").outcome == "changed"
    assert "number" in write(felix, boreale, did_sheet(), did.pk, number="514 555-0999").errors
    assert write(felix, boreale, did_sheet(), None, number="514 555-0999").refusal
    assert road.plan_removal(felix, boreale, did_sheet(), [did.pk]).refusals
    row = write(staff, boreale, did_sheet(), None, number="(514) 555-0999", name="Neuve")
    assert Did.objects.get(pk=row.key).number == "+15145550999"


@pytest.mark.parametrize("typed", ["", "abc", "911", "*72", "514555", "5,15E+09"])
def test_what_is_no_public_number_is_refused(boreale, staff, typed):
    assert "number" in write(staff, boreale, did_sheet(), None, number=typed).errors


def test_a_number_is_there_once_in_the_portal_and_only_support_hears_where(boreale, laurier, staff):
    theirs = Did.objects.of(laurier).first()
    assert "Laurier" in write(staff, boreale, did_sheet(), None, number=theirs.number).errors["number"][0]
    plan = road.plan(
        staff,
        boreale,
        did_sheet(),
        [road.Row(None, {"number": "514 555-0777"}), road.Row(None, {"number": "5145550777"})],
    )
    assert len(plan.refused) == 2


def test_a_number_is_assigned_moved_and_freed_as_a_change_of_people(client, boreale, felix, amelie, ines):
    sign_in_fully(client, felix)
    did = Did.objects.of(boreale).first()
    address = reverse("did_assign", args=["boreale", did.pk])
    for typed, holder in (("101", amelie), ("103", ines), ("199", ines), ("", None)):
        client.post(address, {"extension": typed})
        did.refresh_from_db()
        assert did.user == holder, typed
    kinds = Change.objects.filter(model="users.user", operation__actor_pk=felix.pk).values_list(
        "object_pk", flat=True
    )
    assert list(kinds.order_by("id")) == [amelie.pk, amelie.pk, ines.pk, ines.pk]


def test_a_number_of_somebody_above_is_not_taken_from_him(client, boreale, felix, amelie):
    did = Did.objects.of(boreale).first()
    write(felix, boreale, user_sheet(), felix.pk, dids=[did.pk])
    admin = make_user(boreale, "105", "Ada", role="system_admins")
    sign_in_fully(client, admin)
    client.post(reverse("did_assign", args=["boreale", did.pk]), {"extension": "101"})
    did.refresh_from_db()
    assert did.user == felix


def test_deleting_a_number_says_whom_it_rings_and_whose_caller_id_it_is(client, boreale, staff, amelie):
    did = Did.objects.of(boreale).first()
    write(staff, boreale, user_sheet(), amelie.pk, dids=[did.pk])
    write(staff, boreale, department_sheet(), department(boreale).pk, outbound_caller_id=did.number)
    losses = " ".join(road.plan_removal(staff, boreale, did_sheet(), [did.pk]).losses[did.pk])
    assert "101 Amélie Tremblay" in losses
    assert "Soins" in losses
    sign_in_fully(client, staff)
    address = reverse("did_delete", args=["boreale", did.pk])
    assert "101 Amélie Tremblay" in client.get(address).content.decode()
    shown = f"{did.number[2:5]} {did.number[5:8]}-{did.number[8:]}"
    assert client.post(address, {"confirm": shown}).status_code == 302
    assert not Did.objects.filter(pk=did.pk).exists()


def test_people_and_the_system_share_their_extensions(boreale, staff, amelie, group):
    assert (
        "number" in write(staff, boreale, system_extension_sheet(), None, number="101", name="Groupe").errors
    )
    plan = road.plan(
        staff,
        boreale,
        user_sheet(),
        [road.Row(None, {"number": "150", "first_name": "Zoé", "primary_department": "Soins"})],
    )
    assert "number" in plan.rows[0].errors
    twice = road.plan(
        staff,
        boreale,
        system_extension_sheet(),
        [road.Row(None, {"number": "155", "name": name}) for name in "ab"],
    )
    assert len(twice.refused) == 2


def test_the_first_free_extension_passes_over_those_of_the_system(boreale, staff):
    for number in ("100", "101"):
        write(staff, boreale, system_extension_sheet(), None, number=number, name=f"Groupe {number}")
    assert make_user(boreale).number == "102"


@pytest.mark.parametrize("number", ["", "15", "1500", "911", "777", "050", "abc"])
def test_a_system_extension_has_a_possible_number(boreale, staff, number):
    assert (
        "number" in write(staff, boreale, system_extension_sheet(), None, number=number, name="Groupe").errors
    )


def test_members_of_a_system_extension_are_the_customers_people(
    boreale, laurier, staff, amelie, felix, group
):
    stranger = make_user(laurier, "201")
    assert (
        "members" in write(staff, boreale, system_extension_sheet(), group.pk, members=[stranger.pk]).errors
    )
    assert "members" in write(staff, boreale, system_extension_sheet(), group.pk, members="101, 201").errors
    row = write(staff, boreale, system_extension_sheet(), group.pk, members="101, 102")
    assert row.changes["members"] == ((amelie.pk,), tuple(sorted((amelie.pk, felix.pk))))
    assert set(group.members.all()) == {amelie, felix}
    assert "members" in write(staff, boreale, system_extension_sheet(), group.pk, kind="ivr").errors
    assert (
        write(staff, boreale, system_extension_sheet(), group.pk, kind="ivr", members=[]).outcome == "changed"
    )


def test_deleting_a_person_says_which_ring_groups_he_leaves(boreale, staff, amelie, group):
    removal = road.plan_removal(staff, boreale, user_sheet(), [amelie.pk])
    assert any("150 Accueil" in sentence for sentence in removal.losses[amelie.pk])
    road.remove(removal, FACTS)
    assert group.members.count() == 0


def test_the_contract_is_read_by_the_customer_and_written_by_support(client, boreale, felix, staff):
    sign_in_fully(client, felix)
    address = reverse("customer_settings", args=["boreale", "contract"])
    page = client.get(address).content.decode()
    assert "boreale.example.com" in page
    assert "data-save" not in page.split("save-bar")[-1] or "save-bar" not in page
    assert client.post(address, {"included_extensions": "999", "seen": "1"}).status_code == 403
    for name, value in {
        "included_extensions": "999",
        "edition": "enterprise",
        "fqdn": "x.example.com",
        "suspended": "oui",
        "extension_digits": "4",
        "name": "Autre",
        "supports_deflection": "oui",
        "sip_trunk_channels": "50",
    }.items():
        assert name in write(felix, boreale, customer_sheet(), boreale.pk, **{name: value}).errors, name
    assert write(staff, boreale, customer_sheet(), boreale.pk, included_extensions="30").outcome == "changed"
    assert (
        Change.objects.filter(model="users.customer", object_pk=boreale.pk).get().operation.customer
        == boreale
    )


def test_two_factors_for_everybody_is_the_customers_own_to_decide(client, boreale, felix):
    sign_in_fully(client, felix)
    client.post(
        reverse("customer_settings", args=["boreale", "security"]), {"require_2fa": "on", "seen": "1"}
    )
    boreale.refresh_from_db()
    assert boreale.require_2fa


def test_the_length_of_extensions_is_fixed_once_there_are_some(boreale, laurier, staff, amelie):
    assert (
        "extension_digits" in write(staff, boreale, customer_sheet(), boreale.pk, extension_digits="4").errors
    )
    assert write(staff, laurier, customer_sheet(), laurier.pk, extension_digits="4").outcome == "changed"


def test_host_names_are_one_customers_and_a_customer_is_never_deleted(boreale, laurier, staff):
    assert "fqdn" in write(staff, boreale, customer_sheet(), boreale.pk, fqdn=laurier.fqdn).errors
    assert "slug" in write(staff, boreale, customer_sheet(), boreale.pk, slug="autre").errors
    assert road.plan_removal(staff, boreale, customer_sheet(), [boreale.pk]).refusals


def test_a_contract_smaller_than_what_is_in_use_is_told(boreale, staff, amelie, felix):
    row = write(staff, boreale, customer_sheet(), boreale.pk, included_extensions="1")
    assert row.warnings["included_extensions"]


def test_the_roles_table_shows_what_the_guide_says(client, boreale, ines):
    sign_in_fully(client, ines)
    page = client.get(reverse("roles", args=["boreale"])).content.decode()
    body = page.split("<tbody>")[1]
    assert body.count("<tr>") == 17
    row = next(row for row in body.split("<tr>") if "chuchotement" in row)
    assert row.count("<td") == 7
    assert row.count("#check") == 3


def test_lists_cost_the_same_for_many_rows(client, boreale, felix, django_assert_max_num_queries):
    sign_in_fully(client, felix)
    road.apply(
        road.plan(
            felix,
            boreale,
            department_sheet(),
            [road.Row(None, {"name": f"Service {place}"}) for place in range(20)],
        ),
        FACTS,
    )
    for name in ("department_list", "did_list", "system_extension_list"):
        with django_assert_max_num_queries(9):
            assert client.get(reverse(name, args=["boreale"])).status_code == 200


def test_a_search_with_anything_in_it_finds_nothing_and_breaks_nothing(client, boreale, felix):
    sign_in_fully(client, felix)
    for name in ("department_list", "did_list", "system_extension_list"):
        for text in ("'\"><script>", "\0", "%", "é" * 500, "\\"):
            assert client.get(reverse(name, args=["boreale"]), {"q": text, "page": "x"}).status_code == 200


def test_a_deleted_system_extension_stays_in_the_history_by_its_name(boreale, staff, group):
    road.remove(road.plan_removal(staff, boreale, system_extension_sheet(), [group.pk]), FACTS)
    assert not SystemExtension.objects.exists()
    assert (
        Change.objects.filter(model="users.systemextension", kind="delete").get().object_name == "150 Accueil"
    )


def made(customer, sheet, **values):
    plan = road.plan(
        User(is_staff=True, staff_level="technician", role_id="users"),
        customer,
        sheet,
        [road.Row(None, values)],
    )
    assert not plan.refused, plan.rows[0].errors
    road.apply(plan, FACTS)
    return plan.rows[0].record


@pytest.mark.parametrize(
    "typed", ["101", "101 Amélie Tremblay", "amelie tremblay", "Amélie Tremblay, 103", "101; 103", "101 103"]
)
def test_members_are_picked_by_name_or_extension(client, boreale, felix, amelie, ines, typed):
    sign_in_fully(client, felix)
    other = made(boreale, department_sheet(), name="Laboratoire")
    address = reverse("department_tab", args=["boreale", other.pk, "members"])
    page = client.get(address).content.decode()
    assert 'list="people"' in page
    assert 'hx-get="/c/boreale/destinations"' in page
    assert client.post(address, {"do": "add", "numbers": typed}).status_code == 302
    found = set(other.memberships.values_list("user__number", flat=True))
    assert found == ({"101", "103"} if "103" in typed else {"101"})


def test_a_name_that_two_people_have_is_asked_for_by_extension(client, boreale, felix, amelie):
    make_user(boreale, "150", "Amélie", "Tremblay")
    sign_in_fully(client, felix)
    other = made(boreale, department_sheet(), name="Laboratoire")
    address = reverse("department_tab", args=["boreale", other.pk, "members"])
    refused = client.post(address, {"do": "add", "numbers": "Amélie Tremblay"})
    assert refused.status_code == 422
    assert not other.memberships.exists()


def test_the_caller_id_is_chosen_from_the_companys_numbers(client, boreale, felix, amelie):
    made(boreale, did_sheet(), number="514 555-0177", name="Ligne directe")
    sign_in_fully(client, felix)
    page = client.get("/c/boreale/users/101/general").content.decode()
    offered = page.split('<datalist id="id_outbound_caller_id_offered">')[1].split("</datalist>")[0]
    assert '<option value="514 555-0177">Ligne directe</option>' in offered
    assert 'list="id_outbound_caller_id_offered"' in page


def test_the_help_of_the_role_leads_to_the_table_of_roles(client, boreale, felix, amelie):
    sign_in_fully(client, felix)
    page = client.get("/c/boreale/users/101/general").content.decode()
    link = re.search(r'<p class="field-help" id="id_role_helptext">.*?<a href="([^"]+)"', page)
    assert link
    assert client.get(link[1]).status_code == 200
