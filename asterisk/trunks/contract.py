"""What a customer's contract says of calls with the outside: its own SIP trunks, calls that go on, and its numbers. Nothing is changed here."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.db.models import Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from asterisk.calls.words import GOES_ON
from asterisk.link import away
from asterisk.models import CallRecord, Trunk
from asterisk.trunks import states, ways
from asterisk.trunks.states import TONES, WORDS
from forwarding.decisions import Verdict
from pbxadmin.common.columns import Text
from pbxadmin.common.fields import phone_number_national
from users import rights
from users.company import picking
from users.company.views.numbers import NUMBERS
from users.models import Customer, Did, User
from users.rights import Verb

# So many numbers that lead to nobody are named; the others are counted.
NAMED = 8
WITH_THE_OUTSIDE = Q(from_extension="", dialled__startswith="+") | Q(
    planned__dialled__verdict=str(Verdict.OUTSIDE)
)


@dataclass(frozen=True)
class Line:
    """One SIP trunk; `tone` and `words` say how it is doing."""

    trunk: Trunk
    tone: str
    words: Text


def panel(reader: User, customer: Customer) -> SafeString:
    """The panel: eight queries for any number of trunks, calls and numbers."""
    now = timezone.now()
    lines = _lines(reader, customer, now)
    dids = Did.objects.visible_to(reader).of(customer)
    free = dids.filter(user=None, system_extension=None).order_by("number")
    numbers = reverse("did_list", args=[customer.slug])
    return render_to_string("asterisk/contract.html", {
        "customer": customer,
        "lines": lines,
        # Over what its calls go: its own, else those for all customers, else nothing.
        "own": any(line.trunk.enabled for line in lines),
        "way_out": bool(ways.of(customer)),
        "calls": in_progress(customer, now), "away": away.of(customer),
        "numbers": dids.count(), "free": free.count(), "named": [(phone_number_national(did.number), NUMBERS.url(customer, did)) for did in free[:NAMED]],
        "numbers_url": numbers, "free_url": f"{numbers}?free=1",
        "trunks_url": _changed_at(reader, customer),
    })  # fmt: skip


def in_progress(customer: Customer, now: datetime) -> int:
    """How many calls with the public network go on, as far as is known: one that was forwarded outside counts once, one to an emergency
    number, which asks nobody, not at all."""
    begun = CallRecord.objects.of(customer).filter(ended_at=None, at__gt=now - GOES_ON)
    return begun.filter(WITH_THE_OUTSIDE).count()


def _lines(reader: User, customer: Customer, now: datetime) -> Sequence[Line]:
    found = Trunk.objects.visible_to(reader).of(customer).defer("trunk_password")
    return [_line(trunk) for trunk in states.with_state(found, now)]


def _line(trunk: Trunk) -> Line:
    doing = states.state_of(trunk)
    return Line(trunk, TONES[doing], WORDS[doing])


def _changed_at(reader: User, customer: Customer) -> str:
    """Where whoever may changes them; "" for anybody else."""
    if "trunk" not in picking.LISTS or not rights.can(reader, Verb.SUPPORT, customer=customer):
        return ""
    return f"{picking.LISTS['trunk']()}?{urlencode({'customer': customer.slug})}"
