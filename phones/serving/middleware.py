"""What devices ask is answered before everything that only pages need."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpResponse
from django.urls import Resolver404, resolve

from pbxadmin.common.http import PortalRequest
from users.access import access_of


class DeviceMiddleware:
    """Answers what machines ask (`settings.DEVICE_ADDRESSES`) at once: a phone or a node of the phone system has no session, no
    language and no forms.

    Session, sign-in, messages and the headers by which a browser is kept in bounds would cost more than the file. Stands
    behind what counts for phones too: customers' own host names, which have no such addresses, and HTTPS.
    """

    def __init__(self, get_response: Callable[[PortalRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.addresses = {
            f"{folder}{end}": urls for folder, urls in settings.DEVICE_ADDRESSES.items() for end in ("", "/")
        }

    def __call__(self, request: PortalRequest) -> HttpResponse:
        urls = self.addresses.get(request.path_info[:3])
        if urls and not hasattr(request, "urlconf"):
            try:
                match = resolve(request.path_info, urls)
            except Resolver404:
                return self.get_response(request)
            if access_of(match.func) == "public":
                return match.func(request, *match.args, **match.kwargs)
        return self.get_response(request)
