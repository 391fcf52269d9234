"""The one road of changes: planning, applying, refusing, and what is left behind."""

import pytest
from django.db import DatabaseError, connection, transaction

from pbxadmin.common.crypto import MASK
from users import road
from users.models import Change, Customer, Department, Did, Membership, Operation, User
from users.people.sections import user_sheet
from users.signals import changed
from users.tests.factories import FACTS, details, make_user, make_users

pytestmark = pytest.mark.both_databases(
    "the road's statements, the constraints behind it, the triggers of the history"
)


def plan(actor, customer, *rows):
    """A plan over users."""
    return road.plan(actor, customer, user_sheet(), list(rows))


def edit(actor, customer, user, **values):
    """Plan and apply one edit; gives the planned row and the operation."""
    made = plan(actor, customer, road.Row(user.pk, values))
    return made.rows[0], road.apply(made, FACTS)


def test_a_plan_says_for_every_row_what_would_happen_and_writes_nothing(felix, amelie, ines, boreale):
    made = plan(
        felix,
        boreale,
        road.Row(amelie.pk, {"first_name": "Amelia"}),
        road.Row(ines.pk, {"first_name": "Inès"}),
        road.Row(amelie.pk + 1000, {"first_name": "X"}),
        road.Row(None, {"first_name": "Olivier", "primary_department": "Soins"}),
        road.Row(ines.pk, {"email": "not an address"}),
    )
    assert [row.outcome for row in made.rows] == ["changed", "unchanged", "refused", "new", "refused"]
    assert made.rows[0].changes == {"first_name": ("Amélie", "Amelia")}
    assert "email" in made.rows[4].errors
    amelie.refresh_from_db()
    assert amelie.first_name == "Amélie"
    assert User.objects.filter(first_name="Olivier").count() == 0


def test_nothing_changed_means_nothing_happens(felix, amelie, boreale):
    heard = []
    changed.connect(lambda sender, **facts: heard.append(sender), weak=False, dispatch_uid="test")
    before = Operation.objects.count()
    try:
        _row, operation = edit(felix, boreale, amelie, first_name="Amélie", mobile="")
    finally:
        changed.disconnect(dispatch_uid="test")
    assert operation is None
    assert heard == []
    assert Operation.objects.count() == before
    amelie.refresh_from_db()
    assert amelie.version == 1


def test_a_change_leaves_old_and_new_value_with_who_and_where_from(felix, amelie, boreale):
    _row, operation = edit(felix, boreale, amelie, mobile="514 555-0142", departments=["Accueil", "Soins"])
    assert (operation.actor_pk, operation.customer, operation.address) == (felix.pk, boreale, "127.0.0.1")
    change = Change.objects.get(operation=operation)
    cells = {cell["column"]: cell for cell in change.cells}
    assert (cells["mobile"]["old"], cells["mobile"]["new"]) == ("", "+15145550142")
    assert cells["departments"]["new_label"] == "Accueil, Soins"
    assert (change.version, change.subject_pk) == (2, amelie.pk)


def test_as_many_queries_for_thirty_rows_as_for_three(felix, boreale):
    from django.test.utils import CaptureQueriesContext

    people = make_users(boreale, *(details("", "Personne", f"Numéro {place}") for place in range(20)))
    lines = list(boreale.dids.values_list("number", flat=True))

    def cost(some, line):
        with CaptureQueriesContext(connection) as queries:
            made = plan(
                felix,
                boreale,
                *(
                    road.Row(
                        person.pk,
                        {"outbound_caller_id": line, "departments": ["Accueil", "Soins"]},
                    )
                    for person in some
                ),
            )
            road.apply(made, FACTS)
        return len(queries)

    assert cost(people[:3], lines[0]) == cost(people[3:], lines[1])


def test_rows_with_the_same_new_values_are_one_update(felix, boreale):
    from django.test.utils import CaptureQueriesContext

    people = make_users(boreale, *(details("", "Personne", f"Numéro {place}") for place in range(5)))
    with CaptureQueriesContext(connection) as queries:
        road.apply(
            plan(felix, boreale, *(road.Row(person.pk, {"require_2fa": "oui"}) for person in people)),
            FACTS,
        )
    assert sum(query["sql"].startswith('UPDATE "users_user"') for query in queries) == 1
    assert User.objects.filter(require_2fa=True, pk__in=[person.pk for person in people]).count() == 5


def test_a_column_that_is_not_offered_can_not_be_assigned(felix, amelie, boreale):
    for name in (
        "is_staff",
        "is_superuser",
        "password",
        "customer",
        "customer_id",
        "sip_password",
        "id",
        "version",
    ):
        made = plan(felix, boreale, road.Row(amelie.pk, {name: "1"}))
        assert made.rows[0].outcome == "refused", name
        with pytest.raises(road.RefusedError):
            road.apply(made, FACTS)


def test_the_extension_can_not_be_changed_after_creation(felix, amelie, boreale):
    made = plan(felix, boreale, road.Row(amelie.pk, {"number": "199"}))
    assert "number" in made.rows[0].errors


def test_another_customers_person_does_not_exist_here(felix, boreale, laurier):
    stranger = make_user(laurier, "201", "Rosalie", "Beaulieu")
    made = plan(felix, boreale, road.Row(stranger.pk, {"first_name": "Volée"}))
    assert made.rows[0].outcome == "refused"
    staff = User(is_staff=True, staff_level="technician", role_id="users")
    made = plan(staff, boreale, road.Row(stranger.pk, {"first_name": "Volée"}))
    assert made.rows[0].outcome == "refused", "not even through the wrong customer's address"


def test_another_customers_department_and_number_can_not_be_chosen(felix, amelie, boreale, laurier):
    theirs = Department.objects.of(laurier).get(name="Soins")
    did = Did.objects.of(laurier).first()
    made = plan(
        felix,
        boreale,
        road.Row(amelie.pk, {"primary_department": theirs.pk, "departments": [theirs.pk], "dids": [did.pk]}),
    )
    assert set(made.rows[0].errors) == {"primary_department", "departments", "dids"}
    made = plan(felix, boreale, road.Row(amelie.pk, {"dids": [did.number]}))
    nowhere = plan(felix, boreale, road.Row(amelie.pk, {"dids": ["+15145559999"]}))
    assert made.rows[0].errors["dids"][0].replace(did.number, "") == nowhere.rows[0].errors["dids"][
        0
    ].replace("+15145559999", "")


def test_somebody_elses_save_in_between_is_noticed(felix, amelie, boreale):
    first = plan(felix, boreale, road.Row(amelie.pk, {"first_name": "Amelia"}))
    second = plan(felix, boreale, road.Row(amelie.pk, {"last_name": "Roy"}))
    road.apply(first, FACTS)
    with pytest.raises(road.ChangedMeanwhileError):
        road.apply(second, FACTS)
    stale = plan(felix, boreale, road.Row(amelie.pk, {"last_name": "Roy"}, seen=1))
    assert stale.rows[0].stale


def test_the_first_free_extension_is_given_and_emergency_numbers_never(boreale, felix):
    assert make_user(boreale).number == "100"
    assert make_user(boreale).number == "101"
    for number in ("911", "933", "777", "099", "12", "1234", "９１１", "１０", "10a"):
        made = plan(
            felix,
            boreale,
            road.Row(None, {"number": number, "first_name": "X", "primary_department": "Soins"}),
        )
        assert "number" in made.rows[0].errors, number


def test_the_same_extension_twice_in_one_plan_is_refused_in_both_rows(boreale, felix):
    row = {"number": "150", "first_name": "X", "primary_department": "Soins"}
    made = plan(felix, boreale, road.Row(None, row), road.Row(None, row))
    assert [set(planned.errors) for planned in made.rows] == [{"number"}, {"number"}]


def test_two_who_take_the_last_free_extension_do_not_both_get_it(boreale, felix):
    row = {"number": "150", "first_name": "X", "primary_department": "Soins"}
    first, second = plan(felix, boreale, road.Row(None, row)), plan(felix, boreale, road.Row(None, row))
    road.apply(first, FACTS)
    with pytest.raises(road.RefusedError):
        road.apply(second, FACTS)
    assert "number" in second.rows[0].errors


def test_only_support_staff_go_beyond_the_contract_and_are_told(boreale, felix, staff):
    Customer.objects.filter(pk=boreale.pk).update(included_extensions=1)
    boreale.refresh_from_db()
    row = {"first_name": "X", "primary_department": "Soins"}
    assert plan(felix, boreale, road.Row(None, row)).rows[0].outcome == "refused"
    made = plan(staff, boreale, road.Row(None, row))
    assert made.rows[0].outcome == "new"
    assert made.rows[0].warnings


def test_a_did_rings_one_person_and_the_other_is_named(boreale, felix, amelie, ines):
    did = Did.objects.of(boreale).first()
    edit(felix, boreale, amelie, dids=[did.pk])
    made = plan(felix, boreale, road.Row(ines.pk, {"dids": [did.pk]}))
    assert "Amélie Tremblay" in made.rows[0].errors["dids"][0]
    swap = plan(felix, boreale, road.Row(amelie.pk, {"dids": []}), road.Row(ines.pk, {"dids": [did.pk]}))
    road.apply(swap, FACTS)
    assert Did.objects.get(pk=did.pk).user == ines


def test_the_primary_department_is_always_one_of_the_persons_own(boreale, felix, amelie):
    soins = Department.objects.of(boreale).get(name="Soins")
    edit(felix, boreale, amelie, primary_department="Soins")
    assert set(Membership.objects.filter(user=amelie).values_list("department__name", flat=True)) == {
        "Accueil",
        "Soins",
    }
    made = plan(felix, boreale, road.Row(amelie.pk, {"departments": []}))
    assert made.rows[0].after.get("departments", (soins.pk,)) == (soins.pk,)


def test_a_shared_address_is_allowed_and_said(boreale, felix, amelie, ines):
    edit(felix, boreale, amelie, email="accueil@boreale.example")
    row, operation = edit(felix, boreale, ines, email="accueil@boreale.example")
    assert operation is not None
    assert "Amélie Tremblay" in row.warnings["email"][0]


@pytest.mark.parametrize("name", ["Amélie\nadmin = 1", "A\r", "A\x00", "A\u2028B", "A\u202eB", "x" * 51])
def test_a_name_that_could_become_something_else_is_refused(boreale, felix, amelie, name):
    assert "first_name" in plan(felix, boreale, road.Row(amelie.pk, {"first_name": name})).rows[0].errors


@pytest.mark.parametrize(
    "name",
    [
        '"><script>alert(1)</script>',
        "Zoé 🎷",
        "{{ settings.SECRET_KEY }}",
        "D’Amours-Côté",
        "=cmd|'/c calc'!A1",
    ],
)
def test_an_odd_but_printable_name_is_kept_as_it_is(boreale, felix, amelie, name):
    row, _operation = edit(felix, boreale, amelie, first_name=name)
    assert row.outcome == "changed", row.errors
    amelie.refresh_from_db()
    assert amelie.first_name == name


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("514 555-0123", "+15145550123"),
        ("(514) 555-0123", "+15145550123"),
        ("+1 514.555.0123", "+15145550123"),
        ("+33 1 23 45 67 89", "+33123456789"),
        ("", ""),
    ],
)
def test_phone_numbers_are_read_as_people_write_them(boreale, felix, amelie, typed, stored):
    edit(felix, boreale, amelie, mobile=typed)
    amelie.refresh_from_db()
    assert amelie.mobile == stored


@pytest.mark.parametrize(
    "typed",
    ["*72", "911#", "514555", "sip:a@b", "1.23E+11", "514,,,555", "'; DROP", "1" * 300, "+1 514 555 0123 x5"],
)
def test_what_is_no_phone_number_is_refused(boreale, felix, amelie, typed):
    assert "mobile" in plan(felix, boreale, road.Row(amelie.pk, {"mobile": typed})).rows[0].errors


def test_deleting_keeps_what_was_in_the_history_with_secrets_as_dots(boreale, felix, amelie):
    did = Did.objects.of(boreale).first()
    edit(felix, boreale, amelie, dids=[did.pk])
    removal = road.plan_removal(felix, boreale, user_sheet(), [amelie.pk])
    assert removal.losses[amelie.pk]
    road.remove(removal, FACTS)
    assert not User.objects.filter(pk=amelie.pk).exists()
    assert Did.objects.get(pk=did.pk).user is None
    change = Change.objects.filter(object_pk=amelie.pk, kind="delete").get()
    assert {cell["column"] for cell in change.cells} >= {"first_name", "number", "departments", "dids"}


def test_nobody_deletes_himself_nor_the_last_owner(boreale, felix, amelie, staff):
    assert road.plan_removal(felix, boreale, user_sheet(), [felix.pk]).refusals
    removal = road.plan_removal(staff, boreale, user_sheet(), [felix.pk])
    assert removal.refusals
    with pytest.raises(road.RefusedError):
        road.remove(removal, FACTS)


def test_two_owners_who_demote_each_other_leave_one_behind(boreale, felix):
    second = make_user(boreale, "110", "Zoé", "Lavoie", role="system_owners")
    one = plan(felix, boreale, road.Row(second.pk, {"role": "users"}))
    other = plan(second, boreale, road.Row(felix.pk, {"role": "users"}))
    road.apply(one, FACTS)
    with pytest.raises(road.RefusedError):
        road.apply(other, FACTS)
    assert User.objects.filter(role="system_owners").count() == 1


def test_history_can_neither_be_changed_nor_deleted(boreale, amelie):
    operation = Operation.objects.first()
    for attempt in (
        lambda: Operation.objects.filter(pk=operation.pk).update(reason="other"),
        lambda: Change.objects.filter(operation=operation).delete(),
        lambda: connection.cursor().execute("DELETE FROM users_change"),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            attempt()
    assert Change.objects.filter(operation=operation).exists()


def test_no_secret_reaches_the_history(boreale, felix, amelie):
    road.remove(road.plan_removal(felix, boreale, user_sheet(), [amelie.pk]), FACTS)
    text = " ".join(str(change.cells) for change in Change.objects.all())
    assert amelie.sip_password not in text
    assert MASK


LIMITED = [
    ("users.user", "mobile", "514 555-0142", ""),
    ("users.department", "name", "Urgence", "Accueil"),
    ("users.did", "name", "Urgence", "Ligne 0"),
    ("users.customer", "require_2fa", True, False),
]


@pytest.mark.parametrize(
    ("label", "name", "other", "present"), LIMITED, ids=[label for label, *_rest in LIMITED]
)
@pytest.mark.parametrize("limit", ["_absent", "_locked"])
def test_what_the_customer_does_not_have_or_may_not_change_is_refused_on_every_sheet_unless_it_stays(
    monkeypatch, felix, boreale, label, name, other, present, limit
):
    sheet = road.SHEETS[label]
    record = {
        "users.user": felix,
        "users.customer": boreale,
        "users.department": boreale.departments.get(name="Accueil"),
        "users.did": boreale.dids.get(name="Ligne 0"),
    }[label]
    monkeypatch.setattr(sheet.columns[name], limit, lambda scope, *value: f"{scope.customer} lacks it.")
    rows = [road.Row(record.pk, {name: value}) for value in (other, present)]
    changing, staying = road.plan(felix, boreale, sheet, rows).rows
    assert changing.errors == {name: [f"{boreale} lacks it."]}
    assert staying.outcome == "unchanged"


def test_an_address_that_differs_in_capitals_alone_is_shared_and_told(boreale, felix, amelie):
    make_user(boreale, "150", "Olivier", "Bélanger", email="Info@Clinique.Example.com")
    shared = plan(felix, boreale, road.Row(amelie.pk, {"email": "info@clinique.example.com"}))
    assert "150 Olivier Bélanger" in " ".join(map(str, shared.rows[0].warnings["email"]))


def test_an_address_that_two_rows_of_one_plan_share_is_told_in_both(boreale, felix, amelie):
    rows = [
        road.Row(amelie.pk, {"email": "info@clinique.example.com"}),
        road.Row(
            None,
            {"first_name": "Olivier", "primary_department": "Soins", "email": "INFO@clinique.example.com"},
        ),
    ]
    first, second = plan(felix, boreale, *rows).rows
    assert "Olivier" in " ".join(map(str, first.warnings["email"]))
    assert str(amelie) in " ".join(map(str, second.warnings["email"]))


def test_an_address_that_goes_over_to_somebody_in_one_plan_is_shared_by_nobody(boreale, felix, amelie):
    holder = make_user(boreale, "150", "Olivier", "Bélanger", email="info@clinique.example.com")
    rows = [road.Row(holder.pk, {"email": ""}), road.Row(amelie.pk, {"email": "info@clinique.example.com"})]
    assert "email" not in plan(felix, boreale, *rows).rows[1].warnings
