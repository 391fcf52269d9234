"""What the workers do for statuses: every minute, on the minute. May run late, twice, or not at all: the next run does the rest."""

from celery import shared_task

from forwarding import switching


@shared_task(acks_late=True, ignore_result=True)
def switch_statuses() -> None:
    """Give everybody the status that is due now."""
    switching.switch()
