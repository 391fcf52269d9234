"""Cells of a file: how values become texts that are the same in every language, and how such texts are read again.

Columns know what their values mean; what stands here is what they share. Where files are written and read (quotes, signs that
a spreadsheet would take for a formula, encodings) isn't a cell's business.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from typing import Any

from django.conf import settings
from django.utils.translation import override

from pbxadmin.common.values.signs import folded

# Between several names in one cell, as 3CX's file separates numbers; a name that holds it has a backslash before it.
BETWEEN = ":"
_SPECIAL = re.compile(r"[\\:]")
_ONE = re.compile(r"((?:\\.|[^:])*)(?::|\Z)", re.DOTALL)


def file_name(name: str) -> str:
    """The name in a file of a column that has no other: "available.no_answer_seconds" is "Available.NoAnswerSeconds"."""
    return ".".join(
        "".join(word[:1].upper() + word[1:] for word in part.split("_")) for part in name.split(".")
    )


def plain(value: Any) -> str:
    """A value of the database as text: yes and no as 1 and 0, days and times as ISO 8601 writes them."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, (date, datetime, time)):
        return value.isoformat()
    return str(value)


def choice_of(word: str, choices: Iterable[tuple[Any, Any]]) -> str:
    """The stored value that a word means: itself, or its label in any language of the portal; else the word as it is."""
    pairs = [(str(value), label) for value, label in choices]
    if any(word == value for value, _label in pairs):
        return word
    wanted = folded(word)
    for value, _label in pairs:
        if folded(value) == wanted:
            return value
    for language, _name in settings.LANGUAGES:
        with override(language):
            for value, label in pairs:
                if folded(str(label)) == wanted:
                    return value
    return word


def joined(names: Iterable[str]) -> str:
    """Several names in one cell."""
    return BETWEEN.join(_SPECIAL.sub(r"\\\g<0>", name) for name in names)


def parts(text: str) -> Sequence[str]:
    """What `joined` put together; blanks between two separators are nothing."""
    found = [re.sub(r"\\(.)", r"\1", match[1], flags=re.DOTALL) for match in _ONE.finditer(text)]
    return [name for name in found if name.strip()]
