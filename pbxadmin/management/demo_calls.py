"""Calls of the demo: as they would have been planned, and as a node would have told their end. None is of the last hour, so that no mail goes out."""

from datetime import timedelta

from django.utils import timezone

from asterisk.calls import ended, planned
from asterisk.calls.ended import Ended
from asterisk.calls.planned import Noted, unique
from forwarding.asking import plan_call
from forwarding.calls import FromExtension, FromOutside
from users.models import Customer

NODE = "demo"
# Minutes ago, from (an extension, a number, "" for a withheld one), to, how what rang ended, who answered, seconds spoken.
CALLS = [
    (95, "101", "104", ["no_answer"], "", 0),
    (130, "+14185550133", "102", ["given_up"], "", 0),
    (150, "+14505550177", "101", ["answered"], "101", 184),
    (200, "103", "101", ["answered"], "101", 47),
    (260, "104", "103", ["no_answer"], "", 0),
    (310, "101", "5145550188", ["answered"], "", 312),
    (1_450, "", "104", ["no_answer"], "", 0),
    (1_530, "102", "104", ["declined"], "", 0),
    (1_610, "104", "4185550122", ["no_answer"], "", 0),
    (2_900, "+14185550133", "101", ["no_answer"], "", 0),
    (3_010, "107", "101", ["busy"], "", 0),
    (4_400, "104", "19005550100", [], "", 0),
]


def load(customer: Customer) -> None:
    """Make them."""
    now = timezone.now()
    notes, ends = [], {}
    for minutes, origin, to, taken, answered_by, seconds in CALLS:
        at, call = now - timedelta(minutes=minutes), f"demo-{minutes}"
        who = FromExtension(origin) if origin.isdecimal() else FromOutside(origin)
        notes.append(Noted(NODE, call, customer.pk, at, who, to, plan_call(customer, who, to, at)))
        key = unique(NODE, call)
        ends[key] = Ended(
            key, customer.pk, origin if origin.isdecimal() else "", origin if origin.startswith("+") else "", to, taken, [],
            answered_by, seconds, at + timedelta(seconds=seconds + 20),
        )  # fmt: skip
    planned.write(notes)
    ended.write(ends)
