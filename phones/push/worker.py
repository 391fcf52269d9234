"""Bringing the phones of the outbox up to date, step by step.

Claim rows, render the file, compare it with the one that the phone fetched last, notify, and remember. A claim ends by
itself: a worker that is killed loses nothing.
"""

import asyncio
import logging
import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import inf
from typing import Any

from django.conf import settings
from django.db.models import Case, F, Q, Value, When
from django.utils import timezone

from pbxadmin.common.crypto import Reader, plain
from pbxadmin.common.values.configtext import UnsafeTextError
from phones import build
from phones.models import Phone
from phones.presence import proves_presence
from phones.push import outbox
from phones.push.notify import sip
from phones.push.notify.targets import Address, phone_networks
from phones.selectors import UNWRITABLE
from phones.vendors import Command, ContextError, UnknownModelError, vendor_of
from users.models import User

logger = logging.getLogger("pbxadmin.push")

# Phones that one look at the outbox finds.
SWEPT = 500
# Phones claimed, rendered and notified together.
SLICE = 64
# Seconds by which a claim outlives the sending: then others may take it up.
CLAIM_MARGIN = 8.0

# How long to wait after the 1st, 2nd… attempt: an answer that never came, and a promised fetch that didn't.
RETRY_AFTER = (timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10), timedelta(hours=1))
FETCH_AFTER = (timedelta(minutes=2), timedelta(minutes=10), timedelta(hours=1))
# A restart that nobody could send in this time isn't wanted any more: it would end somebody's call hours
# later.
RESTART_LIFE = timedelta(minutes=15)
# A phone that was told to restart, or perhaps was, is left alone for so long, unless it fetches before.
RESTART_TAKES = timedelta(seconds=90)
# Seconds for which copies of an unanswered restart are sent.
RESTART_COPIES = 2.0


def _due(now: datetime) -> Q:
    """The phones that there is something to tell, and that nobody is telling: a claim is a `next_attempt_at`
    ahead.

    A phone that never fetched isn't known to be anywhere; its first fetch empties its outbox. One that is restarting
    isn't asked before it can be back: when it is, it fetches by itself.
    """
    restarting = Q(
        notified_command=Phone.Command.RESTART,
        notified_at__gt=now - RESTART_TAKES,
        outcome__in=(Phone.Outcome.WAITING, Phone.Outcome.ACCEPTED, Phone.Outcome.SILENT),
        fetched_at__lte=F("notified_at"),
    )
    return (
        (Q(stale_since__isnull=False) | Q(command_at__isnull=False))
        & (Q(next_attempt_at__isnull=True) | Q(next_attempt_at__lte=now))
        & Q(fetched_from__isnull=False)
        & ~restarting
    )


def due_phones(limit: int = SWEPT) -> list[tuple[int, int]]:
    """Keys and earlier attempts of phones that there is something to tell: what was lost, what no broker could tell, and
    what waits for another try. Those tried least often come first, of these the one that waits longest."""
    due = Phone.objects.filter(_due(timezone.now())).order_by("attempts", "stale_since")
    return list(due.values_list("pk", "attempts")[:limit])


def sweep() -> int:
    """Push what is due; returns how many were notified."""
    return push([pk for pk, _attempts in due_phones()])


@dataclass(eq=False)
class Sent:
    """What a phone was told, and how it stood when it was read."""

    phone: Phone
    command: str
    claim: datetime  # as it stands in the row, as far as nobody has changed the phone since

    @property
    def from_host(self) -> str:
        """In whose name: the phone system of its customer."""
        return self.phone.user.customer.fqdn  # type: ignore[union-attr]  # `_notify` has seen them


Sending = tuple[Sent, sip.Notify]


def push(ids: Sequence[int]) -> int:
    """Bring phones up to date and wait for what comes of it; returns how many were notified.

    May run any number of times, on any number of workers: a phone is told by one of them. The workers themselves wait for
    nobody: `phones.push.pusher`.
    """
    told = 0
    for part in outbox.chunks(ids, SLICE):
        sending = begin(part, sip.TIMEOUT + CLAIM_MARGIN)
        if sending:
            results = _send(sending)
            _store_results([(sent, result) for (sent, _), result in zip(sending, results, strict=True)])
            told += len(results)
    return told


def begin(ids: Sequence[int], seconds: float) -> list[Sending]:
    """Claim what is due among these phones for so long, render and compare, and note what needs no NOTIFY; returns what
    is to be sent now. `finish` notes what came of it."""
    claim = _claim(ids, seconds)
    if claim is None:
        return []
    phones = list(build.loaded(Phone.objects.filter(pk__in=ids, next_attempt_at=claim)))
    sending, settled, dropped = _decide(phones, claim)
    _store_settled(settled, claim)
    _store_dropped(dropped)
    return _note_restarts(sending, claim)


def finish(ended: Sequence[tuple[Sent, sip.Result]]) -> None:
    """Note what came of NOTIFYs; a second time it changes nothing more."""
    _store_results(ended)


def go_on(unanswered: Iterable[Sent], seconds: float) -> None:
    """Claim for longer what still waits for its answer."""
    by_claim: dict[datetime, list[Sent]] = defaultdict(list)
    for sent in unanswered:
        by_claim[sent.claim].append(sent)
    for claim, group in by_claim.items():
        longer = _new_claim(seconds)
        outbox.update_in_order(
            [sent.phone.pk for sent in group], Q(next_attempt_at=claim), next_attempt_at=longer
        )
        for sent in group:
            sent.claim = longer


def give_back(unanswered: Iterable[Sent]) -> None:
    """Leave to others at once what this worker hasn't ended; nobody knows what came of a restart, so that isn't among it."""
    for sent in unanswered:
        Phone.objects.filter(pk=sent.phone.pk, next_attempt_at=sent.claim).update(next_attempt_at=None)


def _claim(ids: Sequence[int], seconds: float) -> datetime | None:
    """Take what is due among these phones, in one UPDATE that two workers can't both win; None where nothing
    is.

    The claim is the very value of `next_attempt_at`: it ends by itself, and whoever changes the phone
    meanwhile sets another one, by which the worker sees later that what it knows is old.
    """
    claim = _new_claim(seconds)
    return claim if outbox.update_in_order(ids, _due(timezone.now()), next_attempt_at=claim) else None


def _new_claim(seconds: float) -> datetime:
    # No two claims are the same, even those of workers whose clocks agree to the microsecond.
    unlike = timedelta(microseconds=random.randrange(1_000_000))  # noqa: S311 - not a secret
    return timezone.now() + timedelta(seconds=seconds) + unlike


def _decide(
    phones: Iterable[Phone], claim: datetime
) -> tuple[list[Sending], dict[str, list[int]], list[Phone]]:
    """What each claimed phone gets: a NOTIFY; nothing, because its file is the same or there is none
    ("current"), or can't be written ("unwritable"); and the phones whose restart isn't wanted any more."""
    phones, now = list(phones), timezone.now()
    contexts = build.contexts_for(phones)
    sending: list[Sending] = []
    settled: dict[str, list[int]] = defaultdict(list)
    dropped: list[Phone] = []
    for phone in phones:
        command = phone.command if phone.command_at else ""
        if command == Phone.Command.RESTART and _is_over(phone, now):
            dropped.append(phone)
            command = ""
        made = contexts.get(phone.pk)
        if made is None:
            # Nobody's phone, or somebody who isn't served: there is no file to fetch, and nobody to tell.
            settled["current"].append(phone.pk)
            dropped += [phone] if command else []
            continue
        try:
            same = not command and build.digest(build.device_file(made)) == phone.fetched_digest
            notify = None if same else _notify(phone, command)
        except (ContextError, UnsafeTextError, UnknownModelError, ValueError) as error:
            logger.error("push mac=%s can't be written: %s", phone.mac, error)
            settled["unwritable"].append(phone.pk)
            dropped += [phone] if command else []
            continue
        if notify is None:
            settled["current"].append(phone.pk)
        else:
            sending.append((Sent(phone, command, claim), notify))
    return sending, settled, dropped


def _is_over(phone: Phone, now: datetime) -> bool:
    """Whether a waiting restart is too old."""
    return phone.command_at is not None and now - phone.command_at > RESTART_LIFE


def _notify(phone: Phone, command: str) -> sip.Notify:
    user = phone.user
    if user is None or phone.fetched_from is None:
        raise ValueError("nobody's phones, and those that never fetched, can't be notified")
    event = vendor_of(phone.model).notify_event(
        Command.RESTART if command == Phone.Command.RESTART else Command.RESYNC
    )
    if event is None:
        raise ValueError(f"a {phone.model} can't be told to {command}")
    target = sip.Target(
        host=phone.fetched_from,
        port=phone.sip_port,
        transport="tcp" if phone.sip_transport == "tcp" else "udp",
        user=user.number,
        auth_id=user.sip_auth_id,
        password=plain(user, User.sip_password, Reader.CHALLENGE),
    )
    # The copies of a restart end before a phone that took the first one can be back and take another.
    repeat_for = RESTART_COPIES if command == Phone.Command.RESTART else inf
    return sip.Notify(key=phone.pk, target=target, event=event, repeat_for=repeat_for)


def _send(sending: Sequence[Sending]) -> list[sip.Result]:
    """Tell all of them at once, each in the name of its phone system, and wait for the last answer."""

    async def everybody() -> list[sip.Result]:
        sender = sip.Sender(allowed_networks(), timeout=sip.TIMEOUT)
        try:
            return await asyncio.gather(*(sender.send(notify, sent.from_host) for sent, notify in sending))
        finally:
            sender.close()

    return asyncio.run(everybody())


def allowed_networks() -> Callable[[Address], bool]:
    """Where a NOTIFY may go: ordinary addresses, and those that this installation adds."""
    return phone_networks(*settings.NOTIFY_EXTRA_NETWORKS)


# --- Remembering, only as far as nothing has changed since the claim ---
def _store_settled(settled: dict[str, list[int]], claim: datetime) -> None:
    if settled["current"]:
        outbox.update_in_order(
            settled["current"], Q(next_attempt_at=claim), stale_since=None, attempts=0, next_attempt_at=None
        )
    if settled["unwritable"]:
        now = timezone.now()
        outbox.update_in_order(
            settled["unwritable"],
            Q(next_attempt_at=claim),
            attempts=F("attempts") + 1,
            next_attempt_at=now + RETRY_AFTER[-1],
            notified_at=now,
            notified_command="",
            outcome=Phone.Outcome.REFUSED,
            outcome_detail=UNWRITABLE,
        )


def _store_dropped(phones: Iterable[Phone]) -> None:
    """Take back commands, unless another one was given since."""
    for phone in phones:
        Phone.objects.filter(pk=phone.pk, command_at=phone.command_at).update(command="", command_at=None)


def _note_restarts(sending: Sequence[Sending], claim: datetime) -> list[Sending]:
    """What may be sent: a restart only once its press is taken out of the outbox.

    So it is never sent twice: where this worker dies, nobody knows whether the phone has heard it, and people are told so
    (`selectors.perhaps_restarted`). Whoever changed the phone since the claim has it taken up anew, restart and all.
    """
    restarts = [sent.phone.pk for sent, _notify in sending if sent.command == Phone.Command.RESTART]
    if not restarts:
        return list(sending)
    mine = Q(next_attempt_at=claim, command=Phone.Command.RESTART, command_at__isnull=False)
    now = timezone.now()
    noted = outbox.update_in_order(
        restarts,
        mine,
        command="",
        command_at=None,
        notified_at=now,
        notified_command=Phone.Command.RESTART,
        outcome=Phone.Outcome.WAITING,
        outcome_detail="",
    )
    if noted == len(restarts):
        return list(sending)
    kept = set(
        Phone.objects.filter(pk__in=restarts, notified_at=now, outcome=Phone.Outcome.WAITING).values_list(
            "pk", flat=True
        )
    )
    return [
        (sent, notify)
        for sent, notify in sending
        if sent.command != Phone.Command.RESTART or sent.phone.pk in kept
    ]


OUTCOMES = {
    sip.Outcome.ACCEPTED: Phone.Outcome.ACCEPTED,
    sip.Outcome.REFUSED: Phone.Outcome.REFUSED,
    sip.Outcome.UNAUTHORIZED: Phone.Outcome.REFUSED,
    sip.Outcome.SILENT: Phone.Outcome.SILENT,
    sip.Outcome.UNREACHABLE: Phone.Outcome.UNREACHABLE,
}


def _store_results(ended: Iterable[tuple[Sent, sip.Result]]) -> None:
    """One UPDATE for all phones of a claim with the same outcome."""
    groups: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for sent, result in ended:
        detail = f"{result.code or ''} {result.reason}".strip()[:100]
        groups[
            _what_came_of(sent, result),
            detail,
            min(sent.phone.attempts, len(RETRY_AFTER)),
            sent.command,
            sent.phone.command_at,
            sent.claim,
            proves_presence(result.code),
        ].append(sent.phone.pk)
    now = timezone.now()
    for (outcome, detail, attempts, command, command_at, claim, answered), ids in groups.items():
        heard = {"heard_at": now} if answered else {}
        stored = _stored(outcome, detail, attempts, command, command_at, claim, now)
        outbox.update_in_order(ids, Q(), **stored, **heard)


def _what_came_of(sent: Sent, result: sip.Result) -> sip.Outcome:
    """A closed port that was found by a copy may be that of a phone that took the first one and is restarting."""
    copied = sent.phone.sip_transport == "udp" and result.seconds >= sip.T1
    if sent.command == Phone.Command.RESTART and result.outcome is sip.Outcome.UNREACHABLE and copied:
        return sip.Outcome.SILENT
    return result.outcome


def _stored(
    outcome: sip.Outcome,
    detail: str,
    attempts: int,
    command: str,
    command_at: datetime | None,
    claim: datetime,
    now: datetime,
) -> dict[str, Any]:
    """The columns after one NOTIFY. Whoever changed the phone meanwhile wants it told again, and at once."""
    mine = Q(next_attempt_at=claim)
    restart = command == Phone.Command.RESTART
    values: dict[str, Any]
    if outcome is sip.Outcome.NOT_SENT:
        values = {"next_attempt_at": _where(mine, None, "next_attempt_at")}
        if restart:
            # Nothing left the machine: the press waits again, unless there was another one.
            free = Q(command_at=None)
            values |= {
                "command": _where(free, command, "command"),
                "command_at": _where(free, command_at, "command_at"),
                "notified_command": "",
            }
        return values
    waits = FETCH_AFTER if outcome is sip.Outcome.ACCEPTED else RETRY_AFTER
    values = {
        "outcome": OUTCOMES[outcome],
        "outcome_detail": detail,
        "attempts": _where(mine, F("attempts") + 1, "attempts"),
        "next_attempt_at": _where(mine, now + waits[min(attempts, len(waits) - 1)], "next_attempt_at"),
    }
    if restart:
        # When it left is noted already: a phone may be back before this is written.
        return values
    values |= {"notified_at": now, "notified_command": command or Phone.Command.RESYNC}
    if command and outcome is sip.Outcome.ACCEPTED:
        same = Q(command_at=command_at)
        values |= {
            "command": _where(same, "", "command"),
            "command_at": _where(same, None, "command_at"),
        }
    return values


def _where(condition: Q, value: Any, name: str) -> Case:
    """`value` for the column `name` in the rows of `condition`; the others keep theirs."""
    kind: Any = type(Phone._meta.get_field(name))
    new = value if hasattr(value, "resolve_expression") else Value(value, output_field=kind())
    return Case(When(condition, then=new), default=F(name), output_field=kind())
