"""Function keys in Yealink's words: what each of the eight kinds becomes, position by position."""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache

from pbxadmin.common.values.configtext import RESERVED_WORDS, Verbatim, refuse_control_characters
from phones.context import Key, KeyKind, PhoneContext
from phones.vendors.model import Model

NULL = Verbatim("%NULL%")  # clears a setting; an empty value would leave the old one

# DSS key types of the vendor's guides.
NOTHING = 0
SPEED_DIAL = 13
LINE = 15
BLF = 16
MACRO = 73  # an Enhanced DSS key: its value is a macro

LONGEST_PAUSE = 10  # seconds one $Cp can wait; longer ones are chained
LONGEST_LABEL = 99
# Outside the Basic Multilingual Plane, a joiner, or a variation selector.
NOT_SHOWN = re.compile("[^\x00-\u200c\u200e-\ufdff\ufe10-\uffff]")

# One key as its five settings want it: prefix, type, line, value, label, extension (the pickup code).
KeyRow = tuple[str, int, int | Verbatim, str, str, str]


def key_rows(context: PhoneContext, model: Model) -> list[KeyRow]:
    """A row for every position of the phone and of its plugged-in sidecars, blank where the user has no key.

    Blank positions are written too: else a key taken away, or the line the factory put on key 1, would
    stay. The keys must have been checked (`Model.problems`): their values are then numbers or slots, and go
    as they are; a label is made safe by `label_text`.
    """
    blanks = _blank_rows(model.keys, model.sidecar.keys if model.sidecar else 0, context.sidecars)
    rows = list(blanks)
    capacity = len(rows)
    for key in context.keys:
        index = key.position - 1
        if index < capacity and (row_of := ROWS[key.kind]):
            rows[index] = row_of(blanks[index][0], key, context)
    return rows


def _line_row(prefix: str, key: Key, context: PhoneContext) -> KeyRow:
    account = context.account
    return (prefix, LINE, 1, NULL, label_text(key.label, account.label, account.extension), NULL)


def _blf_row(prefix: str, key: Key, context: PhoneContext) -> KeyRow:
    """Its `extension` is the code put before the number to take a call that rings there."""
    return (prefix, BLF, 1, key.value, label_text(key.label, key.value), context.codes.pickup)


def _parking_row(prefix: str, key: Key, context: PhoneContext) -> KeyRow:
    """The lamp of a slot is its dialog state, as an extension's; pressed, the key dials the slot itself."""
    return (prefix, BLF, 1, key.value, label_text(key.label, key.value), NULL)


def _speed_dial_row(prefix: str, key: Key, context: PhoneContext) -> KeyRow:
    return (prefix, SPEED_DIAL, 1, key.value, label_text(key.label, key.value), NULL)


def _custom_row(prefix: str, key: Key, context: PhoneContext) -> KeyRow:
    number = key.value.rstrip(",")
    label = label_text(key.label, number)
    if "," in number:
        return (prefix, MACRO, 1, dial_macro(number), label, NULL)
    return (prefix, SPEED_DIAL, 1, number, label, NULL)


def _agent_row(prefix: str, key: Key, context: PhoneContext) -> KeyRow:
    code = context.codes.agent(key.value) or ""
    return (prefix, SPEED_DIAL, 1, code, label_text(key.label, code), NULL)


def _status_row(prefix: str, key: Key, context: PhoneContext) -> KeyRow:
    code = context.codes.status(key.value) or ""
    return (prefix, SPEED_DIAL, 1, code, label_text(key.label, code), NULL)


ROWS: dict[KeyKind, Callable[[str, Key, PhoneContext], KeyRow] | None] = {
    KeyKind.BLANK: None,
    KeyKind.LINE: _line_row,
    KeyKind.BLF: _blf_row,
    KeyKind.SPEED_DIAL: _speed_dial_row,
    KeyKind.CUSTOM_SPEED_DIAL: _custom_row,
    KeyKind.SHARED_PARKING: _parking_row,
    KeyKind.AGENT: _agent_row,
    KeyKind.STATUS: _status_row,
}


def dial_macro(number: str) -> str:
    """The Enhanced DSS macro of a number with pauses: call, wait for the answer, then pause and send digits,
    in turn.

    >>> dial_macro("8663062224,,,225")
    '8663062224$Tinvite$$Cwc$$Cp3$225$Tdtmf$'
    """
    called, *rest = number.split(",")
    macro = [f"{called}$Tinvite$$Cwc$"]
    seconds = 0
    for digits in rest:
        seconds += 1
        if not digits:
            continue
        while seconds > LONGEST_PAUSE:
            macro.append(f"$Cp{LONGEST_PAUSE}$")
            seconds -= LONGEST_PAUSE
        macro.append(f"$Cp{seconds}${digits}$Tdtmf$")
        seconds = 0
    return "".join(macro)


def needs_macros(rows: list[KeyRow]) -> bool:
    """Whether a key of `rows` is an Enhanced DSS key, which must be switched on for the whole phone."""
    return any(row[1] == MACRO for row in rows)


def label_text(*texts: str) -> str:
    """The first of `texts` that can be shown, safe to write: it reads back as it is.

    Without the blanks at its ends and what the screens have no sign for: characters outside the Basic
    Multilingual Plane (nearly all emoji: the fonts lack them, and no document says the firmware reads
    four-byte UTF-8), their joiners and variation selectors, and what goes past 99 characters. A name that
    is a reserved word would clear the setting: the next text stands for it. A control character raises
    `UnsafeTextError`.
    """
    for text in texts:
        label = (text if text.isascii() else NOT_SHOWN.sub("", text))[:LONGEST_LABEL].strip()
        if label and (label[0] != "%" or label.upper() not in RESERVED_WORDS):
            return label if label.isprintable() else refuse_control_characters(label)
    return NULL


@lru_cache(maxsize=256)
def _blank_rows(keys: int, sidecar_keys: int, sidecars: int) -> tuple[KeyRow, ...]:
    prefixes = map(Verbatim, _prefixes(keys, sidecar_keys, sidecars))
    return tuple((prefix, NOTHING, NULL, NULL, NULL, NULL) for prefix in prefixes)


def _prefixes(keys: int, sidecar_keys: int, sidecars: int) -> Iterator[str]:
    for key in range(1, keys + 1):
        yield f"linekey.{key}"
    for sidecar in range(1, sidecars + 1):
        for key in range(1, sidecar_keys + 1):
            yield f"expansion_module.{sidecar}.key.{key}"
