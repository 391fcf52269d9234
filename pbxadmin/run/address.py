"""Where the portal of a data folder answers now: what its launcher wrote there, as long as that runs."""

import fcntl
from collections.abc import Mapping
from pathlib import Path

LOCK = "launcher.lock"
PHONE_SYSTEM = "phone_system"


def written(process: int, address: str, public: str) -> str:
    """What a launcher writes into its lock: its process, where it listens, and how people outside call that."""
    return f"{process} {address} {public}"


def read(text: str) -> tuple[str, str, str]:
    """Process, address and public address; "" for what isn't there."""
    process, address, public = [*text.split(), "", "", ""][:3]
    return process, address, public


def public_address(var: Path) -> str:
    """The public address of the portal that runs with this data folder; "" where none does."""
    return read(_held(var))[2]


def tell_phone_system(var: Path, values: Mapping[str, str]) -> None:
    """Write down where the phone system of a launcher is, by the names of the settings; nothing where it starts none."""
    (var / "run" / PHONE_SYSTEM).write_text("".join(f"{name}={text}\n" for name, text in values.items()))


def phone_system(var: Path) -> dict[str, str]:
    """Where the phone system is that runs with this data folder, by the names of the settings; empty where none does."""
    if not _held(var):
        return {}
    try:
        lines = (var / "run" / PHONE_SYSTEM).read_text().splitlines()
    except OSError:
        return {}
    return {name: text for name, sign, text in (line.partition("=") for line in lines) if sign}


def _held(var: Path) -> str:
    """What the launcher that runs with this data folder wrote into its lock; "" where none does."""
    try:
        with (var / "run" / LOCK).open() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return lock.read()
    except OSError:
        return ""
    return ""  # nobody holds it: whoever did has ended
