"""What is known of a call once it has ended and both its plan and its end are written: its outcome, whom it concerned, and who missed it.

The plan may be written after the end (`planned` gathers for a second), or never: whoever of the two comes second, under the lock of the row,
settles the call, and settling it twice changes nothing.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from asterisk.calls import missed, taken
from asterisk.calls.ways import Way, way_of
from asterisk.models import CallParty, CallRecord
from users.models import User

RANG_ALONE = [[taken.ALONE, how] for how in taken.RANG_ON]


@dataclass(frozen=True, slots=True)
class Concerned:
    """Whom one call concerns, by extension; `caller` is one of them, or nobody of the company ("")."""

    call: int
    customer: int
    at: datetime
    extensions: Sequence[str]
    caller: str = ""


def settle(records: Sequence[CallRecord]) -> None:
    """Write what calls that have ended mean: five statements for any number of them, and letters. In the caller's transaction, which holds
    their rows."""
    if not records:
        return
    ways = {record.pk: way_of(record) for record in records}
    for record in records:
        way = ways[record.pk]
        record.outcome = taken.ending(record.taken, way.steps, way.dialled)
    CallRecord.objects.bulk_update(records, ["outcome"])
    involve([_concerned(record, ways[record.pk]) for record in records])
    parties = _parties(records)
    mobiles: dict[int, dict[str, str]] = defaultdict(dict)
    for party in parties:
        mobiles[party.call_id][party.user.number] = party.user.mobile
    missing = {
        (record.pk, extension)
        for record in records
        for extension in _missed(record, ways[record.pk], mobiles[record.pk])
    }
    missed.note([party for party in parties if (party.call_id, party.user.number) in missing])


def _concerned(record: CallRecord, way: Way) -> Concerned:
    found = taken.concerned(way.steps, record.rang)
    # Without a plan whoever was dialled, where that is somebody.
    found = [record.from_extension, *(found or [record.dialled]), record.answered_by]
    extensions = [each for each in found if each]
    return Concerned(record.pk, record.customer_id, record.at, extensions, record.from_extension)


def _missed(record: CallRecord, way: Way, mobiles: Mapping[str, str]) -> list[str]:
    if not record.planned:
        # Without the portal a node rings whoever was dialled, and nobody else.
        return [record.dialled] if record.taken in RANG_ALONE else []
    return [each for each in taken.missed(way.steps, record.rang, mobiles) if each != record.from_extension]


def _parties(records: Sequence[CallRecord]) -> list[CallParty]:
    return list(
        CallParty.objects.filter(call__in=[record.pk for record in records])
        .select_related("user__primary_department", "call")
        .defer("user__password", "user__sip_password", "user__search_text", "call__planned")
        .order_by("pk")
    )


def involve(concerned: Iterable[Concerned]) -> None:
    """Note whom calls concern. Two statements; who is noted already stays as they are."""
    concerned = list(concerned)
    numbers = {number for each in concerned for number in each.extensions}
    customers = {each.customer for each in concerned}
    people = {
        (customer, number): key
        for key, customer, number in User.objects.filter(customer__in=customers, number__in=numbers)
        .order_by()
        .values_list("pk", "customer", "number")
    }
    rows = [
        CallParty(
            user_id=people[each.customer, number],
            call_id=each.call,
            at=each.at,
            calling=number == each.caller,
        )
        for each in concerned
        for number in dict.fromkeys(each.extensions)
        if (each.customer, number) in people
    ]
    CallParty.objects.bulk_create(rows, ignore_conflicts=True)
