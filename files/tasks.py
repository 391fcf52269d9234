"""What is done with files when it is time."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from files.models import Upload
from users.models import Job

KEPT = timedelta(days=7)


@shared_task(name="files.tasks.forget_uploads")
def forget_uploads() -> None:
    """Delete files that came more than seven days ago, with all that is in them; what was imported stays in the history."""
    old = Upload.objects.filter(created_at__lt=timezone.now() - KEPT)
    at_work = Job.objects.open().filter(uploads__in=old).values("pk")
    old.exclude(state=Upload.State.WRITING, job__in=at_work).delete()
