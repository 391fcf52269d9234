"""What strangers reach: the Talk and Meet links of people and places."""

from django.apps import AppConfig


class TalkConfig(AppConfig):
    """What strangers reach: the Talk and Meet links of people and places."""

    name = "talk"

    def ready(self) -> None:
        """Say what writes the mails of this app, and where its pages answer."""
        from django.urls import reverse

        from talk.visits import told
        from users.mail import letters
        from users.models import Letter
        from users.people.sections import talk

        letters.register(Letter.Kind.VISITOR, told)
        talk.register_pages(
            talk=lambda slug, name: reverse("talk", args=[slug, name]),
            meet=lambda slug, name: reverse("meet", args=[slug, name]),
        )
