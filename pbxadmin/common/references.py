"""Columns whose value is a key, or several, out of what a customer has: references, and what is kept in tables beside the record's own."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from pbxadmin.common import cells
from pbxadmin.common.columns import Blank, Column, FieldColumn, Pending, Scope, Text
from pbxadmin.common.values.signs import folded


@dataclass(frozen=True)
class Option:
    """One thing that a reference may point to: its key, its name for people, and other words a file may use for it.

    `cell` is what a file calls it, the same in every language; blank: its label. `owner` is the key of the one person who has it; None:
    everybody may choose it.
    """

    key: Any
    label: str
    words: tuple[str, ...] = ()
    cell: str = ""
    owner: Any = None


# Options that a sentence names before it leaves the rest out.
MOST_NAMED = 8


class OptionsMixin:
    """What columns share whose value is a key (or several) out of what this customer has."""

    name: str
    label: Text
    options: Callable[[Scope], Iterable[Option]]
    refers = True

    def by_key(self, scope: Scope) -> dict[str, Option]:
        """Every option of this scope under its key as text."""
        return scope.once(
            ("options", self.name), lambda: {str(option.key): option for option in self.options(scope)}
        )

    def there(self, keys: Iterable[Any], scope: Scope) -> set[Any]:
        """Those of `keys` that are options of this scope."""
        return set(keys) & {option.key for option in self.by_key(scope).values()}

    def choices(self, scope: Scope) -> list[tuple[Any, str]]:
        """Key and label of every option, for a menu: only a form that is shown asks for them."""
        return [(option.key, option.label) for option in self.by_key(scope).values()]

    def _find(self, raw: Any, scope: Scope) -> Any:
        """The key that a typed key or word means."""
        known = self.by_key(scope)
        text = str(raw).strip()
        if text in known:
            return known[text].key
        word = folded(text)
        # A number alone is a key, as forms and the history have it: the key of what is gone must not become another one's extension.
        for option in known.values() if not text.isdecimal() else ():
            if word == folded(option.label) or word in map(folded, option.words):
                return option.key
        # The same words whether it exists elsewhere or nowhere: another customer's things can't be probed.
        raise ValidationError(
            _("“%(value)s” is not one of the choices: choose one from the list."),
            code="invalid",
            params={"value": text[:60]},
        )

    def _key_of(self, text: str, scope: Scope) -> Any:
        """The key of what a file calls so; never of a key, which is another thing in another system."""
        known = scope.once(("options by word", self.name), lambda: self._by_word(scope))
        for word in (text.strip(), self.spelling(text)):
            if word in known:
                return known[word]
        # The same words whether it exists elsewhere or nowhere; what there is, because a file has no list to choose from.
        raise ValidationError(
            _("There is no “%(value)s” here. There is: %(options)s."),
            code="invalid",
            params={"value": text.strip()[:60], "options": self._named(scope)},
        )

    def _named(self, scope: Scope) -> str:
        return self._listed([option.cell or option.label for option in self.by_key(scope).values()])

    @staticmethod
    def _listed(names: Sequence[str]) -> str:
        named = [str(name)[:40] for name in names[:MOST_NAMED]]
        return ", ".join([*named, *(["…"] if len(names) > MOST_NAMED else [])]) or "—"

    def _by_word(self, scope: Scope) -> dict[str, Any]:
        return self._words_of(self.by_key(scope).values())

    def _words_of(self, named: Iterable[Option]) -> dict[str, Any]:
        options = list(named)
        # The very text goes before one that only looks like it, and a name of its own before another one's other words.
        found: dict[str, Any] = {}
        for option in options:
            found.setdefault(option.cell or option.label, option.key)
        for option in options:
            found.setdefault(self.spelling(option.cell or option.label), option.key)
        for option in options:
            for word in (option.label, *option.words):
                found.setdefault(self.spelling(word), option.key)
        return found

    def spelling(self, text: str) -> str:
        """What counts when a name in a file is compared: not its case, its accents, ligatures, apostrophes, or blanks around it."""
        return folded(text.strip())

    def _cell_of(self, key: Any, scope: Scope) -> str:
        option = self.by_key(scope).get(str(key))
        return (option.cell or option.label) if option else ""

    def _label_of(self, key: Any, scope: Scope | None) -> str:
        if isinstance(key, Pending):
            return str(key)
        option = self.by_key(scope).get(str(key)) if scope else None
        return option.label if option else str(key)


class ReferenceColumn(OptionsMixin, FieldColumn):
    """A column that points to another row of the customer: its department, its role, its SBC."""

    def __init__(
        self, model_field: models.Field, options: Callable[[Scope], Iterable[Option]], **overrides: Any
    ) -> None:
        self.options = options
        super().__init__(model_field, **overrides)
        target = model_field.related_model
        if isinstance(target, type) and isinstance(target._meta.pk, models.BigAutoField):
            self.speaks_of = target._meta.label_lower

    def form_field(self, scope: Scope) -> forms.Field:
        """A menu of the options."""
        required = not (self.field.null or self.field.blank)
        none = [] if required else [("", "—")]
        return forms.ChoiceField(
            label=self.label,
            help_text=self.help,
            required=required,
            choices=lambda: none + self.choices(scope),
        )

    def clean(self, raw: Any, scope: Scope) -> Any:
        """The key, or None."""
        if isinstance(raw, Pending):
            return raw.checked()
        if raw is None or str(raw).strip() == "":
            if self.field.null or self.field.blank:
                return None
            raise ValidationError(_("Choose one."), code="required")
        return self._find(raw, scope)

    def _blank_of_kind(self, record_is_new: bool) -> Blank:
        """What has to be there stays; a new record gets the field's default, or what the rules give it."""
        if self.field.null and self.field.blank:
            return Blank.EMPTY
        return Blank.DEFAULT if record_is_new and self.field.has_default() else Blank.LEAVE

    def _as_text(self, value: Any, scope: Scope) -> str:
        return "" if value is None else self._cell_of(value, scope)

    def _from_text(self, text: str, scope: Scope) -> Any:
        return self._key_of(text, scope) if text.strip() else self.clean("", scope)

    def show(self, value: Any, scope: Scope | None = None) -> str:
        """The other row's name."""
        return super(FieldColumn, self).show(None) if value is None else self._label_of(value, scope)


class Store:
    """Where columns are kept that aren't in the record's own row. All methods take whole sets: one query each."""

    def load(self, records: Sequence[Any]) -> Mapping[Any, Mapping[str, Any]]:
        """The values of these records: {primary key: {column name: value}}."""
        raise NotImplementedError

    def values(self, records: Sequence[Any], scope: Scope) -> dict[Any, Mapping[str, Any]]:
        """What `load` says, asked once in a scope for each record: the form shows it, and the plan compares with it."""
        missing = [record for record in records if (self, record.pk) not in scope.found]
        if missing:
            scope.found |= {(self, key): found for key, found in self.load(missing).items()}
        keys = [record.pk for record in records]
        return {key: scope.found[self, key] for key in keys if (self, key) in scope.found}

    def create(self, rows: Sequence[Any], touched: Sequence[Any], scope: Scope) -> None:
        """Write what new rows have here: `touched` are those that say something; the others may need rows of their own too."""
        if touched:
            self.save(touched, scope)

    def save(self, rows: Sequence[Any], scope: Scope) -> None:
        """Write what the planned rows (`users.road.RowPlan`, with `record`, `changes`, `new`) change here."""
        raise NotImplementedError


class LinkedColumn(OptionsMixin, Column):
    """A column whose value is a set of other rows' keys (sorted tuple), kept by a `Store`."""

    def __init__(
        self,
        name: str,
        store: Store,
        options: Callable[[Scope], Iterable[Option]],
        required: bool = False,
        speaks_of: str = "",
        **settings: Any,
    ) -> None:
        self.store = store
        self.speaks_of = speaks_of
        self.options = options
        self.required = required
        super().__init__(name, **settings)

    def form_field(self, scope: Scope) -> forms.Field:
        """Boxes to tick."""
        return forms.MultipleChoiceField(
            label=self.label,
            help_text=self.help,
            required=self.required,
            widget=forms.CheckboxSelectMultiple,
            choices=lambda: self.choices(scope),
        )

    def clean(self, raw: Any, scope: Scope) -> Any:
        """The keys, sorted, each once; a file separates them by colons."""
        items = raw.split(":") if isinstance(raw, str) else list(raw or ())
        keys = {
            item.checked() if isinstance(item, Pending) else self._find(item, scope)
            for item in items
            if str(item).strip()
        }
        if self.required and not keys:
            raise ValidationError(_("Choose at least one."), code="required")
        return tuple(sorted(keys))

    def _blank_of_kind(self, record_is_new: bool) -> Blank:
        return Blank.REFUSE if self.required else Blank.EMPTY

    def _as_text(self, value: Any, scope: Scope) -> str:
        return cells.joined(self._cell_of(key, scope) for key in value or ())

    def _from_text(self, text: str, scope: Scope) -> Any:
        return self.clean([self._key_of(item, scope) for item in cells.parts(text)], scope)

    def show(self, value: Any, scope: Scope | None = None) -> str:
        """The names, separated by commas."""
        return super().show([self._label_of(key, scope) for key in value or ()])
