"""The support desk: who comes in, and that everything it writes goes the one road and stands in the customer's history."""

from html import unescape
from html.parser import HTMLParser

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from pbxadmin.common.columns import Scope
from pbxadmin.tests.test_parsed import wrong_in
from phones.selectors import model_of
from phones.tests.factories import make_phone
from signin.tests.signing import enrol, sign_in_fully
from support.admins import SupportAdmin
from support.files import FilesAdmin
from support.road import RoadAdmin
from users import road
from users.company import roles
from users.company.sheets import department_sheet
from users.models import Change, Customer, Department, Did, Operation, Role, SystemExtension, User
from users.people.sections import user_sheet
from users.tests.factories import FACTS, make_staff, make_user

pytestmark = pytest.mark.slow("opens every page of the support desk")

ROLES = ["users", "group_admins", "system_admins", "system_owners"]


@pytest.fixture
def desk(client, staff):
    """A browser of support staff, signed in all the way."""
    return sign_in_fully(client, staff)


@pytest.fixture
def manager(db):
    """Somebody who leads the support."""
    return make_staff("chef@tic.example", staff_level="manager")


@pytest.fixture
def managers_desk(manager):
    """Their browser."""
    return sign_in_fully(Client(), manager)


def test_roles_are_for_managers_of_the_support_to_change(desk, managers_desk):
    address = page("users_role", "change", "managers")
    assert desk.get(address).status_code == 200
    assert "_save" not in desk.get(address).content.decode()
    assert desk.post(address, values_of_role(managers_desk, "managers") | {"level": "44"}).status_code == 403
    assert Role.objects.get(pk="managers").level != 44


class Filled(HTMLParser):
    """What a browser would send of a page's form, as it stands."""

    def __init__(self, text):
        super().__init__()
        self.values, self.select, self.area = {}, None, None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        said = dict(attrs)
        kind, name = said.get("type", "text"), said.get("name")
        if (
            tag == "input"
            and name
            and kind not in ("submit", "button")
            and (kind not in ("checkbox", "radio") or "checked" in said)
        ):
            self.values.setdefault(name, []).append(said.get("value", "on" if kind == "checkbox" else ""))
        elif tag == "select":
            self.select = name
        elif tag == "option" and "selected" in said and self.select:
            self.values.setdefault(self.select, []).append(said.get("value", ""))
        elif tag == "textarea":
            self.area = name
            self.values.setdefault(name, [""])

    def handle_data(self, data):
        if self.area:
            self.values[self.area] = [data]

    def handle_endtag(self, tag):
        if tag == "textarea":
            self.area = None


def filled(desk, address, **changed):
    """The form of a page with some answers changed; None takes one out."""
    values = Filled(desk.get(address).content.decode()).values | changed
    return {name: value for name, value in values.items() if value is not None}


def page(model, kind="changelist", *keys):
    return reverse(f"admin:{model}_{kind}", args=keys)


def parts_of(person):
    """The addresses of somebody's parts."""
    return [
        f"{page('users_user', 'change', person.pk)}?part={section.slug}" for section in user_sheet().sections
    ]


def soins(customer):
    return Department.objects.of(customer).get(name="Soins")


def all_pages(boreale, amelie):
    """One address of every kind that the site has."""
    found = [
        reverse("admin:index"),
        reverse("admin:jsi18n"),
        reverse("admin:autocomplete"),
        reverse("admin:app_list", args=["users"]),
        reverse("admin:reports"),
        reverse("admin:report", args=["phones"]),
        reverse("admin:node_token", args=[1]),
        reverse("admin:undo_for_all", args=[1]),
        reverse("admin:team"),
        reverse("admin:team_member", args=[getattr(User.objects.filter(is_staff=True).first(), "pk", 1)]),
    ]
    for model in admin.site.registered():
        name = f"{model._meta.app_label}_{model._meta.model_name}"
        found += [page(name), page(name, "add")]
        if isinstance(admin.site._registry[model], FilesAdmin):
            found += [page(name, "import"), page(name, "export")]
        first = amelie if model is User else model._default_manager.first()
        if first is not None:
            found += [page(name, kind, first.pk) for kind in ("change", "delete", "history")]
    return found


@pytest.mark.parametrize("role", ROLES)
def test_nobody_of_a_customer_comes_in(client, boreale, amelie, role):
    sign_in_fully(client, make_user(boreale, "180", "Rôle", role, role=role))
    for address in all_pages(boreale, amelie):
        assert client.get(address).status_code == 403, address
        assert client.post(address).status_code == 403, address


def test_the_second_factor_is_asked_first(client, staff, boreale, amelie):
    client.force_login(staff)
    for address in all_pages(boreale, amelie):
        assert "/sign-in/app" in client.get(address).url, "to be set up"
    enrol(staff)
    for address in [*all_pages(boreale, amelie), "/support/login/", "/support/logout/", "/support/nothing/"]:
        for answer in (client.get(address), client.post(address)):
            assert answer.status_code == 302
            assert answer.url.startswith("/sign-in/code"), address


def test_a_stranger_is_sent_to_the_portals_own_sign_in(client, db):
    for address in ("/support/", "/support/login/", "/support/users/user/"):
        assert client.get(address).url.startswith("/sign-in?")


def test_every_page_of_the_desk_opens(desk, boreale, amelie, django_assert_max_num_queries):
    allowed = {200, 302}
    for address in all_pages(boreale, amelie):
        expected = (
            allowed
            | ({403} if "/add/" in address or "/delete/" in address or "autocomplete" in address else set())
            | (
                {404} if "/nodes/" in address or "/undo/" in address else set()  # there are none
            )
        )
        assert desk.get(address).status_code in expected, address


def test_no_page_of_the_desk_nests_forms_or_is_put_together_otherwise_than_it_is_written(
    desk, boreale, amelie
):
    wrong = {}
    for address in all_pages(boreale, amelie):
        answer = desk.get(address, follow=True)
        if (
            answer.status_code == 200
            and "html" in answer["Content-Type"]
            and (found := wrong_in(answer.content.decode()))
        ):
            wrong[address] = found
    assert wrong == {}


def test_no_page_of_the_desk_has_anything_inline(desk, boreale, amelie):
    for address in all_pages(boreale, amelie):
        answer = desk.get(address, follow=True)
        if answer.status_code != 200 or "html" not in answer["Content-Type"]:
            continue
        text = answer.content.decode()
        assert ' style="' not in text, address
        assert " onclick=" not in text, address
        assert "<script>" not in text, address
        assert "'unsafe" not in answer["Content-Security-Policy"]


def test_every_table_there_keeps_to_the_road():
    """No page saves, deletes or lists editably by Django's own means, and none was added by a library."""
    assert {model._meta.label_lower for model in admin.site.registered()} == {
        "users.customer",
        "users.department",
        "users.did",
        "users.systemextension",
        "users.role",
        "users.user",
        "phones.phone",
        "phones.sbc",
        "asterisk.trunk",
        "asterisk.node",
    }
    assert "delete_selected" not in dict(admin.site.actions)
    for model, made in admin.site._registry.items():
        assert isinstance(made, SupportAdmin), model
        assert not made.list_editable, model
        assert not made.inlines, model
        for name in (
            "save_model",
            "delete_model",
            "delete_queryset",
            "save_related",
            "save_formset",
            "save_form",
            "log_change",
        ):
            assert getattr(type(made), name) is SupportAdmin.save_model, (model, name)
            with pytest.raises(PermissionDenied):
                getattr(made, name)()


def test_a_department_is_changed_by_the_road_under_the_persons_own_name(desk, staff, boreale):
    one = soins(boreale)
    address = page("users_department", "change", one.pk)
    assert 'name="seen" value="1"' in desk.get(address).content.decode()
    answer = desk.post(
        address,
        filled(desk, address, name="Soins infirmiers", language="en", outbound_caller_id="514 555-0101"),
    )
    assert answer.status_code == 302, answer.context["errors"]
    one.refresh_from_db()
    assert (one.name, one.language, one.outbound_caller_id, one.version) == (
        "Soins infirmiers",
        "en",
        "+15145550101",
        2,
    )
    change = Change.objects.get(model="users.department", object_pk=one.pk)
    operation = change.operation
    assert (operation.customer, operation.actor_pk, operation.source, operation.address) == (
        boreale,
        staff.pk,
        "admin",
        "127.0.0.1",
    )
    assert not LogEntry.objects.exists()


def test_what_the_road_refuses_stands_beside_its_field_and_nothing_is_written(desk, boreale):
    one = soins(boreale)
    before = Operation.objects.count()
    answer = desk.post(
        page("users_department", "change", one.pk),
        {
            "name": "ACCUEIL",
            "language": "xx",
            "time_zone": "Mars/Olympus",
            "outbound_caller_id": "*72",
            "seen": "1",
        },
    )
    assert answer.status_code == 422
    assert answer.content.decode().count('class="errorlist"') >= 4
    one.refresh_from_db()
    assert one.name == "Soins"
    assert Operation.objects.count() == before


def test_somebody_elses_change_meanwhile_is_told(desk, felix, boreale):
    one = soins(boreale)
    values = filled(desk, page("users_department", "change", one.pk), name="Autre")
    road.apply(road.plan(felix, boreale, department_sheet(), [road.Row(one.pk, {"language": "es"})]), FACTS)
    answer = desk.post(page("users_department", "change", one.pk), values)
    text = answer.content.decode()
    assert answer.status_code == 409
    assert "Félix Gagnon" in text
    assert 'value="Autre"' in text
    assert '<option value="es" selected>' in text
    one.refresh_from_db()
    assert one.name == "Soins"
    assert (
        desk.post(
            page("users_department", "change", one.pk), values | {"seen": "2", "language": "es"}
        ).status_code
        == 302
    )


def test_a_form_can_not_assign_what_is_not_on_it(desk, boreale, laurier, amelie):
    one = soins(boreale)
    address = page("users_department", "change", one.pk)
    desk.post(address, filled(desk, address, customer=laurier.pk, customer_id=laurier.pk, version="77"))
    one.refresh_from_db()
    assert (one.customer, one.version) == (boreale, 1)
    address = page("users_user", "change", amelie.pk)
    desk.post(address, filled(desk, address, is_staff="on", is_superuser="on", password="x"))
    amelie.refresh_from_db()
    assert not amelie.is_staff
    assert not amelie.is_superuser


def test_saving_a_page_as_it_is_changes_nothing(managers_desk, boreale, amelie):
    before = Operation.objects.count()
    for address in (
        *parts_of(amelie), page("users_department", "change", soins(boreale).pk),
        page("users_customer", "change", boreale.pk), page("users_role", "change", "managers"), page("users_did", "change", Did.objects.first().pk),
    ):  # fmt: skip
        answer = managers_desk.post(address, filled(managers_desk, address))
        assert answer.status_code == 302, (address, answer.context["errors"])
        assert Operation.objects.count() == before, (address, Change.objects.first().cells)


def test_a_record_is_added_for_the_customer_that_was_chosen(desk, boreale, laurier):
    address = page("users_did", "add")
    assert "?customer=boreale" in desk.get(address).content.decode()
    assert desk.post(address, {"number": "514 555-0888"}).status_code == 200, "asks for which customer"
    assert (
        desk.post(f"{address}?customer=boreale", {"number": "514 555-0888", "name": "Neuve"}).status_code
        == 302
    )
    did = Did.objects.get(number="+15145550888")
    assert did.customer == boreale
    assert Change.objects.get(model="users.did", object_pk=did.pk).operation.source == "admin"


def test_a_person_has_the_nine_tabs_one_by_one(desk, boreale, felix, amelie):
    phone = make_phone(boreale, amelie, "805ec0aabb01")
    keys = [{"position": 3, "kind": "blf", "target": "102"}]
    road.apply(road.plan(felix, boreale, user_sheet(), [road.Row(amelie.pk, {"keys": keys})]), FACTS)
    first = desk.get(page("users_user", "change", amelie.pk)).content.decode()
    scope = Scope(felix, boreale)
    whole = ""
    for section, address in zip(user_sheet().sections, parts_of(amelie), strict=True):
        assert f'href="?part={section.slug}"' in first
        text = unescape(desk.get(address).content.decode())
        whole += text
        assert str(section.title) in text
        for column in section.columns:
            typed = f'name="{column.name}' in text
            # What only its own page can change is told in words, with the way there.
            told = str(column.label) in text and f"/users/101/{section.slug}" in text
            offered = column.is_offered(scope) and not column.at_creation_only
            assert typed or told or not offered, column.name
    assert "102 Félix Gagnon" in whole
    assert model_of(phone).name in whole
    assert amelie.sip_password not in whole


def test_a_part_is_saved_by_itself_and_gone_on_with(desk, boreale, amelie):
    general, forwarding = (
        f"{page('users_user', 'change', amelie.pk)}?part={part}" for part in ("general", "forwarding")
    )
    values = filled(desk, forwarding, **{"available.no_answer_seconds": "35"})
    assert "first_name" not in values
    answer = desk.post(forwarding, {**values, "_continue": "1"})
    assert (answer.status_code, answer.headers["Location"]) == (302, forwarding)
    changes = Change.objects.filter(object_pk=amelie.pk, operation__source="admin")
    assert [[cell["column"] for cell in change.cells] for change in changes] == [
        ["available.no_answer_seconds"]
    ]
    assert (
        'name="first_name"'
        in desk.get(page("users_user", "change", amelie.pk) + "?part=nothing").content.decode()
    )
    assert filled(desk, general)["first_name"] == ["Amélie"]


def test_a_part_of_a_person_takes_few_queries(desk, amelie):
    make_phone(amelie.customer, amelie)
    taken = {}
    for section, address in zip(user_sheet().sections, parts_of(amelie), strict=True):
        with CaptureQueriesContext(connection) as queries:
            desk.get(address)
        taken[section.slug] = len(queries)
    # Their departments, numbers and role are each chosen among all of the customer's.
    assert taken.pop("general") <= 10
    assert max(taken.values()) <= 8, taken


def test_a_person_is_created_and_deleted_by_the_road(desk, boreale, felix):
    address = f"{page('users_user', 'add')}?customer=boreale"
    department = soins(boreale)
    values = filled(
        desk,
        address,
        number="140",
        first_name="Zoé",
        primary_department=department.pk,
        departments=[department.pk],
    )
    answer = desk.post(address, values)
    assert answer.status_code == 302, answer.context["errors"]
    made = User.objects.of(boreale).get(number="140")
    assert made.sip_password
    delete = page("users_user", "delete", made.pk)
    assert desk.get(delete).status_code == 200
    assert User.objects.filter(pk=made.pk).exists()
    assert desk.post(delete, {"confirmed": "yes"}).status_code == 302
    kinds = Change.objects.filter(object_pk=made.pk, model="users.user", operation__source="admin").order_by(
        "id"
    )
    assert list(kinds.values_list("kind", flat=True)) == ["create", "delete"]


def test_several_are_deleted_together_or_not_at_all(desk, boreale, felix, amelie):
    people = [make_user(boreale, number) for number in ("141", "142")]
    chosen = {"action": "delete_chosen", "_selected_action": [felix.pk, *(user.pk for user in people)]}
    text = desk.post(page("users_user"), chosen).content.decode()
    assert "102 Félix Gagnon" in text
    sure = {"confirmed": "yes", "confirm": "3"}
    assert desk.post(page("users_user"), chosen | sure).status_code == 422, "the last owner"
    assert User.objects.of(boreale).count() == 4
    chosen["_selected_action"] = [user.pk for user in people]
    asked = desk.post(page("users_user"), chosen)
    assert asked.status_code == 200, "asks first"
    assert "<strong>2</strong> de <strong>Clinique Boréale</strong>" in asked.content.decode()
    assert desk.post(page("users_user"), chosen | sure).status_code == 422, "another number of people"
    assert User.objects.of(boreale).count() == 4
    assert desk.post(page("users_user"), chosen | sure | {"confirm": "2"}).status_code == 302
    assert User.objects.of(boreale).count() == 2
    assert Operation.objects.filter(kind="delete", source="admin", customer=boreale).count() == 1


def test_somebody_who_takes_calls_is_deleted_with_a_replacement(desk, boreale, felix, amelie):
    zoe = make_user(boreale, "110", "Zoé", "Lavoie")
    rows = [road.Row(amelie.pk, {"away.divert_external": "extension:110"})]
    road.apply(road.plan(felix, boreale, user_sheet(), rows), FACTS)
    delete = page("users_user", "delete", zoe.pk)
    assert "101 Amélie Tremblay" in desk.get(delete).content.decode()
    wrong = desk.post(delete, {"confirmed": "yes", "instead": "110"})
    assert wrong.status_code == 422
    assert User.objects.filter(pk=zoe.pk).exists()
    assert desk.post(delete, {"confirmed": "yes", "instead": "102"}).status_code == 302
    assert not User.objects.filter(pk=zoe.pk).exists()
    change = Change.objects.filter(object_pk=amelie.pk, kind="edit").first()
    assert change.cells[0]["new"] == "extension:102"
    assert change.operation.source == "admin"


def test_the_deletion_that_django_brings_is_not_there(desk, boreale, amelie):
    desk.post(
        page("users_user"), {"action": "delete_selected", "_selected_action": [amelie.pk], "post": "yes"}
    )
    desk.post(
        page("users_department"),
        {"action": "delete_selected", "_selected_action": [soins(boreale).pk], "post": "yes"},
    )
    desk.post(
        page("users_customer"),
        {"action": "delete_chosen", "_selected_action": [boreale.pk], "confirmed": "yes"},
    )
    assert User.objects.filter(pk=amelie.pk).exists()
    assert Department.objects.of(boreale).count() == 2
    assert Customer.objects.filter(pk=boreale.pk).exists()


def test_nothing_is_edited_in_a_list(desk, boreale, amelie):
    desk.post(
        page("users_user"),
        {
            "form-TOTAL_FORMS": 1,
            "form-INITIAL_FORMS": 1,
            "form-0-id": amelie.pk,
            "form-0-disabled": "on",
            "_save": "Enregistrer",
        },
    )
    amelie.refresh_from_db()
    assert not amelie.disabled


def test_a_customers_contract_is_written_with_its_history(desk, boreale):
    address = page("users_customer", "change", boreale.pk)
    answer = desk.post(address, filled(desk, address, included_extensions="40"))
    assert answer.status_code == 302
    boreale.refresh_from_db()
    assert boreale.included_extensions == 40
    cells = Change.objects.get(model="users.customer", object_pk=boreale.pk).cells
    assert [(cell["column"], cell["old"], cell["new"]) for cell in cells] == [("included_extensions", 25, 40)]
    assert desk.get(page("users_customer", "add")).url == reverse("customer_create")
    assert desk.post(page("users_customer", "delete", boreale.pk), {"confirmed": "yes"}).status_code == 403


def values_of_role(desk, key):
    return filled(desk, page("users_role", "change", key))


def test_a_role_is_changed_here_alone_and_takes_effect_at_once(managers_desk, client, boreale, manager):
    person = make_user(boreale, "180", role="managers")
    values = values_of_role(managers_desk, "managers") | {"name_fr": "Gestionnaire"}
    values.pop("administer_users")
    asked = managers_desk.post(page("users_role", "change", "managers"), values)
    values |= {"_shown": asked.context["shown"], "_count": "1"}
    assert managers_desk.post(page("users_role", "change", "managers"), values).status_code == 302
    role = Role.objects.get(pk="managers")
    assert (role.name_fr, role.administer_users) == ("Gestionnaire", False)
    change = Change.objects.get(model="users.role")
    assert {cell["column"] for cell in change.cells} == {"name_fr", "administer_users"}
    assert (change.operation.customer, change.operation.actor_pk, change.operation.source) == (
        None,
        manager.pk,
        "admin",
    )
    sign_in_fully(client, person)
    assert client.get(reverse("users", args=["boreale"])).status_code == 403


@pytest.mark.parametrize("name", ["administer_users", "whole_customer"])
def test_owners_keep_what_they_need_to_help_themselves(managers_desk, name):
    values = values_of_role(managers_desk, "system_owners")
    values.pop(name)
    assert managers_desk.post(page("users_role", "change", "system_owners"), values).status_code == 422
    assert getattr(Role.objects.get(pk="system_owners"), name)


@pytest.mark.parametrize(
    ("key", "level"),
    [("system_owners", "10"), ("users", "60"), ("managers", "99"), ("managers", "-1"), ("managers", "x")],
)
def test_levels_stay_in_order_below_the_owners(managers_desk, key, level):
    assert (
        managers_desk.post(
            page("users_role", "change", key), values_of_role(managers_desk, key) | {"level": level}
        ).status_code
        == 422
    )


def test_nobody_else_writes_a_role(felix):
    made = roles.plan(felix, Role.objects.get(pk="users"), {"administer_users": "on"})
    assert made.refused
    assert roles.commit(made, FACTS).outcome is road.Outcome.REFUSED


def test_two_who_move_roles_at_once_leave_the_owners_on_top(manager):
    owners, managers = Role.objects.get(pk="system_owners"), Role.objects.get(pk="managers")
    lower = roles.plan(manager, owners, {"level": "55"})
    higher = roles.plan(manager, managers, {"level": "58"})
    assert not lower.refused
    assert not higher.refused
    assert roles.commit(lower, FACTS).outcome is road.Outcome.SAVED
    assert roles.commit(higher, FACTS).outcome is road.Outcome.REFUSED
    assert Role.objects.get(pk="managers").level < 55


def test_somebody_who_changed_a_role_in_between_is_noticed(manager):
    first, second = (
        roles.plan(manager, Role.objects.get(pk="users"), {"pick_up": value}) for value in ("on", "on")
    )
    assert roles.commit(first, FACTS).outcome is road.Outcome.SAVED
    assert roles.commit(second, FACTS).outcome is road.Outcome.CONFLICT


@pytest.mark.parametrize("kind", ["user", "department", "did", "customer"])
def test_the_history_of_a_record_is_the_portals_own(desk, boreale, amelie, kind):
    record = {
        "user": amelie, "department": soins(boreale), "did": boreale.dids.first(), "customer": boreale
    }[kind]  # fmt: skip
    answer = desk.get(page(f"users_{kind}", "history", record.pk), follow=True)
    assert answer.status_code == 200
    assert str(record.full_name if kind == "user" else record) in unescape(answer.content.decode())


def test_the_history_of_a_role_is_of_that_role_alone(managers_desk):
    for key, name in (("managers", "Chef"), ("users", "Simple")):
        values = values_of_role(managers_desk, key) | {"name_fr": name}
        assert managers_desk.post(page("users_role", "change", key), values).status_code == 302
    told = unescape(
        managers_desk.get(page("users_role", "history", "managers"), follow=True).content.decode()
    )
    assert "Chef" in told
    assert "Simple" not in told
    assert "undo" in told


def test_lists_search_and_filter_and_lead_into_the_portal(desk, boreale, laurier, amelie):
    make_user(laurier, "201", "Rosalie", "Beaulieu")
    text = desk.get(page("users_user"), {"q": "amelie"}).content.decode()
    assert reverse("user_tab", args=["boreale", "101", "general"]) in text
    assert "Rosalie" not in text
    assert "Rosalie" not in desk.get(page("users_user"), {"customer__id__exact": boreale.pk}).content.decode()
    for secret in (
        "password",
        "sip_password",
        "search_text__startswith",
        "customer__users__password__startswith",
    ):
        assert desk.get(page("users_user"), {f"{secret}__startswith": "a"}).status_code in (302, 400), secret


def test_numbers_and_macs_are_found_in_every_spelling(desk, boreale, amelie, felix):
    make_phone(boreale, amelie, "805ec0aabb01")
    make_phone(boreale, felix, "805ec0ccdd02")
    for typed in (
        "805ec0aabb01",
        "80:5E:C0:AA:BB:01",
        "80-5e-c0-aa-bb-01",
        "805e.c0aa.bb01",
        "aa:bb",
        "\u202d80:5e:c0:aa\u202c",
    ):
        text = desk.get(page("phones_phone"), {"q": typed}).content.decode().upper()
        assert "80:5E:C0:AA:BB:01" in text, typed
        assert "80:5E:C0:CC:DD:02" not in text, typed
    did = boreale.dids.first()
    User.objects.filter(pk=amelie.pk).update(
        mobile="+15815550160", search_text="amelie tremblay 101 5815550160"
    )
    for number, name, label in (
        (did.number, "users_did", did.name),
        ("+15815550160", "users_user", "Amélie"),
    ):
        area, exchange, last = number[2:5], number[5:8], number[8:]
        for typed in (
            number,
            f"{area} {exchange}-{last}",
            f"+1 ({area}) {exchange}-{last}",
            f"1-{area}-{exchange}-{last}",
        ):
            assert label in desk.get(page(name), {"q": typed}).content.decode(), typed


@pytest.mark.parametrize("query", ["", "?_facets=True"])
def test_filters_say_their_values_in_words(desk, staff, boreale, amelie, query):
    make_phone(boreale, amelie, "805ec0aabb01", model="yealink-t46u")
    phones = unescape(desk.get(page("phones_phone") + query).content.decode())
    assert "Yealink T46U" in phones
    assert ">yealink-t46u" not in "".join(phones.split())


def test_a_list_costs_the_same_for_many_rows(desk, boreale, django_assert_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def cost():
        with CaptureQueriesContext(connection) as queries:
            assert desk.get(page("users_user")).status_code == 200
        return len(queries)

    make_user(boreale, "150")
    few = cost()
    for number in range(151, 171):
        make_user(boreale, str(number))
    assert cost() == few


def test_a_ring_group_is_made_and_deleted_here(desk, boreale, amelie):
    address = f"{page('users_systemextension', 'add')}?customer=boreale"
    answer = desk.post(
        address,
        {
            "number": "160",
            "name": "Accueil",
            "kind": "ring_group",
            "talk_ask": "name",
            "members": [amelie.pk],
        },
    )
    assert answer.status_code == 302
    made = SystemExtension.objects.get()
    assert list(made.members.all()) == [amelie]
    assert (
        desk.post(page("users_systemextension", "delete", made.pk), {"confirmed": "yes"}).status_code == 302
    )
    assert not SystemExtension.objects.exists()


def test_a_page_of_the_road_says_which_sheet_it_has():
    for model, made in admin.site._registry.items():
        if isinstance(made, RoadAdmin):
            assert type(made).sheet().model is model


def test_a_list_is_called_as_the_portal_calls_it(desk, boreale, amelie):
    for model, title in (("users/user", "Utilisateurs"), ("phones/phone", "Téléphones")):
        page = desk.get(f"/support/{model}/").content.decode()
        assert "Sélectionnez" not in page.split("<h1>")[1].split("</h1>")[0]
        assert f"<h1>{title}" in page, page.split("<h1>")[1][:60]
