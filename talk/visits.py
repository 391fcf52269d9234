"""Visitors of Talk and Meet links: whose link it is, who asked for them, and how a meeting lets people in.

The portal carries no voice and no picture: it brings a visitor's request to the person, and tells the visitor what came
of it. What a visitor told is kept for a day. A department, a queue or a ring group has a Talk link too: what is asked there
reaches several people, each as if it had been their own link.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from pbxadmin.common.crypto import fingerprint, random_token
from pbxadmin.common.prepared import Prepared
from pbxadmin.common.throttle import Limit, network_of
from talk.models import Meeting, Visitor
from users.company.takers import Place, reachable, takers_of
from users.mail import letters
from users.models import AskedOfVisitors, Customer, Department, Letter, SystemExtension, User
from users.people.line import ASKS

Kind = Visitor.Kind
State = Visitor.State

# No limit here is one that strangers could use up for others: what is counted for a link decides how many mails are sent, and how
# often one address may ask again, never whether somebody is heard at all.
BY_ADDRESS = Limit("talk", 6, 600)
# Requests to one person or place from everywhere; beyond them each address asks once.
BY_LINK = Limit("talk-link", 30, 3600)
IN_A_FLOOD = Limit("talk-flood", 1, 3600)
# A link in a signature must not become a flood of mails: so many at once, then one in ten minutes. The page has all requests.
MAILS = Limit("talk-mails", 30, 3600)
MAILS_THEN = Limit("talk-mails-then", 1, 600)
# Links that don't exist, asked for by one address: whoever guesses names learns nothing more.
UNKNOWN = Limit("talk-unknown", 40, 600)
# How often one waiting room may ask how it stands, whoever else waits behind the same address.
ASKING = Limit("talk-asking", 400, 600)
# So many of the last day's visitors are listed.
LISTED = 300

KEPT = timedelta(hours=24)
# A meeting that nobody ends is over by itself.
MEETING_LASTS = timedelta(hours=4)
# A visitor whose room hasn't been looked at for so long has gone.
WAITS_FOR = timedelta(hours=4)


@dataclass(frozen=True)
class Link:
    """What a public address leads to: a person, or a place where several people take what is asked."""

    owner: User | Place

    @property
    def person(self) -> User | None:
        """Whose link it is, where it is one person's."""
        return self.owner if isinstance(self.owner, User) else None

    @property
    def place(self) -> Place | None:
        """The department, queue or ring group; None for a person's own link."""
        return None if isinstance(self.owner, User) else self.owner

    @property
    def customer(self) -> Customer:
        """Of which company."""
        assert self.owner.customer is not None, "support staff have no link"
        return self.owner.customer

    @property
    def name(self) -> str:
        """As visitors know it."""
        return self.owner.full_name if isinstance(self.owner, User) else self.owner.name

    @property
    def asks(self) -> tuple[str, ...]:
        """What a visitor is asked: "name", "email", both or nothing."""
        return ASKS[AskedOfVisitors(self.owner.talk_ask)]

    @property
    def number(self) -> str:
        """The number of the department, which everybody who is called sees anyway; "" where there is none."""
        department = self.owner.primary_department if isinstance(self.owner, User) else self.owner
        return department.outbound_caller_id if isinstance(department, Department) else ""

    @property
    def key(self) -> str:
        """As what its requests are counted."""
        return str(self.owner.pk) if self.person else f"{self.owner._meta.model_name}-{self.owner.pk}"


def link_of(slug: str, name: str) -> Link | None:
    """Where a link leads; None where nobody could be told, or its customer is suspended. Always the same three queries."""
    if not (name.isascii() and name.isalnum() and len(name) <= 50):
        name = "-"  # which nobody's link is
    person = (
        User.objects.filter(customer__slug=slug, talk_name__iexact=name, talk_enabled=True)
        .exclude(talk_name="")
        .select_related("customer", "primary_department", "role")
        .defer("password", "sip_password")
        .order_by("pk")
        .first()
    )
    places: list[Place | None] = [
        model._default_manager.filter(
            Exists(reachable(**{path: OuterRef("pk")})), customer__slug=slug, talk_name__iexact=name
        )
        .select_related("customer")
        .order_by("pk")
        .first()
        for model, path in ((Department, "memberships__department"), (SystemExtension, "system_extensions"))
    ]
    if person is not None:
        return Link(person) if person.is_active else None
    place = next((place for place in places if place is not None), None)
    return Link(place) if place is not None and not place.customer.suspended else None


def may_ask(address: str, link: Link) -> bool:
    """Count one request; whether it is within the limits. Whatever others did to the link, the first one of an address is."""
    place = network_of(address)
    if not BY_ADDRESS.take(place):
        return False
    return BY_LINK.take(link.key) or IN_A_FLOOD.take(f"{link.key}:{place}")


def meeting_is_open(person: User) -> bool:
    """Whether the person has their meeting open now."""
    return Meeting.objects.filter(user=person, open_until__gt=timezone.now()).exists()


def ask_for(link: Link, kind: Kind, name: str, email: str, number: str = "") -> str:
    """Somebody asks for a person, or for those who take a place's requests: remembered, and mailed to each of them.

    `number` (E.164) is where a call back goes; a meeting needs none.
    Gives the secret of the waiting room that a meeting has. Into one that is open and needs no approval they are let in at once.
    """
    token = random_token()
    person = link.person
    people = [link.owner] if isinstance(link.owner, User) else takers_of(link.owner)
    at_once = kind == Kind.MEET and person is not None and not person.meet_approve and meeting_is_open(person)
    with transaction.atomic():
        visitors = Visitor.objects.bulk_create(
            Visitor(
                user=one,
                kind=kind,
                place="" if person else link.name,
                name=name,
                email=email,
                number=number,
                # Only a meeting has a room, and that is one person's.
                token_hash=fingerprint(token if person else random_token()),
                state=State.ADMITTED if at_once else State.WAITING,
            )
            for one in people
        )
        if MAILS.take(link.key) or MAILS_THEN.take(link.key):
            letters.post(Letter.Kind.VISITOR, people, {visitor.user_id: visitor.pk for visitor in visitors})
    return token


def waiting_room(token: str) -> Visitor | None:
    """The visitor of a waiting room's secret, while their person still has the link; None else. A secret can't be guessed: nothing is counted."""
    visitor = (
        Visitor.objects.filter(token_hash=fingerprint(token), created_at__gt=timezone.now() - KEPT)
        .select_related("user__customer")
        .first()
    )
    if visitor is None or not visitor.user.talk_enabled or not visitor.user.is_active:
        return None
    return visitor


# --- The person's side --------------------------------------------------------------------------------------------
def may_have_visitors(person: User) -> bool:
    """Whether a link of their own, or of a department, queue or ring group of theirs, leads visitors to somebody."""
    return person.talk_enabled or bool(_led_to(person.pk))


def _who_is_led_to(person: Any) -> QuerySet[Any]:
    departments = Department.objects.filter(memberships__user=OuterRef("pk")).exclude(talk_name="")
    groups = SystemExtension.objects.filter(members=OuterRef("pk")).exclude(talk_name="")
    return User.objects.filter(Exists(departments) | Exists(groups), pk=person).order_by().values_list("pk")


# Asked by every page of one's own, for its rail.
_led_to = Prepared(_who_is_led_to)


def visitors_of(person: User) -> list[Visitor]:
    """Who asked for somebody within the last day; latest first."""
    return list(Visitor.objects.filter(user=person, created_at__gt=timezone.now() - KEPT)[:LISTED])


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
    """Let one visitor in, or not; False where they don't wait (any more)."""
    if admit and not meeting_is_open(person):
        open_meeting(person)
    return bool(_waiting(person).filter(pk=key).update(state=State.ADMITTED if admit else State.DECLINED))


def _waiting(person: User) -> Any:
    since = timezone.now() - WAITS_FOR
    return Visitor.objects.filter(user=person, kind=Kind.MEET, state=State.WAITING, created_at__gt=since)


def forget() -> int:
    """Delete what visitors told more than a day ago; how many they were."""
    old = Visitor.objects.filter(created_at__lte=timezone.now() - KEPT)
    with transaction.atomic():
        Letter.objects.filter(kind=Letter.Kind.VISITOR, about__in=old.values("pk")).delete()
        count, _rows = old.delete()
    return count


def told(letter: Letter, user: User) -> letters.Mail | None:
    """The mail about a visitor; None when they are forgotten already."""
    visitor = Visitor.objects.filter(pk=letter.about or 0, user=user).first()
    if visitor is None:
        return None
    if visitor.kind == Kind.MEET:
        subject = _("Somebody is waiting for you in your meeting")
    elif visitor.place:
        subject = _("Somebody is asking your company to call back")
    else:
        subject = _("Somebody would like to speak with you")
    link = settings.PUBLIC_URL.rstrip("/") + reverse("own_visitors")
    lately = Visitor.objects.filter(
        user=user, created_at__gt=timezone.now() - timedelta(seconds=MAILS.window)
    )
    return letters.Mail(
        subject,
        "talk/mail/visitor",
        {"visitor": visitor, "link": link, "many": lately.count() > MAILS.tries},
    )
