"""`deploy/Procfile` and its unit: each command as written, with PostgreSQL and Valkey as in production."""

import contextlib
import http.client
import os
import re
import shlex
import signal
import socket
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from pbxadmin.run import launcher
from pbxadmin.run.processes import ROOT, signal_group
from pbxadmin.tests.installation import free_port, until
from pbxadmin.tests.runner import PRODUCTION

pytestmark = pytest.mark.slow("starts Python again and again")

PROCFILE = ROOT / "deploy" / "Procfile"
UNIT = ROOT / "deploy" / "pbxadmin@.service"
README = ROOT / "README.md"
# What PostgreSQL keeps for others, of its usual 100: three for its administrator, the rest for people at a terminal.
CONNECTIONS = 90


def commands() -> dict[str, str]:
    """The Procfile, as those who run it read it."""
    found = re.findall(r"^([a-z]+): (.+)$", PROCFILE.read_text(), re.MULTILINE)
    return dict(found)


def option(name: str, of: str) -> int:
    """The number after an option of a process."""
    words = shlex.split(commands()[of])
    return int(words[words.index(name) + 1])


class Way(socketserver.ThreadingTCPServer):
    """The way to a server of TCP, which can be cut, with all that is on it, and mended."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 100

    def __init__(self, target: tuple[str, int]) -> None:
        self.target = target
        self.lines: set[socket.socket] = set()
        super().__init__(("127.0.0.1", 0), socketserver.BaseRequestHandler)
        self._serve()

    def _serve(self) -> None:
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def finish_request(self, request: socket.socket, client_address: object) -> None:
        with socket.create_connection(self.target) as there:
            self.lines |= {request, there}
            back = threading.Thread(target=self._carry, args=(there, request), daemon=True)
            back.start()
            self._carry(request, there)
            back.join()

    @staticmethod
    def _carry(one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(65_536):
                other.sendall(data)
        for line in (one, other):
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def cut(self) -> None:
        self.shutdown()
        self.socket.close()
        for line in self.lines:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
        self.lines.clear()

    def mend(self) -> None:
        self.socket = socket.socket()
        self.server_bind()
        self.server_activate()
        self._serve()


@dataclass
class Process:
    """A process of the Procfile and what it said."""

    running: subprocess.Popen[bytes]
    log: Path

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def children(self) -> list[int]:
        """The processes that do its work: those that have its own program's name."""
        listed = Path(f"/proc/{self.running.pid}/task/{self.running.pid}/children").read_text().split()
        return [
            int(pid) for pid in listed if b"resource_tracker" not in Path(f"/proc/{pid}/cmdline").read_bytes()
        ]


@dataclass
class Production:
    """The Procfile's processes, and the place they stand in."""

    folder: Path
    port: int
    environment: dict[str, str]
    database: Way
    processes: dict[str, Process] = field(default_factory=dict)

    def start(self, name: str) -> Process:
        """Start one as systemd would."""
        unit = re.search(r"^ExecStart=(.+)$", UNIT.read_text(), re.MULTILINE)
        assert unit
        command = shlex.split(unit[1].replace("%i", name).replace("$$", "$"))
        with (self.folder / f"{name}.log").open("wb") as log:
            running = subprocess.Popen(
                command, cwd=ROOT, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
        self.processes[name] = Process(running, self.folder / f"{name}.log")
        return self.processes[name]

    def ask(self, path: str, server: str = "", **more: str) -> tuple[int, http.client.HTTPMessage, bytes]:
        """Through the front, or straight from one of its servers."""
        asked = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        if server:
            asked.sock = socket.socket(socket.AF_UNIX)
            asked.sock.settimeout(20)
            asked.sock.connect(self.environment[f"{server.upper()}_SOCKET"])
        headers = {
            "Host": "portal.example",
            "X-Forwarded-Proto": "https",
            "X-Forwarded-For": "192.0.2.7",
        } | more
        try:
            asked.request("GET", path, headers=headers)
            response = asked.getresponse()
            return response.status, response.headers, response.read()
        finally:
            asked.close()

    def answers(self, path: str, server: str = "") -> int:
        try:
            return self.ask(path, server)[0]
        except OSError:
            return 0


def environment_of(folder: Path, **more: str) -> dict[str, str]:
    """What README asks for, and the unit sets."""
    return (
        {name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ}
        | PRODUCTION
        | {
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
            "PBXADMIN_VAR": str(folder),
            "PAGES_SOCKET": str(folder / "pages.sock"),
            "PHONES_SOCKET": str(folder / "phones.sock"),
            "CALLS_SOCKET": str(folder / "calls.sock"),
            "STATIC_ROOT": str(folder / "static"),
            "TRUSTED_PROXY_COUNT": "1",
        }
        | more
    )


@pytest.fixture(scope="module")
def production(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Production]:
    folder = launcher.socket_folder(tmp_path_factory.mktemp("deploy"))
    database = connection.settings_dict
    port = free_port()
    broker = settings.CELERY_BROKER_URL
    way = Way((database["HOST"], int(database["PORT"])))
    environment = environment_of(
        folder,
        PORT=str(port),
        DATABASE_URL="postgres://{USER}:{PASSWORD}@127.0.0.1:{way}/{NAME}".format(
            **database, way=way.server_address[1]
        ),
        # A queue that nobody else of the tests listens to.
        CELERY_BROKER_URL=f"{broker}{'&' if '?' in broker else '?'}virtual_host=9",
    )
    released = subprocess.run(
        ["sh", "-c", commands()["release"]], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert released.returncode == 0, released.stderr
    made = Production(folder, port, environment, way)
    with ExitStack() as stack:
        stack.callback(way.cut)
        for name in (
            "pages",
            "phones",
            "calls",
            "front",
            "worker",
            "files",
            "sounds",
            "push",
            "link",
            "beat",
        ):
            process = made.start(name)
            stack.callback(signal_group, process.running.pid, signal.SIGKILL)
            stack.callback(process.running.wait, 20)
            stack.callback(process.running.terminate)
        until(lambda: made.answers("/healthz") == 200, 60)
        until(lambda: made.answers("/p/no-token/file.cfg") == 404, 60)
        yield made


@pytest.mark.django_db  # so that there is one to run on
@pytest.mark.postgresql
@pytest.mark.slow("starts everything that production has")
class TestRunning:
    """One production for all of these."""

    def test_every_process_of_the_procfile_answers(self, production: Production) -> None:
        assert set(production.processes) == set(commands()) - {"release"}
        for server in ("pages", "phones", "calls", ""):
            assert production.answers("/healthz", server) == 200
            if server:
                path = Path(production.environment[f"{server.upper()}_SOCKET"])
                assert oct(path.stat().st_mode & 0o777) == oct(0o660)  # nginx, by its group, and nobody else
        status, _, page = production.ask("/sign-in", "pages")
        style = re.search(rb'href="(/static/[^"]+\.[0-9a-f]{12}\.css)"', page)
        assert status == 200
        assert style
        assert production.answers(style[1].decode(), "pages") == 200
        for name in ("worker", "files", "sounds", "push", "link"):
            until(lambda name=name: " ready." in production.processes[name].said(), 30)
        until(lambda: "beat: Starting" in production.processes["beat"].said(), 30)

    @pytest.mark.parametrize("name", ["pages", "phones", "calls", "front", "worker"])
    def test_a_worker_that_is_killed_comes_back(self, production: Production, name: str) -> None:
        process = production.processes[name]
        if name == "worker":
            until(lambda: " ready." in process.said(), 30)
        before = process.children()
        assert len(before) == option("--concurrency" if name == "worker" else "--workers", name)
        os.kill(before[0], signal.SIGKILL)
        until(lambda: len(now := process.children()) == len(before) and before[0] not in now, 30)
        assert process.running.poll() is None
        until(lambda: production.answers("/healthz") == 200)

    def test_three_hundred_phones_at_once_find_room_in_the_database(self, production: Production) -> None:
        until(lambda: production.answers("/healthz", "phones") == 200)
        answered: list[int] = []
        gate = threading.Barrier(300)

        def phone(number: int) -> None:
            gate.wait(20)
            answered.append(production.answers(f"/p/token-{number}/805ec0{number:06x}.cfg"))

        phones = [threading.Thread(target=phone, args=(number,)) for number in range(300)]
        for one in phones:
            one.start()
        for one in phones:
            one.join(60)
        assert set(answered) == {404}
        assert len(answered) == 300
        for process in production.processes.values():
            assert "Traceback" not in process.said()
            assert "too many clients" not in process.said()

    def test_a_database_that_is_away_is_told_as_that_and_its_return_needs_nobody(
        self, production: Production
    ) -> None:
        signed_in = {"Cookie": f"sessionid={'a' * 32}", "Accept": "text/html"}
        # Every thread has its connection.
        for _ in range(40):
            assert production.answers("/healthz", "pages") == 200
            assert production.answers("/p/no-token/file.cfg", "phones") == 404
        before = {name: len(production.processes[name].said()) for name in ("pages", "phones")}
        production.database.cut()
        try:
            for server in ("pages", "phones"):
                status, headers, body = production.ask("/healthz", server)
                assert (status, body) == (503, b"The database doesn't answer; try again in a moment.\n")
                assert headers["Content-Type"] == "text/plain; charset=utf-8"
            status, headers, body = production.ask("/", "pages", **signed_in)
            assert (status, headers["Retry-After"], headers["Cache-Control"]) == (503, "10", "no-store")
            assert "Le portail ne peut rien lire ni enregistrer en ce moment" in body.decode()
            assert "vérifiez avant de l’envoyer" not in body.decode()
            status, headers, body = production.ask("/p/no-token/file.cfg", "phones")
            assert (status, body) == (503, b"Try again later\n")
            assert 15 <= int(headers["Retry-After"]) <= 45
        finally:
            production.database.mend()
        for _ in range(20):  # the very next request, whichever thread takes it
            assert production.answers("/healthz", "pages") == 200
            assert production.answers("/p/no-token/file.cfg", "phones") == 404
        for name, begin in before.items():
            said = production.processes[name].said()[begin:]
            assert "Traceback" not in said
            assert "the database is away (" in said  # once for each request


def test_the_processes_leave_room_in_a_database_of_the_usual_size() -> None:
    threads = {
        name: option("--workers", name) * option("--blocking-threads", name) for name in ("pages", "phones")
    }
    # A phones' process notes fetches over a connection of its own.
    all_of_them = (
        sum(threads.values()) + 2 * option("--workers", "phones") + option("--concurrency", "worker") + 1
    )
    assert all_of_them <= CONNECTIONS / 3
    # The front hands over as many requests as there are threads.
    source = (ROOT / "pbxadmin" / "front" / "application.py").read_text()
    for name, count in threads.items():
        assert f'number("{name.upper()}_THREADS", {count})' in source


def test_readme_says_what_the_procfile_says() -> None:
    readme = README.read_text()
    assert "deploy/Procfile" in readme
    for name in commands():
        assert f"`{name}`" in readme
    assert "collectstatic" in readme
    # No second way to start a server that isn't the tried one.
    assert not re.search(r"granian --interface|celery -A", readme)


def start_of(server: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", f"import {server}"], cwd=ROOT, env=environment, capture_output=True, text=True
    )


def test_without_collectstatic_the_server_says_so_and_does_not_start(tmp_path: Path) -> None:
    done = start_of("pbxadmin.wsgi", environment_of(tmp_path))
    assert done.returncode == 1
    assert done.stderr.startswith(
        "pbxadmin: The static files aren't collected: run `python manage.py collectstatic`"
    )
    assert len(done.stderr.splitlines()) == 1


def test_a_variable_that_is_missing_is_named_in_one_line(tmp_path: Path) -> None:
    environment = environment_of(tmp_path)
    del environment["FIELD_KEYS"]
    done = start_of("pbxadmin.wsgi", environment)
    assert (done.returncode, done.stderr) == (
        1, "pbxadmin: Set FIELD_KEYS in the environment: production doesn't start without it.\n",
    )  # fmt: skip


@pytest.mark.parametrize(
    "address", ["consolemail://", "filemail:///var/mail", "memorymail://", "dummymail://"]
)
def test_production_leaves_no_mail_with_a_live_link_in_files_or_in_the_log(
    address: str, tmp_path: Path
) -> None:
    done = start_of("pbxadmin.wsgi", environment_of(tmp_path, EMAIL_URL=address))
    assert done.returncode == 1
    assert done.stderr.startswith("pbxadmin: EMAIL_URL names no mail server, and production leaves no mails")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("command", ["manage.py check", "-m celery -A pbxadmin report"])
def test_no_other_process_starts_without_a_mail_server_either(command: str, tmp_path: Path) -> None:
    environment = environment_of(tmp_path)
    del environment["EMAIL_URL"]
    done = subprocess.run(
        [sys.executable, *command.split()], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.returncode != 0
    assert "Set EMAIL_URL in the environment: production doesn't start without it." in done.stderr


def test_every_task_that_beat_starts_is_one_that_a_worker_knows() -> None:
    code = (
        "import django; django.setup(); from pbxadmin.celery import app; app.loader.import_default_modules();"
        "from django.conf import settings;"
        "print([each['task'] for each in settings.CELERY_BEAT_SCHEDULE.values() if each['task'] not in app.tasks])"
    )
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "pbxadmin.settings.test"}
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert said.stdout.strip() == "[]", said.stdout + said.stderr


def test_a_worker_whose_broker_is_gone_does_not_speak_of_a_setting_of_celery() -> None:
    code = (
        "import sys, warnings; from celery import signals; from pbxadmin.celery import app;"
        "import celery.worker.consumer.consumer; consumer = sys.modules['celery.worker.consumer.consumer'];"
        "app.log.setup(); signals.worker_ready.send(sender=None);"
        "warn = lambda text: warnings.warn(text, consumer.CPendingDeprecationWarning);"
        "warn(consumer.CANCEL_TASKS_BY_DEFAULT); warn('something else')"
    )
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "pbxadmin.settings.test"}
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True
    ).stderr
    assert "something else" in said
    assert "In Celery 5.1" not in said
