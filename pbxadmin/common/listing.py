"""The state of a list as one value: what its address asks for, from which rows, box, chips, links and hidden fields follow."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Page, Paginator
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from pbxadmin.common.columns import Text
from pbxadmin.common.http import PortalRequest
from pbxadmin.common.keyset import LONGEST_PLACE, Part, Places
from pbxadmin.common.values.signs import as_it_looks

TEXT, SORT, PAGE, AFTER, BEFORE = "q", "sort", "page", "after", "before"
PAGE_SIZE = 50
# Longer than any name that is searched for, or value that is chosen.
LONGEST_TEXT, LONGEST_VALUE = 100, 40
NOTHING = Q(pk__in=[])
ON = "1"


@dataclass(frozen=True)
class Filter:
    """One thing by which a list is narrowed, by one of its values at a time; different filters narrow together."""

    name: str  # in the address
    label: Text
    # The condition over the list's rows that a value means. What it doesn't know is `NOTHING`: an address that asks for
    # something that isn't there shows no rows and says why, rather than rows that weren't asked for.
    meaning: Callable[[str], Q]
    # The values with their words. None: it is switched on and off.
    choices: Callable[[], Sequence[tuple[str, Text]]] | None = None
    # Whether the values stand beside each other as chips, instead of in a menu.
    flat: bool = False
    # What is typed in, instead of chosen: the type of its input ("text", "date"). All of them stand in one form.
    typed: str = ""
    # What is offered while it is typed: the name of an address that answers with options.
    offered: str = ""
    # How a typed value is said; as it was typed where this isn't given.
    said: Callable[[str], Text] = str

    @classmethod
    def menu(cls, name: str, label: Text, conditions: Mapping[str, tuple[Text, Q]]) -> "Filter":
        """One whose values are conditions, by their words."""
        return cls(
            name,
            label,
            lambda value: conditions[value][1] if value in conditions else NOTHING,
            lambda: [(value, words) for value, (words, _condition) in conditions.items()],
        )

    @classmethod
    def switch(cls, name: str, label: Text, condition: Q) -> "Filter":
        """One that is on or off."""
        return cls(name, label, lambda value: condition if value == ON else NOTHING)


@dataclass(frozen=True)
class Shape:
    """What a list can be asked for."""

    search: Callable[[str], Q] | None = None
    search_label: Text = ""
    filters: Sequence[Filter] = ()
    # By what it is sorted: {name in the address: fields}. The first is its order where nothing else is asked for.
    orders: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    # Whether its pages go on from a row (`Places`): each of the orders then ends with what no two rows share, its fields are bare
    # names, expressions or a `Key`.
    by_place: bool = False


@dataclass(frozen=True)
class Option:
    """A value of a filter, as a link."""

    id: str
    label: Text
    url: str
    current: bool


@dataclass(frozen=True)
class Chip:
    """A filter above the list: a menu where it has `options`, else a link that switches it on and off."""

    id: str
    label: Text
    value: Text  # what is chosen, in words; "" where nothing is
    url: str  # of a menu: the list without this filter
    options: Sequence[Option] = ()


@dataclass(frozen=True)
class Typed:
    """A filter that is typed in, as a field of the form above the list."""

    name: str
    label: Text
    type: str
    value: str
    offered: str = ""


@dataclass(frozen=True)
class Heading:
    """A column's heading; with an address where the list can be sorted by it."""

    label: Text
    css: str = ""
    id: str = ""
    url: str = ""
    direction: str = ""  # "ascending", "descending" or ""


@dataclass(frozen=True)
class ListState:
    """What a list was asked for. Everything that stands around the rows is drawn from it, and so never says anything else than they.

    It holds what its address holds: text, filters, order, and the page or the place to go on from. Whatever else an address will
    say of a list becomes a field here, and is then in every link.
    """

    shape: Shape
    path: str = ""
    text: str = ""
    chosen: Mapping[str, str] = field(default_factory=dict)
    sort: str = ""  # a name of `shape.orders`, with "-" before it for the other way; "" for the list's own
    page: str = ""  # as it was asked for; "" for the first
    # The row that the page begins after, or ends before (`Places`); instead of a page's number.
    after: str = ""
    before: str = ""

    @classmethod
    def of(cls, shape: Shape, parameters: Mapping[str, str], path: str = "") -> "ListState":
        """Read it from the parameters of an address, or of a form that sends them along."""

        def read(name: str, longest: int) -> str:
            return as_it_looks(parameters.get(name, "").replace("\0", "")).strip()[:longest]

        sort = read(SORT, LONGEST_VALUE)
        names = list(shape.orders)
        known = sort.removeprefix("-") in names and sort != names[0]
        return cls(
            shape,
            path,
            read(TEXT, LONGEST_TEXT) if shape.search else "",
            {each.name: value for each in shape.filters if (value := read(each.name, LONGEST_VALUE))},
            sort if known else "",
            read(PAGE, LONGEST_VALUE),
            # Not as it looks: it is no word that somebody typed.
            parameters.get(AFTER, "")[: LONGEST_PLACE + 1],
            parameters.get(BEFORE, "")[: LONGEST_PLACE + 1],
        )

    # --- Rows ---------------------------------------------------------------------------------------------------------
    @property
    def narrows(self) -> bool:
        """Whether anything but the order is asked for."""
        return bool(self.text or self.chosen)

    @property
    def said(self) -> str:
        """What narrows it, in words: “roy”, Nursing; "" where nothing does."""
        text = [_("“%(message)s”") % {"message": self.text}] if self.text else []
        return ", ".join([*text, *(str(chip.value) for chip in self.chips if chip.value)])

    @property
    def searches(self) -> Text:
        """What the search box says it searches; "" where there is none."""
        return self.shape.search_label if self.shape.search else ""

    def condition(self, *without: str) -> Q:
        """The condition over the rows; `without` the filters of these names (`TEXT` is what is searched), to count what each of their values would find."""
        condition = Q()
        if self.text and self.shape.search and TEXT not in without:
            condition &= self.shape.search(self.text)
        for each in self.shape.filters:
            if each.name in self.chosen and each.name not in without:
                condition &= each.meaning(self.chosen[each.name])
        return condition

    def condition_of(self, name: str) -> Q:
        """What one filter alone asks for."""
        return self.condition(TEXT, *(each.name for each in self.shape.filters if each.name != name))

    @property
    def places(self) -> Places:
        """By what the rows are sorted that were asked for."""
        name = self.sort.removeprefix("-") or next(iter(self.shape.orders))
        return Places(self.shape.orders[name], backwards=self.sort.startswith("-"))

    def ordered(self, rows: QuerySet) -> QuerySet:
        """The rows in the order that was asked for."""
        if self.shape.by_place:
            return self.places.sorted(rows)
        if not self.shape.orders:
            return rows
        first = next(iter(self.shape.orders))
        rows = rows.order_by(*self.shape.orders[self.sort.removeprefix("-") or first])
        return rows.reverse() if self.sort.startswith("-") else rows

    def rows(self, rows: QuerySet) -> QuerySet:
        """Those of the rows that were asked for, in order."""
        return self.ordered(rows.filter(self.condition()) if self.narrows else rows)

    def page_of(self, rows: QuerySet, size: int = PAGE_SIZE) -> Page[Any]:
        """The page that was asked for of these rows; the nearest where there is none such."""
        return Paginator(rows, size).get_page(self.page)

    def part_of(self, rows: QuerySet, size: int = PAGE_SIZE, count: int | None = None) -> Part:
        """The part that was asked for of these rows: by the row that it goes on from, or by the number of its page."""
        return self.places.part(rows, size, self.page, self.after, self.before, count)

    # --- Addresses ----------------------------------------------------------------------------------------------------
    def parameters(self, **changed: str | None) -> dict[str, str]:
        """The address's parameters, some of them changed ("" and None take one off); on the first page unless that is said too."""
        now: dict[str, str | None] = {TEXT: self.text, **self.chosen, SORT: self.sort}
        return {name: value for name, value in (now | changed).items() if value}

    def url(self, **changed: str | None) -> str:
        """The list's address with some of it changed."""
        query = urlencode(self.parameters(**changed))
        return f"{self.path}?{query}" if query else self.path

    def at(self, page: Page[Any]) -> dict[str, str]:
        """The parameters that lead to the page that is shown: as it was asked for, where that is a place that there is."""
        if isinstance(page, Part) and page.place:
            return {AFTER if page.place == self.after else BEFORE: page.place}
        return {PAGE: "" if page.number == 1 else str(page.number)}

    @property
    def query_text(self) -> str:
        """The parameters as text, for links to the other pages."""
        return urlencode(self.parameters())

    @property
    def clear_url(self) -> str:
        """The list with nothing left out, in the same order."""
        return self.url(**dict.fromkeys([TEXT, *self.chosen], ""))

    @property
    def hidden(self) -> list[tuple[str, str]]:
        """What the search box sends along."""
        return list(self.parameters(**{TEXT: None}).items())

    @property
    def everything(self) -> list[tuple[str, str]]:
        """What a form that is about the whole list sends along."""
        return list(self.parameters().items())

    # --- What is drawn ------------------------------------------------------------------------------------------------
    def steps(self, page: Page[Any]) -> tuple[str, str]:
        """The addresses of the part before a page and of the one after it; "" where there is none."""
        before = {BEFORE: page.before} if isinstance(page, Part) else {PAGE: str(page.number - 1)}
        after = {AFTER: page.after} if isinstance(page, Part) else {PAGE: str(page.number + 1)}
        return (
            self.url(**before) if page.has_previous() else "",
            self.url(**after) if page.has_next() else "",
        )

    @cached_property
    def chips(self) -> list[Chip]:
        """The filters with what is chosen of each."""
        return [chip for each in self.shape.filters for chip in self._chips_of(each)]

    @property
    def typed(self) -> list[Typed]:
        """The filters that are typed in, with what was typed."""
        return [
            Typed(each.name, each.label, each.typed, self.chosen.get(each.name, ""), each.offered)
            for each in self.shape.filters
            if each.typed
        ]

    @property
    def beside_typed(self) -> list[tuple[str, str]]:
        """What the form of those sends along."""
        return list(self.parameters(**{each.name: None for each in self.typed}).items())

    def _chips_of(self, each: Filter) -> list[Chip]:
        now = self.chosen.get(each.name, "")
        without = self.url(**{each.name: None})
        if each.typed:
            said = _("%(label)s: %(value)s") % {"label": each.label, "value": each.said(now)} if now else ""
            return [Chip(f"filter-{each.name}", said, now, without)] if now else []
        if each.choices is None:
            url = without if now else self.url(**{each.name: ON})
            return [Chip(f"filter-{each.name}", each.label, now and each.label, url)]
        choices = list(each.choices())
        words = dict(choices).get(now, now)
        options = [
            Option(
                f"filter-{each.name}-{value}",
                label,
                self.url(**{each.name: value}),
                bool(now) and value == now,
            )
            for value, label in choices
        ]
        if not each.flat:
            return [Chip(f"filter-{each.name}", each.label, words, without, options)]
        chips = [
            Chip(one.id, one.label, one.label if one.current else "", without if one.current else one.url)
            for one in options
        ]
        if now and now not in dict(choices):
            chips.append(Chip(f"filter-{each.name}-other", now, now, without))
        return chips

    def heading(self, label: Text, name: str = "", css: str = "") -> Heading:
        """A heading that sorts by the order of that name, and backwards the second time; a mere heading without one."""
        if name not in self.shape.orders:
            return Heading(label, css)
        own = next(iter(self.shape.orders))
        now = self.sort or own
        if now == name:
            return Heading(label, css, f"sort-{name}", self.url(**{SORT: f"-{name}"}), "ascending")
        url = self.url(**{SORT: "" if name == own else name})
        return Heading(label, css, f"sort-{name}", url, "descending" if now == f"-{name}" else "")


def show_list(
    request: PortalRequest, template: str, state: ListState, page: Page[Any], context: Mapping[str, Any]
) -> HttpResponse:
    """The page of a list. Where htmx asked for it, the address is told as the state writes it: no field that is blank, none twice."""
    answer = render(
        request, template, {"state": state, "page": page, "count": page.paginator.count, **context}
    )
    if request.htmx and not request.htmx.history_restore_request:
        answer.headers["HX-Push-Url"] = state.url(**state.at(page))
    return answer
