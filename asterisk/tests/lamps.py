"""A lamp that somebody watches: SUBSCRIBE to a dialog or to waiting messages over plain UDP, because pjsua2 knows no dialog event.

with Lamp(engine.sip, "101", "boreale.example", "auth101", "secret", watched="102") as lamp:
    assert lamp.code == 200 and lamp.becomes("terminated")
    …
    assert lamp.becomes("early") and lamp.becomes("confirmed")
"""

import hashlib
import re
import secrets
import socket
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import NamedTuple, Self

from asterisk.softphone.message import Message, waiting

ACCEPT = {"dialog": "application/dialog-info+xml", "message-summary": "application/simple-message-summary"}


class Notice(NamedTuple):
    """One NOTIFY: when (time.monotonic()), the lamp's state or (new, old) messages, and the whole message."""

    at: float
    state: str | tuple[int, int]
    message: Message


def _md5(*parts: str) -> str:
    return hashlib.md5(":".join(parts).encode(), usedforsecurity=False).hexdigest()


def answer_to(challenge: str, method: str, uri: str, auth_id: str, password: str) -> str:
    """The Authorization header for a digest challenge (RFC 2617: MD5, qop auth or none)."""
    asked = dict(re.findall(r'(\w+)="?([^",]+)"?', challenge))
    secret, request = _md5(auth_id, asked["realm"], password), _md5(method, uri)
    given = {"username": auth_id, "realm": asked["realm"], "nonce": asked["nonce"], "uri": uri}
    if "qop" in asked:
        cnonce = secrets.token_hex(8)
        given["response"] = _md5(secret, asked["nonce"], "00000001", cnonce, "auth", request)
        given["cnonce"] = cnonce
        ending = ", qop=auth, nc=00000001"
    else:
        given["response"], ending = _md5(secret, asked["nonce"], request), ""
    opaque = f', opaque="{asked["opaque"]}"' if "opaque" in asked else ""
    return (
        "Digest "
        + ", ".join(f'{name}="{value}"' for name, value in given.items())
        + opaque
        + ending
        + ", algorithm=MD5"
    )


class Lamp:
    """One subscription; `notices` are what came, `code` how the last SUBSCRIBE was answered."""

    def __init__(
        self, server: tuple[str, int], number: str, domain: str, auth_id: str, password: str, *, watched: str,
        event: str = "dialog", address: str = "127.0.0.1",
    ) -> None:  # fmt: skip
        self.server, self.event, self.credentials = server, event, (auth_id, password)
        self.uri, self.me = f"sip:{watched}@{domain}", f"sip:{number}@{domain}"
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, 0))
        self.socket.settimeout(0.1)
        self.here = "{}:{}".format(*self.socket.getsockname())
        self.call_id, self.tag, self.sequence = secrets.token_hex(8), secrets.token_hex(4), 0
        self.to = f"<{self.uri}>"
        self.target = self.uri  # the Contact of the other side, once there is one
        self.code, self.refused, self._over = 0, "", False
        self.notices: list[Notice] = []
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self.subscribe()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.code == 200:
            self.subscribe(expires=0)
        self._over = True
        self._thread.join()
        self.socket.close()

    @property
    def state(self) -> str | tuple[int, int]:
        """What the last NOTIFY said: terminated, early, confirmed, …, or (new, old); "" before any."""
        return self.notices[-1].state if self.notices else ""

    def subscribe(self, expires: int = 300, within: float = 5) -> int:
        """Watch, go on watching, or (0) no longer; the status code, 0 where nobody answered."""
        self.code = 0
        self._send(expires)
        if self._wait(lambda: self.code, within) and self.code in (401, 407):
            challenge, self.code = self.refused, 0
            self._send(expires, answer_to(challenge, "SUBSCRIBE", self.target, *self.credentials))
            self._wait(lambda: self.code, within)
        return self.code

    def becomes(self, state: str | tuple[int, int], within: float = 5) -> bool:
        """Whether it is so by then."""
        return self._wait(lambda: self.state == state, within)

    def _wait(self, condition: Callable[[], object], within: float) -> bool:
        with self._changed:
            return bool(self._changed.wait_for(condition, within))

    def _send(self, expires: int, authorization: str = "") -> None:
        self.sequence += 1
        lines = [
            f"SUBSCRIBE {self.target} SIP/2.0",
            f"Via: SIP/2.0/UDP {self.here};rport;branch=z9hG4bK{secrets.token_hex(8)}",
            "Max-Forwards: 70",
            f"From: <{self.me}>;tag={self.tag}",
            f"To: {self.to}",
            f"Call-ID: {self.call_id}",
            f"CSeq: {self.sequence} SUBSCRIBE",
            f"Contact: <sip:{self.here}>",
            f"Event: {self.event}",
            f"Accept: {ACCEPT[self.event]}",
            f"Expires: {expires}",
            *([f"Authorization: {authorization}"] if authorization else []),
            "Content-Length: 0",
        ]
        self.socket.sendto("\r\n".join([*lines, "", ""]).encode(), self.server)

    def _listen(self) -> None:
        while not self._over:
            try:
                raw, sender = self.socket.recvfrom(65535)
            except TimeoutError:
                continue
            message = Message(raw.decode(errors="replace"))
            with self._changed:
                if message.method == "NOTIFY":
                    self._notified(message, sender)
                elif message.code >= 200:
                    self._answered(message)
                self._changed.notify_all()

    def _answered(self, message: Message) -> None:
        self.code = message.code
        self.refused = message.header("WWW-Authenticate") or message.header("Proxy-Authenticate")
        if message.code == 200:
            self.to = message.header("To")
            self.target = message.header("Contact").partition("<")[2].partition(">")[0] or self.target

    def _notified(self, message: Message, sender: tuple[str, int]) -> None:
        copied = [
            f"{name}: {value}"
            for name in ("Via", "From", "To", "Call-ID", "CSeq")
            for value in message.headers[name.lower()]
        ]
        self.socket.sendto(
            "\r\n".join(["SIP/2.0 200 OK", *copied, "Content-Length: 0", "", ""]).encode(), sender
        )
        if self.event == "dialog":
            found = re.search(r"<state[^>]*>([^<]*)</state>", message.body)
            state: str | tuple[int, int] = found[1] if found else "terminated"
        else:
            state = waiting(message.text)
        self.notices.append(Notice(time.monotonic(), state, message))
