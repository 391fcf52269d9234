"""Numbers as people list them, "514 555-0130 à 0139": ranges and single ones, by lines or commas, with a name after a tab or semicolon."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from pbxadmin.common.fields import phone_number_e164, phone_number_national
from pbxadmin.common.values.signs import plainly

# So many numbers are taken at once; a longer list is a file for the page of imports.
MOST = 2_000
LONGEST_TEXT = 100_000
# A range is shorter than this. The patterns below take a time that grows with the square of what they are given.
LONGEST_RANGE = 100
# What is told of a list that can't be read: so many sentences.
SAID = 5
# What stands between the first and the last number of a range. A hyphen alone is part of a number.
_BETWEEN = re.compile(
    r"\s*(?:\.{2,}|…|–|—|->|→|\s-\s|\s(?:à|a|au|to|thru|through|jusqu.?à|jusqu.?au)\s)\s*", re.IGNORECASE
)
# "514-555-0130-0139": a last group of digits after a whole number is where a range ends.
_GLUED = re.compile(r"(.*[0-9]{4})\s*-\s*([0-9]{2,4})\Z", re.DOTALL)
_NUMBER = re.compile(r"[0-9+(. )/\-]*[0-9][0-9+(. )/\-]*\Z")


# What makes the text of a list of a workbook's bytes; None for what isn't one. The app that reads files enters it.
READERS: list[Callable[[bytes], str | None]] = []


@dataclass(frozen=True)
class Listed:
    """One number (E.164) of a list, with the name that stood beside it."""

    number: str
    name: str = ""

    @property
    def said(self) -> str:
        """As people write it."""
        return phone_number_national(self.number)


def numbers_in(text: str) -> list[Listed]:
    """The numbers that a list means, in its order, each once; a first line that has only words is a heading.

    Raises `ValidationError` with a sentence for each line that can't be read (at most `SAID`).
    """
    found: dict[str, Listed] = {}
    problems: list[str] = []
    read = 0
    if len(text) > LONGEST_TEXT:
        raise ValidationError(_("The list is too long: import a file of numbers afterwards."))
    for place, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        if len(problems) == SAID:
            break
        if not found and not problems and not any(sign.isdigit() for sign in line):
            continue
        try:
            for each in _of_line(line):
                # The same range in a thousand lines is read no more often than two lists of all that there may be.
                read += 1
                if len(found) >= MOST or read > 2 * MOST:
                    raise ValidationError(
                        _("More than %(most)s numbers: import a file of numbers afterwards.") % {"most": MOST}
                    )
                found[each.number] = found.get(each.number) or each
        except ValidationError as error:
            sentence = " ".join(error.messages)
            problems.append(_("Line %(place)s: %(problem)s") % {"place": place, "problem": sentence})
    if problems:
        raise ValidationError(problems)
    return list(found.values())


def _of_line(line: str) -> Iterator[Listed]:
    cells = [cell.strip().strip('"').strip() for cell in re.split(r"[\t;]", line)]
    if len(cells) == 1:
        cells = [cell.strip().strip('"').strip() for cell in line.split(",")]
        names = [cell for cell in cells if cell and not any(sign.isdigit() for sign in cell)]
        # Beside a comma a word is a name, and digits are another number.
        numbers, name = [cell for cell in cells if cell and cell not in names], " ".join(names)
    else:
        numbers, name = [part for part in cells[0].split(",") if part.strip()], cells[1]
    if not numbers:
        raise ValidationError(_not_a_number(line))
    for part in numbers:
        for number in _range(plainly(part).strip()):
            yield Listed(number, name[:80])


def _range(text: str) -> Iterator[str]:
    """The numbers of one range, or the one number."""
    if len(text) > LONGEST_RANGE:
        raise ValidationError(_not_a_number(text))
    ends = [part for part in _BETWEEN.split(text) if part]
    if len(ends) == 1 and (glued := _GLUED.fullmatch(text)) and len(_digits(glued[1])) >= 10:
        ends = [glued[1], glued[2]]
    if len(ends) not in (1, 2):
        raise ValidationError(_not_a_number(text))
    first = _e164(ends[0])
    if len(ends) == 1:
        yield first
        return
    last = _end_of(first, ends[1])
    stem = len(first) - len(last) if len(last) != len(first) else 0
    start, end = int(first[1:]), int(last[1:])
    if stem or end < start:
        raise ValidationError(_("“%(text)s” ends before it begins.") % {"text": text[:60]})
    if end - start >= MOST:
        raise ValidationError(
            _("More than %(most)s numbers: import a file of numbers afterwards.") % {"most": MOST}
        )
    for number in range(start, end + 1):
        yield phone_number_e164(f"+{number}")


def _end_of(first: str, text: str) -> str:
    """The last number of a range: a whole one, or only its last digits."""
    digits = _digits(text)
    if not digits or not _NUMBER.fullmatch(text):
        raise ValidationError(_not_a_number(text))
    if text.strip().startswith("+") or len(digits) >= 10:
        return _e164(text)
    return first[: -len(digits)] + digits


def _e164(text: str) -> str:
    try:
        number = phone_number_e164(text)
    except ValidationError:
        number = ""
    if not number:
        raise ValidationError(_not_a_number(text))
    return number


def _digits(text: str) -> str:
    return "".join(sign for sign in text if sign.isascii() and sign.isdigit())


def _not_a_number(text: str) -> str:
    return _("“%(text)s” is not a phone number. Example: 514 555-0130 to 0139.") % {"text": text.strip()[:60]}
