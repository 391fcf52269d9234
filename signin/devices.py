"""Browsers in which somebody has signed in with all that is asked of them: no stranger's failures count against those.

Failures are counted by login and by address, so whoever knows a login and sits behind the same address, or floods the login from
everywhere, could shut its person out. A browser that has signed in fully holds a cookie for that person, signed by us; what is
tried with it has a count of its own, and no other (OWASP, "Slow down online guessing attacks with device cookies"). It
opens nothing: password and second factor are asked as ever, and five failures shut that browser out.
"""

from dataclasses import dataclass

from django.conf import settings
from django.core import signing
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.crypto import salted_hmac

from pbxadmin.common.crypto import random_token
from users.models import User

PREFIX = "device_"
SALT = "signin.device"
KEPT = 90 * 24 * 3600  # seconds since the last full sign-in
# A computer that many share: so many people are known on it, and the cookies stay short enough for every proxy.
PEOPLE = 10


@dataclass(frozen=True)
class Device:
    """A browser as the cookie of one person names it."""

    person: int
    epoch: int  # of the person's sessions: "sign out everywhere" ends what is known, too
    name: str

    @property
    def origin(self) -> str:
        """As what its failures are counted, in the place of an address."""
        return f"device:{self.name}"


def _cookie_of(user: User) -> str:
    """The cookie's name tells nobody who signs in at this computer."""
    return PREFIX + salted_hmac(SALT, str(user.pk), algorithm="sha256").hexdigest()[:16]


def _read(text: str) -> Device | None:
    try:
        person, epoch, name = signing.loads(text, salt=SALT, max_age=KEPT)
        return Device(int(person), int(epoch), str(name))
    except (signing.BadSignature, ValueError, TypeError):
        return None


def of(request: HttpRequest, user: User | None) -> Device | None:
    """This browser, where `user` has signed in fully in it lately; None else."""
    text = request.COOKIES.get(_cookie_of(user), "") if user is not None and user.pk else ""
    device = _read(text) if text else None
    known = (
        device is not None
        and user is not None
        and (device.person, device.epoch) == (user.pk, user.sessions_epoch)
    )
    return device if known else None


def of_somebody_in(request: HttpRequest, customer: int) -> Device | None:
    """This browser, where anybody of a customer has signed in fully in it lately: before it is known who signs in."""
    texts = [text for name, text in request.COOKIES.items() if name.startswith(PREFIX)][:PEOPLE]
    devices = {device.person: device for text in texts if (device := _read(text))}
    if not devices:
        return None
    people = User.objects.filter(pk__in=devices, customer=customer).values_list("pk", "sessions_epoch")
    return next((devices[pk] for pk, epoch in people if devices[pk].epoch == epoch), None)


def remember(request: HttpRequest, user: User) -> None:
    """`user` has signed in fully: the answer to this request makes the browser known (`write`)."""
    request.remembered_device = user  # type: ignore[attr-defined]


def write(request: HttpRequest, response: HttpResponseBase) -> None:
    """Put the cookie into the answer, where somebody has just signed in fully."""
    user: User | None = getattr(request, "remembered_device", None)
    if user is None:
        return
    mine, known = _cookie_of(user), of(request, user)
    response.set_cookie(
        mine,
        signing.dumps([user.pk, user.sessions_epoch, known.name if known else random_token()], salt=SALT),
        max_age=KEPT,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    others = [name for name in request.COOKIES if name.startswith(PREFIX) and name != mine]
    for name in others[PEOPLE - 1 :]:
        response.delete_cookie(name)
