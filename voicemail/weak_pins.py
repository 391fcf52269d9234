"""Which mailboxes have a PIN that anybody would guess: marked, for lists and filters, where a PIN can't be read.

A PIN that is typed or made is judged before it is written (`voicemail.sections`); it becomes weak when its person gets an extension or
a phone number that it says, or when it came before the rules. The mark has one writer, `mark`: asked for whoever is changed, in
that change's transaction, and for everybody at night.
"""

from collections.abc import Sequence
from typing import Any

from celery import shared_task
from django.db.models import Model

from pbxadmin.common.crypto import Reader, plain
from users import road
from users.models import Did, Operation, User
from users.signals import changed
from voicemail.models import Mailbox
from voicemail.pins import weakness

# What of a person their PIN is compared with, and the PIN itself.
READ_OFF = frozenset({"number", "mobile", "outbound_caller_id", "dids", "voicemail.pin"})
PART = 1_000


def connect() -> None:
    """Listen to the changes of people."""
    changed.connect(people_are_marked, dispatch_uid="weak pins are marked")


def people_are_marked(sender: type[Model], rows: Sequence[Any], operation: Operation, **rest: Any) -> None:
    """Whoever's PIN, extension or number changed is marked anew. What somebody new has was judged when they were planned."""
    if sender is User:
        mark([row.key for row in rows if not row.new and not row.removed and READ_OFF & row.changes.keys()])


def mark(people: Sequence[Any]) -> int:
    """Write beside the PINs of these people why they are weak, or that they aren't; how many marks changed. Three queries for a thousand."""
    count = 0
    for part in road.chunks(people, PART):
        numbers: dict[Any, list[str]] = {key: [] for key in part}
        for key, number in Did.objects.filter(user__in=part).values_list("user", "number"):
            numbers[key].append(number)
        wrong = []
        for mailbox in Mailbox.objects.filter(user__in=part).select_related("user"):
            person = mailbox.user
            known = [*filter(None, (person.mobile, person.outbound_caller_id)), *numbers[person.pk]]
            found = weakness(plain(mailbox, Mailbox.pin, Reader.CHECK), person.number, known)
            if mailbox.pin_weakness != (found or ""):
                mailbox.pin_weakness = found or ""
                wrong.append(mailbox)
        Mailbox.objects.bulk_update(wrong, ["pin_weakness"])
        count += len(wrong)
    return count


@shared_task(name="voicemail.weak_pins.mark_all")
def mark_all() -> None:
    """Mark everybody anew: what was there before the rules, and whatever came in beside the road."""
    mark(list(User.objects.filter(mailbox__isnull=False).order_by("pk").values_list("pk", flat=True)))
