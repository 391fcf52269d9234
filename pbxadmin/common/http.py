"""What a request tells of its origin, decided in one place so that forged headers change nothing."""

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest, get_str_from_wsgi
from django.http import HttpRequest, parse_cookie
from django.utils.functional import cached_property
from django.utils.http import parse_header_parameters, url_has_allowed_host_and_scheme
from django_permissions_policy.decorators import permissions_policy_override

from pbxadmin.common.proof import ProofNeededError, Takeover
from pbxadmin.common.values.signs import as_it_looks

# The field of a form that says why something is done (`partials/note.html`), and how long that may be.
NOTE, LONGEST_NOTE = "why", 200


class Utf8Request(WSGIRequest):
    """A request whose text is UTF-8, as that of our pages is, whatever its header says.

    Django takes the codec from the header. Half of Python's would make signs of a text that no database takes (`unicode_escape`), or
    read none at all (`hex`), which ends the request before anything of ours could answer it.
    """

    def _set_content_type_params(self, meta: Mapping[str, Any]) -> None:
        try:
            self.content_type, self.content_params = parse_header_parameters(meta.get("CONTENT_TYPE", ""))
        except (ValueError, LookupError):
            self.content_type, self.content_params = "", {}
        self.content_params.pop("charset", None)

    @cached_property
    def COOKIES(self) -> dict[str, str]:  # type: ignore[override]  # noqa: N802 - Django's name
        """The cookies, but for those with a backslash, which none of ours has.

        Python before 3.11.10 reads the escapes of a quoted value in a time that grows with the square of its length (CVE-2024-7592): a
        header that fits into any proxy keeps a core busy for seconds, before anybody has signed in.
        """
        said = get_str_from_wsgi(self.environ, "HTTP_COOKIE", "")
        return parse_cookie(";".join(one for one in said.split(";") if "\\" not in one))


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

    An IPv4 visitor of a server that listens for both (::ffff:192.0.2.1) is that IPv4 address, else all of them would be one network.

    X-Forwarded-For is believed as far as our own proxies wrote it (`TRUSTED_PROXY_COUNT`, from the right):
    anybody can send the header, only the entry that our outermost proxy added is a fact.
    """
    text = request.META.get("REMOTE_ADDR", "")
    if count := settings.TRUSTED_PROXY_COUNT:
        entries = [entry.strip() for entry in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")]
        if len(entries) >= count:
            text = entries[-count]
    try:
        address = ip_address(text)
    except ValueError:
        return ""
    return str(getattr(address, "ipv4_mapped", None) or address)


def page_path(request: HttpRequest) -> str:
    """The path of our page from which htmx asked; '' where it is no page of ours, or no address at all."""
    htmx: Any = getattr(request, "htmx", None)
    try:
        return (htmx.current_url_abs_path or "") if htmx else ""
    except ValueError:  # not even an address: anybody can send the header
        return ""


def safe_next(request: HttpRequest, target: str | None) -> str:
    """`target` if it is a path of this portal, else ''. Never another host, however it is spelled, nor the name of a view."""
    if (
        not target
        or len(target) > 2_000
        or not target.startswith("/")
        or target.startswith("//")
        or "\\" in target
    ):
        return ""
    # Browsers drop tabs and line breaks inside an address: "/\t/evil" is "//evil" to them.
    if any(unicodedata.category(sign)[0] in "CZ" for sign in target):
        return ""
    return (
        target
        if url_has_allowed_host_and_scheme(target, allowed_hosts=None, require_https=request.is_secure())
        else ""
    )


@dataclass(frozen=True)
class RequestFacts:
    """Where a change came from: kept with it in the history."""

    source: str = "system"
    address: str = ""
    request_id: str = ""
    # Why, in the words of whoever asks: a reason, or the number of a ticket.
    note: str = ""
    # Whether whoever asks has proved lately who they are. What is no request has nobody to ask.
    proved: Callable[[], bool] = field(default=lambda: True, compare=False)

    @classmethod
    def of(cls, request: HttpRequest, source: str = "portal") -> "RequestFacts":
        """The facts of a page's request."""
        proved = getattr(request, "proved", lambda: False)
        note = one_line(request.POST.get(NOTE, ""))[:LONGEST_NOTE] if request.method == "POST" else ""
        return cls(source, client_address(request), getattr(request, "request_id", ""), note, proved)

    def demand_proof(self, what: Takeover | None) -> None:
        """Raise `ProofNeededError` where `what` is one of the things that take a fresh proof, and there is none."""
        if what is not None and not self.proved():
            raise ProofNeededError(what)


def new_request_id() -> str:
    """A short name for one request, for the logs and the history."""
    return uuid4().hex[:12]


def one_line(text: str) -> str:
    """What was typed as one line, without signs that no one sees."""
    shown = "".join(" " if sign.isspace() else sign for sign in as_it_looks(text))
    return " ".join("".join(sign for sign in shown if unicodedata.category(sign)[0] != "C").split())


def lets_use_the_microphone(view: Callable[..., Any]) -> Callable[..., Any]:
    """A page on which the browser may ask its reader for the microphone; on all others it may not."""
    policy: dict[str, Any] = settings.PERMISSIONS_POLICY | {"microphone": "self"}
    decorated: Callable[..., Any] = permissions_policy_override(policy)(view)
    return decorated
