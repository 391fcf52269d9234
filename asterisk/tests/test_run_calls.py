"""`./run --calls`: the portal and an Asterisk from one command, and nothing of either left afterwards."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from asterisk.engine.__main__ import store
from asterisk.engine.fetching import Installed
from asterisk.engine.ports import UDP_AND_TCP, free_port, is_free
from pbxadmin.run.processes import ROOT
from phones.tests.processes import wait_until

pytestmark = pytest.mark.calls


def options(port: int) -> str:
    """What whoever listens there for SIP says to OPTIONS; "" where nobody does."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sip:
        sip.settimeout(0.5)  # after which a phone sends it again
        sip.bind(("127.0.0.1", 0))
        me = "{}:{}".format(*sip.getsockname())
        mark = os.urandom(6).hex()  # the same again would be the same request
        lines = [
            "OPTIONS sip:127.0.0.1 SIP/2.0", f"Via: SIP/2.0/UDP {me};branch=z9hG4bK{mark};rport", f"From: <sip:a@{me}>;tag=a",
            "To: <sip:127.0.0.1>", f"Call-ID: {mark}", "CSeq: 1 OPTIONS", "Max-Forwards: 70", "Content-Length: 0", "", "",
        ]  # fmt: skip
        sip.sendto("\r\n".join(lines).encode(), ("127.0.0.1", port))
        with contextlib.suppress(OSError):
            return sip.recv(4000).decode().splitlines()[0]
    return ""


class Run:
    """`./run --calls` with a folder and ports of its own."""

    def __init__(self, folder: Path) -> None:
        self.var, self.output = folder / "var", folder / "output"
        self.port, self.sip = free_port(), free_port(UDP_AND_TCP)
        kept = {
            name: text
            for name, text in os.environ.items()
            if name not in ("DATABASE_URL", "CELERY_BROKER_URL", "CACHE_URL")
        }
        environment = kept | {
            "PBXADMIN_VAR": str(self.var), "DJANGO_SETTINGS_MODULE": "pbxadmin.settings.development",
            "PBXADMIN_ENGINE": str(store()), "SIP_PORT": str(self.sip),
        }  # fmt: skip
        command = [
            sys.executable,
            "-P",
            "pbxadmin/run/launcher.py",
            "--calls",
            "--no-demo",
            "--port",
            str(self.port),
        ]
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)

    def said(self) -> str:
        """What it printed."""
        return self.output.read_text()

    def asterisk(self) -> int:
        """The process of its Asterisk; 0 while there is none."""
        with contextlib.suppress(OSError, ValueError):
            return int((self.var / "node/run/asterisk.pid").read_text())
        return 0


@pytest.fixture
def run(asterisk: Installed, tmp_path: Path) -> Iterator[Run]:
    """It, once it says that it is ready."""
    made = Run(tmp_path)
    try:
        wait_until(
            lambda: "Ctrl-C" in made.said() or made.process.poll() is not None, 120, "./run --calls is ready"
        )
        assert made.process.poll() is None, made.said()
        yield made
    finally:
        made.process.kill()
        made.process.wait()


def test_it_says_where_phones_find_it_brings_asterisk_back_and_leaves_nothing(run: Run) -> None:
    assert f"Calls: SIP at 127.0.0.1:{run.sip} (UDP, TCP)" in run.said()
    assert "manage.py softphone 101" in run.said()
    wait_until(lambda: options(run.sip).startswith("SIP/2.0 "), 5, "Asterisk answers")
    before = run.asterisk()
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: run.asterisk() not in (0, before) and options(run.sip), 20, "Asterisk is back")
    assert run.said().count("engine was ended by SIGKILL; starting it again") == 1
    token = (run.var / "node/etc/res_curl.conf").read_text().rpartition("Bearer ")[2].strip()
    assert len(token) > 20
    assert not [log for log in (run.var / "log").iterdir() if token in log.read_text(errors="replace")]
    run.process.send_signal(signal.SIGINT)
    assert run.process.wait(30) == 0
    assert is_free(run.sip, UDP_AND_TCP)
