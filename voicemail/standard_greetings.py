"""The provider's standard greetings, written into an empty database."""

from typing import Any

# French, English.
GREETINGS = [
    ("Accueil standard", "Standard greeting"),
    ("Absent du bureau", "Away from the office"),
    ("En réunion", "In a meeting"),
    ("En vacances", "On vacation"),
    ("Fermé pour la journée", "Closed for the day"),
    ("Fermé pour un jour férié", "Closed for a holiday"),
]


def add_greetings(apps: Any, schema_editor: Any) -> None:
    """Those that aren't there, by a migration."""
    greeting = apps.get_model("voicemail", "Greeting")
    for name, name_en in GREETINGS:
        greeting.objects.get_or_create(customer=None, user=None, name=name, defaults={"name_en": name_en})
