"""Text that ends in a device's file or header: what may not stand in it, how two differ, what is masked.

One rule for what a person types (`refuse_control_characters`, called by the form fields) and for what a
template writes (`guard_line_values`, called by the vendors whose files are `key = value` lines), so that a
display name with a line break never becomes a setting. Pure: no Django.
"""

import difflib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

MASK = "••••••"

# Directional embeddings, overrides and isolates: they make a file read other than it is written.
BIDIRECTIONAL_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# Cc: NUL, tab, CR, LF, NEL…; Cs: half of a surrogate pair, which no UTF-8 file can hold; Zl, Zp: U+2028,
# U+2029.
REFUSED_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})
BYTE_ORDER_MARK = "\ufeff"


class UnsafeTextError(ValueError):
    """Text that can't stand on one line of a device's configuration.

    `code` is "control" (a control character or line separator), "direction" (a bidirectional control),
    "reserved" (the text is a word of the file format), "blank" (nothing, or blanks at an end) or "type" (not
    text nor a number); `where` is what stands at fault, named ("U+000A"), never the text itself, which may be
    a secret.
    """

    def __init__(self, code: str, where: str) -> None:
        self.code = code
        self.where = where
        super().__init__(f"{code}: {where}")


def unsafe_character(text: str) -> str | None:
    """The first character of `text` that may not reach a device's configuration, or None."""
    if text.isprintable():  # quick, and true of nearly all that is ever asked
        return None
    for character in text:
        if (
            unicodedata.category(character) in REFUSED_CATEGORIES
            or character in BIDIRECTIONAL_CONTROLS
            or character == BYTE_ORDER_MARK
        ):
            return character
    return None


def is_one_line(text: str) -> bool:
    """Whether `text` holds no control character, line separator, bidirectional control or lone surrogate."""
    return unsafe_character(text) is None


def refuse_control_characters(text: str) -> str:
    """`text` unchanged, or `UnsafeTextError` naming the character that makes it more than one plain line."""
    character = unsafe_character(text)
    if character is None:
        return text
    raise UnsafeTextError(
        "direction" if character in BIDIRECTIONAL_CONTROLS else "control", f"U+{ord(character):04X}"
    )


class Verbatim(str):
    """A word of the file format written by the program itself, such as Yealink's `%NULL%`; never what a
    person typed."""

    __slots__ = ()


RESERVED_WORDS = frozenset({"%NULL%"})


def line_value(value: object) -> str | int:
    """`value` as it may stand after `key =` in a line format; a Jinja2 `finalize` for such files.

    Numbers and `Verbatim` pass; text passes if a reader of the file gets exactly that text back: one line,
    not empty (phones ignore an empty value and keep the old one), no blank at either end (readers trim),
    not a reserved word (`%NULL%` typed as a name would clear the setting). Quotes, `=`, `#`, `$`, braces
    and `<` have no meaning after the first `=` and pass unchanged. Everything else, True, False and None
    included, raises `UnsafeTextError`: a template's values say themselves how a flag is written.
    """
    if type(value) is int or type(value) is Verbatim:
        return value
    if not isinstance(value, str):
        raise UnsafeTextError("type", type(value).__name__)
    text = refuse_control_characters(str.__str__(value))
    if not text or text.strip() != text:
        raise UnsafeTextError("blank", "empty, or a blank at an end")
    if text.upper() in RESERVED_WORDS:
        raise UnsafeTextError("reserved", text.upper())
    return text


PLAIN_TYPES = frozenset({str, int, Verbatim})


def guard_line_values(values: Iterable[object]) -> None:
    """Apply the rule of `line_value` to every value a template is about to write.

    The same protection as a `finalize`, which Jinja2 calls once per value written: here all the texts of a
    file are joined and judged together, and one by one only where something is wrong. Raises
    `UnsafeTextError`.
    """
    flat = list(values)
    texts = [value for value in flat if type(value) is str]
    joined = "\n".join(texts)
    if (
        "" in texts
        or "%" in joined
        or "\n " in joined
        or " \n" in joined
        or joined[:1] == " "
        or joined[-1:] == " "
        # Printable with nothing between them: so the line breaks above are ours, and no other is in them.
        or not "".join(texts).isprintable()
        or not PLAIN_TYPES.issuperset(map(type, flat))
    ):
        for value in flat:
            line_value(value)


@dataclass(frozen=True, slots=True)
class FileLine:
    """One line of a device's file: as it is, for comparing, and as it may be shown."""

    text: str
    shown: str

    @property
    def secret(self) -> bool:
        """Whether something of it is hidden."""
        return self.text != self.shown


@dataclass(frozen=True, slots=True)
class DiffLine:
    """One line of a comparison: sign " " (both), "-" (old), "+" (new) or "@" (where a passage begins).

    `text` is masked already where `secret` is true.
    """

    sign: str
    text: str
    secret: bool = False


def diff(old: Sequence[FileLine], new: Sequence[FileLine], context: int = 3) -> list[DiffLine]:
    """What changes from `old` to `new`, as a unified comparison with `context` lines around; empty if nothing does.

    The lines are compared as they are and shown with their secrets hidden, so a changed secret shows as changed without
    being shown.
    """
    shown = {line.text: line for line in (*new, *old)}
    before, after = [line.text for line in old], [line.text for line in new]
    result: list[DiffLine] = []
    for number, text in enumerate(difflib.unified_diff(before, after, lineterm="", n=context)):
        if number < 2:  # the two headings name files; ours have no names
            continue
        if text[0] == "@":
            result.append(DiffLine("@", text))
            continue
        line = shown[text[1:]]
        result.append(DiffLine(text[0], line.shown, line.secret))
    return result


def masked_lines(text: str, secret_keys: Iterable[str]) -> list[FileLine]:
    """The lines of a file of `key = value` lines, the values of `secret_keys` shown as `MASK`.

    A pattern is a key in which `*` stands for anything but a dot ("account.*.password").
    """
    secrets = tuple(secret_keys)
    return [FileLine(line, mask_line(line, secrets)) for line in text.splitlines()]


def mask_line(line: str, secret_keys: tuple[str, ...]) -> str:
    """One `key = value` line, its value replaced by `MASK` if the key is one of `secret_keys` and it has a
    value."""
    key, equals, value = line.partition("=")
    if not equals or not value.strip() or value.strip() in RESERVED_WORDS:
        return line
    if not _secret_pattern(secret_keys).fullmatch(key.strip()):
        return line
    blank = value[: len(value) - len(value.lstrip())]
    ending = value[len(value.rstrip()) :]
    return f"{key}={blank}{MASK}{ending}"


@lru_cache(maxsize=32)
def _secret_pattern(secret_keys: tuple[str, ...]) -> re.Pattern[str]:
    parts = (re.escape(key).replace(r"\*", "[^.]+") for key in secret_keys)
    return re.compile("|".join(parts) or r"(?!)")


def pairs(text: bytes | str) -> Iterator[tuple[str, str]]:
    """The (key, value) pairs of a `key = value` file in their order, repeated keys kept; comments and blanks
    left out.

    Lines are split as phones split them, at CR and LF only.
    """
    for line in re.split(r"\r\n|\r|\n", _as_text(text)):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        key, equals, value = line.partition("=")
        if equals:
            yield key.strip(), value.strip(" \t")


def _as_text(content: bytes | str) -> str:
    return content.decode("utf-8", "replace") if isinstance(content, bytes) else content
