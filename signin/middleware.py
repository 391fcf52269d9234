"""Nobody passes who isn't signed in: every view is shut unless it is marked open."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth import SESSION_KEY
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from pbxadmin.common.http import PortalRequest, page_path, safe_next
from pbxadmin.common.proof import ProofNeededError
from signin import asking, devices, second_factor
from users import rights
from users.access import access_of


class SignedInMiddleware:
    """Asks, before any view that isn't `public`: signed in? second factor given, where it is due?
    administrator, under /c/?

    `users.access` has the marks. Views decide about single people and things; this decides who comes in at
    all.
    """

    def __init__(self, get_response: Callable[[PortalRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: PortalRequest) -> HttpResponseBase:
        request.proved = lambda: second_factor.recently_verified(request)
        response = self.get_response(request)
        devices.write(request, response)
        return response

    def process_view(
        self, request: PortalRequest, view: Callable[..., HttpResponse], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        """None lets the request on to its view."""
        access = access_of(view)
        if access == "public":
            return None
        if any("\0" in value for value in kwargs.values() if isinstance(value, str)):
            raise Http404  # no database has such a text, and PostgreSQL refuses the question
        user = request.user
        if not user.is_authenticated:
            if SESSION_KEY in request.session:
                # Somebody who was disabled or signed out everywhere: their session must not come back to life
                # either.
                request.session.flush()
            return self._send_to(request, "sign_in")
        if access == "half":
            return None
        if second_factor.is_due(user) and not second_factor.is_verified(request):
            return self._send_to(
                request, "second_factor" if second_factor.is_enrolled(user) else "second_factor_enrol"
            )
        if self._is_administration(request) and not rights.administers(user):
            raise PermissionDenied(
                _(
                    "Your role doesn't include the administration of users: an administrator of your company can change your role."
                )
            )
        return asking.answered(request)

    def process_exception(self, request: PortalRequest, error: Exception) -> HttpResponse | None:
        """Whatever takes a fresh proof asks for it here, and goes on with what was typed."""
        return asking.ask(request, error.what) if isinstance(error, ProofNeededError) else None

    @staticmethod
    def _is_administration(request: PortalRequest) -> bool:
        """Whether the address is one under /c/, as the resolver (not the visitor) spells it."""
        match = request.resolver_match
        return match is not None and match.route.lstrip("^").startswith("c/")

    @staticmethod
    def _send_to(request: PortalRequest, name: str) -> HttpResponse:
        """To a page of signing in, from which the way leads back here."""
        target = reverse(name)
        if request.htmx:
            here = page_path(request)
        else:
            here = request.get_full_path() if request.method in ("GET", "HEAD") else ""
        here = safe_next(request, here)
        if here and here != "/":
            target += "?" + urlencode({"next": here})
        if request.htmx:
            # A redirect would put the sign-in page into a corner of the page that asked.
            return HttpResponse(status=204, headers={"HX-Redirect": target})
        return HttpResponseRedirect(target)
