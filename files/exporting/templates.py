"""Files to begin with: the columns of a format, empty or with an example that can be imported as it is."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from files.exporting.explained import example_of
from files.exporting.people import Layout, header
from files.importing.people import CALLS, EXTERNAL, NUMBER, by_file_name
from files.importing.phones import FOLLOWS, MAC, ROUTER
from files.importing.phones import by_file_name as columns_of_phones
from files.reading.spreadsheets import protected
from files.subjects import SUBJECTS, SYSTEM_EXTENSIONS, USERS, Subject
from pbxadmin.common.columns import Column, Scope, Text
from pbxadmin.common.references import OptionsMixin
from pbxadmin.common.values.short_codes import RESERVED
from phones.keys import blf
from phones.vendors import models as phone_models
from users.models import SystemExtension, User


@dataclass(frozen=True)
class Template:
    """One format."""

    slug: str
    title: Text
    help: Text
    columns: Callable[[], Sequence[str]]
    subject: Subject = USERS


SHORT = ("FirstName", "LastName", "EmailAddress", "MobileNumber")
TEMPLATES: Mapping[str, Template] = {
    each.slug: each
    for each in (
        Template(
            "short",
            _("Short form"),
            _("Name, email and mobile: extensions are given by the portal."),
            lambda: SHORT,
        ),
        Template(
            "3cx",
            _("3CX v20"),
            _("The 54 columns of 3CX, for a customer who comes from there or has files of theirs."),
            lambda: header(Layout.V20),
        ),
        Template(
            "full",
            _("Everything"),
            _("Every column that the portal knows. Take out those that you don't need: any of them, in any order, are a file."),
            lambda: header(Layout.FULL),
        ),
    )
} | {
    each.slug: Template(each.slug, each.title, "", each.header, each) for each in SUBJECTS.values() if each is not USERS
}  # fmt: skip

# The second row says who somebody is and leaves everything else to what is usual; the first one fills in what doesn't depend on what the
# customer has: their own numbers, SBCs and greetings are left blank.
_SECOND = {"FirstName": "Olivier", "LastName": "Gagnon", "EmailAddress": "olivier.gagnon@example.com"}
_BLANK = frozenset(
    {"DID", "OutboundCallerID", "VMPIN", "SIPID", ROUTER, "StatusUntil", "Visibility", "Departments"}
)


def rows(template: Template, scope: Scope | None = None) -> list[list[str]]:
    """The example: two people with extensions that are free in the scope's customer, the first of them with a phone and keys; of other things
    one. Without a scope it is for a customer with three digits who has nobody yet."""
    names = template.columns()
    cells = _people(names, scope) if template.subject is USERS else [_thing(template.subject, scope)]
    return [[protected(row.get(name, "")) for name in names] for row in cells]


def _people(names: Sequence[str], scope: Scope | None) -> list[Mapping[str, str]]:
    columns = {**columns_of_phones(), **by_file_name()}
    first, second = _two_numbers(scope)
    cells = {name: _cell(columns[name], scope, USERS) for name in names if name in columns}
    cells |= {
        NUMBER: first,
        MAC: _mac(scope, "users"),
        CALLS: "0",
        EXTERNAL: "0",
        FOLLOWS: phone_models()[-1].template,
        "BLF": blf.written([blf.Entry(1, "line"), blf.Entry(2, "blf", second)]),
    }
    return [cells, {NUMBER: second} | _SECOND]


def _thing(subject: Subject, scope: Scope | None) -> Mapping[str, str]:
    cells = {name: _cell(column, scope, subject) for name, column in _columns(subject).items()}
    if subject is SYSTEM_EXTENSIONS:
        cells["Number"] = _two_numbers(scope)[1]
    if MAC in cells:
        cells[MAC] = _mac(scope, subject.slug)
    return cells


def _columns(subject: Subject) -> Mapping[str, Column]:
    return {
        column.csv: column for column in subject.sheet().columns.values() if column.csv in subject.header()
    }


def _cell(column: Column, scope: Scope | None, subject: Subject) -> str:
    if column.csv in _BLANK:
        return ""
    if isinstance(getattr(column, "inner", column), OptionsMixin):
        return "users" if column.csv == "Role" else ""
    return example_of(column.csv, column, scope or Scope(None, None), subject.slug)


def _two_numbers(scope: Scope | None) -> tuple[str, str]:
    if scope is None:
        return "142", "143"
    digits = scope.customer.extension_digits
    taken = RESERVED | {scope.customer.pin_protection_code}
    for model in (User, SystemExtension):
        taken |= set(model.objects.of(scope.customer).values_list("number", flat=True))
    free = (
        text for number in range(10 ** (digits - 1) + 1, 10**digits) if (text := str(number)) not in taken
    )
    return next(free, ""), next(free, "")


def _mac(scope: Scope | None, slug: str) -> str:
    """A MAC that no phone has but by chance: another one for each customer, because each may be somewhere once."""
    told = scope.customer.slug if scope else ""
    return "805EC0" + hashlib.sha256(f"example {slug} {told}".encode()).hexdigest()[:6].upper()
