"""Names as people seek and sort them, asked of the database: without case, accents, ligatures and apostrophes, on both alike.

PostgreSQL knows no `unaccent` without an extension and SQLite folds ASCII alone, so both are told what `signs.folded` makes of
each letter. For few and short names: departments, customers, sites. People keep theirs folded in their row (`search_text`, `sort_name`).
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from django.db.models import CharField, F, Func, Q, TextField, Value
from django.db.models.functions import Cast
from django.db.models.lookups import Contains

from pbxadmin.common.values.signs import as_number, folded, plainly, words_of

# Letters that become two: each is put in place of its capital first.
_TWO = "œæßþĳ"
_RANGES = ((0x41, 0x5B), (0xA0, 0x250), (0x2B0, 0x2DE), (0x1E00, 0x1F00), (0x2010, 0x2064), (0xFF01, 0xFF5F))


@lru_cache(maxsize=1)
def _table() -> tuple[str, str]:
    """What PostgreSQL's `translate` takes: signs, and what each becomes; those without a counterpart go."""
    one: dict[str, str] = {}
    gone = "'`"
    for code in (code for start, end in _RANGES for code in range(start, end)):
        sign = chr(code)
        plain = folded(sign)
        if sign.lower() in _TWO or sign == "ẞ":
            plain = "ß" if sign == "ẞ" else sign.lower()
        if not plain:
            gone += sign
        elif len(plain) == 1 and plain != sign:
            one[sign] = plain
    return "".join(one) + gone, "".join(one.values())


class Folded(Func):
    """A text of the database as `signs.folded` makes it; sorts by bytes, so that both databases have one order."""

    function = "folded"
    arity = 1
    output_field = TextField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """With what every PostgreSQL has."""
        (source,) = self.get_source_expressions()
        if not isinstance(source.output_field, (CharField, TextField)):  # an address has a type of its own
            source = Cast(source, TextField())
        found: Any = Func(source, *map(Value, _table()), function="translate", output_field=TextField())
        for letter in _TWO:
            found = Func(
                found, Value(letter), Value(folded(letter)), function="replace", output_field=TextField()
            )
        sql, params = compiler.compile(found)
        return f'lower({sql}) COLLATE "C"', params


def for_sqlite(connection: Any, **rest: Any) -> None:
    """Receiver of `connection_created`: SQLite calls Python's own."""
    if connection.vendor == "sqlite":
        connection.connection.create_function(
            "folded", 1, lambda text: None if text is None else folded(str(text)), deterministic=True
        )


def named(path: str, text: str) -> Q:
    """The condition that every word of `text` is found in the name at `path` ("user__customer__name")."""
    condition = Q()
    for word in words_of(text):
        condition &= Q(Contains(Folded(F(path)), word))
    return condition


# --- Numbers ------------------------------------------------------------------------------------------------------
_FEWEST_DIGITS = 4
_MAC = re.compile(r"[0-9a-f]{1,4}([:.-][0-9a-f]{1,4})+", re.IGNORECASE | re.ASCII)


def number_sought(text: str) -> str:
    """The digits by which a phone number is found, in whatever spelling it was typed ("+1 (514) 555-01"); "" for what is none.

    What is dialled before a number of here, or stands before it abroad, isn't kept with every number: +1, 1, 9, 011.
    """
    text = as_number(text)
    digits = "".join(sign for sign in text if sign.isdigit())
    if len(digits) < _FEWEST_DIGITS or any(sign.isalpha() for sign in text):
        return ""
    if text.startswith("+1"):
        return digits[1:]
    if digits.startswith("011") and len(digits) > 10:
        digits = digits[3:]
    if digits.startswith("91") and len(digits) == 12:
        digits = digits[1:]
    return digits[1:] if len(digits) == 11 and digits[0] in "19" else digits


def mac_sought(text: str) -> str:
    """The digits of a MAC, or of a part of one, that was typed with separators; "" for what is none."""
    text = plainly(text).strip()
    return "".join(sign for sign in text.lower() if sign.isalnum()) if _MAC.fullmatch(text) else ""


def anywhere(paths: Sequence[str], text: str) -> Q:
    """The condition that every word of `text` is found in some of these columns; numbers and MACs in whatever spelling.

    A column that ends in `search_text` is kept folded and is sought as it stands.
    """
    # The digits of a MAC belong together; a version or an address may look like one, and is sought as it stands.
    mac = mac_sought(text) if "mac" in paths else ""
    condition = Q()
    for word in [folded(text.strip())] if mac else words_of(text):
        somewhere = Q()
        for path in paths:
            kept: Any = F(path) if path.endswith("search_text") else Folded(F(path))
            somewhere |= Q(Contains(kept, word))
        condition &= somewhere
    if mac:
        condition |= Q(mac__contains=mac)
    if digits := number_sought(text):
        for path in paths:
            if path.endswith(("number", "search_text", "caller_id")):
                condition |= Q(**{f"{path}__contains": digits})
    return condition
