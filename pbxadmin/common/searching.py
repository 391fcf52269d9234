"""Names as people seek and sort them, asked of the database: without case, accents, ligatures and apostrophes, on both alike.

PostgreSQL knows no `unaccent` without an extension and SQLite folds ASCII alone, so both are told what `signs.folded` makes of
each letter. For few and short names: departments, sites. People and customers keep theirs folded in their row (`search_text`, `sort_name`).
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.core.validators import RegexValidator
from django.db.models import (
    CharField,
    F,
    Func,
    GenericIPAddressField,
    Model,
    Q,
    SlugField,
    TextField,
)
from django.db.models.functions import Cast
from django.db.models.lookups import Contains

from pbxadmin.common.fields import OneLineField, PhoneNumberField
from pbxadmin.common.values.signs import as_number, folded, plainly, words_of

# Letters that become two: each is put in place of its capital first.
_TWO = "œæßþĳ"
_APOSTROPHES = "'`"  # of ASCII
# What most texts are made of stays as it is: found at once, instead of sought in vain among all the rest.
_FREQUENT = "eaisntrolucdmp gvfbqhxjyzkw0123456789-."
# The last sign of European alphabets: what names here are written in.
_EUROPEAN = 0x17F
_RANGES = ((0x41, 0x5B), (0xA0, 0x250), (0x2B0, 0x2DE), (0x1E00, 0x1F00), (0x2010, 0x2064), (0xFF01, 0xFF5F))


@lru_cache(maxsize=2)
def _table(last: int = 0x10FFFF) -> tuple[str, str]:
    """What PostgreSQL's `translate` takes: signs up to `last` in the order in which it looks, and what each becomes; those without go."""
    one: dict[str, str] = {}
    gone = _APOSTROPHES
    for code in (code for start, end in _RANGES for code in range(start, min(end, last + 1))):
        sign = chr(code)
        plain = folded(sign)
        if sign.lower() in _TWO or sign == "ẞ":
            plain = "ß" if sign == "ẞ" else sign.lower()
        if not plain:
            gone += sign
        elif len(plain) == 1 and plain != sign:
            one[sign] = plain
    return _FREQUENT + "".join(one) + gone, _FREQUENT + "".join(one.values())


class Folded(Func):
    """A text of the database as `signs.folded` makes it; sorts by bytes, so that both databases have one order."""

    function = "folded"
    arity = 1
    output_field = TextField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """With what every PostgreSQL has.

        `translate` looks each sign up in the whole table, one entry after the other: a text is given the shortest one that knows its
        signs, which over a long list is the difference between milliseconds and seconds.
        """
        (source,) = self.get_source_expressions()
        if not isinstance(source.output_field, (CharField, TextField)):  # an address has a type of its own
            source = Cast(source, TextField())
        sql, params = compiler.compile(source)
        every, every_params = _translated(sql, params)
        some, some_params = _translated(sql, params, _EUROPEAN)
        return (
            f"(CASE WHEN octet_length({sql}) = char_length({sql}) THEN lower(translate({sql}, %s, '') COLLATE \"C\")"
            f' WHEN {sql} !~ %s THEN lower({some}) ELSE lower({every}) END) COLLATE "C"',
            (*params, *params, *params, _APOSTROPHES, *params, rf"[^\u0001-\u{_EUROPEAN:04x}]", *some_params, *every_params),
        )  # fmt: skip


def _translated(sql: str, params: Sequence[Any], last: int = 0x10FFFF) -> tuple[str, list[Any]]:
    """A text whose signs up to `last` are put in place by what each becomes, as SQL: built by hand, because a search has dozens of them."""
    found, said = f"translate({sql}, %s, %s)", [*params, *_table(last)]
    for letter in _TWO:
        found = f"replace({found}, %s, %s)"
        said += [letter, folded(letter)]
    return found, said


def for_sqlite(connection: Any, **rest: Any) -> None:
    """Receiver of `connection_created`: SQLite calls Python's own."""
    if connection.vendor == "sqlite":
        connection.connection.create_function(
            "folded", 1, lambda text: None if text is None else folded(str(text)), deterministic=True
        )


# A letter alone stands in nearly every record: beyond so many they narrow nothing, and each costs a folding of every row.
_MOST_LETTERS = 2


def _sought_words(text: str) -> list[str]:
    """The words by which rows are told apart, the longest first: the fewer rows one leaves, the fewer are read for the next."""
    words = sorted(dict.fromkeys(words_of(text)), key=len, reverse=True)
    letters = [word for word in words if len(word) == 1]
    return [word for word in words if len(word) > 1] + letters[:_MOST_LETTERS]


def named(path: str, text: str) -> Q:
    """The condition that every word of `text` is found in the name at `path` ("user__customer__name")."""
    return _has_words(Folded(F(path)), text)


def found_in(path: str, text: str) -> Q:
    """The same of a column that keeps its texts folded (`FoldedField`): long tables are read several times as fast."""
    return _has_words(F(path), text)


def _has_words(name: Any, text: str) -> Q:
    condition = Q()
    for word in _sought_words(text):
        condition &= Q(Contains(name, word))
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


# What people call the values of a column: [(value, label)]. It is found by what its label says, as a choice is.
Said = Callable[[], Iterable[tuple[Any, Any]]]


def anywhere(
    model: type[Model],
    paths: Sequence[str],
    text: str,
    said: Mapping[str, Said] | None = None,
    beside: Sequence[str] = (),
) -> Q:
    """The condition over `model`'s rows that every word of `text` is found in some of these columns, however it is spelled.

    What a column holds says how it is sought: names without accents and capitals; numbers by their digits; MACs without separators;
    choices, and what `said` names, by their labels; what is kept folded already (`search_text`) as it stands. A column of another table
    ("customer__name", "dids__number") is sought there first, where a row is read once however many of ours lead to it. `beside` are
    columns in which some of the words may stand, but not all of them: the customer's name, beside that of one of its people.
    """
    columns = [_Sought.of(model, path, (said or {}).get(path)) for path in paths]
    further = [_Sought.of(model, path, None) for path in beside]
    # The digits of a MAC belong together; a version or an address may look like one, and is sought as it stands.
    whole = bool(mac_sought(text)) and any(column.field.name == "mac" for column in columns)
    every, some = Q(), Q(pk__in=[])
    words = [folded(text.strip())] if whole else _sought_words(text)
    for word in words:
        here = Q(pk__in=[])
        for column in columns:
            here |= column.found(column.with_word(word))
        some |= here
        for column in further:
            here |= column.found(column.with_word(word))
        every &= here
    # A single word stands in the record itself: that is all there is to ask.
    condition = some if further else every
    if further and len(words) > 1:
        condition &= every
    if digits := number_sought(text):
        for column in columns:
            if column.has_numbers:
                condition |= column.found(Q(**{f"{column.name}__contains": digits}))
    return condition


@dataclass(frozen=True)
class _Sought:
    """A column that is searched: where it stands, and how it is reached from the rows that are listed."""

    model: type[Model]  # the table that has it
    name: str
    field: Any
    labels: Said | None
    found: Callable[[Q], Q]  # a condition over that table, as one over the rows that are listed

    @classmethod
    def of(cls, model: type[Model], path: str, said: Said | None) -> "_Sought":
        """Follow a path from the listed rows to its column; the last step decides how it is asked."""
        *way, name = path.split("__")
        owner: Any = model
        for step in way:
            owner = owner._meta.get_field(step).related_model
        field: Any = owner._meta.get_field(name)
        labels = said or ((lambda: field.flatchoices) if getattr(field, "flatchoices", None) else None)
        if not way:
            return cls(owner, name, field, labels, lambda condition: condition)
        last: Any = model
        for step in way[:-1]:
            last = last._meta.get_field(step).related_model
        relation: Any = last._meta.get_field(way[-1])
        if relation.one_to_many:
            # Rows that lead to ours, several to one: by the keys that they lead to, so that none of ours is listed twice.
            key, there = relation.field.name, "__".join([*way[:-1], "pk"])
        else:
            key, there = "pk", "__".join(way)

        def found(condition: Q) -> Q:
            rows = owner._base_manager.filter(condition, **{f"{key}__isnull": False})
            return Q(**{f"{there}__in": rows.values(key)})

        return cls(owner, name, field, labels, found)

    @property
    def has_numbers(self) -> bool:
        """Whether a phone number may stand in it, as digits."""
        return isinstance(self.field, PhoneNumberField) or self.name == "search_text"

    def with_word(self, word: str) -> Q:
        """The condition over its own table that a folded word is found in it."""
        if self.labels is not None:
            values = [value for value, label in self.labels() if word in folded(str(label))]
            return Q(**{f"{self.name}__in": values})
        if self.name == "search_text":
            return Q(Contains(F(self.name), word))
        if isinstance(self.field, PhoneNumberField):
            # A part of a number as it is written: "(514)", "555-0012".
            digits = "" if any(map(str.isalpha, word)) else "".join(filter(str.isdigit, word))
            return Q(**{f"{self.name}__contains": digits}) if digits else Q(pk__in=[])
        if self.name == "mac":
            return Q(mac__contains=mac_sought(word) or word)
        if isinstance(self.field, OneLineField | TextField) or not _is_plain(self.field):
            return Q(Contains(Folded(F(self.name)), word))
        return Q(**{f"{self.name}__icontains": word})


def _is_plain(field: Any) -> bool:
    """Whether only letters and digits without accents come into a column: folding it would cost time and change nothing."""
    return isinstance(field, SlugField | GenericIPAddressField) or any(
        isinstance(check, RegexValidator) for check in getattr(field, "validators", ())
    )


class FoldedField(CharField):
    """Texts of the same row, folded and kept beside them: long lists are sorted by it and searched in it without a function.

    Follows whatever Django writes row by row; a sheet of the road has it in its `derive` (`folded_of`).
    """

    def __init__(self, *args: Any, texts: Sequence[str] = (), **kwargs: Any) -> None:
        self.texts = tuple(texts)
        facts: Any = {"default": "", "editable": False} | kwargs
        super().__init__(*args, **facts)

    def deconstruct(self) -> Any:
        """With the columns that it follows."""
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, kwargs | {"texts": self.texts}

    def folded_of(self, record: Any) -> str:
        """What is kept for a record."""
        return self.kept(" ".join(filter(None, (str(getattr(record, name)) for name in self.texts))))

    def kept(self, text: str) -> str:
        """What is kept of a text."""
        return folded(text).strip()[: self.max_length]

    def pre_save(self, model_instance: Any, add: bool) -> str:
        """Computed whenever the row is written."""
        value = self.folded_of(model_instance)
        setattr(model_instance, self.attname, value)
        return value
