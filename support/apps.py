"""The support desk: Django's admin over all customers."""

from django.apps import AppConfig


class SupportDeskConfig(AppConfig):
    """The support desk: Django's admin over all customers."""

    name = "support"

    def ready(self) -> None:
        """Make known to the workers what the desk does at many customers."""
        from support.many import holidays, phones, undoing, values  # noqa: F401 - importing registers
