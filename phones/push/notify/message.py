"""What is said to a phone and what is read of its answer: the NOTIFY's text, and the few facts in a reply."""

import re
import secrets
from typing import NamedTuple

from sipmessage import Message, Response

from .targets import Address, Target, bracketed

LARGEST_MESSAGE = 8 * 1024
"""Bytes of an answer that are still read; a phone's are below 1 kB."""

_MOST_HEADERS = 64
WORD = r"[A-Za-z0-9\-.!%*_+`'~]+"
"""A `token` of RFC 3261 (25.1), as a regular expression."""

_STATUS_LINE = re.compile(rb"SIP/2\.0 [1-6][0-9][0-9] ")
# sipmessage 0.7.1's Via refuses the bare IPv6 address of `received=2001:db8::1`, which the RFC's grammar
# has, and raises TypeError on a parameter called `self`; only the branch matters here.
_BRANCH = re.compile(rf";\s*branch\s*=\s*({WORD})", re.IGNORECASE)
_CSEQ = re.compile(rf"([0-9]{{1,10}})\s+({WORD})")
_LENGTH = re.compile(r"[0-9]{1,5}")


class UnreadableError(Exception):
    """Bytes that aren't a SIP answer, or one past the limits."""


class Reply(NamedTuple):
    """What counts in an answer."""

    code: int
    phrase: str
    branch: str
    cseq: tuple[int, str]
    call_id: str
    challenges: list[str]
    length: int
    """Bytes of body, by its Content-Length; 0 where it has none."""

    @property
    def final(self) -> bool:
        """Whether it ends the transaction; a provisional answer (1xx) only says that the phone is there."""
        return self.code >= 200


class Exchange:
    """What the requests of one NOTIFY have in common: the first and those that answer a challenge."""

    def __init__(self, target: Target, event: str, address: Address, from_host: str, local: str) -> None:
        """`from_host` and `local` (our address and port) stand in URIs: IPv6 in brackets."""
        self.address = str(address)
        self.branch = ""
        self.uri = f"sip:{target.user}@{bracketed(self.address)}:{target.port}"
        contact = f"sip:pbxadmin@{local}"
        if target.transport == "tcp":
            self.uri += ";transport=tcp"
            contact += ";transport=tcp"
        self._via = f"SIP/2.0/{target.transport.upper()} {local};rport"
        self._cseq = 0
        unique = secrets.token_hex(24)
        self._call_id, tag = unique[:32], unique[32:]
        # Subscription-State is mandatory in a NOTIFY (RFC 6665, 8.2.1). The phone never subscribed, so
        # there is no subscription to keep: `terminated` is the one state that leaves nothing behind on
        # either side.
        self._constant = (
            "Max-Forwards: 70\r\n"
            f"From: <sip:pbxadmin@{from_host}>;tag={tag}\r\n"
            f"To: <sip:{target.user}@{from_host}>\r\n"
            f"Call-ID: {self._call_id}\r\n"
            f"Contact: <{contact}>\r\n"
            f"Event: {event}\r\n"
            "Subscription-State: terminated\r\n"
            "User-Agent: pbxadmin\r\n"
            "Content-Length: 0\r\n"
        )

    def request(self, authorization: str | None = None) -> bytes:
        """The next request, with the header line `authorization`: new branch and CSeq (RFC 3261, 8.1.3.5)."""
        self._cseq += 1
        self.branch = "z9hG4bK" + secrets.token_hex(12)
        proof = "" if authorization is None else f"{authorization}\r\n"
        return (
            f"NOTIFY {self.uri} SIP/2.0\r\n"
            f"Via: {self._via};branch={self.branch}\r\n"
            f"CSeq: {self._cseq} NOTIFY\r\n"
            f"{self._constant}{proof}\r\n"
        ).encode()

    def answered_by(self, reply: Reply) -> bool:
        """Whether `reply` answers the last request (RFC 3261, 17.1.3, and the Call-ID to be sure)."""
        return (
            reply.branch == self.branch
            and reply.cseq == (self._cseq, "NOTIFY")
            and reply.call_id == self._call_id
        )


def read_reply(head: bytes) -> Reply:
    """The answer whose status line and headers, without the blank line, are `head`.

    Raises `UnreadableError` for anything else; its time grows with the length and not faster.
    """
    if len(head) > LARGEST_MESSAGE or head.count(b"\n") > _MOST_HEADERS or not _STATUS_LINE.match(head):
        raise UnreadableError
    if not head.isascii() or b"\n " in head or b"\n\t" in head or b" :" in head or b"\t:" in head:
        head = _tidied(head)
    try:
        message = Message.parse(head + b"\r\n\r\n")
    except ValueError:
        raise UnreadableError from None
    headers = message.headers
    # An answer to us has one Via, ours (RFC 3261, 8.1.3.3).
    branches = _BRANCH.findall(";".join(headers.getlist("Via")))
    cseq = _CSEQ.fullmatch(headers.get("CSeq") or "")
    lengths = set(headers.getlist("Content-Length")) or {"0"}
    length = lengths.pop()
    if cseq is None or len(branches) != 1 or lengths or not _LENGTH.fullmatch(length):
        raise UnreadableError
    if not isinstance(message, Response):
        raise UnreadableError
    challenges: list[str] = []
    if message.code in (401, 407):
        challenges = headers.getlist("WWW-Authenticate" if message.code == 401 else "Proxy-Authenticate")
    return Reply(
        code=message.code,
        phrase=message.phrase,
        branch=branches[0],
        cseq=(int(cseq[1]), cseq[2]),
        call_id=headers.get("Call-ID") or "",
        challenges=challenges,
        length=int(length),
    )


def _tidied(head: bytes) -> bytes:
    """`head` in a form that sipmessage takes, where it is only written otherwise than most phones do.

    Folded lines and a space before the colon are the RFC's (7.3.1); bytes that aren't UTF-8 are some
    phones', in headers that nobody reads.
    """
    text = re.sub(rb"\r\n[ \t]+", b" ", head).decode("utf-8", "replace")
    status, *headers = text.split("\r\n")
    parts = (line.partition(":") for line in headers)
    return "\r\n".join([status, *(name.rstrip() + colon + value for name, colon, value in parts)]).encode()
