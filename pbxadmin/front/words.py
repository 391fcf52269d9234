"""What the front says to people: one line each, French first, in the words of the portal. Without Django, whose catalogues it doesn't have."""

import re
from dataclasses import dataclass

LANGUAGES = ("fr-CA", "en")
# RFC 9110, 12.5.4: a range, and how much it is wanted.
RANGE = re.compile(
    r"\s*(\*|[a-z]{1,8})(?:-[a-z0-9-]{1,30})?\s*(?:;\s*q\s*=\s*(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*)?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Words:
    """One line in both languages."""

    french: str
    english: str

    def of(self, language: str) -> str:
        """In one of `LANGUAGES`."""
        return self.english if language == "en" else self.french


def language_of(accepted: str | None) -> str:
    """Which of `LANGUAGES` a browser would rather read; French where it doesn't say, or wants both as much."""
    wanted = {"fr": 0.0, "en": 0.0}
    anything = None
    for part in (accepted or "")[:200].split(","):
        if not (found := RANGE.fullmatch(part)):
            continue
        name, much = found[1].lower(), float(found[2] or 1)
        if name == "*":
            anything = much
        elif name in wanted:
            wanted[name] = max(wanted[name], much)
    if anything is not None:
        wanted = {name: much or anything for name, much in wanted.items()}
    return "en" if wanted["en"] > wanted["fr"] else "fr-CA"


def too_long(most: int) -> Words:
    """413; `most` in bytes."""
    unit, number = ("M", most // 1_048_576) if most >= 1_048_576 else ("k", most // 1024)
    return Words(
        f"C’est trop volumineux : au plus {number} {unit}o à la fois.",
        f"That is too large: at most {number} {unit.upper()}B at once.",
    )


TOO_SLOW = Words(
    "L’envoi a pris trop de temps. Vérifiez votre connexion, puis réessayez.",
    "Sending took too long. Check your connection, then try again.",
)
TOO_MANY = Words(
    "Trop d’envois à la fois depuis votre réseau. Attendez quelques secondes, puis réessayez.",
    "Too much is being sent from your network at once. Wait a few seconds, then try again.",
)
TOO_MUCH = Words(
    "Le portail reçoit trop d’envois à la fois. Attendez quelques secondes, puis réessayez.",
    "The portal is receiving too much at once. Wait a few seconds, then try again.",
)
CUT_SHORT = Words(
    "L’envoi s’est interrompu avant la fin. Réessayez.", "Sending was interrupted before the end. Try again."
)
NOT_VALID = Words("Cette demande n’est pas valide.", "This request is not valid.")
NOT_DONE = Words("Le portail ne fait pas cela.", "The portal does not do that.")
