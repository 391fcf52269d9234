"""What the workers do for phones. Tasks carry primary keys only, may run twice, and may be lost: the rows are
the truth."""

from typing import Any

from celery import current_app, shared_task
from celery.signals import worker_process_init, worker_process_shutdown, worker_shutdown

from phones.push import pusher

# The queue of these tasks: nothing else waits behind them, and they behind nothing else.
QUEUE = "push"


@shared_task(acks_late=True, ignore_result=True)
def push_phones(ids: list[int]) -> None:
    """Have these phones brought up to date: by the background of this process, which waits for nobody."""
    pusher.of_this_process().offer(ids)


@worker_process_init.connect
def _begin(**signal: Any) -> None:
    """A worker that takes these tasks looks at the outbox from the start, also when no broker tells it anything."""
    if QUEUE in current_app.amqp.queues.consume_from:
        pusher.of_this_process()


@worker_process_shutdown.connect
@worker_shutdown.connect
def _end(**signal: Any) -> None:
    pusher.stop()
