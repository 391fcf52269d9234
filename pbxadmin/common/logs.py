"""Log lines that stay one line each, that tell no secret, and that no stranger can make grow."""

import logging
import threading
import time
from collections import defaultdict

from pbxadmin.common.away import in_a_line, is_away
from pbxadmin.common.values.unsaid import UnsaidFilter, message_of

# Of what strangers send and is refused, so many lines of one kind are written in so many seconds; the next one says how many weren't.
LINES, SECONDS = 20, 60.0
# Loggers of servers that bring handlers of their own, and may be asked for a line for each request.
OF_SERVERS = ("granian.access", "_granian")


class OneLineFilter(UnsaidFilter):
    """What holds for every line of the portal's processes: `UnsaidFilter`, and no trace where the database is merely away."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Always keeps the record."""
        if record.exc_info and is_away(record.exc_info[1]):
            # No mistake to look for, and thousands may meet it: no trace.
            record.msg = f"{message_of(record)}: the database is away ({in_a_line(record.exc_info[1])})"
            record.args = record.exc_info = record.exc_text = None
        return super().filter(record)


class RefusalsFilter(logging.Filter):
    """What a stranger sent and was refused (a foreign host, a broken form, an address that there isn't): a line without a trace,
    a few in a minute.

    Django writes forty lines for a foreign host, and a flood of them would fill the disk. Failed sign-ins, which something else may
    read to shut an address out, aren't among them: their limits bound them. Those past the limits are.
    """

    def __init__(self, lines: int = LINES, seconds: float = SECONDS) -> None:
        super().__init__()
        self.lines, self.seconds = lines, seconds
        self._lock = threading.Lock()
        self._began: dict[str, float] = {}
        self._count: dict[str, int] = defaultdict(int)

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether there is room for one more of its kind."""
        if not self._is_refusal(record):
            return True
        if record.levelno > logging.WARNING:
            record.levelno, record.levelname = logging.WARNING, "WARNING"
        record.exc_info = record.exc_text = record.stack_info = None
        now = time.monotonic()
        with self._lock:
            began = self._began.get(record.name)
            left_out = 0
            if began is None or now - began >= self.seconds:
                left_out = max(0, self._count[record.name] - self.lines)
                self._began[record.name], self._count[record.name] = now, 0
            self._count[record.name] += 1
            kept = self._count[record.name] <= self.lines
        if left_out:
            record.msg, record.args = f"{message_of(record)} (and {left_out} more before)", None
        return kept

    @staticmethod
    def _is_refusal(record: logging.LogRecord) -> bool:
        if record.name == "django.request":
            return record.levelno < logging.ERROR
        return record.name.startswith("django.security.") or record.name == "signin.refused"


def hold_servers() -> None:
    """Hold the servers' own loggers to what holds for ours."""
    for name in OF_SERVERS:
        logger = logging.getLogger(name)
        if not any(isinstance(one, OneLineFilter) for one in logger.filters):
            logger.addFilter(OneLineFilter())
