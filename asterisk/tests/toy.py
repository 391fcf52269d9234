"""A portal of a few lines, for tests of the link alone: it answers rows of lines, as slowly as it is told to, and notes what it was asked."""

import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, quote


class ToyPortal:
    """Knows the lines in `lines`, with their passwords; `learning` says whom `multi` has."""

    def __init__(self) -> None:
        self.lines: dict[str, str] = {}
        self.learning: Callable[[], list[str]] = list
        self.asked: list[tuple[str, str]] = []
        self.delay = 0.0
        toy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                time.sleep(toy.delay)
                said = toy.answer(self.path, body).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            do_GET = do_POST  # noqa: N815 - as the server names them

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def answer(self, path: str, body: str) -> str:
        *_, table, kind = path.partition("?")[0].split("/")
        self.asked.append((f"{table}/{kind}", body))
        if kind == "single":
            return self.row(table, parse_qs(body).get("id", [""])[0])
        if kind == "multi" and table == "ps_identifies":
            return "id=strangers&endpoint=anonymous&match_header=From%3A%20%2F.%2F\n"
        if kind == "multi" and table == "ps_endpoints" and "id%20LIKE" in body:
            return "".join(self.row(table, line) for line in self.learning())
        return "0" if kind == "require" else ""

    def row(self, table: str, line: str) -> str:
        if line == "anonymous" and table == "ps_endpoints":
            return "id=anonymous&context=from-internet\n"
        if line not in self.lines:
            return ""
        values = {
            "ps_endpoints": {"id": line, "aors": line, "auth": line, "context": "phones", "disallow": "all", "allow": "ulaw"},
            "ps_auths": {"id": line, "auth_type": "userpass", "username": f"auth{line[:3]}", "password": self.lines[line]},
            "ps_aors": {"id": line, "max_contacts": "5"},
        }.get(table, {})  # fmt: skip
        return "&".join(f"{key}={quote(value)}" for key, value in values.items()) + "\n" if values else ""

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
