"""The sounds that greetings are tested with: made once, and judged once, whichever process asks first."""

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from voicemail.tests.audio.make import make


def once(factory: pytest.TempPathFactory, name: str, fill: Callable[[Path], None]) -> Path:
    """A folder for all processes of this run (xdist's workers have a common one), filled by the first that asks."""
    base = factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = base / name
    with (base / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            half = base / f"{name}.half"
            half.mkdir()
            fill(half)
            half.rename(folder)
    return folder


@pytest.fixture(scope="session")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of all files of `expect.json`."""

    def fill(folder: Path) -> None:
        make(folder)
        # It names the folder that it was made in, which has another name from now on.
        playlist = folder / "x_hls_canary.mp3"
        playlist.write_text(playlist.read_text().replace(f"{folder}/", f"{folder.parent / 'sounds'}/"))

    return once(tmp_path_factory, "sounds", fill)


@pytest.fixture(scope="session")
def judged(sounds: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the greetings that these files became, and of what is said of them (`verdicts.json`)."""

    def fill(folder: Path) -> None:
        (temporary := folder / "temporary").mkdir()
        subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "voicemail.tests.audio.judge", sounds, folder],
            check=True, env=os.environ | {"TMPDIR": str(temporary)}, timeout=400,
        )  # fmt: skip

    return once(tmp_path_factory, "judged", fill)


@pytest.fixture(scope="session")
def verdicts(judged: Path) -> dict[str, Any]:
    """What became of each file, and what all of them together took."""
    return json.loads((judged / "verdicts.json").read_text())
