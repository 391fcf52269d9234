"""A worker of the web server that is told to end while it is still being imported."""

import multiprocessing
import signal

# As granian calls its workers.
WORKER = "granian-worker"


def end_when_asked() -> None:
    """From now on, SIGTERM ends this process, if it is such a worker; granian says otherwise once the worker serves.

    Until then a worker that was forked has the handler of its parent, which only tells the parent: whoever stopped the portal in that
    second waited until the worker was killed, ten seconds in production.
    """
    if multiprocessing.parent_process() and multiprocessing.current_process().name == WORKER:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
