"""The worker: holds nodes by leases, has one link for each, and carries errands to them."""

import asyncio
import logging
import os
import secrets
import signal
import socket
from contextlib import suppress

from asterisk.link import database, errands, leases
from asterisk.link.connection import NodeLink
from asterisk.link.leases import Held

logger = logging.getLogger("pbxadmin.link")


def own_name() -> str:
    """Who we are, unlike everybody else: also a worker that was killed and began again on the same machine."""
    return f"{socket.gethostname()[:50]}/{os.getpid()}/{secrets.token_hex(4)}"


class Worker:
    """One process for any number of nodes: `run` until `stop`."""

    def __init__(self) -> None:
        """Nothing is held yet."""
        self.name = own_name()
        self.links: dict[int, NodeLink] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._ending = asyncio.Event()

    def stop(self) -> None:
        """Have `run` end."""
        self._ending.set()

    async def run(self) -> None:
        """Hold nodes until `stop`, then leave them to others; two seconds at most."""
        logger.info("the link is ready.")
        parts = [asyncio.create_task(self._hold()), asyncio.create_task(self._carry())]
        ending = asyncio.create_task(self._ending.wait())
        try:
            await asyncio.wait([*parts, ending], return_when=asyncio.FIRST_COMPLETED)
            for part in parts:
                if part.done():
                    part.result()  # what should never happen: the process ends, and is started again
        finally:
            for task in (*parts, ending, *self._tasks.values()):
                task.cancel()
            with suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await asyncio.gather(*parts, *self._tasks.values(), return_exceptions=True)
            with suppress(TimeoutError, database.AwayError):
                async with asyncio.timeout(0.7):
                    await database.ask(leases.give_back, self.name)

    async def _hold(self) -> None:
        while True:
            try:
                heard = [key for key, link in self.links.items() if link.alive]
                self._follow(dict(await database.ask(leases.renew, self.name, heard)))
            except database.AwayError as error:
                # The links stand: whoever else would take the nodes can't reach the database either, or says so when it is back.
                logger.warning("the database is away: %s", error)
            await asyncio.sleep(leases.RENEWED)

    def _follow(self, held: dict[int, Held]) -> None:
        """Links to the nodes that are ours, as they are now."""
        for key, link in list(self.links.items()):
            if held.get(key) != link.held or self._tasks[key].done():
                self._tasks.pop(key).cancel()
                del self.links[key]
        for key in held.keys() - self.links.keys():
            self.links[key] = NodeLink(held[key], self.name)
            self._tasks[key] = asyncio.create_task(self.links[key].run())

    async def _carry(self) -> None:
        while True:
            free = [key for key, link in self.links.items() if link.takes_errands]
            if free:
                try:
                    for key, todo in (await database.ask(errands.waiting, free)).items():
                        if (link := self.links.get(key)) is not None and link.takes_errands:
                            link.give(todo)
                except database.AwayError:
                    await asyncio.sleep(1.0)
            await asyncio.sleep(errands.POLLED)


async def serve() -> None:
    """Run a worker until SIGTERM or Ctrl-C."""
    worker = Worker()
    loop = asyncio.get_running_loop()
    for signals in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signals, worker.stop)
    await worker.run()
