"""Whom and what the keys of a customer may be about: its people, its system extensions, and people who come with the same file."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from django.db.models import F, Value
from django.utils.translation import gettext as _

from pbxadmin.common.columns import Pending, Scope
from pbxadmin.common.values.signs import as_it_looks, folded
from users.models import Change, Customer, Operation, SystemExtension, User
from users.people.sections.general_rules import taken_extensions

DIRECTORY = "what keys may be about"
EXPECTED = "people whom keys may be about once they are there"


class Callee(NamedTuple):
    """Somebody whom, or something that, a key may be about."""

    number: str
    name: str
    hidden: bool = False
    disabled: bool = False

    def __str__(self) -> str:
        return f"{self.number} {self.name}".strip()


class About(NamedTuple):
    """What one key is about: the primary key of a person (`Pending` for one who is created with it), or of a system extension."""

    target: Any = None
    system: Any = None


class Directory(NamedTuple):
    """Everybody of a customer, and its system extensions, by primary key; whoever is gone as the history calls them, a text."""

    people: dict[int, Callee | str]
    systems: dict[int, Callee | str]

    def of(self, key: Any) -> Callee | str | None:
        """What a key (it has a `target` and a `system`) is about; None where it is about nothing, or that is unknown."""
        if key.system:
            return self.systems.get(key.system)
        return self.people.get(key.target) if key.target else None

    def number_of(self, key: Any) -> str:
        """The extension that a key is about; "" where there is none any more."""
        about = self.of(key)
        return about.number if isinstance(about, Callee) else ""

    @property
    def by_number(self) -> Mapping[str, tuple[Callee, About]]:
        """All that is there, by extension."""
        found = {}
        for key, system in self.systems.items():
            if isinstance(system, Callee):
                found[system.number] = system, About(system=key)
        for key, person in self.people.items():
            if isinstance(person, Callee):
                found[person.number] = person, About(key)
        return found


def directory(scope: Scope) -> Directory:
    """Whom and what the keys of this customer may be about, by extension; looked up once in a scope, in one query."""
    found: Directory = scope.once(DIRECTORY, lambda: _directory(scope.customer))
    return found


def _directory(customer: Customer) -> Directory:
    people = (
        User.objects.of(customer)
        .annotate(is_system=Value(False))
        .values_list("pk", "number", "first_name", "last_name", "hidden", "disabled", "is_system")
    )
    systems = (
        SystemExtension.objects.of(customer)
        .annotate(
            first=F("name"), last=Value(""), hidden=Value(False), disabled=Value(False), is_system=Value(True)
        )
        .values_list("pk", "number", "first", "last", "hidden", "disabled", "is_system")
    )
    made = Directory({}, {})
    for key, number, first, last, hidden, disabled, is_system in (
        people.order_by().union(systems.order_by(), all=True).order_by("number")
    ):
        kind: Any = made.systems if is_system else made.people
        kind[key] = Callee(number, f"{first} {last}".strip(), bool(hidden), bool(disabled))
    return made


def known(keys: Iterable[Any], scope: Scope) -> Directory:
    """The directory with whoever and whatever of these keys was deleted, as the history calls them: a query for those not met yet."""
    present = directory(scope)
    gone: Directory = scope.once("what keys were about and is gone", lambda: Directory({}, {}))
    keys = list(keys)
    people = _gone(User, {key.target for key in keys}, present.people, gone.people, scope)
    systems = _gone(SystemExtension, {key.system for key in keys}, present.systems, gone.systems, scope)
    return Directory(people, systems)


def _gone(
    model: Any,
    wanted: set[Any],
    present: dict[int, Callee | str],
    gone: dict[int, Callee | str],
    scope: Scope,
) -> dict[int, Callee | str]:
    missing = {key for key in wanted if isinstance(key, int)} - present.keys() - gone.keys()
    if missing:
        deleted = Change.objects.filter(
            model=model._meta.label_lower,
            object_pk__in=missing,
            kind=Operation.Kind.DELETE,
            operation__customer=scope.customer,
        )
        gone |= dict.fromkeys(missing, "") | dict(deleted.values_list("object_pk", "object_name"))
    return {**present, **gone} if gone else present


def expect_colleagues(scope: Scope, people: Mapping[str, Pending]) -> None:
    """Let keys that name an extension be about somebody who comes with the same file: {extension: reference to the new person}.

    Whoever is there already goes before. The references may know their planned rows later: they are asked for when a plan
    that has such a key is made.
    """
    scope.found[EXPECTED] = dict(people)


def _there_already(scope: Scope) -> set[str]:
    """The extensions of whoever is expected that somebody, or something, has already."""
    there: set[str] = scope.once(
        "expected, and there already", lambda: taken_extensions(scope.customer, list(scope.found[EXPECTED]))
    )
    return there


def meant(text: str, scope: Scope) -> About | None:
    """What an extension means, which may have a name behind it; or a name that one person, or one system extension, alone has."""
    text = as_it_looks(text).strip()
    number = text.split(" ", 1)[0]
    if not number:
        return None
    # Asked first, and with one small query: a hundred people who come to fifty thousand need no directory to watch one another.
    if number in scope.found.get(EXPECTED, ()) and number not in _there_already(scope):
        return About(scope.found[EXPECTED][number])
    here = directory(scope)
    by_number = scope.once("what keys may be about, by extension", lambda: here.by_number)
    if number in by_number:
        found: About = by_number[number][1]
        return found
    name = folded(text)
    namesakes = [about for callee, about in by_number.values() if folded(callee.name) == name]
    return namesakes[0] if len(namesakes) == 1 else None


def gone_words(key: Any) -> str:
    """What is said where a key is about what nobody knows any more."""
    return _("an extension that is no longer there") if key.system else _("somebody who is no longer there")
