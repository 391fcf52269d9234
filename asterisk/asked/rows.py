"""PURE: rows as Asterisk reads them from a web server (`res_config_curl`): one line each, `name=value` joined by `&`.

A name that is there several times is a list. Spaces are %20: a `+` would stay a plus.
"""

from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import parse_qsl, quote

Value = str | int | bool | Sequence[str]
# Longer than anything that a node asks: an address of SIP and a dozen names of columns.
LONGEST_QUESTION = 4_000


class UnsafeValueError(ValueError):
    """A value holds what would become another line, or another variable."""


def encoded(row: Mapping[str, Value]) -> str:
    """One row, with the end of its line."""
    return "&".join(f"{name}={_text(each)}" for name, value in row.items() for each in _values(value)) + "\n"


def answer(rows: Iterable[Mapping[str, Value]]) -> bytes:
    """The body of an answer; nothing for no row."""
    return "".join(map(encoded, rows)).encode()


def asked(body: bytes) -> dict[str, str]:
    """What a question names: {"id": "101@acme.test"}; nothing for what can't be read."""
    if len(body) > LONGEST_QUESTION:
        return {}
    try:
        return dict(parse_qsl(body.decode("ascii"), keep_blank_values=True))
    except ValueError:
        return {}


def _values(value: Value) -> Sequence[str]:
    if isinstance(value, bool):
        return ("yes" if value else "no",)
    return (str(value),) if isinstance(value, str | int) else value


def _text(value: str) -> str:
    if any(sign < " " or sign == "\x7f" for sign in value):
        raise UnsafeValueError(f"{value!r} holds a control character")
    return quote(value, safe="")
