"""What the workers do: bring the phones of the outbox up to date.

They claim rows, render the file, compare it with the one that the phone fetched last, notify, and remember. A claim ends by
itself: a worker that is killed loses nothing.
"""

import asyncio
import logging
import random
import time
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
from phones.push import outbox
from phones.push.notify import sip
from phones.push.notify.targets import Address, phone_networks
from phones.selectors import UNWRITABLE
from phones.vendors import Command, ContextError, UnknownModelError, vendor_of
from users.models import User

logger = logging.getLogger("pbxadmin.push")

# Phones that one sweep takes up.
SWEPT = 500
# Phones claimed, rendered and notified together. One that doesn't answer holds one of the 16 places for eight
# seconds.
SLICE = 128
# The longest that the sending of a whole slice may take, and how long its claim outlives that: then others
# may take it up.
SENDING = 24.0
CLAIM_MARGIN = 8.0
# Customers whose phones are told at the same time; each has a socket of its own.
CUSTOMERS_AT_ONCE = 16

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


def sweep(limit: int = SWEPT, budget: float = 20.0) -> int:
    """Push what was lost, what waits for another try, and what no broker could tell; what waits least often
    comes first."""
    ids = list(
        Phone.objects.filter(_due(timezone.now()))
        .order_by("attempts", "stale_since")
        .values_list("pk", flat=True)[:limit]
    )
    return push(ids, budget=budget) if ids else 0


@dataclass(frozen=True)
class Sent:
    """What a phone was told, and how it stood when it was read."""

    phone: Phone
    command: str


Sending = tuple[Sent, sip.Notify]


def push(ids: Sequence[int], rate: float | None = None, budget: float | None = None) -> int:
    """Bring phones up to date: claim, render, compare, notify, remember. Returns how many were notified.

    May run any number of times, on any number of workers: a phone is told by one of them. `rate`: phones a
    second at most (default `settings.NOTIFY_RATE`, 0: no limit); `budget`: seconds after which no further
    phones are taken up.
    """
    rate = settings.NOTIFY_RATE if rate is None else rate
    begin = time.monotonic()
    told = 0
    for part in outbox.chunks(ids, SLICE):
        if budget is not None and time.monotonic() - begin > budget:
            break
        if rate and told:
            # Between two slices, when nothing is claimed.
            time.sleep(max(0.0, begin + told / rate - time.monotonic()))
        told += _push(part)
    return told


def _push(ids: Sequence[int]) -> int:
    claim = _claim(ids)
    if claim is None:
        return 0
    phones = list(build.loaded(Phone.objects.filter(pk__in=ids, next_attempt_at=claim)))
    sending, settled, dropped = _decide(phones, timezone.now())
    _store_settled(settled, claim)
    _store_dropped(dropped)
    if not sending:
        return 0
    sending = _note_restarts(sending, claim)
    results = _send(sending) if sending else []
    _store_results(sending, results, claim)
    return len(results)


def _claim(ids: Sequence[int]) -> datetime | None:
    """Take what is due among these phones, in one UPDATE that two workers can't both win; None where nothing
    is.

    The claim is the very value of `next_attempt_at`: it ends by itself, and whoever changes the phone
    meanwhile sets another one, by which the worker sees later that what it knows is old.
    """
    now = timezone.now()
    # No two claims are the same, even those of workers whose clocks agree to the microsecond.
    unlike = timedelta(microseconds=random.randrange(1_000_000))  # noqa: S311 - not a secret
    claim = now + timedelta(seconds=_sending_time(len(ids)) + CLAIM_MARGIN) + unlike
    return claim if outbox.update_in_order(ids, _due(now), next_attempt_at=claim) else None


def _sending_time(count: int) -> float:
    """The longest that the sending may take, in seconds: one round where all go at once."""
    return sip.TIMEOUT if count <= sip.IN_FLIGHT else SENDING


def _decide(
    phones: Iterable[Phone], now: datetime
) -> tuple[list[Sending], dict[str, list[int]], list[Phone]]:
    """What each claimed phone gets: a NOTIFY; nothing, because its file is the same or there is none
    ("current"), or can't be written ("unwritable"); and the phones whose restart isn't wanted any more."""
    phones = list(phones)
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
            sending.append((Sent(phone, command), notify))
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
    """Tell all of them, those of each customer in the name of its phone system; at most 16 in flight each."""
    by_customer: dict[str, list[sip.Notify]] = defaultdict(list)
    for sent, notify in sending:
        by_customer[sent.phone.user.customer.fqdn].append(notify)  # type: ignore[union-attr]  # `_notify` has seen them
    end = time.monotonic() + _sending_time(len(sending))

    async def everybody() -> list[sip.Result]:
        places = asyncio.Semaphore(CUSTOMERS_AT_ONCE)

        async def customer(fqdn: str, notifies: list[sip.Notify]) -> list[sip.Result]:
            async with places:
                return await sip.send_all_async(
                    notifies,
                    from_host=fqdn,
                    allowed=allowed_networks(),
                    budget=max(0.0, end - time.monotonic()),
                )

        found = await asyncio.gather(*(customer(fqdn, notifies) for fqdn, notifies in by_customer.items()))
        return [result for results in found for result in results]

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


def _store_results(sending: Sequence[Sending], results: Iterable[sip.Result], claim: datetime) -> None:
    """One UPDATE for all phones with the same outcome."""
    by_key = {sent.phone.pk: sent for sent, _notify in sending}
    groups: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for result in results:
        sent = by_key[result.key]  # type: ignore[index]  # the key that we gave it
        outcome = _what_came_of(sent, result)
        detail = f"{result.code or ''} {result.reason}".strip()[:100]
        groups[
            outcome,
            detail,
            min(sent.phone.attempts, len(RETRY_AFTER)),
            sent.command,
            sent.phone.command_at,
        ].append(sent.phone.pk)
    now = timezone.now()
    for (outcome, detail, attempts, command, command_at), ids in groups.items():
        outbox.update_in_order(
            ids, Q(), **_stored(outcome, detail, attempts, command, command_at, claim, now)
        )


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
