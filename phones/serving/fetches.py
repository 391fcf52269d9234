"""When phones fetched what they hold already: noted at once, written for all of them together within a second.

After a power cut every phone of every customer fetches the file that it has, all within minutes. Nothing of it is news but the
time. A fetch that changes anything (another file, another address, an acknowledged change, a used token) or that follows a NOTIFY
never comes here: it is written before the phone has its answer.
"""

import logging
import threading
from collections.abc import Mapping
from datetime import datetime

from django.db import DatabaseError, connection

logger = logging.getLogger("pbxadmin.provisioning")

# Seconds for which times are gathered: so much later, at most, the portal shows them; and so many are forgotten with a process
# that is killed.
GATHERED_FOR = 1.0

# The rows are locked in the order of their keys, as every writer of several phones does.
WRITE = """
WITH held AS (SELECT id FROM phones_phone WHERE id = ANY(%s) ORDER BY id FOR UPDATE)
UPDATE phones_phone AS phone SET fetched_at = seen.at
FROM held JOIN unnest(%s::bigint[], %s::timestamptz[]) AS seen(id, at) ON seen.id = held.id
WHERE phone.id = held.id AND phone.fetched_at < seen.at
"""


class Gathered:
    """The times that this process hasn't written yet, by phone. PostgreSQL only."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._times: dict[int, datetime] = {}
        self._waiting = False

    def note(self, phone: int, moment: datetime) -> None:
        """Remember that the phone fetched at that moment; a thread writes it soon, also when the process ends before."""
        with self._lock:
            self._times[phone] = moment
            if self._waiting:
                return
            self._waiting = True
        threading.Timer(GATHERED_FOR, self._write_and_leave).start()

    def write(self) -> None:
        """Write what was gathered until now: one UPDATE."""
        with self._lock:
            times, self._times, self._waiting = self._times, {}, False
        if times:
            _write(times)

    def forget(self) -> None:
        """Leave out what was gathered: for tests, whose phones are gone before it is written."""
        with self._lock:
            self._times = {}

    def _write_and_leave(self) -> None:
        try:
            self.write()
        except DatabaseError as error:
            logger.warning("provisioning: times of fetches weren't written (%s)", type(error).__name__)
        finally:
            connection.close()


def _write(times: Mapping[int, datetime]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(WRITE, [list(times), list(times), list(times.values())])


gathered = Gathered()
