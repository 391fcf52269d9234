"""The mail about a message in a mailbox: who called, when, how long; with its sound where that was asked for."""

from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from asterisk.mailboxes.arriving import WITH_SOUND
from asterisk.mailboxes.names import Box
from asterisk.models import Errand, VoiceMessage
from pbxadmin.common.fields import phone_number_national
from users.mail import letters
from users.models import Letter, User
from voicemail.models import Mailbox, clock_of


def register() -> None:
    """Say what writes it, and what comes after."""
    letters.register(Letter.Kind.MESSAGE, written, sent)


def written(letter: Letter, user: User) -> letters.Mail | None:
    """The mail; None where the message isn't known any more."""
    message = VoiceMessage.objects.filter(pk=letter.about or 0, user=user, due=True).first()
    if message is None:
        return None
    at = localtime(message.at, ZoneInfo(user.time_zone))
    facts: dict[str, Any] = {
        "caller": caller_said(message, user),
        "at": date_format(at, "DATETIME_FORMAT"),
        "length": clock_of(message.seconds),
        "attached": message.sound is not None,
        "without": message.mail in WITH_SOUND and message.sound is None,
        "deleted": message.mail == Mailbox.EmailOption.ATTACH_DELETE and message.sound is not None,
        "link": settings.PUBLIC_URL.rstrip("/") + reverse("own_voicemail"),
    }
    name = f"message-{at:%Y%m%d-%H%M%S}.wav"
    files = [(name, bytes(message.sound), "audio/wav")] if message.sound is not None else []
    return letters.Mail(_("New voicemail message"), "asterisk/mail/message", facts, files=files)


def caller_said(message: VoiceMessage, user: User) -> str:
    """Who called: a colleague by name, a number as people write it, or nobody who said so."""
    if not message.caller:
        return _("unknown number")
    colleague = User.objects.filter(customer=user.customer, number=message.caller).first()
    if colleague is not None:
        return f"{colleague.full_name} ({colleague.number})"
    return phone_number_national(message.caller)


def sent(letter: Letter) -> None:
    """It went out: the sound isn't kept, and the node deletes the message where its person wants that and has it in the mail."""
    message = (
        VoiceMessage.objects.select_for_update(of=("self",))
        .filter(pk=letter.about or 0, due=True)
        .select_related("user")
        .first()
    )
    if message is None:
        return
    if message.mail == Mailbox.EmailOption.ATTACH_DELETE and message.sound is not None:
        box = Box(message.user.number, message.user_id)
        Errand.objects.create(
            node_id=message.node_id, kind=Errand.Kind.REMOVE, subject=f"{box}/{message.number}"
        )
    message.due, message.sound = False, None
    message.save(update_fields=["due", "sound"])
