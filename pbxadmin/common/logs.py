"""Log lines that stay one line each, whatever a stranger put into a name or an address, and that tell no phone's secret."""

import logging
import re

from pbxadmin.common.away import in_a_line, is_away

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
# The secret part of a phone's address, wherever a path is logged (Django does it for every refused request).
PHONE_ADDRESS = re.compile(r"(/p/)[^/\s?\"']+")


class OneLineFilter(logging.Filter):
    """Writes control characters as escapes (no forged lines, no terminal sequences), and dots for the token of a phone."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Always keeps the record."""
        if record.args:
            record.msg, record.args = record.getMessage(), None
        if record.exc_info and is_away(record.exc_info[1]):
            # No mistake to look for, and thousands may meet it: no trace.
            record.msg = f"{record.msg}: the database is away ({in_a_line(record.exc_info[1])})"
            record.exc_info = record.exc_text = None
        record.msg = CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", str(record.msg))
        record.msg = PHONE_ADDRESS.sub(r"\1…", record.msg)
        return True
