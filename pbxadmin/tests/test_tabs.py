"""Every tab of every kind of record: each column is on one tab, each field once on its page, and saving untouched changes nothing."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.db import models
from django.test import Client
from django.urls import reverse

from forwarding.models import ForwardingRule
from pbxadmin.common.columns import FieldColumn, columns_of
from pbxadmin.common.companions import CompanionColumn
from pbxadmin.common.sections import Sheet
from pbxadmin.common.values.statuses import Status
from pbxadmin.tests.forms import TabForm
from phones.models import Phone, Sbc
from phones.tests import factories as phone_factories
from signin.tests.signing import sign_in_fully
from users import road
from users.company.sheets import customer_sheet, department_sheet, did_sheet, system_extension_sheet
from users.models import Change, Customer, Department, Did, Operation, SystemExtension, User
from users.people.sections import user_sheet
from users.tests.factories import make_staff, make_user
from voicemail.models import Mailbox


def tabs() -> list[tuple[str, str]]:
    """Every tab that has a page: kind of record and address of the tab."""
    found = [("person", section.slug) for section in user_sheet().sections]
    for kind, sheet in (
        ("department", department_sheet),
        ("customer", customer_sheet),
        ("did", did_sheet),
        ("system_extension", system_extension_sheet),
    ):
        found += [(kind, section.slug) for section in sheet().sections if section.columns]
    return [*found, ("sbc", "general"), ("own", "forwarding"), ("own", "voicemail")]


@pytest.fixture
def records(boreale: Customer) -> dict[str, Any]:
    """A record of each kind, of a customer who has everything."""
    Customer.objects.filter(pk=boreale.pk).update(
        edition=Customer.Edition.ENTERPRISE,
        has_microsoft_365=True,
        has_google=True,
        supports_deflection=True,
        microsoft_tenant_id="00000000-0000-4000-8000-000000000001",
        microsoft_client_id="00000000-0000-4000-8000-000000000002",
        microsoft_client_secret="a secret",
        google_client_id="client.apps.googleusercontent.com",
        google_client_secret="a secret",
    )
    boreale.refresh_from_db()
    person = make_user(
        boreale,
        "101",
        email="amelie@boreale.example",
        mobile="514 555-0142",
        talk_name="amelie",
        sip_id="amelie",
        dids=[boreale.dids.first().number],
    )
    phone_factories.make_phone(boreale, person)
    return {
        "person": person,
        "own": person,
        "customer": boreale,
        "department": Department.objects.of(boreale).get(name="Soins"),
        "did": Did.objects.of(boreale).last(),
        "system_extension": SystemExtension.objects.create(
            customer=boreale, number="180", name="Groupe", kind="ring_group", talk_name="groupe"
        ),
        "sbc": Sbc.objects.create(customer=boreale, name="Rive-Sud", address="192.168.1.20"),
    }


def client_of(kind: str, record: Any) -> Client:
    """Support staff, who see and change all of it; oneself on one's own pages."""
    return sign_in_fully(Client(), record if kind == "own" else make_staff())


def url_of(kind: str, record: Any, tab: str) -> str:
    """The page of a tab."""
    if kind == "person":
        return reverse("user_tab", args=["boreale", record.number, tab])
    if kind == "customer":
        return reverse("customer_settings", args=["boreale", tab])
    if kind == "own":
        return reverse(f"own_{tab}")
    return reverse(f"{kind}_tab", args=["boreale", record.pk, tab])


@pytest.mark.parametrize(("kind", "tab"), tabs(), ids=lambda value: value)
def test_every_field_of_a_tabs_form_is_on_its_page_once(records, kind, tab):
    response = client_of(kind, records[kind]).get(url_of(kind, records[kind], tab))
    assert response.status_code == 200
    form, page = response.context["form"], TabForm(response.content.decode())
    # The cells of a person's view are named by department and right.
    assert [name for name in form.fields if not page.of(name) and name != "visibility"] == []
    single = Counter(
        (control.name, control.value if control.kind in ("checkbox", "radio", "hidden") else "")
        for control in page.controls
        if control.name in form.fields
    )
    assert [name for (name, _value), count in single.items() if count > 1] == []
    assert [name for name, count in Counter(page.ids).items() if count > 1] == []


def fields_of_columns(sheet: Sheet) -> Iterator[tuple[type[models.Model], models.Field]]:
    """The model fields that a sheet's columns write, each with the table that has it."""
    for column in sheet.columns.values():
        if isinstance(column, CompanionColumn):
            yield column.store.model, column.inner.field
        elif isinstance(column, FieldColumn):
            yield sheet.model, column.field


# Menus that can't be set without something else beside them.
FIXED = {"connection", "kind", "status", "status_after"}


def fill(records: dict[str, Any], switched_on: bool) -> None:
    """Every switch of every record on, or off, and every menu at its last choice, or its first: so that whatever a page forgets is lost."""
    values: dict[type[models.Model], dict[str, Any]] = defaultdict(dict)
    for sheet in road.SHEETS.values():
        for model, field in fields_of_columns(sheet):
            if isinstance(field, models.BooleanField):
                values[model][field.name] = switched_on
            elif field.choices and field.name not in FIXED:
                values[model][field.name] = field.flatchoices[-1 if switched_on else 0][0]
    person = records["person"].pk
    for model, condition in {
        User: {"pk": person},
        Mailbox: {"user": person},
        ForwardingRule: {"user": person},
        Phone: {"user": person},
        Customer: {"pk": records["customer"].pk},
        Department: {"pk": records["department"].pk},
        SystemExtension: {"pk": records["system_extension"].pk},
    }.items():
        assert model._default_manager.filter(**condition).update(**values[model])
    # What the records couldn't be, or nobody could enter the page for.
    User.objects.filter(pk=records["person"].pk).update(disabled=False, recordings_visible=True)
    Customer.objects.filter(pk=records["customer"].pk).update(
        suspended=False, has_microsoft_365=True, has_google=True, edition=Customer.Edition.ENTERPRISE
    )


@pytest.mark.parametrize("switched_on", [True, False], ids=["on", "off"])
@pytest.mark.parametrize(("kind", "tab"), tabs(), ids=lambda value: value)
def test_saving_a_tab_as_it_was_opened_changes_nothing(records, kind, tab, switched_on):
    fill(records, switched_on)
    if kind == "own":  # else the second factor comes first, or the rules are hidden
        User.objects.filter(pk=records["person"].pk).update(require_2fa=False, hide_forwarding=False)
        Customer.objects.update(require_2fa=False)
    client, url = client_of(kind, records[kind]), url_of(kind, records[kind], tab)
    before = Operation.objects.count()
    sent = TabForm(client.get(url).content.decode()).sent
    assert sent.get("seen"), "there is no form on this page"
    answer = client.post(url, sent)
    assert answer.status_code == 302, answer.context["form"].errors
    written = Change.objects.filter(operation__in=Operation.objects.order_by("-pk")[:1]) if before else []
    assert Operation.objects.count() == before, [change.cells for change in written]


# --- The columns --------------------------------------------------------------------------------------------------
# Fields that people could change, by Django's word, and that no tab has.
ON_NO_TAB = {
    User: {
        "password": "set by its person alone, on a page of its own (signin)",
        "last_login": "written by signing in",
        "is_superuser": "Django's; nothing asks it",
    },
    Mailbox: {},
    ForwardingRule: {
        "not_registered_external": "written together with busy_external",
        "not_registered_internal": "written together with busy_internal",
    },
    Phone: {},
    Sbc: {},
    Did: {},
    Department: {},
    SystemExtension: {},
    Customer: {},
}


@pytest.mark.parametrize("model", ON_NO_TAB, ids=lambda model: model.__name__)
def test_every_field_that_people_may_change_is_on_a_tab_or_says_why_not(model):
    columns = Counter(
        field.name
        for sheet in road.SHEETS.values()
        for owner, field in fields_of_columns(sheet)
        if owner is model
    )
    editable = {field.name for field in model._meta.local_fields if field.editable and not field.primary_key}
    assert editable - columns.keys() == ON_NO_TAB[model].keys()
    times = len(Status) if model is ForwardingRule else 1
    assert {name for name, count in columns.items() if count > times} == set()


@pytest.mark.parametrize(
    "label",
    [
        "users.user",
        "users.customer",
        "users.department",
        "users.did",
        "users.systemextension",
        "phones.phone",
        "phones.sbc",
    ],
)
def test_no_two_columns_of_a_sheet_have_one_name_or_one_file_name(label):
    columns = [column for section in road.SHEETS[label].sections for column in section.columns]
    assert [name for name, count in Counter(column.name for column in columns).items() if count > 1] == []
    words = Counter((column.csv or column.name).casefold() for column in columns)
    assert [word for word, count in words.items() if count > 1] == []


def test_a_change_of_many_leaves_alone_what_makes_one_record_itself():
    unique = {
        (label, name)
        for label, sheet in road.SHEETS.items()
        for constraint in sheet.model._meta.constraints
        if isinstance(constraint, models.UniqueConstraint)
        for name in constraint.fields
    }
    for label, sheet in road.SHEETS.items():
        for name, column in sheet.columns.items():
            alone = column.secret or column.at_creation_only or column.own_form or column.identity
            assert column.bulk is not alone
            field = getattr(column, "field", None)
            if (label, name) in unique or (field is not None and field.unique):
                assert not column.bulk, f"{label} {name}: several records can't have one value"
    assert not user_sheet().columns["status"].bulk
    assert not user_sheet().columns["voicemail.pin"].bulk
    assert user_sheet().columns["recording"].bulk


@pytest.mark.parametrize("status", Status)
def test_the_page_of_the_rules_can_show_every_status(status):
    path = finders.find("pbxadmin/portal.css")
    assert isinstance(path, str)
    with open(path, encoding="utf-8") as styles:
        assert f'.statuses:has(#show-{status}:checked) [data-status="{status}"]' in re.sub(
            r"\s+", " ", styles.read()
        )


def test_a_column_that_no_table_has_is_an_error_instead_of_being_lost():
    with pytest.raises(TypeError, match="customers"):
        columns_of(Did, customers={"label": "Clients"})
