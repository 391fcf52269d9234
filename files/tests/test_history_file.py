"""The history as a file: what the page tells, narrowed as the page is, and no formula in it."""

import csv
import io

import pytest
from django.test import Client
from django.urls import reverse

from pbxadmin.common.http import RequestFacts
from signin.tests.signing import sign_in_fully
from users import road
from users.people.sections import user_sheet
from users.tests.factories import make_user


def edit(actor, person, note="", **values):
    person.refresh_from_db()
    facts = RequestFacts("portal", "203.0.113.9", "test", note)
    road.apply(road.plan(actor, person.customer, user_sheet(), [road.Row(person.pk, values)]), facts)


def lines_of(answer):
    assert answer.status_code == 200
    header, *rows = csv.reader(io.StringIO(b"".join(answer.streaming_content).decode()))
    return [dict(zip(header, row, strict=True)) for row in rows]


@pytest.fixture
def history(felix, amelie, boreale, laurier, staff):
    rosalie = make_user(laurier, "201", "Rosalie", "Beaulieu")
    edit(felix, amelie, note="=HYPERLINK(1)", mobile="514 555-0142", role="managers")
    edit(staff, rosalie, note="Billet 4711", mobile="418 555-0171")


def test_each_value_that_changed_is_a_line(history, felix):
    client = sign_in_fully(Client(), felix)
    found = lines_of(client.get(reverse("history_file", args=["boreale", "csv"]), {"kind": "edit"}))
    assert [(line["Champ"], line["Avant"], line["Après"]) for line in found if line["Champ"] == "Mobile"] == [
        ("Mobile", "", "514 555-0142")
    ]
    assert {line["Élément"] for line in found} == {"101 Amélie Tremblay"}
    assert "Manager" in {line["Après"] for line in found}
    assert {line["Motif ou no de billet"] for line in found} == {"'=HYPERLINK(1)"}
    assert "Rosalie" not in str(found)


def test_support_has_all_customers_as_the_page_is_narrowed(history, staff, felix):
    client = sign_in_fully(Client(), staff)
    address = reverse("audit_file", args=["csv"])
    found = lines_of(client.get(address, {"kind": "edit", "q": "4711"}))
    assert {(line["Client"], line["Adresse"]) for line in found} == {("Librairie Laurier", "203.0.113.9")}
    both = {line["Client"] for line in lines_of(client.get(address, {"kind": "edit"}))}
    assert both == {"Clinique Boréale", "Librairie Laurier"}
    assert b"".join(client.get(reverse("audit_file", args=["xlsx"])).streaming_content)[:2] == b"PK"
    assert client.get(reverse("audit_file", args=["pdf"])).status_code == 404
    assert sign_in_fully(Client(), felix).get(address).status_code == 403


def test_what_is_closed_to_the_reader_on_the_page_is_closed_in_the_file(boreale, felix):
    edit(felix, felix, mobile="514 555-0177")
    admin = make_user(boreale, "160", "Système", "Admin", role="system_admins")
    address = reverse("history_file", args=["boreale", "csv"])
    found = lines_of(sign_in_fully(Client(), admin).get(address, {"kind": "edit"}))
    assert {line["Champ"] for line in found} == {"Mobile"}
    assert "0177" not in str(found)
    assert "203.0.113.9" not in str(found)


def test_a_file_of_much_history_costs_the_same_for_each_line(
    history, felix, staff, amelie, django_assert_max_num_queries
):
    for turn in range(12):
        edit(felix, amelie, last_name=f"Tremblay {turn}")
    client = sign_in_fully(Client(), staff)
    with django_assert_max_num_queries(8):
        assert len(lines_of(client.get(reverse("audit_file", args=["csv"]), {"kind": "edit"}))) >= 12
