"""Worker processes of the link, and workers in the test's own process, for tests."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connections

from asterisk.link import database
from asterisk.link.worker import Worker
from asterisk.models import Node


def a_node(port: int, name: str = "montreal", password: str = "geheim") -> Node:
    return Node.objects.create(
        name=name, token_hash=name.ljust(64, "0"), host="127.0.0.1", ami_port=port, node_password=password
    )


@contextmanager
def working() -> Iterator[Worker]:
    """A worker in a thread of its own; ended, and its lease given back, at the end."""
    worker = Worker()
    started = threading.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    async def serve() -> None:
        loops.append(asyncio.get_running_loop())
        started.set()
        await worker.run()

    def run() -> None:
        asyncio.run(serve())

    thread = threading.Thread(target=run)
    thread.start()
    started.wait()
    try:
        yield worker
    finally:
        loops[0].call_soon_threadsafe(worker.stop)
        thread.join(5)
        assert not thread.is_alive()
        close_connections()


def close_connections() -> None:
    """Those of the threads by which workers of this process write."""
    together = threading.Barrier(database.THREADS)

    def close() -> None:
        together.wait(5)
        connections.close_all()

    for each in [database._threads.submit(close) for _ in range(database.THREADS)]:
        each.result()
