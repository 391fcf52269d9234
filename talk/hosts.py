"""A customer's own host name: https://FQDN/NAME is a Talk page, https://FQDN/meet/NAME a Meet page, and nothing else is there."""

import re
from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.core.cache import cache
from django.http import HttpResponse

from pbxadmin.common.http import PortalRequest
from users.models import Customer

HOST = re.compile(r"(?P<name>[a-z0-9.-]{1,253})(?P<port>:[0-9]{1,5})?\Z")
REMEMBERED = 60  # seconds: how long a lost host name still counts
HSTS = "Strict-Transport-Security"
# The name is the customer's own and may lead elsewhere tomorrow, to something without TLS: for a day, and for no name below it.
HSTS_THERE = "max-age=86400"


def slug_of_host(name: str) -> str:
    """The customer whose host name this is, by its address in the portal; "" for any other name."""
    key = f"host:{name}"
    slug = cache.get(key)
    if slug is None:
        slug = Customer.objects.filter(fqdn=name).values_list("slug", flat=True).first() or ""
        if slug:
            # Not what isn't one: strangers would fill the cache with names of theirs, and push out what it counts of them.
            cache.set(key, slug, REMEMBERED)
    return slug


class CustomerHostMiddleware:
    """Gives requests to a customer's own host name the addresses of `talk.urls_host`, and nothing of the portal.

    Stands before everything that asks for the host. Such a host isn't in ALLOWED_HOSTS, which stays the portal's own list:
    the name is checked here against the customers' instead, and only then is it believed. Whatever isn't a customer's
    host goes on unchanged, and Django refuses what it doesn't know. What the portal itself answers to is never a customer's.
    """

    def __init__(self, get_response: Callable[[PortalRequest], HttpResponse]) -> None:
        self.get_response = get_response
        public = (urlsplit(url).hostname for url in (settings.PUBLIC_URL, settings.PROVISIONING_URL))
        self.own = {*public, *settings.ALLOWED_HOSTS}

    def __call__(self, request: PortalRequest) -> HttpResponse:
        """The answer; a browser that must come back by HTTPS must do so for a short time."""
        if not self._is_customers(request):
            return self.get_response(request)
        response = self.get_response(request)
        if HSTS in response.headers:
            response.headers[HSTS] = HSTS_THERE
        return response

    def _is_customers(self, request: PortalRequest) -> bool:
        """Whether the request is to a customer's host name; it is given that host's addresses then."""
        written = request.META.get("HTTP_HOST", "").lower()
        match = HOST.match(written)
        name = match["name"] if match else ""
        if "." not in name or name in self.own or name.replace(".", "").isdigit():
            return False
        if not (slug := slug_of_host(name)):
            return False
        request.urlconf = "talk.urls_host"
        request.host_slug = slug  # type: ignore[attr-defined]
        # Looked up among the customers' names, so it can be believed: links and the CSRF check need it.
        request.get_host = lambda: written  # type: ignore[method-assign]
        return True
