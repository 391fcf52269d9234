"""What is done with recordings when it is time."""

from celery import shared_task

from voicemail.greetings import sounds


@shared_task(name="voicemail.tasks.sweep_sounds")
def sweep_sounds() -> None:
    """Erase recordings that nothing leads back to any more."""
    sounds.sweep()
