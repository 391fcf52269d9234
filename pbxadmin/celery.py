"""The Celery application: every task is idempotent and every duty is also a row, so the broker is never trusted."""

import logging
import os
import warnings

from celery import Celery, signals
from celery.exceptions import CPendingDeprecationWarning

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


@signals.worker_ready.connect
def one_line_of_a_broker_that_is_gone(**facts: object) -> None:
    """Six more from each worker speak of a setting, every time. Celery asks for all such warnings when it sets up its logs, so this comes after."""
    warnings.filterwarnings("ignore", r"\s*In Celery 5\.1 we introduced", CPendingDeprecationWarning)
