"""The kit as a Django application: it has template tags and no models."""

from django.apps import AppConfig


class CommonConfig(AppConfig):
    """What every tab and every app is built from."""

    name = "pbxadmin.common"
    label = "common"

    def ready(self) -> None:
        """Register the checks."""
        from pbxadmin.common import phone_system  # noqa: F401
