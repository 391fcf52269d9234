"""Mails to people: what is due is a row, written with the change that calls for it; a worker sends it and notes that it did.

No mail holds a password: it leads to a page where its reader sets one. Names are in the text, never in a header.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from smtplib import SMTPException
from typing import Any

from celery import shared_task
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import F
from django.template.loader import render_to_string
from django.utils import timezone, translation

from users.models import Letter, User

logger = logging.getLogger("users.mail.letters")

# How long a worker may take for one mail before another takes it up, and how long to wait after the 1st, 2nd… failure.
CLAIM = timedelta(minutes=5)
RETRY_AFTER = (
    timedelta(minutes=1),
    timedelta(minutes=10),
    timedelta(hours=1),
    timedelta(hours=6),
    timedelta(hours=24),
)
AT_ONCE = 100
# Those that also go to whoever is disabled, or has no address any more: it is the old one that learns of it.
TO_ANYBODY = (Letter.Kind.ADDRESS, Letter.Kind.TEAM)


@dataclass(frozen=True)
class Mail:
    """What a kind of letter says: its subject, its pair of templates without their ending, and what they need.

    `to`: where it goes, if that isn't the person's address. `files`: what is attached, as name, bytes and type.
    """

    subject: str
    template: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    to: str = ""
    files: Sequence[tuple[str, bytes, str]] = ()


# What writes each kind of letter; None where there is nothing to write about any more.
Writer = Callable[[Letter, User], Mail | None]
WRITERS: dict[str, Writer] = {}
# What is to be done once a letter went out, in the transaction that notes it.
Sent = Callable[[Letter], None]
AFTERWARDS: dict[str, Sent] = {}


def register(kind: Letter.Kind, writer: Writer, sent: Sent | None = None) -> None:
    """Say what writes a kind of letter: its app knows what it is about; and what is done once one was `sent`."""
    WRITERS[kind] = writer
    if sent is not None:
        AFTERWARDS[kind] = sent


def language_of(user: User) -> str:
    """The language in which the portal writes to somebody: that of their primary department, or chosen for them; French first."""
    department = user.primary_department
    language = department.language if department else user.mail_language
    if not language:
        return settings.LANGUAGE_CODE
    return "fr-ca" if language.startswith("fr") else "en"


def mails_go_out() -> bool:
    """Whether a mail server takes the mails; else they lie in a folder, where nobody of those they are for reads them."""
    return settings.EMAIL_BACKEND != "django.core.mail.backends.filebased.EmailBackend"


def has_an_address(user: User) -> bool:
    """Whether mails reach somebody at all."""
    return bool(user.email) and user.is_active


def post(kind: Letter.Kind, people: Iterable[User], about: Mapping[int, int] | None = None) -> list[Letter]:
    """Put a mail to each of these people into the box, in the caller's transaction; a worker is told after the commit.

    Those without an address, or disabled, get none: `has_an_address`. Whoever has the same mail waiting gets one, but
    where each mail is `about` a row of its own: {person: key of the row}.
    """
    people = [user for user in people if has_an_address(user)]
    waiting = (
        set()
        if about
        else set(
            Letter.objects.filter(
                user__in=[user.pk for user in people], kind=kind, next_at__isnull=False
            ).values_list("user", flat=True)
        )
    )
    now = timezone.now()
    letters = Letter.objects.bulk_create(
        [
            Letter(user=user, kind=kind, about=(about or {}).get(user.pk), next_at=now)
            for user in people
            if user.pk not in waiting
        ],
        batch_size=1_000,
    )
    if letters:
        transaction.on_commit(tell_a_worker, robust=True)
    return letters


def post_as_asked(kind: Letter.Kind, user: User | None) -> None:
    """Put a mail that a stranger has asked for into the box: to this person, or to nobody where there is none, or none to be reached.

    The same statements for both, so that no answer takes longer because somebody is there.
    """
    reached = user if user is not None and has_an_address(user) else None
    with transaction.atomic():
        Letter.objects.create(user=reached, kind=kind, next_at=timezone.now())
        transaction.on_commit(tell_a_worker, robust=True)


def post_about(kind: Letter.Kind, changes: Mapping[int, int]) -> None:
    """Tell people of a change: {person: key of its history row}; of a kind that goes `TO_ANYBODY`. In the caller's transaction."""
    now = timezone.now()
    Letter.objects.bulk_create(
        Letter(user_id=person, kind=kind, about=change, next_at=now) for person, change in changes.items()
    )
    transaction.on_commit(tell_a_worker, robust=True)


def tell_a_worker() -> None:
    """Have the box emptied now; where no broker answers, the sweep finds it."""
    send_letters.delay()


def send_due() -> int:
    """Send what is due, at most a hundred at once; how many went out. Two workers never send the same one."""
    now = timezone.now()
    due = list(
        Letter.objects.filter(next_at__lte=now).order_by("next_at").values_list("pk", flat=True)[:AT_ONCE]
    )
    return sum(_send(key) for key in due)


def _send(key: int) -> bool:
    now = timezone.now()
    # The claim: whoever's UPDATE touches the row has it.
    if not Letter.objects.filter(pk=key, next_at__lte=now).update(
        next_at=now + CLAIM, attempts=F("attempts") + 1
    ):
        return False
    letter = Letter.objects.get(pk=key)
    if letter.user_id is None:
        letter.delete()
        return False
    user = User.objects.select_related("customer", "role", "primary_department").get(pk=letter.user_id)
    if letter.kind not in TO_ANYBODY and not has_an_address(user):
        Letter.objects.filter(pk=key).update(next_at=None)
        return False
    try:
        with translation.override(language_of(user)):
            mail = write(letter, user)
            if mail is None:
                Letter.objects.filter(pk=key).update(next_at=None)
                return False
            mail.send()
    except (OSError, SMTPException) as error:
        after = RETRY_AFTER[letter.attempts - 1] if letter.attempts <= len(RETRY_AFTER) else None
        Letter.objects.filter(pk=key).update(next_at=timezone.now() + after if after else None)
        logger.warning(
            "letter %s wasn't sent (%s), %s",
            key,
            type(error).__name__,
            "again later" if after else "given up",
        )
        return False
    with transaction.atomic():
        Letter.objects.filter(pk=key).update(next_at=None, sent_at=timezone.now())
        if (sent := AFTERWARDS.get(letter.kind)) is not None:
            sent(letter)
    return True


def write(letter: Letter, user: User) -> EmailMultiAlternatives | None:
    """The mail, in the active language; None where what it was about isn't there any more.

    No name in a header: what people call themselves stays out of it.
    """
    mail = WRITERS[letter.kind](letter, user)
    if mail is None:
        return None
    facts = {"user": user, "portal": settings.PUBLIC_URL.rstrip("/"), **mail.facts}
    made = EmailMultiAlternatives(
        mail.subject, render_to_string(f"{mail.template}.txt", facts), to=[mail.to or user.email]
    )
    made.attach_alternative(render_to_string(f"{mail.template}.html", facts), "text/html")
    for name, content, kind in mail.files:
        made.attach(name, content, kind)
    return made


@shared_task
def send_letters() -> None:
    """Send the mails that are due. Also started by the clock: no broker is trusted with a mail."""
    send_due()
