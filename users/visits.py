"""Visitors of Talk and Meet links: whose link it is, who asked for him, and how a meeting lets people in.

The portal carries no voice and no picture: it brings a visitor's request to the person, and tells the visitor what came
of it. What a visitor told is kept for a day.
"""

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from pbxadmin.common.crypto import fingerprint, random_token
from pbxadmin.common.throttle import Limit, network_of
from users import letters
from users.line import ASKS
from users.models import Letter, Meeting, Talk, User, Visitor

Kind = Visitor.Kind
State = Visitor.State

# Requests of one address, and to one person from everywhere: a link in a signature must not become a flood of mails.
BY_ADDRESS = Limit("talk", 6, 600)
BY_PERSON = Limit("talk-person", 30, 3600)
# Links that don't exist, asked for by one address: whoever guesses names learns nothing more.
UNKNOWN = Limit("talk-unknown", 40, 600)
# How often a waiting room may ask how it stands.
ASKING = Limit("talk-asking", 400, 600)

KEPT = timedelta(hours=24)
# A meeting that nobody ends is over by itself.
MEETING_LASTS = timedelta(hours=4)
# A visitor whose room hasn't been looked at for so long has gone.
WAITS_FOR = timedelta(hours=4)


def person_of(slug: str, name: str) -> User | None:
    """Whose link this is: of an active person who has Talk on; None for everything else, after the same one query."""
    if not (name.isascii() and name.isalnum() and len(name) <= 50):
        name = "-"  # which nobody's link is
    found = (
        User.objects.filter(customer__slug=slug, talk_name__iexact=name, talk_enabled=True)
        .exclude(talk_name="")
        .select_related("customer", "primary_department", "role")
        .defer("password", "sip_password")
        .order_by("pk")
        .first()
    )
    return found if found is not None and found.is_active else None


def asked_of(person: User) -> tuple[str, ...]:
    """What a visitor is asked: "name", "email", both or nothing."""
    return ASKS[Talk.Ask(person.talk_ask)]


def may_ask(address: str, person: User) -> bool:
    """Count one request; whether it is within the limits."""
    by_address = BY_ADDRESS.take(network_of(address))
    return by_address and BY_PERSON.take(str(person.pk))


def meeting_is_open(person: User) -> bool:
    """Whether the person has his meeting open now."""
    return Meeting.objects.filter(user=person, open_until__gt=timezone.now()).exists()


def ask_for(person: User, kind: Kind, name: str, email: str) -> tuple[Visitor, str]:
    """Somebody asks for a person: remembered, and mailed to him. Gives the visitor and the secret of his waiting room.

    In a meeting that is open and needs no approval he is let in at once.
    """
    token = random_token()
    at_once = kind == Kind.MEET and not person.meet_approve and meeting_is_open(person)
    with transaction.atomic():
        visitor = Visitor.objects.create(
            user=person,
            kind=kind,
            name=name,
            email=email,
            token_hash=fingerprint(token),
            state=State.ADMITTED if at_once else State.WAITING,
        )
        letters.post(Letter.Kind.VISITOR, [person], visitor)
    return visitor, token  # fmt: skip


def waiting_room(token: str) -> Visitor | None:
    """The visitor of a waiting room's secret, while his person still has the link; None else."""
    visitor = (
        Visitor.objects.filter(token_hash=fingerprint(token), created_at__gt=timezone.now() - KEPT)
        .select_related("user__customer")
        .first()
    )
    if visitor is None or not visitor.user.talk_enabled or not visitor.user.is_active:
        return None
    return visitor


# --- The person's side --------------------------------------------------------------------------------------------
def visitors_of(person: User) -> list[Visitor]:
    """Who asked for somebody within the last day; latest first."""
    return list(Visitor.objects.filter(user=person, created_at__gt=timezone.now() - KEPT)[:100])


def open_meeting(person: User) -> None:
    """Begin the meeting: whoever waits comes in, unless each participant is to be approved."""
    now = timezone.now()
    with transaction.atomic():
        Meeting.objects.update_or_create(user=person, defaults={"open_until": now + MEETING_LASTS})
        if not person.meet_approve:
            _waiting(person).update(state=State.ADMITTED)


def end_meeting(person: User) -> None:
    """End the meeting: who still waits, waits for the next one."""
    Meeting.objects.filter(user=person).update(open_until=timezone.now())


def decide(person: User, key: int, admit: bool) -> bool:
    """Let one visitor in, or not; False where he doesn't wait (any more)."""
    if admit and not meeting_is_open(person):
        open_meeting(person)
    return bool(_waiting(person).filter(pk=key).update(state=State.ADMITTED if admit else State.DECLINED))


def _waiting(person: User) -> Any:
    since = timezone.now() - WAITS_FOR
    return Visitor.objects.filter(user=person, kind=Kind.MEET, state=State.WAITING, created_at__gt=since)


def forget() -> int:
    """Delete what visitors told more than a day ago; how many they were."""
    count, _rows = Visitor.objects.filter(created_at__lte=timezone.now() - KEPT).delete()
    return count
