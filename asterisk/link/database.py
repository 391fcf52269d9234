"""The tables, from asyncio: a function of the ORM in a thread, and patience while the database is away."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.db import close_old_connections, connection
from django.db.utils import Error as DatabaseError

from pbxadmin.common.away import in_a_line, is_away

logger = logging.getLogger("pbxadmin.link")

Wanted = ParamSpec("Wanted")
Result = TypeVar("Result")

# Few connections to the database: what nodes tell is written by batches.
THREADS = 3
_threads = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="link database")


class AwayError(Exception):
    """The database can't be reached: nothing was written, and it is worth trying again."""


async def ask(do: Callable[Wanted, Result], *args: Wanted.args, **named: Wanted.kwargs) -> Result:
    """What `do` returns, done in a thread. Raises `AwayError` where the database is away."""

    def run() -> Result:
        close_old_connections()
        try:
            return do(*args, **named)
        except DatabaseError as error:
            if not is_away(error):
                raise
            connection.close()
            raise AwayError(in_a_line(error)) from error

    return await asyncio.get_running_loop().run_in_executor(_threads, run)


async def insist(do: Callable[Wanted, Result], *args: Wanted.args, **named: Wanted.kwargs) -> Result:
    """The same, tried until the database is back."""
    while True:
        try:
            return await ask(do, *args, **named)
        except AwayError as error:
            logger.warning("the database is away: %s", error)
            await asyncio.sleep(1.0)
