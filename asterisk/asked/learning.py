"""Lines whose state a node is to follow: it learns them when it first asks for one (`asterisk.link`), one by one, so that it starts as
quickly for fifty thousand as for none."""

import logging
import threading
import time
from collections.abc import Sequence

from asterisk.models import Errand, Node
from pbxadmin.common.gathering import Gathered

logger = logging.getLogger("pbxadmin.calls")

# A node asks for a line again only when it has forgotten it, or begun anew, and then it is to learn it again; what it asks for several
# times within so many seconds is one question.
AGAIN_AFTER = 10.0
MOST = 100_000
GATHERED_FOR = 0.1  # seconds
# What a node is taught with one question, at most (`asterisk.link`).
AT_ONCE = 8


class Seen:
    """The lines that nodes asked for, as this process knows them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[tuple[int, str], float] = {}
        # What couldn't be written is found when the node is looked at as a whole.
        self.gathered = Gathered(write, GATHERED_FOR, MOST, (logger, "lines to be learned weren't written"))

    def note(self, node: int, name: str) -> None:
        """A node asks for a line: it is to learn it."""
        now = time.monotonic()
        with self._lock:
            if now - self._known.get((node, name), -AGAIN_AFTER) < AGAIN_AFTER:
                return
            if len(self._known) >= MOST:
                self._known.clear()
            self._known[node, name] = now
        self.gathered.note((node, name))

    def write(self) -> None:
        """Write what was gathered until now."""
        self.gathered.write()

    def forget(self) -> None:
        """Know nothing: for tests."""
        with self._lock:
            self._known.clear()
        self.gathered.forget()


def write(lines: Sequence[tuple[int, str]]) -> None:
    """Errands for these lines (node, name), as far as there are such nodes."""
    there = set(Node.objects.filter(pk__in={node for node, _name in lines}).values_list("pk", flat=True))
    Errand.objects.bulk_create(
        [Errand(node_id=node, kind=Errand.Kind.LEARN, subject=name) for node, name in lines if node in there]
    )


seen = Seen()


def names(node: Node) -> list[str]:
    """The lines of which a node is learning at this moment."""
    errands = Errand.objects.filter(node=node, kind=Errand.Kind.LEARN, doing=True).order_by("pk")
    return list(dict.fromkeys(errands.values_list("subject", flat=True)[:AT_ONCE]))
