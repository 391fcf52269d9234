"""What the tests of the phone system share."""

from asterisk.tests.engine import asterisk, engine, engine_portal, gate, portal
from asterisk.tests.fixed import fixed
from asterisk.tests.mailboxes import inbox, leave, link, prompts
from asterisk.tests.phones import phone_store, phones

__all__ = [
    "asterisk",
    "engine",
    "engine_portal",
    "fixed",
    "gate",
    "inbox",
    "leave",
    "link",
    "phone_store",
    "phones",
    "portal",
    "prompts",
]
