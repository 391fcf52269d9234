"""The function keys of a person as 3CX's file has them: one text of XML."""

import re
from collections.abc import Iterable, Mapping
from enum import Enum, auto
from typing import NamedTuple
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

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


class Entry(NamedTuple):
    """One key: `value` is an extension, a number, a slot, an action or a status, as the kind has it."""

    position: int
    kind: str
    value: str = ""
    first_name: str = ""
    last_name: str = ""


class Problem(Enum):
    """Why a text is no list of keys."""

    UNREADABLE = auto()
    TOO_LONG = auto()
    UNKNOWN_KIND = auto()


class BlfError(ValueError):
    """A text that is no list of keys; `text` is the part of it that is meant."""

    def __init__(self, problem: Problem, text: str = "") -> None:
        super().__init__(f"{problem}: {text!r}")
        self.problem = problem
        self.text = text


def written(entries: Iterable[Entry]) -> str:
    """The keys as XML; "" for none. A blank key is a gap in the numbers.

    `ID` is the target's internal number in one installation and means nothing in another: it is -1, as 3CX writes it for keys
    without a target.
    """
    found = []
    for entry in entries:
        number, name = TYPES[entry.kind]
        key, text = "-1", entry.value
        if entry.kind == Kind.CUSTOM_SPEED_DIAL:
            text = "\n".join((entry.value, entry.first_name, entry.last_name))
        elif entry.kind == Kind.AGENT:
            key, text = AGENT_IDS[entry.value], "DEFINED BY ID"
        elif entry.kind == Kind.STATUS:
            text = str(STATUSES.index(entry.value))
        attributes = {"ID": key, "BLFNo": str(entry.position), "BLFType": name, "BLFTypeID": number}
        words = " ".join(f"{word}={quoteattr(value)}" for word, value in attributes.items())
        found.append(f"<BLF {words}>{escape(text)}</BLF>" if text else f"<BLF {words} />")
    return f"<PhoneDevice><BLFS>{''.join(found)}</BLFS></PhoneDevice>" if found else ""


def read(text: str) -> list[Entry]:
    """The keys of 3CX's XML, whatever the order of its attributes. Raises `BlfError`."""
    if len(text) > LONGEST:
        raise BlfError(Problem.TOO_LONG)
    if _DECLARATION.search(text):
        raise BlfError(Problem.UNREADABLE)
    try:
        root = ElementTree.fromstring(text.strip())  # noqa: S314  # nosec B314  # without declarations there are no entities
    except (ElementTree.ParseError, ValueError):
        raise BlfError(Problem.UNREADABLE) from None
    if root.tag != "PhoneDevice":
        raise BlfError(Problem.UNREADABLE)
    return [_entry(each) for each in root.iter("BLF")]


def _entry(element: ElementTree.Element) -> Entry:
    said = element.attrib
    word = said.get("BLFTypeID") or said.get("BLFType", "")
    place = said.get("BLFNo", "")
    if word not in KINDS:
        raise BlfError(Problem.UNKNOWN_KIND, said.get("BLFType") or word)
    if not (place.isascii() and place.isdecimal() and len(place) < 6):
        raise BlfError(Problem.UNREADABLE)
    kind, text = KINDS[word], (element.text or "").replace("\r\n", "\n")
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
