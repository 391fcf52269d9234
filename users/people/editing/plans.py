"""What is wanted of many users, planned: whom it changes from what to what, in groups; whom it can't, and why."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from django.db import models

from pbxadmin.common.columns import Column, Scope, Text
from users import road
from users.models import User
from users.people.editing.tabs import tabs
from users.people.sections import user_sheet

Wanted = Mapping[str, Mapping[str, Any]]  # what each tab wants, by its address

# Names under one line of the preview, lines under one column, and rounds in which rules may refuse somebody else.
NAMES, LINES, ROUNDS = 20, 8, 5
LONGEST = 500_000


def wanted_of(scope: Scope, text: str) -> dict[str, Mapping[str, Any]]:
    """What a form carries as JSON, without all that nobody may want; anybody can write anything there."""
    try:
        found = json.loads(text) if len(text) <= LONGEST else {}
    except (ValueError, RecursionError):
        found = {}
    if not isinstance(found, dict):
        return {}
    checked = {section.slug: tab.checked(scope, found.get(section.slug)) for section, tab in tabs()}
    return {slug: wanted for slug, wanted in checked.items() if wanted}


def plans_of(scope: Scope, people: Sequence[User], wanted: Wanted) -> list[road.Plan]:
    """A plan for each kind of row that is to change, the people's own first."""
    values: dict[type[models.Model], dict[Any, dict[str, Any]]] = defaultdict(dict)
    for section, tab in tabs():
        for model, of_each in tab.values(scope, people, wanted.get(section.slug, {})).items():
            for key, new in of_each.items():
                values[model].setdefault(key, {}).update(new)
    names = {person.pk: str(person) for person in people}
    return [
        road.plan(
            scope.actor,
            scope.customer,
            road.sheet_of(model),
            [
                road.Row(key, new, label=names.get(key, "") if model is User else "")
                for key, new in rows.items()
            ],
            scope=scope,
        )
        for model, rows in sorted(values.items(), key=lambda each: each[0] is not User)
    ]


def refused_by(plans: Sequence[road.Plan]) -> dict[Any, str]:
    """Whom these plans can't change, with all reasons: {primary key of the person: sentences}."""
    found: dict[Any, dict[str, None]] = defaultdict(dict)
    for plan in plans:
        for row in plan.refused:
            found[row.subject].update(dict.fromkeys(row.sentences))
    return {key: " ".join(sentences) for key, sentences in found.items()}


def settled(scope: Scope, people: Sequence[User], wanted: Wanted) -> tuple[list[road.Plan], dict[Any, str]]:
    """The plans of all who can be changed together, and the others with the reason: leaving some out may refuse others."""
    refusals: dict[Any, str] = {}
    left = list(people)
    for _round in range(ROUNDS):
        plans = plans_of(scope, left, wanted)
        refused = refused_by(plans)
        if not refused:
            return plans, refusals
        refusals |= refused
        left = [person for person in left if person.pk not in refused]
    return [], refusals | {person.pk: refusals[next(iter(refusals))] for person in left}


# --- Numbers that lead to somebody: who they are, and not their extension, which may be another one's later -----------
def led_to(scope: Scope, wanted: Wanted) -> dict[str, Any]:
    """Whom the wanted values name by a number now: {column: primary key, or None}."""
    found = {}
    for name, raw in (pair for of_tab in wanted.values() for pair in of_tab.items()):
        column = user_sheet().columns.get(name)
        if column is None or not column.by_number:
            continue
        value = column.clean(column.as_typed(raw), scope)
        column.look_up([value], scope)
        referred = column.referred(value, scope)
        found[name] = referred[0] if referred else None
    return found


# --- In words -----------------------------------------------------------------------------------------------------
@dataclass
class Line:
    """The same change of several people."""

    label: str
    old: str
    new: str
    people: list[Any] = field(default_factory=list)
    names: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many they are."""
        return len(self.people)

    @property
    def more(self) -> int:
        """How many aren't named."""
        return max(0, self.count - len(self.names))


@dataclass
class Preview:
    """What would happen."""

    tabs: list[
        tuple[Text, list[tuple[list[Line], int]]]
    ]  # of each column the first lines, and how many people more
    changed: int
    unchanged: int
    reloads: int
    seen: str  # the same for the very same changes of the very same people


def preview_of(plans: Sequence[road.Plan], people: Sequence[User], refusals: Mapping[Any, str]) -> Preview:
    """Who changes from what to what, together where it is the same."""
    names = {person.pk: str(person) for person in people}
    lines: dict[tuple[str, str], dict[tuple[str, str, str], Line]] = defaultdict(dict)
    changed: set[Any] = set()
    for plan in plans:
        rows = plan.having("changed")
        for name, column in plan.sheet.columns.items():
            touched = [row for row in rows if name in row.changes]
            if touched:
                _gather(lines[plan.sheet.label, name], plan, column, touched)
        changed |= {row.subject for row in rows}
    for of_column in lines.values():
        for line in of_column.values():
            line.people = list(dict.fromkeys(line.people))
            line.names = [names[key] for key in line.people[:NAMES] if key in names]
    reload = [(plan.sheet.model, plan.having("changed")) for plan in plans]
    reloads = next((each.adds.reloads for each in user_sheet().sections if each.adds.reloads), None)
    told = repr([sorted((key, line.people) for key, line in found.items()) for found in lines.values()])
    left_out = sorted(refusals, key=str)
    return Preview(
        _by_tab(lines),
        len(changed),
        len(people) - len(refusals) - len(changed),
        reloads(reload) if reloads else 0,
        sha256(f"{told}{left_out}".encode()).hexdigest()[:32],
    )


def _gather(
    lines: dict[tuple[str, str, str], Line], plan: road.Plan, column: Column, rows: Sequence[road.RowPlan]
) -> None:
    pairs = [row.changes[column.name] for row in rows]
    if column.by_number:
        column.look_up([value for pair in pairs for value in pair], plan.scope)
    known: dict[str, list[tuple[str, str, str]]] = {}
    for row, pair in zip(rows, pairs, strict=True):
        said = known.get(key := repr(pair))
        if said is None:
            said = known[key] = list(column.pieces(*pair, plan.scope))
        for words in said:
            lines.setdefault(words, Line(*words)).people.append(row.subject)


def _by_tab(
    lines: Mapping[tuple[str, str], Mapping[tuple[str, str, str], Line]],
) -> list[tuple[Text, list[tuple[list[Line], int]]]]:
    found: dict[Text, list[tuple[list[Line], int]]] = {}
    for (label, name), of_column in lines.items():
        sheet = road.SHEETS[label]
        title = next(
            each.title for each in sheet.sections if name in {column.name for column in each.columns}
        )
        labels: dict[str, list[Line]] = defaultdict(list)
        for line in of_column.values():
            labels[line.label].append(line)
        for of_label in labels.values():
            of_label.sort(key=lambda line: -line.count)
            rest = len({key for line in of_label[LINES:] for key in line.people})
            found.setdefault(str(title), []).append((of_label[:LINES], rest))
    return list(found.items())
