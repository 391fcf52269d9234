"""Signing in: credentials, second factors, single sign-on."""

from django.apps import AppConfig


class SigninConfig(AppConfig):
    """Signing in: credentials, second factors, single sign-on."""

    name = "signin"

    def ready(self) -> None:
        """Say what writes the mails of this app."""
        from signin.tasks import password_link, welcome
        from users.mail import letters
        from users.models import Letter

        letters.register(Letter.Kind.WELCOME, welcome)
        letters.register(Letter.Kind.PASSWORD, password_link)
