"""What the workers do for phones. Tasks carry primary keys only, may run twice, and may be lost: the rows are
the truth."""

from celery import shared_task

from phones.push import worker


@shared_task(acks_late=True, ignore_result=True)
def push_phones(ids: list[int]) -> None:
    """Bring these phones up to date."""
    worker.push(ids)


@shared_task(acks_late=True, ignore_result=True)
def sweep() -> None:
    """Push what no task has: every five seconds, by beat."""
    worker.sweep()
