"""What a customer has files of: one `Subject` for each kind of record, by which pages, commands and the support desk know it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from files.exporting import lists as lists_out
from files.exporting import people as people_out
from files.exporting.export import everybody
from files.importing import imports, lists
from files.importing.importing import PEOPLE
from files.importing.imports import Contents, Import, Mode
from files.importing.lists import Records
from files.importing.numbers import NUMBERS
from files.importing.stock import STOCK
from files.reading.headers import Names
from files.reading.spreadsheets import Kind
from pbxadmin.common.columns import Scope, Text
from pbxadmin.common.http import RequestFacts
from pbxadmin.common.sections import Sheet
from phones import selectors
from users import rights, road
from users.models import Department, Did, Operation, SystemExtension
from users.people.sections import user_sheet
from users.rights import Verb


@dataclass(frozen=True)
class Subject:
    """One kind of record with files of its own: in (`look_at`, `good_rows`, `write`) and out (`header`, `rows`).

    `verb` is what entering its pages takes; who may do what to which record is asked of every row by the road.
    """

    slug: str  # in addresses and at a terminal
    title: Text
    sheet: Callable[[], Sheet]
    contents: Contents
    header: Callable[[], Sequence[str]]
    # The records that the scope's actor may have in a file, and the cells of some of them in the order of `header`.
    everything: Callable[[Scope], QuerySet[Any]]
    cells: Callable[[Scope, QuerySet[Any]], Iterator[Sequence[str]]]
    verb: Verb = Verb.CUSTOMER

    @property
    def names(self) -> Names:
        """The names that the columns of its files may have."""
        return self.contents.names()

    @property
    def keys(self) -> Sequence[str]:
        """The columns without any of which no record can be meant."""
        return self.names.keys

    def kind_of(self, name: str) -> Kind:
        """What the cells of a column are, as far as a spreadsheet cares."""
        return self.contents.kind_of(name)

    def rows(self, scope: Scope, among: QuerySet[Any] | None = None) -> Iterator[Sequence[str]]:
        """The cells of everything that the scope's actor may have in a file, or of those `among` some, in the order of `header`."""
        wanted = self.everything(scope)
        if among is not None:
            wanted = wanted.filter(pk__in=among.order_by().values("pk"))
        return self.cells(scope, wanted)

    def why_not(self, scope: Scope) -> Text | None:
        """Why the scope's actor can't bring files of it in at all; None where they may."""
        return road.why_not(self.sheet(), scope, self.verb)

    def why_not_out(self, scope: Scope) -> Text | None:
        """Why the scope's actor can't have all of it in a file; None where they may."""
        return rights.why_not(scope.actor, Verb.WHOLE, customer=scope.customer)

    def look_at(
        self,
        content: bytes,
        scope: Scope,
        mode: Mode = Mode.BOTH,
        chosen: Mapping[str, str] | None = None,
    ) -> Import:
        """Read a file and plan all of it; nothing is written. See `files.importing.imports.look_at`."""
        return imports.look_at(self.contents, content, scope, mode, chosen)

    @staticmethod
    def good_rows(made: Import) -> Import:
        """The same file without the rows that can't be written, and without those that lean on them."""
        return imports.good_rows(made)

    @staticmethod
    def write(made: Import, facts: RequestFacts, reason: str = "") -> Operation | None:
        """Write it, all or nothing. Raises what `road.apply_all` raises."""
        return imports.write(made, facts, reason)


USERS = Subject(
    slug="users",
    title=_("Users"),
    sheet=user_sheet,
    contents=PEOPLE,
    header=lambda: people_out.header(people_out.Layout.FULL),
    everything=everybody,
    cells=lambda scope, people: people_out.rows(scope, people, people_out.Layout.FULL),
    verb=Verb.CREATE,
)


def _list(
    slug: str,
    title: Text,
    records: Records[Any],
    everything: Callable[[Scope], QuerySet[Any]],
    beside: Callable[[Any, Scope], Mapping[str, str]] | None = None,
) -> Subject:
    return Subject(
        slug=slug,
        title=title,
        sheet=records.sheet,
        contents=records.contents,
        header=lambda: records.header,
        everything=everything,
        cells=lambda scope, wanted: lists_out.rows(scope, records, wanted, beside),
    )


DEPARTMENTS = _list(
    "departments",
    pgettext_lazy("heading", "Departments"),
    lists.DEPARTMENTS,
    lambda scope: Department.objects.visible_to(scope.actor).of(scope.customer),
)
DIDS = _list(
    "numbers",
    pgettext_lazy("heading", "DID numbers"),
    NUMBERS,
    lambda scope: Did.objects.visible_to(scope.actor).of(scope.customer),
    lists_out.of_number,
)
SYSTEM_EXTENSIONS = _list(
    "system-extensions",
    pgettext_lazy("heading", "System extensions"),
    lists.SYSTEM_EXTENSIONS,
    lambda scope: SystemExtension.objects.visible_to(scope.actor).of(scope.customer),
)
PHONES = _list(
    "phones",
    _("Phones in stock"),
    STOCK,
    lambda scope: selectors.phones_in_stock(scope.actor, scope.customer),
    lists_out.of_phone,
)

SUBJECTS: Mapping[str, Subject] = {
    subject.slug: subject for subject in (USERS, DEPARTMENTS, DIDS, SYSTEM_EXTENSIONS, PHONES)
}
