"""PURE: how the mailbox of a person is called at the nodes: "102@u17", the extension at the key of its person.

So nobody ever finds the messages of somebody who had the same extension before, whatever the node has been told yet, and an address of a
customer that changes moves nothing.
"""

import re
from typing import NamedTuple

_BOX = re.compile(r"(?P<number>[0-9]{2,5})@u(?P<person>[1-9][0-9]{0,17})\Z")
_CONTEXT = re.compile(r"u([1-9][0-9]{0,17})\Z")


class Box(NamedTuple):
    """A mailbox; `person` is the key of its person."""

    number: str
    person: int

    def __str__(self) -> str:
        return f"{self.number}@{self.context}"

    @property
    def context(self) -> str:
        """What all that is this person's is called."""
        return f"u{self.person}"

    @property
    def folder(self) -> str:
        """Where its messages lie, below those of all mailboxes."""
        return f"{self.context}/{self.number}"


def parse(text: str) -> Box | None:
    """What a text names; None for what is no mailbox."""
    found = _BOX.match(text)
    return Box(found["number"], int(found["person"])) if found else None


def person_of(context: str) -> int | None:
    """Whose context this is; None for nobody's."""
    found = _CONTEXT.match(context)
    return int(found[1]) if found else None
