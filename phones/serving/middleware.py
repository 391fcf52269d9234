"""What devices ask is answered before everything that only pages need."""

from collections.abc import Callable

from django.http import HttpResponse
from django.urls import Resolver404, resolve

from pbxadmin.common.http import PortalRequest
from users.access import access_of

DEVICES = "phones.serving.urls_devices"
FOLDERS = frozenset({"/p", "/p/", "/r", "/r/"})


class DeviceMiddleware:
    """Answers the addresses of `phones.serving.urls_devices` at once: a phone has no session, no language and no forms.

    Session, sign-in, messages and the headers by which a browser is kept in bounds would cost more than the file. Stands
    behind what counts for phones too: customers' own host names, which have no such addresses, and HTTPS.
    """

    def __init__(self, get_response: Callable[[PortalRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: PortalRequest) -> HttpResponse:
        if request.path_info[:3] in FOLDERS and not hasattr(request, "urlconf"):
            try:
                match = resolve(request.path_info, DEVICES)
            except Resolver404:
                return self.get_response(request)
            if access_of(match.func) == "public":
                return match.func(request, *match.args, **match.kwargs)
        return self.get_response(request)
