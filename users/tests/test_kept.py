"""What 3CX's file says and the portal doesn't offer: kept, exported again, and nowhere else."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from pbxadmin.common.columns import Scope
from signin.tests.signing import sign_in_fully
from users import road
from users.models import Change, Customer, User
from users.people.copying import settings_of
from users.people.sections import user_sheet
from users.people.sections.options import KEPT, OPTIONS
from users.tests.factories import FACTS, make_staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def scope(boreale: Customer) -> Scope:
    return Scope(make_staff(), boreale)


def take(scope: Scope, person: User, **cells: str) -> road.RowPlan:
    """Change somebody as a file would."""
    columns = {column.csv: column for column in user_sheet().columns.values()}
    values: dict[str, Any] = {}
    for name, text in cells.items():
        said, told = columns[name].said_in_file(text, scope, record_is_new=False)
        assert not told
        values |= said
    plan = road.plan(scope.actor, person.customer, user_sheet(), [road.Row(person.pk, values)])
    if not plan.refused:
        road.apply(plan, FACTS)
    return plan.rows[0]


@pytest.mark.parametrize("code", ["0", "1", "2", "3"])
def test_they_are_kept_as_they_are_and_come_out_again(scope: Scope, amelie: User, code: str) -> None:
    row = take(scope, amelie, Transcription=code, RecordNotify="1")
    assert row.outcome == "changed"
    amelie.refresh_from_db()
    assert [column.to_cell(column.read(amelie), scope) for column in KEPT] == [code, "1"]
    assert take(scope, amelie, Transcription=code, RecordNotify="1").outcome == "unchanged"


def test_blank_is_the_departments_and_no(scope: Scope, amelie: User) -> None:
    take(scope, amelie, Transcription="2", RecordNotify="1")
    take(scope, amelie, Transcription="", RecordNotify="")
    amelie.refresh_from_db()
    assert [column.to_cell(column.read(amelie), scope) for column in KEPT] == ["", "0"]


@pytest.mark.parametrize("text", ["4", "-1", "yes", "00"])
def test_what_3cx_does_not_write_is_refused(scope: Scope, amelie: User, text: str) -> None:
    with pytest.raises(ValidationError):
        take(scope, amelie, Transcription=text)


def test_the_history_names_them_as_3cx_does_and_they_are_on_no_page(
    client: Client, scope: Scope, amelie: User, felix: User
) -> None:
    take(scope, amelie, Transcription="2", RecordNotify="1")
    assert {cell["column"] for cell in Change.objects.latest("pk").cells} == {
        "transcription",
        "record_notify",
    }
    sign_in_fully(client, felix)
    history = client.get(reverse("user_history", args=["boreale", "101"])).content.decode()
    assert "Transcription" in history
    assert "RecordNotify" in history
    page = client.get(reverse("user_tab", args=["boreale", "101", "options"])).content.decode()
    assert "ranscription" not in page
    assert "ecord_notify" not in page
    form = client.get(reverse("user_tab", args=["boreale", "101", "options"])).context["form"]
    assert not {column.name for column in KEPT} & form.fields.keys()
    assert not {column.name for column in KEPT} & OPTIONS.form(scope, many=True).fields.keys()


def test_they_draw_no_heading_where_the_customer_has_nothing_else_below_it(scope: Scope) -> None:
    """Without integrations, the tab ends before them."""
    assert all(part.fields or part.parts for part in OPTIONS.form(scope).parts)


def test_neither_a_copy_nor_a_change_of_many_takes_them_over(scope: Scope, amelie: User) -> None:
    take(scope, amelie, Transcription="2", RecordNotify="1")
    amelie.refresh_from_db()
    assert not {column.name for column in KEPT} & settings_of(amelie, scope).values.keys()
    assert not any(column.bulk for column in KEPT)
