"""Files to begin with, and the page that explains their columns: both are read off the sheets, so each column is there once."""

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils.translation import override

from files.exporting import templates
from files.exporting.explained import EXAMPLES, SPECIAL, explained
from files.exporting.people import Layout, header
from files.importing.imports import write
from files.importing.people import by_file_name
from files.importing.phones import by_file_name as columns_of_phones
from files.reading import read
from files.reading.headers import V20
from files.subjects import DEPARTMENTS, PHONES, SUBJECTS, USERS
from pbxadmin.common.columns import Column, Scope
from phones.models import Phone
from phones.tests.factories import provider
from signin.tests.signing import sign_in_fully
from users.models import Customer, Department, User
from users.tests.factories import FACTS, make_customer, make_staff

pytestmark = pytest.mark.slow("pages of files, with what they import")

COLUMNS = reverse("file_columns", args=["pingris"])


@pytest.fixture
def fresh(db: None) -> Customer:
    """A customer on the first day: one department, nobody, no number."""
    made = make_customer(slug="neuf", name="Neuf", fqdn="neuf.example")
    Department.objects.of(made).delete()
    Department.objects.create(customer=made, name="Accueil")
    User.objects.of(made).delete()
    return made


def at_the_terminal(capfdbinary: Any, *arguments: str) -> bytes:
    call_command("import_template", *arguments)
    return bytes(capfdbinary.readouterr().out)


def from_the_page(client: Client, slug: str, format: str, **query: str) -> bytes:
    answer = client.get(reverse("file_template", args=[slug, format]), query)
    assert answer.streaming
    return b"".join(answer.streaming_content)


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@pytest.mark.parametrize("format", templates.TEMPLATES)
@pytest.mark.parametrize("source", ["terminal", "terminal for the customer", "page"])
def test_every_example_is_imported_as_it_is_by_a_customer_on_the_first_day(
    fresh: Customer, format: str, kind: str, source: str, capfdbinary: Any
) -> None:
    more = ["--xlsx"] if kind == "xlsx" else []
    if source == "page":
        client = sign_in_fully(Client(), make_staff())
        made = from_the_page(client, "neuf", format, kind=kind, example="1")
    else:
        named = ["--customer", "neuf"] if "for" in source else []
        made = at_the_terminal(capfdbinary, format, "--example", *more, *named)
    subject = templates.TEMPLATES[format].subject
    found = subject.look_at(made, Scope(provider(), fresh))
    # That a new department has no number for emergency calls yet is told, and no fault of the file.
    told = [
        (row.outcome, [*row.errors, *(row.warnings if subject is not DEPARTMENTS else [])])
        for row in found.outcomes
    ]
    assert told == [("new", [])] * (2 if subject is USERS else 1)
    write(found, FACTS)
    assert User.objects.of(fresh).count() == (2 if subject is USERS else 0)
    if format != "short":
        assert Phone.objects.of(fresh).count() == (1 if subject in (USERS, PHONES) else 0)
        assert {row.outcome for row in subject.look_at(made, Scope(provider(), fresh)).outcomes} == {
            "unchanged"
        }


@pytest.mark.parametrize("format", templates.TEMPLATES)
def test_an_empty_template_is_the_header_alone(fresh: Customer, format: str, capfdbinary: Any) -> None:
    made = at_the_terminal(capfdbinary, format)
    assert list(csv.reader(io.StringIO(made.decode()))) == [list(templates.TEMPLATES[format].columns())]
    assert from_the_page(sign_in_fully(Client(), make_staff()), "neuf", format, kind="csv") == made


def test_an_example_takes_extensions_that_are_free(customer: Customer) -> None:
    made = templates.rows(templates.TEMPLATES["3cx"], Scope(provider(), customer))
    numbers = {row[0] for row in made}
    assert len(numbers) == 2
    assert not numbers & set(User.objects.of(customer).values_list("number", flat=True))


def test_an_unknown_format_is_not_there(fresh: Customer) -> None:
    assert (
        sign_in_fully(Client(), make_staff()).get(reverse("file_template", args=["neuf", "v9"])).status_code
        == 404
    )


# --- The page -----------------------------------------------------------------------------------------------------
def test_every_column_is_explained_once_and_no_other(customer: Customer) -> None:
    for subject in SUBJECTS.values():
        names = [each.name for each in explained(subject, Scope(provider(), customer))]
        assert sorted(names) == sorted(subject.header()), subject.slug
        made_up = set(EXAMPLES[subject.slug])
        assert made_up <= set(names), "an example of a column that isn't there"
    assert set(SPECIAL) <= set(USERS.header())
    assert set(V20) <= set(USERS.header())


def said(column: Column, scope: Scope) -> Callable[[str], bool]:
    """Whether the column reads a cell."""

    def reads(cell: str) -> bool:
        try:
            column.said_in_file(cell, scope, True)
        except ValidationError:
            return False
        return True

    return reads


@pytest.mark.parametrize("language", ["fr-ca", "en"])
def test_each_value_and_each_example_that_the_page_names_is_read_and_says_something_about_a_cell(
    customer: Customer, language: str
) -> None:
    scope = Scope(provider(), customer)
    columns = {**columns_of_phones(), **by_file_name()}
    # What they lead to is up to the customer, and asked by the plan or by the file as a whole.
    of_the_customer = {"DID", "Router", "Visibility", "BLF"}
    with override(language):
        for each in explained(USERS, scope):
            column = columns.get(each.name)
            assert str(each.label)
            assert str(each.blank), each.name
            if column is None:
                continue
            reads = said(column, scope)
            cells = [cell for cell, _words in each.values]
            assert [cell for cell in cells if not reads(cell)] == [], each.name
            if each.name not in of_the_customer:
                assert each.example == "" or reads(each.example), each.name


def test_the_page_is_narrowed_by_what_is_typed_and_every_column_has_its_place(
    customer: Customer, actor: User
) -> None:
    client = sign_in_fully(Client(), actor)
    page = client.get(COLUMNS).content.decode()
    assert all(f'id="{name.replace(".", "-")}"' in page for name in header(Layout.FULL))
    for slug, subject in SUBJECTS.items():
        shown = client.get(COLUMNS, {"of": slug}).content.decode()
        own = [each.slug for each in templates.TEMPLATES.values() if each.subject is subject]
        assert own
        assert all(f"{reverse('file_template', args=['pingris', format])}?" in shown for format in own)
    found = client.get(COLUMNS, {"q": "vmnopin"}).content.decode()
    assert 'id="VMNoPin"' in found
    assert 'id="FirstName"' not in found
    assert client.get(COLUMNS, {"q": "zzz zzz"}).status_code == 200


def test_what_3cx_says_the_other_way_round_is_explained_so(customer: Customer) -> None:
    with override("en"):
        found = {each.name: each for each in explained(USERS, Scope(provider(), customer))}
        assert dict(found["VMNoPin"].values) == {"1": "No", "0": "Yes"}
        assert [cell for cell, _words in found["VMEmailOptions"].values] == ["0", "1", "2", "3"]
        assert found["Role"].blank != found["VMEnable"].blank


def test_templates_are_read_as_the_format_that_they_are_of(capfdbinary: Any) -> None:
    made = at_the_terminal(capfdbinary, "3cx", "--example")
    assert read(made).header == list(V20)
