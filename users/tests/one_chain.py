"""One chain of middleware for the clients of all tests, as a server has one for whoever asks; made anew once a setting has changed.

Each of Django's clients makes one of its own, which takes as long as a small page, and there are more clients than tests.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.signals import setting_changed
from django.test.client import ClientHandler

# What `load_middleware` leaves in a handler; none of it knows whose it is.
PARTS = ("_view_middleware", "_template_response_middleware", "_exception_middleware", "_middleware_chain")

_load = ClientHandler.load_middleware
_made: dict[str, Any] = {}


def load(handler: ClientHandler, is_async: bool = False) -> None:
    """What Django does before the first request of a client, which isn't asynchronous here."""
    assert not is_async
    if not _made:
        _load(handler)
        _made.update({part: getattr(handler, part) for part in PARTS})
    for part, made in _made.items():
        setattr(handler, part, made)


def _forget(**changed: Any) -> None:
    _made.clear()


@contextmanager
def anew() -> Iterator[None]:
    """A chain of this block's own, for whoever puts something else into the middleware's classes."""
    _made.clear()
    yield
    _made.clear()


def install() -> None:
    """From now on there is one chain."""
    ClientHandler.load_middleware = load  # type: ignore[method-assign]
    setting_changed.connect(_forget, dispatch_uid="one chain")
