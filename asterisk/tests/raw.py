"""SIP written by hand, line by line: for packets that no phone sends."""

import secrets
import socket
import threading
from types import TracebackType
from typing import Self

from asterisk.softphone.message import Message
from asterisk.tests.lamps import answer_to


class RawSip:
    """Somebody with a UDP socket at `address`: sends whatever it is told, and keeps all that comes."""

    def __init__(self, server: tuple[str, int], address: str = "127.0.3.1", port: int = 0) -> None:
        self.server = server
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, port))
        self.socket.settimeout(0.1)
        self.here = "{}:{}".format(*self.socket.getsockname())
        self.came: list[Message] = []
        self._over = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over = True
        self._thread.join()
        self.socket.close()

    def ask(
        self, method: str, target: str, *, caller: str, auth: tuple[str, str] | None = None, lines: tuple[str, ...] = (),
        to: str = "", contact: str = "", body: str = "", kind: str = "application/sdp", within: float = 4,
    ) -> Message | None:  # fmt: skip
        """One request outside any dialog, signed where it is asked for (`auth`: name and password); its last answer."""
        call, tag = secrets.token_hex(8), secrets.token_hex(4)
        answer = None
        proof: tuple[str, ...] = ()
        for sequence in (1, 2):
            head = (
                f"{method} {target} SIP/2.0",
                f"Via: SIP/2.0/UDP {self.here};rport;branch=z9hG4bK{secrets.token_hex(8)}",
                "Max-Forwards: 70",
                f"From: {caller};tag={tag}",
                f"To: {to or f'<{target}>'}",
                f"Call-ID: {call}",
                f"CSeq: {sequence} {method}",
                f"Contact: {contact or f'<sip:{self.here}>'}",
                *lines,
                *proof,
                *((f"Content-Type: {kind}",) if body else ()),
                f"Content-Length: {len(body.encode())}",
            )
            self.send("\r\n".join((*head, "", body)))
            answer = self.final(call, sequence, within)
            if method == "INVITE" and answer is not None and answer.code >= 300:
                self._acknowledge(target, head, answer)
            if answer is None or answer.code not in (401, 407) or auth is None:
                return answer
            asked = answer.header("WWW-Authenticate") or answer.header("Proxy-Authenticate")
            proof = (f"Authorization: {answer_to(asked, method, target, *auth)}",)
        return answer

    def send(self, text: str) -> None:
        """Anything."""
        self.socket.sendto(text.encode("utf-8", "surrogateescape"), self.server)

    def final(self, call: str, sequence: int, within: float) -> Message | None:
        """The last answer to a request; None for none in time."""

        def found() -> Message | None:
            fitting = (
                each for each in self.came
                if each.code >= 200 and each.header("Call-ID") == call and each.header("CSeq").startswith(f"{sequence} ")
            )  # fmt: skip
            return next(fitting, None)

        with self._changed:
            return self._changed.wait_for(found, within)

    def _acknowledge(self, target: str, head: tuple[str, ...], answer: Message) -> None:
        kept = [each for each in head if each.split(":")[0] in ("Via", "From", "Call-ID", "Max-Forwards")]
        number = answer.header("CSeq").split(" ")[0]
        self.send(
            "\r\n".join([
                f"ACK {target} SIP/2.0", *kept, f"To: {answer.header('To')}", f"CSeq: {number} ACK", "Content-Length: 0", "", ""
            ])
        )  # fmt: skip

    def _listen(self) -> None:
        while not self._over:
            try:
                raw, _sender = self.socket.recvfrom(65535)
            except TimeoutError:
                continue
            with self._changed:
                self.came.append(Message(raw.decode(errors="replace")))
                self._changed.notify_all()


def sdp(address: str = "127.0.3.1") -> str:
    """An offer of one codec."""
    return f"v=0\r\no=- 1 1 IN IP4 {address}\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\nm=audio 28900 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
