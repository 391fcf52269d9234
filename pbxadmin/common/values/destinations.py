"""Where a call can be sent: one frozen value with one canonical text, and which of them a field accepts."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Self


class Kind(StrEnum):
    """The seven kinds of destination, in the order in which a picker offers them."""

    VOICEMAIL = "voicemail"
    EXTENSION = "extension"
    MOBILE = "mobile"
    EXTERNAL = "external"
    SYSTEM = "system"
    BUSY = "busy"
    SAME = "same"


class Side(StrEnum):
    """Where the caller is: a rule has one destination for calls from outside and one for colleagues."""

    EXTERNAL = "external"
    INTERNAL = "internal"


class Code(StrEnum):
    """What is wrong with a destination; the sentence is made where the reader's language is known."""

    BLANK = "blank"
    UNKNOWN_KIND = "unknown_kind"
    VALUE_MISSING = "value_missing"
    VALUE_NOT_TAKEN = "value_not_taken"
    BAD_EXTENSION = "bad_extension"
    BAD_NUMBER = "bad_number"
    UNKNOWN_MODIFIER = "unknown_modifier"
    REPEATED_MODIFIER = "repeated_modifier"
    MODIFIER_NOT_TAKEN = "modifier_not_taken"
    KIND_NOT_FOR_SIDE = "kind_not_for_side"
    MODIFIER_NOT_FOR_SIDE = "modifier_not_for_side"


class DestinationError(ValueError):
    """A text or a combination that is no destination; `code` says why, `text` is what was given."""

    def __init__(self, code: Code, text: str) -> None:
        super().__init__(f"{code}: {text!r}")
        self.code = code
        self.text = text


# `[0-9]`, not `\d`: Arabic-Indic digits are digits to Python and nothing to a telephone.
_VALUES = {
    Kind.EXTENSION: (re.compile(r"[0-9]{2,5}"), Code.BAD_EXTENSION),
    Kind.SYSTEM: (re.compile(r"[0-9]{2,5}"), Code.BAD_EXTENSION),
    # E.164 allows fifteen digits. No star codes, pauses, short codes or SIP addresses: those aren't numbers
    # to divert to.
    Kind.EXTERNAL: (re.compile(r"\+[1-9][0-9]{6,14}"), Code.BAD_NUMBER),
}
_MODIFIERS = {
    Kind.EXTENSION: ("voicemail",),
    Kind.MOBILE: ("bounce", "deflect"),
    Kind.EXTERNAL: ("bounce", "deflect"),
}
_EVERY_MODIFIER = ("voicemail", "bounce", "deflect")


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a call goes: a mailbox, colleague, mobile, outside number or system extension, busy, or "same".

    `value` is the extension of EXTENSION and SYSTEM and the E.164 number of EXTERNAL; the other kinds have
    none. `voicemail` sends straight to the colleague's mailbox. `bounce` keeps the caller waiting while the
    answering person accepts or rejects the call; `deflect` hands the call back to the trunk with SIP 302. An
    invalid one can't be made: the constructor raises `DestinationError`.
    """

    kind: Kind
    value: str = ""
    voicemail: bool = False
    bounce: bool = False
    deflect: bool = False

    def __post_init__(self) -> None:
        rule = _VALUES.get(self.kind)
        if rule is None and self.value:
            raise DestinationError(Code.VALUE_NOT_TAKEN, str(self))
        if rule is not None and not self.value:
            raise DestinationError(Code.VALUE_MISSING, str(self))
        if rule is not None and not rule[0].fullmatch(self.value):
            raise DestinationError(rule[1], str(self))
        if not set(self.modifiers) <= set(_MODIFIERS.get(self.kind, ())):
            raise DestinationError(Code.MODIFIER_NOT_TAKEN, str(self))

    @classmethod
    def parse(cls, text: str) -> Self:
        """The destination that a text such as "extension:105?voicemail" means; raises `DestinationError`.

        Modifiers may come in any order; everything else must be canonical, blanks and capitals included.
        """
        if not text:
            raise DestinationError(Code.BLANK, text)
        target, question, flags = text.partition("?")
        name, colon, value = target.partition(":")
        modifiers = flags.split("&") if question else []
        try:
            kind = Kind(name)
        except ValueError:
            raise DestinationError(Code.UNKNOWN_KIND, text) from None
        if colon and not value:
            raise DestinationError(Code.VALUE_MISSING, text)
        if not set(modifiers) <= set(_EVERY_MODIFIER):
            raise DestinationError(Code.UNKNOWN_MODIFIER, text)
        if len(set(modifiers)) < len(modifiers):
            raise DestinationError(Code.REPEATED_MODIFIER, text)
        return cls(kind, value, **dict.fromkeys(modifiers, True))

    @property
    def modifiers(self) -> tuple[str, ...]:
        """The names of the modifiers that are on, in canonical order."""
        return tuple(name for name in _EVERY_MODIFIER if getattr(self, name))

    @property
    def takes_trunk(self) -> bool:
        """Whether it leaves through the trunk, where a caller from outside then takes two channels."""
        return self.kind in (Kind.MOBILE, Kind.EXTERNAL)

    def __str__(self) -> str:
        """The canonical text: what the database, CSV files and the history hold."""
        target = f"{self.kind}:{self.value}" if self.value else str(self.kind)
        return f"{target}?{'&'.join(self.modifiers)}" if self.modifiers else target


VOICEMAIL = Destination(Kind.VOICEMAIL)
BUSY = Destination(Kind.BUSY)
SAME = Destination(Kind.SAME)

# A colleague isn't sent to a mobile, nor asked to be accepted or rejected; and "same as all calls" is the
# same as the rule for outside calls, which therefore can't say it itself.
_KINDS = {
    Side.EXTERNAL: frozenset(Kind) - {Kind.SAME},
    Side.INTERNAL: frozenset(Kind) - {Kind.MOBILE},
}
_SIDE_MODIFIERS = {
    Side.EXTERNAL: frozenset(_EVERY_MODIFIER),
    Side.INTERNAL: frozenset({"voicemail"}),
}


def allowed(side: Side) -> tuple[Kind, ...]:
    """The kinds that a field for calls of this side offers, in the order of the picker."""
    return tuple(kind for kind in Kind if kind in _KINDS[side])


def modifiers_allowed(kind: Kind, side: Side) -> tuple[str, ...]:
    """The boxes that a field for calls of this side shows beside this kind."""
    return tuple(name for name in _MODIFIERS.get(kind, ()) if name in _SIDE_MODIFIERS[side])


def refusal(destination: Destination, side: Side) -> Code | None:
    """Why a field for calls of this side can't hold this destination; None when it can."""
    if destination.kind not in _KINDS[side]:
        return Code.KIND_NOT_FOR_SIDE
    if not _SIDE_MODIFIERS[side].issuperset(destination.modifiers):
        return Code.MODIFIER_NOT_FOR_SIDE
    return None
