"""Whose a MAC is, and what is told of it to whom; and which mistake a MAC or a model in a file is."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import translation

from pbxadmin.common.columns import Scope
from pbxadmin.common.reasons import Reason, reasons_of
from phones.models import Phone
from phones.selectors import template_of
from phones.settings.sections import phone_sheet
from phones.tests.factories import make_phone, provider
from users import road
from users.models import Customer, User
from users.tests.factories import make_user

pytestmark = pytest.mark.django_db

TAKEN = "805ec0aa1002"


def asked(
    actor: User, customer: Customer, person: User | None, mac: str = TAKEN, model: str = "yealink-t54w"
) -> dict[str, list[Reason]]:
    """Why a new phone with this MAC is refused."""
    values = {"mac": mac, "model": model, "user": person.pk if person else None}
    with translation.override("en"):
        return road.plan(actor, customer, phone_sheet(), [road.Row(None, values)]).rows[0].errors


def test_whose_a_mac_is_is_told_with_extension_and_name(boreale: Customer, amelie: User, felix: User) -> None:
    make_phone(boreale, felix, TAKEN)
    (reason,) = asked(provider(), boreale, amelie)["mac"]
    assert (reason.code, "102 Félix Gagnon" in reason) == ("mac_taken", True)


def test_nothing_is_told_of_somebody_whose_tabs_the_reader_cannot_open(
    boreale: Customer, felix: User, ines: User
) -> None:
    make_phone(boreale, felix, TAKEN)
    soins = make_user(boreale, "120", "Noé", "Roy", department="Soins")
    (reason,) = asked(ines, boreale, soins)["mac"]
    assert reason.code == "mac_taken"
    assert not any(word in reason for word in ("102", "Félix", "Gagnon"))


def test_of_another_customers_phone_nothing_is_told(
    boreale: Customer, laurier: Customer, amelie: User
) -> None:
    make_phone(laurier, make_user(laurier, "201", "Zoé", "Roy"), TAKEN)
    owner = make_user(boreale, "130", "Guy", "Roy", role="system_owners")
    (reason,) = asked(owner, boreale, amelie)["mac"]
    assert reason.code == "mac_taken"
    assert (
        reason
        == "This MAC address is already registered. If the phone is yours, contact your provider's support."
    )


def test_a_phone_that_is_in_stock_is_not_put_there_again(boreale: Customer, ines: User) -> None:
    make_phone(boreale, None, TAKEN)
    assert asked(provider(), boreale, None)["mac"] == ["This phone is already in your company's stock."]
    # Whoever may not touch the stock isn't told what is in it.
    assert "stock" not in asked(ines, boreale, ines)["mac"][0]


def test_many_macs_that_are_taken_cost_as_many_queries_as_one(
    boreale: Customer, amelie: User, felix: User, django_assert_max_num_queries: Any
) -> None:
    macs = [f"805ec0ab{number:04x}" for number in range(30)]
    for mac in macs:
        make_phone(boreale, felix, mac)
    rows = [road.Row(None, {"mac": mac, "model": "yealink-t54w", "user": amelie.pk}) for mac in macs]
    with django_assert_max_num_queries(12):
        plan = road.plan(provider(), boreale, phone_sheet(), rows)
    assert len(plan.refused) == 30


@pytest.mark.parametrize(
    ("column", "text", "code"),
    [
        ("mac", "805EC0AA600", "mac_form"),
        ("mac", "8O5EC0AA6013", "mac_form"),
        ("mac", "01005E00000A", "mac_group"),
        ("mac", "8,05E+11", "excel_number"),
        ("model", "Yealink T99X", "unknown_model"),
    ],
)
def test_a_cell_says_which_mistake_it_is(boreale: Customer, column: str, text: str, code: str) -> None:
    with pytest.raises(ValidationError) as refused:
        phone_sheet().columns[column].said(text, Scope(provider(), boreale), record_is_new=True)
    assert [reason.code for reason in reasons_of(refused.value)] == [code]


def test_a_new_phone_without_a_model_says_so(boreale: Customer, amelie: User) -> None:
    assert {reason.code for reason in asked(provider(), boreale, amelie, model="")["model"]} == {
        "model_missing"
    }


@pytest.mark.parametrize(
    ("model", "template"),
    [
        ("yealink-t54w", "yealinkT5x.ph.xml"),
        ("yealink-t46u", "yealinkT4x.ph.xml"),
        ("yealink-t31g", "yealinkT3x.ph.xml"),
        ("snom-d785", ""),
    ],
)
def test_the_template_of_3cx_follows_from_the_model(model: str, template: str) -> None:
    assert template_of(Phone(model=model)) == template
