"""The second factor: an authenticator app (RFC 6238) and ten one-time codes for the day the phone is lost.

What is stored: the app's key encrypted, the backup codes as keyed hashes. A key that isn't confirmed yet
lives in the visitor's session, encrypted as well. These tables are written here and in
`signin.models` alone.
"""

import base64
import io
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import wraps
from time import time
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import django_otp
import qrcode
import qrcode.image.svg
from django.conf import settings
from django.db import transaction
from django.db.models import Count, F, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from pbxadmin.common.crypto import decrypt, encrypt
from pbxadmin.common.http import page_path, safe_next
from pbxadmin.common.proof import ProofNeededError, Takeover
from signin import credentials as signin
from signin import devices, lockout
from signin.models import BackupCode, TotpDevice
from users.access import signed_in_user
from users.models import User

View = TypeVar("View", bound=Callable[..., HttpResponse])

# Small letters and digits that nobody mistakes for one another on paper: 31 signs, so a code of eight is
# one of 850 billion.
CODE_SIGNS = "abcdefghjkmnpqrstuvwxyz23456789"
CODES = 10
FEW_CODES = 3

# Session keys: the key that waits for its first code; when a code was last given; until when the app may be
# replaced.
PENDING_KEY = "second_factor_pending"
VERIFIED_AT = "second_factor_at"
PROVEN_AT = "second_factor_proven_at"
PENDING_PURPOSE = "session.second_factor_pending"
FRESH_MINUTES = 10


# --- Whose second factor is asked ---------------------------------------------------------------------------
def is_enrolled(user: User) -> bool:
    """Whether a person has an app. Without a query where `signin.people` loaded them."""
    known = getattr(user, "enrolled", None)
    return TotpDevice.objects.filter(user=user, confirmed=True).exists() if known is None else known


def is_due(user: User) -> bool:
    """Whether a password isn't enough for this person: they must have a second factor, or have chosen to
    have one."""
    return user.needs_second_factor or is_enrolled(user)


def is_verified(request: HttpRequest) -> bool:
    """Whether the second factor was given in this session."""
    return getattr(request.user, "otp_device", None) is not None


def backup_codes_left(user: User) -> int:
    """How many backup codes a person still has."""
    return BackupCode.objects.filter(user=user).count()


def count_of_backup_codes() -> Any:
    """The same beside a row of the table of people, as a value of its query."""
    codes = (
        BackupCode.objects.filter(user=OuterRef("pk")).order_by().values("user").annotate(left=Count("pk"))
    )
    return Coalesce(Subquery(codes.values("left")), 0)


# --- Setting up ---------------------------------------------------------------------------------------------
def pending_key(request: HttpRequest) -> str:
    """The key (hex) that this session offers for confirmation; made at the first call, the same until it
    is confirmed."""
    sealed = request.session.get(PENDING_KEY)
    if sealed:
        return decrypt(sealed, PENDING_PURPOSE)
    key = secrets.token_hex(20)
    request.session[PENDING_KEY] = encrypt(key, PENDING_PURPOSE)
    return key


def key_for_typing(key: str) -> str:
    """The key as an app wants it typed: base 32 in groups of four."""
    text = base64.b32encode(bytes.fromhex(key)).decode()
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


def key_address(user: User, key: str) -> str:
    """The otpauth: address that the QR code holds (Google Authenticator's "Key Uri Format")."""
    issuer = settings.OTP_TOTP_ISSUER
    facts = {
        "secret": base64.b32encode(bytes.fromhex(key)).decode(),
        "issuer": issuer,
        "algorithm": "SHA1",
        "digits": 6,
        "period": 30,
    }
    return f"otpauth://totp/{quote(issuer)}:{quote(user.login)}?{urlencode(facts)}"


def qr_image(text: str) -> str:
    """A QR code of `text` as a data: address of an SVG picture, black on white whatever the page's theme."""
    picture = qrcode.make(
        text, image_factory=qrcode.image.svg.SvgPathFillImage, error_correction=qrcode.ERROR_CORRECT_M
    )
    file = io.BytesIO()
    picture.save(file)
    return "data:image/svg+xml;base64," + base64.b64encode(file.getvalue()).decode()


def enrol(request: HttpRequest, code: str) -> list[str] | None:
    """Confirm the pending key with one of its codes; the person's new backup codes, or None when the code
    is wrong.

    An app that they had before stops working, here and in every other session.
    """
    user = signed_in_user(request)
    if PENDING_KEY not in request.session:
        return None
    key = pending_key(request)
    step = TotpDevice.matching_step(key, "".join(code.split()))
    if step is None:
        return None
    with transaction.atomic():
        # Whoever enrols in two tabs at once must end with one app.
        User.objects.select_for_update().only("pk").get(pk=user.pk)
        replaced, _rows = TotpDevice.objects.filter(user=user).delete()
        # The code was used now: it must not open a session as well.
        device = TotpDevice.objects.create(user=user, name="totp", key=key, last_step=step, confirmed=True)
        codes = renew_backup_codes(user)
        signin.record(request, user, "second_factor.replaced" if replaced else "second_factor.enrolled")
    completes = user.needs_second_factor and not is_verified(request)
    del request.session[PENDING_KEY]
    request.session.pop(PROVEN_AT, None)
    mark_verified(request, device)
    if completes:
        signin.complete_session(request)
    return codes


def remove(request: HttpRequest) -> None:
    """Take the app and the backup codes away. The caller has asked for password and code."""
    user = signed_in_user(request)
    with transaction.atomic():
        TotpDevice.objects.filter(user=user).delete()
        BackupCode.objects.filter(user=user).delete()
        signin.record(request, user, "second_factor.removed")
    for key in (django_otp.DEVICE_ID_SESSION_KEY, VERIFIED_AT, PROVEN_AT):
        request.session.pop(key, None)
    request.session.cycle_key()


def take_away(people: Iterable[User]) -> None:
    """Take the apps and backup codes of people who have lost them, and end their sessions and the browsers that are known: whoever
    found the lost phone has nothing left. The caller has asked whether that may be, and remembers it."""
    keys = [user.pk for user in people]
    TotpDevice.objects.filter(user__in=keys).delete()
    BackupCode.objects.filter(user__in=keys).delete()
    User.objects.filter(pk__in=keys).update(sessions_epoch=F("sessions_epoch") + 1)


def mark_verified(request: HttpRequest, device: TotpDevice) -> None:
    """Note in the session that the second factor was given now, under a new session key."""
    request.session.cycle_key()
    django_otp.login(request, device)
    request.session[VERIFIED_AT] = int(time())


# --- Backup codes -------------------------------------------------------------------------------------------
def _hash(user: User, code: str) -> str:
    return salted_hmac("users.backup_code", f"{user.pk}:{code}", algorithm="sha256").hexdigest()


def _plain(code: str) -> str:
    """A backup code without capitals, blanks and dashes."""
    return "".join(code.split()).replace("-", "").casefold()


def renew_backup_codes(user: User) -> list[str]:
    """Ten new codes ("abcd-2345") instead of those that a person has: shown once, kept as hashes."""
    codes = ["".join(secrets.choice(CODE_SIGNS) for _sign in range(8)) for _code in range(CODES)]
    with transaction.atomic():
        BackupCode.objects.filter(user=user).delete()
        BackupCode.objects.bulk_create(BackupCode(user=user, code_hash=_hash(user, code)) for code in codes)
    return [f"{code[:4]}-{code[4:]}" for code in codes]


# --- Asking -------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Answer:
    """What became of a code that was typed; `error` is the sentence for the reader when it wasn't right."""

    device: TotpDevice | None = None
    backup: bool = False
    error: str = ""
    # After how many seconds another code is looked at; 0 where this one was.
    wait: int = 0


def check_code(request: HttpRequest, typed: str) -> Answer:
    """Whether `typed` is a code of the person's app or one of their backup codes; either works once.

    Wrong codes are counted on the app's row, so it doesn't matter from how many sessions somebody guesses. A browser in which the
    person is known has a count of its own: whoever has only their password doesn't keep them waiting.
    """
    user = signed_in_user(request)
    code = "".join(typed.split())
    known = devices.of(request, user)
    tally = None
    if known is not None:
        key = salted_hmac("users.code", signin.account_key(user), algorithm="sha256").hexdigest()
        tally = lockout.register(key, signin.client_address(request), lockout.CODE, known=True, device=known)
        if not tally.allowed:
            return _later(tally.wait)
    with transaction.atomic():
        device = TotpDevice.objects.select_for_update().filter(user=user, confirmed=True).first()
        if device is None:
            return Answer(error=_("Your account no longer has a second factor. Reload the page."))
        if tally is None and (until := device.waits_until()):
            return _later(max(1, round(until.timestamp() - time())))
        if len(code) == 6 and code.isdigit():
            right, backup = device.verify_token(code, counted=tally is None), False
        else:
            used, _rows = BackupCode.objects.filter(user=user, code_hash=_hash(user, _plain(code))).delete()
            right, backup = used == 1, True
            if right:
                device.forgive()
            elif tally is None:
                device.count_failure()
        if right and backup:
            signin.record(request, user, "backup_code.used")
    if right:
        if tally is not None:
            lockout.forget(tally.account, tally.origin)
        return Answer(device, backup)
    signin.logger.warning("sign-in failed from %s (second factor)", signin.client_address(request))
    return Answer(
        error=_(
            "This code is wrong or has already been used. Wait until your app shows the next one and enter that."
        )
    )


def _later(seconds: int) -> Answer:
    """No code is looked at now."""
    words = ngettext(
        "Too many wrong codes. Wait %(n)s second, then enter a new one.",
        "Too many wrong codes. Wait %(n)s seconds, then enter a new one.",
        seconds,
    )
    return Answer(error=words % {"n": seconds}, wait=seconds)


def give(request: HttpRequest, answer: Answer) -> None:
    """Let on a person who owed their second factor and has given it."""
    if answer.device is None:
        raise ValueError("a code that wasn't right lets nobody in")
    first = not is_verified(request)
    mark_verified(request, answer.device)
    if first:
        signin.complete_session(request)


# --- Asking again (step-up) ---------------------------------------------------------------------------------
def _within(request: HttpRequest, key: str, minutes: int) -> bool:
    at = request.session.get(key)
    return isinstance(at, int) and 0 <= time() - at < minutes * 60


def recently_verified(request: HttpRequest, minutes: int = FRESH_MINUTES) -> bool:
    """Whether the person has proved who they are in this session within the last minutes: by their second
    factor, or by their password when they have no second factor."""
    user = request.user
    if not isinstance(user, User):
        return False
    if is_enrolled(user):
        return is_verified(request) and _within(request, VERIFIED_AT, minutes)
    return _within(request, signin.PASSWORD_AT, minutes)


def may_enrol(request: HttpRequest) -> bool:
    """Whether an app may be set up in this session now.

    The first one: shortly after the password. Another one instead of it: shortly after password and code
    together, or who finds an open browser could take the account over.
    """
    user = signed_in_user(request)
    if is_enrolled(user):
        return is_verified(request) and _within(request, PROVEN_AT, FRESH_MINUTES)
    return _within(request, signin.PASSWORD_AT, FRESH_MINUTES)


def note_proof(request: HttpRequest) -> None:
    """The person has just given their password, and a code where they have an app: they may set up another app
    now."""
    request.session[PROVEN_AT] = int(time())


def ask_again(request: HttpRequest) -> HttpResponse:
    """To the page that asks for the second factor (or the password) again, and back to the page that was asked for."""
    htmx: Any = getattr(request, "htmx", None)
    here = page_path(request) if htmx else request.get_full_path()
    target = reverse("step_up")
    if here := safe_next(request, here):
        target += "?" + urlencode({"next": here})
    if htmx:
        return HttpResponse(status=204, headers={"HX-Redirect": target})
    return redirect(target)


def step_up(what: Takeover) -> Callable[[View], View]:
    """A view that shows or does something for which ten minutes without proof are too long.

    A page is opened after the proof; what was sent goes on with it, and nothing of it is lost (`signin.asking`).
    """

    def shut(view: View) -> View:
        @wraps(view)
        def asks_first(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if recently_verified(request):
                return view(request, *args, **kwargs)
            if request.method == "POST":
                raise ProofNeededError(what)
            return ask_again(request)

        return asks_first  # type: ignore[return-value]  # the same signature, which a TypeVar over Callable can't say

    return shut
