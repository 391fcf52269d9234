"""The row of a mailbox as Asterisk reads it. Without the PIN, which is checked by the portal alone, and without an address: the portal writes the mails."""

from typing import Any

from asterisk.asked.lines import prompts
from asterisk.asked.rows import Value
from asterisk.mailboxes.names import Box, person_of
from asterisk.models import Node
from asterisk.nodes import serves
from pbxadmin.common.prepared import Prepared
from users.models import User
from voicemail.models import Mailbox

_of_box = Prepared(
    lambda number, person: (
        User.objects.filter(number=number, customer__in=User.objects.filter(pk=person).values("customer"))
        .select_related("customer", "primary_department", "mailbox")
        .defer("password", "search_text", "desk_columns", "list_columns", "mailbox__pin", "sip_password")
        .order_by()
    )
)


def row(number: str, context: str, node: Node) -> dict[str, Value] | None:
    """The mailbox of an extension, as the person of `context` knows it ("102" in "u17"): their own, or a colleague's to whom they
    forward a message. None where there is none, or it is switched off."""
    whose = person_of(context)
    if whose is None or not number.isdecimal() or len(number) > 5:
        return None
    person: Any = next(_of_box.records(number, whose), None)
    if (
        person is None
        or not serves(node, person.customer_id)
        or not person.mailbox.enabled
        or not person.is_active
    ):
        return None
    box: Mailbox = person.mailbox
    spoken = box.language or person.primary_department.language
    return {
        "uniqueid": person.pk,
        "customer_id": person.customer_id,
        "context": Box(number, person.pk).context,
        "mailbox": number,
        # Nobody signs in with it, and the menu of the mailbox changes no password that begins so: the portal does.
        "password": "-",
        "fullname": person.full_name,
        "email": "",
        "attach": False,
        "delete": False,
        "language": prompts(spoken),
        "saycid": box.play_caller_id,
        "envelope": box.play_date_time != Mailbox.DateTime.NO,
        "tz": zone(person.primary_department.time_zone, box.play_date_time),
    }


def zone(name: str, clock: str) -> str:
    """By which name the configuration of a node knows a time zone, and how it says the time there."""
    return f"{name.replace('/', '-')}-{'12' if clock == Mailbox.DateTime.H12 else '24'}"
