"""For how long calls are kept: what is older than thirty days is erased every hour, a part at a time."""

from celery import shared_task
from django.db import transaction
from django.utils import timezone

from asterisk.calls.latest import KEPT
from asterisk.models import CallParty, CallRecord
from users.models import Letter

# Calls that are erased in one transaction.
PART = 2_000


def forget() -> int:
    """Erase calls that are older than they are kept, with whom they concerned; how many they were."""
    count = 0
    while keys := list(
        CallRecord.objects.filter(at__lte=timezone.now() - KEPT)
        .order_by("at")
        .values_list("pk", flat=True)[:PART]
    ):
        with transaction.atomic():
            parties = CallParty.objects.filter(call__in=keys)
            Letter.objects.filter(kind=Letter.Kind.MISSED, about__in=parties.values("pk")).delete()
            CallRecord.objects.filter(pk__in=keys).delete()
        count += len(keys)
    return count


@shared_task
def forget_calls() -> None:
    """What the clock starts."""
    forget()
