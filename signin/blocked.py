"""Whose sign-in is blocked at this moment: the tries themselves are counted under a keyed hash, so the history says of whom to ask."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from signin.credentials import account_key
from signin.lockout import LONG, SHORT, SIGN_IN
from signin.models import SignInAttempt
from users.models import Operation, User
from users.models.history import changes_since

# What the history says at the failure that shuts somebody out.
LOCKED = "sign_in.locked"


@dataclass(frozen=True)
class Block:
    """Somebody who isn't let in: until when, from which addresses ("" where from any), and after how many failures."""

    until: datetime
    addresses: tuple[str, ...]
    failures: int

    @property
    def everywhere(self) -> bool:
        """Whether it holds wherever they haven't signed in lately."""
        return not self.addresses


def locked_since(now: datetime) -> Q:
    """The rows of the history that say of somebody that they were shut out as long ago as a block may last."""
    return Q(kind=Operation.Kind.SIGN_IN, operation__reason=LOCKED, operation__at__gte=now - LONG)


def locked_lately(now: datetime) -> list[int]:
    """The keys of those who were shut out as long ago as a block may last, the last one first; they may be let in again by now."""
    changes = changes_since(now - LONG).filter(locked_since(now), model=User._meta.label_lower)
    return list(dict.fromkeys(changes.order_by("-id").values_list("object_pk", flat=True)))


def blocked(now: datetime | None = None) -> dict[int, Block]:
    """Who is blocked now, by their keys: one query, and one more where anybody was shut out in the last hour."""
    now = now or timezone.now()
    return blocks_of(locked_lately(now), now)


def blocks_of(people: Iterable[int], now: datetime) -> dict[int, Block]:
    """Which of these people are blocked, read off the tries that count now: who was let in, or unblocked, has none."""
    accounts = {account_key(User(pk=key)): key for key in people}
    if not accounts:
        return {}
    tries: dict[int, list[tuple[str, datetime]]] = defaultdict(list)
    rows = SignInAttempt.objects.filter(login__in=list(accounts), at__gte=now - LONG).order_by("at")
    for login, address, at in rows.values_list("login", "address", "at"):
        tries[accounts[login]].append((address, at))
    blocks = ((key, _block(tries[key], now)) for key in accounts.values())
    return {key: block for key, block in blocks if block is not None}


def _block(tries: list[tuple[str, datetime]], now: datetime) -> Block | None:
    """What these tries at one account, the oldest first, come to."""
    if len(tries) >= SIGN_IN.account:
        return Block(_ends([at for _address, at in tries], SIGN_IN.account, LONG), (), len(tries))
    by_address: dict[str, list[datetime]] = defaultdict(list)
    for address, at in tries:
        if at >= now - SHORT:
            by_address[address].append(at)
    full = {address: times for address, times in by_address.items() if len(times) >= SIGN_IN.pair}
    if not full:
        return None
    until = max(_ends(times, SIGN_IN.pair, SHORT) for times in full.values())
    return Block(until, tuple(full), len(tries))


def _ends(times: list[datetime], limit: int, lasts: timedelta) -> datetime:
    """When fewer than `limit` of these tries count."""
    return times[-limit] + lasts
