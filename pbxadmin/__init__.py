"""The project: settings and wiring on top, the kit (`common`) at the bottom."""

from pbxadmin.celery import app as celery_app

__all__ = ["celery_app"]
