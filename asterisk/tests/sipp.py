"""sipp for what pjsua2 is too slow or too well-behaved for: load, and answers that no telephone gives.

Scenarios in `asterisk/tests/sipp/`: register, call (phones that call), answer (phones that are called), refuse (one final code), provider (asks for a
password), registrar. `run` plays one to its end and counts; `playing` keeps one beside a test. A NOTIFY that nobody asked for (waiting messages) counts as a
call that failed: whom sipp plays should have no mailbox.
"""

import csv
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# What sipp wants to know before it begins.
WRITTEN = ("status", "lasting")
SCENARIOS = Path(__file__).with_name("sipp")


@dataclass(frozen=True)
class User:
    """Who registers or calls, and whom they call."""

    number: str
    domain: str
    auth_id: str
    password: str
    callee: str = ""

    def line(self) -> str:
        """As sipp reads it."""
        secret = f"[authentication username={self.auth_id} password={self.password}]"
        return ";".join([self.number, self.domain, secret, self.callee])


@dataclass(frozen=True)
class Counted:
    """What a run came to. Times are sipp's own means, in milliseconds; `rate` is how many a second it came to on the whole."""

    successful: int
    failed: int
    retransmissions: int
    seconds: float
    mean_ms: float
    spread: dict[str, int]  # of the response time: "<10", "<20", … and how many

    @property
    def rate(self) -> float:
        """Successful ones a second."""
        return self.successful / self.seconds if self.seconds else 0.0


def command(
    scenario: str, folder: Path, *, address: str, port: int, keys: dict[str, str], more: Sequence[str]
) -> list[str]:
    """sipp as it is called; nothing secret stands there, users are read from a file."""
    keys = {"status": "[status]", "lasting": "1", **keys}
    played = folder / "scenario.xml"
    text = (SCENARIOS / f"{scenario}.xml").read_text()
    for name in WRITTEN:
        text = text.replace(f"[{name}]", keys.pop(name))
    played.write_text(text)
    # Whoever registers again does so in the same call, which sipp would take for one that is over.
    found = ["sipp", "-sf", str(played), "-i", address, "-mi", address, "-nostdin", "-deadcall_wait", "0"]
    found += ["-trace_stat", "-stf", str(folder / "counted.csv"), "-fd", "1"]
    found += ["-trace_err", "-error_file", str(folder / "errors.log")]
    if port:
        found += ["-p", str(port)]
    for name, value in keys.items():
        found += ["-key", name, value]
    return [*found, *more]


def counted(folder: Path) -> Counted:
    """What sipp counted, from its last line."""
    with (folder / "counted.csv").open() as file:
        last = list(csv.DictReader(file, delimiter=";"))[-1]
    began, ended = (float(last[name].split()[-1]) for name in ("StartTime", "CurrentTime"))
    spread = [name for name in last if name and "Repartition" in name and re.search("_[<>]", name)]
    mean = next(
        (last[name] for name in last if name and re.fullmatch(r"ResponseTime(?!Rep).*(?<!StDev)\(C\)", name)),
        "",
    )
    return Counted(
        successful=int(last["SuccessfulCall(C)"]),
        failed=int(last["FailedCall(C)"]),
        retransmissions=int(last["Retransmissions(C)"]),
        seconds=ended - began,
        mean_ms=_milliseconds(mean),
        spread={name.rpartition("_")[2]: int(last[name] or 0) for name in spread},
    )


def _milliseconds(text: str) -> float:
    hours, minutes, seconds, micro = ([*text.split(":"), "0", "0", "0", "0"] if text else ["0"] * 4)[:4]
    return (int(hours) * 3600 + int(minutes) * 60 + int(seconds)) * 1000 + int(micro or 0) / 1000


def run(
    scenario: str,
    server: tuple[str, int],
    users: Sequence[User],
    *,
    count: int = 0,
    rate: int = 10,
    lasting_ms: int = 0,
    address: str = "127.0.0.1",
    port: int = 0,
    keys: dict[str, str] | None = None,
    at_once: int = 0,
    within: float = 120,
) -> Counted:
    """Play a scenario to its end: `count` calls (as many as there are users), `rate` a second, each `lasting_ms`, at most `at_once` at a time."""
    with tempfile.TemporaryDirectory(prefix="sipp-") as name:
        folder = Path(name)
        _users(folder / "users.csv", users)
        more = [
            "-inf",
            str(folder / "users.csv"),
            "-m",
            str(count or len(users)),
            "-r",
            str(rate),
            "-d",
            str(lasting_ms),
        ]
        more += ["-l", str(at_once)] if at_once else []
        more += ["-oocsf", str(SCENARIOS / "heard.xml")]
        more += ["-timeout", f"{within:.0f}s", "-timeout_error", f"{server[0]}:{server[1]}"]
        line = command(
            scenario,
            folder,
            address=address,
            port=port,
            keys={"expires": "300", "lasting": str(max(1, lasting_ms))} | (keys or {}),
            more=more,
        )
        with (folder / "screen").open("wb") as screen:
            # 0: all went well, 1: some failed; whatever else: it didn't play at all.
            done = subprocess.run(
                line,
                stdin=subprocess.DEVNULL,
                stdout=screen,
                stderr=subprocess.STDOUT,
                timeout=within + 10,
                check=False,
            )
        if done.returncode not in (0, 1) or not (folder / "counted.csv").exists():
            raise RuntimeError(
                f"sipp ended with {done.returncode}: {(folder / 'screen').read_text(errors='replace')[-2000:]}"
            )
        return counted(folder)


def _users(path: Path, users: Sequence[User]) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
        file.write("\n".join(["SEQUENTIAL", *(user.line() for user in users), ""]))


class Playing:
    """A sipp that waits for calls."""

    def __init__(self, folder: Path, process: "subprocess.Popen[bytes]") -> None:
        self.folder, self.process = folder, process

    def ended(self, within: float = 10) -> Counted:
        """Once it has had its calls; what it counted."""
        self.process.wait(within)
        return counted(self.folder)


@contextmanager
def playing(
    scenario: str,
    port: int,
    *,
    address: str = "127.0.0.1",
    keys: dict[str, str] | None = None,
    lasting_ms: int = 0,
    count: int = 0,
) -> Iterator[Playing]:
    """Keep whoever is called at `address`:`port` beside a test; with `count` it ends by itself after so many calls."""
    with tempfile.TemporaryDirectory(prefix="sipp-") as name:
        folder = Path(name)
        more = ["-d", str(lasting_ms), *(["-m", str(count)] if count else [])]
        line = command(
            scenario,
            folder,
            address=address,
            port=port,
            keys={"more": "X-Nothing: 0"} | (keys or {}),
            more=more,
        )
        options: dict[str, Any] = {
            "stdin": subprocess.DEVNULL,
            "stdout": subprocess.DEVNULL,
            "stderr": subprocess.DEVNULL,
        }
        process = subprocess.Popen(line, **options)
        try:
            yield Playing(folder, process)
        finally:
            process.terminate()
            process.wait()
