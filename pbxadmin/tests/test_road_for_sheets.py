"""Records by what people call them, and plans of several sheets as one operation."""

import pytest

from asterisk.models import Node, Trunk
from pbxadmin.common.columns import Scope
from phones import moving
from phones.models import Phone
from phones.services import phone_plan
from phones.settings.sections import phone_sheet
from users import road
from users.company.sheets import customer_sheet, department_sheet, role_sheet, system_extension_sheet
from users.models import Change, Department, Operation, User
from users.people.sections import user_sheet
from users.road import undo
from users.tests.factories import FACTS, make_user
from voicemail.tests.sounds import make_greeting

pytestmark = pytest.mark.django_db


def person(number="", **values):
    return {
        "number": number,
        "first_name": "Zoé",
        "last_name": "Lavoie",
        "role": "users",
        "primary_department": "Accueil",
    } | values


def phone(mac="80:5E:C0:00:10:01", **values):
    return {"mac": mac, "model": "yealink-t54w"} | values


# --- Who is meant ---------------------------------------------------------------------------------------------------
def test_people_are_found_by_their_extensions_in_one_query(
    staff, boreale, amelie, felix, django_assert_num_queries
):
    with django_assert_num_queries(1):
        found = road.find(user_sheet(), Scope(staff, boreale), ["101", "102", "999", "101", ""])
    assert found == {"101": amelie, "102": felix}


def test_every_sheet_of_the_road_names_its_records_in_a_way_that_finds_them(staff, boreale, amelie):
    road.apply(phone_plan(staff, boreale, amelie, phone()), FACTS)
    road.apply(
        road.plan(
            staff,
            boreale,
            system_extension_sheet(),
            [road.Row(None, {"number": "801", "name": "Ventes", "kind": "queue"})],
        ),
        FACTS,
    )
    road.apply(
        road.plan(
            staff,
            boreale,
            road.SHEETS["phones.sbc"],
            [road.Row(None, {"name": "Québec", "address": "10.1.2.3"})],
        ),
        FACTS,
    )
    make_greeting(boreale)
    Trunk.objects.create(customer=boreale, name="Liaison Nord", host="sip.example.com")
    Node.objects.create(name="montreal", host="10.0.0.5", token_hash="x")
    for sheet in road.SHEETS.values():
        if sheet is role_sheet():
            continue
        assert sheet.identity in sheet.columns
        # Nodes are nobody's.
        scope = Scope(staff, None if sheet.model is Node else boreale)
        record = sheet.model._default_manager.of(scope.customer).order_by("pk").first()
        assert road.find(sheet, scope, [getattr(record, sheet.identity)]) == {
            getattr(record, sheet.identity): record
        }
    with pytest.raises(ValueError, match="identity"):
        road.find(role_sheet(), scope, ["users"])


def test_names_are_compared_as_people_do(staff, boreale):
    soins = Department.objects.of(boreale).get(name="Soins")
    Department.objects.create(customer=boreale, name="Comptabilité")
    found = road.find(department_sheet(), Scope(staff, boreale), [" SOINS", "comptabilite", "Labo"])
    assert (found[" SOINS"], found["comptabilite"].name, "Labo" in found) == (soins, "Comptabilité", False)


def test_nobody_is_found_at_another_customer(felix, boreale, laurier):
    make_user(laurier, "105")
    assert road.find(user_sheet(), Scope(felix, boreale), ["105"]) == {}
    assert road.find(user_sheet(), Scope(felix, laurier), ["105"]) == {}
    assert road.find(customer_sheet(), Scope(felix, laurier), ["laurier"]) == {}


def test_rows_by_extension_change_those_who_are_there_and_create_the_others(staff, boreale, amelie):
    rows = [
        road.Row(None, person("101", first_name="Amélie", last_name="Roy")),
        road.Row(None, person("120")),
    ]
    scope = Scope(staff, boreale)
    plan = road.plan(staff, boreale, user_sheet(), road.rows_of(user_sheet(), scope, rows), scope=scope)
    assert [row.outcome for row in plan.rows] == ["changed", "new"]
    assert plan.rows[0].changes == {"last_name": ("Tremblay", "Roy"), "role": ("receptionists", "users")}


def test_the_same_extension_again_is_no_change(staff, boreale, amelie):
    row = road.Row(amelie.pk, {"number": " 101 ", "last_name": "Tremblay"})
    plan = road.plan(staff, boreale, user_sheet(), [row])
    assert plan.rows[0].outcome == "unchanged"
    assert road.apply(plan, FACTS) is None


@pytest.mark.parametrize("number", ["102", "", "abc"])
def test_another_extension_is_refused_after_creation(staff, boreale, amelie, number):
    plan = road.plan(staff, boreale, user_sheet(), [road.Row(amelie.pk, {"number": number})])
    assert plan.rows[0].errors == {"number": ["Ce champ ne peut plus être modifié après la création."]}


def test_a_mac_in_any_spelling_is_the_same_phone(staff, boreale, amelie):
    road.apply(phone_plan(staff, boreale, amelie, phone()), FACTS)
    scope = Scope(staff, boreale)
    rows = road.rows_of(phone_sheet(), scope, [road.Row(None, {"mac": "805EC0-001001", "lldp": "non"})])
    plan = road.plan(staff, boreale, phone_sheet(), rows, scope=scope)
    assert plan.rows[0].changes == {"lldp": (True, False)}


def test_an_identity_that_cannot_be_read_is_refused_in_words(staff, boreale):
    scope = Scope(staff, boreale)
    rows = road.rows_of(phone_sheet(), scope, [road.Row(None, {"mac": "8,05E+11", "model": "yealink-t54w"})])
    assert "tableur" in road.plan(staff, boreale, phone_sheet(), rows, scope=scope).rows[0].errors["mac"][0]


def test_two_rows_of_one_record_are_both_refused(staff, boreale, amelie, felix):
    rows = [road.Row(key, {"mobile": "514 555-0142"}) for key in (amelie.pk, felix.pk, amelie.pk)]
    plan = road.plan(staff, boreale, user_sheet(), rows)
    assert [row.outcome for row in plan.rows] == ["refused", "changed", "refused"]


# --- Several sheets in one operation --------------------------------------------------------------------------------
def people_and_phones(actor, customer, people, phones):
    """Plans of new people and of a phone for each of them."""
    first = road.plan(actor, customer, user_sheet(), [road.Row(None, values) for values in people])
    rows = [
        road.Row(None, values | {"user": road.Pending(row)})
        for row, values in zip(first.rows, phones, strict=False)
    ]
    return [first, road.plan(actor, customer, phone_sheet(), rows)]


def test_a_person_and_a_phone_are_created_as_one_operation(felix, boreale):
    before = Operation.objects.count()
    plans = people_and_phones(
        felix, boreale, [person("120"), person("121")], [phone(), phone("805ec0001002")]
    )
    assert [[row.outcome for row in plan.rows] for plan in plans] == [["new", "new"]] * 2
    operation = road.apply_all(plans, FACTS, "two at once")
    assert Operation.objects.count() == before + 1
    assert (operation.kind, operation.changes.count()) == ("create", 4)
    assert {each.mac: each.user.number for each in Phone.objects.select_related("user")} == {
        "805ec0001001": "120",
        "805ec0001002": "121",
    }
    cell = next(
        cell
        for change in operation.changes.filter(model="phones.phone", object_name__contains="01")
        for cell in change.cells
        if cell["column"] == "user"
    )
    assert (cell["new"], cell["new_label"]) == (User.objects.get(number="120").pk, "120 Zoé Lavoie")


def test_a_department_and_its_first_people_are_created_as_one_operation(felix, boreale):
    first = road.plan(felix, boreale, department_sheet(), [road.Row(None, {"name": "Labo"}, label="Labo")])
    pending = road.Pending(first.rows[0])
    rows = [
        road.Row(None, person("120", primary_department=pending)),
        road.Row(None, person("121", departments=["Accueil", pending])),
    ]
    operation = road.apply_all([first, road.plan(felix, boreale, user_sheet(), rows)], FACTS)
    labo = Department.objects.of(boreale).get(name="Labo")
    one, two = User.objects.filter(number__in=("120", "121")).order_by("number")
    assert one.primary_department == labo
    assert set(one.department_ids) == {labo.pk}
    assert labo.pk in two.department_ids
    cells = {
        cell["column"]: cell for cell in operation.changes.get(object_pk=one.pk, model="users.user").cells
    }
    assert cells["primary_department"]["new_label"] == "Labo"


def test_all_of_it_is_refused_when_any_row_of_any_sheet_is(felix, boreale):
    plans = people_and_phones(felix, boreale, [person("120")], [phone("not a mac")])
    with pytest.raises(road.RefusedError):
        road.apply_all(plans, FACTS)
    assert not User.objects.filter(number="120").exists()


def test_what_leans_on_a_refused_row_is_refused_with_it(felix, boreale):
    _people, phones = people_and_phones(felix, boreale, [person("12")], [phone()])
    assert list(phones.rows[0].errors) == ["user"]


def test_nothing_is_left_of_the_first_sheet_where_the_second_turns_out_refused_under_the_lock(
    felix, boreale, laurier, staff
):
    plans = people_and_phones(felix, boreale, [person("120")], [phone()])
    road.apply(phone_plan(staff, laurier, make_user(laurier, "105"), phone()), FACTS)
    operations = Operation.objects.count()
    with pytest.raises(road.RefusedError):
        road.apply_all(plans, FACTS)
    assert not User.objects.filter(number="120").exists()
    assert Operation.objects.count() == operations


def test_the_set_rules_see_the_new_person_when_the_phone_is_written(felix, boreale):
    """The department of the new person has a time zone that the phone doesn't know: only certain once they are there."""
    Department.objects.of(boreale).filter(name="Soins").update(time_zone="Pacific/Kanton")
    plans = people_and_phones(felix, boreale, [person("120", primary_department="Soins")], [phone()])
    with pytest.raises(road.RefusedError):
        road.apply_all(plans, FACTS)
    assert "time_zone" in plans[1].rows[0].errors
    assert not User.objects.filter(number="120").exists()


def test_a_reference_to_a_row_that_is_not_among_the_plans_is_refused(felix, boreale):
    _people, phones = people_and_phones(felix, boreale, [person("120")], [phone()])
    with pytest.raises(road.RefusedError):
        road.apply_all([phones], FACTS)
    assert not Phone.objects.exists()


def test_plans_that_change_nothing_make_no_operation(felix, boreale, amelie):
    plans = [road.plan(felix, boreale, user_sheet(), [road.Row(amelie.pk, {"last_name": "Tremblay"})])] * 2
    assert road.apply_all(plans, FACTS) is None


def test_an_operation_over_two_sheets_is_taken_back_as_one(felix, boreale, amelie):
    road.apply(phone_plan(felix, boreale, amelie, phone()), FACTS)
    kept = Phone.objects.get()
    plans = [
        road.plan(felix, boreale, user_sheet(), [road.Row(amelie.pk, {"mobile": "514 555-0142"})]),
        road.plan(felix, boreale, phone_sheet(), [road.Row(kept.pk, {"user": felix.pk, "lldp": "0"})]),
    ]
    operation = road.apply_all(plans, FACTS)
    assert operation.kind == "edit"
    back = undo.undo(felix, boreale, operation, FACTS)
    amelie.refresh_from_db()
    kept.refresh_from_db()
    assert (amelie.mobile, kept.user, kept.lldp) == ("", amelie, True)
    assert {change.model for change in Change.objects.filter(operation=back)} == {
        "users.user",
        "phones.phone",
    }
    assert operation.undone_by.count() == 1


def test_what_was_created_beside_a_change_goes_again_when_the_whole_is_taken_back(felix, boreale, amelie):
    plans = [
        road.plan(felix, boreale, user_sheet(), [road.Row(amelie.pk, {"mobile": "514 555-0142"})]),
        road.plan(felix, boreale, phone_sheet(), [road.Row(None, phone(user=amelie.pk))]),
    ]
    operation = road.apply_all(plans, FACTS)
    assert Phone.objects.filter(user=amelie).exists()
    undo.undo(felix, boreale, operation, FACTS)
    amelie.refresh_from_db()
    assert amelie.mobile == ""
    assert not Phone.objects.filter(user=amelie).exists()


def test_a_record_that_an_operation_changed_twice_comes_back_to_what_it_was_first(felix, boreale, amelie):
    def edit(into=None, **values):
        return road.apply(
            road.plan(felix, boreale, user_sheet(), [road.Row(amelie.pk, values)]), FACTS, into=into
        )

    operation = edit(mobile="514 555-0142", recording="all")
    edit(into=operation, mobile="514 555-0143")
    undo.undo(felix, boreale, operation, FACTS)
    amelie.refresh_from_db()
    assert (amelie.mobile, amelie.recording) == ("", "off")


# --- Phones of the stock --------------------------------------------------------------------------------------------
def test_new_people_take_phones_of_the_stock_and_new_ones_in_one_operation(
    felix, boreale, django_assert_num_queries
):
    road.apply(phone_plan(felix, boreale, None, phone("805ec0001001")), FACTS)
    stock = Phone.objects.get()
    first = road.plan(
        felix, boreale, user_sheet(), [road.Row(None, person("120")), road.Row(None, person("121"))]
    )
    scope = Scope(felix, boreale)
    wanted = [
        road.Row(None, phone("80:5E:C0:00:10:01", user=road.Pending(first.rows[0]), lldp="0")),
        road.Row(None, phone("80:5E:C0:00:10:02", user=road.Pending(first.rows[1]))),
    ]
    with django_assert_num_queries(1):
        rows = moving.rows_from_stock(scope, wanted)
    second = road.plan(felix, boreale, phone_sheet(), rows, scope=scope)
    assert [row.outcome for row in second.rows] == ["changed", "new"]
    road.apply_all([first, second], FACTS)
    token = stock.token
    stock.refresh_from_db()
    assert (stock.user.number, stock.lldp, stock.token) == ("120", False, token)
    assert Phone.objects.get(mac="805ec0001002").user.number == "121"


def test_a_phone_of_the_stock_is_taken_as_the_model_that_it_is(felix, boreale, amelie):
    road.apply(phone_plan(felix, boreale, None, phone()), FACTS)
    scope = Scope(felix, boreale)
    rows = moving.rows_from_stock(scope, [road.Row(None, phone(model="yealink-t46u", user=amelie.pk))])
    assert "model" in road.plan(felix, boreale, phone_sheet(), rows, scope=scope).rows[0].errors


def test_a_phone_that_somebody_uses_is_not_taken_as_a_new_one(felix, boreale, amelie):
    road.apply(phone_plan(felix, boreale, amelie, phone()), FACTS)
    scope = Scope(felix, boreale)
    rows = moving.rows_from_stock(scope, [road.Row(None, phone(user=felix.pk))])
    assert rows[0].key is None
    assert "mac" in road.plan(felix, boreale, phone_sheet(), rows, scope=scope).rows[0].errors
