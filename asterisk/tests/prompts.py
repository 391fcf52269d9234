"""What Asterisk says: the prompts that it plays, read from its log. Sound tells that something is said, this tells what."""

import re
from dataclasses import dataclass
from pathlib import Path

from asterisk.tests.engine import LiveEngine

PLAYED = re.compile(r"Playing '([^']+?)(?:\.[a-z0-9]+)?' \(language '(\w+)'\)")


@dataclass
class Prompts:
    """Those of one engine, from the moment on at which this is made."""

    engine: LiveEngine

    def __post_init__(self) -> None:
        """Have every prompt written down."""
        self.path: Path = self.engine.folders.var / "prompts"
        self.engine.cli("logger add channel prompts verbose(3)")

    @property
    def played(self) -> list[tuple[str, str]]:
        """Names and languages, in order: ("vm-intro", "fr")."""
        text = self.path.read_text(errors="replace") if self.path.exists() else ""
        return PLAYED.findall(text)

    @property
    def names(self) -> list[str]:
        """Names alone."""
        return [name for name, _language in self.played]

    def has(self, *names: str) -> bool:
        """Whether these were played, in this order, whatever else was."""
        played = iter(self.names)
        return all(name in played for name in names)

    def wait(self, *names: str, within: float = 10) -> None:
        """Until they were."""
        self.engine.wait_until(lambda: self.has(*names), f"{names} in {self.names}", within)

    def count(self, name: str, times: int, within: float = 15) -> None:
        """Until one was played so many times."""
        self.engine.wait_until(
            lambda: self.names.count(name) >= times, f"{name} {times} times in {self.names}", within
        )
