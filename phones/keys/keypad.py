"""How a person's keys are drawn: the rows of a form laid out on the pages of a phone's model and its sidecars."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from pbxadmin.common.rendering import Menu
from phones.context import KeyKind
from phones.keys.columns import (
    AGENT_ACTIONS,
    FIELDS,
    LAST_POSITION,
    VALUE_FIELDS,
    WITH_TARGET,
    KeyValue,
    Kind,
    label_of,
)
from phones.keys.targets import About, Callee, Directory
from phones.models import Phone
from phones.selectors import model_of
from phones.vendors import Model
from users.models import STATUS_CHOICES, User

# However few keys the phones have, that many are listed: a bigger phone may come, and softphones show them all.
AT_LEAST = 36
# A page of a person who has no phone.
PLAIN_PAGE = 12
WITH_LAMP = (Kind.BLF, Kind.SHARED_PARKING)

Row = dict[str, str]


@dataclass(frozen=True)
class Device:
    """One phone of the person as the menu offers it."""

    mac: str
    model: Model
    sidecars: int

    @classmethod
    def of(cls, phone: Phone) -> "Device":
        """The device that a phone is."""
        return cls(phone.mac, model_of(phone), phone.sidecars)

    @property
    def capacity(self) -> int:
        """How many keys it has, with its sidecars."""
        return self.model.key_capacity(self.sidecars)

    @property
    def name(self) -> str:
        """Its model, with its sidecars: "T54W + 2 EXP50"."""
        if not (self.sidecars and self.model.sidecar):
            return self.model.name
        return f"{self.model.name} + {self.sidecars} {self.model.sidecar.name}"

    @property
    def keys_in_words(self) -> str:
        """How many keys it has: "27 touches"."""
        return ngettext("%(count)s key", "%(count)s keys", self.capacity) % {"count": self.capacity}


@dataclass
class Cell:
    """One key as the page shows it: what was typed, in words, and what is said about it."""

    number: int  # of the form's fields: "keys-3-kind"
    position: int
    typed: Row
    label: str
    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    theirs: str | None = None  # what somebody else made of this key meanwhile

    @property
    def blank(self) -> bool:
        """Whether nothing is on the key."""
        return self.typed["kind"] == Kind.BLANK

    @property
    def kind(self) -> str:
        """The kind in words."""
        try:
            return str(Kind(self.typed["kind"]).label)
        except ValueError:
            return self.typed["kind"]

    @property
    def kept_label(self) -> str:
        """What a key of an unknown type says, whatever is chosen instead by now."""
        return typed_label(self.typed | {"kind": Kind.UNKNOWN.value}, Directory({}, {}))

    @property
    def lamp(self) -> bool:
        """Whether its light tells something."""
        return self.typed["kind"] in WITH_LAMP

    @property
    def words(self) -> str:
        """All of it, for whoever doesn't see where it stands."""
        return f"{self.kind} {self.label}".strip()

    @property
    def wrong_field(self) -> str:
        """The field that a problem is about."""
        kind = self.typed["kind"]
        if kind == Kind.UNKNOWN:
            return "kind"  # what it says nobody types
        return "target" if kind in WITH_TARGET else VALUE_FIELDS.get(kind, "kind")


@dataclass
class Page:
    """One page of keys, as wide as the phone shows it."""

    title: str
    cells: list[Cell]
    turns_to: str = ""  # what the key says that turns the page
    fits: bool = True  # False: the keys that the drawn model has no place for

    @property
    def first(self) -> int:
        """The position of its first key."""
        return self.cells[0].position

    @property
    def rows(self) -> int:
        """In how many rows its keys stand, in two columns."""
        return (len(self.cells) + bool(self.turns_to) + 1) // 2

    @property
    def used(self) -> int:
        """How many of its keys aren't blank."""
        return sum(not cell.blank for cell in self.cells)


def blank_row(position: int) -> Row:
    """The form fields of a blank key."""
    return dict.fromkeys(FIELDS, "") | {"position": str(position), "kind": Kind.BLANK.value}


def row_of(key: KeyValue, here: Directory) -> Row:
    """The form fields of a key."""
    row = blank_row(key.position) | {
        "kind": key.kind,
        "first_name": key.first_name,
        "last_name": key.last_name,
    }
    if key.kind in WITH_TARGET:
        row["target"] = str(here.of(key) or "")
    if name := VALUE_FIELDS.get(key.kind):
        row[name] = key.value
    return row


def rows_of(keys: Sequence[KeyValue], count: int, here: Directory) -> list[Row]:
    """A row for each position up to `count`, or to the last key."""
    known = {key.position: key for key in keys}
    last = max([count, *known])
    return [
        row_of(known[position], here) if position in known else blank_row(position)
        for position in range(1, last + 1)
    ]


def in_order(rows: Sequence[Row], count: int = 0) -> list[Row]:
    """The rows by position, gaps filled; what stands at no position, or where another one does, takes the next free one."""
    placed: dict[int, Row] = {}
    homeless = []
    for row in rows:
        position = int(row["position"]) if row["position"].isascii() and row["position"].isdecimal() else 0
        if 1 <= position <= LAST_POSITION and position not in placed:
            placed[position] = row
        elif row["kind"] != Kind.BLANK:
            homeless.append(row)
    free = (position for position in range(1, LAST_POSITION + 1) if position not in placed)
    for row, position in zip(homeless, free, strict=False):
        placed[position] = row
    last = min(max([count, *placed]), LAST_POSITION)
    return [
        placed.get(position, blank_row(position)) | {"position": str(position)}
        for position in range(1, last + 1)
    ]


def moved(rows: Sequence[Row], move: str) -> list[Row]:
    """The rows with two neighbours exchanged as a button asks: "3:up", the third row of the form."""
    number, _colon, direction = move.partition(":")
    rows = in_order(rows)
    if not (number.isascii() and number.isdecimal() and 1 <= int(number) <= len(rows)):
        return rows
    here = int(number) - 1
    there = here + (-1 if direction == "up" else 1)
    if 0 <= there < len(rows):
        rows[here], rows[there] = rows[there], rows[here]
    return [row | {"position": str(position)} for position, row in enumerate(rows, start=1)]


def count_for(devices: Sequence[Device], asked: int = 0) -> int:
    """How many positions are listed: what the phones have, and never fewer than `AT_LEAST`."""
    return min(max([AT_LEAST, asked, *(device.capacity for device in devices)]), LAST_POSITION)


def line_label(person: User) -> str:
    """What the phone of a person writes beside a line key."""
    return f"{person.number} {person.first_name}".strip()


def typed_label(row: Row, here: Directory, line: str = "") -> str:
    """What a row says it is about, as it was typed; a line key has the label of its account."""
    kind = row["kind"]
    if kind == Kind.LINE:
        return line
    if kind in WITH_TARGET:
        return row["target"]
    name = VALUE_FIELDS.get(kind, "")
    return label_of(
        KeyValue(0, kind, None, row[name] if name else "", row["first_name"], row["last_name"]), here
    )


def cells_of(
    rows: Sequence[Row],
    here: Directory,
    line: str,
    problems: Mapping[int, Sequence[str]] | None = None,
    theirs: Mapping[int, str] | None = None,
) -> list[Cell]:
    """Rows in their order as cells of the page."""
    by_number = here.by_number
    made = []
    for number, row in enumerate(rows, start=1):
        position = int(row["position"])
        made.append(
            Cell(
                number,
                position,
                row,
                typed_label(row, here, line),
                _notes(row, by_number),
                list((problems or {}).get(position, ())),
                (theirs or {}).get(position),
            )
        )
    return made


def _notes(row: Row, by_number: Mapping[str, tuple[Callee, About]]) -> list[str]:
    if row["kind"] == Kind.UNKNOWN:
        return [_("kept for the phone system; blank on the phone")]
    callee, _about = by_number.get(
        row["target"].split(" ", 1)[0] if row["kind"] in WITH_TARGET else "", (None, None)
    )
    if callee is None:
        return []
    notes = []
    if callee.hidden:
        notes.append(_("hidden from the directory"))
    if callee.disabled:
        notes.append(_("disabled: blank on the phone until the extension is enabled again"))
    return notes


def pages_of(cells: Sequence[Cell], device: Device | None) -> list[Page]:
    """The cells on the pages of a phone, then of its sidecars, then those it has no place for."""
    if device is None:
        return [
            Page(_("Page %(number)s") % {"number": number}, list(part))
            for number, part in enumerate(_parts(cells, PLAIN_PAGE), start=1)
        ]
    model, sidecar = device.model, device.model.sidecar
    pages = _pages(cells[: model.keys], model.page_keys, "")
    start = model.keys
    if sidecar:
        for number in range(1, min(device.sidecars, sidecar.up_to) + 1):
            name = sidecar.name if device.sidecars == 1 else f"{sidecar.name} {number}"
            pages += _pages(cells[start : start + sidecar.keys], sidecar.page_keys, name)
            start += sidecar.keys
    if rest := list(cells[start:]):
        pages.append(Page(_("Not on this model"), rest, fits=False))
    return pages


def _pages(cells: Sequence[Cell], size: int, name: str) -> list[Page]:
    """One device's pages; `name` is the sidecar's."""
    parts = list(_parts(cells, size or len(cells)))
    pages = []
    for number, part in enumerate(parts, start=1):
        title = _("Page %(number)s") % {"number": number}
        turns_to = _("Page %(number)s") % {"number": number % len(parts) + 1} if len(parts) > 1 else ""
        # A sidecar has buttons of its own for its pages.
        pages.append(Page(f"{name} · {title}" if name else title, list(part), "" if name else turns_to))
    return pages


def _parts(cells: Sequence[Cell], size: int) -> Iterator[Sequence[Cell]]:
    return (cells[start : start + size] for start in range(0, len(cells), max(size, 1)))


def menus() -> dict[str, Menu]:
    """What the menus of a key offer."""
    kinds = [(kind.value, Kind(kind.value).label) for kind in KeyKind]
    return {
        "kinds": Menu(kinds),
        # Of a key that another program's file brought: it may stay what it is.
        "kinds_and_kept": Menu([*kinds, (Kind.UNKNOWN.value, Kind.UNKNOWN.label)]),
        "agent_actions": Menu(AGENT_ACTIONS.items()),
        "statuses": Menu(STATUS_CHOICES),
    }


def paper_label(cell: Cell) -> tuple[str, str]:
    """What stands on the paper beside a key: the name, and small what it dials. A line or a slot is its own name."""
    row, kind = cell.typed, cell.typed["kind"]
    if kind in (Kind.BLANK, Kind.UNKNOWN):
        return "", ""
    if kind in WITH_TARGET:
        number, _blank, name = row["target"].partition(" ")
        return (name, number) if name else (number, "")
    if kind == Kind.CUSTOM_SPEED_DIAL:
        name = f"{row['first_name']} {row['last_name']}".strip()
        return (name, row["number"]) if name else (row["number"], "")
    return cell.label or cell.kind, ""
