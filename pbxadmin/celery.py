"""The Celery application: every task is idempotent and every duty is also a row, so the broker is never trusted."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pbxadmin.settings.development")

app = Celery("pbxadmin")
app.config_from_object("django.conf:settings", namespace="CELERY")
# Tasks stand beside what they do; the rooms that have some.
app.autodiscover_tasks(["signin", "talk", "phones.push", "forwarding"])
app.autodiscover_tasks(["users.road"], related_name="jobs")
app.autodiscover_tasks(["users.mail"], related_name="letters")
