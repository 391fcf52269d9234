"""What the line of a person (`asterisk.asked.lines`) is made of: whoever changes one of these makes a node's memory of it old.

Names of columns as their sheets have them. A test reads off the module which columns it uses, and that each of them is here.
"""

from collections.abc import Mapping

from django.db.models import Model

from phones.models import Phone
from users.models import Customer, Department, Did, User
from voicemail.models import Mailbox

LINE_COLUMNS: Mapping[type[Model], frozenset[str]] = {
    User: frozenset(
        {
            "number", "first_name", "last_name", "disabled", "primary_department", "srtp", "pbx_delivers_audio", "block_remote", "recording",
            "sip_auth_id", "sip_password",
        }
    ),
    Mailbox: frozenset({"voicemail.enabled"}),  # of its person's sheet
    Department: frozenset({"language", "outbound_caller_id"}),
    Customer: frozenset({"fqdn", "slug", "suspended", "edition"}),
    # Whose phone it is, too: the line has the order of codecs of its person's first phone.
    Phone: frozenset({"codecs", "user"}),
    # What emergency calls show where neither the department nor the customer's other departments have a number.
    Did: frozenset({"number"}),
}  # fmt: skip
# Whoever changes one of these takes the line from those who are registered on it: they know its secret no more, or it is another line.
SECRET_COLUMNS: Mapping[type[Model], frozenset[str]] = {
    User: frozenset({"number", "sip_auth_id", "sip_password"}),
    Customer: frozenset({"fqdn"}),
}
# Of a person's row, with what belongs to it one to one.
OF_PERSON = LINE_COLUMNS[User] | LINE_COLUMNS[Mailbox]
