"""What a node has recorded, over HTTP (ARI): fetched, then deleted there. And devices that are to be registered there no more."""

import base64
import http.client
from collections.abc import Iterable
from contextlib import suppress
from urllib.parse import quote

from asterisk.link.leases import Held

# Seconds that a node may say nothing; bytes that are read of a recording: eleven minutes are 10.5 million.
SILENT, MOST = 10.0, 20_000_000
# The same where errands wait behind it, and it is tried again.
SILENT_IN_BETWEEN = 3.0
USER = "pbxadmin"


class GoneError(Exception):
    """The node has no such recording."""


def fetch(held: Held, name: str) -> bytes:
    """The recording `name` ("out/1795840220-00000000") as WAV. Raises `GoneError`, and `OSError` where the node doesn't give it."""
    return _ask(held, "GET", f"{_path(name)}/file")


def delete(held: Held, name: str) -> None:
    """Have the node forget a recording; what isn't there needs nothing. Raises `OSError`."""
    try:
        _ask(held, "DELETE", _path(name))
    except GoneError:
        return


def drop(held: Held, names: Iterable[str]) -> None:
    """Have devices be registered no more, by the node's own names of them ("101@acme.example;@3ca49c…"). Raises `OSError`."""
    for name in names:
        with suppress(GoneError):
            _ask(
                held,
                "DELETE",
                f"/ari/asterisk/config/dynamic/res_pjsip/contact/{quote(name, safe='')}",
                SILENT_IN_BETWEEN,
            )


def _path(name: str) -> str:
    return f"/ari/recordings/stored/{quote(name, safe='')}"


def _ask(held: Held, method: str, path: str, silent: float = SILENT) -> bytes:
    connection = http.client.HTTPConnection(held.host, held.ari_port, timeout=silent)
    secret = base64.b64encode(f"{USER}:{held.secret}".encode()).decode()
    try:
        connection.request(method, path, headers={"Authorization": f"Basic {secret}"})
        answer = connection.getresponse()
        body = answer.read(MOST + 1)
    except http.client.HTTPException as error:
        raise OSError(type(error).__name__) from error
    finally:
        connection.close()
    if answer.status == 404:
        raise GoneError
    if answer.status not in (200, 204) or len(body) > MOST:
        raise OSError(f"{answer.status}, {len(body)} bytes")
    return body
