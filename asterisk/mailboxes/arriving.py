"""Messages that nodes tell of: each is known once and mailed once, whatever is killed when.

A call that came to a mailbox says so when it ends, and the node keeps that until it was heard (`asterisk.link`). It becomes an errand:
the node is asked what lies in that mailbox. What isn't known yet is written together with its mail, or with the wish for its sound,
which the worker of the link fetches before the mail is put into the box.
"""

import logging
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from django.db import transaction
from django.utils import timezone

from asterisk.ami.protocol import Message
from asterisk.link import events
from asterisk.link.events import Told
from asterisk.mailboxes.names import Box
from asterisk.models import Errand, VoiceMessage
from asterisk.nodes import customers_of
from users.mail import letters
from users.models import Letter, User
from voicemail.models import Mailbox

logger = logging.getLogger("pbxadmin.link")

# Folders of a mailbox whose messages nobody has heard yet.
NEW = ("INBOX", "Urgent")
# "1795840220-00000000": the second at which it came, and a count.
NUMBER = re.compile(r"(?P<at>[0-9]{9,11})-[0-9a-f]{8}\Z")
CALLER = re.compile(r"<?(?P<number>\+?[0-9]{2,20})>?\Z")
# A mail of 10 MB, which nearly every server takes, has room for so many bytes.
MOST_ATTACHED = 7_500_000
# After so long a mail goes out without the sound that can't be fetched; after so long none does any more.
PATIENCE, KEPT = timedelta(hours=1), timedelta(days=7)
WITH_SOUND = (Mailbox.EmailOption.ATTACH, Mailbox.EmailOption.ATTACH_DELETE)


def register() -> None:
    """Listen to calls that came to a mailbox."""
    events.register("PbxCall", told, people=("Box",))


def told(node: int, calls: Sequence[Told]) -> None:
    """Calls ended."""
    look(
        node, sorted({str(Box(person.number, person.pk)) for call in calls if (person := call.person("Box"))})
    )


def look(node: int, boxes: Collection[str]) -> None:
    """Have the node say what lies in these mailboxes ("102@u17"); once for those that wait already."""
    waiting = Errand.objects.filter(node=node, kind=Errand.Kind.MESSAGES, subject__in=boxes)
    known = set(waiting.values_list("subject", flat=True)) if boxes else set()
    Errand.objects.bulk_create(
        Errand(node_id=node, kind=Errand.Kind.MESSAGES, subject=box) for box in boxes if box not in known
    )


@dataclass(frozen=True)
class Found:
    """A message as the node tells it."""

    number: str
    folder: str
    caller: str
    at: datetime
    seconds: int

    @classmethod
    def of(cls, message: Message) -> "Found | None":
        """Out of a `VoicemailBoxDetail`; None for what can't be read."""
        number = NUMBER.match(message.get("ID"))
        if number is None:
            return None
        caller = CALLER.search(message.get("CallerID"))
        seconds = message.get("Duration")
        return cls(
            number[0], message.get("Folder"), caller["number"] if caller else "",
            datetime.fromtimestamp(int(number["at"]), UTC), int(seconds) if seconds.isdecimal() else 0,
        )  # fmt: skip


def write(node: int, box: Box, told: Iterable[Message]) -> None:
    """What lies in a mailbox now: what is new is written with its mail, what isn't there any more is forgotten."""
    messages = [found for each in told if (found := Found.of(each)) is not None]
    with transaction.atomic():
        # Whoever else tells of the same mailbox at this moment waits.
        mailbox = (
            Mailbox.objects.filter(user=box.person, user__customer__in=customers_of(node))
            .defer("pin")
            .select_for_update(of=("self",))
            .first()
        )
        if mailbox is None:
            return
        person = User.objects.select_related("customer").get(pk=mailbox.user_id)
        there = VoiceMessage.objects.filter(node=node, user=person)
        _forget(there, {each.number for each in messages})
        known = set(there.values_list("number", flat=True))
        for message in messages:
            if message.number not in known:
                _arrived(node, person, mailbox.email_option, message)


def _forget(there: Any, numbers: Collection[str]) -> None:
    there.filter(due=False).exclude(number__in=numbers).delete()
    there.filter(wants_sound=True).exclude(number__in=numbers).delete()


def _arrived(node: int, person: User, wanted: str, message: Found) -> None:
    due = wanted != Mailbox.EmailOption.NONE and message.folder in NEW and letters.has_an_address(person)
    row = VoiceMessage.objects.create(
        node_id=node,
        user=person,
        number=message.number,
        caller=message.caller[:40],
        at=message.at,
        seconds=message.seconds,
        mail=wanted,
        due=due,
        wants_sound=due and wanted in WITH_SOUND,
    )
    if due and not row.wants_sound:
        _post(row)


def _post(row: VoiceMessage) -> None:
    letters.post(Letter.Kind.MESSAGE, [row.user], {row.user_id: row.pk})


# --- Their sound ------------------------------------------------------------------------------------------------------
class Wanted(NamedTuple):
    """A message whose sound is to be fetched."""

    key: int
    folder: str
    number: str


def wanted(node: int) -> list[Wanted]:
    """Those of this node, oldest first."""
    rows = VoiceMessage.objects.filter(node=node, wants_sound=True).order_by("pk")
    columns = ("pk", "user", "user__number", "number")
    return [
        Wanted(key, Box(own, person).folder, number)
        for key, person, own, number in rows.values_list(*columns)[:100]
    ]


def brought(key: int, sound: bytes | None) -> None:
    """The sound is here, or (None) isn't there any more: then somebody has deleted the message, and nothing is sent."""
    with transaction.atomic():
        row = VoiceMessage.objects.select_for_update().filter(pk=key, wants_sound=True).first()
        if row is None:
            return
        if sound is None:
            row.delete()
            return
        row.wants_sound, row.sound = False, sound if len(sound) <= MOST_ATTACHED else None
        row.save(update_fields=["wants_sound", "sound"])
        _post(row)


def not_brought(key: int) -> None:
    """The node gives it not: for an hour that is tried again, then the mail goes out without."""
    with transaction.atomic():
        row = (
            VoiceMessage.objects.select_for_update()
            .filter(pk=key, wants_sound=True, created_at__lt=timezone.now() - PATIENCE)
            .first()
        )
        if row is not None:
            row.wants_sound = False
            row.save(update_fields=["wants_sound"])
            _post(row)


def forget_old() -> None:
    """No sound is kept for a mail that didn't go out within a week."""
    old = VoiceMessage.objects.filter(due=True, created_at__lt=timezone.now() - KEPT)
    old.update(due=False, wants_sound=False, sound=None)
