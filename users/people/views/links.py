"""The QR code and the link that set up a person's app: for an administrator, for the person, and for the app."""

import logging
from time import time

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from pbxadmin.common.http import PortalRequest, RequestFacts, client_address
from pbxadmin.common.proof import Takeover
from pbxadmin.common.throttle import Limit, network_of
from signin import lockout
from signin.second_factor import step_up
from users import rights, road
from users.access import for_machines, public, signed_in_user
from users.mail import links
from users.models import Customer, PersonalLink, User
from users.people.views.editor import frame_of
from users.road.pages.doors import of_person

logger = logging.getLogger("pbxadmin.provisioning")

# Tries with a wrong token from one address.
WRONG = Limit("app-link", 40, 600)
# The code's picture is given while its page is open: {person: until when}, in the session.
SHOWN = "app_links_shown"
SHOWN_FOR = 600


# --- Showing it ---------------------------------------------------------------------------------------------------
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@of_person()
def app_link(request: PortalRequest, customer: Customer, person: User) -> HttpResponse:
    """The app of a person: whether a link is alive; a POST shows link and code, after a recent second factor."""
    may = rights.can(request.user, rights.Verb.REVEAL, person, customer)
    if request.method == "POST":
        if not may:
            raise PermissionDenied
        return _shown(request, customer, person)
    return _page(request, customer, person)


def _page(
    request: PortalRequest,
    customer: Customer,
    person: User,
    link: PersonalLink | None = None,
    rps: PersonalLink | None = None,
) -> HttpResponse:
    alive = links.link_of(person, links.Kind.APP)
    facts = {
        **frame_of(request.user, customer, person, "general"), "link": links.said_of(link) if link else None,
        "alive": alive if alive is not None and alive.is_alive else None,
        "may_reveal": rights.can(request.user, rights.Verb.REVEAL, person, customer) and person.is_active,
        "qr_url": reverse("app_link_qr", args=[customer.slug, person.number]),
        "rps": links.said_of(rps) if rps else None, "has_rps": links.link_of(person, links.Kind.RPS) is not None,
    }  # fmt: skip
    return render(request, "users/app_link.html", facts)


@step_up(Takeover.SECRET)
def _shown(request: PortalRequest, customer: Customer, person: User) -> HttpResponse:
    try:
        link = links.reveal(request.user, customer, person, links.Kind.APP, RequestFacts.of(request))
    except road.RefusedError:
        raise PermissionDenied(_("This person's extension is disabled.")) from None
    _remember(request, person)
    return _page(request, customer, person, link)


@never_cache
@require_http_methods(["POST"])
@of_person(rights.Verb.REVEAL)
@step_up(Takeover.SECRET)
def rps_key(request: PortalRequest, customer: Customer, person: User) -> HttpResponse:
    """The address with a person's RPS key, to be entered at the manufacturer's redirection service."""
    try:
        link = links.reveal(request.user, customer, person, links.Kind.RPS, RequestFacts.of(request))
    except road.RefusedError:
        raise PermissionDenied(_("This person's extension is disabled.")) from None
    return _page(request, customer, person, rps=link)


@never_cache
@require_safe
@of_person(rights.Verb.REVEAL)
def app_link_qr(request: PortalRequest, customer: Customer, person: User) -> HttpResponse:
    """The code as a picture, while the page that showed it (and recorded it) is open."""
    return _picture(request, person)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def own_app(request: PortalRequest) -> HttpResponse:
    """One's own app: the code to scan, after a recent second factor."""
    user = signed_in_user(request)
    if user.customer is None:
        raise Http404
    return _own_shown(request, user) if request.method == "POST" else _own_page(request, user)


@step_up(Takeover.SECRET)
def _own_shown(request: PortalRequest, user: User) -> HttpResponse:
    assert user.customer is not None
    link = links.reveal(user, user.customer, user, links.Kind.APP, RequestFacts.of(request, "self"))
    _remember(request, user)
    return _own_page(request, user, link)


def _own_page(request: PortalRequest, user: User, link: PersonalLink | None = None) -> HttpResponse:
    alive = links.link_of(user, links.Kind.APP)
    return render(request, "users/own_app.html", {
        "person": user, "customer": user.customer, "link": links.said_of(link) if link else None,
        "alive": alive if alive is not None and alive.is_alive else None, "may_reveal": True, "qr_url": reverse("own_app_qr"),
        "breadcrumbs": [(_("My page"), reverse("own_page")), (_("App"), None)],
    })  # fmt: skip


@never_cache
@require_safe
def own_app_qr(request: PortalRequest) -> HttpResponse:
    """One's own code as a picture."""
    return _picture(request, signed_in_user(request))


def _remember(request: PortalRequest, person: User) -> None:
    shown = {key: until for key, until in request.session.get(SHOWN, {}).items() if until > time()}
    request.session[SHOWN] = shown | {str(person.pk): int(time()) + SHOWN_FOR}


def _picture(request: PortalRequest, person: User) -> HttpResponse:
    link = links.link_of(person, links.Kind.APP)
    if link is None or not link.is_alive or request.session.get(SHOWN, {}).get(str(person.pk), 0) < time():
        raise Http404
    response = HttpResponse(links.qr_png(links.address_of(link)), content_type="image/png")
    response.headers["Cache-Control"] = "no-store"
    return response


# --- Giving it to the app -----------------------------------------------------------------------------------------
def _not_found() -> HttpResponse:
    """The one answer to everything that gets no configuration."""
    response = HttpResponse(b"Not found\n", status=404, content_type="text/plain; charset=utf-8")
    response.headers["Cache-Control"] = "no-store"
    # Django would log the path, and the token with it.
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


@public
@for_machines
@csrf_exempt
def app_config(request: HttpRequest, token: str = "") -> HttpResponse:
    """The app's configuration for whoever holds a living link, or the 404. HEAD tells that it is there and counts nothing."""
    try:
        return _app_config(request, token)
    except Exception:
        # Django's own handling would write the address, with its token, into the log.
        logger.exception("app configuration failed request=%s", getattr(request, "request_id", "-"))
        response = HttpResponse(b"Try again later\n", status=503, content_type="text/plain; charset=utf-8")
        response.headers["Cache-Control"] = "no-store"
        response.headers["Retry-After"] = "60"
        response._has_been_logged = True  # type: ignore[attr-defined]
        return response


def _app_config(request: HttpRequest, token: str) -> HttpResponse:
    place = network_of(client_address(request))
    blocked = not WRONG.allows(place)
    # Always this one look-up, whatever is wrong already: the time tells nothing.
    link = links.find(links.Kind.APP, token)
    if link is None:
        WRONG.take(place)
        return _not_found()
    if blocked and not lockout.is_known(link.user_id, client_address(request)):
        return _not_found()
    if request.method not in ("GET", "HEAD"):
        return _not_found()
    content = links.app_configuration(link.user)
    if request.method == "GET" and not links.use(link):
        return _not_found()
    response = HttpResponse(
        b"" if request.method == "HEAD" else content, content_type="application/xml; charset=utf-8"
    )
    response.headers["Cache-Control"] = "no-store"
    response.headers["Content-Length"] = str(len(content))
    return response
