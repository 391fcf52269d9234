"""The phones app: phones, keys, SBCs, their files and the push that tells them of a change."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PhonesConfig(AppConfig):
    """Phones, keys, SBCs."""

    name = "phones"
    verbose_name = _("Phones")

    def ready(self) -> None:
        """Listen to changes, describe this app's tables to the road of changes, and say where RPS keys answer."""
        from django.urls import reverse

        from phones.push import receivers
        from phones.settings import sections
        from phones.sites import sections as sites
        from users.mail import links

        receivers.connect()
        sections.register()
        sites.register()
        # A folder: the phone adds the name of a file.
        links.register(links.Kind.RPS, lambda token: reverse("redirection", args=[token, "x"])[:-1])
