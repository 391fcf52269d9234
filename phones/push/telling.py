"""Telling the broker after the commit: it is never trusted, and never makes a page wait for long.

What no task tells stays in the outbox, and is found there within a second.
"""

import logging
import time
from collections.abc import Sequence
from functools import lru_cache

from django.db import transaction
from kombu import Connection
from kombu.pools import producers

from pbxadmin.celery import app
from phones.push import outbox
from phones.push.tasks import push_phones

logger = logging.getLogger("pbxadmin.push")

# Phones in one task.
CHUNK = 500
# How long the broker is left alone after it failed: the workers look at the rows, and pages stay quick.
BROKER_REST = 10.0

_broker_rests_until = 0.0


def after_commit(ids: Sequence[int]) -> None:
    """Once the transaction is committed, have a worker push these phones at once. Never fails, never waits
    for long."""
    if ids:
        transaction.on_commit(lambda: publish(ids), robust=True)


def rest(seconds: float) -> None:
    """Leave the broker alone for so long; 0: try it at once."""
    global _broker_rests_until
    _broker_rests_until = time.monotonic() + seconds if seconds else 0.0


@lru_cache(maxsize=1)
def _connection() -> Connection:
    """To the broker, for whoever holds a page open: it gives up sooner than a worker would."""
    options = {**app.conf.broker_transport_options, "socket_timeout": 1, "socket_connect_timeout": 1}
    return Connection(app.conf.broker_write_url or app.conf.broker_url, transport_options=options)


def publish(ids: Sequence[int]) -> bool:
    """Ask the workers to push these phones; False where the broker can't be reached, and they find it
    in the outbox."""
    if time.monotonic() < _broker_rests_until:
        return False
    try:
        with producers[_connection()].acquire(block=True, timeout=2) as producer:
            for part in outbox.chunks(ids, CHUNK):
                push_phones.apply_async((list(part),), producer=producer)
    except Exception as error:
        # Whatever is wrong with the broker: the change is saved, and its row stays in the outbox.
        rest(BROKER_REST)
        logger.warning(
            "the broker can't be reached (%s): %s phones are found in the outbox",
            type(error).__name__,
            len(ids),
        )
        return False
    return True
