"""The phone's SIP side: reads requests, answers them as a Yealink does, checks a digest; opens no socket."""

import hashlib
import hmac
import re
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

ALLOW = "INVITE, ACK, CANCEL, BYE, OPTIONS, NOTIFY, REFER, SUBSCRIBE, INFO, MESSAGE, UPDATE"
COMPACT = {
    "v": "via", "f": "from", "t": "to", "i": "call-id", "o": "event", "l": "content-length", "m": "contact",
    "c": "content-type",
}  # fmt: skip
REASONS = {
    200: "OK", 400: "Bad Request", 401: "Unauthorized", 405: "Method Not Allowed",
    481: "Call/Transaction Does Not Exist", 489: "Bad Event", 505: "Version Not Supported",
}  # fmt: skip
# What stays in memory of transactions and nonces; the oldest is forgotten first.
REMEMBERED = 256
ALGORITHMS = {"md5": ("MD5", hashlib.md5), "sha-256": ("SHA-256", hashlib.sha256)}


class NotSipError(Exception):
    """These bytes are no SIP request that could be answered."""


@dataclass
class Request:
    """One SIP request: method, address, headers in their order with lower-case full names, and the body."""

    method: str
    uri: str
    version: str
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""

    def all(self, name: str) -> list[str]:
        """Every value of a header, in order."""
        return [value for key, value in self.headers if key == name]

    def first(self, name: str) -> str:
        """The first value of a header, else an empty text."""
        return next(iter(self.all(name)), "")


def read_request(data: bytes) -> Request:
    """Read one whole SIP request; raises `NotSipError` for anything that is none, answers included."""
    head, _, body = data.partition(b"\r\n\r\n")
    try:
        text = head.decode("utf-8").lstrip("\r\n")
    except UnicodeDecodeError as error:
        raise NotSipError("not UTF-8") from error
    # A line that begins with a space continues the one before (RFC 3261, 7.3.1).
    lines = re.sub(r"\r?\n[ \t]+", " ", text).splitlines()
    first = re.fullmatch(r"([A-Z]{1,20}) (\S+) (SIP/\d\.\d)", lines[0]) if lines else None
    if first is None:
        raise NotSipError("no request line")
    request = Request(first[1], first[2], first[3], body=body)
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon:
            raise NotSipError("a header without a colon")
        name = name.strip().lower()
        request.headers.append((COMPACT.get(name, name), value.strip()))
    for needed in ("via", "from", "to", "call-id", "cseq"):
        if not request.first(needed):
            raise NotSipError(f"no {needed} header")
    return request


def parameter(value: str, name: str) -> str | None:
    """The parameter `name` of a header value (`;name=x`); an empty text when it stands without a value."""
    found = re.search(
        rf";\s*{re.escape(name)}\s*(?:=\s*\"?([^;,\"\s]*)\"?)?\s*(?=[;,]|$)", value, re.IGNORECASE
    )
    return (found[1] or "") if found else None


def via_with_source(via: str, host: str, port: int) -> str:
    """The topmost Via as it goes back: with where the request came from (RFC 3261 18.2.1, RFC 3581)."""
    if parameter(via, "rport") is not None:
        via = re.sub(r";\s*rport(=[^;,]*)?", f";rport={port}", via, count=1, flags=re.IGNORECASE)
        return f"{via};received={host}"
    sent_by = re.match(r"\S+\s+(\[[^\]]+\]|[^:;,\s]+)", via)
    return via if sent_by and sent_by[1].strip("[]") == host else f"{via};received={host}"


def answer_address(via: str, source: tuple[str, int]) -> tuple[str, int]:
    """Where a UDP answer goes: back to the source with `rport`, else to the port named in the Via."""
    if parameter(via, "rport") is not None:
        return source
    port = re.match(r"\S+\s+(?:\[[^\]]+\]|[^:;,\s]+)(?::(\d{1,5}))?", via)
    number = int(port[1]) if port and port[1] else 5060
    return source[0], number if 0 < number < 65536 else source[1]


def digest_fields(header: str) -> dict[str, str]:
    """The fields of an Authorization header with the Digest scheme; empty for any other."""
    scheme, _, rest = header.partition(" ")
    if scheme.lower() != "digest":
        return {}
    found = re.findall(r'(\w+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^,\s]+))', rest)
    return {name.lower(): quoted or plain for name, quoted, plain in found}


class Challenge:
    """The phone's demand that a sender prove that it knows the phone's own account (RFC 7616, RFC 8760)."""

    def __init__(self, algorithm: str, realm: str = "Yealink") -> None:
        """`algorithm`: "md5" or "sha-256"."""
        self.name, self._hash = ALGORITHMS[algorithm]
        self.realm = realm
        self._nonces: OrderedDict[str, None] = OrderedDict()

    def header(self) -> str:
        """A fresh WWW-Authenticate value."""
        nonce = secrets.token_hex(16)
        self._nonces[nonce] = None
        while len(self._nonces) > REMEMBERED:
            self._nonces.popitem(last=False)
        return f'Digest realm="{self.realm}", nonce="{nonce}", algorithm={self.name}, qop="auth"'

    def met_by(self, request: Request, name: str, password: str) -> bool:
        """Whether `request` answers a challenge of ours with this account; a nonce serves once."""
        given = digest_fields(request.first("authorization"))
        nonce = given.get("nonce", "")
        if nonce not in self._nonces or not name or not password:
            return False
        del self._nonces[nonce]
        if given.get("username") != name or given.get("realm") != self.realm:
            return False
        if given.get("algorithm", "MD5").upper() != self.name.upper():
            return False
        a1 = self._digest(f"{name}:{self.realm}:{password}")
        a2 = self._digest(f"{request.method}:{given.get('uri', '')}")
        if given.get("qop"):
            middle = f"{nonce}:{given.get('nc', '')}:{given.get('cnonce', '')}:{given['qop']}"
        else:
            middle = nonce
        expected = self._digest(f"{a1}:{middle}:{a2}")
        return hmac.compare_digest(expected.encode(), given.get("response", "").lower().encode())

    def _digest(self, text: str) -> str:
        return self._hash(text.encode()).hexdigest()


class SipSide:
    """Answers SIP requests; what a check-sync asks for goes to `on_check_sync(reboot, transport)`."""

    def __init__(
        self,
        *,
        sip_name: str,
        account: Callable[[], tuple[str, str]],
        on_check_sync: Callable[[bool, str], None],
        on_line: Callable[[str], None],
        challenge: str | None = None,
        silent: bool = False,
    ) -> None:
        """`account` gives the name and password a digest is checked against; `silent` answers nothing."""
        self.sip_name = sip_name
        self.account = account
        self.on_check_sync = on_check_sync
        self.on_line = on_line
        self.challenge = Challenge(challenge) if challenge else None
        self.silent = silent
        self._answered: OrderedDict[tuple[str, ...], bytes] = OrderedDict()

    def receive(self, data: bytes, source: tuple[str, int], transport: str) -> tuple[bytes, str] | None:
        """Take what came over `transport` ("UDP", "TCP"); gives the answer and its topmost Via, or None."""
        if not data.strip(b"\r\n\0 \t"):
            return None  # a keep-alive
        try:
            request = read_request(data)
        except NotSipError as problem:
            self.on_line(f"{transport} from {source[0]}:{source[1]}: ignored, {problem}")
            return None
        if request.method == "ACK":
            return None
        if self.silent:
            self.on_line(
                f"SIP {request.method} {request.first('event')} by {transport}: not answered (silent)"
            )
            return None
        via = request.first("via")
        # A request that comes again gets the same answer, and nothing is done twice (RFC 3261, 17.2.2).
        key = (transport, parameter(via, "branch") or "", request.first("call-id"), request.first("cseq"))
        if key not in self._answered:
            status, extra = self._decide(request, transport)
            self._answered[key] = self._answer(request, status, extra, source)
            while len(self._answered) > REMEMBERED:
                self._answered.popitem(last=False)
        return self._answered[key], via

    def _decide(self, request: Request, transport: str) -> tuple[int, list[str]]:
        """The status of the answer and the headers it needs; does what the request asks for."""
        number, _, method = request.first("cseq").partition(" ")
        event = request.first("event")
        said = f"SIP {request.method}{' ' + event if event else ''} by {transport}"
        if request.version != "SIP/2.0":
            return self._refuse(said, 505)
        if not number.isdigit() or method.strip() != request.method:
            return self._refuse(said, 400)
        if parameter(request.first("to"), "tag"):
            return self._refuse(said, 481)  # in a dialog that we never opened
        if request.method == "OPTIONS":
            self.on_line(f"{said}: 200")
            return 200, [f"Allow: {ALLOW}", "Accept: application/sdp"]
        if request.method in {"BYE", "CANCEL"}:
            return self._refuse(said, 481)
        if request.method != "NOTIFY":
            return self._refuse(said, 405, [f"Allow: {ALLOW}"])
        if not event:
            return self._refuse(said, 489, ["Allow-Events: check-sync"])
        if event.partition(";")[0].strip().lower() != "check-sync":
            return self._refuse(said, 481)  # a subscription that we don't have
        if self.challenge is not None and not self.challenge.met_by(request, *self.account()):
            why = "wrong credentials" if request.first("authorization") else "asking who it is"
            return self._refuse(f"{said} ({why})", 401, [f"WWW-Authenticate: {self.challenge.header()}"])
        self.on_line(f"{said}: 200")
        self.on_check_sync((parameter(event, "reboot") or "").lower() == "true", transport)
        return 200, []

    def _refuse(self, said: str, status: int, extra: list[str] | None = None) -> tuple[int, list[str]]:
        self.on_line(f"{said}: {status}")
        return status, extra or []

    def _answer(self, request: Request, status: int, extra: list[str], source: tuple[str, int]) -> bytes:
        vias = request.all("via")
        to = request.first("to")
        if not parameter(to, "tag"):
            to = f"{to};tag={secrets.token_hex(5)}"
        lines = [
            f"SIP/2.0 {status} {REASONS[status]}",
            f"Via: {via_with_source(vias[0], *source)}",
            *(f"Via: {via}" for via in vias[1:]),
            f"From: {request.first('from')}",
            f"To: {to}",
            f"Call-ID: {request.first('call-id')}",
            f"CSeq: {request.first('cseq')}",
            f"User-Agent: {self.sip_name}",
            *extra,
            "Content-Length: 0",
        ]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()
