"""What stands in the way of somebody's signing in, and taking it away: a block, a lost second factor, no password.

The tables of signing in are `signin`'s; here is decided who may, and here it stands in the history.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.hashers import is_password_usable
from django.db import transaction
from django.db.models import Exists, FilteredRelation, OuterRef, Q, Subquery
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from pbxadmin.common.columns import Text
from pbxadmin.common.http import RequestFacts
from pbxadmin.common.proof import Takeover
from signin import credentials, lockout, second_factor
from signin.models import LinkedAccount, TotpDevice
from users import rights, road
from users.mail import letters
from users.models import Change, Customer, Letter, Operation, User
from users.people import team
from users.people.sections import user_sheet

SIGN_IN = Operation.Kind.SIGN_IN
# The mails with a link to set a password.
WITH_A_LINK = (Letter.Kind.WELCOME, Letter.Kind.PASSWORD, Letter.Kind.INVITED)
# What is read of an app and of an account elsewhere.
OF_AN_APP = ("id", "created_at", "throttling_failure_count", "throttling_failure_timestamp")
OF_AN_ACCOUNT = ("id", "provider", "email")
# How the history says that somebody has signed in.
SIGNED_IN = ("sign_in", "sign_in.microsoft", "sign_in.google")


# --- How it stands ------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Standing:
    """All that decides whether somebody can sign in now."""

    has_password: bool
    shares_email: bool  # with anybody, whom it may mean instead
    last_at: datetime | None  # the last time that they did, and from which address
    last_from: str
    places: list[lockout.Place]  # where it has failed in the last hour
    blocked_until: datetime | None  # everywhere but where they are known
    device: TotpDevice | None
    codes_left: int
    accounts: list[LinkedAccount]
    waiting_since: datetime | None  # a mail with a link that hasn't gone out

    @property
    def is_blocked(self) -> bool:
        """Whether a right password is refused somewhere, because of failures of theirs."""
        return self.blocked_until is not None or any(place.until for place in self.places)

    @property
    def can_be_unblocked(self) -> bool:
        """Whether there are failures of theirs to forget: wrong passwords, or wrong codes."""
        wrong_codes = self.device is not None and self.device.throttling_failure_count > 0
        return bool(self.places) or wrong_codes


def standing_of(user: User) -> Standing:
    """How it stands now: two queries, whatever has happened, each over this person's rows alone."""
    places, everywhere = lockout.failures_of(credentials.account_key(user))
    # What is about a person has an index, what somebody did has none.
    signed_in = Change.objects.filter(
        subject_pk=user.pk, kind=SIGN_IN, operation__actor_pk=user.pk, operation__reason__in=SIGNED_IN
    ).order_by("-pk")
    waiting = Letter.objects.filter(user=OuterRef("pk"), kind__in=WITH_A_LINK, next_at__isnull=False)
    others = (
        User.objects.annotate(lower=Lower("email")).filter(lower=Lower(OuterRef("email"))).exclude(pk=user.pk)
    )
    # One row, or one for each linked account, of which there are two at most.
    rows = list(
        User.objects.filter(pk=user.pk)
        .order_by("linked_accounts__provider")
        .annotate(
            app=FilteredRelation("totpdevice", condition=Q(totpdevice__confirmed=True)),
            last_at=Subquery(signed_in.values("operation__at")[:1]),
            last_from=Subquery(signed_in.values("operation__address")[:1]),
            waiting_since=Subquery(waiting.order_by("-pk").values("created_at")[:1]),
            codes_left=second_factor.count_of_backup_codes(),
            shared=Exists(others),
        )
        .values(
            "password", "last_at", "last_from", "waiting_since", "codes_left", "shared",
            *(f"app__{name}" for name in OF_AN_APP), *(f"linked_accounts__{name}" for name in OF_AN_ACCOUNT),
        )
    )  # fmt: skip
    known = rows[0]
    app = {name: known[f"app__{name}"] for name in OF_AN_APP}
    accounts = [{name: row[f"linked_accounts__{name}"] for name in OF_AN_ACCOUNT} for row in rows]
    return Standing(
        has_password=is_password_usable(known["password"]),
        shares_email=known["shared"],
        last_at=known["last_at"],
        last_from=known["last_from"] or "",
        places=places,
        blocked_until=everywhere,
        device=TotpDevice(user=user, **app) if app["id"] else None,
        codes_left=known["codes_left"],
        accounts=[LinkedAccount(user=user, **account) for account in accounts if account["id"]],
        waiting_since=known["waiting_since"],
    )


# --- Taking it away -----------------------------------------------------------------------------------------------
def why_no_factor(actor: User, user: User, customer: Customer | None) -> Text | None:
    """Why `actor` may not take this person's second factor away; None where they may."""
    return rights.why_not(actor, rights.Verb.TEAM if user.is_staff else rights.Verb.FACTOR, user, customer)


def nothing_set_up(people: Iterable[User]) -> dict[int, Text]:
    """Who among them has no second factor to take away: {primary key: sentence}."""
    keys = {user.pk for user in people}
    enrolled = set(TotpDevice.objects.filter(user__in=keys, confirmed=True).values_list("user", flat=True))
    return dict.fromkeys(keys - enrolled, _("This person has no second factor set up."))


def take_factor(
    actor: User,
    customer: Customer | None,
    keys: Iterable[int],
    facts: RequestFacts,
    into: Operation | None = None,
) -> Operation | None:
    """Take the second factor of all these people away, or of none: their apps, codes and sessions, with a mail to each.

    None where nobody has one. Raises `road.RefusedError` where it may not be, `ProofNeededError` where who asks hasn't proved lately
    who they are. Tenancy is asked here: whoever isn't visible isn't found.
    """
    with transaction.atomic():
        people = _held(actor, customer, keys)
        without = nothing_set_up(people)
        people = [user for user in people if user.pk not in without]
        if any(why_no_factor(actor, user, customer) for user in people):
            raise road.RefusedError
        if not people:
            return None
        facts.demand_proof(Takeover.FACTOR)
        second_factor.take_away(people)
        operation = _remember(actor, customer, people, facts, "second_factor.taken", into)
        letters.post(Letter.Kind.FACTOR, people)
    return operation


def unblock(actor: User, customer: Customer | None, user: User, facts: RequestFacts) -> int:
    """Forget the failed sign-ins of somebody; how many there were. Raises as `take_factor`: without a proof, whoever found a session
    open could have passwords guessed without end."""
    with transaction.atomic():
        [user] = _editable(actor, customer, user)
        facts.demand_proof(Takeover.TRIES)
        count = lockout.unblock(credentials.account_key(user))
        # Wrong codes are counted elsewhere, and shut out just as well.
        for device in TotpDevice.objects.filter(user=user, throttling_failure_count__gt=0):
            device.forgive()
            count += 1
        if count:
            _remember(actor, customer, [user], facts, "sign_in.unblocked")
    return count


def send_link(actor: User, customer: Customer | None, user: User, facts: RequestFacts) -> bool:
    """Mail somebody a link with which they set their password; False where no mail reaches them. Raises as `take_factor`."""
    with transaction.atomic():
        [user] = _editable(actor, customer, user)
        if not letters.has_an_address(user):
            return False
        facts.demand_proof(Takeover.MAIL)
        letters.post(Letter.Kind.PASSWORD, [user])
        _remember(actor, customer, [user], facts, "link.sent")
    return True


def show_link(actor: User, customer: Customer | None, user: User, facts: RequestFacts) -> str:
    """The link itself, for whoever is on the telephone with them; it stands in the history before it is shown. Raises as `take_factor`."""
    with transaction.atomic():
        [user] = _editable(actor, customer, user)
        if not user.is_active or rights.why_not(actor, _verb(user, rights.Verb.REVEAL), user, customer):
            raise road.RefusedError
        facts.demand_proof(Takeover.SECRET)
        _remember(actor, customer, [user], facts, "link.shown")
    return credentials.set_password_link(user)


def _verb(user: User, verb: rights.Verb) -> rights.Verb:
    return rights.Verb.TEAM if user.is_staff else verb


def _editable(actor: User, customer: Customer | None, user: User) -> Sequence[User]:
    people = _held(actor, customer, [user.pk])
    if not people or rights.why_not(actor, _verb(people[0], rights.Verb.EDIT), people[0], customer):
        raise road.RefusedError
    return people


def _held(actor: User, customer: Customer | None, keys: Iterable[int]) -> list[User]:
    """These people as they are under the lock of their customer; the support's own under theirs."""
    found = User.objects.visible_to(actor).filter(customer=customer, pk__in=list(keys)).order_by("pk")
    if customer is not None:
        Customer.objects.select_for_update().only("pk").get(pk=customer.pk)
    else:
        team.held(actor)
    return list(found.select_related("role", "customer", "primary_department"))


def _remember(
    actor: User,
    customer: Customer | None,
    people: Sequence[User],
    facts: RequestFacts,
    reason: str,
    into: Operation | None = None,
) -> Operation:
    changes = [road.change_of(user_sheet(), user, SIGN_IN, []) for user in people]
    return road.record_operation(actor, customer, SIGN_IN, facts, reason, changes, into=into)
