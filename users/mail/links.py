"""The secret addresses of a person: making, showing, finding and killing them, and the document that configures an app."""

import io
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any
from xml.etree import ElementTree

import qrcode
from django.conf import settings
from django.db.models import F, Q
from django.utils import timezone
from qrcode.image.pil import PilImage

from pbxadmin.common.crypto import MASK, Reader, fingerprint, plain, random_token
from pbxadmin.common.http import RequestFacts
from pbxadmin.common.phone_system import sip_server
from pbxadmin.common.values.signalling import Srtp, Transport
from users import road
from users.models import Customer, PersonalLink, User

Kind = PersonalLink.Kind

# How long the code on a screen can be scanned, and how many apps may take their configuration by it: phone, computer, tablet.
APP_LINK_LIFE = timedelta(hours=24)
APP_LINK_USES = 5

NAMESPACE = "http://www.linphone.org/xsds/lpconfig.xsd"
SCHEMA_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
# Linphone's words for the encryption of the voice.
MEDIA_ENCRYPTION = {
    Srtp.DISABLED: "none",
    Srtp.ENABLED: "srtp",
    Srtp.ENFORCED: "srtp",
}


# How the path of a link is made of its token: what answers there belongs to the app that registered it.
_paths: dict[str, Callable[[str], str]] = {}


def register(kind: Kind, path: Callable[[str], str]) -> None:
    """Say under which path the links of a kind answer: from a token the path, on the host of its kind."""
    _paths[kind] = path


# --- Making and killing -------------------------------------------------------------------------------------------
def address_of(link: PersonalLink) -> str:
    """The absolute address, on the portal's own public host; that of the RPS key is a folder, to which a phone adds a file.

    Of a link that `reveal` has given.
    """
    token = plain(link, PersonalLink.token, Reader.PERSON)
    host = settings.PROVISIONING_URL if link.kind == Kind.RPS else settings.PUBLIC_URL
    return host.rstrip("/") + _paths[link.kind](token)


def link_of(user: User, kind: Kind) -> PersonalLink | None:
    """The person's link of a kind, dead or alive."""
    return PersonalLink.objects.filter(user=user, kind=kind).first()


def kill(kind: Kind, people: Iterable[User]) -> int:
    """End these people's links of a kind at once; how many there were."""
    count, _rows = PersonalLink.objects.filter(kind=kind, user__in=[user.pk for user in people]).delete()
    return count


def reveal(actor: User, customer: Customer, person: User, kind: Kind, facts: RequestFacts) -> PersonalLink:
    """The person's living link, a new one where there is none; that it was shown stands in the history before it is.

    Everybody may see their own; for another's it takes the right to see secrets. Raises `road.RefusedError`.
    """
    if not person.is_active:
        raise road.RefusedError

    def living() -> PersonalLink:
        # Two who ask at once get the same link.
        User.objects.select_for_update().only("pk").get(pk=person.pk)
        link = link_of(person, kind)
        if link is not None and not link.is_alive:
            link.delete()
            link = None
        if link is None:
            token = random_token()
            lives = kind == Kind.APP
            link = PersonalLink.objects.create(
                user=person,
                kind=kind,
                token=token,
                token_hash=fingerprint(token),
                expires_at=timezone.now() + APP_LINK_LIFE if lives else None,
                uses_left=APP_LINK_USES if lives else None,
            )
        return link

    cell = {"column": {Kind.APP: "link", Kind.RPS: "rps"}[kind], "old": "", "new": MASK}
    return road.reveal(actor, customer, road.sheet_of(User), person, cell, facts, living, own=True)


def alive(at: datetime) -> Q:
    """The links that answer at an instant, as a condition."""
    return (Q(expires_at=None) | Q(expires_at__gt=at)) & (Q(uses_left=None) | Q(uses_left__gt=0))


def find(kind: Kind, token: str) -> PersonalLink | None:
    """The living link of a token, with its person and all that their configuration takes, in one query; None else."""
    link = (
        PersonalLink.objects.filter(alive(timezone.now()), kind=kind, token_hash=fingerprint(token))
        .select_related("user__customer", "user__primary_department", "user__role")
        .first()
    )
    return link if link is not None and link.user.is_active else None


def use(link: PersonalLink) -> bool:
    """Count one use; False where another request took the last one, or the link was reset, in the meantime."""
    if link.uses_left is None:
        return PersonalLink.objects.filter(pk=link.pk).exists()
    return bool(
        PersonalLink.objects.filter(alive(timezone.now()), pk=link.pk).update(uses_left=F("uses_left") - 1)
    )


# --- The document -------------------------------------------------------------------------------------------------
def app_configuration(user: User) -> bytes:
    """The remote provisioning document of the Linphone app for a person's extension: XML, UTF-8.

    As its developers describe it ("Remote provisioning": `config` of sections and entries, each overwriting what the app
    has): one account, the credentials that belong to it, and how the voice is protected. `user` comes with its customer.
    """
    customer = user.customer
    assert customer is not None, "support staff have no extension"
    srtp = Srtp(user.srtp)
    server = sip_server(srtp.transport(plain=Transport.TCP))
    domain = customer.fqdn
    sections = {
        "sip": {
            "default_proxy": "0",
            "media_encryption": MEDIA_ENCRYPTION[srtp],
            "media_encryption_mandatory": "1" if srtp is Srtp.ENFORCED else "0",
            "register_only_when_network_is_up": "1",
        },
        "auth_info_0": {
            "username": user.number, "userid": user.sip_auth_id, "passwd": plain(user, User.sip_password, Reader.APP),
            "realm": settings.SIP_REALM, "domain": domain,
        },
        "proxy_0": {
            "reg_identity": f'"{_quoted(user.full_name)}" <sip:{user.number}@{domain}>',
            # It registers at the one (for the domain of its identity), and calls by way of the other: with the domain in the first the app
            # looked that up, and registered nowhere unless it leads to the server, too (seen with linphonec 5.1).
            "reg_proxy": f"<{server.uri(domain)}>",
            "reg_route": f"<{server.uri(domain)}>",
            "reg_expires": "600", "reg_sendregister": "1", "publish": "0", "push_notification_allowed": "1",
        },
    }  # fmt: skip
    ElementTree.register_namespace("", NAMESPACE)
    ElementTree.register_namespace("xsi", SCHEMA_INSTANCE)
    root = ElementTree.Element(
        f"{{{NAMESPACE}}}config", {f"{{{SCHEMA_INSTANCE}}}schemaLocation": f"{NAMESPACE} lpconfig.xsd"}
    )
    for name, entries in sections.items():
        section = ElementTree.SubElement(root, f"{{{NAMESPACE}}}section", {"name": name})
        for key, value in entries.items():
            ElementTree.SubElement(
                section, f"{{{NAMESPACE}}}entry", {"name": key, "overwrite": "true"}
            ).text = value
    return ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)


def _quoted(name: str) -> str:
    """A display name inside the quotation marks of a SIP address (RFC 3261, quoted-string)."""
    return name.replace("\\", "\\\\").replace('"', '\\"')


# --- The code -----------------------------------------------------------------------------------------------------
def qr_png(text: str, scale: int = 8) -> bytes:
    """A QR code of `text` as a PNG: black on white, whatever the page's theme, with the quiet zone that scanners want."""
    code = qrcode.QRCode(
        error_correction=qrcode.ERROR_CORRECT_M, box_size=scale, border=4, image_factory=PilImage
    )
    code.add_data(text)
    written = io.BytesIO()
    code.make_image().save(written, "PNG")
    return written.getvalue()


def said_of(link: PersonalLink) -> dict[str, Any]:
    """A link for its page: address, expiry, uses left."""
    return {"address": address_of(link), "expires_at": link.expires_at, "uses_left": link.uses_left}
