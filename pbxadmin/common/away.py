"""Whether it is the database or its disk that failed, and not the portal: it is away, it is full, it stands read-only."""

import errno
import sqlite3
from collections.abc import Iterator

from django.db import DatabaseError, InterfaceError, OperationalError

# PostgreSQL's classes of errors (appendix A): connection, resources (disk, connections), shut down by somebody, the system's files.
CLASSES = ("08", "53", "57P", "58")
DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})
CODES_OF_SQLITE = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
    }
)


def is_away(error: BaseException | None) -> bool:
    """Whether `error` comes of a database that can't be reached or written just now, or of a disk that can't; not of a statement
    that is wrong."""
    if isinstance(error, OSError):
        return error.errno in DISK
    return isinstance(error, DatabaseError | InterfaceError) and any(_says_so(one) for one in _chain(error))


def in_a_line(error: BaseException | None) -> str:
    """The first line of what the database's driver said, for the log."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _says_so(error: BaseException) -> bool:
    if isinstance(error, InterfaceError):
        return True  # the connection is closed already
    if (code := getattr(error, "sqlite_errorcode", None)) is not None:
        return code & 0xFF in CODES_OF_SQLITE
    if isinstance(error, OperationalError) or not hasattr(error, "pgcode"):
        return False  # Django's own, around the driver's
    if error.pgcode is None:
        # No server said anything. psycopg raises its base class where a killed server's connection
        # ends in the middle of an answer.
        return type(error).__name__ in ("OperationalError", "DatabaseError")
    return str(error.pgcode).startswith(CLASSES)
