"""The kit as a Django application: it has template tags and no models."""

from django.apps import AppConfig


class CommonConfig(AppConfig):
    """What every tab and every app is built from."""

    name = "pbxadmin.common"
    label = "common"

    def ready(self) -> None:
        """Register the checks, what SQLite needs to search as people do, and what no server's log may say."""
        from django.db.backends.signals import connection_created

        from pbxadmin.common import phone_system  # noqa: F401
        from pbxadmin.common.logs import hold_servers
        from pbxadmin.common.searching import for_sqlite

        connection_created.connect(for_sqlite, dispatch_uid="folded")
        hold_servers()
