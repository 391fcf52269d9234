"""The bytes of AMI: an action as exactly one message, and messages out of whatever pieces arrive, within bounds."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

# Asterisk refuses longer lines of an action ("manager.c", `inbuf[1025]`), its end counted, and forgets headers after the 128th.
LONGEST_SENT = 1_022
MOST_SENT = 128
# What a node says is shorter: a command's output has many lines, an event's value may be a channel variable.
LONGEST_LINE = 65_536
LONGEST_MESSAGE = 4_194_304
MOST_LINES = 50_000
# What a line costs here beside its own letters, in bytes.
COST_OF_LINE = 200

Pairs: TypeAlias = Sequence[tuple[str, str]]


class UnsafeActionError(ValueError):
    """An action that can't be sent as what it means: a line break or a NUL in it, too long, or no key."""


class ProtocolError(Exception):
    """The other side doesn't speak AMI, or says more at once than anybody should."""


def encode(name: str, pairs: Iterable[tuple[str, str]] = (), action_id: str = "") -> bytes:
    """The one message that asks for the action `name`; a key may be repeated. Raises `UnsafeActionError`."""
    lines = [("Action", name), *((("ActionID", action_id),) if action_id else ()), *pairs]
    if len(lines) > MOST_SENT:
        raise UnsafeActionError(f"{len(lines)} lines are too many for an action")
    return b"".join(_line(key, value) for key, value in lines) + b"\r\n"


def _line(key: str, value: str) -> bytes:
    if not key or not (key.isascii() and key.replace("-", "").replace("_", "").isalnum()):
        raise UnsafeActionError("a key of letters, digits, - and _ was expected")
    if any(sign in value for sign in "\r\n\0"):
        raise UnsafeActionError(f"a line break or a NUL in {key}")
    try:
        line = f"{key}: {value}".encode()
    except UnicodeEncodeError as error:
        raise UnsafeActionError(f"half a sign in {key}") from error
    if len(line) > LONGEST_SENT:
        raise UnsafeActionError(f"{key} is too long")
    return line + b"\r\n"


@dataclass(frozen=True, slots=True)
class Message:
    """What a node said: the answer to an action ("Response") or an event ("Event"). Keys as Asterisk writes them, in their order."""

    pairs: tuple[tuple[str, str], ...]
    # Bytes that it takes here, about.
    size: int = field(default=0, compare=False)

    def get(self, key: str, default: str = "") -> str:
        """The first value of `key`, however it is written."""
        wanted = key.lower()
        return next((value for name, value in self.pairs if name.lower() == wanted), default)

    def all(self, key: str) -> list[str]:
        """Every value of a key that is repeated: the lines of a command's output, "Variable"."""
        wanted = key.lower()
        return [value for name, value in self.pairs if name.lower() == wanted]

    @property
    def event(self) -> str:
        """What kind of event it is; empty for an answer."""
        return self.get("Event")

    @property
    def response(self) -> str:
        """ "Success", "Error"…; empty for an event."""
        return "" if self.event else self.get("Response")

    @property
    def action_id(self) -> str:
        """To which action it belongs."""
        return self.get("ActionID")

    @property
    def succeeded(self) -> bool:
        """Whether it is an answer that says yes."""
        return self.response.lower() in ("success", "goodbye", "follows")


class Decoder:
    """Messages out of bytes as they arrive. What isn't UTF-8 becomes replacement signs; what is too long raises `ProtocolError`."""

    def __init__(self) -> None:
        """Begin where a connection begins."""
        self.banner = ""
        self._rest = bytearray()
        self._searched = 0
        self._lines: list[tuple[str, str]] = []
        self._size = 0
        self._greeted = False

    def feed(self, data: bytes) -> Iterator[Message]:
        """The messages that `data` completes."""
        self._rest += data
        start = 0
        while (end := self._rest.find(b"\n", max(start, self._searched))) >= 0:
            line = bytes(self._rest[start:end]).rstrip(b"\r")
            start = end + 1
            if (message := self._take(line)) is not None:
                yield message
        del self._rest[:start]
        self._searched = len(self._rest)
        if len(self._rest) > LONGEST_LINE:
            raise ProtocolError("a line has no end")

    def _take(self, line: bytes) -> Message | None:
        if len(line) > LONGEST_LINE:
            raise ProtocolError("a line is too long")
        text = line.decode("utf-8", "replace").replace("\0", "\ufffd")
        if not self._greeted:
            self._greet(text)
            return None
        if not text:
            return self._end()
        self._size += len(line)
        if self._size > LONGEST_MESSAGE or len(self._lines) >= MOST_LINES:
            raise ProtocolError("a message has no end")
        key, colon, value = text.partition(":")
        # A line without a colon goes on with the value before it: what an administrator's command prints.
        self._lines.append((key, value.removeprefix(" ")) if colon else ("", text))
        return None

    def _greet(self, text: str) -> None:
        if not text.startswith("Asterisk Call Manager/"):
            raise ProtocolError("this isn't the manager interface of Asterisk")
        self.banner, self._greeted = text[:100], True

    def _end(self) -> Message | None:
        # Some errors end with two empty lines: nothing came between.
        if not self._lines:
            return None
        size = self._size + COST_OF_LINE * len(self._lines)
        message, self._lines, self._size = Message(tuple(self._lines), size), [], 0
        return message
