"""The road for many: more rows than one statement takes lightly, through every sheet, with the rules and the cost of a few."""

from random import Random

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from forwarding.models import ForwardingRule
from phones.models import Phone
from phones.settings.sections import phone_sheet
from phones.sites.sections import sbc_sheet
from users import road
from users.company.sheets import department_sheet, did_sheet, system_extension_sheet
from users.models import Change, Did, Membership, User
from users.people.sections import user_sheet
from users.tests.factories import FACTS, make_customer, make_staff
from voicemail.models import Mailbox
from voicemail.pins import random_pin

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.both_databases("more rows than one statement of SQLite takes"),
    pytest.mark.slow("more than a thousand rows at a time"),
]

MANY = 1_100


@pytest.fixture
def actor():
    """Somebody of the provider's support, who may do everything."""
    return make_staff()


@pytest.fixture
def large(db):
    """A customer with room for thousands."""
    return make_customer("large", name="Large", extension_digits=5, included_extensions=50_000)


def person(place: int, **values):
    """What a file says of one new person."""
    return {
        "number": str(10_000 + place), "first_name": "Gens", "last_name": f"Numéro {place}", "email": f"p{place}@large.example",
        "mobile": f"581 555-{place:04}", "role": "users", "primary_department": "Accueil", "talk_enabled": "1", "sip_id": f"sip{place}",
        "voicemail.pin": random_pin(Random(place)), "voicemail.language": "en" if place % 2 else "",
        "available.no_answer_seconds": str(10 + place % 40), "recordings_visible": "oui" if place % 3 else "non",
    } | values  # fmt: skip


def write(actor, customer, sheet, rows):
    """Plan and apply; nothing may be refused."""
    made = road.plan(actor, customer, sheet, rows)
    assert [(row.errors, row.refusal) for row in made.refused[:3]] == []
    operation = road.apply(made, FACTS)
    assert operation is not None
    assert operation.changes.count() == len(rows)
    return made


@pytest.fixture
def crowd(actor, large):
    """More than a thousand people."""
    return write(actor, large, user_sheet(), [road.Row(None, person(place)) for place in range(MANY)])


def test_more_than_a_thousand_new_people_are_there_with_all_that_was_said_of_them(crowd, large):
    people = list(User.objects.of(large).order_by("number").select_related("mailbox"))
    assert [each.number for each in people] == [str(10_000 + place) for place in range(MANY)]
    assert len({each.sip_password for each in people}) == MANY
    assert not any(each.has_usable_password() for each in people)
    for place in (0, 1, 512, MANY - 1):
        one = people[place]
        assert (one.last_name, one.mobile) == (f"Numéro {place}", f"+1581555{place:04}")
        assert one.search_text.startswith(f"gens numero {place} ")
        assert one.talk_name == f"gensnumero{place}"
        assert one.recordings_visible is bool(place % 3)
        assert one.mailbox.language == ("en" if place % 2 else "")
        assert one.mailbox.pin == person(place)["voicemail.pin"]
        rules = {rule.status: rule for rule in ForwardingRule.objects.filter(user=one)}
        assert len(rules) == 5
        assert rules["available"].no_answer_seconds == 10 + place % 40
        assert (rules["do_not_disturb"].accept_push, rules["away"].accept_push) == (False, True)
    assert Membership.objects.filter(user__customer=large).count() == MANY
    assert Mailbox.objects.filter(user__customer=large).count() == MANY


def test_their_history_says_of_each_what_it_would_say_of_one(crowd, actor, large):
    alone = write(actor, large, user_sheet(), [road.Row(None, person(7_000))]).rows[0].record
    one = Change.objects.get(model="users.user", object_pk=alone.pk)
    many = Change.objects.get(model="users.user", object_pk=crowd.rows[700].record.pk)
    said = {cell["column"]: {**cell} for cell in one.cells}
    for cell in many.cells:
        other = said.pop(cell["column"])
        assert other.keys() == cell.keys()
        if cell["column"] in ("role", "primary_department", "departments", "voicemail.pin", "talk_enabled"):
            assert other == cell
    # The even and the odd differ in these alone.
    assert said.keys() <= {"voicemail.language", "recordings_visible"}
    assert (many.kind, many.version, many.subject_pk) == ("create", 1, many.object_pk)


def test_one_value_for_all_of_them_and_a_value_of_their_own_each(crowd, actor, large):
    keys = [row.key for row in crowd.rows]
    write(actor, large, user_sheet(), [road.Row(key, {"hot_desking": "1"}) for key in keys])
    assert User.objects.of(large).filter(hot_desking=True, version=2).count() == MANY
    rows = [
        road.Row(
            key,
            {
                "last_name": f"Autre \\{place}",
                "voicemail.pin": random_pin(Random(-1 - place)),
                "departments": ["Accueil", "Soins"] if place % 2 else ["Accueil"],
                "available.no_answer_seconds": str(50 + place % 9),
                "sip_id": f"neu{place}",
            },
        )
        for place, key in enumerate(keys)
    ]
    write(actor, large, user_sheet(), rows)
    people = User.objects.of(large).in_bulk(keys)
    assert [people[key].last_name for key in keys] == [f"Autre \\{place}" for place in range(MANY)]
    assert people[keys[3]].search_text.startswith("gens autre \\3 ")
    assert {each.version for each in people.values()} == {3}
    assert Mailbox.objects.get(user=keys[9]).pin == random_pin(Random(-10))
    assert ForwardingRule.objects.get(user=keys[10], status="available").no_answer_seconds == 51
    assert Membership.objects.filter(user__customer=large).count() == MANY + MANY // 2


def test_the_same_again_changes_nothing(crowd, actor, large):
    rows = [
        road.Row(row.key, {name: value for name, value in row.raw.items() if name not in ("number", "voicemail.pin")})
        for row in crowd.rows
    ]  # fmt: skip
    made = road.plan(actor, large, user_sheet(), rows)
    assert {row.outcome for row in made.rows} == {"unchanged"}
    assert road.apply(made, FACTS) is None


def test_every_one_of_a_thousand_bad_rows_is_refused_with_its_own_reason(crowd, actor, large):
    rows = [road.Row(None, person(place + 5_000, sip_id=f"SIP{place}", number=str(10_000 + place))) for place in range(MANY)]  # fmt: skip
    made = road.plan(actor, large, user_sheet(), rows)
    assert len(made.refused) == MANY
    assert all({"number", "sip_id"} <= row.errors.keys() for row in made.rows)
    assert str(10_000 + 77) in made.rows[77].errors["number"][0]


def test_a_department_of_more_than_a_thousand_is_emptied_and_deleted(crowd, actor, large, client):
    from signin.tests.signing import sign_in_fully

    accueil, soins = large.departments.get(name="Accueil"), large.departments.get(name="Soins")
    browser = sign_in_fully(client, actor)
    page = reverse("department_delete", args=[large.slug, accueil.pk])
    asked = browser.get(page)
    answer = browser.post(page, {"replacement": soins.pk, "confirm": "Accueil"})
    assert (asked.status_code, answer.status_code) == (200, 302)
    assert not large.departments.filter(pk=accueil.pk).exists()
    assert User.objects.of(large).filter(primary_department=soins).count() == MANY


def test_more_than_a_thousand_phones_departments_numbers_sbcs_and_members(crowd, actor, large):
    write(actor, large, phone_sheet(), [
        road.Row(None, {"mac": f"805ec1{place:06x}", "model": "yealink-t54w", "user": crowd.rows[place].key}) for place in range(MANY)
    ])  # fmt: skip
    phones = list(Phone.objects.of(large).order_by("mac"))
    assert [phone.user_id for phone in phones] == [row.key for row in crowd.rows]
    assert len({phone.token_hash for phone in phones}) == MANY
    write(
        actor,
        large,
        phone_sheet(),
        [road.Row(each.pk, {"lldp": "0" if each.lldp else "1"}) for each in phones],
    )
    write(
        actor,
        large,
        department_sheet(),
        [road.Row(None, {"name": f"Service {place}"}) for place in range(MANY)],
    )
    write(
        actor,
        large,
        did_sheet(),
        [road.Row(None, {"number": f"+1438555{place:04}", "name": f"L{place}"}) for place in range(MANY)],
    )
    numbers = list(Did.objects.of(large).filter(number__startswith="+1438555").order_by("number"))
    taking = [road.Row(row.key, {"dids": [did.pk]}) for row, did in zip(crowd.rows, numbers, strict=True)]
    write(actor, large, user_sheet(), taking)
    assert [
        did.user_id for did in Did.objects.of(large).filter(number__startswith="+1438555").order_by("number")
    ] == [row.key for row in crowd.rows]
    group = {
        "number": "90000",
        "name": "Tous",
        "kind": "ring_group",
        "members": [str(row.key) for row in crowd.rows],
    }
    everybody = write(actor, large, system_extension_sheet(), [road.Row(None, group)]).rows[0].record
    assert everybody.members.count() == MANY
    write(
        actor,
        large,
        sbc_sheet(),
        [
            road.Row(None, {"name": f"Site {place}", "address": f"10.0.{place // 250}.{place % 250 + 1}"})
            for place in range(MANY)
        ],
    )


@pytest.mark.postgresql
def test_a_thousand_rows_cost_as_many_statements_as_a_hundred(actor, large):
    def cost(start, count):
        with CaptureQueriesContext(connection) as queries:
            write(
                actor, large, user_sheet(), [road.Row(None, person(start + place)) for place in range(count)]
            )
        return len(queries)

    assert cost(1_000, 1_000) <= cost(0, 100) + 6 < 60
