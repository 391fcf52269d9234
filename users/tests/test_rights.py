"""Who may do what to whom: the rules between people, and the table of roles."""

from itertools import product

import pytest

from users import rights, road
from users.models import Role, StaffLevel, User
from users.people.sections import user_sheet
from users.rights import Verb
from users.tests.factories import details, make_staff, make_user, make_users

ROLES = [
    "users",
    "receptionists",
    "group_admins",
    "managers",
    "group_owners",
    "system_admins",
    "system_owners",
]


@pytest.fixture
def people(boreale):
    """One person of every role, in Soins; and a plain user in Accueil."""
    made = make_users(
        boreale,
        *(
            details(f"1{place}0", "Personne", role, role=role, department="Soins")
            for place, role in enumerate(ROLES)
        ),
        details("190", "Ailleurs"),
    )
    return dict(zip([*ROLES, "elsewhere"], made, strict=True))


# The guide's table: a mark for each role, in the order of ROLES.
TABLE = {
    "see_members": "xxxxxxx", "see_calls": "-xxxxxx", "pick_up": "-xxxxxx", "control_ivr": "-xxxxxx", "intercom": "-xxxxxx",
    "company_contacts": "--xxxxx", "barge_in": "---xx-x", "chat_templates": "--xxxxx", "receptionist": "-xxxxxx",
    "administer_users": "--xxxxx", "administer_hours": "--xxxxx", "call_handling": "--x-xxx", "voice_and_chat": "--x-xxx",
    "reports": "---xx-x", "outbound_rules": "----xxx", "event_log": "----xxx", "whole_customer": "-----xx",
}  # fmt: skip


def test_the_roles_carry_the_guides_table(db):
    roles = list(Role.objects.all())
    assert [role.pk for role in roles] == ROLES
    found = {name: "".join("x" if getattr(role, name) else "-" for role in roles) for name in TABLE}
    assert found == TABLE
    assert {
        field.name for field in Role._meta.local_fields if field.get_internal_type() == "BooleanField"
    } == TABLE.keys()


@pytest.mark.parametrize("role", ["users", "receptionists"])
def test_who_has_no_administration_may_do_nothing_to_anybody(people, role):
    # A receptionist sets the status of colleagues whom they see: forwarding.tests.test_colleagues.
    for verb in set(Verb) - {Verb.SELF, Verb.STATUS}:
        assert not rights.can(people[role], verb, people["users"]), verb


def test_nobody_acts_on_a_role_above_his_own(people):
    level = {role.pk: role.level for role in Role.objects.all()}
    for actor, subject, verb in product(ROLES[2:], ROLES, [Verb.SEE, Verb.EDIT, Verb.COMMAND, Verb.REVEAL]):
        may = rights.can(people[actor], verb, people[subject])
        assert may == (level[subject] <= level[actor]), (actor, verb, subject)


@pytest.mark.parametrize(
    ("actor", "may"),
    [
        ("group_admins", False),
        ("managers", False),
        ("group_owners", False),
        ("system_admins", True),
        ("system_owners", True),
    ],
)
def test_only_the_system_roles_reach_beyond_their_departments(people, actor, may):
    assert rights.can(people[actor], Verb.EDIT, people["elsewhere"]) == may


def test_only_the_primary_department_counts_not_a_shared_one(boreale, people):
    shared = make_user(boreale, "195", "Partagé", department="Accueil", departments=["Accueil", "Soins"])
    assert not rights.can(people["group_admins"], Verb.EDIT, shared)


def test_nobody_acts_on_another_customers_people(laurier, people):
    stranger = make_user(laurier, "201")
    for role in ROLES:
        for verb in set(Verb) - {Verb.SELF}:
            assert not rights.can(people[role], verb, stranger)


def test_nobody_grants_above_himself_and_one_level_does_not_grant_the_other(people):
    roles = {role.pk: role for role in Role.objects.all()}
    for actor, granted in product(ROLES, ROLES):
        expected = granted == actor or roles[granted].level < roles[actor].level
        assert rights.can_grant(people[actor], roles[granted]) == expected, (actor, granted)
        offered = Role.objects.filter(rights.grantable_roles(people[actor]), pk=granted).exists()
        assert offered == expected, (actor, granted)


@pytest.mark.parametrize("granted", ["group_owners", "system_admins", "system_owners", "managers"])
def test_a_department_administrator_can_not_raise_anybody(boreale, people, granted):
    made = road.plan(
        people["group_admins"], boreale, user_sheet(), [road.Row(people["users"].pk, {"role": granted})]
    )
    assert "role" in made.rows[0].errors


def test_nobody_changes_his_own_role_not_even_downwards(boreale, people):
    for role in ROLES[2:]:
        made = road.plan(people[role], boreale, user_sheet(), [road.Row(people[role].pk, {"role": "users"})])
        assert "role" in made.rows[0].errors, role


def test_a_department_administrator_moves_people_only_among_his_departments(boreale, people):
    actor = people["group_admins"]
    for values in ({"primary_department": "Accueil"}, {"departments": ["Accueil", "Soins"]}):
        made = road.plan(actor, boreale, user_sheet(), [road.Row(people["users"].pk, values)])
        assert made.rows[0].errors, values
    new = {"first_name": "Neuf", "primary_department": "Accueil"}
    assert road.plan(actor, boreale, user_sheet(), [road.Row(None, new)]).rows[0].errors


def test_who_is_disabled_may_nothing_any_more(people):
    owner = people["system_owners"]
    owner.disabled = True
    assert not rights.can(owner, Verb.EDIT, people["users"])


def test_support_staff_act_everywhere_while_they_are_active(people, staff):
    of_customers = set(Verb) - {Verb.SELF, *rights.OF_MANAGERS}
    assert all(rights.can(staff, verb, people["system_owners"]) for verb in of_customers)
    staff.disabled = True
    assert not rights.can(staff, Verb.SEE, people["users"])


def test_each_level_of_the_support_may_what_those_below_may_and_more(people, db):
    may = {}
    for level in StaffLevel:
        actor = make_staff(f"{level}@tic.example", staff_level=level)
        may[level] = {
            verb
            for verb in Verb
            for subject in (None, people["system_owners"])
            if rights.can(actor, verb, subject)
        }
    assert may["read_only"] == {Verb.ADMINISTER, Verb.SEE, Verb.WHOLE, Verb.HISTORY}
    assert may["technician"] == set(Verb) - {Verb.SELF, *rights.OF_MANAGERS}
    assert may["manager"] == set(Verb) - {Verb.SELF}


def test_colleagues_of_the_support_are_the_managers_to_change_and_nobody_their_own(people, db):
    manager, other = (make_staff(f"{name}@tic.example", staff_level="manager") for name in "ab")
    technician = make_staff("c@tic.example")
    assert rights.can(manager, Verb.TEAM, other)
    assert rights.can(manager, Verb.TEAM, technician)
    for verb in set(Verb) - {Verb.SELF}:
        assert not rights.can(manager, verb, manager), verb
        assert not rights.can(people["system_owners"], verb, technician), verb
    for verb in set(Verb) - {Verb.SELF, Verb.SEE, Verb.ADMINISTER, Verb.WHOLE, Verb.HISTORY}:
        assert not rights.can(technician, verb, other), verb


def test_who_takes_a_lost_second_factor_away(boreale, people, staff):
    allowed = {
        (actor, subject)
        for actor in ROLES
        for subject in ROLES
        if rights.can(people[actor], Verb.FACTOR, people[subject])
    }
    whole = {role.pk for role in Role.objects.all() if role.whole_customer and role.administer_users}
    assert allowed == {
        (actor, subject)
        for actor in whole
        for subject in ROLES
        if subject != actor and people[subject].role.level <= people[actor].role.level
    }
    assert not rights.can(people["group_owners"], Verb.FACTOR, people["users"])


def test_the_list_shows_exactly_whom_one_may_administer(boreale, people):
    for role in ROLES[2:]:
        actor = people[role]
        shown = set(User.objects.visible_to(actor).of(boreale).filter(rights.administered_by(actor)))
        assert shown == {person for person in people.values() if rights.can(actor, Verb.SEE, person)}, role


def test_everybody_may_do_what_is_his_own_and_nobody_elses(people, staff):
    for person in people.values():
        assert rights.can(person, Verb.SELF, person)
        assert not any(rights.can(person, Verb.SELF, other) for other in people.values() if other != person)
        assert not rights.can(person, Verb.SELF)
    assert not rights.can(staff, Verb.SELF, people["users"])


OWN_VOICEMAIL = {
    f"voicemail.{name}"
    for name in (
        "enabled",
        "language",
        "pin",
        "default_greeting",
        "play_date_time",
        "email_option",
        "play_caller_id",
    )
}
RINGING, DIVERTING = ("available", "lunch"), ("away", "do_not_disturb", "business_trip")
OWN_RULES = {
    f"{status}.{name}"
    for statuses, names in (
        (RINGING, "no_answer_seconds no_answer_external no_answer_internal busy_external busy_internal"),
        (RINGING, "ring_mobile accept_multiple_calls"),
        (DIVERTING, "divert_external divert_internal"),
        (DIVERTING, "voicemail_out_of_hours_external voicemail_out_of_hours_internal"),
        (
            RINGING + DIVERTING,
            "custom_message log_out_of_queues accept_ring_group_calls accept_push greeting",
        ),
    )
    for status in statuses
    for name in names.split()
}


def test_what_somebody_changes_of_himself_is_this_and_nothing_else(amelie):
    columns = user_sheet().columns.values()
    status = {"status", "status_until"}
    assert rights.own_columns(amelie, Verb.SELF, columns) == status | OWN_VOICEMAIL | OWN_RULES
    amelie.hide_forwarding = True
    assert rights.own_columns(amelie, Verb.SELF, columns) == status | OWN_VOICEMAIL
    assert rights.own_columns(amelie, Verb.STATUS, columns) == status
    others = [sheet for sheet in road.SHEETS.values() if sheet is not user_sheet()]
    found = {(sheet.label, column.own) for sheet in others for column in sheet.columns.values() if column.own}
    assert found == {("voicemail.greeting", rights.Own.VOICEMAIL)}, "the library of one's own greetings"
