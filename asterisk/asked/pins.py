"""PINs that are typed on a phone: the one that opens outside calls, and the one of the mailbox. They are compared here and leave the portal never."""

import hmac
from dataclasses import replace

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from asterisk.asked.door import for_nodes, text
from asterisk.asked.lines import person_of
from asterisk.asked.rows import asked
from asterisk.models import Node, PinEntry
from forwarding.calls import Caller
from pbxadmin.common.crypto import Reader, plain
from pbxadmin.common.prepared import Prepared
from pbxadmin.common.throttle import Limit
from users.models import User
from voicemail.models import Mailbox

# Wrong PINs of one line: a call asks three times.
WRONG = Limit("phone_pin", tries=12, window=900)

_entered = Prepared(lambda person: PinEntry.objects.filter(user=person).order_by().values_list("at"))


def with_pin(caller: Caller, person: User) -> Caller:
    """The caller with the time at which they entered their PIN last; a query only where that matters."""
    if not caller.pin_protected:
        return caller
    rows = _entered(person.pk)
    return replace(caller, pin_entered_at=rows[0][0] if rows else None)


@for_nodes("POST")
def check(request: HttpRequest, node: Node) -> HttpResponse:
    """Whether the PIN in the body is right: "1" or "0". `line`: whose phone; `for`: "outside" opens outside calls for their time."""
    said = asked(request.body)
    person = person_of(said.get("line", ""), node)
    # Counted before it is looked at: of many calls at once none guesses beyond the limit.
    if person is None or not WRONG.take(f"{person.pk}") or not is_right(person, said.get("pin", "")):
        return text("0")
    WRONG.give_back(f"{person.pk}")
    if said.get("for") == "outside":
        PinEntry.objects.update_or_create(user=person, defaults={"at": timezone.now()})
    return text("1")


def is_right(person: User, typed: str) -> bool:
    """Whether this is the PIN of their mailbox; the same work whatever was typed."""
    box = Mailbox.objects.filter(user=person).only("pin", "user").first()
    known = plain(box, Mailbox.pin, Reader.CHECK) if box else ""
    return hmac.compare_digest(known.encode(), typed[:20].encode()) and bool(known)
