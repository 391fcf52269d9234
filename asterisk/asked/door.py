"""The door to what nodes ask: whoever isn't a node gets one answer, whatever they tried, and no page ever answers there."""

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from asterisk import nodes
from asterisk.models import Node
from users.access import public

logger = logging.getLogger("pbxadmin.calls")

View = Callable[..., HttpResponse]


def text(body: bytes | str = b"", status: int = 200) -> HttpResponse:
    """A plain answer that nobody keeps."""
    answer = HttpResponse(body, status=status, content_type="text/plain; charset=utf-8")
    answer.headers["Cache-Control"] = "no-store"
    # Else it would come in pieces, and the connection couldn't be kept.
    answer.headers["Content-Length"] = str(len(answer.content))
    # Django would log the address, with the numbers in it.
    answer._has_been_logged = True  # type: ignore[attr-defined]
    return answer


def for_nodes(method: str) -> Callable[[Callable[..., HttpResponse]], View]:
    """A view that answers nodes alone, as (request, node, …). A mistake of ours is an empty 503: the node goes on with what it remembers."""

    def wrap(view: Callable[..., HttpResponse]) -> View:
        @public
        @csrf_exempt
        @wraps(view)
        def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            try:
                node: Node | None = nodes.asking(request)
                if node is None or request.method != method:
                    return text(b"Not found\n", 404)
                return view(request, node, *args, **kwargs)
            except Exception:
                # Whatever failed: Asterisk reads only what came with 200, and a trace with the address stays out of Django's log.
                logger.exception("a node wasn't answered request=%s", getattr(request, "request_id", "-"))
                return text(b"", 503)

        answered.for_machines = True  # type: ignore[attr-defined]
        return answered

    return wrap


@public
@csrf_exempt
def nothing(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
    """Whatever else is tried there."""
    return text(b"Not found\n", 404)
