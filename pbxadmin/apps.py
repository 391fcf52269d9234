"""The wiring on top of all apps."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class PortalConfig(AppConfig):
    """The portal as a whole: commands that concern every app (demo data, rotation of secrets)."""

    name = "pbxadmin"
    label = "portal"


class SupportConfig(AdminConfig):
    """Django's admin, as the support desk of the provider's staff."""

    default_site = "support.site.SupportSite"
