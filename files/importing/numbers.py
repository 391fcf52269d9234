"""A file of a customer's DID numbers: which each is, what it is for, and whom or what it rings.

A number that rings a system extension says so in its own row; one that rings a person is among that person's numbers. So a file
may need three plans: numbers, then the people who give and take them, then numbers that a person had and a system extension gets.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from files.importing.lists import Meant, Records
from files.reading.spreadsheets import Kind
from pbxadmin.common.columns import Column, Pending, Scope
from pbxadmin.common.values.signs import folded
from users import road
from users.company.sheets import did_sheet
from users.models import Did, SystemExtension, User
from users.people.sections import user_sheet
from users.people.sections.number_rules import LEAVING

RINGS = "Rings"
COLUMN = "system_extension"


@dataclass(frozen=True)
class Destination:
    """Whom, or what, a number rings: the key of one of both, or of neither; `text` is what files say."""

    person: int | None = None
    system: int | None = None
    text: str = ""


NOBODY = Destination()


@dataclass
class NumberMeant(Meant):
    """One row with its number, and where that leads now and then (None: the row doesn't say)."""

    rings: tuple[Destination, Destination] | None = None


class Numbers(Records[NumberMeant]):
    """The files of numbers."""

    def kind_of(self, name: str) -> Kind:
        """Extensions are digits."""
        return Kind.DIGITS if name == RINGS else super().kind_of(name)

    def _column(self, scope: Scope, meant: Sequence[NumberMeant], name: str, column: Column) -> None:
        if name != RINGS:
            super()._column(scope, meant, name, column)
            return
        known = _destinations(scope)
        for each in meant:
            text = each.wanted.cells.get(name)
            if text is None:
                continue
            found = known.get(folded(text.strip())) if text.strip() else NOBODY
            if found is None:
                each.refuse(
                    COLUMN,
                    _(
                        "“%(value)s” is no extension of this company: enter one that is there, or leave the cell blank."
                    )
                    % {"value": text.strip()[:60]},
                    "unknown_extension",
                )
                continue
            each.values[COLUMN] = found.system
            each.rings = now, then = _now(each.record), found
            if now != then:
                each.changes[RINGS] = now.text, then.text

    def plans(self, scope: Scope, meant: Sequence[NumberMeant]) -> Sequence[road.Plan]:
        """The numbers, the people whose they become or were, and the numbers that people leave to system extensions."""
        moving = [each for each in meant if each.rings and each.rings[0].person != each.rings[1].person]
        later = [each for each in moving if each.rings and each.rings[0].person and each.rings[1].system]
        scope.found[LEAVING] = frozenset(
            each.record.pk for each in meant if each.record is not None and RINGS in each.changes
        )
        after = {id(each) for each in later}
        first = self.planned(scope, [each for each in meant if id(each) not in after])
        last = self.planned(scope, later)
        people = _people(
            scope, [each for each in moving if each.planned and each.planned.outcome != "refused"]
        )
        for each in later:
            # Leaving the person counts the version of the number up before its own plan is written.
            if each.planned is not None and each.record is not None and each.beside:
                each.record.version += 1
        return [plan for plan in (first, people, last) if plan.rows]


def _now(record: Did | None) -> Destination:
    if record is None:
        return NOBODY
    if record.user is not None:
        return Destination(person=record.user.pk, text=record.user.number)
    if record.system_extension is not None:
        return Destination(system=record.system_extension.pk, text=record.system_extension.number)
    return NOBODY


def _destinations(scope: Scope) -> Mapping[str, Destination]:
    """Everybody and everything that a number may ring, by extension, by name, and by both as lists show them."""
    found: dict[str, Destination] = {}
    named: dict[str, list[Destination]] = defaultdict(list)
    systems = SystemExtension.objects.visible_to(scope.actor).of(scope.customer).order_by()
    for key, number, name in systems.values_list("pk", "number", "name"):
        found[number] = found[folded(f"{number} {name}")] = meant = Destination(system=key, text=number)
        named[folded(name)].append(meant)
    people = User.objects.visible_to(scope.actor).of(scope.customer).order_by()
    for key, number, first, last in people.values_list("pk", "number", "first_name", "last_name"):
        meant = Destination(person=key, text=number)
        found[number] = found[folded(f"{number} {first} {last}".strip())] = meant
        named[folded(f"{first} {last}".strip())].append(meant)
    # A name says who is meant where nobody else has it.
    return {name: several[0] for name, several in named.items() if len(several) == 1} | found


def _people(scope: Scope, moving: Sequence[NumberMeant]) -> road.Plan:
    """The plan of everybody who gives numbers up or gets some; each row of the file knows whom it leans on."""
    concerned: dict[int, list[NumberMeant]] = defaultdict(list)
    for each in moving:
        assert each.rings is not None
        for key in {each.rings[0].person, each.rings[1].person} - {None}:
            concerned[key or 0].append(each)
    wanted: dict[int, set[Any]] = {key: set() for key in concerned}
    for part in road.chunks(list(wanted)):
        for key, user in Did.objects.of(scope.customer).filter(user__in=part).values_list("pk", "user"):
            wanted[user or 0].add(key)
    for each in moving:
        assert each.rings is not None
        now, then = each.rings
        number: Any = each.record.pk if each.record is not None else Pending(each.planned)
        if now.person:
            wanted[now.person].discard(number)
        if then.person:
            wanted[then.person].add(number)
    rows = [
        road.Row(key, {"dids": sorted(keys)}, ", ".join(each.wanted.label for each in concerned[key][:5]))
        for key, keys in wanted.items()
    ]
    made = road.plan(scope.actor, scope.customer, user_sheet(), rows, scope=scope)
    for row in made.rows:
        for each in concerned[row.key]:
            each.beside.append((row, COLUMN))
    return made


NUMBERS = Numbers(
    did_sheet,
    {
        "Number": ("Numéro", "Numéro SDA", "DID", "Number", "Phone number", "Numéro de téléphone", "DDI"),
        "Name": ("Nom", "Label", "Étiquette", "Description"),
        RINGS: ("Sonne", "Sonne chez", "Destination", "Rings"),
    },
    meant=NumberMeant,
)
