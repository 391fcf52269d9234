"""Calls that somebody missed."""

from collections.abc import Sequence

from asterisk.models import CallParty


def note(parties: Sequence[CallParty]) -> None:
    """These people missed these calls. In the caller's transaction, which holds the calls."""
    CallParty.objects.filter(pk__in=[party.pk for party in parties], missed=False).update(missed=True)
