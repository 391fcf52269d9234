"""How many failed sign-ins are too many, so that passwords can't be guessed and nobody can shut a chosen
person out.

Three counts hold together: per account and address, per address over all accounts (one password tried on
many people), and per account over all addresses (one person guessed at from a botnet). The last one could
be used against a person: it doesn't hold at an address where they have signed in lately, and none of the three in a browser
where they have (`signin.devices`). A library that locks
by one limit, or that counts after the password was checked, can't do this: hundreds of guesses sent at the
same moment would all be checked before the first is counted. Here every try is a row before its password is
looked at, and the row goes away when the password was right.

Where the tries are used up no password is looked at any more: the answer is there at once, the same for everybody. Behind one
address there may be a whole office. Whoever has signed in there lately goes on doing so, whatever strangers try beside them;
only their own failures, and very many of the whole office, shut them out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network

from django.db.models import Count, Exists, OuterRef, Q, Subquery
from django.utils import timezone

from signin.devices import Device
from signin.hashing import TryLaterError
from signin.models import KnownAddress, SignInAttempt
from users.models import User

SHORT = timedelta(minutes=15)
LONG = timedelta(hours=1)
KNOWN_FOR = timedelta(days=30)
# One try in so many sweeps out what nothing counts any more.
SWEEP_EVERY = 50


@dataclass(frozen=True)
class Limits:
    """Tries allowed: from one address at one account (15 minutes), from one address (15 minutes), at one
    account (an hour). `office`: from one address at people who are known there, whatever strangers used up."""

    pair: int
    address: int
    account: int
    office: int = 0


SIGN_IN = Limits(pair=5, address=30, account=50, office=150)
# Answers of Microsoft and Google: there is no password to be guessed, and whose account it is shows only in the answer. They
# are counted for the customer at whose door the sign-in began, and shut it at one address alone.
SINGLE_SIGN_ON = Limits(pair=30, address=30, account=1_000_000_000, office=150)
# Codes of a second factor in a browser where its person is known; all others share the count of the app (`TotpDevice`).
CODE = Limits(pair=5, address=5, account=1_000_000_000, office=5)
# Mails with a link: few, because each one lands in somebody's inbox. All of them stay valid, so it locks
# nobody out.
LINK = Limits(pair=3, address=30, account=5, office=150)


@dataclass(frozen=True)
class Tally:
    """One counted try. `allowed`: the password may be looked at. `last`: no other try is allowed if this
    one fails. `beyond`: allowed to somebody who is known here, where strangers are refused. `wait`: after how many seconds
    another try is worth while."""

    account: str
    origin: str
    allowed: bool
    last: bool
    beyond: bool = False
    wait: int = 0
    row: int = 0


class TooManyTriesError(TryLaterError):
    """So many tries have failed here that no password is looked at for a while."""

    status = 429


def origin_of(address: str) -> str:
    """What is counted as one place: an IPv4 address, or the /64 network that one IPv6 subscriber has to
    themselves."""
    if not address:
        return ""
    parsed = ip_address(address)
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ip_network((int(parsed), 64), strict=False))
    return str(parsed)


def known_at(address: str) -> Exists:
    """A condition over users: has this person signed in from `address` lately?"""
    return Exists(
        KnownAddress.objects.filter(
            user=OuterRef("pk"), address=origin_of(address), last_at__gte=timezone.now() - KNOWN_FOR
        )
    )


def last_at(origin: str) -> Subquery:
    """Of a user: when this person last signed in from a place (`origin_of`); see `is_lately`."""
    here = KnownAddress.objects.filter(user=OuterRef("pk"), address=origin)
    return Subquery(here.values("last_at"))


def is_lately(at: datetime | None) -> bool:
    """Whether who signed in then, if ever, is still known at that place."""
    return at is not None and at >= timezone.now() - KNOWN_FOR


def is_known(person: int | None, address: str) -> bool:
    """Whether the person with this key has signed in from `address` lately: what strangers there used up isn't held against them."""
    return bool(address and person) and User.objects.filter(known_at(address), pk=person or 0).exists()


def register(
    account: str, address: str, limits: Limits, *, known: bool, device: Device | None = None
) -> Tally:
    """Count a try at `account` (a keyed hash, see `signin.credentials`) from `address`, and say whether it may go
    on.

    `device`: the browser, where this very person is known in it; what others tried counts for nothing there, wherever they did.

    Call it before anything is checked, outside a transaction: other requests must see the row at once. A
    try that isn't allowed isn't counted, so the lock ends by itself however often somebody knocks
    meanwhile.
    """
    origin, now = device.origin if device else origin_of(address), timezone.now()
    known = known or device is not None
    attempt = SignInAttempt.objects.create(login=account, address=origin)
    here, lately = Q(address=origin, at__gte=now - SHORT), Q(login=account, at__gte=now - LONG)
    counts = SignInAttempt.objects.filter(here | lately).aggregate(
        pair=Count("pk", filter=here & Q(login=account)),
        address=Count("pk", filter=here),
        account=Count("pk", filter=lately),
    )
    full = counts["address"] > limits.address
    allowed = counts["pair"] <= limits.pair and (
        counts["address"] <= limits.office if known else not full and counts["account"] <= limits.account
    )
    last = allowed and (counts["pair"] == limits.pair or (not known and counts["account"] == limits.account))
    if not allowed:
        SignInAttempt.objects.filter(pk=attempt.pk).delete()
    if attempt.pk % SWEEP_EVERY == 0:
        purge()
    return Tally(account, origin, allowed, last, allowed and full, int(SHORT.total_seconds()), attempt.pk)


def withdraw(tally: Tally) -> None:
    """The try isn't counted after all: nobody had the time to look at its password."""
    SignInAttempt.objects.filter(pk=tally.row).delete()


def forget(account: str, origin: str) -> None:
    """The password was right: the failures of this account at this place (`origin_of`) don't count any more.

    Not those of the address with other accounts: who has one password mustn't get new tries at others with
    it.
    """
    SignInAttempt.objects.filter(login=account, address=origin).delete()


@dataclass(frozen=True)
class Place:
    """The failures of one account at one place in the last hour: how many, when the last one was, and until when it may not try again."""

    origin: str
    count: int
    last_at: datetime
    until: datetime | None
    # Until when nobody who isn't known there may try, whichever account: what is tried at others counts as well.
    full_until: datetime | None = None

    @property
    def is_browser(self) -> bool:
        """Whether it is a browser in which they have signed in, not an address."""
        return self.origin.startswith("device:")


def _ends(times: Sequence[datetime], most: int, after: timedelta) -> datetime | None:
    """When so many tries are no longer too many: `times` in order; None where they aren't."""
    now = timezone.now()
    counted = [at for at in times if at > now - after]
    return counted[len(counted) - most] + after if len(counted) >= most else None


def failures_of(account: str) -> tuple[list[Place], datetime | None]:
    """Where an account's tries have failed lately, the latest place first; and until when it is blocked wherever it isn't known."""
    since = timezone.now() - LONG
    lately = SignInAttempt.objects.filter(at__gte=since)
    mine = lately.filter(login=account)
    by_place: dict[str, list[datetime]] = {}
    everybodys: dict[str, list[datetime]] = {}
    there = lately.filter(address__in=mine.values("address")).order_by("at")
    for login, origin, at in there.values_list("login", "address", "at"):
        everybodys.setdefault(origin, []).append(at)
        if login == account:
            by_place.setdefault(origin, []).append(at)
    places = [
        Place(
            origin, len(times), times[-1], _ends(times, SIGN_IN.pair, SHORT),
            _ends(everybodys[origin], SIGN_IN.address, SHORT),
        )
        for origin, times in by_place.items()
    ]  # fmt: skip
    everywhere = _ends(sorted(at for times in by_place.values() for at in times), SIGN_IN.account, LONG)
    return sorted(places, key=lambda place: place.last_at, reverse=True), everywhere


def blocked(account: str) -> Q:
    """Whether an account's right password is refused somewhere because of failures of its own, as a condition over any rows."""
    mine = SignInAttempt.objects.filter(login=account).order_by()
    now = timezone.now()

    def at_least(most: int, after: timedelta, by: str) -> Q:
        counted = mine.filter(at__gt=now - after).values(by).annotate(count=Count("pk"))
        return Q(Exists(counted.filter(count__gte=most)))

    return at_least(SIGN_IN.pair, SHORT, "address") | at_least(SIGN_IN.account, LONG, "login")


def unblock(account: str) -> int:
    """Forget an account's failures everywhere; how many there were. Those of others at the same addresses stay."""
    count, _rows = SignInAttempt.objects.filter(login=account).delete()
    return count


def remember(user: User, address: str) -> None:
    """The person has signed in here, second factor and all: from now on nobody elsewhere can shut them
    out here."""
    now = timezone.now()
    KnownAddress.objects.update_or_create(
        user_id=user.pk, address=origin_of(address), defaults={"last_at": now}
    )
    KnownAddress.objects.filter(user_id=user.pk, last_at__lt=now - KNOWN_FOR).delete()


def purge() -> None:
    """Delete the tries that no limit looks at any more."""
    SignInAttempt.objects.filter(at__lt=timezone.now() - LONG).delete()
