"""Columns: one fact that people may change, described once, by its model field or by a column of its own.

Form, file column, history and messages derive from the description. `users.road` reads it to plan and to write.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, Union

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.formats import date_format
from django.utils.timezone import is_aware, localtime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from pbxadmin.common import cells
from pbxadmin.common.crypto import MASK, is_secret
from pbxadmin.common.fields import (
    PhoneNumberField,
    YesNoFormField,
    phone_number_national,
    within_limits,
)
from pbxadmin.common.reasons import Reason
from pbxadmin.common.values.signs import as_it_looks

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


# A text for people: a string, or one that is translated when it is shown.
Text = Union[str, "_StrPromise"]


@dataclass
class Scope:
    """Who changes something, in which customer, with what was looked up for it (one look-up each, whatever the rows)."""

    actor: Any
    customer: Any
    found: dict[Hashable, Any] = field(default_factory=dict)
    looked_up: set[Hashable] = field(default_factory=set)

    def once(self, key: Hashable, look_up: Callable[[], Any]) -> Any:
        """The result of `look_up`, asked for the first time only."""
        if key not in self.found:
            self.found[key] = look_up()
            self.looked_up.add(key)
        return self.found[key]

    def forget(self) -> None:
        """Look everything up again from here on: there are rows now that weren't there before."""
        for key in self.looked_up:
            self.found.pop(key, None)
        self.looked_up.clear()


class Blank(Enum):
    """What a blank cell of a file means for a column. A cell that isn't there at all always leaves the field alone."""

    LEAVE = auto()  # what stands there stays; a new record gets what it gets when nobody says anything
    EMPTY = auto()  # the text, the list or the reference goes
    DEFAULT = auto()  # an option falls to what a new record has
    REFUSE = auto()  # it has to be said


# The file name of a column that no file holds: a picture, a secret that nobody may carry about, what follows from another.
NOT_IN_FILES = ""
# Codes of a switch whose column in 3CX's file says the opposite ("VMNoPin" is whether the PIN is asked).
OPPOSITE: Mapping[Any, str] = {True: "0", False: "1"}


class Column:
    """One fact that people may change: how it is called, read from what was typed, shown and kept in the history."""

    secret = False
    # Whether what it points to is called differently in each language (a role): the history's own word for it is the writer's.
    translated = False
    # Whether a value names another row by a number, which may be given to another one when that row is gone: the history then
    # keeps which row it was (`referred`).
    by_number = False
    # Not saved with the rest of its tab: changed by a form of its own (the status: now, or until a time), or `only_in_files`.
    own_form = False
    # On no page at all: a file brings it, and the next one takes it out again.
    only_in_files = False
    # Whether its values refer to other rows, which may be ones that aren't written yet (`Pending`).
    refers = False
    # The table (as "users.did") whose rows its values name by their keys, where the history of those tells of it too; "" for none.
    speaks_of = ""

    def __init__(
        self,
        name: str,
        *,
        label: Text,
        short: Text = "",
        help: Text = "",
        more: Text = "",
        warning: Text = "",
        unit: Text = "",
        at_creation_only: bool = False,
        help_at_creation: Text = "",
        csv: str | None = None,
        codes: Mapping[Any, str] | None = None,
        blank: Blank | None = None,
        verb: str = "",
        own: str = "",
        identity: bool = False,
        absent: Callable[[Scope], Text] | None = None,
        locked: Callable[[Scope, Any], Text] | None = None,
    ) -> None:
        self.name = name
        self.label = label
        self.short = short  # as its page calls it, below a heading that says the rest
        self.help = help
        self.more = more  # the guide's explanation, behind "?"
        self.warning = warning  # the guide's warning, where the choice is made
        self.unit = unit
        self.at_creation_only = at_creation_only
        # What is said below the field of a record that isn't there yet, where that isn't `help`.
        self.help_at_creation = help_at_creation
        # The name of the column in a file: 3CX's where its file has one, else ours, made of the name.
        self.given_csv = csv
        self.csv = cells.file_name(name) if csv is None else csv
        self.codes = codes or {}  # how 3CX's file writes each value, where that isn't the value itself
        self._blank = blank
        self.verb = (
            verb  # the right (`users.rights.Verb`) that changing it takes, where it isn't the record's
        )
        # Which thing of one's own it is (`users.rights.Own`), that one changes without administering anybody; "" for none.
        self.own = own
        self.identity = (
            identity  # belongs to this one record: neither a copy nor a change of many takes it over
        )
        # Why this customer doesn't have the option at all; and why its present value can't be changed here ("" where it can).
        self._absent = absent
        self._locked = locked

    @property
    def bulk(self) -> bool:
        """Whether many records may be given one value of it: not what makes one record itself, no secret, nothing with a form of its own."""
        return not (self.identity or self.secret or self.at_creation_only or self.own_form)

    @property
    def has_limits(self) -> bool:
        """Whether there are customers who don't have the option, or values that can't be changed."""
        return self._absent is not None or self._locked is not None

    def absent(self, scope: Scope) -> Text:
        """Why this customer doesn't have the option at all, in a sentence; "" where the option is there."""
        return self._absent(scope) if self._absent else ""

    def is_offered(self, scope: Scope) -> bool:
        """Whether the option exists for this customer: what isn't set up isn't shown."""
        return not self.absent(scope)

    def locked(self, scope: Scope, value: Any) -> Text:
        """Why nobody can change this from its present `value`, in a sentence (a licence); "" where anybody may."""
        return self._locked(scope, value) if self._locked else ""

    def form_field(self, scope: Scope) -> forms.Field:
        """A form field with this column's label, help and choices for this scope."""
        raise NotImplementedError(f"{type(self).__name__} says how {self.name} is typed in")

    def as_typed(self, raw: Any) -> Any:
        """What was typed, every sign read as what it looks like: the one reading of all columns, before `clean`. Secrets stay."""
        if self.secret:
            return raw
        if isinstance(raw, str):
            return as_it_looks(raw)
        return (
            [as_it_looks(each) if isinstance(each, str) else each for each in raw]
            if type(raw) is list
            else raw
        )

    def is_shown_as(self, raw: Any, value: Any, scope: Scope) -> bool:
        """Whether `raw` is what a form sends back that shows `value` and wasn't touched."""
        if self.secret or value is None or not isinstance(raw, str):
            return False
        made = scope.once(("form field", self), lambda: self.form_field(scope))
        return raw.strip() in {str(value), str(made.prepare_value(value))}

    def clean(self, raw: Any, scope: Scope) -> Any:
        """The value that `raw` means; raises `ValidationError` in the reader's language."""
        return scope.once(("form field", self), lambda: self.form_field(scope)).clean(raw)

    def read(self, record: Any) -> Any:
        """The value now, from a loaded record."""
        return getattr(record, self.name)

    def to_json(self, value: Any) -> Any:
        """As the history keeps it."""
        if isinstance(value, (date, datetime, time)):
            return value.isoformat()
        return list(value) if isinstance(value, (tuple, set, frozenset)) else value

    def of_json(self, value: Any) -> Any:
        """What `show` takes, of a value as the history keeps it."""
        return value

    def blank(self, record_is_new: bool) -> Blank:
        """What a blank cell means: what the column was told, or what its kind makes of it."""
        return self._blank or (Blank.LEAVE if self.secret else self._blank_of_kind(record_is_new))

    def _blank_of_kind(self, record_is_new: bool) -> Blank:
        return Blank.EMPTY

    def default(self, scope: Scope) -> Any:
        """What a new record has where nobody says anything."""
        return ()

    def to_cell(self, value: Any, scope: Scope, secrets: bool = False) -> str:
        """A value as a file has it: the same text in every language. A secret has none unless it is asked for."""
        if self.secret and not secrets:
            return ""
        if value in self.codes:
            return self.codes[value]
        return self._as_text(value, scope)

    def _as_text(self, value: Any, scope: Scope) -> str:
        return cells.plain(value)

    def from_cell(self, text: str, scope: Scope) -> Any:
        """The value that a file's text means, ready for a row of a plan; raises `ValidationError` as `clean` does.

        `from_cell(to_cell(value))` is the value. What a blank means is for `blank` to say; asked here all the same, it is
        the empty value.
        """
        text = self.as_typed(text)
        word = text.strip().casefold()
        for value, code in self.codes.items():
            if word and word == code.casefold():
                return value
        return self._from_text(text, scope)

    def _from_text(self, text: str, scope: Scope) -> Any:
        return self.clean(text, scope)

    def said(self, text: str, scope: Scope, record_is_new: bool) -> dict[str, Any]:
        """What a cell says, for the values of a row: {name: value}, or nothing where it leaves the field alone."""
        if text.strip():
            return {self.name: self.from_cell(text, scope)}
        meaning = self.blank(record_is_new)
        if meaning is Blank.REFUSE:
            raise ValidationError(_("This field is required."), code="required")
        if meaning is Blank.LEAVE:
            return {}
        return {self.name: self.default(scope) if meaning is Blank.DEFAULT else self.from_cell("", scope)}

    def said_in_file(
        self, text: str, scope: Scope, record_is_new: bool
    ) -> tuple[dict[str, Any], Sequence[Reason]]:
        """What `said` says of a cell of a file, and what is to be told of it.

        A column that knows what to take instead of another system's word takes it here and tells; everywhere else it refuses.
        """
        return self.said(text, scope, record_is_new), ()

    def copied(self, value: Any, scope: Scope) -> Any:
        """What a new record gets of a value of the one that it is copied from."""
        return value

    def awaits(self, value: Any) -> bool:
        """Whether a value refers to a row that isn't written yet."""
        return isinstance(value, Pending) or (
            isinstance(value, tuple) and any(isinstance(each, Pending) for each in value)
        )

    def settled(self, value: Any, key_of: Callable[[Any], Any]) -> Any:
        """A value that `awaits`, with keys (`key_of` each reference) in place of the rows that are written by now."""
        if isinstance(value, tuple):
            return tuple(sorted(key_of(each) for each in value))
        return key_of(value)

    def look_up(self, values: Iterable[Any], scope: Scope) -> None:
        """Ask at once for what `show` will need to say these values, where they speak of other rows."""

    def referred(self, value: Any, scope: Scope) -> tuple[Any, str] | None:
        """Key and name of the row that a value names by its number now; None where it names none. See `by_number`."""
        return None

    def pieces(self, old: Any, new: Any, scope: Scope) -> Iterable[tuple[str, str, str]]:
        """What changes from `old` to `new`, in words: label, before, after; several times where the value has parts of its own."""
        yield str(self.label), self.show(old, scope), self.show(new, scope)

    def show_named(self, value: Any, name: str, scope: Scope | None = None) -> str:
        """In words, with the name that the row had to which the value led then."""
        return self.show(value, scope)

    def show(self, value: Any, scope: Scope | None = None) -> str:
        """In words, in the reader's language."""
        if value is None or value == "" or value == () or value == []:
            return gettext("(blank)")
        if isinstance(value, bool):
            return gettext("Yes") if value else gettext("No")
        if isinstance(value, datetime):
            return date_format(localtime(value) if is_aware(value) else value, "SHORT_DATETIME_FORMAT")
        if isinstance(value, (list, tuple)):
            return ", ".join(str(item) for item in value)
        return str(value)


class FieldColumn(Column):
    """A column that is a column of the record's own row; everything comes from the model field."""

    def __init__(self, model_field: models.Field, **overrides: Any) -> None:
        self.field = model_field
        self.secret = is_secret(model_field)
        settings = {
            "label": model_field.verbose_name,
            "help": model_field.help_text,
            "identity": model_field.unique,
        } | overrides
        super().__init__(model_field.name, **settings)

    def of_json(self, value: Any) -> Any:
        """Dates and times are texts in the history."""
        return (
            self.field.to_python(value)
            if isinstance(self.field, (models.DateField, models.TimeField))
            else value
        )

    @property
    def attribute(self) -> str:
        """The attribute of the record that holds the value: the key, for a reference."""
        return self.field.attname

    def form_field(self, scope: Scope) -> forms.Field:
        """The model field's own form field."""
        made = self.field.formfield(label=self.label, help_text=self.help)
        assert made is not None, f"{self.name} isn't editable"
        if isinstance(made, forms.ChoiceField) and not isinstance(made, forms.TypedChoiceField):
            made.choices = list(self.field.flatchoices)
        return made

    def clean(self, raw: Any, scope: Scope) -> Any:
        """What the form field makes of it, then the model field's own validators."""
        try:
            value = super().clean(raw, scope)
            if value is None and not self.field.null:
                value = self.field.get_default() if self.field.has_default() else ""
            if value not in self.field.empty_values and self._asks_more_than_its_form(scope):
                self.field.run_validators(value)
        except ValidationError as refused:
            raise within_limits(self.field, refused) from None
        return value

    def _asks_more_than_its_form(self, scope: Scope) -> bool:
        """Whether the model field has a validator that the form field hasn't asked already: the form of an address has all of them."""
        form = scope.once(("form field", self), lambda: self.form_field(scope))
        key = ("asks more than its form", self)
        more: bool = scope.once(
            key, lambda: any(each not in form.validators for each in self.field.validators)
        )
        return more

    def read(self, record: Any) -> Any:
        """The attribute; a secret's is only known as set or not."""
        return getattr(record, self.attribute)

    def _blank_of_kind(self, record_is_new: bool) -> Blank:
        if self.at_creation_only and not record_is_new:
            return Blank.LEAVE
        if self.field.null or (self.field.blank and not self.field.choices):
            return Blank.EMPTY
        return Blank.DEFAULT if self.field.has_default() or self.field.blank else Blank.REFUSE

    def default(self, scope: Scope) -> Any:
        """The model field's default."""
        return self.field.get_default()

    def _from_text(self, text: str, scope: Scope) -> Any:
        """Yes and no in all words that mean them, choices also by their words in every language, anything else as it is typed."""
        word = text.strip()
        if not word and self.field.null:
            return None
        if isinstance(self.field, models.BooleanField):
            yes = YesNoFormField(required=False).to_python(word)
            # Where 3CX's column says the opposite, so do the words.
            return next((value for value, code in self.codes.items() if code == f"{yes:d}"), yes)
        if self.field.choices:
            text = cells.choice_of(word, self.field.flatchoices)
        return self.clean(text, scope)

    def show(self, value: Any, scope: Scope | None = None) -> str:
        """Choices by their label, phone numbers nationally, secrets as dots."""
        if self.secret:
            return MASK if value else super().show("")
        if self.field.choices and value not in (None, ""):
            return str(dict(self.field.flatchoices).get(value, value))
        if isinstance(self.field, PhoneNumberField) and value:
            return phone_number_national(value)
        return super().show(value, scope)


class KeptColumn(FieldColumn):
    """What another program's file says and the portal doesn't offer: in files and in the history, under that program's name, and
    in no form, no copy and no change of many."""

    own_form = True
    only_in_files = True


class Pending:
    """A reference to a row that isn't written yet: `users.road.apply_all` puts its key in its place.

    The row is one of an earlier plan, or of the very plan that refers to it: then it is made first, given to the new `Row` as
    its `pending`, and knows the planned row from the moment when there is one.
    """

    def __init__(self, row: Any = None) -> None:
        self.row = row  # a `users.road.RowPlan` that makes a new record

    def __lt__(self, other: object) -> bool:
        """After every key: sets of references are kept sorted."""
        return isinstance(other, Pending) and id(self.row) < id(other.row)

    def __gt__(self, other: object) -> bool:
        return not isinstance(other, Pending) or id(self.row) > id(other.row)

    def __str__(self) -> str:
        return str(self.row.label)

    def checked(self) -> "Pending":
        """Itself; raises `ValidationError` where the row that it means can't be written."""
        if self.row is None or self.row.outcome != "new":
            raise ValidationError(_("What it refers to can't be created."), code="leans_on_refused")
        return self


def columns_of(
    group: type[models.Model], **overrides: Mapping[str, Any] | Column | None
) -> tuple[Column, ...]:
    """The columns of a tab from its group of model fields, in their order.

    `overrides` by name: settings of the column, or a column of another class; None leaves the field out. One that names no field
    here would be lost without a word: that is a `TypeError`, and what is kept elsewhere is put beside these columns.
    """
    if lost := overrides.keys() - {model_field.name for model_field in group._meta.local_fields}:
        raise TypeError(f"{group.__name__} has no field of its own called {', '.join(sorted(lost))}")
    columns: list[Column] = []
    for model_field in group._meta.local_fields:
        override = overrides.get(model_field.name, {})
        if not model_field.editable or model_field.primary_key or override is None:
            continue
        columns.append(override if isinstance(override, Column) else FieldColumn(model_field, **override))
    return tuple(columns)
