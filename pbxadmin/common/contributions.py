"""What an app adds to the records of its tab beside the tab itself: to their list, their passwords, their deletion, their calls."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from django.db import models
from django.db.models.expressions import Combinable

from pbxadmin.common.columns import Column, Scope, Text
from pbxadmin.common.keyset import Key
from pbxadmin.common.values.devices import Device


@dataclass(frozen=True)
class Renewed:
    """What one app renewed for one person: the devices that must be restarted, and whether their app must scan the code again."""

    devices: tuple[str, ...] = ()
    rescan: bool = False


# Gives these people new secrets of one kind, in the caller's transaction: {primary key: what it means for them}.
Renew = Callable[[Sequence[Any], Scope], Mapping[Any, Renewed]]


@dataclass(frozen=True)
class Effects:
    """What a tab makes of people for the PBX beyond their own row: data for programs, and the same data in words for people."""

    # {primary key: data}, ready for JSON and the same in every language; a constant number of queries for any number of people.
    of: Callable[[Sequence[Any]], Mapping[Any, Mapping[str, Any]]]
    # Label and sentence of each thing that the data says, in the reader's language.
    in_words: Callable[[Mapping[str, Any]], Sequence[tuple[str, str]]]


@dataclass(frozen=True)
class Heir:
    """Whoever takes somebody's place: what refers to them (a key, or `Pending` for a new person), their extension, and their
    mobile number ("" for none)."""

    key: Any
    number: str
    mobile: str = ""


def as_it_is(column: str, value: Any, theirs: Any, leaver: Any, heir: Heir) -> tuple[Any, Text]:
    """A value goes over unchanged."""
    return value, ""


@dataclass(frozen=True)
class Legacy:
    """One thing that goes from somebody to whoever takes their place: a box on the page that replaces a person.

    Every function asks a constant number of queries and writes nothing: the road does.
    """

    name: str  # of the box
    label: Text
    help: Text = ""
    # Columns of the leaver that the heir gets: (column, the leaver's value, the heir's present one or None, leaver, heir) → the
    # value as the heir can have it, and what is to be said of it ("" for nothing).
    columns: tuple[str, ...] = ()
    fit: Callable[[str, Any, Any, Any, Heir], tuple[Any, Text]] = as_it_is
    # What the leaver's own columns hold afterwards, where it isn't what they hold now.
    leaves: Mapping[str, Any] = field(default_factory=dict)
    # What colleagues have that leads to the leaver, as it is to be: {person: {column: value}}.
    of_colleagues: Callable[[Any, Heir, Scope], Mapping[Any, Mapping[str, Any]]] | None = None
    # The same of rows that aren't people: {model: {record: {column: value}}}.
    beside: (
        Callable[[Any, Heir, Scope], Mapping[type[models.Model], Mapping[Any, Mapping[str, Any]]]] | None
    ) = None


@dataclass(frozen=True)
class Offer:
    """What can come with somebody who is created: a menu on that page."""

    name: str
    label: Text
    help: Text = ""
    # What may be chosen, as (value, label); nothing: it isn't offered.
    choices: Callable[[Scope], Sequence[tuple[str, str]]] = lambda scope: ()
    # What a choice changes besides: (value, reference to the new person, scope) → {model: {record: {column: value}}}.
    beside: Callable[[str, Any, Scope], Mapping[type[models.Model], Mapping[Any, Mapping[str, Any]]]] = (
        lambda value, person, scope: {}
    )


@dataclass(frozen=True)
class Keep:
    """What hangs on records and outlives them: it stays when they are deleted, unless whoever deletes ticks its box.

    Both sentences take many records and ask a constant number of queries.
    """

    name: str  # of the box
    label: Text
    # What becomes of it, in sentences for the page that asks: where it stays, and where it goes as well. {primary key: [sentence]}.
    stays: Callable[[Sequence[Any], Scope], Mapping[Any, list[str]]]
    goes: Callable[[Sequence[Any], Scope], Mapping[Any, list[str]]]
    # Keeps it, before the records go, in their transaction and into their operation: (records, scope, facts, operation) → why it can't,
    # in sentences; then nothing is deleted.
    keep: Callable[[Sequence[Any], Scope, Any, Any], Sequence[Text]]


@dataclass(frozen=True)
class Start:
    """What the records of a new customer begin with beside their own columns: a menu on the page that makes the customer."""

    name: str
    label: Text
    usual: str  # the choice that stands there
    choices: Callable[[Scope], Sequence[tuple[str, str]]]
    # What a choice gives each of them, raw by column; nothing for what isn't offered.
    values: Callable[[str, Scope], Mapping[str, Any]]


class ForMany(Protocol):
    """How a tab is changed for several people at once. What is wanted is JSON: it stands in a form, and in a job."""

    template: str  # of the tab within that page

    def facts(
        self, scope: Scope, people: Sequence[Any], wanted: Mapping[str, Any], data: Any
    ) -> Mapping[str, Any]:
        """For the template: with `data` what was sent, else what is `wanted` so far."""

    def read(self, scope: Scope, people: Sequence[Any], data: Any) -> Mapping[str, Any]:
        """What is wanted, from what was sent; nothing where nothing is to be changed."""

    def checked(self, scope: Scope, wanted: Any) -> Mapping[str, Any]:
        """What is wanted without all that nobody may want; anything may come, since it was in a form."""

    def problems(self, scope: Scope, wanted: Mapping[str, Any]) -> Mapping[str, list[str]]:
        """What can't be read of it, whoever it is for: {name: sentences}."""

    def values(
        self, scope: Scope, people: Sequence[Any], wanted: Mapping[str, Any]
    ) -> Mapping[type[models.Model], Mapping[Any, Mapping[str, Any]]]:
        """What that means for each: {model: {record: {column: value}}}; a constant number of queries."""


@dataclass(frozen=True)
class ListColumn:
    """A column that the list of people may have: what its cells show, and how the list is sorted by it.

    Never of a secret, and never a question of its own for each row: `facts` asks one for all of a page.
    """

    name: str  # in the address of a list that is sorted by it, and among the columns that somebody chose
    label: Text = ""
    # What a cell shows: a text made of the person alone, or of what `facts` says of them where there are facts, …
    text: Callable[[Any], str] | None = None
    # … or a template (`*.html.j2`, since it stands in every row), which takes `person`, `customer`, `facts`, the form's token `csrf`
    # and the page to come back to, `here`.
    template: str = ""
    facts: Callable[[Sequence[Any]], Mapping[Any, Any]] | None = None
    # By what people are sorted, before their names; none: by nothing. A `Key` that may be blank, where it may.
    order: tuple[str | Combinable | Key, ...] = ()
    # What is read along with each person, for `text` and `template`.
    reads: Mapping[str, Any] = field(default_factory=dict)
    # Whether it is there for whoever hasn't chosen any columns.
    usual: bool = False
    css: str = ""  # of its cells
    gives_way: str = ""  # a class by which a usual column goes where the list is too narrow for all of them
    # Whether this reader may see the values, and the customer has any.
    offered: Callable[[Scope], bool] = lambda scope: True
    # Whether it is the tab's column of this name: what it leaves blank it then has from there.
    of_tab: bool = False

    def completed(self, column: Column) -> "ListColumn":
        """A column `of_tab`, with what the tab's column says. Raises `ValueError` for a secret."""
        if column.secret:
            raise ValueError(f"{column.name} is a secret: no list shows it")
        return replace(
            self,
            label=self.label or column.short or column.label,
            text=lambda person: (
                column.show(value) if (value := column.read(person)) not in ("", None) else ""
            ),
            order=self.order or (column.name,),
            offered=column.is_offered,
            of_tab=False,
        )


@dataclass(frozen=True)
class Contribution:
    """All that an app adds; what it leaves blank it has nothing to say to. Every function takes many records and asks a constant number of queries."""

    # --- The list
    # Columns that the list of people may have, beside its own.
    listed: tuple[ListColumn, ...] = ()
    search: Callable[[str], models.Q] | None = None  # text of the search box → condition over people
    # {name in the URL: (label, condition over people)}.
    filters: Mapping[str, tuple[Text, models.Q]] = field(default_factory=dict)
    # Several that are one menu: {name in the URL: (label, {value: (label, condition over people)})}.
    menus: Mapping[str, tuple[Text, Mapping[str, tuple[Text, models.Q]]]] = field(default_factory=dict)
    status_message: Any = None  # what a person says beside the status, as an expression over people
    # What the pages of a person read along with them, without a query of its own: {attribute: expression over people}.
    read_along: Mapping[str, Any] = field(default_factory=dict)
    # --- The pages of a person: names of addresses that take the customer's and the person's (`urls.py`), and a template.
    status_url: str = ""  # where another status is chosen, …
    status_menu: str = ""  # … by this menu (`*.html.j2`); it takes person, status, status_url, csrf and here
    head_url: str = ""  # what is fetched beside the name, as a fragment
    # Which devices of a person are registered, as a panel: (actor, customer, person) → HTML.
    devices: Callable[[Any, Any, Any], str] | None = None
    followed_url: str = ""  # how it goes on with what was saved, as a fragment in the save bar
    # --- The reset dialog: {name of a box in `users.people.reset.BOXES`: what renews the secrets}.
    resets: Mapping[str, Renew] = field(default_factory=dict)
    # --- The PBX
    rings: Callable[[Sequence[Any]], Mapping[Any, Sequence[Device]]] | None = (
        None  # what rings when a person is called
    )
    effects: Effects | None = None
    # --- Deletion
    # What goes with the records, in sentences for the page that asks: {primary key: [sentence]}.
    losses: Callable[[Sequence[Any], Scope], Mapping[Any, list[str]]] | None = None
    keeps: tuple[Keep, ...] = ()  # what stays when they go
    # Why records can't go: {primary key: sentence}.
    removal_rules: tuple[Callable[[Sequence[Any], Scope], Mapping[Any, Text]], ...] = ()
    # --- Creation
    offers: tuple[Offer, ...] = ()
    starts: tuple[Start, ...] = ()
    # What somebody new doesn't have yet: (person, scope) → sentences, each with the address where it is done.
    left_to_do: Callable[[Any, Scope], Sequence[tuple[Text, str]]] | None = None
    # --- What can be done to chosen ones (`users.road.actions.Action`)
    actions: tuple[Any, ...] = ()
    # How the tab is changed for many: where its `ForMany` is ("phones.for_many.PHONES"); blank: each of its columns behind a box.
    for_many: str = ""
    # --- Replacement
    hands_over: tuple[Legacy, ...] = ()  # what goes to whoever takes a person's place
    # How many devices will load a new configuration because of these planned rows: (model, rows of `users.road`) of each plan.
    reloads: Callable[[Sequence[tuple[type[models.Model], Sequence[Any]]]], int] | None = None


NOTHING = Contribution()
