"""The first thing each request passes: its name for the logs, and how the visitor wants to see the portal."""

from collections.abc import Callable

from django.http import HttpResponse

from pbxadmin.common.http import PortalRequest, new_request_id

THEMES = ("system", "light", "dark")
DENSITIES = ("airy", "dense")


def without_nul(request: PortalRequest) -> None:
    """Leave NUL signs out of the query, and cookies that hold one: no page of ours sends them, and PostgreSQL refuses them."""
    query = request.META.get("QUERY_STRING", "")
    while "%00" in query:
        query = query.replace("%00", "")
    request.META["QUERY_STRING"] = query
    if any("\0" in value for value in request.COOKIES.values()):
        request.COOKIES = {name: value for name, value in request.COOKIES.items() if "\0" not in value}


class RequestFactsMiddleware:
    """Sets `request.request_id` (our own, never the visitor's), `request.theme` and `request.density`; takes NUL signs away."""

    def __init__(self, get_response: Callable[[PortalRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: PortalRequest) -> HttpResponse:
        without_nul(request)
        request.request_id = new_request_id()
        theme = request.COOKIES.get("theme", "system")
        request.theme = theme if theme in THEMES else "system"
        density = request.COOKIES.get("density", "airy")
        request.density = density if density in DENSITIES else "airy"
        response = self.get_response(request)
        response.headers.setdefault("Cache-Control", "no-store")
        return response
