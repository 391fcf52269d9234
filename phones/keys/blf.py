"""The function keys of a person as 3CX's file has them: one text of XML."""

import re
from collections.abc import Iterable, Mapping
from enum import Enum, auto
from typing import NamedTuple
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from pbxadmin.common.values.statuses import Status
from phones.context import AgentAction
from phones.models import Key

Kind = Key.Kind
# 3CX takes no more of it.
LONGEST = 20_480
# The number and the name of each type; the layout was read off a live system.
TYPES: Mapping[str, tuple[str, str]] = {
    Kind.BLF.value: ("0", "BLF"),
    Kind.SPEED_DIAL.value: ("1", "SpeedDial"),
    Kind.CUSTOM_SPEED_DIAL.value: ("2", "CustomSpeedDial"),
    Kind.SHARED_PARKING.value: ("3", "SharedParking"),
    Kind.AGENT.value: ("4", "QueueLogin"),
    Kind.STATUS.value: ("5", "ProfileStatus"),
    Kind.LINE.value: ("6", "Line"),
}
KINDS = {word: kind for kind, words in TYPES.items() for word in words}
STATUSES = [str(status) for status in Status]
AGENTS = {"LOGGEDINQUEUE": AgentAction.LOGIN.value, "LOGGEDOUTQUEUE": AgentAction.LOGOUT.value}
AGENT_IDS = {value: word for word, value in AGENTS.items()}
# A document type could define entities that grow without end; nothing that 3CX writes has one.
_DECLARATION = re.compile(r"<!|<\?(?!xml\s)")
# What a text of one line can't hold as it is; a reader of XML makes the same of both.
_ON_ONE_LINE = {"\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}
_IN_ATTRIBUTES = {'"': "&quot;"} | _ON_ONE_LINE


class Entry(NamedTuple):
    """One key: `value` is an extension, a number, a slot, an action or a status, as the kind has it; of an unknown kind, see `kept`."""

    position: int
    kind: str
    value: str = ""
    first_name: str = ""
    last_name: str = ""


class Problem(Enum):
    """Why a text is no list of keys."""

    UNREADABLE = auto()
    TOO_LONG = auto()
    NO_KIND = auto()
    NO_PLACE = auto()


class BlfError(ValueError):
    """A text that is no list of keys; `text` is the part of it that is meant."""

    def __init__(self, problem: Problem, text: str = "") -> None:
        super().__init__(f"{problem}: {text!r}")
        self.problem = problem
        self.text = text


def written(entries: Iterable[Entry]) -> str:
    """The keys as XML; "" for none. A blank key is a gap in the numbers.

    `ID` is the target's internal number in one installation and means nothing in another: it is -1, as 3CX writes it for keys
    without a target. What a key of an unknown kind says is written as it was read.
    """
    return whole(map(written_key, entries))


def whole(keys: Iterable[str]) -> str:
    """The list of keys that are written already; "" for none."""
    found = "".join(keys)
    return f"<PhoneDevice><BLFS>{found}</BLFS></PhoneDevice>" if found else ""


def written_key(entry: Entry) -> str:
    """One key as XML."""
    if entry.kind == Kind.UNKNOWN:
        said, text = _parts_of(entry.value)
        place = {"BLFNo": str(entry.position)}
        first = {"ID": said["ID"]} if "ID" in said else {}
        return _element(first | place | said, text)
    number, name = TYPES[entry.kind]
    key, text = "-1", entry.value
    if entry.kind == Kind.CUSTOM_SPEED_DIAL:
        text = "\n".join((entry.value, entry.first_name, entry.last_name))
    elif entry.kind == Kind.AGENT:
        key, text = AGENT_IDS[entry.value], "DEFINED BY ID"
    elif entry.kind == Kind.STATUS:
        text = str(STATUSES.index(entry.value))
    attributes = {"ID": key, "BLFNo": str(entry.position), "BLFType": name, "BLFTypeID": number}
    return _element(attributes, text)


def _element(attributes: Mapping[str, str], text: str, entities: Mapping[str, str] | None = None) -> str:
    words = " ".join(f'{word}="{escape(value, _IN_ATTRIBUTES)}"' for word, value in attributes.items())
    return f"<BLF {words}>{escape(text, dict(entities or {}))}</BLF>" if text else f"<BLF {words} />"


def read(text: str) -> list[Entry]:
    """The keys of 3CX's XML, whatever the order of its attributes. Raises `BlfError`.

    What isn't where 3CX writes it makes the whole unreadable: taken for no keys, it would take away those that are there.
    """
    root = _parsed(text)
    if root.tag != "PhoneDevice" or [each for each in root if each.tag != "BLFS"]:
        raise BlfError(Problem.UNREADABLE)
    lists = [root, *root]
    said = [each.text for each in lists] + [each.tail for one in lists for each in one]
    if any(each and each.strip() for each in said) or any(key.tag != "BLF" for one in root for key in one):
        raise BlfError(Problem.UNREADABLE)
    return [_entry(key) for one in root for key in one]


def _parsed(text: str) -> ElementTree.Element:
    if len(text) > LONGEST:
        raise BlfError(Problem.TOO_LONG)
    if _DECLARATION.search(text):
        raise BlfError(Problem.UNREADABLE)
    try:
        return ElementTree.fromstring(text.strip())  # noqa: S314  # nosec B314  # without declarations there are no entities
    except (ElementTree.ParseError, ValueError):
        raise BlfError(Problem.UNREADABLE) from None


def _entry(element: ElementTree.Element) -> Entry:
    said = element.attrib
    place = said.get("BLFNo", "")
    kind, text = _kind(said), (element.text or "").replace("\r\n", "\n")
    if not (place.isascii() and place.isdecimal() and len(place) < 6):
        raise BlfError(Problem.NO_PLACE, place)
    if kind == Kind.UNKNOWN:
        return Entry(int(place), kind, _kept(element))
    names = ["", ""]
    if kind == Kind.CUSTOM_SPEED_DIAL:
        text, *names = [*text.split("\n"), "", ""][:3]
    elif kind == Kind.AGENT:
        text = AGENTS.get(said.get("ID", ""), "")
    elif kind == Kind.STATUS:
        text = STATUSES[int(text)] if text.strip() in map(str, range(len(STATUSES))) else ""
    elif kind == Kind.LINE:
        text = ""
    return Entry(int(place), kind, text.strip(), *(name.strip() for name in names))


def _kind(said: Mapping[str, str]) -> str:
    """The kind that a key says it is: by its number, else by its name. Raises `BlfError` where it says none."""
    word = said.get("BLFTypeID") or said.get("BLFType", "")
    if not word:
        raise BlfError(Problem.NO_KIND)
    return KINDS.get(word, Kind.UNKNOWN.value)


# --- Keys of a kind that only 3CX knows ------------------------------------------------------------------------------
def kept(text: str) -> str:
    """A key of an unknown kind without its place, on one line, as the same key is always kept. Raises `BlfError`."""
    element = _parsed(text)
    if element.tag != "BLF" or _kind(element.attrib) != Kind.UNKNOWN:
        raise BlfError(Problem.NO_KIND)
    return _kept(element)


def _kept(element: ElementTree.Element) -> str:
    # A name with a brace belongs to a namespace; 3CX writes neither such nor anything inside a key.
    if len(element) or any("{" in name for name in element.attrib):
        raise BlfError(Problem.UNREADABLE)
    said = {name: value for name, value in element.attrib.items() if name != "BLFNo"}
    return _element(said, element.text or "", _ON_ONE_LINE)


def _parts_of(text: str) -> tuple[dict[str, str], str]:
    element = _parsed(text)
    return element.attrib, element.text or ""


def words_of(text: str) -> tuple[str, str]:
    """What a kept key says it is, and about what: ("Teleport", "Mars"). Raises `BlfError`."""
    said, about = _parts_of(text)
    return said.get("BLFType") or said.get("BLFTypeID", ""), " ".join(about.split())
