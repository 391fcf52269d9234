"""Greetings that are recorded by phone: who is called, what the node tells of it, and what becomes of the recording.

A call is a row (`PhoneRecording`) and an errand, written together. The node keeps in its own database how far the call is and on its disk
what was said, until the link has seen both to an end: whoever is killed in between goes on from there. Then the recording goes the way of
every file that comes in (`voicemail.greetings.making`), as whoever asked for it.
"""

import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone, translation
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from asterisk.asked.lines import prompts
from asterisk.link.status import status
from asterisk.mailboxes.names import parse
from asterisk.models import Contact, Errand, Node, PhoneRecording
from asterisk.nodes import customers_of
from pbxadmin.common.columns import Scope, Text
from pbxadmin.common.http import RequestFacts
from users.mail import letters
from users.models import User
from users.rights import Verb
from voicemail.greetings import making, recorder
from voicemail.greetings.calling import new_name
from voicemail.greetings.library import Library
from voicemail.greetings.making import NotNowError, RefusedError, Wanted
from voicemail.greetings.recorder import Asked, PhoneCall
from voicemail.models import Greeting, Incoming, Made, Mailbox
from voicemail.sections import DEFAULT_GREETING

logger = logging.getLogger("pbxadmin.link")

State = PhoneRecording.State
# A phone that is to ring rings within so many seconds, or not at all: nobody waits for it any more.
RINGS_WITHIN = timedelta(seconds=20)
# Forty seconds of ringing, after that.
RINGS = timedelta(seconds=65)
# What the call of it takes at most: ringing, and the twenty minutes after which the dialplan ends it.
LASTS = timedelta(minutes=22)
# For so long a node that is away, or a storage, is waited for; for so long a failure is told.
PATIENCE, KEPT = timedelta(hours=12), timedelta(days=7)
# Half a second of sound, as WAV: what is shorter was no greeting.
SHORTEST = 44 + 8_000
LATE = {State.ASKED.value: RINGS_WITHIN, State.RINGING.value: RINGS}
GOES_ON = (State.ASKED, State.RINGING, State.RECORDING)
OPEN = (*GOES_ON, State.RECORDED)


# --- Asking for it ----------------------------------------------------------------------------------------------------
class Recorder:
    """What `voicemail.greetings.recorder` asks."""

    def why_not(self, customer: Any) -> Text | None:
        """Why no phone of this customer can be called; None where one can."""
        nodes = _nodes_of(customer.pk)
        if not nodes:
            return recorder.none()
        return None if any(status(node).healthy for node in nodes) else _away()

    def call(self, asked: Asked, facts: RequestFacts) -> Text | None:
        """Have the phones ring; why not, where none does."""
        nodes = {node.pk: node for node in _nodes_of(asked.phone.customer_id or 0)}
        there = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
        found = Contact.objects.filter(there, user=asked.phone, node__in=nodes).order_by("-since")
        number = {"number": asked.phone.number}
        at = [row.node_id for row in found]
        if not at:
            return (
                _("No phone of extension %(number)s is registered: switch one on, then try again.") % number
            )
        node = next((key for key in at if status(nodes[key]).healthy), None)
        if node is None:
            return _away()
        if not _made(asked, facts, node):
            return _("The phones of extension %(number)s are being called already.") % number
        return None

    def calls(self, customer: Any, person: User | None) -> Sequence[PhoneCall]:
        """Those of a library, the latest first."""
        rows = PhoneRecording.objects.of(customer).filter(user=person).exclude(state=State.CANCELLED)
        return [
            PhoneCall(row.pk, row.name, str(words_of(row)), row.state not in OPEN or _is_late(row))
            for row in rows.select_related("phone", "node").defer("node__node_password")
        ]

    def put_away(self, customer: Any, person: User | None, pk: int) -> None:
        """Forget it; one that goes on is ended by the link."""
        rows = PhoneRecording.objects.of(customer).filter(pk=pk, user=person)
        if not rows.filter(state__in=OPEN).update(state=State.CANCELLED):
            rows.delete()


def register() -> None:
    """Be the phone system that greetings are recorded with."""
    recorder.register(Recorder())


def _nodes_of(customer: int) -> list[Node]:
    """The nodes that serve a customer."""
    serves = Q(customers=None) | Q(customers=customer)
    return list(Node.objects.filter(serves).defer("node_password").distinct())


def _away() -> Text:
    return _(
        "The phone system can't be reached right now: try again in a few minutes, upload a file, or use the microphone."
    )


def _made(asked: Asked, facts: RequestFacts, node: int) -> bool:
    """Write it down with its errand; False where a call to the same phones goes on. Two at once: the second finds the first."""
    scope = asked.scope
    try:
        with transaction.atomic():
            _forget_failures(asked)
            row = PhoneRecording.objects.create(
                customer=scope.customer, node_id=node, user=asked.person, starter=scope.actor, verb=str(asked.verb),
                phone=asked.phone, key=secrets.token_hex(16), name=asked.name, source=facts.source,
                address=facts.address, request_id=facts.request_id, note=facts.note, language=get_language() or "",
            )  # fmt: skip
            Errand.objects.create(node_id=node, kind=Errand.Kind.RECORD, subject=row.key)
    except IntegrityError:
        return False
    return True


def _forget_failures(asked: Asked) -> None:
    """Who tries again has read why nothing came of the last time; and what hangs since long ago keeps nobody from it."""
    own = PhoneRecording.objects.filter(customer=asked.scope.customer, user=asked.person)
    own.filter(starter=asked.scope.actor).exclude(state__in=(*OPEN, State.CANCELLED)).delete()
    now = timezone.now()
    late = Q(created_at__lt=now - LASTS) | Q(state=State.ASKED, created_at__lt=now - RINGS_WITHIN)
    there = PhoneRecording.objects.filter(late, phone=asked.phone, state__in=GOES_ON)
    there.update(state=State.LOST)


def _is_late(row: PhoneRecording) -> bool:
    """Whether a phone that was to ring doesn't any more."""
    return row.state == State.ASKED and timezone.now() - row.created_at > RINGS_WITHIN


def words_of(row: PhoneRecording) -> Text:
    """How far it is, to its reader."""
    number = {"number": row.phone.number}
    match row.state:
        case State.ASKED if _is_late(row):
            return _away()
        case State.ASKED:
            return _("Calling extension %(number)s…") % number
        case State.RECORDED if not status(row.node).healthy:
            return _(
                "Recorded. The phone system can't be reached right now; the recording comes once it can."
            )
        case State.RINGING | State.RECORDING if not status(row.node).healthy:
            return _("The phone system can't be reached right now; what was recorded comes once it can.")
        case State.RINGING:
            return _("The phones of extension %(number)s are ringing: answer one of them.") % number
        case State.RECORDING:
            return _("Answered: speak after the tone, and end with the pound key.")
        case State.RECORDED:
            return _("Recorded: it is being fetched…")
        case State.BUSY:
            return _("Extension %(number)s is busy: try again after the call.") % number
        case State.DECLINED:
            return _("The call was declined at extension %(number)s.") % number
        case State.NO_ANSWER:
            return _("Nobody answered at extension %(number)s: try again beside the phone.") % number
        case State.UNREACHABLE:
            return (
                _("No phone of extension %(number)s could be reached: switch one on, then try again.")
                % number
            )
        case State.NOTHING:
            return _("The call ended before anything was said: nothing was kept.")
        case State.REFUSED:
            return row.sentence
    return _("The call was interrupted, and nothing was kept: try again.")


# --- What the link asks -----------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Call:
    """A call that is to be made: the line whose devices ring, in which language they hear what to do, and what they show."""

    key: str
    line: str
    language: str
    title: str
    customer: str  # its short name, by which the dialplan counts calls


@dataclass(frozen=True)
class Waiting:
    """One that isn't over."""

    key: str
    state: str
    late: bool  # nobody waits for its phone to ring any more, or no call lasts so long


def to_make(node: int, key: str) -> Call | None:
    """What an errand means; None where nobody wants it any more, or waits for it."""
    row = (
        PhoneRecording.objects.filter(node=node, key=key, state=State.ASKED)
        .filter(created_at__gt=timezone.now() - RINGS_WITHIN, customer__in=customers_of(node))
        .select_related("phone__customer", "phone__primary_department")
        .first()
    )
    if row is None or (person := row.phone).customer is None:
        return None
    spoken = Mailbox.objects.filter(user=person).values_list("language", flat=True).first()
    department = person.primary_department
    language = spoken or (department.language if department else person.customer.language)
    with translation.override("fr-ca" if prompts(language) == "fr" else "en"):
        title = _("Record a greeting")
    return Call(
        key, f"{person.number}@{person.customer.fqdn}", prompts(language), title, person.customer.slug
    )


def of_menu(node: int, key: str, kind: str, name: str) -> bool:
    """Somebody has recorded a greeting in the menu of the mailbox `name` ("102@u17"); whether there is such a person.

    `kind`: "unavail" becomes their default greeting, "temp" that of the status in which they are now; "busy" only comes into their library,
    because the portal has no greeting for that alone.
    """
    box = parse(name)
    people = User.objects.filter(pk=box.person if box else 0, number=box.number if box else "")
    person = people.filter(customer__in=customers_of(node)).select_related("customer").first()
    if person is None or person.customer is None:
        return False
    library = Library.of_oneself(person)
    use = {"unavail": DEFAULT_GREETING, "temp": f"{person.status}.greeting"}.get(kind, "")
    language = letters.language_of(person)
    with translation.override(language):
        PhoneRecording.objects.get_or_create(
            key=key,
            defaults={
                "customer": person.customer, "node_id": node, "user": person, "starter": person, "verb": str(library.verb),
                "phone": person, "name": new_name(library), "use": use, "state": State.RECORDED, "source": "pbx",
                "language": language,
            },
        )  # fmt: skip
    return True


def waiting(node: int) -> list[Waiting]:
    """Those of this node that aren't over, oldest first."""
    now = timezone.now()
    rows = PhoneRecording.objects.filter(node=node, state__in=(*OPEN, State.CANCELLED)).order_by("pk")
    found = rows.values_list("key", "state", "created_at")
    return [Waiting(key, state, now - at > LATE.get(state, LASTS)) for key, state, at in found]


def told(key: str, state: str) -> None:
    """How far it is."""
    PhoneRecording.objects.filter(key=key, state__in=OPEN).exclude(state=state).update(state=state)


def forget(key: str) -> None:
    """One that nobody wanted any more has ended."""
    PhoneRecording.objects.filter(key=key, state=State.CANCELLED).delete()


def forget_old() -> None:
    """Failures that nobody has read for a week, and what can't be fetched for half a day."""
    now = timezone.now()
    PhoneRecording.objects.filter(created_at__lt=now - KEPT).delete()
    late = PhoneRecording.objects.filter(created_at__lt=now - PATIENCE, state__in=OPEN)
    late.update(state=State.LOST)


def brought(key: str, sound: bytes | None) -> bool:
    """The recording is here, or (None) isn't at the node: it becomes one that came in, or its library says why not. False: not now."""
    row = (
        PhoneRecording.objects.filter(key=key, state=State.RECORDED)
        .select_related("customer", "user", "starter__role")
        .first()
    )
    if row is None:
        return True
    if sound is None or len(sound) < SHORTEST:
        told(key, State.NOTHING)
        return True
    try:
        if not _is_taken(row):
            _take(row, sound)
    except NotNowError:
        return False
    except RefusedError as refused:
        _refuse(row, refused)
        return True
    row.delete()
    return True


def _take(row: PhoneRecording, sound: bytes) -> None:
    wanted = Wanted(row.name, Made.PHONE, row.user, use=row.use)
    facts = RequestFacts(row.source, row.address, row.request_id, row.note)
    with translation.override(row.language):
        making.receive(Scope(row.starter, row.customer), BytesIO(sound), wanted, facts, Verb(row.verb))


def _is_taken(row: PhoneRecording) -> bool:
    """Whether whoever was killed a moment ago had taken it."""
    same: dict[str, Any] = {"customer": row.customer, "user": row.user, "name": row.name, "made": Made.PHONE}
    came = Incoming.objects.filter(starter=row.starter, created_at__gt=row.created_at, **same)
    return came.exists() or Greeting.objects.in_library().filter(**same).exists()


def _refuse(row: PhoneRecording, refused: RefusedError) -> None:
    sentence = " ".join(refused.sentences)
    PhoneRecording.objects.filter(pk=row.pk).update(state=State.REFUSED, sentence=sentence)


def states(said: str) -> str:
    """PURE: what the dialplan writes down of a call, as one of ours; "" for what says nothing yet."""
    what, *rest = said.replace(" ", ",").split(",")
    if what in (State.RINGING, State.RECORDING, State.RECORDED, State.NOTHING):
        return what
    if what != "ended":
        return ""
    status_of, cause = [*rest, "", ""][:2]
    return ENDED.get((status_of, cause)) or ENDED.get((status_of, ""), State.UNREACHABLE)


# DIALSTATUS and HANGUPCAUSE: 603 Decline arrives as 21, "call rejected".
ENDED = {
    ("BUSY", ""): State.BUSY,
    ("NOANSWER", ""): State.NO_ANSWER,
    ("CHANUNAVAIL", "21"): State.DECLINED,
    ("CONGESTION", "21"): State.DECLINED,
    ("ANSWER", ""): State.NOTHING,
    ("CANCEL", ""): State.NOTHING,
}
