"""Where phones fetch their files: /p/<token>/<file>. The token says which phone it is, the file name only
which file.

Whatever is wrong gets the same 404 after the same work: no token, somebody else's, a file of another phone, a
method that isn't GET or HEAD, an address that is blocked. A fetch with the phone's own token, handed over to its last
byte, is the one proof that a change has arrived.
"""

import logging
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import DatabaseError, connection
from django.db.models import Case, F, Q, Value, When
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.http import parse_etags
from django.views.decorators.csrf import csrf_exempt

from pbxadmin.common.crypto import fingerprint
from pbxadmin.common.http import client_address
from pbxadmin.common.throttle import Limit, network_of
from pbxadmin.common.values.configtext import UnsafeTextError
from phones import build, selectors
from phones.models import Phone
from phones.serving import fetches
from phones.settings import logos
from phones.vendors import (
    ContextError,
    FileKind,
    FileRequest,
    UnknownModelError,
    Vendor,
    find_model,
    identify,
    vendor_of,
)
from signin import lockout
from users.access import public

logger = logging.getLogger("pbxadmin.provisioning")

# Failures of one address: wrong tokens, and names of other phones' files. After these it learns nothing until the time is over.
FAILURES = Limit("provisioning", tries=60, window=600)

# The longest name that any phone asks for is far shorter; longer ones aren't even parsed.
LONGEST_NAME = 100


# Seconds after which a phone that couldn't be answered is to ask again: between these, so that not all come in the same one.
COME_BACK = (15, 45)


# --- Serving ---
def not_found() -> HttpResponse:
    """The one answer to everything that gets no file."""
    response = HttpResponse(b"Not found\n", status=404, content_type="text/plain; charset=utf-8")
    response.headers["Cache-Control"] = "no-store"
    # Django would log the path, and the token with it.
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


@public
@csrf_exempt
def provision(request: HttpRequest, token: str = "", name: str = "") -> HttpResponse:
    """A file for the phone whose token this is, or the 404."""
    try:
        return _provision(request, token, name)
    except Exception:
        # The database is down, or we have a mistake: the phone keeps what it has and asks again. Django's own
        # handling would write the address, with its token, into the log.
        logger.exception("provisioning failed request=%s", getattr(request, "request_id", "-"))
        response = HttpResponse(b"Try again later\n", status=503, content_type="text/plain; charset=utf-8")
        response.headers["Cache-Control"] = "no-store"
        response.headers["Retry-After"] = str(random.randint(*COME_BACK))  # noqa: S311 - not a secret
        response._has_been_logged = True  # type: ignore[attr-defined]
        return response


def _provision(request: HttpRequest, token: str, name: str) -> HttpResponse:
    address, begun = client_address(request), timezone.now()
    blocked = is_blocked(address)
    # Always this one look-up, whatever is wrong already: the time tells nothing.
    phone = selectors.phone_by_token(token)
    if phone is None or (blocked and not _lives_at(phone, address)):
        # A blocked address learns nothing, but the phones that live there go on, new ones of people who work there too: they
        # aren't shut out by a neighbour.
        failed(address)
        return not_found()
    if request.method not in ("GET", "HEAD"):
        return not_found()
    try:
        model, vendor = find_model(phone.model), vendor_of(phone.model)
        wanted = parse(vendor, name)
        if wanted is None or wanted.kind is FileKind.OTHER:
            return not_found()
        if not wanted.is_for(phone.mac, model):
            failed(address)
            return not_found()
        if wanted.kind is FileKind.LOGO:
            return _logo(request, phone, token, address, wanted.picture)
        made = build.context_for(phone)
        if made is None:
            return not_found()
        # A boot file sends what the phone's own file lacks back to the factory: it isn't given without that
        # file.
        device = build.device_file(made)
        content = device if wanted.kind is FileKind.DEVICE else vendor.render(wanted.kind, made)
    except (ContextError, UnsafeTextError, UnknownModelError) as error:
        logger.error("provisioning mac=%s can't be written: %s", phone.mac, error)
        return not_found()

    digest = build.digest(content)
    response = _answer(request, content, f'"{digest[:32]}"', vendor.content_type)
    if request.method == "GET":
        if wanted.kind is FileKind.DEVICE:
            facts = {"fetched_from": address or None, **_said_of_itself(phone, request)}
            response.fetch = Fetch(phone, token, begun, facts, content.decode(), digest)
            if response.status_code == 304:
                # It holds exactly this file: there is nothing to hand over.
                response.fetch.remember()
        else:
            _new_token_used(phone, token)
    return response


def _lives_at(phone: Phone, address: str) -> bool:
    """Whether the phone has fetched from there, or its person has signed in there lately."""
    return phone.fetched_from == address or lockout.is_known(phone.user_id, address)


def _logo(request: HttpRequest, phone: Phone, token: str, address: str, name: str) -> HttpResponse:
    """The picture for the phone's screen under the name that its file gives it; it acknowledges nothing."""
    logo = logos.logo_of(phone, phone.user.customer) if phone.user and phone.user.customer else None
    if not build.served(phone) or logo is None or logo.name != name:
        failed(address)
        return not_found()
    try:
        content = logo.content()
    except OSError as error:
        # The storage lost it: a phone keeps the picture that it has.
        logger.error("provisioning mac=%s logo can't be read: %s", phone.mac, type(error).__name__)
        return not_found()
    if request.method == "GET":
        _new_token_used(phone, token)
    return _answer(request, content, logo.etag, logo.content_type)


def parse(vendor: Vendor, name: str) -> FileRequest | None:
    """What a name means to phones of this make; None unless it is spelled exactly as they do."""
    return vendor.parse_file_name(name) if len(name) <= LONGEST_NAME else None


def is_blocked(address: str) -> bool:
    """Whether nothing new is told to this address."""
    return not FAILURES.allows(network_of(address))


def failed(address: str) -> None:
    """Count one failure of this address; the one that is too many is said in the log, once."""
    FAILURES.take(network_of(address))


class Answer(HttpResponse):
    """A file on its way; with a `fetch`, that is remembered once the web server has taken the last byte.

    The server asks for what comes next only as long as somebody is there to read it. A phone whose connection ended before
    doesn't hold the file: it stays in the outbox, and the phone's own next try, or the next NOTIFY, puts it right.
    """

    fetch: "Fetch | None" = None

    def __iter__(self) -> Iterator[bytes]:
        yield self.content
        if self.fetch and self.status_code == 200:
            self.fetch.remember()


def _answer(request: HttpRequest, content: bytes, etag: str, content_type: str) -> Answer:
    """The file, or 304 for whoever has exactly this one. No parts of it: `Range` is ignored."""
    asked = request.META.get("HTTP_IF_NONE_MATCH", "")[:1000]
    if asked and etag in [tag.removeprefix("W/") for tag in parse_etags(asked)]:
        response = Answer(status=304)
        del response.headers["Content-Type"]
    else:
        response = Answer(b"" if request.method == "HEAD" else content, content_type=content_type)
        response.headers["Content-Length"] = str(len(content))
    response.headers["ETag"] = etag
    response.headers["Cache-Control"] = "private, no-cache"
    return response


# --- Remembering ---
@dataclass(frozen=True)
class Fetch:
    """One fetch of a phone's own file: what was known when it was asked for, and what was given."""

    phone: Phone  # as it was read before the file was written
    address_token: str
    begun: datetime
    facts: dict[str, Any]  # from where, and what the phone said of itself
    text: str
    digest: str

    def remember(self) -> None:
        """Note it, and clear the outbox as far as the phone has now seen it: one UPDATE, or none of its own where
        nothing but the time is new (`phones.serving.fetches`).

        A change that was committed since the phone was read has counted `revision` up, and what it put into the outbox
        stays there. Of two fetches at once the one that was asked for last is what the phone holds, whichever ends last.
        Never fails: the phone has its file, and is told once more if that couldn't be noted.
        """
        try:
            self._write()
        except DatabaseError as error:
            logger.warning(
                "provisioning mac=%s fetch wasn't noted (%s)", self.phone.mac, type(error).__name__
            )

    def _write(self) -> None:
        phone = self.phone
        # Only what changes is written: after a power cut every phone fetches what it holds already, all at once.
        values = {name: value for name, value in self.facts.items() if value != getattr(phone, name)}
        values["fetched_at"] = self.begun
        unchanged = Q(revision=phone.revision)
        if phone.stale_since is not None:
            values["stale_since"] = Case(When(unchanged, then=Value(None)), default=F("stale_since"))
        if phone.command_at is not None:
            # A fetch is all that "reprovision" asks for; a restart waits for its own NOTIFY.
            resync = Q(command=Phone.Command.RESYNC, command_at=phone.command_at)
            values["command_at"] = Case(When(resync, then=Value(None)), default=F("command_at"))
        if phone.fetched_digest != self.digest:
            values |= {
                "fetched_digest": self.digest,
                "fetched_text": self.text,
                "fetched_model": phone.model,
            }
        if phone.previous_token_hash and fingerprint(self.address_token) == phone.token_hash:
            values["previous_token_hash"] = ""
        quick = connection.vendor == "postgresql" and not connection.in_atomic_block
        # After a NOTIFY somebody may look at the page until the phone has come back: that fetch is news.
        awaited = phone.notified_at and (phone.fetched_at is None or phone.fetched_at < phone.notified_at)
        if quick and not awaited and values.keys() == {"fetched_at"}:
            fetches.gathered.note((phone.pk, self.begun))
            return
        before = WITHOUT_WAITING_FOR_THE_DISK if quick and "previous_token_hash" not in values else ""
        latest = Q(fetched_at__isnull=True) | Q(fetched_at__lte=self.begun)
        with connection.execute_wrapper(lambda execute, sql, *rest: execute(f"{before}{sql}", *rest)):
            Phone.objects.filter(latest, pk=phone.pk).update(**values)


# For one statement whose commit doesn't wait for PostgreSQL's log to be on the disk. Should the server lose power in that
# instant, a fetch is forgotten, and the phone is told once more. Ten thousand phones that all wait for a disk would be
# served several times more slowly.
WITHOUT_WAITING_FOR_THE_DISK = "SET LOCAL synchronous_commit TO off; "


def _new_token_used(phone: Phone, token: str) -> None:
    """The first use of a new token ends the previous one."""
    if phone.previous_token_hash and fingerprint(token) == phone.token_hash:
        Phone.objects.filter(pk=phone.pk, token_hash=phone.token_hash).update(previous_token_hash="")


def _said_of_itself(phone: Phone, request: HttpRequest) -> dict[str, str]:
    """Firmware and model out of the User-Agent: for people. Anybody can send any; a mismatch is told, and
    decides nothing."""
    said = identify(request.META.get("HTTP_USER_AGENT", ""))
    if said is None:
        return {}
    seen = (said.slug or f"{said.vendor}-{said.model.lower()}")[:40]
    if (said.mac not in (None, phone.mac) or seen != phone.model) and (seen, said.firmware) != (
        phone.seen_model,
        phone.firmware,
    ):
        logger.warning(
            "provisioning mismatch mac=%s model=%s says_mac=%s says_model=%s",
            phone.mac,
            phone.model,
            said.mac or "-",
            seen,
        )
    return {"firmware": said.firmware[:40], "seen_model": seen}
