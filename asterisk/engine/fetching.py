"""Where there is an Asterisk to run: the machine's own, or Debian testing's, unpacked into a folder without touching the machine."""

import contextlib
import errno
import fcntl
import getpass
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

OLDEST = 22
# Debian's stable releases have no Asterisk.
SUITE = "forky"
PACKAGES = [
    "asterisk",
    "asterisk-core-sounds-fr-wav",
    "asterisk-core-sounds-en-wav",
    "asterisk-moh-opsound-wav",
]
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
SYSTEM = Path("/")
ROOM = 700_000_000  # bytes: what is downloaded, what is unpacked, and the lists meanwhile
RELEASE = re.compile(r"Asterisk (\d+)\.\S+")


class EngineError(Exception):
    """Why there is no engine; one sentence for whoever runs it."""


@dataclass(frozen=True)
class Installed:
    """An Asterisk that can be started: the program, with what has to stand before it, and the folders of its parts."""

    program: tuple[str, ...]
    modules: Path
    data: Path
    root: Path

    @property
    def release(self) -> str:
        """What it says it is: "Asterisk 22.10.1…"; raises `EngineError` where it is too old, or can't run."""
        try:
            said = subprocess.run(  # noqa: S603 - what was fetched, without a shell
                [*self.program, "-V"], capture_output=True, text=True, check=False
            )
        except OSError as error:
            raise EngineError(f"{self.program[0]} can't be run: {error.strerror}.") from error
        release = said.stdout.strip()
        if not (found := RELEASE.match(release)):
            raise EngineError(
                f"{self.program[-1]} doesn't say its release: {(said.stderr or release).strip()[:200]}"
            )
        if int(found[1]) < OLDEST:
            raise EngineError(f"{release} is too old: {OLDEST} or newer is needed.")
        return release


def system_asterisk(system: Path = SYSTEM) -> Installed | None:
    """The machine's own Asterisk, where there is one and it is new enough."""
    for folder in ("usr/sbin", "usr/local/sbin"):
        program = system / folder / "asterisk"
        modules = next(system.glob("usr/lib/*/asterisk/modules"), system / "usr/lib/asterisk/modules")
        data = system / "usr/share/asterisk"
        if not (data / "documentation").exists():
            data = system / "var/lib/asterisk"
        installed = Installed((str(program),), modules, data, system)
        with contextlib.suppress(EngineError):
            if program.exists() and installed.release:
                return installed
    return None


def unpacked(folder: Path) -> Installed | None:
    """The Asterisk that was unpacked in `folder`; None where there is none, or only half of one."""
    root = folder / "root"
    loader = next(iter([*root.glob("usr/lib64/ld-linux*.so.*"), *root.glob("usr/lib/ld-linux*.so.*")]), None)
    modules = next(root.glob("usr/lib/*/asterisk/modules"), None)
    if loader is None or modules is None:
        return None
    # Not LD_LIBRARY_PATH: what Asterisk starts stays with the machine's libraries.
    libraries = f"{modules.parents[1]}:{root / 'usr/lib'}"
    program = (str(loader), "--library-path", libraries, str(root / "usr/sbin/asterisk"))
    return Installed(program, modules, root / "usr/share/asterisk", root)


def fetch(
    folder: Path, say: Callable[[str], None] = lambda text: None, *, system: Path = SYSTEM
) -> Installed:
    """The machine's own Asterisk, or the one in `folder`, which is fetched where it isn't there yet.

    It may be ended at any moment and called again, also by several at a time. Raises `EngineError`.
    """
    if found := system_asterisk(system) or unpacked(folder):
        return found
    with _only_one(folder):
        if found := unpacked(folder):
            return found
        say(f"Fetching Asterisk from Debian {SUITE} (110 MB) into {folder}...")
        _download(folder, debian_mirror(system))
        return _unpack(folder)


def debian_mirror(system: Path = SYSTEM) -> Mapping[str, str]:
    """Where this machine takes Debian from, and by which keys it trusts it: `URIs` and `Signed-By`."""
    folder = system / "etc/apt"
    facts = (system / "etc/os-release").read_text() if (system / "etc/os-release").exists() else ""
    release = re.search(r'^VERSION_CODENAME="?(\w+)', facts, re.M)
    if not re.search(r'^ID="?debian"?$', facts, re.M) or release is None:
        raise EngineError(
            f"there is no Asterisk {OLDEST}, and only on Debian can one be fetched; install one on this machine."
        )
    for source in _sources(folder):
        if release[1] in source.get("Suites", "").split() and "main" in source.get("Components", "").split():
            return {"URIs": source["URIs"], "Signed-By": source.get("Signed-By") or KEYRING}
    raise EngineError(f"no source of Debian {release[1]} stands in {folder}.")


def _sources(folder: Path) -> Iterator[dict[str, str]]:
    """Each source of packages, whichever of the two ways it is written."""
    for path in sorted(folder.glob("sources.list.d/*.sources")):
        text = "".join(line for line in path.read_text().splitlines(True) if not line.startswith("#"))
        for stanza in re.split(r"\n\s*\n", text):
            yield dict(re.findall(r"^([\w-]+):[ \t]*(.*(?:\n[ \t].*)*)", stanza, re.M))
    for path in [folder / "sources.list", *sorted(folder.glob("sources.list.d/*.list"))]:
        for line in path.read_text().splitlines() if path.exists() else []:
            if found := re.match(r"deb\s+(?:\[(.*?)\]\s+)?(\S+)\s+(\S+)\s+(.+)", line):
                key = re.search(r"signed-by=(\S+)", found[1] or "")
                yield {
                    "URIs": found[2],
                    "Suites": found[3],
                    "Components": found[4],
                    "Signed-By": key[1] if key else "",
                }


@contextlib.contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / "lock").open("w")
    except OSError as error:
        raise EngineError(f"nothing can be written into {folder}: {error.strerror}.") from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            raise EngineError(f"{folder} {'is full' if full else f'fails: {error.strerror}'}.") from error


def _download(folder: Path, mirror: Mapping[str, str]) -> None:
    for program in ("apt-get", "dpkg-deb"):
        if shutil.which(program) is None:
            raise EngineError(f"{program} is missing, with which Asterisk is fetched.")
    if shutil.disk_usage(folder).free < ROOM:
        raise EngineError(
            f"{folder} is full: Asterisk takes {ROOM // 1_000_000} MB there while it is fetched."
        )
    apt = folder / "apt"
    for name in ("state/lists/partial", "cache/archives/partial", "etc/preferences.d"):
        (apt / name).mkdir(parents=True, exist_ok=True)
    (apt / "state/status").touch()
    (apt / "etc/debian.sources").write_text(
        f"Types: deb\nURIs: {mirror['URIs']}\nSuites: {SUITE}\nComponents: main\nSigned-By: {mirror['Signed-By']}\n"
    )
    (apt / "apt.conf").write_text(f"""\
Dir::State "{apt}/state"; Dir::State::status "{apt}/state/status"; Dir::Cache "{apt}/cache";
Dir::Etc::sourcelist "/dev/null"; Dir::Etc::sourceparts "{apt}/etc"; Dir::Etc::preferencesparts "{apt}/etc/preferences.d";
APT::Install-Recommends "false"; Acquire::Languages "none"; APT::Sandbox::User "{getpass.getuser()}";
Acquire::Retries "3"; Acquire::http::Timeout "30"; Acquire::https::Timeout "30";
#clear APT::Update::Post-Invoke; #clear APT::Update::Post-Invoke-Success; #clear DPkg::Post-Invoke;
""")
    apt_get = ["apt-get", "-q", "-y", "-o", "APT::Update::Error-Mode=any"]
    _run([*apt_get, "update"], apt)
    _run([*apt_get, "--download-only", "install", *PACKAGES], apt)
    # Testing moves: what an earlier attempt left of another day isn't unpacked over today's.
    _run([*apt_get, "autoclean"], apt)


def _run(command: list[str], apt: Path) -> None:
    """Raises `EngineError` with the program's own reason."""
    environment = os.environ | {"APT_CONFIG": str(apt / "apt.conf"), "LC_ALL": "C.UTF-8"}
    done = subprocess.run(  # noqa: S603 - our own commands, without a shell
        command, env=environment, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"code {done.returncode}"]
        reasons = [line for line in said if line.startswith("E: ")] or said
        raise EngineError(f"{' '.join(command[:1])} failed: {reasons[0].removeprefix('E: ')}")


def _unpack(folder: Path) -> Installed:
    """Unpacked beside, and put into its place in one step: there is never half an Asterisk."""
    half = folder / "half"
    shutil.rmtree(half, ignore_errors=True)
    (half / "root").mkdir(parents=True)
    for package in sorted((folder / "apt/cache/archives").glob("*.deb")):
        _run(["dpkg-deb", "-x", str(package), str(half / "root")], folder / "apt")
    if (complete := unpacked(half)) is None:
        raise EngineError(f"the packages in {folder} hold no Asterisk.")
    _ = complete.release
    shutil.rmtree(folder / "root", ignore_errors=True)
    (half / "root").rename(folder / "root")
    shutil.rmtree(half, ignore_errors=True)
    installed = unpacked(folder)
    assert installed is not None
    return installed
