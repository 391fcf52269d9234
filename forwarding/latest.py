"""Where the latest calls of a person are shown: the app that knows of them makes its pages known here."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Pages:
    """Their addresses: of anybody, by customer's slug and extension; of oneself; of a colleague, by extension."""

    of_user: Callable[[str, str], str]
    own: Callable[[], str]
    of_colleague: Callable[[str], str]


_known: list[Pages] = []


def register(pages: Pages) -> None:
    """Make known where they are."""
    _known[:] = [pages]


def of_user(slug: str, number: str) -> str:
    """For whoever may open the person; "" where no app shows calls."""
    return _known[0].of_user(slug, number) if _known else ""


def own() -> str:
    """One's own."""
    return _known[0].own() if _known else ""


def of_colleague(number: str) -> str:
    """For whoever sees the calls of that colleague."""
    return _known[0].of_colleague(number) if _known else ""
