"""What a request tells of its origin, decided in one place so that forged headers change nothing."""

from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.http import HttpRequest

from pbxadmin.common.proof import ProofNeededError, Takeover


class PortalRequest(HttpRequest):
    """A request as our middleware leaves it."""

    user: Any
    htmx: Any
    request_id: str
    theme: str
    density: str
    customer: Any
    # Whether its person has proved lately who they are; set for whoever is signed in.
    proved: Callable[[], bool]


def client_address(request: HttpRequest) -> str:
    """The visitor's IP address in canonical form; '' when the server tells none.

    X-Forwarded-For is believed as far as our own proxies wrote it (`TRUSTED_PROXY_COUNT`, from the right):
    anybody can send the header, only the entry that our outermost proxy added is a fact.
    """
    text = request.META.get("REMOTE_ADDR", "")
    if count := settings.TRUSTED_PROXY_COUNT:
        entries = [entry.strip() for entry in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")]
        if len(entries) >= count:
            text = entries[-count]
    try:
        return str(ip_address(text))
    except ValueError:
        return ""


def page_path(request: HttpRequest) -> str:
    """The path of our page from which htmx asked; '' where it is no page of ours, or no address at all."""
    htmx: Any = getattr(request, "htmx", None)
    try:
        return (htmx.current_url_abs_path or "") if htmx else ""
    except ValueError:  # not even an address: anybody can send the header
        return ""


@dataclass(frozen=True)
class RequestFacts:
    """Where a change came from: kept with it in the history."""

    source: str = "system"
    address: str = ""
    request_id: str = ""
    # Whether whoever asks has proved lately who they are. What is no request has nobody to ask.
    proved: Callable[[], bool] = field(default=lambda: True, compare=False)

    @classmethod
    def of(cls, request: HttpRequest, source: str = "portal") -> "RequestFacts":
        """The facts of a page's request."""
        proved = getattr(request, "proved", lambda: False)
        return cls(source, client_address(request), getattr(request, "request_id", ""), proved)

    def demand_proof(self, what: Takeover | None) -> None:
        """Raise `ProofNeededError` where `what` is one of the things that take a fresh proof, and there is none."""
        if what is not None and not self.proved():
            raise ProofNeededError(what)


def new_request_id() -> str:
    """A short name for one request, for the logs and the history."""
    return uuid4().hex[:12]
