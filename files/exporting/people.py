"""People as rows of texts, with their first phone: the same columns that the import reads."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any

from django.db.models import QuerySet

from files.exporting.columns import Cells, in_order
from files.importing.people import CALLS, EXTERNAL, TALK, Recording
from files.importing.people import by_file_name as columns_of_people
from files.importing.phones import FOLLOWS, ROUTER
from files.importing.phones import by_file_name as columns_of_phones
from files.reading.headers import V20
from files.reading.spreadsheets import protected
from pbxadmin.common.columns import Column, Scope
from phones import selectors
from phones.models import Phone
from phones.sites import routers
from users import road
from users.models import User

CHUNK = 1_000


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
    own = Cells({name: column for name, column in columns_of_people().items() if name in names}, scope)
    phones = _Phones({name: column for name, column in columns_of_phones().items() if name in names}, scope)
    entrance = User.objects.visible_to(scope.actor).of(scope.customer).order_by()
    for part in road.chunks(list(people.values_list("pk", flat=True)), CHUNK):
        read = own.read(entrance.filter(pk__in=part), *FURTHER)
        keys = [key for key in part if key in read]  # the others were deleted since
        cells = own.of(keys, read, len(FURTHER)) | phones.of(keys)
        cells |= _of_two_columns(layout, cells, [read[key] for key in keys])
        if pins is not None:
            cells["VMPIN"] = [protected(pins.get(key, "")) for key in keys]
        yield from in_order(names, cells, len(keys))


# What is read of people besides the columns of the file.
FURTHER = ("recording", "talk_enabled")


def _of_two_columns(
    layout: Layout, cells: Mapping[str, Sequence[str]], people: Sequence[Sequence[Any]]
) -> dict[str, list[str]]:
    """What 3CX's file has in other columns than ours."""
    found = {
        CALLS: ["0" if recording == Recording.OFF else "1" for recording, *_rest in people],
        EXTERNAL: ["1" if recording == Recording.EXTERNAL else "0" for recording, *_rest in people],
    }
    if layout is Layout.V20:
        # A name turns Talk on where the file has no column for the switch itself.
        found[TALK] = [
            name if talk_enabled else ""
            for name, (_recording, talk_enabled, *_rest) in zip(cells[TALK], people, strict=True)
        ]
    return found


class _Phones:
    """The cells of people's first phones; empty for whoever has none."""

    FURTHER = ("user_id", "model", "connection", "sbc_id")

    def __init__(self, columns: Mapping[str, Column], scope: Scope) -> None:
        self.scope = scope
        self.names = [*columns, ROUTER, FOLLOWS]
        self.cells = Cells({name: column for name, column in columns.items() if name != ROUTER}, scope)
        self.entrance = Phone.objects.of(scope.customer)

    def of(self, people: Sequence[Any]) -> dict[str, list[str]]:
        read = self.cells.read(self.entrance.filter(user__in=people).order_by("-pk"), *self.FURTHER)
        first = {
            user: key for key, (user, *_rest) in read.items()
        }  # the last one read is the first there was
        keys = list(first.values())
        cells = self.cells.of(keys, read, len(self.FURTHER))
        about = [read[key] for key in keys]
        cells[ROUTER] = [
            protected(routers.cell_through(connection, sbc, self.scope))
            for _user, _model, connection, sbc, *_rest in about
        ]
        cells[FOLLOWS] = [protected(selectors.template_called(model)) for _user, model, *_rest in about]
        place = {user: at for at, user in enumerate(first)}
        at = [place.get(user) for user in people]
        return {
            name: ["" if each is None else found[each] for each in at]
            for name in self.names
            if (found := cells.get(name)) is not None
        }


def template(columns: Sequence[str], example: Callable[[str], str]) -> list[list[str]]:
    """A header and one example row, to be filled in."""
    return [list(columns), [example(name) for name in columns]]
