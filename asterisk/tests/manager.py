"""A manager interface played with plain sockets, sharing no code with what talks to it: it greets, asks for the challenge, answers as
it is told to, and can lie, fall silent and die."""

import contextlib
import hashlib
import socket
import threading
import time
from collections.abc import Callable

Asked = dict[str, str]


class Manager:
    """Listens on a port of its own from the beginning; every action that it was sent is in `asked`."""

    def __init__(self, secret: str = "geheim", port: int = 0) -> None:
        self.secret, self.asked = secret, []  # type: str, list[Asked]
        self.answers: dict[str, Callable[[Asked], str]] = {}
        self.delay = 0.0
        self.greeting = b"Asterisk Call Manager/11.0.0\r\n"
        self.lines: list[socket.socket] = []
        self._listening = socket.create_server(("127.0.0.1", port))
        self.port: int = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                line, _ = self._listening.accept()
                line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.lines.append(line)
                threading.Thread(target=self._serve, args=(line,), daemon=True).start()

    def _serve(self, line: socket.socket) -> None:
        challenge, buffer = "987654321", b""
        with contextlib.suppress(OSError):
            line.sendall(self.greeting)
            while data := line.recv(4096):
                buffer += data
                while b"\r\n\r\n" in buffer:
                    text, buffer = buffer.split(b"\r\n\r\n", 1)
                    action = dict(part.split(": ", 1) for part in text.decode().split("\r\n"))
                    self.asked.append(action)
                    time.sleep(self.delay if action["Action"] not in ("Challenge", "Login") else 0)
                    line.sendall(self._answer(action, challenge).encode())

    def _answer(self, action: Asked, challenge: str) -> str:
        marked = f"ActionID: {action['ActionID']}\r\n"
        if action["Action"] == "Challenge":
            return f"Response: Success\r\n{marked}Challenge: {challenge}\r\n\r\n"
        if action["Action"] == "Login":
            right = hashlib.md5((challenge + self.secret).encode()).hexdigest()
            if action.get("Key") != right:
                return f"Response: Error\r\n{marked}Message: Authentication failed\r\n\r\n"
            return f"Response: Success\r\n{marked}Message: Authentication accepted\r\n\r\nEvent: FullyBooted\r\nUptime: 1\r\n\r\n"
        if action["Action"] in self.answers:
            return self.answers[action["Action"]](action)
        return f"Response: Success\r\n{marked}\r\n"

    def say(self, text: str) -> None:
        """Tell everybody who is connected."""
        for line in self.lines:
            with contextlib.suppress(OSError):
                line.sendall(text.replace("\n", "\r\n").encode("utf-8", "surrogateescape"))

    def cut(self) -> None:
        """End all connections."""
        for line in self.lines:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
            line.close()
        self.lines.clear()

    def stop(self) -> None:
        """End, and listen no more."""
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.cut()


def answer(action: Asked, *lines: str, response: str = "Success") -> str:
    """An answer to an action."""
    said = "".join(f"{line}\r\n" for line in lines)
    return f"Response: {response}\r\nActionID: {action['ActionID']}\r\n{said}\r\n"


def listing(action: Asked, event: str, *rows: list[str]) -> str:
    """An answer of a list: its beginning, an event each, its end."""
    marked = f"ActionID: {action['ActionID']}\r\n"
    said = f"Response: Success\r\n{marked}EventList: start\r\n\r\n"
    for row in rows:
        said += f"Event: {event}\r\n{marked}" + "".join(f"{line}\r\n" for line in row) + "\r\n"
    return f"{said}Event: {event}Complete\r\n{marked}EventList: Complete\r\nListItems: {len(rows)}\r\n\r\n"
