"""Lines whose state a node is to follow: it learns them when it first asks for one (`asterisk.link`), one by one, so that it starts as
quickly for fifty thousand as for none."""

import logging
import threading
from collections.abc import Sequence

from django.db import DatabaseError, connection

from asterisk.models import Errand, Node

logger = logging.getLogger("pbxadmin.calls")

# Lines that a process has noted already: asked again after so many, which costs a node a moment and nobody anything.
MOST = 200_000
GATHERED_FOR = 0.1  # seconds
# As many at once as a node learns with one question.
AT_ONCE = 200


class Seen:
    """The lines that nodes asked for, as this process knows them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: set[tuple[int, str]] = set()
        self._new: list[tuple[int, str]] = []

    def note(self, node: int, name: str) -> None:
        """A node asks for a line; the first time, it is to learn it."""
        with self._lock:
            if (node, name) in self._known:
                return
            if len(self._known) >= MOST:
                self._known.clear()
            self._known.add((node, name))
            self._new.append((node, name))
            if len(self._new) > 1:
                return
        threading.Timer(GATHERED_FOR, self._write_and_leave).start()

    def write(self) -> None:
        """Write what was gathered until now."""
        with self._lock:
            new, self._new = self._new, []
        Errand.objects.bulk_create(
            [Errand(node_id=node, kind=Errand.Kind.LEARN, subject=name) for node, name in new]
        )

    def forget(self) -> None:
        """Know nothing: for tests, and where a node has begun anew."""
        with self._lock:
            self._known.clear()
            self._new = []

    def _write_and_leave(self) -> None:
        try:
            self.write()
        except DatabaseError as error:
            # They are found when the node is looked at as a whole.
            logger.warning("lines to be learned weren't written (%s)", type(error).__name__)
        finally:
            connection.close()


seen = Seen()


def names(node: Node) -> Sequence[str]:
    """The lines of which a node is learning at this moment."""
    errands = Errand.objects.filter(node=node, kind=Errand.Kind.LEARN, doing=True).order_by("pk")
    return list(dict.fromkeys(errands.values_list("subject", flat=True)[:AT_ONCE]))
