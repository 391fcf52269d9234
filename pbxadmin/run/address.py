"""Where the portal of a data folder answers now: what its launcher wrote there, as long as that runs."""

import fcntl
from pathlib import Path

LOCK = "launcher.lock"


def written(process: int, address: str, public: str) -> str:
    """What a launcher writes into its lock: its process, where it listens, and how people outside call that."""
    return f"{process} {address} {public}"


def read(text: str) -> tuple[str, str, str]:
    """Process, address and public address; "" for what isn't there."""
    process, address, public = [*text.split(), "", "", ""][:3]
    return process, address, public


def public_address(var: Path) -> str:
    """The public address of the portal that runs with this data folder; "" where none does."""
    try:
        with (var / "run" / LOCK).open() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return read(lock.read())[2]
    except OSError:
        return ""
    return ""  # nobody holds it: whoever did has ended
