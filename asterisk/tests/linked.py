"""Worker processes of the link, and workers in the test's own process, for tests."""

import asyncio
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connection, connections

from asterisk.link import database
from asterisk.link.worker import Worker
from asterisk.models import Node
from asterisk.tests.manager import Manager, answer, listing
from asterisk.tests.nursery import Born
from phones.tests.processes import wait_until


def a_node(port: int, name: str = "montreal", password: str = "geheim") -> Node:
    return Node.objects.create(
        name=name, token_hash=name.ljust(64, "0"), host="127.0.0.1", ami_port=port, node_password=password
    )


def a_manager() -> Manager:
    """The manager interface of a node that has nothing to tell and does whatever it is told."""
    made = Manager()
    made.answers["PJSIPShowContacts"] = lambda asked: listing(asked, "ContactList")
    made.answers["CoreShowChannels"] = lambda asked: listing(asked, "CoreShowChannel")
    made.answers["DBGetTree"] = lambda asked: listing(asked, "DBGetTreeResponse")
    made.answers["CoreSettings"] = lambda asked: answer(asked, "AsteriskVersion: 22.10.1")
    made.answers["Command"] = lambda asked: answer(asked, "Output: Synchronizing AOR")
    return made


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


def stands(pid: int) -> bool:
    """Whether a process is stopped (proc(5): its state stands behind its name), or gone."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "TtZ"


def suspend(process: subprocess.Popen[bytes] | Born) -> None:
    """Stop a worker process where it holds no lock on any row: whoever asked for that row would wait for good."""

    def between_transactions() -> bool:
        process.send_signal(signal.SIGSTOP)
        wait_until(lambda: stands(process.pid), 10, "the worker stands still")
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
                " AND backend_type = 'client backend' AND state <> 'idle'"
            )
            if cursor.fetchone() == (0,):
                return True
        process.send_signal(signal.SIGCONT)
        return False

    wait_until(between_transactions, 10, "the worker is between two transactions")


def close_connections() -> None:
    """Those of the threads by which workers of this process write."""
    together = threading.Barrier(database.THREADS)

    def close() -> None:
        together.wait(5)
        connections.close_all()

    for each in [database._threads.submit(close) for _ in range(database.THREADS)]:
        each.result()
