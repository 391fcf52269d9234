"""Who somebody is: login and password, the session that follows, and the credentials of a person.

Passwords, sessions and support accounts are written here and nowhere else (`store_password`,
`end_sessions`, `create_support_account`); all other columns of a user go the road of `users.road`.
`last_login` is written by Django's own receiver when a session begins, which also ends every set-password
link that is still open.
"""

import logging
import re
import unicodedata
from time import time
from typing import Any

from django.conf import settings
from django.contrib import auth
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.db import IntegrityError, transaction
from django.db.models import Case, Exists, F, OuterRef, QuerySet, Value, When
from django.db.models.functions import Lower
from django.http import HttpRequest
from django.urls import reverse
from django.utils.crypto import salted_hmac
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from pbxadmin.common.crypto import random_token
from pbxadmin.common.http import RequestFacts, client_address
from pbxadmin.common.prepared import Prepared
from pbxadmin.common.values.signs import folded
from signin import devices, hashing, lockout
from signin.models import TotpDevice
from users import road
from users.access import signed_in_user
from users.models import Customer, Job, Operation, StaffLevel, User
from users.road.finding import with_status_message

logger = logging.getLogger("signin.credentials")
# What was refused without being looked at: a few lines in a minute (`RefusalsFilter`), however many are sent.
refused = logging.getLogger("signin.refused")

BACKEND = "signin.credentials.PortalBackend"
EXTENSION = re.compile(r"[0-9]{2,5}")
# Longer than any address may be (RFC 5321: 64 + @ + 255).
LONGEST_LOGIN = 320
LONGEST_PASSWORD = 1_000
# What an impossible login becomes: no extension and no address, so the same queries find nobody.
NOBODY = "nobody"
# No hash: Django runs the hasher once over something random and says no.
NO_PASSWORD = "!"  # noqa: S105 - it is the absence of one

# Session keys. Times are seconds since 1970: when the first factor was given (the password, or an account at Microsoft or
# Google instead of it); and which of them it was ("" for the password).
PASSWORD_AT = "password_at"  # noqa: S105
SIGNED_IN_WITH = "signed_in_with"
# By which pages know one session from the next.
BEGUN = "begun"

# What the history says about signing in: the code in `Operation.reason`, and what it means to a reader.
REASONS = {
    "sign_in": _("Signed in"),
    "sign_in.microsoft": _("Signed in with Microsoft"),
    "sign_in.google": _("Signed in with Google"),
    "sign_in.locked": _("Sign-in blocked after repeated failures"),
    "sign_in.unblocked": _("Sign-in unblocked"),
    "second_factor.taken": _("Second factor taken away"),
    "link.sent": _("Link to set a password sent"),
    "link.shown": _("Link to set a password shown"),
    "second_factor.enrolled": _("Second factor set up"),
    "second_factor.replaced": _("Second factor replaced"),
    "second_factor.removed": _("Second factor removed"),
    "backup_code.used": _("Signed in with a backup code"),
    "backup_codes.renewed": _("New backup codes created"),
    "password.changed": _("Password changed"),
    "password.set_by_link": _("Password set through a one-time link"),
    "sessions.ended": _("Signed out everywhere"),
    "single_sign_on.linked": _("Sign-in account linked"),
    "single_sign_on.unlinked": _("Sign-in account unlinked"),
    "single_sign_on.unknown": _("Sign-in refused: this Microsoft or Google account isn't linked to anyone"),
    "single_sign_on.unverified": _("Sign-in refused: the address of the Google account isn't verified"),
    "single_sign_on.shared": _("Sign-in refused: several people have the address of this account"),
    "single_sign_on.by_hand": _("Sign-in refused: the person must first link this account on their own page"),
    "single_sign_on.another": _("Sign-in refused: the person is linked to another account"),
    "single_sign_on.moved": _(
        "Sign-in refused: the person's address has changed since the account was linked"
    ),
    "single_sign_on.disabled": _("Sign-in refused: the extension is disabled"),
    "single_sign_on.switched_off": _("Sign-in refused: single sign-on is switched off for this person"),
}


# --- Finding a person ---------------------------------------------------------------------------------------
def canonical(login: str) -> str:
    """A login as it is compared: NFKC, without capitals and outer blanks; `NOBODY` for what can't be one.

    Accents stay: é is another letter than e. Digits of other scripts, full-width ones included, are no
    extension; invisible characters are in no login.
    """
    if len(login) > LONGEST_LOGIN or any(
        not sign.isascii() and unicodedata.category(sign)[0] == "N" for sign in login
    ):
        return NOBODY
    text = unicodedata.normalize("NFKC", login).casefold().strip()
    if not text or any(unicodedata.category(sign)[0] == "C" or sign in "\u2028\u2029" for sign in text):
        return NOBODY
    return text


def people() -> QuerySet[User]:
    """Users with all that a request needs of its person, in one query."""
    enrolled = TotpDevice.objects.filter(user=OuterRef("pk"), confirmed=True)
    jobs = Job.objects.to_be_told_to(OuterRef("pk"))
    found = User.objects.select_related("customer", "role", "primary_department")
    return with_status_message(found.annotate(enrolled=Exists(enrolled), has_jobs=Exists(jobs)))


def _people_of(origin: str) -> QuerySet[User]:
    return people().annotate(known_last=lockout.last_at(origin))


def find_user(login: str, address: str = "") -> User | None:
    """The one person whom a login means: extension@fqdn, or an e-mail address that only one person of the
    portal has, or has confirmed.

    Always the same two queries. The person found may be disabled; `known` tells whether they have signed in
    from `address`.
    """
    name, origin = canonical(login), lockout.origin_of(address)
    local, _at, domain = name.rpartition("@")
    # Nobody has an empty extension and a customer: a login that is no extension finds nothing here.
    number = local if EXTENSION.fullmatch(local) else ""
    by_number = next(_by_number.records(origin, number, domain), None)
    by_email = _only_one([*_by_email.records(origin, name, name)], name)
    found: Any = by_number if by_number is not None else by_email
    if found is not None:
        found.known = lockout.is_lately(found.known_last)
    return found


def signs_in_with_email(user: User, *, shared: bool) -> bool:
    """Whether `find_user` finds this very person by their address; `shared`: somebody else has it, too."""
    name = canonical(user.email)
    if not shared and name == user.email.lower() and not EXTENSION.fullmatch(name.partition("@")[0]):
        return True
    if EXTENSION.fullmatch(name.partition("@")[0]):  # it may be somebody's extension and domain
        found = find_user(user.email)
    else:
        found = _only_one([*_with_email(User.objects.all(), name, name)], name)
    return found is not None and found.pk == user.pk


def _with_email(found: QuerySet[User], name: str, confirmed: str) -> QuerySet[User]:
    """Whoever of them has this address, written as `canonical` does; `confirmed` is the same again.

    Those who have confirmed it come first: however many others are given the address, they don't push them out of sight.
    """
    confirmed_first = Case(When(lower_confirmed=confirmed, then=Value(0)), default=Value(1))
    return (
        found.annotate(lower_email=Lower("email"), lower_confirmed=Lower("confirmed_email"))
        .filter(lower_email=name)
        .order_by("-is_staff", confirmed_first)[:5]
    )


def _only_one(by_email: list[User], name: str) -> User | None:
    same_email = [user for user in by_email if canonical(user.email) == name]
    # Support staff have no other login: nobody shuts them out by giving their address to somebody of a customer.
    staff = [user for user in same_email if user.is_staff]
    if len(staff) == 1:
        return staff[0]
    if len(by_email) == len(same_email) == 1:
        return same_email[0]
    # Whoever has read mail there keeps the address, whoever else is given the same one; else extension@fqdn signs in.
    confirmed = [user for user in same_email if canonical(user.confirmed_email) == name]
    return confirmed[0] if len(confirmed) == 1 else None


# Asked by every try to sign in, also by floods of them: written and planned anew they cost more than all the rest of a try.
_by_number = Prepared(
    lambda origin, number, domain: _people_of(origin).filter(number=number, customer__fqdn=domain).order_by()
)
_by_email = Prepared(lambda origin, name, confirmed: _with_email(_people_of(origin), name, confirmed))


def account_key(user: User | None, login: str = "") -> str:
    """Under which key tries are counted: the person, whichever of their logins was typed, else the login
    itself.

    Keyed, because people type their password into the wrong box.
    """
    name = f"user:{user.pk}" if user is not None else f"login:{canonical(login)}"
    return salted_hmac(
        "signin.lockout", name.encode("utf-8", "surrogatepass"), algorithm="sha256"
    ).hexdigest()


# --- Password -----------------------------------------------------------------------------------------------
class PortalBackend(BaseBackend):
    """Django's way in to `check_sign_in`, and the person behind a session."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **rest: Any,
    ) -> User | None:
        """The person, or None, whatever the reason. Counted and limited like the sign-in page."""
        if username is None or password is None:
            return None
        try:
            return check_sign_in(request or HttpRequest(), username, password)
        except hashing.TryLaterError:
            return None

    def get_user(self, user_id: int) -> User | None:
        """The person of a session in one query; None as soon as they are disabled, deleted or their customer
        suspended."""
        user: User | None = next(_person_of_session.records(user_id), None)
        return user if user is not None and user.is_active else None


# Asked by every request: a row joined with three others costs several times more to write and to plan than to find.
_person_of_session = Prepared(lambda key: people().filter(pk=key).order_by())


def acceptable(password: str) -> bool:
    """Whether a password is worth a run of the hasher: a megabyte of text, or a NUL, is nobody's."""
    return 0 < len(password) <= LONGEST_PASSWORD and "\0" not in password


@sensitive_variables("password")
def check_sign_in(request: HttpRequest, login: str, password: str) -> User | None:
    """The person whose login and password these are; None for every kind of failure, after the same work.

    Whoever asks learns nothing more from None: unknown, wrong, disabled, suspended or without a password, there are the same
    queries and one run of the hasher. Raises `TryLaterError` where the password wasn't looked at: too many failures here, or
    too many sign-ins at this moment. No session is begun here.
    """
    address = client_address(request)
    user = find_user(login, address)
    tally = lockout.register(
        account_key(user, login),
        address,
        lockout.SIGN_IN,
        known=getattr(user, "known", False),
        device=devices.of(request, user),
    )
    return user if _is_right(request, user, tally, password) else None


@sensitive_variables("password")
def check_own_password(request: HttpRequest, password: str) -> bool:
    """Whether the person who is signed in knows their password: asked before their credentials change.
    Counted, limited and refused like a sign-in."""
    user, address = signed_in_user(request), client_address(request)
    known = User.objects.filter(lockout.known_at(address), pk=user.pk).exists()
    device = devices.of(request, user)
    tally = lockout.register(account_key(user), address, lockout.SIGN_IN, known=known, device=device)
    if not _is_right(request, user, tally, password):
        return False
    request.session[PASSWORD_AT] = int(time())
    return True


@sensitive_variables("password")
def _is_right(request: HttpRequest, user: User | None, tally: lockout.Tally, password: str) -> bool:
    """One run of the hasher, whoever the person is and whatever the password; none where the tries are used up.

    Beyond the address's limit somebody who is known here is looked at, and answered like everybody else when they are wrong:
    a stranger behind the same address doesn't read off the answers who works there.
    """
    if not tally.allowed:
        refused.warning("sign-in refused from %s", client_address(request))
        raise lockout.TooManyTriesError(tally.wait)
    known = user is not None and user.is_active and acceptable(password)
    try:
        if user is None or not known:
            right = hashing.matches("", NO_PASSWORD)
        else:
            right = hashing.matches(password, user.password, lambda raw: store_password(user, raw))
    except hashing.BusyError:
        lockout.withdraw(tally)
        raise
    if right:
        lockout.forget(tally.account, tally.origin)
        return True
    _failed(request, user, tally)
    if tally.beyond:
        raise lockout.TooManyTriesError(tally.wait)
    return False


def _failed(request: HttpRequest, user: User | None, tally: lockout.Tally) -> None:
    """Write the line that fail2ban and the like read, and a person's lock into their customer's history."""
    address = client_address(request)
    logger.warning("sign-in failed from %s", address)
    if tally.last:
        logger.warning("sign-in locked for account %s from %s", tally.account[:12], address)
        with transaction.atomic():
            # For nobody the same statements, taken back: the fifth failure takes as long whether somebody is there or not.
            record(request, user or User(pk=0, role_id="users"), "sign_in.locked", by_himself=False)
            if user is None:
                transaction.set_rollback(True)


# --- Writes of credentials ----------------------------------------------------------------------------------
@sensitive_variables("password", "encoded")
def store_password(user: User, password: str) -> bool:
    """Write a password; False when it was changed since `user` was loaded, so that a link works once even
    in parallel.

    Every other session of the person ends with it, because sessions are sealed with the password's hash. Raises `BusyError`.
    """
    encoded = hashing.encoded(password)
    if not User.objects.filter(pk=user.pk, password=user.password).update(password=encoded):
        return False
    user.password = encoded
    return True


def end_sessions(user: User) -> None:
    """Sign a person out everywhere."""
    User.objects.filter(pk=user.pk).update(sessions_epoch=F("sessions_epoch") + 1)
    user.refresh_from_db(fields=["sessions_epoch"])


def end_other_sessions(request: HttpRequest) -> None:
    """Sign the person of this request out everywhere else."""
    user = signed_in_user(request)
    end_sessions(user)
    update_session_auth_hash(request, user)
    devices.remember(request, user)
    record(request, user, "sessions.ended")


@sensitive_variables("password")
def change_own_password(request: HttpRequest, password: str) -> bool:
    """Write the new password of the person of this request and end their other sessions; False as
    `store_password`."""
    user = signed_in_user(request)
    if not store_password(user, password):
        return False
    update_session_auth_hash(request, user)
    record(request, user, "password.changed")
    return True


class EmailTakenError(Exception):
    """Another person of the portal has this e-mail address: neither could sign in with it."""


def create_support_account(
    email: str, first_name: str = "", last_name: str = "", level: str = "", language: str = ""
) -> User:
    """One of the provider's support staff, without a password: they set it by a link. Without a `level` the very first is a
    manager, who can grade the others, and everybody else a technician. `language`: in which the portal writes to them.
    Raises `EmailTakenError`."""
    with transaction.atomic():
        if User.objects.annotate(lower_email=Lower("email")).filter(lower_email=canonical(email)).exists():
            raise EmailTakenError(email)
        others = User.objects.filter(is_staff=True).exists()
        user = User(
            email=email,
            first_name=first_name,
            last_name=last_name,
            is_staff=True,
            mail_language=language,
            staff_level=level or (StaffLevel.TECHNICIAN if others else StaffLevel.MANAGER),
            role_id="users",
            search_text=folded(f"{first_name} {last_name} {email}".strip()),
            sort_name=folded(f"{last_name} {first_name}").strip(),
        )
        user.set_unusable_password()
        try:
            with transaction.atomic():
                user.save(force_insert=True)
        except IntegrityError:  # at the same moment somebody else has made it
            raise EmailTakenError(email) from None
    return user


# --- Sessions -----------------------------------------------------------------------------------------------
def begin_session(request: HttpRequest, user: User, way: str = "") -> None:
    """Open a new session for somebody whose password was right, or who came by `way` ("microsoft", "google") instead;
    nothing of the visitor's old session goes on."""
    request.session.flush()
    auth.login(request, user, backend=BACKEND)
    request.session[PASSWORD_AT] = int(time())
    request.session[SIGNED_IN_WITH] = way
    # No secret: what a browser remembers for the time of a session bears it, and is forgotten under another one.
    request.session[BEGUN] = random_token()[:12]


def complete_session(request: HttpRequest) -> None:
    """The person has given all that is asked of them: note the sign-in and the address."""
    user = signed_in_user(request)
    lockout.remember(user, client_address(request))
    devices.remember(request, user)
    way = request.session.get(SIGNED_IN_WITH, "")
    record(request, user, f"sign_in.{way}" if way else "sign_in")


def record(request: HttpRequest, user: User, reason: str, *, by_himself: bool = True) -> None:
    """Write an event of signing in into the history of the person and of their customer. `reason`: a key
    of `REASONS`."""
    with transaction.atomic():
        about = road.change_of(road.SHEETS[User._meta.label_lower], user, Operation.Kind.SIGN_IN, [])
        road.record_operation(
            user if by_himself else None,
            user.customer,
            Operation.Kind.SIGN_IN,
            RequestFacts.of(request),
            reason,
            [about],
        )


def record_stranger(request: HttpRequest, customer: Customer, reason: str) -> None:
    """Write an attempt of somebody who is nobody of `customer` into its history."""
    road.record_operation(None, customer, Operation.Kind.SIGN_IN, RequestFacts.of(request), reason)


class LinkTokens(PasswordResetTokenGenerator):
    """Django's one-time tokens, which also die when the person is signed out everywhere (reset, or disabled in between)."""

    key_salt = "users.set_password_link"

    def _make_hash_value(self, user: Any, timestamp: int) -> str:
        return f"{super()._make_hash_value(user, timestamp)}{user.sessions_epoch}"


LINK_TOKENS = LinkTokens()


# --- One-time links -----------------------------------------------------------------------------------------
def set_password_link(user: User, portal: str = "") -> str:
    """The absolute address at which `user` sets their password: once, within three days, not after they have
    signed in.

    Built on the portal's own public address (or `portal`), never on what a request says its host is.
    """
    return (portal or settings.PUBLIC_URL).rstrip("/") + reverse(
        "set_password",
        args=[urlsafe_base64_encode(force_bytes(user.pk)), LINK_TOKENS.make_token(user)],
    )


def user_of_link(uidb64: str, token: str) -> User | None:
    """The person whose unused link this is, or None."""
    try:
        key = int(urlsafe_base64_decode(uidb64).decode("ascii"))
    except (ValueError, UnicodeDecodeError):
        return None
    # Beyond this no database has keys, and some refuse the question.
    user = people().filter(pk=key).order_by().first() if 0 < key < 2**63 else None
    if user is None or not user.is_active or not LINK_TOKENS.check_token(user, token):
        return None
    return user


@sensitive_variables("password")
def set_password_by_link(request: HttpRequest, user: User, password: str) -> bool:
    """Write the password of somebody who came by a link. It opens no session: the second factor is still to
    be asked.

    They have shown that they read the person's mail: at their address nobody can shut them out.
    """
    if not store_password(user, password):
        return False
    # The link dies with the address it went to, so this is the one where they read their mail.
    User.objects.filter(pk=user.pk).update(confirmed_email=user.email)
    address = client_address(request)
    lockout.forget(account_key(user), lockout.origin_of(address))
    lockout.remember(user, address)
    record(request, user, "password.set_by_link")
    return True


def may_send_link(request: HttpRequest, login: str) -> tuple[bool, User | None]:
    """Whether a set-password link may be asked for now, and to whom it may be mailed: known, active, with an address.

    What is asked too often costs nothing more, neither a row nor a worker: whoever floods the page keeps nobody's mail waiting.
    """
    address = client_address(request)
    user = find_user(login, address)
    key = salted_hmac("users.link", account_key(user, login), algorithm="sha256").hexdigest()
    known = getattr(user, "known", False)
    tally = lockout.register(key, address, lockout.LINK, known=known, device=devices.of(request, user))
    if user is None or not user.is_active or not user.email:
        return tally.allowed, None
    return tally.allowed, user
