"""What no log may say: the secrets of addresses, of sessions and of rows, taken out of whatever is written for people to read.

Pure, so that a process without Django holds itself to it as well.
"""

import logging
import re

UNSAID = "…"

# How the addresses begin that hold a secret; a test reads off the portal's addresses that none is missing.
SECRET_ADDRESSES = ("p", "r", "app", "set-password", "meet/waiting")

# From the secret on to the end of the line: in a path there may be blanks, quotation marks and more slashes than one. The slash may
# be written in another way ("%2F", twice "%252F"); of names of one letter it must stand in front, "a/b" is found in many a text.
_SLASH = r"(?:/|%(?:25)*2f)"
_LONG = "|".join(name.replace("/", _SLASH) for name in SECRET_ADDRESSES if len(name) > 1)
_SHORT = "|".join(name for name in SECRET_ADDRESSES if len(name) == 1)
_ADDRESS = re.compile(
    rf"((?:(?:(?<![\w-])|{_SLASH})(?:{_LONG})|{_SLASH}(?:{_SHORT})){_SLASH})[^\n]+", re.IGNORECASE
)
# A line of a trace that names a file of the program, which may lie in a folder "app".
_FILE = re.compile(r"\s*File \"[^\"\n]*\", line \d+(?:, in [\w<>.]+)?$")
# What comes back from a provider of sign-ins, and what forms hold.
_NAMED = re.compile(
    r"\b((?:code|state|nonce|token|[a-z]+_token|csrf[a-z]*|sessionid|password)(?:=|[\"']: ?[\"']))[^&\s\"']{6,}",
    re.IGNORECASE,
)
# What looks like one, wherever it stands: 24 random bytes as we write them in addresses; a session's key, a link's proof, a digest.
_TOKEN = re.compile(
    r"(?<![\w-])(?=[\w-]*[a-z])(?=[\w-]*[A-Z])(?=[\w-]*[0-9])[A-Za-z0-9_-]{24,}(?![\w-])"
    r"|(?<![A-Za-z0-9])(?=[0-9]*[a-z])(?=[a-z]*[0-9])[0-9a-z]{32,}(?![A-Za-z0-9])"
)
# Where a database cites the row, or the statement, that it refuses.
_CITED = re.compile(r"((?:DETAIL|LINE \d+|CONTEXT): *)[^\n]+")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]")


def without_secrets(text: str) -> str:
    """The same text with "…" in the place of each secret."""
    lines = text.split("\n")
    return "\n".join(line if _FILE.fullmatch(line) else _said(line) for line in lines)


def _said(line: str) -> str:
    for pattern in (_CITED, _ADDRESS, _NAMED):
        line = pattern.sub(rf"\g<1>{UNSAID}", line)
    return _TOKEN.sub(UNSAID, line)


def in_one_line(text: str) -> str:
    """Without secrets, and control characters as escapes: no forged lines, no terminal sequences."""
    return _escaped(without_secrets(text)).replace("\n", "\\x0a")


def of_a_trace(text: str) -> str:
    """The lines of a trace, without secrets, each of them set in: none can pass for a line of the log."""
    return "\n".join(f"  {line}" for line in _escaped(without_secrets(text)).split("\n"))


def _escaped(text: str) -> str:
    return _CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", text)


class UnsaidFilter(logging.Filter):
    """Lets every record pass, and nothing of it that no log may say: not in the message, its arguments, nor the trace."""

    _formatter = logging.Formatter()

    def filter(self, record: logging.LogRecord) -> bool:
        """Always keeps the record."""
        if record.args:
            record.msg, record.args = message_of(record), None
        record.msg = in_one_line(str(record.msg))
        if record.exc_info and record.exc_info[0] is not None:
            # Formatters take what stands here already instead of writing it themselves.
            record.exc_text = of_a_trace(self._formatter.formatException(record.exc_info))
        if record.stack_info:
            record.stack_info = of_a_trace(record.stack_info)
        return True


def message_of(record: logging.LogRecord) -> str:
    """The record's message with its arguments; as it was written where they don't fit into it."""
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):
        return str(record.msg)
