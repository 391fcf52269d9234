"""People as rows of texts, with their first phone: the same columns that the import reads."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any

from django.db.models import QuerySet

from files.importing.people import CALLS, EXTERNAL, TALK, Recording
from files.importing.people import by_file_name as columns_of_people
from files.importing.phones import FOLLOWS, ROUTER
from files.importing.phones import by_file_name as columns_of_phones
from files.reading.headers import V20
from files.reading.spreadsheets import protected
from pbxadmin.common.columns import Column, Scope
from pbxadmin.common.for_many import values_of
from phones import selectors
from phones.models import Phone
from phones.sites import routers
from users import road
from users.models import User
from users.people.sections import user_sheet

CHUNK = 500


class Layout(StrEnum):
    """Which columns a file has."""

    V20 = "3cx"
    FULL = "full"


def header(layout: Layout) -> list[str]:
    """The names of the columns, in their order: 3CX's first, as 3CX has them."""
    if layout is Layout.V20:
        return list(V20)
    return list(dict.fromkeys([*V20, *columns_of_people(), *columns_of_phones()]))


def rows(
    scope: Scope, people: QuerySet[User], layout: Layout, pins: Mapping[int, str] | None = None
) -> Iterator[list[str]]:
    """The cells of each person, in the order of `people`, none of which a spreadsheet would run. `pins` {primary key: PIN} where they
    were asked for; else that column is empty."""
    names = header(layout)
    own = {name: column for name, column in columns_of_people().items() if name in names}
    of_phone = {name: column for name, column in columns_of_phones().items() if name in names}
    memory: dict[tuple[str, Any], str] = {}
    for keys in road.chunks(list(people.values_list("pk", flat=True)), CHUNK):
        records = road.records_of(user_sheet(), scope, (), keys)
        values = values_of(list(own.values()), list(records.values()), scope)
        phones = _first_phones(scope, keys)
        said = {phone.pk: phone for phone in phones.values()}
        settings = values_of(list(of_phone.values()), list(said.values()), scope)
        for key in keys:
            if key not in records:
                continue  # deleted since
            cells = _cells(own, values[key], scope, memory)
            cells |= _of_two_columns(records[key], layout)
            if phone := phones.get(key):
                cells |= _cells(of_phone, settings[phone.pk], scope, memory)
                cells |= {ROUTER: routers.cell_of(phone, scope), FOLLOWS: selectors.template_of(phone)}
            if pins is not None:
                cells["VMPIN"] = pins.get(key, "")
            yield [protected(cells.get(name, "")) for name in names]


def _cells(
    columns: Mapping[str, Column], values: Mapping[str, Any], scope: Scope, memory: dict[tuple[str, Any], str]
) -> dict[str, str]:
    found = {}
    for name, column in columns.items():
        if column.secret or column.name not in values:
            continue
        value = values[column.name]
        known: str | None = memory.get((name, value)) if (short := _is_short(value)) else None
        if known is None:
            known = column.to_cell(value, scope)
            if short and len(memory) < 100_000:
                memory[name, value] = known
        found[name] = known
    return found


def _is_short(value: Any) -> bool:
    """Whether the same value comes again and again: an option, a reference."""
    return value is None or isinstance(value, (bool, int)) or (isinstance(value, str) and len(value) < 12)


def _of_two_columns(person: User, layout: Layout) -> dict[str, str]:
    """What 3CX's file has in other columns than ours."""
    recording = person.recording
    cells = {
        CALLS: "0" if recording == Recording.OFF else "1",
        EXTERNAL: "1" if recording == Recording.EXTERNAL else "0",
    }
    if layout is Layout.V20 and not person.talk_enabled:
        cells[TALK] = ""  # a name turns Talk on where the file has no column for the switch itself
    return cells


def _first_phones(scope: Scope, keys: Sequence[int]) -> dict[int, Phone]:
    found: dict[int, Phone] = {}
    for phone in Phone.objects.of(scope.customer).filter(user__in=keys).order_by("-pk"):
        found[phone.user_id or 0] = phone
    return found


def template(columns: Sequence[str], example: Callable[[str], str]) -> list[list[str]]:
    """A header and one example row, to be filled in."""
    return [list(columns), [example(name) for name in columns]]
