"""What somebody sees of others: the role, where it counts, under what "Visualiser" forces."""

import pytest

from users import rights
from users.models import Department, Role, User, Visibility
from users.rights import Forced, Sight, what_sees
from users.tests.factories import make_user

ROLES = [
    "users",
    "receptionists",
    "group_admins",
    "managers",
    "group_owners",
    "system_admins",
    "system_owners",
]
# Rows 1, 2, 3 to 5 and 7 of the guide's table.
TABLE = {
    "users": Sight(presence=True),
    "receptionists": Sight(True, True, True, True, True, False),
    "group_admins": Sight(True, True, True, True, True, False),
    "managers": Sight(True, True, True, True, True, True),
    "group_owners": Sight(True, True, True, True, True, True),
    "system_admins": Sight(True, True, True, True, True, False),
    "system_owners": Sight(True, True, True, True, True, True),
}


@pytest.fixture
def olivier(boreale):
    """A plain user in Soins."""
    return make_user(boreale, "104", "Olivier", "Bélanger", department="Soins")


def force(user, department, **forced):
    department = Department.objects.of(user.customer).get(name=department)
    Visibility.objects.create(user=user, department=department, **forced)


def again(user):
    return User.objects.select_related("customer", "role", "primary_department").get(pk=user.pk)


@pytest.mark.parametrize("role", ROLES)
def test_in_ones_own_department_the_role_decides(boreale, olivier, role):
    viewer = make_user(boreale, "120", "Regard", role, role=role, department="Soins")
    assert what_sees(viewer, olivier) == TABLE[role]


@pytest.mark.parametrize("role", ROLES)
def test_elsewhere_only_the_system_roles_see_anything(boreale, olivier, role):
    viewer = make_user(boreale, "120", "Regard", role, role=role, department="Accueil")
    assert what_sees(viewer, olivier) == (TABLE[role] if role.startswith("system") else rights.NOTHING)


def test_roles_are_data_and_what_support_changes_there_counts(boreale, olivier):
    Role.objects.filter(pk="users").update(see_calls=True, intercom=True)
    viewer = make_user(boreale, "120", "Regard", department="Soins")
    assert what_sees(viewer, olivier) == Sight(presence=True, calls=True, intercom=True)


@pytest.mark.parametrize(
    ("column", "gained"),
    [
        ("see_presence", {"presence"}),
        ("see_calls", {"calls"}),
        ("perform_operations", {"pick_up", "control_ivr", "intercom"}),
    ],
)
def test_what_is_forced_on_is_seen_even_in_a_department_one_does_not_belong_to(
    boreale, olivier, column, gained
):
    viewer = make_user(boreale, "120", "Regard", department="Accueil")
    force(viewer, "Soins", **{column: True})
    assert what_sees(again(viewer), olivier) == Sight(**dict.fromkeys(gained, True))
    assert not again(viewer).memberships.filter(department__name="Soins").exists(), "a view is no membership"


@pytest.mark.parametrize(
    ("column", "lost"),
    [("see_presence", "presence"), ("see_calls", "calls"), ("perform_operations", "pick_up")],
)
def test_what_is_forced_off_is_not_seen(boreale, olivier, column, lost):
    viewer = make_user(boreale, "120", "Regard", role="managers", department="Soins")
    assert getattr(what_sees(viewer, olivier), lost)
    force(viewer, "Soins", **{column: False})
    assert not getattr(what_sees(again(viewer), olivier), lost)


def test_barging_in_stays_with_the_role_and_takes_calls_that_are_seen(boreale, olivier):
    manager = make_user(boreale, "120", "Regard", role="managers", department="Soins")
    force(manager, "Soins", see_calls=False)
    assert not what_sees(again(manager), olivier).barge_in
    receptionist = make_user(boreale, "121", "Regard", role="receptionists", department="Soins")
    force(receptionist, "Soins", see_calls=True, perform_operations=True)
    assert not what_sees(again(receptionist), olivier).barge_in


def test_who_does_not_show_his_calls_is_only_seen_to_be_in_one(boreale, olivier):
    viewer = make_user(boreale, "120", "Regard", role="managers", department="Soins")
    force(olivier, "Soins", show_my_calls=False)
    sight = what_sees(viewer, olivier)
    assert (sight.presence, sight.calls, sight.barge_in) == (True, False, False)


def test_nothing_of_who_is_hidden_or_disabled_and_nothing_for_who_is_disabled(boreale, olivier):
    viewer = make_user(boreale, "120", "Regard", role="managers", department="Soins")
    for flag in ("hidden", "disabled"):
        setattr(olivier, flag, True)
        assert what_sees(viewer, olivier) == rights.NOTHING
        setattr(olivier, flag, False)
    assert what_sees(viewer, olivier) != rights.NOTHING
    viewer.disabled = True
    assert what_sees(viewer, olivier) == rights.NOTHING


def test_nothing_across_customers_and_nothing_for_support_staff(laurier, olivier, staff):
    stranger = make_user(laurier, "201", "Rosalie", "Beaulieu", role="system_owners")
    assert what_sees(stranger, olivier) == rights.NOTHING
    assert what_sees(staff, olivier) == rights.NOTHING


def test_of_oneself_one_sees_everything_there_is(olivier):
    assert what_sees(olivier, olivier) == Sight(presence=True, calls=True)


def test_as_many_queries_for_thirty_colleagues_as_for_three(boreale, django_assert_max_num_queries):
    viewer = again(make_user(boreale, "120", "Regard", role="managers", department="Soins"))
    people = [
        make_user(boreale, f"13{place}", "Personne", str(place), department="Soins") for place in range(8)
    ]
    with django_assert_max_num_queries(6):
        found = rights.sights(
            viewer, User.objects.filter(pk__in=[person.pk for person in people]).select_related("customer")
        )
    assert all(found[person.pk].calls for person in people)


def test_forcings_that_are_not_saved_yet_can_be_tried(boreale, olivier):
    viewer = again(make_user(boreale, "120", "Regard", department="Accueil"))
    soins = Department.objects.of(boreale).get(name="Soins").pk
    tried = rights.sights(viewer, [olivier], {soins: Forced(see_calls=True)})
    assert tried[olivier.pk].calls
    assert not what_sees(viewer, olivier).calls
