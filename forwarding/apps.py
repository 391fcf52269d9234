"""The forwarding app: the five statuses, schedules and holidays."""

from django.apps import AppConfig


class ForwardingConfig(AppConfig):
    """The five statuses, schedules and holidays."""

    name = "forwarding"
