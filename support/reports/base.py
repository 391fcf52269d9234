"""What a report is: rows of the database that can be asked for like any list, and lines that say them, on a page and in a file alike."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from files.reading.spreadsheets import protected
from pbxadmin.common.columns import Text
from pbxadmin.common.listing import NOTHING, Filter, ListState, Shape
from pbxadmin.common.values.signs import words_of
from users import road
from users.models import Customer, User

# Rows that a file reads at a time.
CHUNK = 500


@dataclass(frozen=True)
class Cell:
    """What stands in a line under a heading: text, where it leads, how it is drawn where it is a state, and whether it stays in one line."""

    text: str
    url: str = ""
    tone: str = ""
    whole: bool = False


@dataclass(frozen=True)
class Count:
    """How many rows have a value, and the report narrowed to them."""

    text: Text
    count: int
    url: str
    current: bool = False


@dataclass(frozen=True)
class Counts:
    """How many rows have each value of something."""

    title: Text
    counts: Sequence[Count] = field(default_factory=tuple)


class Report:
    """A question over all customers. Reading it takes no more than coming into the desk: nothing secret is in any."""

    slug: ClassVar[str]
    title: ClassVar[Text]
    about: ClassVar[Text]
    # Each with the name of the order by which it is sorted, "" for none.
    headings: ClassVar[Sequence[tuple[Text, str]]]
    # What its rows are called where there are none.
    nothing: ClassVar[Text] = _("Nothing was found.")

    def shape(self, counts: Mapping[str, Mapping[str, int]]) -> Shape:
        """What it can be asked for; `counts`: the values of filters that are read from the rows, by the time they are drawn."""
        raise NotImplementedError

    def rows(self, actor: User) -> QuerySet[Any]:
        """All its rows, through the entrance of tenancy, with what their lines read."""
        raise NotImplementedError

    def usual(self, state: ListState) -> Q:
        """By what it is narrowed where nobody asks for it otherwise."""
        return Q()

    def wanted(self, actor: User, state: ListState) -> QuerySet[Any]:
        """The rows that were asked for, in order."""
        return state.rows(self.rows(actor).filter(self.usual(state)))

    def records(self, actor: User, keys: Sequence[Any]) -> list[Any]:
        """The rows with these keys, in the order of the keys: what lines read is read of these alone."""
        known = {record.pk: record for record in self.rows(actor).filter(pk__in=keys).order_by()}
        return [known[key] for key in keys if key in known]

    def lines(self, records: Sequence[Any]) -> list[list[Cell]]:
        """These rows as lines, a row in one or several: as many queries for any number of them."""
        raise NotImplementedError

    def counted(self, actor: User, state: ListState) -> dict[str, dict[str, int]]:
        """How many rows have each value of a filter: {filter: {value: count}}, one query at most."""
        return {}

    def total(self, state: ListState, found: Mapping[str, Mapping[str, int]]) -> int | None:
        """How many rows were asked for, where what was counted says so; else they are counted by themselves."""
        return None

    def counts(self, state: ListState, found: Mapping[str, Mapping[str, int]]) -> list[Counts]:
        """The same as it stands above the lines."""
        return []

    def url(self, **asked: str) -> str:
        """Where its page is, asked for something."""
        return ListState(self.shape({}), reverse("admin:report", args=[self.slug])).url(**asked)

    def acting(self, actor: User, state: ListState) -> tuple[Text, str] | None:
        """Where something is done about the rows that are shown, and how that is called: a list of the desk that can be asked for them all."""
        return None

    # --- As a file ------------------------------------------------------------------------------------------------
    def header(self) -> list[str]:
        """The headings as texts."""
        return [str(label) for label, _order in self.headings]

    def texts(self, actor: User, state: ListState) -> Iterator[list[str]]:
        """The lines that were asked for as texts, none of which a spreadsheet would run."""
        wanted = self.wanted(actor, state)
        for keys in road.chunks(list(wanted.values_list("pk", flat=True)), CHUNK):
            for line in self.lines(self.records(actor, keys)):
                yield [protected(cell.text) for cell in line]


# --- What reports share -------------------------------------------------------------------------------------------
def of_customer(path: str = "customer__") -> Filter:
    """By the customer, as far as their name was typed."""

    def called(text: str) -> Q:
        condition = Q()
        for word in words_of(text):
            condition &= Q(**{f"{path}search_text__contains": word})
        return condition or NOTHING

    return Filter("customer", _("Customer"), called, typed="text", offered="customers_pick")


def by_customer(path: str = "customer__") -> tuple[Any, ...]:
    """The order of their customers."""
    return (f"{path}sort_name", f"{path}id")


def customer_cell(customer: Customer) -> Cell:
    """A customer, leading to their home in the portal."""
    return Cell(customer.name, reverse("customer_home", args=[customer.slug]))


def person_cell(customer: Customer, person: User, tab: str = "general") -> Cell:
    """Somebody with an extension, leading to one of their tabs."""
    return Cell(str(person), reverse("user_tab", args=[customer.slug, person.number, tab]))
