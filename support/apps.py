"""The support desk: Django's admin over all customers."""

from django.apps import AppConfig


class SupportDeskConfig(AppConfig):
    """The support desk: Django's admin over all customers."""

    name = "support"
