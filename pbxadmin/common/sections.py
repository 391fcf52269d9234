"""One definition per fact: a tab is a `Section` of columns, and all tabs of one kind of row are its `Sheet`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from pbxadmin.common.columns import Column, FieldColumn, Scope, Text
from pbxadmin.common.contributions import NOTHING, Contribution
from pbxadmin.common.for_many import VARIOUS, values_of
from pbxadmin.common.forms import SectionForm
from pbxadmin.common.parts import DrawnPart, Part, begin_in_order, drawn, fields_alone
from pbxadmin.common.proof import Takeover


@dataclass(frozen=True)
class Section:
    """One tab: its name, its address, and its columns. Stays dull: no metaclass, no discovery."""

    slug: str  # in the URL
    title: Text
    columns: tuple[Column, ...]
    intro: Text = ""
    # The headings of its page. A first part without one stands under the tab's title, and so does all of a tab without parts.
    parts: tuple[Part, ...] = ()
    template: str = ""  # of its page; blank: as every tab of its kind of record
    # A tab with a life of its own (several phones) names the view that answers for it: "phones.views.tab.phone_tab".
    view: str = ""
    # The right (`users.rights.Verb`) that changing these columns takes, where it isn't the one over the record.
    verb: str = ""
    # Rules across one planned row, and across all of them (one query each, whatever the number of rows).
    row_rules: tuple[Callable[[Any, Any], None], ...] = ()
    set_rules: tuple[Callable[[Any], None], ...] = ()
    # What the tab's page shows beside the form: (scope, person, form) → context of its template.
    page_facts: Callable[[Scope, Any, "SectionForm"], Mapping[str, Any]] | None = None
    # What is said of its columns to whoever changes them for themself, by what the column is called behind its prefix: below the field, and
    # behind its "?". They have no other tab, and aren't "the user".
    own_help: Mapping[str, Text] = field(default_factory=dict)
    own_more: Mapping[str, Text] = field(default_factory=dict)
    # What the app adds to these records beside the tab.
    adds: Contribution = NOTHING

    def __post_init__(self) -> None:
        if not begin_in_order(self.parts, [column.name for column in self.columns]):
            raise ValueError(f"a part of “{self.slug}” begins with no column of it, or not in their order")

    def form(
        self,
        scope: Scope,
        data: Any = None,
        initial: Any = None,
        creating: bool = False,
        locked: Mapping[str, Text] | None = None,
        only: Callable[[Column], bool] | None = None,
        many: bool = False,
        **kwargs: Any,
    ) -> SectionForm:
        """The tab's form, without what this customer doesn't have; what can't be changed after creation is shown and locked.

        `initial` also says which columns are locked at their present value: give it with `data` as well. `only` says of a
        column whether this one record has it (a phone's model may not). `many`: the form is for several records, with the columns
        that may be changed of several at once, and `initial` is what they share (`shared`).
        """
        known = {name: value for name, value in (initial or {}).items() if value is not VARIOUS}
        offered = [
            column
            for column in self.columns
            if not column.only_in_files
            and (creating or not column.at_creation_only or column.name in known)
            and column.is_offered(scope)
            and (only is None or only(column))
            and (column.bulk or not many)
        ]
        columns = [column for column in offered if not column.own_form]
        own: dict[str, Text] = {
            column.name: words
            for column in columns
            if column.name in known and (words := column.locked(scope, known[column.name]))
        }
        if not creating:
            fixed = _("This field can't be changed after creation.")
            own |= {column.name: fixed for column in columns if column.at_creation_only}
        beside = frozenset(column.name for column in offered if column.own_form)
        form = SectionForm(
            columns,
            scope,
            data,
            initial,
            own | dict(locked or {}),
            draw=lambda form: self._drawn(form, beside),
            many=many,
            **kwargs,
        )
        if creating:
            for column in columns:
                if column.help_at_creation:
                    form.fields[column.name].help_text = column.help_at_creation
        return form

    def values(self, records: Sequence[Any], scope: Scope) -> dict[Any, dict[str, Any]]:
        """What each record has in this tab: {primary key: {column: value}}, with one query for each store."""
        return values_of(self.columns, records, scope)

    def _drawn(self, form: SectionForm, own_forms: frozenset[str]) -> list[DrawnPart]:
        names = [column.name for column in self.columns]
        first, *others = self.parts or (Part(names[0]),)
        if not first.title:
            first = replace(first, title=self.title, note=first.note or self.intro)
        parts = (first, *others)
        # What stands above or below fields is about one record.
        return drawn(fields_alone(parts) if form.many else parts, names, form, own_forms)


@dataclass(frozen=True)
class Noted:
    """How something is called that the history notes and that is no column, and how its values are."""

    label: Text
    values: Mapping[str, Text] = field(default_factory=dict)

    def said(self, value: Any) -> str:
        """A noted value in the reader's language."""
        return str(self.values.get(value, value or ""))


@dataclass(frozen=True)
class Sheet:
    """All that may be changed of one kind of row: its tabs and the rules between them."""

    model: type[models.Model]
    sections: tuple[Section, ...]
    # Whose rights decide about a record: the person it belongs to, or None for what is the customer's as a whole.
    subject: Callable[[Any], Any]
    # Who may, where the rights over the subject don't say it all: (actor, verb, record or None, customer) → why not.
    allowed: Callable[[Any, str, Any, Any], Text | None] | None = None
    # What writing a planned row would let somebody keep who found a session open: it then takes a fresh proof.
    takes_over: Callable[[Any, Scope], Takeover | None] = lambda row, scope: None
    # Values of a new record that nobody types in (secrets), and columns computed from others ({attribute: value}).
    complete: Callable[[Any, Scope], None] = lambda record, scope: None
    derive: Callable[[Any], Mapping[str, Any]] = lambda record: {}
    # The attributes that `derive` gives, where they are columns of the row.
    derived: tuple[str, ...] = ()
    # The attributes that `derive` reads; None: any of them.
    derived_from: frozenset[str] | None = None
    related: tuple[str, ...] = ()
    has_customer: bool = True
    # The column by which people and files name a record: the extension of a person, the MAC of a phone.
    identity: str = ""
    # The attributes that its name is made of: with its references, all that stays in memory of each of thousands of new records
    # once they are written; anything else would be read again. Blank: all of it stays.
    named_by: tuple[str, ...] = ()
    # Whether people make such records for themselves, who change but themselves (`Verb.SELF`); whose they are a rule asks.
    made_by_oneself: bool = False
    # The column that says when a record was taken out of its list: blank again, it is back.
    taken_out: str = ""
    # What the history notes of a record without its being a column of it: a command, a secret that was shown.
    noted: Mapping[str, "Noted"] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """As the history names the table: "users.user"."""
        return self.model._meta.label_lower

    @cached_property
    def columns(self) -> dict[str, Column]:
        """Every column by its name."""
        return {column.name: column for section in self.sections for column in section.columns}

    @cached_property
    def attributes(self) -> Mapping[str, str]:
        """The columns that the record's own row keeps, each with the attribute that holds it (a reference's key)."""
        return {
            name: column.attribute for name, column in self.columns.items() if isinstance(column, FieldColumn)
        }

    @cached_property
    def own_verbs(self) -> Mapping[str, str]:
        """The columns that take another right than the one over the record, with that right."""
        return {
            column.name: verb
            for section in self.sections
            for column in section.columns
            if (verb := column.verb or section.verb)
        }

    def section(self, slug: str) -> Section | None:
        """The tab with this address."""
        return next((section for section in self.sections if section.slug == slug), None)
