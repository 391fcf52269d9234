"""How calls ended, as the dialplan tells it (`deploy/asterisk/extensions.conf`, [ended]): once for each call, however often it is told.

    UserEvent(PbxCall,System: <host name>,From: <extension or number>,To: <dialled>,Call: <UNIQUEID>,Taken: no_answer.answered.,
        Rang: 101&102&,Peer: PJSIP/102@<host name>-0000,Shown: <as what emergency calls are shown>,Seconds: <spoken>,
        At: <end, in seconds since 1970>)

An emergency call asks nobody for a plan: that it was one, and as what it was shown, is told here alone.

A node tells of its own calls alone: their numbers begin with its name. What it says is taken for what it can be, and for no more.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from asterisk.calls import settling, taken
from asterisk.calls.planned import unique
from asterisk.calls.words import GOES_ON
from asterisk.link import events
from asterisk.link.events import Told
from asterisk.models import CallRecord, Node
from forwarding.asking import PlannedCall
from forwarding.decisions import Dialled, Reason, Verdict, Why

EVENT = "PbxCall"
_CALL = re.compile(r"[0-9A-Za-z._-]{1,60}\Z")
_EXTENSION = re.compile(r"[0-9]{2,5}\Z")
_NUMBER = re.compile(r"\+?[0-9]{2,20}\Z")
_NOT_DIALLED = re.compile(r"[^0-9A-Za-z+*#._-]")
# A call rings at most so often, and a group rings so many.
MOST_WORDS, MOST_RUNG = 200, 500
LONGEST = timedelta(days=7)
# How far from now a node's clock may be, where it tells at once, and for how long it may have kept what it tells.
AHEAD, KEPT = timedelta(minutes=5), timedelta(days=30)


def register() -> None:
    """Listen to what nodes tell of calls."""
    events.register(EVENT, told, people=("From",))


@dataclass(frozen=True, slots=True)
class Ended:
    """One call as a node tells its end, every value made sense of."""

    unique_id: str
    customer: int
    from_extension: str
    from_number: str
    dialled: str
    taken: list[str]
    rang: list[str]
    answered_by: str
    seconds: int
    ended_at: datetime
    shown: str = ""  # as what an emergency call was shown

    @classmethod
    def of(cls, node: str, event: Told, now: datetime) -> "Ended":
        """Read what was told."""
        values = event.values
        caller = values.get("From", "")
        inside = event.person("From") is not None
        words = [word for word in values.get("Taken", "").split(".")[:MOST_WORDS] if word in taken.WORDS]
        rang = [each for each in values.get("Rang", "").split("&")[:MOST_RUNG] if _EXTENSION.match(each)]
        return cls(
            unique(node, values.get("Call", "")), event.customer.pk, caller if inside else "",
            caller if not inside and _NUMBER.match(caller) else "", _NOT_DIALLED.sub("", values.get("To", ""))[:40],
            words, rang, _peer(values.get("Peer", ""), event.customer.fqdn) if taken.ANSWERED in words else "",
            min(_whole(values.get("Seconds", "")), int(LONGEST.total_seconds())), _moment(values, now),
            shown if _NUMBER.match(shown := values.get("Shown", "")) else "",
        )  # fmt: skip

    def row(self) -> CallRecord:
        """As what is known of a call whose plan isn't written."""
        return CallRecord(
            customer_id=self.customer,
            unique_id=self.unique_id,
            at=self.ended_at - timedelta(seconds=self.seconds),
            from_extension=self.from_extension,
            from_number=self.from_number,
            dialled=self.dialled,
            planned=self._of_emergency(),
        )

    def _of_emergency(self) -> dict[str, Any]:
        """Where an emergency call that asked nobody went, as plans keep it; nothing of any other call."""
        if not self.from_extension or taken.EMERGENCY not in self.taken:
            return {}
        number = "911" if "911" in self.dialled else "933"
        reason = Reason(Why.EMERGENCY, {"number": number, "caller_id": self.shown})
        return PlannedCall(Dialled(Verdict.EMERGENCY, number, self.shown, reason), None).as_data()

    def into(self, row: CallRecord) -> None:
        """Note it in the row of the call."""
        row.ended_at, row.seconds, row.taken = max(self.ended_at, row.at), self.seconds, self.taken
        row.rang, row.answered_by = self.rang, self.answered_by


def told(node: int, told: Sequence[Told]) -> None:
    """Write how these calls of a node ended: a constant number of statements for any number of them."""
    name = Node.objects.filter(pk=node).values_list("name", flat=True).first()
    if name is None:
        return
    now = timezone.now()
    calls: dict[str, Ended] = {}
    for event in told:
        if _CALL.match(event.values.get("Call", "")):
            call = Ended.of(name, event, now)
            calls.setdefault(call.unique_id, call)
    if calls:
        write(calls)


def write(calls: Mapping[str, Ended]) -> None:
    """Write how these calls ended, by their `unique_id`; one whose end was told already stays as it is."""
    with transaction.atomic():
        # In one order, whoever else writes the same calls.
        CallRecord.objects.bulk_create([calls[key].row() for key in sorted(calls)], ignore_conflicts=True)
        rows = CallRecord.objects.select_for_update().filter(unique_id__in=calls).order_by("pk")
        fresh = [
            row for row in rows if row.seconds is None and row.customer_id == calls[row.unique_id].customer
        ]
        for row in fresh:
            calls[row.unique_id].into(row)
        CallRecord.objects.bulk_update(fresh, ["ended_at", "seconds", "taken", "rang", "answered_by"])
        settling.settle(fresh)


def gone(node: int, present: Collection[str], before: datetime) -> None:
    """Calls of a node that began before a moment and aren't there any more are over, and nobody knows how: it was killed in the middle of them.

    `present`: its own numbers of the calls that it had after that moment. Where the end of one is told later, that counts.
    """
    name = Node.objects.filter(pk=node).values_list("name", flat=True).first()
    if name is None:
        return
    begun = CallRecord.objects.filter(
        at__gt=before - GOES_ON, at__lt=before, ended_at=None, unique_id__startswith=unique(name, "")
    )
    with transaction.atomic():
        rows = begun.select_for_update().order_by("pk").values_list("pk", "unique_id")
        there = {unique(name, call) for call in present}
        lost = [key for key, call in rows if call not in there]
        CallRecord.objects.filter(pk__in=lost).update(ended_at=timezone.now(), outcome=taken.Ending.ENDED)


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 12 else 0


def _moment(values: Mapping[str, str], now: datetime) -> datetime:
    """When it ended: as the node says, where that is possible."""
    said = datetime.fromtimestamp(min(_whole(values.get("At", "")), 2**33), UTC)
    return said if now - KEPT < said < now + AHEAD else now


def _peer(channel: str, fqdn: str) -> str:
    """The extension of whose device answered, "PJSIP/102@acme.example-00000004"; "" for no person of the customer."""
    extension, _at, rest = channel.removeprefix("PJSIP/").partition("@")
    return extension if _EXTENSION.match(extension) and rest.lower().startswith(f"{fqdn.lower()}-") else ""
