"""A real Asterisk beside a real web server, both on the tests' PostgreSQL: what the tests marked `calls` stand on.

The server starts once for all of them, as production has one for what nodes ask; each test has an Asterisk of its own, which has heard of
nothing before (it boots in less than half a second), and a node in the tables whose token it has.
"""

import os
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.db import connection

from asterisk.engine.__main__ import store
from asterisk.engine.engine import Engine
from asterisk.engine.fetching import Installed, fetch
from asterisk.engine.ports import free_port, free_ports
from asterisk.models import Node
from asterisk.tests import documentation
from asterisk.tests.gate import Gate
from asterisk.tests.nursery import Born, Nursery
from pbxadmin.common.crypto import fingerprint, random_token
from pbxadmin.run.launcher import granian
from pbxadmin.run.processes import ROOT, Guard, signal_group
from phones.tests.processes import wait_until

SAID = 60  # lines of Asterisk that are shown beside a test that failed
# What Asterisk calls an ERROR and is none: the caller hung up in the moment in which they were told whom they had reached.
RACES = ("update_connected_line_information: Session already DISCONNECTED",)


@dataclass
class Portal:
    """What answers the nodes: a web server process on the tests' database."""

    url: str
    folder: Path
    environment: dict[str, str]
    guard: Guard = field(default_factory=Guard)
    nursery: Nursery = field(init=False)

    def __post_init__(self) -> None:
        self.nursery = Nursery(self.environment, self.guard)

    def start(self, *command: str, name: str = "") -> subprocess.Popen[bytes] | Born:
        """Start a program of the portal beside it, on the same database: `portal.start(sys.executable, "manage.py", "pbx_link")`."""
        if list(command) == manage("pbx_link"):
            # Dozens of tests start one.
            return self.nursery.start(["pbx_link"], self.folder / f"{name or command[-1]}.log")
        with (self.folder / f"{name or Path(command[-1]).name}.log").open("ab") as log:
            process = subprocess.Popen(
                command, cwd=ROOT, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
        self.guard.add(process.pid)
        return process

    def stop(self, process: subprocess.Popen[bytes] | Born) -> None:
        """End it and wait; what it had started goes with it."""
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            signal_group(process.pid, 9)
            process.wait()
        self.guard.remove(process.pid)

    @contextmanager
    def running(self, *command: str, name: str = "") -> Iterator[subprocess.Popen[bytes] | Born]:
        """The same, for the time of a block."""
        process = self.start(*command, name=name)
        try:
            yield process
        finally:
            self.stop(process)


class LiveEngine(Engine):
    """An Asterisk that asks the portal of these tests."""

    def __init__(self, home: Path, installed: Installed, node: Node, **values: str) -> None:
        super().__init__(home, installed, **values)
        self.node = node

    @property
    def sip(self) -> tuple[str, int]:
        """Where it listens, UDP and TCP."""
        return self.values["SIP_ADDRESS"], int(self.values["SIP_PORT"])

    @property
    def said(self) -> str:
        """What it said up to now."""
        return self.log.read_text(errors="replace")

    @property
    def errors(self) -> list[str]:
        """The lines in which it complained of an error."""
        lines = (each for each in self.said.splitlines() if "ERROR" in each)
        return [each for each in lines if not any(race in each for race in RACES)]

    def end(self) -> None:
        """The end of a test: at once. Going by itself (`stop`) costs it most of a second, and nothing of it is kept."""
        if self.process is not None:
            self.process.kill()
        self.stop()

    def wait_until(self, true: Callable[[], Any], what: str, seconds: float = 10) -> None:
        """Wait for something; fails with the last that Asterisk said."""
        try:
            wait_until(true, seconds, what)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.last_words()}") from None


@pytest.fixture(scope="session")
def asterisk(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """An Asterisk that can be started: fetched once (some twenty seconds), then kept in `var/engine`."""
    found = fetch(store())
    return replace(found, data=documentation.cut(found.data, tmp_path_factory.mktemp("asterisk")))


@pytest.fixture(scope="session")
def portal(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """The web server for what nodes ask, as `./run --calls` starts it, on the tests' database."""
    if connection.vendor != "postgresql":
        pytest.skip("Asterisk and the portal share a database only where a server keeps it")
    folder = tmp_path_factory.mktemp("portal")
    port = free_port()
    given = urlsplit(os.environ["DATABASE_URL"])
    # Whoever empties the tables after a test must not be the one whom a deadlock with a late writer ends.
    options = [*filter(None, [given.query]), "options=-c%20deadlock_timeout%3D20ms"]
    database = given._replace(path=f"/{connection.settings_dict['NAME']}", query="&".join(options))
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "pbxadmin.settings.test",
        "DATABASE_URL": urlunsplit(database),
        "PBXADMIN_VAR": str(folder),
        "PYTHONUNBUFFERED": "1",
        # Of all these machines, 127.0.0.0 to 127.0.0.15 are the company's own.
        "SIP_LOCAL_NETWORKS": "127.0.0.0/28",
    }
    made = Portal(f"http://127.0.0.1:{port}", folder, environment)
    command = granian("wsgi", "pbxadmin.wsgi:application", "--host", "127.0.0.1", "--port", str(port))
    process = made.start(*command, "--blocking-threads", "4", name="server")

    def answers() -> bool:
        assert process.poll() is None, (folder / "server.log").read_text()[-2000:]
        try:
            with closing(urllib.request.urlopen(f"{made.url}/healthz", timeout=1)) as answer:
                return answer.status == 200
        except OSError:
            return False

    try:
        wait_until(answers, 60, "the portal answers")
        yield made
    finally:
        made.stop(process)
        made.nursery.close()
        made.guard.close()


@pytest.fixture
def gate(portal: Portal) -> Iterator[Gate]:
    """Between the Asterisk of a test and the portal: it counts what is asked, is slow, or shut."""
    made = Gate(portal.url)
    yield made
    made.slow = 0
    made.shut()


@pytest.fixture
def engine_portal(request: pytest.FixtureRequest, portal: Portal) -> Portal:
    """The portal as the Asterisk of a test sees it: behind the gate where the test has one."""
    if "gate" not in request.fixturenames:
        return portal
    return replace(portal, url=request.getfixturevalue("gate").url)


@pytest.fixture
def engine(
    asterisk: Installed, engine_portal: Portal, transactional_db: None, tmp_path: Path
) -> Iterator[LiveEngine]:
    """An Asterisk of this test alone, booted, which asks `portal` with the token of the node `pbx`."""
    with started("pbx", asterisk, engine_portal, tmp_path / "node") as made:
        yield made


@contextmanager
def started(name: str, asterisk: Installed, portal: Portal, home: Path) -> Iterator[LiveEngine]:
    """An Asterisk, and the node of this name in the tables whose token it has."""
    ports, token = free_ports(), random_token()
    node = Node.objects.create(
        name=name, token_hash=fingerprint(token), host="127.0.0.1",
        ami_port=int(ports["AMI_PORT"]), ari_port=int(ports["HTTP_PORT"]), node_password="the password of the node",
    )  # fmt: skip
    made = LiveEngine(
        home, asterisk, node, **ports, NODE_NAME=name, NODE_TOKEN=token,
        NODE_PASSWORD="the password of the node", PORTAL_URL=portal.url, SIP_ADDRESS="127.0.0.1",
    )  # fmt: skip
    made.start()
    try:
        yield made
    finally:
        made.end()
        # pytest shows it where the test failed.
        print("\n".join(made.said.splitlines()[-SAID:]))


def manage(*arguments: str) -> list[str]:
    """A command of the portal as a process: `portal.running(*manage("pbx_link"))`."""
    return [sys.executable, "manage.py", *arguments]
