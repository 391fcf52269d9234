"""What strangers reach: the Talk and Meet links of people and places."""

from django.apps import AppConfig


class TalkConfig(AppConfig):
    """What strangers reach: the Talk and Meet links of people and places."""

    name = "talk"
