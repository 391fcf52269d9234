"""When phones fetched what they hold already: noted at once, written for all of them together within a second.

After a power cut every phone of every customer fetches the file that it has, all within minutes. Nothing of it is news but the
time. A fetch that changes anything (another file, another address, an acknowledged change, a used token) or that follows a NOTIFY
never comes here: it is written before the phone has its answer.
"""

import logging
from collections.abc import Sequence
from datetime import datetime

from django.db import connection

from pbxadmin.common.gathering import Gathered

logger = logging.getLogger("pbxadmin.provisioning")

# Seconds for which times are gathered: so much later, at most, the portal shows them; and so many are forgotten with a process
# that is killed.
GATHERED_FOR = 1.0
# As many as wait while the database is away.
MOST = 100_000

# The rows are locked in the order of their keys, as every writer of several phones does.
WRITE = """
WITH held AS (SELECT id FROM phones_phone WHERE id = ANY(%s) ORDER BY id FOR UPDATE)
UPDATE phones_phone AS phone SET fetched_at = seen.at
FROM held JOIN unnest(%s::bigint[], %s::timestamptz[]) AS seen(id, at) ON seen.id = held.id
WHERE phone.id = held.id AND phone.fetched_at < seen.at
"""


def write(seen: Sequence[tuple[int, datetime]]) -> None:
    """The latest of these times (phone, moment) of each phone: one UPDATE."""
    times = dict(seen)
    with connection.cursor() as cursor:
        cursor.execute(WRITE, [list(times), list(times), list(times.values())])


# By phone; on PostgreSQL only.
gathered = Gathered(write, GATHERED_FOR, MOST, (logger, "provisioning: times of fetches weren't written"))
