"""The voicemail app: mailboxes and greetings."""

from django.apps import AppConfig


class VoicemailConfig(AppConfig):
    """Mailboxes and greetings."""

    name = "voicemail"

    def ready(self) -> None:
        """Make the sheet of greetings and their conversion known; listen to what releases sounds."""
        from voicemail import weak_pins
        from voicemail.greetings import making, receivers, sheet

        sheet.register()
        making.register()
        receivers.connect()
        weak_pins.connect()
