"""The phone's HTTP side: one GET at a time, with the ETag it was given; can be broken off at any moment."""

import http.client
import socket
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

# A phone has little memory, and a hostile server must not fill ours.
BIGGEST_FILE = 1_000_000


class UnreachableError(Exception):
    """The server could not be asked: down, too slow, or talking nonsense."""


@dataclass(frozen=True)
class Answer:
    """What the server answered: its status, the ETag it gave, and the body (empty for 304)."""

    status: int
    etag: str
    body: bytes


class Fetcher:
    """Asks for files and remembers each one's ETag and body, as a phone does until it restarts."""

    def __init__(self, user_agent: str, timeout: float = 10.0) -> None:
        """`timeout`: seconds for connecting and for each read."""
        self.user_agent = user_agent
        self.timeout = timeout
        self._kept: dict[str, tuple[str, bytes]] = {}
        self._connection: http.client.HTTPConnection | None = None
        self._broken_off = False

    def etag(self, url: str) -> str:
        """The ETag under which `url` was last given to us, else an empty text."""
        return self._kept.get(url, ("", b""))[0]

    def body(self, url: str) -> bytes:
        """What `url` held when it was last given to us."""
        return self._kept.get(url, ("", b""))[1]

    def forget(self) -> None:
        """Lose every remembered ETag and body: the phone restarted."""
        self._kept.clear()

    def break_off(self) -> None:
        """Break off the request under way, from another thread, and refuse further ones."""
        self._broken_off = True
        connection = self._connection
        if connection is not None and connection.sock is not None:
            try:
                connection.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # it had just ended by itself

    def get(self, url: str) -> Answer:
        """Ask for `url`; raises `UnreachableError` when there was no answer to be had."""
        if self._broken_off:
            raise UnreachableError("the phone is being switched off")
        parts = urlsplit(url)
        try:
            if parts.scheme == "https":
                # As a Yealink from the factory: the certificate is checked (trust_certificates = 1).
                self._connection = http.client.HTTPSConnection(
                    parts.hostname or "", parts.port, timeout=self.timeout
                )
            elif parts.scheme == "http":
                self._connection = http.client.HTTPConnection(
                    parts.hostname or "", parts.port, timeout=self.timeout
                )
            else:
                raise UnreachableError(f"{parts.scheme or 'an address without scheme'} is not HTTP")
            headers = {"User-Agent": self.user_agent, "Accept": "*/*", "Connection": "close"}
            if etag := self.etag(url):
                headers["If-None-Match"] = etag
            path = parts.path + (f"?{parts.query}" if parts.query else "")
            self._connection.request("GET", path or "/", headers=headers)
            response = self._connection.getresponse()
            body = response.read(BIGGEST_FILE + 1)
            if len(body) > BIGGEST_FILE:
                raise UnreachableError(f"the file is bigger than {BIGGEST_FILE} bytes")
            given = response.getheader("ETag", "")
            if response.status == 200:
                self._kept[url] = (given, body)
            return Answer(response.status, given, body)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise UnreachableError(str(error) or type(error).__name__) from error
        finally:
            if self._connection is not None:
                self._connection.close()
            self._connection = None


def file_address(base: str, name: str) -> str:
    """Where the file `name` of the provisioning address `base` (a folder) is; `name` may be a whole URL."""
    return urljoin(base if base.endswith("/") else base + "/", name)
