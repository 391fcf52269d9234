"""The Celery application: every task is idempotent and every duty is also a row, so the broker is never trusted."""

import logging
import os

from celery import Celery, signals

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pbxadmin.settings.development")

app = Celery("pbxadmin")
app.config_from_object("django.conf:settings", namespace="CELERY")
# Tasks stand beside what they do; the rooms that have some.
app.autodiscover_tasks(["signin", "talk", "phones.push", "forwarding", "files", "voicemail"])
app.autodiscover_tasks(["users.road"], related_name="jobs")
app.autodiscover_tasks(["users.mail"], related_name="letters")
app.autodiscover_tasks(["voicemail"], related_name="weak_pins")
app.autodiscover_tasks(["asterisk.calls"], related_name="keeping")


@signals.after_setup_logger.connect
@signals.after_setup_task_logger.connect
def one_line_each(logger: logging.Logger, **facts: object) -> None:
    """Celery brings handlers of its own: what they write is held to what holds for the portal's."""
    from pbxadmin.common.logs import OneLineFilter

    for handler in logger.handlers:
        handler.addFilter(OneLineFilter())
