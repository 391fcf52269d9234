"""The provider's standard greetings, written into an empty database."""

from pathlib import Path
from typing import Any

# What each is called in the code and its files, in French, and in English.
GREETINGS = [
    ("standard", "Accueil standard", "Standard greeting"),
    ("away", "Absent du bureau", "Away from the office"),
    ("meeting", "En réunion", "In a meeting"),
    ("vacation", "En vacances", "On vacation"),
    ("closed", "Fermé pour la journée", "Closed for the day"),
    ("holiday", "Fermé pour un jour férié", "Closed for a holiday"),
]


def add_greetings(apps: Any, schema_editor: Any) -> None:
    """Those that aren't there, by a migration."""
    greeting = apps.get_model("voicemail", "Greeting")
    for slug, name, name_en in GREETINGS:
        said = {"name_en": name_en, "standard": slug, "made": "standard"}
        greeting.objects.get_or_create(customer=None, user=None, name=name, defaults=said)


# The sounds that come with the portal: <slug>-<language>.wav.
FOLDER = Path(__file__).parent / "sounds"
LANGUAGES = ("fr", "en")


def file_of(greeting: Any, language: str) -> Path | None:
    """The file of one of the provider's greetings, in a language, else in French; None where there is none."""
    if not greeting.standard:
        return None
    for each in (language, *LANGUAGES):
        path = FOLDER / f"{greeting.standard}-{each}.wav"
        if each in LANGUAGES and path.is_file():
            return path
    return None


def is_heard(greeting: Any) -> bool:
    """Whether there is a sound of it."""
    return file_of(greeting, "fr") is not None


def content_of(greeting: Any, language: str) -> bytes | None:
    """What callers hear."""
    path = file_of(greeting, language)
    return path.read_bytes() if path else None
