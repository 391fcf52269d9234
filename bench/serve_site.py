"""The portal for `bench.serve`, and a constant answer without Django at /bare."""

from collections.abc import Callable, Iterable
from typing import Any

from pbxadmin.wsgi import application as portal

CONTENT = b"x" * 7000


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """The portal, or what the web server alone can do."""
    if environ["PATH_INFO"] == "/bare":
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(CONTENT)))])
        return [CONTENT]
    return portal(environ, start_response)
