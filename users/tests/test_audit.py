"""The history as a tool: of all customers for support staff, by who, when, what and number; and of one record of its own."""

import json
import re
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation

from pbxadmin.common.values.signs import folded
from phones import services
from phones.tests.factories import make_phone
from signin.tests.signing import sign_in_fully
from users import road
from users.company.sheets import department_sheet
from users.models import Change, Department, Did, Mention, Operation
from users.models.history import numbers_in
from users.people.sections import user_sheet
from users.road.meanwhile import shown
from users.tests.factories import FACTS, details, make_user, make_users


@pytest.fixture
def owner(felix):
    return sign_in_fully(Client(), felix)


@pytest.fixture
def desk(staff):
    return sign_in_fully(Client(), staff)


def edit(actor, person, **values):
    person.refresh_from_db()
    return road.apply(road.plan(actor, person.customer, user_sheet(), [road.Row(person.pk, values)]), FACTS)


def asked(client, **query):
    answer = client.get(reverse("audit"), query)
    assert answer.status_code == 200
    return unescape(answer.content.decode())


def of_record(client, record, table):
    answer = client.get(reverse("record_history", args=["boreale", table, record.pk]))
    assert answer.status_code == 200
    return unescape(answer.content.decode())


@pytest.fixture
def both(desk, staff, boreale, laurier, amelie):
    """Something at each of two customers."""
    rosalie = make_user(laurier, "201", "Rosalie", "Beaulieu")
    edit(staff, amelie, mobile="514 555-0142")
    edit(staff, rosalie, mobile="418 555-0171")
    return rosalie


FOUND = [
    ({"kind": "edit"}, True, True),
    ({"kind": "edit", "customer": "boréale"}, True, False),
    ({"kind": "edit", "customer": "LAURIER"}, False, True),
    ({"kind": "edit", "q": "5145550142"}, True, False),
    ({"kind": "edit", "q": "(418) 555-0171"}, False, True),
    ({"kind": "edit", "q": "rosalie"}, False, True),
    ({"kind": "edit", "by": "soutien"}, True, True),
    ({"kind": "edit", "by": "nobody"}, False, False),
    ({"kind": "edit", "table": "users.user"}, True, True),
    ({"kind": "edit", "table": "users.did"}, False, False),
    ({"kind": "edit", "table": "users_user; --"}, False, False),
    ({"kind": "edit", "from": "2000-01-01", "until": "2000-01-02"}, False, False),
    ({"kind": "edit", "from": "today", "until": "today"}, True, True),
    ({"kind": "edit", "from": "0001-01-01"}, True, True),
    ({"kind": "edit", "until": "9999-12-31"}, False, False),
    ({"kind": "edit", "from": "2026-02-31"}, False, False),
    ({"kind": "edit", "from": "\x00'"}, False, False),
]


def test_what_was_done_anywhere_is_found_by_who_when_where_and_number(desk, staff, both):
    meant = {"soutien": staff.full_name.split()[0], "today": str(timezone.localdate())}
    wrong = []
    for query, first, second in FOUND:
        found = asked(desk, **{key: meant.get(value, value) for key, value in query.items()})
        # `9999-12-31` has no next day on any clock: a day that can't be reckoned with finds nothing, as a word does.
        if ("514 555-0142" in found, "418 555-0171" in found) != (first, second):
            wrong.append(query)
    assert wrong == []


def test_what_a_row_is_found_by_follows_from_what_it_tells_however_it_was_written(staff, boreale):
    """Many rows at once go into the database another way than few, and what is deleted than what is changed."""
    many = [
        details(str(number), "Zoë", "L’Écuyer", mobile=f"+1514555{number:04}") for number in range(140, 165)
    ]
    made = make_users(boreale, *many)
    edit(staff, made[0], mobile="450 555-0199")
    road.remove(road.plan_removal(staff, boreale, user_sheet(), [made[0].pk]), FACTS)
    changes = list(Change.objects.filter(object_pk__in=[person.pk for person in made], model="users.user"))
    assert len(changes) == 27
    for change in changes:
        assert change.search_text == folded(change.object_name)
        assert set(change.numbers.split()) == set(numbers_in(json.dumps(change.cells)).split())
    assert {"15145550140", "14505550199"} <= {
        number for change in changes for number in change.numbers.split()
    }


def test_a_reason_is_found_beside_the_name_of_whoever_gave_it(desk, staff, amelie):
    edit(staff, amelie, mobile="514 555-0142")
    Operation.objects.create(kind="edit", actor_name="Solange Bélanger", note="Billet 4711", source="admin")
    for text, there in (("belanger 4711", True), ("bélanger 4712", False)):
        assert ("Solange Bélanger" in asked(desk, q=text)) == there
    assert "Solange Bélanger" in asked(desk, by="SOLANGE BELANGER")
    assert "Solange Bélanger" not in asked(desk, by="4711")


def test_the_customer_stands_beside_each_change_and_it_can_be_taken_back_from_there(desk, both, amelie):
    text = asked(desk, kind="edit")
    operation = Change.objects.filter(object_pk=amelie.pk, kind="edit").latest("pk").operation
    assert "Clinique Boréale" in text
    assert reverse("undo", args=["boreale", operation.pk]) in text
    assert reverse("history", args=["laurier"]) in text


def test_the_page_of_all_customers_costs_the_same_for_many(desk, staff, both, boreale, amelie):
    def cost():
        with CaptureQueriesContext(connection) as queries:
            asked(desk)
        return len(queries)

    few = cost()
    for number in range(150, 156):
        edit(staff, make_user(boreale, str(number)), role="receptionists")
    assert cost() == few
    assert few <= 8


def test_whatever_is_saved_is_told_without_asking_its_customer(desk, staff, boreale, amelie, felix, ines):
    """Each column of somebody's tabs, as a new person has it: names that the history keeps, roles in the reader's language."""
    soins = Department.objects.of(boreale).get(name="Soins")
    number = Did.objects.of(boreale).filter(user=None, system_extension=None).first()
    edit(staff, amelie, role="group_admins", departments=[amelie.primary_department_id, soins.pk], dids=[number.pk],
         **{"away.divert_external": "extension:103", "available.busy_external": "voicemail"})  # fmt: skip
    text = asked(desk, kind="edit")
    assert "Administrateur du département" in text
    assert "103 Inès Roy" in text
    assert "group_admins" not in text
    assert "Soins" in text


def test_nobody_but_support_reads_of_all_customers(owner, amelie):
    assert owner.get(reverse("audit")).status_code == 403
    assert sign_in_fully(Client(), amelie).get(reverse("audit")).status_code == 403


def test_a_number_that_moves_stands_in_its_own_history(owner, felix, boreale, amelie, ines):
    number = Did.objects.of(boreale).filter(user=None, system_extension=None).first()
    edit(felix, amelie, dids=[number.pk])
    edit(felix, amelie, dids=[])
    edit(felix, ines, dids=[number.pk])
    edit(felix, ines, mobile="514 555-0199")
    told = of_record(owner, number, "did")
    assert "Amélie Tremblay" in told
    assert "Inès Roy" in told
    assert told.count("<time") == 3
    assert "514 555-0199" not in told
    assert road.remove(road.plan_removal(felix, boreale, user_sheet(), [ines.pk]), FACTS)
    assert of_record(owner, number, "did").count("<time") == 4


def test_a_department_has_who_came_and_went_and_what_it_was_changed_in(owner, felix, boreale, amelie):
    soins = Department.objects.of(boreale).get(name="Soins")
    edit(felix, amelie, departments=[amelie.primary_department_id, soins.pk])
    plan = road.plan(felix, boreale, department_sheet(), [road.Row(soins.pk, {"name": "Soins de jour"})])
    road.apply(plan, FACTS)
    told = of_record(owner, soins, "department")
    assert "Amélie Tremblay" in told
    assert "Soins de jour" in told


def test_a_phone_has_its_own_history(owner, felix, boreale, amelie, ines):
    phone = make_phone(boreale, amelie, "805ec0aabb01")
    edit(felix, amelie, mobile="514 555-0142")
    told = of_record(owner, phone, "phone")
    assert "514 555-0142" not in told
    road.apply(services.phone_move_plan(felix, boreale, phone, ines), FACTS)
    assert "Inès" in of_record(owner, phone, "phone")


def test_somebody_new_is_no_news_of_their_department_and_their_number_is(felix, boreale):
    number = Did.objects.of(boreale).filter(user=None, system_extension=None).first()
    make_user(boreale, "199", "Nouvelle", "Venue", dids=[number.pk])
    assert list(Mention.objects.filter(by_model="users.user").values_list("model", "object_pk")) == [
        ("users.did", number.pk)
    ]


def test_what_is_not_there_or_another_customers_has_no_history(owner, desk, laurier, boreale):
    theirs = Department.objects.of(laurier).first()
    for table, key in (
        ("department", theirs.pk),
        ("department", 10**30),
        ("nothing", 1),
        ("phone", 1),
        ("role", 1),
    ):
        address = f"/c/boreale/history/of/{table}/{key}"
        assert owner.get(address).status_code == 404, address
        assert desk.get(address).status_code == 404, address


def test_values_that_are_closed_to_the_reader_are_found_by_none_of_them(boreale, felix):
    """A number that only stands in what somebody above changed must not be guessed by searching for it."""
    edit(felix, felix, mobile="514 555-0177")
    admin = make_user(boreale, "160", "Système", "Admin", role="system_admins")
    client = sign_in_fully(Client(), admin)
    Operation.objects.all()  # his own creation is among them
    found = client.get(reverse("history", args=["boreale"]), {"q": "514 555-0177", "kind": "edit"})
    assert "<time" not in found.content.decode()
    other = make_user(boreale, "161", "Simple", "Personne")
    edit(felix, other, mobile="514 555-0178")
    found = client.get(reverse("history", args=["boreale"]), {"q": "514 555-0178", "kind": "edit"})
    assert "<time" in found.content.decode()


def test_no_raw_word_stands_in_the_history(boreale):
    """Every choice of every column, and every moment, is told in words, also where no customer is at hand to ask."""
    raw = []
    with translation.override("fr-ca"):
        for label, sheet in road.SHEETS.items():
            assert "." not in str(sheet.model._meta.verbose_name), label
            for column in sheet.columns.values():
                field = getattr(column, "field", None)
                values = [
                    key for key, _words in getattr(field, "flatchoices", None) or [] if key not in ("", None)
                ]
                if field is not None and field.get_internal_type() == "DateTimeField":
                    values.append(timezone.now())
                for value in values:
                    if column.only_in_files:
                        continue
                    told = shown({"new": column.to_json(value)}, "new", column)
                    if told == str(value) or "_" in told or "+00:00" in told:
                        raw.append((label, column.name, value, told))
    assert raw == []


def test_whoever_undoes_comes_back_to_the_history_from_which_they_came(owner, felix, boreale, amelie):
    number = Did.objects.of(boreale).filter(user=None, system_extension=None).first()
    edit(felix, amelie, dids=[number.pk])
    own = reverse("record_history", args=["boreale", "did", number.pk])
    page = owner.get(own).content.decode()
    [link] = re.findall(r'href="([^"]+/undo\?[^"]+)"', page)
    shown = owner.get(unescape(link)).content.decode()
    assert f'href="{own}"' in shown
    done = owner.post(unescape(link))
    assert (done.status_code, done.url) == (302, own)
    operation = Operation.objects.filter(undoes=None, kind="edit").latest("pk")
    bad = f"{reverse('undo', args=['boreale', operation.pk])}?next=https://evil.example/"
    assert 'href="https://evil' not in owner.get(bad).content.decode()
    assert "evil" not in owner.post(bad).headers.get("Location", "")
