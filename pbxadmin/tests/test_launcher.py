"""The launcher with small programs instead of the portal's: they end with it, and come back before."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pbxadmin.run import address, calls, launcher, processes
from pbxadmin.tests.installation import free_port, until

pytestmark = pytest.mark.slow("starts and kills processes")

# Runs the children named on the command line under a supervisor, as `main` does with the real ones.
HARNESS = f"""
import sys
from pathlib import Path
sys.path.insert(0, {str(processes.ROOT)!r})
from pbxadmin.run.processes import Child, Supervisor
supervisor = Supervisor(Path(sys.argv[1]))
supervisor.listen_to_signals()
for at, text in enumerate(sys.argv[2:]):
    supervisor.start(Child(f"child{{at}}", [sys.executable, "-c", text]))
supervisor.say("up")
while not supervisor.stopping:
    supervisor.turn(60)
supervisor.say("down")
supervisor.stop()
"""

# A program with a grandchild, both of which write their process id down; `deaf` ones ignore SIGTERM.
FAMILY = """
import os, signal, subprocess, sys, time
if {deaf}: signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    open({folder!r} + "/" + str(os.getpid()), "w").close()
    time.sleep(600)
open({folder!r} + "/" + str(os.getpid()), "w").close()
time.sleep(600)
"""


def eventually(condition: Callable[[], object], seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it didn't happen in time"
        time.sleep(0.02)


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


class Running:
    """A launcher with dummy children, and the process ids that they wrote down."""

    def __init__(self, folder: Path, *programs: str) -> None:
        self.pids = folder / "pids"
        self.output = (folder / "output").open("w+")
        self.process = subprocess.Popen(
            [sys.executable, "-c", HARNESS, str(folder), *programs],
            stdout=self.output,
            stderr=subprocess.STDOUT,
        )

    def family(self) -> list[int]:
        return [int(path.name) for path in self.pids.iterdir()]

    def said(self) -> str:
        self.output.flush()
        return Path(self.output.name).read_text()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    (tmp_path / "pids").mkdir()
    running: list[Running] = []

    def start(*programs: str) -> Running:
        running.append(Running(tmp_path, *programs))
        return running[-1]

    yield start
    for one in running:
        one.process.kill()
        one.process.wait()
        eventually(lambda one=one: not any(lives(pid) for pid in one.family()))
        one.output.close()


def family(tmp_path: Path, *, deaf: bool = False) -> str:
    return FAMILY.format(folder=str(tmp_path / "pids"), deaf=deaf)


@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=["ctrl-c", "term", "hangup"]
)
def test_the_end_of_the_launcher_is_the_end_of_everything_it_started(
    start: Callable[..., Running], tmp_path: Path, number: int
) -> None:
    running = start(family(tmp_path), family(tmp_path))
    eventually(lambda: len(running.family()) == 4)
    running.process.send_signal(number)
    assert running.process.wait(10) == 0
    assert not any(lives(pid) for pid in running.family())


@pytest.mark.parametrize("deaf", [False, True], ids=["obedient", "deaf to SIGTERM"])
def test_a_launcher_killed_with_sigkill_leaves_no_orphan_behind(
    start: Callable[..., Running], tmp_path: Path, deaf: bool
) -> None:
    running = start(family(tmp_path, deaf=deaf))
    eventually(lambda: len(running.family()) == 2)
    running.process.kill()
    running.process.wait()
    eventually(lambda: not any(lives(pid) for pid in running.family()))


def test_whoever_has_two_guards_ends_the_first_alone() -> None:
    """The second was made while the first one's pipe was open."""
    program = "from pbxadmin.run.processes import Guard; first, second = Guard(), Guard(); first.close(); second.close()"
    subprocess.run([sys.executable, "-c", program], cwd=processes.ROOT, check=True, timeout=10)


def test_a_child_killed_with_sigkill_takes_its_children_along_and_comes_back(
    start: Callable[..., Running], tmp_path: Path
) -> None:
    running = start(family(tmp_path))
    eventually(lambda: len(running.family()) == 2)
    first = running.family()
    parent = next(
        pid for pid in first if Path(f"/proc/{pid}/stat").read_text().split()[3] == str(running.process.pid)
    )
    os.kill(parent, signal.SIGKILL)
    eventually(lambda: len(running.family()) == 4)
    assert not any(lives(pid) for pid in first)
    assert "child0 was ended by SIGKILL; starting it again in 0.5 s" in running.said()


def test_a_child_that_keeps_failing_is_started_ever_more_rarely(start: Callable[..., Running]) -> None:
    running = start("raise SystemExit(3)")
    eventually(lambda: "in 2 s" in running.said())
    assert [line.partition(" (")[0] for line in running.said().splitlines() if "ended" in line] == [
        f"child0 ended with code 3; starting it again in {pause} s" for pause in ("0.5", "1", "2")
    ]


def test_a_child_that_ignores_sigterm_is_killed_at_the_second_ctrl_c(
    start: Callable[..., Running], tmp_path: Path
) -> None:
    running = start(family(tmp_path, deaf=True))
    eventually(lambda: len(running.family()) == 2)
    running.process.send_signal(signal.SIGINT)
    eventually(lambda: "down" in running.said())
    assert running.process.poll() is None
    running.process.send_signal(signal.SIGINT)
    assert running.process.wait(3) == 0
    assert not any(lives(pid) for pid in running.family())


def test_everything_is_logged_and_only_what_concerns_a_human_being_is_printed(
    start: Callable[..., Running], tmp_path: Path
) -> None:
    chatter = (
        "print('2026 INFO started'); print('2026 ERROR broken\\n  and why'); print('2026 INFO going on'); "
        "print('end', flush=True); import time; time.sleep(600)"
    )
    running = start(chatter)
    log = tmp_path / "child0.log"
    eventually(lambda: log.exists() and log.read_text().endswith("end\n"))
    eventually(lambda: "and why" in running.said())
    assert running.said().splitlines() == ["up", "child0 | 2026 ERROR broken", "child0 |   and why"]


def launch(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", launcher.__file__, *arguments],
        env=os.environ | {"PBXADMIN_VAR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=30,
    )


def test_a_taken_port_ends_in_one_clear_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = launch(tmp_path, "--port", str(port))
        free = launcher.free_port_after("127.0.0.1", port)
    assert done.returncode == 2
    assert done.stderr == (
        f"pbxadmin: port {port} is taken by another program; stop it, or choose another port: ./run --port {free}\n"
    )
    assert done.stdout == ""


def test_the_port_that_is_offered_instead_is_free() -> None:
    with socket.socket() as first, socket.socket() as second:
        first.bind(("127.0.0.1", 0))
        port = first.getsockname()[1]
        with contextlib.suppress(OSError):
            second.bind(("127.0.0.1", port + 1))
        offered = launcher.free_port_after("127.0.0.1", port)
        assert offered > port + 1
        launcher.listen_once("127.0.0.1", offered)


def test_the_virtual_phone_has_a_port_for_each_port_of_the_portal(monkeypatch: pytest.MonkeyPatch) -> None:
    ports = []
    for port in ("8000", "8001", "80", "65535"):
        monkeypatch.setattr(os, "environ", {})
        launcher.set_environment(launcher.read_arguments(["--port", port]), Path("/var/lib/pbxadmin"))
        ports.append(int(os.environ["DEMO_SIP_PORT"]))
    assert ports == [5071, 5072, 5151, 5606]


def test_a_missing_python_module_ends_in_one_clear_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(launcher, "NEEDED_MODULES", ["django", "no_such_module"])
    with pytest.raises(SystemExit) as end:
        launcher.main([])
    assert end.value.code == 2
    assert capsys.readouterr().err == (
        "pbxadmin: the Python module no_such_module is missing; delete .venv and start ./run again.\n"
    )


def test_an_old_python_ends_in_one_clear_line(tmp_path: Path) -> None:
    """`run` itself, with a python3 that says it is 3.9."""
    (tmp_path / "run").write_bytes((processes.ROOT / "run").read_bytes())
    old = tmp_path / "old-python"
    old.write_text('#!/bin/sh\n[ "$1" = -V ] && echo "Python 3.9.2" && exit 0\nexit 1\n')
    old.chmod(0o755)
    done = subprocess.run(
        ["sh", str(tmp_path / "run")],
        env=os.environ | {"PYTHON": str(old)},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 2
    assert done.stderr == f"pbxadmin: Python 3.11 or newer is needed, and {old} is Python 3.9.2.\n"


def test_two_launchers_do_not_share_one_data_folder(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with launcher.only_one(tmp_path / "run", "http://127.0.0.1:8000"):
        done = launch(tmp_path, "--port", str(port))
    assert done.returncode == 2
    free = launcher.next_port("http://127.0.0.1:8000")
    assert done.stderr == (
        f"pbxadmin: already running at http://127.0.0.1:8000/ as process {os.getpid()}, with the same data: open that "
        f"address, stop it (kill {os.getpid()}), or give this one a folder and a port of its own: "
        f"PBXADMIN_VAR={tmp_path}-2 ./run --port {free}\n"
    )


def test_valkey_listens_on_a_private_socket_and_nowhere_else(tmp_path: Path) -> None:
    far = tmp_path / ("a-long-name-" * 8)
    folder = launcher.socket_folder(far)
    assert folder != far
    assert folder.stat().st_mode & 0o777 == 0o700
    command, url = launcher.valkey_command(folder)
    valkey = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        path = Path(url.removeprefix("redis+socket://"))
        eventually(path.exists)
        assert path.stat().st_mode & 0o777 == 0o700
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(str(path))
            line.sendall(b"CONFIG GET port\r\n")
            assert line.recv(100).split()[-1] == b"0"
    finally:
        valkey.terminate()
        valkey.wait()
        folder.rmdir()


def test_a_socket_that_a_killed_server_left_behind_is_free_again(tmp_path: Path) -> None:
    folder = launcher.socket_folder(tmp_path)
    killed = "import os, signal, socket, sys; s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); os.kill(os.getpid(), signal.SIGKILL)"
    left = folder / "pages.sock"
    subprocess.run([sys.executable, "-c", killed, str(left)], check=False)
    assert left.exists()
    with socket.socket(socket.AF_UNIX) as line:
        line.bind(str(launcher.free_socket(folder, "pages")))


def test_a_command_knows_the_address_of_the_portal_that_runs_with_its_data_and_of_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    run.mkdir()
    monkeypatch.delenv("PUBLIC_URL", raising=False)
    assert address.public_address(tmp_path) == ""
    with launcher.only_one(run, "http://127.0.0.1:8123"):
        assert address.public_address(tmp_path) == "http://127.0.0.1:8123"
    assert address.public_address(tmp_path) == "", "it has ended, and its lock stays there"
    monkeypatch.setenv("PUBLIC_URL", "https://portal.example")
    with launcher.only_one(run, "http://127.0.0.1:8123"):
        assert address.public_address(tmp_path) == "https://portal.example", "as people outside call it"


def test_another_terminal_finds_the_phone_system_as_long_as_the_launcher_runs(tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    where = {"SIP_SERVER": "127.0.0.1", "SIP_PORT": "5062", "SIP_TLS_PORT": "5063"}
    with launcher.only_one(run, "http://127.0.0.1:8123"):
        assert address.phone_system(tmp_path) == {}
        address.tell_phone_system(tmp_path, where)
        assert address.phone_system(tmp_path) == where
        kept = {name: text for name, text in os.environ.items() if name not in where}
        code = (
            "from pbxadmin.settings import development as d; print(d.SIP_SERVER, d.SIP_PORT, d.SIP_TLS_PORT)"
        )
        environment = kept | {
            "PBXADMIN_VAR": str(tmp_path),
            "DJANGO_SETTINGS_MODULE": "pbxadmin.settings.development",
        }
        said = subprocess.run(
            [sys.executable, "-c", code],
            env=environment,
            cwd=processes.ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        assert said.stdout.split() == list(where.values())
        address.tell_phone_system(tmp_path, {})
        assert address.phone_system(tmp_path) == {}, "one without calls began"
        address.tell_phone_system(tmp_path, where)
    assert address.phone_system(tmp_path) == {}, "it has ended, and its file stays there"


def test_who_has_the_providers_place_already_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "has_softphone", lambda: True)
    ports = calls.Ports("127.0.0.1", 5060, 5061, 5038, 8088, 8188)
    assert "127.0.0.2:5080" not in calls.greeting(ports, "")
    text = calls.greeting(ports, "", provider=False)
    assert "Another program has 127.0.0.2:5080" in text
    assert "softphone --provider" in text


def test_the_greeting_names_the_address_and_the_accounts_or_how_to_make_the_first() -> None:
    account = {"login": "102@boreale.example.com", "password": "s3cret", "who": "Félix Gagnon"}
    text = launcher.greeting("http://127.0.0.1:8000", {"accounts": [account]}, Path("var/log"))
    assert "http://127.0.0.1:8000/" in text
    assert "102@boreale.example.com" in text
    assert "s3cret" in text
    assert "manage.py support_account EMAIL" in launcher.greeting(
        "http://127.0.0.1:8000", {}, Path("var/log")
    )


def takes_sigterm(pid: int) -> bool:
    """Whether a process has a handler of its own for SIGTERM."""
    caught = next(
        line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("SigCgt:")
    )
    return bool(int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1)


@pytest.mark.slow("starts a web server with the whole portal in it")
@pytest.mark.parametrize("name", ["front", "pages"])
def test_a_web_server_that_is_stopped_while_it_starts_ends_at_once(name: str, tmp_path: Path) -> None:
    folder = launcher.socket_folder(tmp_path)
    command = {
        "front": launcher.front_command("127.0.0.1", free_port()),
        "pages": launcher.granian("wsgi", "pbxadmin.wsgi:application", "--uds", str(folder / "pages.sock")),
    }[name]
    log = tmp_path / "log"
    with log.open("wb") as said:
        server = subprocess.Popen(command, cwd=processes.ROOT, stdout=said, stderr=said)
    try:
        children = Path(f"/proc/{server.pid}/task/{server.pid}/children")
        until(lambda: b"Spawning worker-1" in log.read_bytes())
        worker = until(lambda: next((int(pid) for pid in children.read_text().split() if b"tracker" not in
            Path(f"/proc/{pid}/cmdline").read_bytes()), 0))  # fmt: skip
        # It reads the portal in, which takes longer than anything before.
        deadline = time.monotonic() + 10
        while takes_sigterm(worker):
            assert time.monotonic() < deadline
        server.terminate()
        server.wait(10)
    finally:
        server.kill()
        server.wait()
    assert "Stopped worker-1" in log.read_text()
    assert "Killing" not in log.read_text()
