"""The plan of a call: one question, one answer, and nothing written on its way.

GET /n/call/<host name>/<extension>/<dialled>/<call>     somebody calls on their phone
GET /n/in/<trunk>/<caller's number or ->/<DID>/<call>     a call comes in through a SIP trunk
GET /n/sip/<host name>/<SIP ID>/<call>                    a call from the Internet to a SIP ID

`call` is the node's own number of it. An empty answer is no plan: the node then does what it can do alone. So whoever isn't known has a plan
too, which refuses: a node may remember for a moment somebody who was deleted, and no call of theirs is to pass as if nobody could be asked.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from asterisk.asked import plan, standing
from asterisk.asked.door import for_nodes, text
from asterisk.asked.lines import prompts
from asterisk.asked.pins import with_pin
from asterisk.asked.standing import Standing
from asterisk.calls import planned
from asterisk.models import Node
from asterisk.nodes import serves
from asterisk.trunks.line import TrunkLine
from forwarding.asking import PlannedCall, plans_of_members
from forwarding.calls import Call, FromExtension, FromOutside
from forwarding.decisions import Dialled, Ring, System, Verdict
from forwarding.routing import arrive, dial

WITHHELD = "-"
# Bytes that a variable of the dialplan holds, with room to spare: a longer plan is asked for once more, as a file with a step a line.
LONGEST_VARIABLE = 3_900


@for_nodes("GET")
def from_phone(
    request: HttpRequest, node: Node, fqdn: str, extension: str, dialled: str, call: str
) -> HttpResponse:
    """Somebody calls on their phone. The node has checked that it is theirs."""
    there, elsewhere = standing.of_host(fqdn.lower(), node.pk)
    caller = there.caller(extension, dialled) if there else None
    if there is None or caller is None or not serves(node, there.customer.pk):
        return text(plan.refused())
    person, who = caller
    asking = Asking(
        request, node, call, there, Call(FromExtension(extension), timezone.now()), dialled, elsewhere
    )
    decided = dial(dialled, with_pin(who, person), asking.call.at, there)
    if decided.verdict is Verdict.INTERNAL:
        return asking.planned(decided.number, decided, who.caller_id or who.department_caller_id, extension)
    return asking.answer(PlannedCall(decided), plan.of_dialled(decided, asking.around(decided.caller_id)))


@for_nodes("GET")
def from_trunk(
    request: HttpRequest, node: Node, trunk: int, number: str, did: str, call: str
) -> HttpResponse:
    """A call comes in. A customer's own trunk brings calls to that customer alone."""
    line, wanted, there, elsewhere = standing.through(trunk, did, node.pk)
    if (
        line is None
        or there is None
        or line.customer not in (None, there.customer.pk)
        or not serves(node, there.customer.pk)
    ):
        return text(plan.nobody())
    # What isn't written like a number of the public network is nobody's: no stranger calls with the extension of a colleague.
    origin = FromOutside("" if number == WITHHELD else line.read(number), wanted)
    asking = Asking(request, node, call, there, Call(origin, timezone.now()), wanted, elsewhere, line)
    return asking.planned(wanted, None, origin.number, origin.number)


@for_nodes("GET")
def from_internet(request: HttpRequest, node: Node, fqdn: str, sip_id: str, call: str) -> HttpResponse:
    """A call from the Internet: it reaches SIP IDs, and nothing else of the company."""
    there, elsewhere = standing.of_host(fqdn.lower(), node.pk)
    extension = there.with_sip_id(sip_id) if there else ""
    if there is None or not extension or not serves(node, there.customer.pk):
        return text(plan.nobody())
    asking = Asking(request, node, call, there, Call(FromOutside(), timezone.now()), sip_id, elsewhere)
    return asking.planned(extension, None, "", "")


@dataclass(frozen=True)
class Asking:
    """One question: who asks, and about which call."""

    request: HttpRequest
    node: Node
    number: str  # the node's own of the call
    there: Standing
    call: Call
    dialled: str
    elsewhere: int  # channels of the contract that are in use at other nodes
    line: TrunkLine | None = None  # through which it came in

    def planned(self, number: str, decided: Dialled | None, shown: str, announced: str) -> HttpResponse:
        """A call that comes to a number of the company."""
        made = arrive(self.call, number, self.there)
        return self.answer(PlannedCall(decided, made), plan.of_plan(made, self.around(shown, announced)))

    def around(self, shown: str, announced: str = "") -> plan.Around:
        """What a plan takes from the tables beside the decision."""
        there, customer = self.there, self.there.customer
        left = max(0, customer.sip_trunk_channels - self.elsewhere)
        return plan.Around(
            customer.fqdn.lower(), customer.slug, prompts(customer.language), there.ways, left, there.mailbox,
            self.members, self.deflected, there.diverting, self.messages, shown, announced,
        )  # fmt: skip

    def members(self, group: System) -> Iterator[str]:
        """Who of a group, queue or digital receptionist is rung."""
        plans = plans_of_members(self.call, group.extension, self.there, queue=group.kind == "queue")
        last = (each.steps()[-1] for _person, each in plans)
        return (plan.member(step) for step in last if isinstance(step, Ring))

    def messages(self) -> tuple[str, bool]:
        """The mailbox of the colleague who calls, "" for none; whether it asks for a PIN."""
        origin = self.call.origin
        return self.there.messages(origin.extension) if isinstance(origin, FromExtension) else ("", False)

    def deflected(self, number: str) -> str:
        """A number as the trunk that brought the call dials it; "" where none did."""
        return self.line.dialled(number) if self.line else ""

    def answer(self, made: PlannedCall, answer: str) -> HttpResponse:
        """The plan; it is noted for "Latest calls", and written a moment later."""
        long = len(answer) > LONGEST_VARIABLE
        if long and not self.request.path_info.startswith("/n/long/"):
            return text("long")
        call, customer = self.call, self.there.customer.pk
        planned.gathered.note(
            planned.Noted(self.node.name, self.number, customer, call.at, call.origin, self.dialled, made)
        )
        return text(answer.replace("|", "\n") if long else answer)
