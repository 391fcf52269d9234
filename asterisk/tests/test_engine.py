"""`./engine` without an Asterisk: where one is taken from, what is said where none can be had, and the configuration it would get."""

import os
import re
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from asterisk.engine import fetching
from asterisk.engine.configuration import (
    DEFAULTS,
    TEMPLATES,
    Folders,
    configure,
    refuse_a_wrong_certificate,
    rendered,
)
from asterisk.engine.fetching import EngineError, Installed, debian_mirror, fetch, unpacked
from asterisk.engine.ports import UDP_AND_TCP, free_port, free_ports, is_free
from pbxadmin.run.processes import ROOT

pytestmark = pytest.mark.slow("starts Python again and again")

SOURCES = """\
Types: deb
# a copy of that day
URIs: https://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/ours.gpg

Types: deb
URIs: https://mirror.example/security
Suites: bookworm-security
Components: main
"""
DEBIAN = 'ID=debian\nVERSION_CODENAME=bookworm\nVERSION_ID="12"\n'


def machine(
    folder: Path, sources: str = SOURCES, release: str = DEBIAN, file: str = "debian.sources"
) -> Path:
    """A machine's files, as far as fetching looks at them."""
    parts = folder / "machine/etc/apt/sources.list.d"
    parts.mkdir(parents=True)
    (parts / file).write_text(sources)
    (folder / "machine/etc/os-release").write_text(release)
    return folder / "machine"


def program(path: Path, says: str) -> Path:
    """A program that says something."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{says}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the tests put what stands for apt-get and dpkg-deb."""
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setattr(fetching, "ROOM", 1)
    program(tmp_path / "bin/dpkg-deb", "exit 1")
    return tmp_path / "bin/apt-get"


class TestWhereItComesFrom:
    """Debian's own, by the keys that this machine trusts."""

    def test_the_mirror_is_the_one_that_this_machine_uses(self, tmp_path: Path) -> None:
        mirror = debian_mirror(machine(tmp_path))
        assert mirror == {
            "URIs": "https://mirror.example/debian",
            "Signed-By": "/usr/share/keyrings/ours.gpg",
        }

    def test_sources_on_one_line_are_read_too(self, tmp_path: Path) -> None:
        line = "deb [arch=amd64 signed-by=/k.gpg] https://mirror.example/d bookworm main\n"
        assert debian_mirror(machine(tmp_path, line, file="debian.list")) == {
            "URIs": "https://mirror.example/d",
            "Signed-By": "/k.gpg",
        }

    @pytest.mark.parametrize(
        ("sources", "release", "why"),
        [
            (SOURCES, 'ID="fedora"\nVERSION_CODENAME=""\n', "only on Debian"),
            ("", DEBIAN, "no source of Debian bookworm"),
            (SOURCES.replace("bookworm bookworm-updates", "trixie"), DEBIAN, "no source of Debian bookworm"),
        ],
        ids=["another distribution", "no sources", "sources of another release"],
    )
    def test_where_there_is_none_one_line_says_so(
        self, tmp_path: Path, sources: str, release: str, why: str
    ) -> None:
        with pytest.raises(EngineError, match=why) as said:
            fetch(tmp_path / "engine", system=machine(tmp_path, sources, release))
        assert "\n" not in str(said.value)

    def test_the_machines_own_is_taken_where_it_is_new_enough(self, tmp_path: Path) -> None:
        system = machine(tmp_path)
        own = program(system / "usr/sbin/asterisk", "echo Asterisk 23.1.0")
        assert fetch(tmp_path / "engine", system=system).program == (str(own),)
        assert not (tmp_path / "engine").exists()

    def test_an_old_one_is_not_taken(self, tmp_path: Path) -> None:
        old = program(tmp_path / "machine/usr/sbin/asterisk", "echo Asterisk 20.4.0")
        assert fetching.system_asterisk(tmp_path / "machine") is None
        with pytest.raises(EngineError, match=r"Asterisk 20\.4\.0 is too old: 22 or newer is needed"):
            _ = Installed((str(old),), tmp_path, tmp_path, tmp_path).release


class TestWhenFetchingFails:
    """One clear line, and the next attempt goes on."""

    @pytest.mark.parametrize(
        ("said", "why"),
        [
            ("E: Failed to fetch https://mirror.example/debian  Could not resolve", "Failed to fetch"),
            ("E: The repository isn't signed.", "isn't signed"),
            ("E: You don't have enough free space in /x.", "enough free space"),
        ],
        ids=["no network", "no signature", "disk full"],
    )
    def test_the_reason_is_apts(self, apt: Path, tmp_path: Path, said: str, why: str) -> None:
        program(apt, f'echo "W: something else" >&2; echo "{said}" >&2; exit 100')
        with pytest.raises(EngineError, match=why) as error:
            fetch(tmp_path / "engine", system=machine(tmp_path))
        assert "\n" not in str(error.value)
        assert unpacked(tmp_path / "engine") is None

    def test_a_package_that_can_not_be_unpacked_leaves_no_half_of_an_asterisk(
        self, apt: Path, tmp_path: Path
    ) -> None:
        program(apt, "exit 0")
        archives = tmp_path / "engine/apt/cache/archives"
        archives.mkdir(parents=True)
        (archives / "asterisk.deb").write_bytes(b"half")
        with pytest.raises(EngineError, match="dpkg-deb failed"):
            fetch(tmp_path / "engine", system=machine(tmp_path))
        assert unpacked(tmp_path / "engine") is None
        assert (archives / "asterisk.deb").exists(), "what was downloaded is kept"

    def test_without_room_nothing_is_downloaded(
        self, apt: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        program(apt, "echo asked >&2; exit 100")
        monkeypatch.setattr(fetching, "ROOM", 2**60)
        with pytest.raises(EngineError, match="is full"):
            fetch(tmp_path / "engine", system=machine(tmp_path))

    def test_without_apt_one_line_says_what_is_missing(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(EngineError, match="apt-get is missing"):
            fetch(tmp_path / "engine", system=machine(tmp_path))


class TestItsConfiguration:
    """`deploy/asterisk/` with a node's own values."""

    def test_it_is_short(self) -> None:
        lines = [line.strip() for path in TEMPLATES.iterdir() for line in path.read_text().splitlines()]
        assert len([line for line in lines if line and not line.startswith(";")]) < 300

    def test_nothing_grows_stale_which_would_have_it_forgotten_while_the_portal_is_away(self) -> None:
        rows = [line for line in (TEMPLATES / "sorcery.conf").read_text().splitlines() if "_cache," in line]
        assert rows
        assert not any("stale" in line for line in rows)

    def test_nothing_is_left_to_fill_in_and_only_its_owner_reads_it(self, tmp_path: Path) -> None:
        installed = Installed(("asterisk",), tmp_path / "modules", tmp_path / "data", tmp_path)
        folders = Folders(tmp_path / "node")
        values = configure(folders, installed, {"NODE_TOKEN": "t0k3n", "SIP_PORT": "5070"})
        for path in folders.etc.iterdir():
            assert not re.search(r"@[A-Z][A-Z_]*@", path.read_text()), path
            assert path.stat().st_mode & 0o077 == 0, path
        assert "Authorization: Bearer t0k3n\n" in (folders.etc / "res_curl.conf").read_text()
        assert values["NODE_PASSWORD"] in (folders.etc / "manager.conf").read_text()
        assert "load = app_dial.so\n" in (folders.etc / "modules.conf").read_text()
        assert (folders.spool / "voicemail").resolve() == folders.spool / "recording/voicemail"

    def test_every_value_has_a_place(self) -> None:
        templates = "".join(path.read_text() for path in TEMPLATES.iterdir())
        unused = [name for name in DEFAULTS if f"@{name}@" not in templates]
        assert unused == []

    @pytest.mark.parametrize("value", ["a\nb", "a;b", "a\x00"])
    def test_a_value_stays_one_value_of_one_line(self, value: str) -> None:
        with pytest.raises(EngineError, match="NODE_NAME has a character"):
            rendered("systemname = @NODE_NAME@", {"NODE_NAME": value})


class TestPorts:
    """Asterisk says nothing of a port that is taken."""

    def test_a_port_that_somebody_holds_is_not_chosen(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as held:
            held.bind(("127.0.0.1", 0))
            port = held.getsockname()[1]
            assert not is_free(port, UDP_AND_TCP)
            assert free_port(UDP_AND_TCP, wanted=port) > port

    def test_those_of_one_asterisk_differ(self) -> None:
        assert len(set(free_ports().values())) == 4

    def test_one_that_was_given_is_given_to_nobody_else_and_the_system_has_none_of_them(self) -> None:
        asking = "from asterisk.engine.ports import free_port; print(*(free_port() for _ in range(500)), flush=True); input()"
        with ExitStack() as running:
            given: list[int] = []
            for _ in range(3):
                process = running.enter_context(
                    subprocess.Popen(
                        [sys.executable, "-c", asking], cwd=ROOT, text=True,
                        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                    )
                )  # fmt: skip
                assert process.stdout is not None
                given += map(int, process.stdout.readline().split())
        assert len(given) == len(set(given)) == 1_500
        first_of_the_system = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0]
        assert int(DEFAULTS["RTP_LAST"]) < min(given) <= max(given) < int(first_of_the_system)


def test_the_command_says_in_one_line_that_nothing_runs(tmp_path: Path) -> None:
    environment = os.environ | {"PBXADMIN_ENGINE": str(tmp_path / "engine"), "PBXADMIN_NODE": str(tmp_path)}
    for command in ("status", "stop", "console"):
        done = subprocess.run(
            [sys.executable, "-m", "asterisk.engine", command],
            cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 2
        assert re.fullmatch(
            r"pbxadmin: (there is no Asterisk yet: ./engine fetch|no Asterisk runs in .*)\n", done.stderr
        )


def test_a_certificate_that_is_not_the_keys_or_can_not_be_read_is_said_before_asterisk_starts_without_tls(
    tmp_path: Path,
) -> None:
    for name in ("one", "other"):
        command = f"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN={name} -keyout {name}.key -out {name}.pem"
        subprocess.run(command.split(), cwd=tmp_path, check=True, capture_output=True)
    subprocess.run(
        ["openssl", "rsa", "-aes128", "-passout", "pass:x", "-in", "one.key", "-out", "locked.key"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    good = str(tmp_path / "one.pem"), str(tmp_path / "one.key")
    refuse_a_wrong_certificate(*good)
    for certificate, key in (
        (good[0], good[0]), (good[0], str(tmp_path / "other.key")), (good[0], str(tmp_path / "nowhere")), (str(tmp_path), good[1]),
        (good[1], good[1]), (good[0], str(tmp_path / "locked.key")),
    ):  # fmt: skip
        with pytest.raises(
            EngineError, match=f"TLS_CERTIFICATE {certificate} with TLS_KEY {key} can't be used: ."
        ) as refused:
            refuse_a_wrong_certificate(certificate, key)
        assert "\n" not in str(refused.value)
