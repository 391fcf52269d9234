"""Columns of rows that belong to a record one to one: a person's mailbox, or each of their five forwarding rules."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from django import forms
from django.db import models

from pbxadmin.common import many
from pbxadmin.common.columns import Blank, Column, FieldColumn, Scope, Text, columns_of
from pbxadmin.common.crypto import MASK, is_secret
from pbxadmin.common.reasons import Reason
from pbxadmin.common.references import ReferenceColumn, Store

CHUNK = 10_000
# From so many distinct sets of values on, each row is given its own by one statement instead.
DISTINCT = 10


class CompanionStore(Store):
    """Where the companions of a record are kept: one row of `model` for each record and prefix ("voicemail", or each status).

    A record has the same companions always, from its first moment, so loading is one SELECT and saving one UPDATE for each
    prefix and set of new values, whatever the number of records. A column is called "<prefix>.<field>"; `together` names the
    fields that take another one's value. Secrets aren't loaded: they are known as set or not.
    """

    def __init__(
        self,
        model: type[models.Model],
        *,
        prefixes: Sequence[str],
        prefix_field: str = "",
        together: Mapping[str, Sequence[str]] | None = None,
        defaults: Callable[[str], Mapping[str, Any]] = lambda prefix: {},
        made: Mapping[str, Callable[[Sequence[Any]], Sequence[Any]]] | None = None,
    ) -> None:
        """`defaults`: what a new record's companion says where it isn't the field's default (by attribute).

        `made`: what is worked out for each new record by itself where nothing is said, for all planned rows at once.
        """
        self.model = model
        self.prefixes = prefixes
        self.prefix_field = prefix_field
        self.together = together or {}
        self.defaults = defaults
        self.made = made or {}
        self.columns: dict[str, CompanionColumn] = {}

    def load(self, records: Sequence[Any]) -> Mapping[Any, Mapping[str, Any]]:
        """{record: {column: value}}, in one query."""
        found: dict[Any, dict[str, Any]] = {record.pk: {} for record in records}
        plain = sorted({column.attribute for column in self.columns.values() if not column.secret})
        secret = sorted({column.attribute for column in self.columns.values() if column.secret})
        prefix_of = [self.prefix_field] if self.prefix_field else []
        set_or_not = {f"has_{name}": ~models.Q(**{f"{name}__isnull": True}) for name in secret}
        named: dict[str, list[tuple[str, int]]] = {prefix: [] for prefix in self.prefixes}
        masked: dict[str, list[tuple[str, int]]] = {prefix: [] for prefix in self.prefixes}
        for column in self.columns.values():
            where, names = (masked, secret) if column.secret else (named, plain)
            where[column.prefix].append((column.name, names.index(column.attribute)))
        rows = self.model._default_manager.order_by().annotate(**set_or_not)
        prefix = self.prefixes[0]
        for keys in _chunks(list(found)):
            for user, *row in rows.filter(user__in=keys).values_list("user", *prefix_of, *plain, *set_or_not):
                if prefix_of:
                    prefix = row.pop(0)
                values = found[user]
                for name, place in named[prefix]:
                    values[name] = row[place]
                for name, place in masked[prefix]:
                    values[name] = MASK if row[len(plain) + place] else ""
        return found

    def create(self, rows: Sequence[Any], touched: Sequence[Any], scope: Scope) -> None:
        """One INSERT for each prefix: a new record has all its companions, with what the row says and the defaults for the rest."""
        people = [row.key for row in rows]
        said = set().union(*(row.changes for row in touched))
        for prefix in self.prefixes:
            given = self.defaults(prefix)
            columns: dict[str, many.Values] = {name: many.Same(value) for name, value in given.items()}
            for column in self.columns.values():
                if column.prefix != prefix or column.name not in said:
                    continue
                for name in (column.attribute, *self.together.get(column.attribute, ())):
                    field = self._fields[name]
                    fixed = given.get(name, many.NOTHING)
                    columns[name] = [
                        row.changes[column.name][1]
                        if column.name in row.changes
                        else field.get_default() if fixed is many.NOTHING else fixed
                        for row in rows
                    ]  # fmt: skip
            for name, make in self.made.items():
                said_as = self.columns[f"{prefix}.{name}"].name
                unsaid = [row for row in rows if said_as not in row.changes]
                new = dict(zip(map(id, unsaid), make(unsaid), strict=True)) if unsaid else {}
                columns[name] = [new[id(row)] if id(row) in new else row.changes[said_as][1] for row in rows]
            columns["user_id"] = people
            if self.prefix_field:
                columns[self.prefix_field] = many.Same(prefix)
            many.insert(self.model, columns, len(rows))

    def save(self, rows: Sequence[Any], scope: Scope) -> None:
        """One UPDATE for each prefix and distinct set of new values, or for each prefix where the rows have values of their own."""
        groups: dict[tuple[str, tuple[str, ...]], dict[tuple[Any, ...], list[Any]]] = defaultdict(
            lambda: defaultdict(list)
        )
        for row in rows:
            new: dict[str, dict[str, Any]] = defaultdict(dict)
            for name, (_before, value) in row.changes.items():
                column = self.columns.get(name)
                if column is not None:
                    for attribute in (column.attribute, *self.together.get(column.attribute, ())):
                        new[column.prefix][attribute] = value
            for prefix, changed in new.items():
                groups[prefix, tuple(changed)][tuple(changed.values())].append(row.key)
        for (prefix, names), sets in groups.items():
            condition = {self.prefix_field: prefix} if self.prefix_field else {}
            if len(sets) > DISTINCT:
                keys = [(key, values) for values, some in sets.items() for key in some]
                columns = {name: [values[place] for _key, values in keys] for place, name in enumerate(names)}
                many.update(
                    self.model, [key for key, _values in keys], columns, key="user_id", also=condition
                )
                continue
            for values, some in sets.items():
                for some_keys in _chunks(some):
                    found = self.model._default_manager.filter(user__in=some_keys, **condition)
                    found.update(**dict(zip(names, values, strict=True)))

    @cached_property
    def _fields(self) -> Mapping[str, Any]:
        return {field.attname: field for field in self.model._meta.concrete_fields}


def _chunks(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (items[start : start + CHUNK] for start in range(0, len(items), CHUNK))


class CompanionColumn(Column):
    """A column of a companion; everything but its name and place comes from the model field, or from the column it is given."""

    def __init__(
        self, store: CompanionStore, prefix: str, inner: FieldColumn, *, label: Text = "", **settings: Any
    ) -> None:
        self.store = store
        self.prefix = prefix
        self.inner = inner
        self.secret = is_secret(inner.field)
        self.attribute = inner.attribute
        self.translated = inner.translated
        self.by_number = inner.by_number
        if isinstance(inner, ReferenceColumn):
            self.options = inner.options
            self.refers = True
        said = {
            name: getattr(inner, name)
            for name in ("short", "help", "more", "warning", "unit", "at_creation_only", "own", "identity")
        }
        said["csv"] = inner.given_csv
        super().__init__(f"{prefix}.{inner.name}", label=label or inner.label, **(said | settings))
        store.columns[self.name] = self

    def there(self, keys: Iterable[Any], scope: Scope) -> set[Any]:
        """As the model field's own column does, where it is a reference."""
        assert isinstance(self.inner, ReferenceColumn), f"{self.name} names nothing"
        return self.inner.there(keys, scope)

    def copied(self, value: Any, scope: Scope) -> Any:
        """As the model field's own column does."""
        return self.inner.copied(value, scope)

    def form_field(self, scope: Scope) -> forms.Field:
        """The model field's own form field, called as this column is."""
        made = self.inner.form_field(scope)
        made.label, made.help_text = self.label, self.help
        return made

    def clean(self, raw: Any, scope: Scope) -> Any:
        """As the model field's own column does."""
        return self.inner.clean(raw, scope)

    def is_shown_as(self, raw: Any, value: Any, scope: Scope) -> bool:
        """As the model field's own column does."""
        return self.inner.is_shown_as(raw, value, scope)

    def _blank_of_kind(self, record_is_new: bool) -> Blank:
        return self.inner.blank(record_is_new)

    def default(self, scope: Scope) -> Any:
        """What a new record's companion says: it isn't the field's default in every one."""
        given = self.store.defaults(self.prefix)
        return given[self.attribute] if self.attribute in given else self.inner.default(scope)

    def _as_text(self, value: Any, scope: Scope) -> str:
        return self.inner.to_cell(value, scope, secrets=True)

    def _from_text(self, text: str, scope: Scope) -> Any:
        return self.inner.from_cell(text, scope)

    def said_in_file(
        self, text: str, scope: Scope, record_is_new: bool
    ) -> tuple[dict[str, Any], Sequence[Reason]]:
        """As the model field's own column does, where there is something in the cell."""
        if not text.strip():
            return super().said_in_file(text, scope, record_is_new)
        said, told = self.inner.said_in_file(text, scope, record_is_new)
        return {self.name: said[self.inner.name]}, told

    def to_json(self, value: Any) -> Any:
        """As the model field's own column does."""
        return self.inner.to_json(value)

    def look_up(self, values: Iterable[Any], scope: Scope) -> None:
        """As the model field's own column does."""
        self.inner.look_up(values, scope)

    def referred(self, value: Any, scope: Scope) -> tuple[Any, str] | None:
        """As the model field's own column does."""
        return self.inner.referred(value, scope)

    def show_named(self, value: Any, name: str, scope: Scope | None = None) -> str:
        """As the model field's own column does."""
        return self.inner.show_named(value, name, scope)

    def show(self, value: Any, scope: Scope | None = None) -> str:
        """As the model field's own column does."""
        return self.inner.show(value, scope)


def companion_columns(
    store: CompanionStore, prefix: str, **overrides: Mapping[str, Any] | Column | None
) -> tuple[CompanionColumn, ...]:
    """The columns of a companion from the fields of its model, in their order; `overrides` as `columns_of` takes them."""
    return tuple(
        CompanionColumn(store, prefix, column)
        for column in columns_of(store.model, **overrides)
        if isinstance(column, FieldColumn)
    )
