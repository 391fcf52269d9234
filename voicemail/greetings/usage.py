"""Who uses a greeting, and what becomes of them when it goes."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pbxadmin.common.columns import Scope, Text
from pbxadmin.common.companions import CompanionColumn
from pbxadmin.common.http import RequestFacts
from pbxadmin.common.personal import personal
from users import rights, road
from users.models import User
from users.people.sections import user_sheet
from users.rights import Verb
from voicemail.greetings.sheet import greeting_sheet
from voicemail.models import Greeting, Mailbox


@dataclass(frozen=True)
class Use:
    """One choice of a greeting: whose, by which column of theirs."""

    person: User
    column: str
    label: Text


def _columns() -> dict[Any, list[CompanionColumn]]:
    """The columns that name a greeting, by the store that keeps them: the mailbox's default, and one for each status."""
    found: dict[Any, list[CompanionColumn]] = defaultdict(list)
    columns = user_sheet().columns
    for name, inner in personal(columns.values()).items():
        column = columns[name]
        if inner.field.related_model is Greeting and isinstance(column, CompanionColumn):
            found[column.store].append(column)
    return found


def uses(customer: Any, greetings: Iterable[Greeting]) -> dict[int, list[Use]]:
    """Who of this customer uses these greetings, by the greeting's key: a query for each app that has such choices, and one for the people."""
    keys = [greeting.pk for greeting in greetings]
    chosen: list[tuple[int, int, CompanionColumn]] = []
    for store, columns in _columns().items() if keys else ():
        attribute = columns[0].attribute
        by_prefix = {column.prefix: column for column in columns}
        rows = store.model._default_manager.filter(**{f"{attribute}__in": keys, "user__customer": customer})
        prefix = [store.prefix_field] if store.prefix_field else []
        for greeting, person, *rest in rows.order_by().values_list(attribute, "user", *prefix):
            chosen.append((greeting, person, by_prefix[rest[0] if rest else columns[0].prefix]))
    people = User.objects.in_bulk({person for _greeting, person, _column in chosen}) if chosen else {}
    order = {name: place for place, name in enumerate(user_sheet().columns)}
    found: dict[int, list[Use]] = defaultdict(list)
    for greeting, person, column in sorted(
        chosen, key=lambda each: (people[each[1]].number, order[each[2].name])
    ):
        found[greeting].append(Use(people[person], column.name, column.label))
    return found


def plan_taking_out(
    scope: Scope, greetings: Sequence[Greeting], found: Mapping[int, Sequence[Use]], verb: Verb
) -> list[road.Plan]:
    """What deleting these greetings means: whoever uses one has the default again, then the greetings leave their library.

    In this order, so that undoing it puts them back before anybody names them.
    """
    values: dict[int, dict[str, Any]] = defaultdict(dict)
    for each in (use for greeting in greetings for use in found.get(greeting.pk, ())):
        values[each.person.pk][each.column] = None
    people = [road.Row(key, columns) for key, columns in values.items()]
    going = [road.Row(greeting.pk, {"deleted_at": True}, seen=greeting.version) for greeting in greetings]
    plans = [road.plan(scope.actor, scope.customer, user_sheet(), people, verb)] if people else []
    return [*plans, road.plan(scope.actor, scope.customer, greeting_sheet(), going, verb)]


def take_out(
    scope: Scope, greetings: Sequence[Greeting], facts: RequestFacts, verb: Verb = Verb.EDIT
) -> tuple[road.Outcome, list[str]]:
    """Delete greetings; how it ended, and why not where it didn't."""
    plans = plan_taking_out(scope, greetings, uses(scope.customer.pk, greetings), verb)
    outcome, _operation = road.ended(lambda: road.apply_all(plans, facts))
    return outcome, [sentence for plan in plans for sentence in plan.sentences]


def places(scope: Scope, verb: Verb) -> list[tuple[str, Text]]:
    """Where a person may use a greeting: the columns that their reader may change, with their labels; the mailbox's default first."""
    columns = [column for columns in _columns().values() for column in columns]
    if verb is Verb.SELF:
        own = rights.own_columns(scope.actor, verb, columns)
        columns = [column for column in columns if column.name in own]
    default = Mailbox._meta.get_field("default_greeting")
    columns.sort(key=lambda column: column.inner.field is not default)
    return [(column.name, column.label) for column in columns]


def use(
    scope: Scope, person: User, greeting: Greeting, column: str, facts: RequestFacts, verb: Verb
) -> road.Commit:
    """Let a person's callers hear a greeting: as the default, or in one status."""
    row = road.Row(person.pk, {column: greeting.pk} if column in dict(places(scope, verb)) else {})
    return road.commit(road.plan(scope.actor, scope.customer, user_sheet(), [row], verb), facts)


def named(found: Collection[Use], many: bool) -> list[str]:
    """Uses in words: of one's own library the statuses, of the company's whose."""
    return [f"{use.person}: {use.label}" if many else str(use.label) for use in found]
