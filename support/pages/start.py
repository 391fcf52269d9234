"""The desk's first page: what needs somebody now, over all customers, and what was changed last."""

from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from support.needs import needs
from users.history.timeline import latest_everywhere

# So many of the last changes stand there.
LATEST = 8


def facts_of(request: HttpRequest) -> dict[str, Any]:
    """What the first page shows beside the menu."""
    actor: Any = request.user
    return {"needs": needs(actor, timezone.now()), "latest": latest_everywhere(actor, LATEST)}
