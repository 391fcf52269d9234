"""Codes that people dial on their own phone to change something: their status (*30 to *34)."""

from django.http import HttpRequest, HttpResponse

from asterisk.asked.door import for_nodes, text
from asterisk.asked.lines import person_of
from asterisk.asked.rows import asked
from asterisk.models import Node
from forwarding import switching
from pbxadmin.common.values import dial_codes


@for_nodes("POST")
def dialled(request: HttpRequest, node: Node) -> HttpResponse:
    """What `line` dialled as `code` is done: "1", or "0" where it can't be."""
    said = asked(request.body)
    person, status = person_of(said.get("line", ""), node), dial_codes.STATUSES.get(said.get("code", ""))
    if person is None or status is None or not person.is_active:
        return text("0")
    return text("1" if switching.by_phone(person, status) else "0")
