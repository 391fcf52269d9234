"""Signs that look like another one, or like nothing: read as what they look like, before anything is kept, compared or sought.

Whoever types on a telephone, or copies from a spreadsheet, a mail or a web page, brings signs along that they can't see: no-break
blanks, soft hyphens, marks of the writing direction, hyphens that no keyboard has. `as_it_looks` is what every column reads
(`Column.as_typed`), `plainly` what numbers, MACs, hours and codes are read by, `folded` what is compared, sought and sorted.
"""

import re
import unicodedata
from collections.abc import Mapping

# Blanks that aren't of category Zs, yet are drawn as one: Braille's empty pattern and the fillers of Korean syllables.
_FILLERS = "\u2800\u3164\uffa0\u115f\u1160"
# Drawn as nothing, and without a meaning in any word: soft hyphen, zero-width blank, word joiner and invisible operators, byte order
# mark, annotations, marks of the writing direction, and what wraps text that is written from left to right anyhow (as Windows'
# and WhatsApp's contacts wrap numbers). What turns text around (U+202B, U+202E, U+2067, U+202D) makes it look like another one, and
# is refused by `unshowable`.
_NOTHING = "\u00ad\u034f\u061c\u180e\u200b\u200e\u200f\u202a\u202c\u2060\u2061\u2062\u2063\u2064\u2066\u2068\u2069\ufeff\ufff9\ufffa\ufffb"
# Joiners and variants belong to scripts that join their letters, and to pictures; beside a Latin letter they are nothing.
_JOINERS = re.compile("(?<![\u0590-\u1fff\u2190-\U0010ffff])[\u200c\u200d\ufe00-\ufe0f]")
# Tags spell words that nobody sees; they mean something after a picture alone, which is a flag with them.
_TAGS = re.compile("(?<![\U0001f000-\U0001faff\U000e0020-\U000e007f])[\U000e0000-\U000e007f]+")
_HYPHENS = "\u2010\u2011\u2012\u2043\u02d7\u207b\u208b\u2212\ufe63\uff0d"
_APOSTROPHES = "\u2018\u201b\u02bc\u02b9\u02bb\u02bd\u02ca\u02cb\u2032\u2035\u00b4\uff07\ua78c"
# A dash between two letters or digits is a hyphen ("Jean–Luc"); between blanks it is one that was meant.
_DASH_AS_HYPHEN = re.compile("(?<=[^\\W_])[\u2013\u2014\u2015](?=[^\\W_])")
# Signs that combine with the one before, and those of Tibetan that are made of two such ones. No script puts more than a few on a letter,
# and putting an endless run of them into their order takes time that grows with its square.
_COMBINING = (
    "".join(chr(code) for code in range(0x300, 0x20000) if unicodedata.combining(chr(code)))
    + "\u0f73\u0f75\u0f81"
)
MOST_COMBINING = 30
_TOO_MANY_COMBINING = re.compile(f"([{_COMBINING}]{{{MOST_COMBINING}}})[{_COMBINING}]+")
_DASHES = {ord(sign): "-" for sign in "\u2013\u2014\u2015\u2e3a\u2e3b\ufe58\u301c\u30fc"}


def _blanks() -> dict[int, str]:
    return {
        code: " "
        for code in (*range(0x80, 0x3001), *map(ord, _FILLERS))
        if unicodedata.category(chr(code)) == "Zs" or chr(code) in _FILLERS
    }


# Full-width letters, digits and signs, as Asian keyboards write them, are ASCII with another width.
_LOOKS: Mapping[int, str | None] = (
    _blanks()
    | {ord(sign): None for sign in _NOTHING}
    | {ord(sign): "-" for sign in _HYPHENS}
    | {ord(sign): "'" for sign in _APOSTROPHES}
    | {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F) if chr(code) not in "\uff07\uff0d"}
)


def as_it_looks(text: str) -> str:
    """The text with every sign that looks like another one, or like nothing, as what it looks like; composed (NFC).

    Typographic signs that were meant stay: an apostrophe as it is printed (’), a dash between blanks. Line breaks stay too: whether
    they may be there is the field's business. Of a run of signs that combine with one letter, the first `MOST_COMBINING` stay.
    """
    if text.isascii():
        return text
    text = _TOO_MANY_COMBINING.sub(r"\1", text.translate(_LOOKS))
    text = unicodedata.normalize("NFC", text)
    return _DASH_AS_HYPHEN.sub("-", _TAGS.sub("", _JOINERS.sub("", text)))


# What Apple's contacts wrap a number in when it is copied: from left to right, as numbers are written anyhow.
_LEFT_TO_RIGHT = {0x202D: None}


def plainly(text: str) -> str:
    """The same for what is no language: every dash and apostrophe as the keyboard has it, and digits of every width and weight."""
    if text.isascii():
        return text
    text = as_it_looks(text.translate(_LEFT_TO_RIGHT)).translate(_DASHES).replace("\u2019", "'")
    return "".join(sign if sign.isascii() else _compatible(sign) for sign in text)


_SCHEME = re.compile(r"tel:\s*", re.IGNORECASE | re.ASCII)


def as_number(text: str) -> str:
    """A number to be dialled as it looks: `plainly`, without blanks around it and the scheme of a link ("tel:+15145550123")."""
    text = plainly(text).strip()
    scheme = _SCHEME.match(text)
    return text[scheme.end() :] if scheme else text


def _compatible(sign: str) -> str:
    # Digits of other scripts are digits to Python, look like none of ours, and are nothing to a telephone.
    plain = unicodedata.normalize("NFKC", sign)
    return plain if plain.isascii() and unicodedata.decimal(sign, None) is not None else sign


# What can't be drawn, or makes the text around it look like another one: control characters (Cc), line and paragraph separators
# (Zl, Zp), halves of a pair (Cs), private signs that each font draws as it likes (Co), and what turns the direction.
_REFUSED = frozenset({"Cc", "Zl", "Zp", "Cs", "Co"})
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")
# What a program writes where it couldn't read a letter: the name is lost already.
UNREADABLE = "\ufffd"


def unshowable(text: str) -> bool:
    """Whether a text holds what can't be shown on one line, or what would make it look like another text."""
    if text.isprintable():
        return UNREADABLE in text
    return any(
        sign in _TURNING or unicodedata.category(sign) in _REFUSED or (ord(sign) & 0xFFFE) == 0xFFFE
        for sign in text
    )


# --- Comparing, searching, sorting --------------------------------------------------------------------------------
# Letters that are two to whoever searches for them, and letters that no accent was put on but that look as if.
_LIGATURES = {
    "œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ħ": "h", "ŧ": "t", "ı": "i", "ŋ": "n", "ĸ": "k", "ß": "ss",
    "ǿ": "o", "ǽ": "ae", "ŀ": "l",
}  # fmt: skip
_QUOTES = frozenset(f"'\u2019`\u02be\u02bf{_APOSTROPHES}")


class _Folded(dict[int, str]):
    """What each sign of a small-lettered text becomes, worked out when it is met first."""

    def __missing__(self, code: int) -> str:
        sign = chr(code)
        self[code] = plain = self._fold(sign)
        return plain

    @staticmethod
    def _fold(sign: str) -> str:
        if sign in _LIGATURES:
            return _LIGATURES[sign]
        if sign in _QUOTES:
            return ""
        if sign.isascii():
            return sign
        if unicodedata.category(sign) == "Pd" or sign in _HYPHENS:
            return "-"
        parts = unicodedata.normalize("NFKD", sign)
        plain = "".join(part for part in parts if not unicodedata.combining(part)).casefold()
        return plain.translate({ord(letter): two for letter, two in _LIGATURES.items()})


_FOLDED = _Folded()


def folded(text: str) -> str:
    """Small letters without accents, ligatures and apostrophes: "D’Amours" is "damours", "Lebœuf" is "leboeuf".

    Two texts that a reader takes for the same fold to the same; hyphens stay, because they separate words.
    """
    text = text.casefold()
    if text.isascii():
        return text.replace("'", "").replace("`", "")
    return as_it_looks(text).translate(_FOLDED)


def words_of(text: str, most: int = 8) -> list[str]:
    """The words that somebody seeks, folded: "d'Amours, Jean-Luc" is "damours", "jean", "luc"; a number stays in one piece."""
    text = folded(text)
    apart = r"[\s,;-]+" if any(sign.isalpha() for sign in text) else r"\s+"
    return [word for word in re.split(apart, text) if word][:most] or text.split()[:most]
