"""The voicemail app: mailboxes and greetings."""

from django.apps import AppConfig


class VoicemailConfig(AppConfig):
    """Mailboxes and greetings."""

    name = "voicemail"
