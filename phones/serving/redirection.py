"""Where a manufacturer's redirection service (RPS) sends a phone that comes from the factory: /r/<RPS key>/<file>.

The key is a person's, entered at the manufacturer's together with the MACs of their phones. It gives no configuration: a phone
of theirs that asks by name is sent on to its own secret address. Everything else is the same 404 as in `phones.serving.provisioning`.
"""

import logging

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from pbxadmin.common.crypto import Reader
from pbxadmin.common.http import client_address
from phones import build
from phones.models import Phone
from phones.serving.provisioning import failed, is_blocked, not_found, parse
from phones.vendors import UnknownModelError, vendor_of
from signin import lockout
from users.access import public
from users.mail import links

logger = logging.getLogger("pbxadmin.provisioning")


@public
@csrf_exempt
def redirect_phone(request: HttpRequest, key: str = "", name: str = "") -> HttpResponse:
    """To the address of the phone whose own file is asked for, if it is one of the key's person; else the 404."""
    try:
        return _redirect(request, key, name)
    except Exception:
        # Django's own handling would write the address, with its key, into the log.
        logger.exception("redirection failed request=%s", getattr(request, "request_id", "-"))
        response = HttpResponse(b"Try again later\n", status=503, content_type="text/plain; charset=utf-8")
        response.headers["Cache-Control"] = "no-store"
        response.headers["Retry-After"] = "60"
        response._has_been_logged = True  # type: ignore[attr-defined]
        return response


def _redirect(request: HttpRequest, key: str, name: str) -> HttpResponse:
    address = client_address(request)
    blocked = is_blocked(address)
    link = links.find(links.Kind.RPS, key)
    if link is None or (blocked and not lockout.is_known(link.user_id, address)):
        failed(address)
        return not_found()
    if request.method not in ("GET", "HEAD"):
        return not_found()
    named = False
    for phone in Phone.objects.filter(user=link.user):
        try:
            vendor = vendor_of(phone.model)
        except UnknownModelError:
            continue
        wanted = parse(vendor, name)
        # A common file names no phone.
        if wanted is None or wanted.mac is None or wanted.kind not in vendor.redirected:
            continue
        if wanted.mac == phone.mac:
            location = build.provisioning_url(phone, Reader.PHONE) + name
            response = HttpResponse(status=302, headers={"Location": location})
            response.headers["Cache-Control"] = "no-store"
            return response
        named = True
    if named:
        # The name of a phone that isn't this person's.
        failed(address)
    return not_found()
