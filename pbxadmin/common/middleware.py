"""The first thing each request passes: its name for the logs, and how the visitor wants to see the portal."""

from collections.abc import Callable
from typing import Any

from django.core.exceptions import BadRequest
from django.http import Http404, HttpResponse, QueryDict, UnreadablePostError

from pbxadmin.common.http import PortalRequest, new_request_id

THEMES = ("system", "light", "dark")
DENSITIES = ("airy", "dense")
# The fields in which people say who they are, on whichever page.
PROVING = frozenset({"login", "password", "old_password", "new_password", "repeated"})


def without_nul(request: PortalRequest) -> None:
    """Leave NUL signs out of the query, and cookies that hold one: nobody sees them, no page of ours sends them, PostgreSQL refuses them."""
    query = request.META.get("QUERY_STRING", "")
    while "%00" in query:
        query = query.replace("%00", "")
    request.META["QUERY_STRING"] = query
    if any("\0" in value for value in request.COOKIES.values()):
        request.COOKIES = {name: value for name, value in request.COOKIES.items() if "\0" not in value}


def without_nul_in_fields(request: PortalRequest) -> None:
    """The same for what a form sends, the names of its fields included.

    What somebody is known by stays as it was sent: a password isn't another one that looks like it, and its form refuses the sign.
    """
    try:
        fields = request.POST
    except UnreadablePostError:  # went away while sending: whoever reads it next says so
        return
    except LookupError as error:  # a part's header that names a codec that is none for text
        raise BadRequest("a header of the form can't be read") from error
    if not any("\0" in text for name, texts in fields.lists() for text in (name, *texts)):
        return
    clean = QueryDict(mutable=True)
    for name, texts in fields.lists():
        bare = name.replace("\0", "")
        clean.setlist(bare, texts if bare in PROVING else [text.replace("\0", "") for text in texts])
    clean._mutable = False
    request.POST = clean  # type: ignore[assignment]  # Django's own property has a setter


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

    def process_view(
        self, request: PortalRequest, view: Any, args: tuple[str, ...], arguments: dict[str, Any]
    ) -> None:
        """Nothing has a NUL sign in its address; in fields they go, before anything reads these."""
        nul = any("\0" in str(value) for value in (*args, *arguments.values()))
        if nul and not getattr(view, "for_machines", False):
            raise Http404
        if request.method == "POST":
            without_nul_in_fields(request)
