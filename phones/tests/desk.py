"""A desk phone's SIP side for the tests of the push: takes NOTIFYs on loopback, remembers them, and answers
as told."""

import re
import socket
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self


class Desk:
    """Listens on a free UDP port. `status` None: hears everything and never answers."""

    def __init__(self, status: str | None = "200 OK", reply: Callable[[bytes], bytes] | None = None) -> None:
        self.status = status
        self.reply = reply
        self.heard: list[str] = []
        self._line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._line.bind(("127.0.0.1", 0))
        self.port = self._line.getsockname()[1]
        self._thread = threading.Thread(target=self._listen, daemon=True)

    @property
    def events(self) -> list[str]:
        """The Event header of each NOTIFY, copies of the same one counted once."""
        found: dict[str, str] = {}
        for request in self.heard:
            call, event = (
                re.search(rf"^{name}: *(.*?)\r$", request, re.MULTILINE | re.IGNORECASE)
                for name in ("Call-ID", "Event")
            )
            assert call, request
            assert event, request
            found[call[1]] = event[1]
        return list(found.values())

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bell:
            bell.sendto(b"", ("127.0.0.1", self.port))
        self._thread.join()
        self._line.close()

    def _listen(self) -> None:
        while True:
            data, source = self._line.recvfrom(65_535)
            if not data:
                return
            self.heard.append(data.decode())
            if self.reply is not None:
                self._line.sendto(self.reply(data), source)
            elif self.status is not None:
                self._line.sendto(answer(data.decode(), self.status), source)


def answer(request: str, status: str) -> bytes:
    """An answer to a request, with what must be repeated of it."""
    kept = [
        line
        for line in request.split("\r\n")
        if line.partition(":")[0].lower() in ("via", "from", "to", "call-id", "cseq")
    ]
    return ("\r\n".join([f"SIP/2.0 {status}", *kept, "Content-Length: 0"]) + "\r\n\r\n").encode()
