"""References to things that everybody may choose, or that one person has for themselves: a greeting of the company, or one's own."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from pbxadmin.common.columns import Column, Scope
from pbxadmin.common.reasons import reasons_of
from pbxadmin.common.references import Option, ReferenceColumn


@dataclass(frozen=True)
class Called:
    """A name in a file, of which only the rule that knows the person can say what it means: their own thing, or everybody's."""

    name: str

    def __str__(self) -> str:
        return self.name


class PersonalColumn(ReferenceColumn):
    """A reference to one of the things that everybody may choose, or one that the record's own person has.

    Forms offer everybody's; the page of a person adds that person's own (`offer_own`). That it is nobody else's is asked by the tab's rule
    (`refuse_what_is_anothers`), which also reads the names of files: one's own goes before everybody's of the same name.
    """

    def __init__(
        self,
        model_field: models.Field,
        options: Callable[[Scope], Iterable[Option]],
        of_people: Callable[[Scope], Iterable[Option]],
        **overrides: Any,
    ) -> None:
        """`of_people`: what all the people of the customer have; asked only where a value isn't everybody's."""
        super().__init__(model_field, options, **overrides)
        self.of_people = of_people

    def shared(self, scope: Scope) -> dict[str, Option]:
        """What everybody may choose, by key."""
        return super().by_key(scope)

    def personal(self, scope: Scope) -> dict[str, Option]:
        """What people have for themselves, by key."""
        return scope.once(
            ("options of people", self.name),
            lambda: {str(option.key): option for option in self.of_people(scope)},
        )

    def by_key(self, scope: Scope) -> dict[str, Option]:
        """All of them: asked where a value is judged, not where a form is shown."""
        return self.shared(scope) | self.personal(scope)

    def there(self, keys: Iterable[Any], scope: Scope) -> set[Any]:
        """Those of `keys` that somebody may choose; people's own are asked for where they aren't everybody's."""
        keys = set(keys)
        found = keys & {option.key for option in self.shared(scope).values()}
        return (
            found
            if found == keys
            else found | (keys & {option.key for option in self.personal(scope).values()})
        )

    def choices(self, scope: Scope) -> list[tuple[Any, str]]:
        """Everybody's."""
        return [(option.key, option.label) for option in self.shared(scope).values()]

    def of_person(self, person: Any, scope: Scope) -> list[Option]:
        """What this person has for themselves."""
        return scope.once(("options by person", self.name), lambda: self._by_owner(scope)).get(person, [])

    def _by_owner(self, scope: Scope) -> dict[Any, list[Option]]:
        found: dict[Any, list[Option]] = defaultdict(list)
        for option in self.personal(scope).values():
            found[option.owner].append(option)
        return found

    def clean(self, raw: Any, scope: Scope) -> Any:
        """The key, None, or a name that a rule has yet to understand."""
        if isinstance(raw, Called):
            return raw
        if str(raw or "").strip() in self.shared(scope):
            return self.shared(scope)[str(raw).strip()].key
        return super().clean(raw, scope)

    def _from_text(self, text: str, scope: Scope) -> Any:
        """The key where one thing alone is called so; else what the rule has to understand that knows the person."""
        if not text.strip():
            return None
        word = self.spelling(text)
        anybodys = scope.once(
            ("words of people", self.name),
            lambda: {self.spelling(option.cell or option.label) for option in self.personal(scope).values()},
        )
        return (
            self._words(scope).get(word, Called(text.strip()))
            if word not in anybodys
            else Called(text.strip())
        )

    def _words(self, scope: Scope) -> dict[str, Any]:
        return scope.once(("shared by word", self.name), lambda: self._words_of(self.shared(scope).values()))

    def meant(self, called: Called, person: Any, scope: Scope) -> Any:
        """The key of what a file calls so, for this person; raises `ValidationError` with what there is."""
        theirs = self.of_person(person, scope)
        own = {self.spelling(option.cell or option.label): option.key for option in theirs}
        word = self.spelling(called.name)
        if word in own:
            return own[word]
        if word in (known := self._words(scope)):
            return known[word]
        there = [option.cell or option.label for option in [*theirs, *self.shared(scope).values()]]
        raise ValidationError(
            _("There is no “%(value)s” here. There is: %(options)s."),
            code="invalid",
            params={"value": called.name[:60], "options": self._listed(there)},
        )

    def copied(self, value: Any, scope: Scope) -> Any:
        """What a copy of the record takes over: what everybody may choose, nothing that is the person's own."""
        return value if str(value) in self.shared(scope) else None

    def _label_of(self, key: Any, scope: Scope | None) -> str:
        if scope is not None and str(key) in self.shared(scope):
            return self.shared(scope)[str(key)].label
        return super()._label_of(key, scope)

    def _cell_of(self, key: Any, scope: Scope) -> str:
        if str(key) in (known := self.shared(scope)):
            return known[str(key)].cell or known[str(key)].label
        return super()._cell_of(key, scope)


def personal(columns: Iterable[Column]) -> dict[str, PersonalColumn]:
    """Those of `columns` that may name something of a person's own, whether of the record itself or of a companion, by name."""
    inner = {column.name: getattr(column, "inner", column) for column in columns}
    return {name: column for name, column in inner.items() if isinstance(column, PersonalColumn)}


def stays_behind(columns: Iterable[Column], name: str, value: Any, scope: Scope) -> str:
    """Why this value goes to nobody else: in a sentence; "" where it may."""
    known = personal(columns)
    if value is None or name not in known or known[name].copied(value, scope) is not None:
        return ""
    return _("%(label)s: “%(value)s” belongs to this user alone and isn't taken over.") % {
        "label": known[name].label,
        "value": known[name].show(value, scope),
    }


def offer_own(form: Any, person: Any, scope: Scope) -> None:
    """Put what this person has for themselves into the menus of a form, before what everybody may choose."""
    for name, column in personal(form.columns.values()).items():
        menu = form.fields[name]
        own = [(option.key, option.label) for option in column.of_person(person, scope)]
        if own and isinstance(menu, forms.ChoiceField):
            known = {key for key, _label in own}
            blank, *others = list(menu.choices)  # type: ignore[arg-type]  # a list by now
            menu.choices = [blank, *own, *(pair for pair in others if pair[0] not in known)]


def refuse_what_is_anothers(columns: Iterable[Column]) -> Callable[[Any], None]:
    """The rule of a tab: a person has what is everybody's or their own, and a name in a file means one of these."""
    columns = list(columns)

    def rule(plan: Any) -> None:
        for name, column in personal(columns).items():
            for row in plan.rows:
                value = row.after.get(name)
                if value is None or row.record is None:
                    continue
                if isinstance(value, Called):
                    try:
                        row.put(name, column.meant(value, row.key, plan.scope))
                    except ValidationError as error:
                        row.leave(name)
                        for reason in reasons_of(error):
                            row.refuse(name, reason, reason.code)
                elif str(value) not in column.shared(plan.scope):
                    known = column.personal(plan.scope).get(str(value))
                    if name in row.changes and (known is None or known.owner != row.key):
                        row.refuse(
                            name, _("This belongs to somebody else: choose one from the list."), "not_theirs"
                        )

    return rule
