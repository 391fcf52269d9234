"""Pages that belong to no app: the way in, health, the look, and what is shown when something is wrong."""

import logging
import sys
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST, require_safe

from pbxadmin.common.away import in_a_line, is_away
from pbxadmin.common.http import PortalRequest, safe_next
from pbxadmin.common.middleware import DENSITIES, THEMES
from phones.sites.overview import tiles
from users import rights
from users.access import public
from users.history import timeline
from users.models import Customer
from users.people import selectors as user_selectors
from users.road.pages.doors import in_customer

logger = logging.getLogger("pbxadmin.database")


@require_safe
def home(request: PortalRequest) -> HttpResponse:
    """To the place where this person works: their customer, the list of customers, or their own page."""
    if request.user.is_staff:
        return redirect("customers")
    if rights.administers(request.user):
        return redirect("customer_home", request.user.customer.slug)
    return redirect("own_page")


@require_safe
@in_customer()
def customer_home(request: PortalRequest, customer: Customer) -> HttpResponse:
    """The customer at a glance: how many phones are up to date, waiting, silent; the latest changes."""
    facts: dict[str, Any] = {
        "tiles": tiles(request.user, customer),
        "gauge": user_selectors.gauge(customer),
        "breadcrumbs": [(_("Home"), None)],
    }
    if rights.can(request.user, rights.Verb.HISTORY, customer=customer):
        facts["operations"] = timeline.latest(request.user, customer, 10)
    return render(request, "pages/home.html", facts)


@public
@require_GET
def healthz(request: HttpRequest) -> HttpResponse:
    """Whether the portal and its database answer: for the launcher and a load balancer. 503 in plain text where they don't."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Exception as error:
        if not is_away(error):
            raise
        return _unavailable_to_machines(request, error)
    return JsonResponse({"ok": True})


@public
@require_POST
def set_theme(request: PortalRequest) -> HttpResponse:
    """Remember light, dark or system in a cookie, and go back."""
    return _remembered(request, "theme", THEMES)


@public
@require_POST
def set_density(request: PortalRequest) -> HttpResponse:
    """Remember in a cookie how close the rows of lists stand, and go back."""
    return _remembered(request, "density", DENSITIES)


def _remembered(request: PortalRequest, name: str, choices: Sequence[str]) -> HttpResponse:
    """Keep one of these ways to see the portal for a year, and lead back to the page."""
    chosen = request.POST.get(name, "")
    target = safe_next(request, request.POST.get("next")) or "/"
    response = HttpResponse(status=204) if request.htmx else HttpResponseRedirect(target)
    if chosen in choices:
        response.set_cookie(
            name,
            chosen,
            max_age=365 * 24 * 3600,
            samesite="Lax",
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
        )
    return response


def _error(request: HttpRequest, status: int, **facts: Any) -> HttpResponse:
    return render(request, f"{status}.html", facts, status=status)


@public
def page_not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404: it doesn't exist, or not for this person."""
    return _error(request, 404)


@public
def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403, with the sentence that says why."""
    return _error(request, 403, reason=str(exception or ""))


@public
def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400: not a request that our pages send."""
    return _error(request, 400)


@public
def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403: the form came from elsewhere, or was open for too long."""
    return render(request, "403_csrf.html", status=403)


@public
def server_error(request: HttpRequest) -> HttpResponse:
    """500: our fault; no trace and no query. 503 where the database is what failed, and then no trace in the log either."""
    error = sys.exc_info()[1]
    if not is_away(error):
        return HttpResponse(render_to_string("500.html"), status=500)
    if "text/html" not in request.headers.get("Accept", "") and "HX-Request" not in request.headers:
        return _unavailable_to_machines(request, error)
    sent = request.method not in ("GET", "HEAD")
    again = "/" if sent else request.get_full_path()
    page = render_to_string("503.html", {"sent": sent, "again": again})
    return _unavailable(request, error, HttpResponse(page, status=503))


def _unavailable_to_machines(request: HttpRequest, error: BaseException | None) -> HttpResponse:
    plain = "The database doesn't answer; try again in a moment.\n"
    return _unavailable(request, error, HttpResponse(plain, "text/plain; charset=utf-8", status=503))


def _unavailable(request: HttpRequest, error: BaseException | None, response: HttpResponse) -> HttpResponse:
    """One line in the log, and when to ask again."""
    logger.error(
        "the database is away (%s) request=%s", in_a_line(error), getattr(request, "request_id", "-")
    )
    response.headers["Retry-After"] = "10"
    response.headers["Cache-Control"] = "no-store"
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response
