"""A gate between an Asterisk and the portal, for tests: open, slow, or shut as when the portal's process has ended. It keeps what is asked, and
may put other words of the same length into answers."""

import re
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from time import sleep
from urllib.parse import urlsplit

# A question begins with its line, and what is asked for stands in its address or at its end.
QUESTION = re.compile(rb"(?:GET|POST) (/n/\S*) HTTP/1\.[01]\r\n(?:[^\r\n]+\r\n)*\r\n([^\r\n]*)")


class Gate:
    """Passes on whatever comes to `url`, to the portal at `behind`; with `tls` it is the end of TLS."""

    def __init__(self, behind: str, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        parts = urlsplit(behind)
        self._behind = (parts.hostname, parts.port)
        self._door: socket.socket | None = None
        self._port = 0
        self.slow = 0.0  # seconds before each connection is passed on
        self.asked: list[str] = []  # address and body of each question
        self.replaced: dict[bytes, bytes] = {}  # in answers
        self.open()

    @property
    def url(self) -> str:
        """Where it stands."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self._port}"

    def open(self) -> None:
        """Let everybody through."""
        self._door = socket.create_server(("127.0.0.1", self._port))
        self._port = self._door.getsockname()[1]
        self._inside: list[socket.socket] = []
        threading.Thread(target=self._serve, args=(self._door,), daemon=True).start()

    def shut(self) -> None:
        """Refuse connections, and end those there are."""
        assert self._door
        # Closing alone would leave the thread that waits at the door there.
        for each in (self._door, *self._inside):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _serve(self, door: socket.socket) -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=self._pass, args=(door.accept()[0],), daemon=True).start()

    def _pass(self, caller: socket.socket) -> None:
        sleep(self.slow)
        with suppress(OSError):
            if self._tls is not None:
                caller = self._tls.wrap_socket(caller, server_side=True)
            portal = socket.create_connection(self._behind)
            self._inside += [caller, portal]
            threading.Thread(target=_copy, args=(portal, caller, self._answered), daemon=True).start()
            _copy(caller, portal, self._question)

    def _question(self, data: bytes) -> bytes:
        for address, body in QUESTION.findall(data):
            self.asked.append(f"{address.decode()} {body.decode()}".strip())
        return data

    def _answered(self, data: bytes) -> bytes:
        for one, other in self.replaced.items():
            data = data.replace(one, other)
        return data


def _copy(one: socket.socket, other: socket.socket, passed: Callable[[bytes], bytes]) -> None:
    with suppress(OSError):
        while data := one.recv(65536):
            other.sendall(passed(data))
        other.shutdown(socket.SHUT_WR)
