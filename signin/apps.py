"""Signing in: credentials, second factors, single sign-on."""

from django.apps import AppConfig


class SigninConfig(AppConfig):
    """Signing in: credentials, second factors, single sign-on."""

    name = "signin"
