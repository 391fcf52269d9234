"""The row of a mailbox as Asterisk reads it. Without the PIN, which is checked by the portal alone, and without an address: the portal writes the mails."""

from typing import Any

from asterisk.asked.lines import prompts
from asterisk.asked.rows import Value
from asterisk.models import Node
from asterisk.nodes import serves
from pbxadmin.common.prepared import Prepared
from users.models import User
from voicemail.models import Mailbox

_of_box = Prepared(
    lambda number, slug: (
        User.objects.filter(number=number, customer__slug=slug)
        .select_related("customer", "primary_department", "mailbox")
        .defer("password", "search_text", "desk_columns", "list_columns", "mailbox__pin", "sip_password")
        .order_by()
    )
)


def row(number: str, slug: str, node: Node) -> dict[str, Value] | None:
    """The mailbox of an extension ("102" in "boreale"); None where there is none, or it is switched off."""
    if not number.isdecimal() or len(number) > 5:
        return None
    person: Any = next(_of_box.records(number, slug), None)
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
        "context": slug,
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
