"""What strangers reach: the Talk and Meet links of people and places."""

from django.apps import AppConfig


class TalkConfig(AppConfig):
    """What strangers reach: the Talk and Meet links of people and places."""

    name = "talk"

    def ready(self) -> None:
        """Say what writes the mails of this app."""
        from talk.visits import told
        from users.mail import letters
        from users.models import Letter

        letters.register(Letter.Kind.VISITOR, told)
