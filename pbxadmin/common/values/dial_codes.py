"""What people dial on their own phone and the PBX answers itself: star codes, and the access code of the PIN protection."""

import re

from pbxadmin.common.values.statuses import Status

VOICEMAIL = "*97"
# With the extension of whoever is being called, or alone for anybody of one's own group.
PICKUP = "*20*"
AGENT_LOGIN = "*62"
AGENT_LOGOUT = "*63"
STATUSES: dict[str, Status] = {status.dial_code: status for status in Status}

_ALONE = frozenset({VOICEMAIL, AGENT_LOGIN, AGENT_LOGOUT, *STATUSES})
_PICKUP = re.compile(re.escape(PICKUP) + "[0-9]{0,5}")


def is_dial_code(dialled: str) -> bool:
    """Whether the PBX answers what was dialled itself; a star code that isn't listed here goes nowhere."""
    return dialled in _ALONE or _PICKUP.fullmatch(dialled) is not None


def pin_code(digits: int) -> str:
    """What a PIN-protected person dials before an outside call: 777 where extensions have three digits, 7777 with four."""
    return "7" * digits
