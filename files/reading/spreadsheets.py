"""What spreadsheets and people do to cells: read back where nothing was lost, named where something was."""

import re
from enum import StrEnum

from files.reading.table import Damage


class Kind(StrEnum):
    """What a column's cells are, as far as a spreadsheet cares."""

    TEXT = "text"  # names, addresses, XML: as they stand
    CODE = "code"  # a switch, a choice, a count
    DIGITS = "digits"  # an extension, a PIN, an identifier
    PHONE = "phone"
    MAC = "mac"


# A spreadsheet runs what begins so; an apostrophe before it makes it text. The full-width forms are read as the same by some.
_RUNS = "=+\\-@\t\r＝＋－＠"
_PROTECTED = re.compile(rf"'(?='*[{_RUNS}])")
_NEEDS_PROTECTION = re.compile(rf"'*[{_RUNS}]")
# Which sign separates cells is the spreadsheet's to say, and French ones split a file with commas at semicolons, in quotes or not: what stands
# after a separator of anybody's may begin a cell as well. Numbers alone do nothing there, and stay as they are read elsewhere.
_SPLITS = ";,|\t\r\n"
_BETWEEN = rf'\s"{_SPLITS}'
_NUMBERS = re.compile(r"[\d\s().+;,-]*")
_INSIDE = re.compile(rf"(?<![{_BETWEEN}])([{_BETWEEN}]++)('*+)(?=[=+\-@＝＋－＠])")
_SPLIT = re.compile(rf"[{_SPLITS}]")
_AS_TEXT = re.compile(r'="([^"]*)"')
_ERRORS = re.compile(
    r"#(?:N/?A|REF!?|VALUE!|VALEUR!|DIV/0!|NAME\??|NOM\?|NULL!|NUL!|NUM!|NOMBRE!|SPILL!|#+)", re.IGNORECASE
)
_POWER = re.compile(r"-?\d+(?:[.,]\d+E[+-]?\d+|E[+-]\d+)", re.IGNORECASE)
_WHOLE = re.compile(r"(\d+)[.,]0+")
_MONTHS = "janv|févr|mars|avr|mai|juin|juil|août|sept|oct|nov|déc|jan|feb|mar|apr|may|jun|jul|aug|sep|dec"  # as two languages shorten them
_DAY = re.compile(
    rf"\d{{4}}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d)?)?|\d{{1,2}}:\d\d:\d\d|\d{{1,2}}[-/ ](?:{_MONTHS})[a-zé.]*",
    re.IGNORECASE,
)


def protected(text: str) -> str:
    """A cell that no spreadsheet runs: one apostrophe more before whatever begins (after apostrophes of its own) like a formula, at the
    beginning and after whatever a spreadsheet may split it at."""
    split = _SPLIT.search(text) and not _NUMBERS.fullmatch(text)
    inside = _INSIDE.sub(_guarded, text) if split else text
    return f"'{inside}" if _NEEDS_PROTECTION.match(text) else inside


def unprotected(text: str) -> str:
    """What `protected` was given: exactly one apostrophe goes wherever there are some before what begins like a formula."""
    if "'" not in text:
        return text
    return _bare_inside(text[1:] if _PROTECTED.match(text) else text)


def _guarded(found: re.Match[str]) -> str:
    return f"{found[1]}'{found[2]}" if _SPLIT.search(found[1]) else found[0]


def _unguarded(found: re.Match[str]) -> str:
    return f"{found[1]}{found[2][1:]}" if _SPLIT.search(found[1]) else found[0]


def _bare_inside(text: str) -> str:
    return _INSIDE.sub(_unguarded, text) if _SPLIT.search(text) else text


def as_typed(text: str, kind: Kind) -> str:
    """The cell as it was before a spreadsheet or somebody's care had it; nothing that was lost is guessed."""
    if kind is Kind.TEXT:
        return unprotected(text)
    bare = (_bare_inside(text) if "'" in text else text).strip()
    if match := _AS_TEXT.fullmatch(bare):
        bare = match[1].strip()
    bare = bare.lstrip("'").strip()
    if match := _WHOLE.fullmatch(bare):
        return match[1]
    return bare


def damage(text: str, kind: Kind) -> str:
    """The code of what became of a cell, "" where nothing did that shows."""
    if isinstance(text, Damage):
        return text.reason
    bare = text.strip()
    if _ERRORS.fullmatch(bare):
        return "excel_error"
    if kind is Kind.TEXT:
        return ""
    if _POWER.fullmatch(bare):
        return "excel_number"
    if kind is Kind.MAC and bare.isdecimal() and bare.isascii() and 7 <= len(bare) <= 11:
        return "lost_zeros"
    return "excel_date" if _DAY.fullmatch(bare) else ""


def may_have_lost_a_zero(pin: str) -> bool:
    """Whether a PIN has one digit less than those that phone systems make: four or six."""
    return pin.isdecimal() and len(pin) in (3, 5)
