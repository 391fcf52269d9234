"""Names as people seek and sort them, asked of the database: without case, accents, ligatures and apostrophes, on both alike.

PostgreSQL knows no `unaccent` without an extension and SQLite folds ASCII alone, so both are told what `signs.folded` makes of
each letter. For few and short names: departments, customers, sites. People keep theirs folded in their row (`search_text`, `sort_name`).
"""

from functools import lru_cache
from typing import Any

from django.db.models import F, Func, Q, TextField, Value
from django.db.models.lookups import Contains

from pbxadmin.common.values.signs import folded, words_of

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
