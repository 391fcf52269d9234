"""The files that were made for these tests, and what is right for each."""

import json
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "data"
EXPECTED: dict[str, dict[str, Any]] = {
    path.name.removesuffix(".expect.json"): json.loads(path.read_text())
    for path in sorted(DATA.glob("*.expect.json"))
}
REFUSED = [name for name, expected in EXPECTED.items() if "file_refused" in expected]
READ = [name for name in EXPECTED if name not in REFUSED]


def content(name: str) -> bytes:
    """A file's bytes."""
    return (DATA / name).read_bytes()
