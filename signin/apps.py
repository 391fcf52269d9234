"""Signing in: credentials, second factors, single sign-on."""

from django.apps import AppConfig


class SigninConfig(AppConfig):
    """Signing in: credentials, second factors, single sign-on."""

    name = "signin"

    def ready(self) -> None:
        """Say what writes the mails of this app, and when one is due."""
        from signin.tasks import (
            address_changed,
            factor_taken,
            old_addresses_are_told,
            password_link,
            welcome,
        )
        from users.mail import letters
        from users.models import Letter
        from users.signals import changed

        letters.register(Letter.Kind.WELCOME, welcome)
        letters.register(Letter.Kind.PASSWORD, password_link)
        letters.register(Letter.Kind.ADDRESS, address_changed)
        letters.register(Letter.Kind.FACTOR, factor_taken)
        changed.connect(old_addresses_are_told, dispatch_uid="signin.old_addresses")
