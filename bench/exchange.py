"""What `bench.calls` stands on: a portal on PostgreSQL with its link, an Asterisk that asks it, and one that has the same lines in files."""

import os
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.production import commands, free_port, until
from pbxadmin.run.processes import Guard

CUSTOMERS = 10
TICKS = os.sysconf("SC_CLK_TCK")
# What somebody would write who needs no portal.
STATIC = """
[phones]
exten => _X.,1,Dial(${PJSIP_DIAL_CONTACTS(${EXTEN}@${SYSTEM})},30,c)
 same => n,Hangup(${HANGUPCAUSE})
"""


def _descend(pid: int) -> list[int]:
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parents.setdefault(int(stat.read_text().rpartition(")")[2].split()[1]), []).append(
                int(stat.parent.name)
            )
    found, todo = [], [pid]
    while todo:
        found.append(todo.pop())
        todo += parents.get(found[-1], [])
    return found


def cpu(pid: int) -> float:
    """Seconds of processor that a process and all that it started took."""
    total = 0
    for each in _descend(pid):
        with suppress(OSError):
            total += sum(map(int, Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()[11:15]))
    return total / TICKS


def memory(pid: int) -> float:
    """Megabytes of a process and all that it started; what they share counts for each."""
    total = 0
    for each in _descend(pid):
        with suppress(OSError):
            found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{each}/status").read_text())
            total += int(found[1]) if found else 0
    return total / 1024


@dataclass(frozen=True)
class Line:
    """Somebody who registers, calls and is called."""

    number: str
    fqdn: str
    auth_id: str
    password: str


def seed(count: int, customers: int = CUSTOMERS, first: int = 0) -> list[Line]:
    """People without mailboxes, of companies of equal size; `first`: the number of the first company."""
    from django.db import connection, transaction

    from forwarding.models import ForwardingRule
    from pbxadmin.common.crypto import random_secret
    from pbxadmin.common.values.statuses import Status
    from users.models import Customer, Department, User
    from voicemail.models import Mailbox

    lines = []
    with transaction.atomic():
        for number in range(first, first + customers):
            fqdn = f"c{number}.example.com"
            customer = Customer.objects.create(
                name=f"Client {number}", slug=f"c{number}", fqdn=fqdn, extension_digits=5
            )
            department = Department.objects.create(customer=customer, name="Tous")
            people = [
                User(
                    customer=customer, number=str(10_000 + each), first_name="Amélie", last_name=f"Tremblay {each}",
                    primary_department=department, role_id="users", sip_auth_id=random_secret(10), sip_password=random_secret(24),
                )
                for each in range(count // customers)
            ]  # fmt: skip
            # Before the road: a password that is written comes back encrypted.
            lines += [Line(each.number, fqdn, each.sip_auth_id, str(each.sip_password)) for each in people]
            User.objects.bulk_create(people, batch_size=2_000)
            Mailbox.objects.bulk_create(
                (Mailbox(user=person, enabled=False) for person in people), batch_size=2_000
            )
            ForwardingRule.objects.bulk_create(
                (ForwardingRule(user=person, status=str(status)) for person in people for status in Status),
                batch_size=5_000,
            )
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return lines


def _section(name: str, kind: str, row: Mapping[str, Any]) -> str:
    lines = [f"[{name}]", f"type = {kind}"]
    for key, value in row.items():
        for each in [value] if isinstance(value, str | int) else value:
            said = {True: "yes", False: "no"}[each] if isinstance(each, bool) else each
            # A line in a file offers the codecs that it has.
            kept = said != "" and not (key == "set_var" and "(" in str(said))
            lines += [f"{key} = {said}"] if kept else []
    return "\n".join([*lines, ""])


def in_files(lines: Iterable[Line], node: Any) -> str:
    """The rows that the portal answers for these lines, as sections of pjsip.conf."""
    from asterisk.asked import lines as rows

    found = []
    for line in lines:
        name = rows.named(line.number, line.fqdn)
        person = rows.person_of(name, node)
        assert person is not None, name
        for kind, row in (
            ("endpoint", rows.endpoint(name, person)),
            ("auth", rows.secret(person)),
            ("aor", rows.contacts(person)),
        ):
            found.append(_section(name, kind, row))
    return "".join(found)


@dataclass
class Portal:
    """The web server for what nodes ask, as the line `calls` of the Procfile starts it, and the worker of the link."""

    stack: ExitStack
    folder: Path
    port: int = field(default_factory=free_port)
    processes: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    def start(self) -> None:
        """Start both; they end with the bench."""
        # nginx stands before it in production; here Asterisk comes straight to it, over TCP.
        words = commands()["calls"].replace(
            '--uds "$CALLS_SOCKET" --uds-permissions 0660', f"--port {self.port}"
        )
        words = words.replace("pbxadmin.wsgi", "--access-log bench.serve_site")
        self._start("server", f"{sys.executable} -m {words}")
        self._start("link", f"{sys.executable} manage.py pbx_link")
        from bench.asking import wait_for

        wait_for(self.port)

    def _start(self, name: str, command: str) -> None:
        log = self.stack.enter_context((self.folder / f"{name}.log").open("wb"))
        process = subprocess.Popen(
            ["sh", "-c", f"exec {command}"],
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        self.processes[name] = process
        guard = Guard()
        guard.add(process.pid)
        self.stack.callback(guard.close)

    def requests(self) -> dict[str, int]:
        """What was asked up to now: {"rt/ps_aors/single": 3, "call": 7}."""
        found: dict[str, int] = {}
        for path, status in re.findall(
            r'"\w+ /n/(\S+)[^"]*" (\d+)', (self.folder / "server.log").read_text()
        ):
            name = path if path.startswith("rt/") else path.partition("/")[0]
            name += "" if status == "200" else f" {status}"
            found[name] = found.get(name, 0) + 1
        return found

    def parts(self) -> dict[str, int]:
        """The processes by name; PostgreSQL where it is the bench's own."""
        found = {name: process.pid for name, process in self.processes.items()}
        with suppress(OSError):
            found["PostgreSQL"] = int((self.folder / "postgres/postmaster.pid").read_text().split()[0])
        return found


def engines(stack: ExitStack, folder: Path, portal: Portal, lines: Sequence[Line]) -> tuple[Any, Any]:
    """An Asterisk that asks the portal, and one that has `lines` in a file and a static dialplan; both have started."""
    from asterisk.engine.__main__ import store
    from asterisk.engine.configuration import _write
    from asterisk.engine.engine import Engine
    from asterisk.engine.fetching import fetch
    from asterisk.engine.ports import free_ports
    from asterisk.models import Node
    from pbxadmin.common.crypto import fingerprint, random_token

    class InFiles(Engine):
        """Asks nobody."""

        def configure(self) -> None:
            super().configure()
            etc = self.folders.etc
            for name in ("sorcery", "extconfig", "res_curl"):
                _write(etc / f"{name}.conf", "")
            text = (etc / "pjsip.conf").read_text()
            _write(etc / "pjsip.conf", text + in_files(lines, Node.objects.get()))
            _write(etc / "extensions.conf", STATIC)

    installed = fetch(store(), print)
    token, password = random_token(), random_token()
    made = []
    for kind, name, first in ((Engine, "asks", 10_000), (InFiles, "files", 15_000)):
        ports = free_ports()
        more = {
            "RTP_FIRST": str(first),
            "RTP_LAST": str(first + 4_999),
            "SIP_ADDRESS": "127.0.0.1",
            "NODE_NAME": name,
        }
        if name == "asks":
            Node.objects.create(
                name=name, token_hash=fingerprint(token), host="127.0.0.1", ami_port=int(ports["AMI_PORT"]),
                ari_port=int(ports["HTTP_PORT"]), node_password=password,
            )  # fmt: skip
            more |= {
                "NODE_TOKEN": token,
                "NODE_PASSWORD": password,
                "PORTAL_URL": f"http://127.0.0.1:{portal.port}",
            }
        engine: Any = kind(folder / name, installed, **ports, **more)
        stack.callback(engine.stop)
        engine.start()
        made.append(engine)
    return made[0], made[1]


def linked(seconds: float = 30.0) -> None:
    """Wait until the link has reached the node, and nothing is to be told to it."""
    from asterisk.models import Errand, Node

    until(lambda: Node.objects.filter(connected_at__isnull=False).exists(), "the link to the node", seconds)
    until(lambda: not Errand.objects.exists(), "the errands of the node", seconds)
