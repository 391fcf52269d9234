"""The first thing each request passes: its name for the logs, and how the visitor wants to see the portal."""

from collections.abc import Callable

from django.http import HttpResponse

from pbxadmin.common.http import PortalRequest, new_request_id

THEMES = ("system", "light", "dark")


class RequestFactsMiddleware:
    """Sets `request.request_id` (our own, never the visitor's) and `request.theme`."""

    def __init__(self, get_response: Callable[[PortalRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: PortalRequest) -> HttpResponse:
        request.request_id = new_request_id()
        theme = request.COOKIES.get("theme", "system")
        request.theme = theme if theme in THEMES else "system"
        response = self.get_response(request)
        response.headers.setdefault("Cache-Control", "no-store")
        return response
