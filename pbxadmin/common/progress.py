"""How far long work is, told from the middle of it to whoever asked: a page's progress, without the work knowing of any."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Listener = Callable[[str, float], None]
_listener: ContextVar[Listener | None] = ContextVar("progress", default=None)


@contextmanager
def told_to(listener: Listener) -> Iterator[None]:
    """Within the block, `listener` hears how far the work is; what it raises ends the work."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def at(phase: str, share: float = 0.0) -> None:
    """The work is in `phase`, `share` of it (0 to 1) done."""
    if listener := _listener.get():
        listener(phase, share)
