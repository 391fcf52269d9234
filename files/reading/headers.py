"""Which column of a file is what: 3CX's names, ours, and those of the lists that people start from."""

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from files.reading.table import FileRefusedError

# The columns of 3CX's file since version 20, in their order.
V20 = (
    "Number", "FirstName", "LastName", "EmailAddress", "MobileNumber", "OutboundCallerID", "DID", "Role", "Department",
    "ClickToCallAuth", "WMApprove", "WebMeetingFriendlyName", "MAC", "Template", "Model", "Router", "Language", "Ringtone",
    "QRingtone", "VMEnable", "VMLanguage", "VMPlayMsgDateTime", "VMPIN", "VMEmailOptions", "VMNoPin", "VMPlayCallerID",
    "RecordCalls", "RecordExternal", "RecordCanSee", "RecordCanDelete", "RecordStartStop", "RecordNotify", "Disabled",
    "HideFWrules", "DisableExternalCalls", "HideInPhonebook", "CallScreening", "PinProtected", "PinTimeout", "Transcription",
    "AllowLanOnly", "SIPID", "DeliverAudio", "HotDesk", "SRTPMode", "EmailMissedCalls", "MS365SignInDisabled",
    "MS365CalendarDisabled", "MS365ContactsDisabled", "MS365TeamsDisabled", "GoogleSignInDisabled", "GoogleContactsDisabled",
    "GoogleCalendarDisabled", "BLF",
)  # fmt: skip
# What older files (versions 15 to 18) call the same things.
OLDER: Mapping[str, str] = {
    "EnableVoicemail": "VMEnable", "PIN": "VMPIN", "MAC_0": "MAC", "PhoneModel14": "Model", "PhoneTemplate14": "Template",
    "CanSeeRecordings": "RecordCanSee", "CanDeleteRecordings": "RecordCanDelete", "AllowOwnRecordings": "RecordStartStop",
    "RecordExternalCallsOnly": "RecordExternal", "DontShowExtInPHBK": "HideInPhonebook", "PinProtect": "PinProtected",
    "EnableSRTP": "SRTPMode", "WebMeetingAcceptReject": "WMApprove",
}  # fmt: skip
# Rights that older files gave as switches: roles are given here by whoever may give them.
OLDER_RIGHTS = (
    "ManagementAccess", "ReporterAccess", "WallboardAccess", "HotelModuleAccess", "VoipAdmin", "SysAdmin", "PhoneSysAdmin",
    "AllowAllRecordings",
)  # fmt: skip
_OLDER_SIGNS = ("AuthID", "MAC_0", "EnableVoicemail")

# What lists of people call the same things: human resources in French, Microsoft 365, Entra, Google Workspace, other exports. Several
# names of one thing stand in the order in which they win. "Poste", "Extension" and "Nom complet" mean two things each and are never guessed.
LISTS: Mapping[str, tuple[str, ...]] = {
    "Number": ("Numéro d'extension", "Numéro de l'extension", "Extension number", "No d'extension"),
    "FirstName": ("Prénom", "First name", "Given name", "Prénoms"),
    "LastName": ("Nom", "Nom de famille", "Last name", "Surname", "Family name"),
    "EmailAddress": (
        "User principal name", "Courriel", "Adresse courriel", "Adresse de courriel", "Email", "E-mail", "Email address", "Mail",
        "Adresse courriel professionnelle",
    ),
    "MobileNumber": (
        "Mobile phone", "Mobile", "Cellulaire", "Téléphone cellulaire", "Numéro de mobile", "Numéro de cellulaire", "Cell phone", "Cell",
        "Téléphone mobile",
    ),
    "Department": ("Département", "Department", "Service"),
}  # fmt: skip
# What the file of refused rows has beside the columns that were sent: it comes back as it is.
REPORT = ("ImportRow", "ImportReason")
# Without any of these nobody can be meant.
KEYS = ("Number", "FirstName", "LastName", "EmailAddress")


class Format(StrEnum):
    """Whose file it is."""

    V20 = "3cx20"
    OLDER = "3cx18"
    OURS = "ours"
    SHORT = "short"
    FOREIGN = "foreign"


# Signs of a column's name that are compared and shown: no name is longer, and a cell may be.
LONGEST_NAME = 200


def shown_name(name: str) -> str:
    """A column's name as it is kept and shown: no longer than what is compared of it."""
    return name if len(name) <= LONGEST_NAME else name.strip()[:LONGEST_NAME]


def compared(name: str) -> str:
    """A column's name as names are compared: its first signs, without case, accents, blanks, signs and what stands in brackets."""
    bare = re.sub(r"\[[^\[\]]*\]", "", shown_name(name))
    letters = unicodedata.normalize("NFKD", bare).casefold()
    return "".join(sign for sign in letters if sign.isalnum())


_OLDER = {compared(name): column for name, column in OLDER.items()}


@dataclass(frozen=True)
class Names:
    """The names that the columns of one kind of file may have; without more, those of a file of people.

    `ours`: as our files call them. `others` {ours: as other lists call it, in the order in which they win}. Without any of `keys`
    nothing can be meant by a row; the first of them is how ours names its records. `older`: whether 3CX's older files are such files.
    """

    ours: Sequence[str]
    others: Mapping[str, Sequence[str]] = field(default_factory=lambda: LISTS)
    keys: Sequence[str] = KEYS
    older: bool = True

    @cached_property
    def own(self) -> Mapping[str, str]:
        """Ours, by the name as it is compared."""
        return {compared(name): name for name in self.ours}

    @cached_property
    def foreign(self) -> Mapping[str, tuple[str, int]]:
        """Ours, and the rank among its other names, by another name as it is compared."""
        return {
            compared(name): (column, rank)
            for column, names in self.others.items()
            for rank, name in enumerate(names)
        }

    @cached_property
    def known(self) -> frozenset[str]:
        """Every name that says something, as it is compared."""
        return frozenset({*self.own, *self.foreign, *(_OLDER if self.older else ())})


PEOPLE = Names(V20)
# Names of what only people have: two of them say that a file is about people, whatever else it is sent as.
_PEOPLE = frozenset(
    compared(name)
    for column in ("FirstName", "LastName", "EmailAddress", "MobileNumber")
    for name in (column, *LISTS[column])
    if name != "Nom"
)


def known_names(cells: Sequence[str], names: Names = PEOPLE) -> int:
    """How many of a row's cells are names of columns."""
    return len({name for cell in cells if (name := compared(cell)) in names.known})


@dataclass
class Columns:
    """What each place of a row is: `column` by place (the name in our files), and what isn't read."""

    format: Format
    by_place: dict[int, str]
    header: Sequence[str]
    not_read: list[str] = field(default_factory=list)
    nameless: list[int] = field(default_factory=list)  # places without a name in the header
    # Places of rights in an older file, with their name: said where one is set.
    rights: dict[int, str] = field(default_factory=dict)

    @property
    def taken_as(self) -> dict[str, str]:
        """What each of its columns is, where the file calls any of them by another name than ours."""
        said = {self.header[place]: column for place, column in self.by_place.items()}
        return said if any(name != column for name, column in said.items()) else {}

    def called(self, column: str) -> str:
        """What the file calls a column of ours."""
        return next((self.header[place] for place, name in self.by_place.items() if name == column), column)


def columns_of(
    header: Sequence[str],
    known: Names,
    chosen: Mapping[str, str] | None = None,
    skipped: Collection[str] = REPORT,
) -> Columns:
    """What each column of a header is.

    `known`: the names that the columns of such a file may have. `chosen` {name in the file: our column, "" for none} is what somebody said of
    this file, and wins. `skipped` are columns of a report of ours, which come back without being asked for.
    Raises `FileRefusedError` where a column is there twice, or nothing can be meant by what is there.
    """
    names = [name.strip() for name in header]
    doubled = [name for name, count in Counter(compared(name) for name in names if name).items() if count > 1]
    own, foreign = known.own, known.foreign
    older = known.older and {"AuthID"} < set(names) and bool(set(_OLDER_SIGNS[1:]) & set(names))
    wanted = {compared(name): column for name, column in (chosen or {}).items()}
    found: dict[int, str] = {}
    guessed: dict[int, tuple[str, int]] = {}
    for place, name in enumerate(names):
        key = compared(name)
        if not key:
            continue
        if key in wanted:
            if wanted[key]:
                found[place] = wanted[key]
        elif older and key in _OLDER:
            found[place] = _OLDER[key]
        elif older and name in ("ClickToCall", "ClickToCallFriendlyName"):
            continue
        elif key in own:
            found[place] = own[key]
        elif key in foreign:
            guessed[place] = foreign[key]
    # A list may have several names of one thing (an address, and another address): the better known one counts.
    for place, (column, _rank) in sorted(guessed.items(), key=lambda item: item[1][1]):
        if column not in found.values() and column in known.ours:
            found[place] = column
    if not known.older and not chosen and len(_PEOPLE & {compared(name) for name in names}) > 1:
        raise FileRefusedError("file_of_users", found=[name for name in names if name])
    if twice := [
        names[place]
        for place, column in found.items()
        if compared(names[place]) in doubled or list(found.values()).count(column) > 1
    ]:
        raise FileRefusedError("duplicate_column", names=list(dict.fromkeys(twice)))
    if not set(known.keys) & set(found.values()):
        raise FileRefusedError(
            "missing_key_columns", names=list(known.keys), found=[name for name in names if name]
        )
    read = dict(sorted(found.items()))
    return Columns(
        format=_format_of(set(read.values()), names, older, known.keys[0]),
        by_place=read,
        header=names,
        not_read=[
            name for place, name in enumerate(names) if name and place not in read and name not in skipped
        ],
        nameless=[place for place, name in enumerate(names) if not name],
        rights={place: name for place, name in enumerate(names) if older and name in OLDER_RIGHTS},
    )


def _format_of(columns: Collection[str], names: Sequence[str], older: bool, key: str) -> Format:
    if older:
        return Format.OLDER
    if set(V20) <= {*names}:
        return Format.V20
    return Format.OURS if key in columns else Format.SHORT
