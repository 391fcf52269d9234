"""What the pages of strangers do in the background."""

from celery import shared_task

from talk import visits


@shared_task
def forget_visitors() -> None:
    """Delete what visitors of Talk and Meet links told more than a day ago."""
    visits.forget()
