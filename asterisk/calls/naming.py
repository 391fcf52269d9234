"""What the numbers of calls are called: extensions by their names, numbers as people write them."""

from collections.abc import Iterable, Sequence

from django.utils.translation import gettext as _

from asterisk.models import CallRecord
from pbxadmin.common.fields import phone_number_said
from users.models import SystemExtension, User

Names = dict[str, str]


def names_of(calls: Sequence[CallRecord], customer: int, others: Iterable[str] = ()) -> Names:
    """What the extensions of these calls, and `others`, are called now: two queries."""
    numbers = {number for call in calls for number in (call.from_extension, call.dialled, call.answered_by)}
    numbers = {number for number in numbers.union(others) if number.isdecimal() and len(number) <= 5}
    people = User.objects.filter(customer=customer, number__in=numbers).only(
        "number", "first_name", "last_name"
    )
    found = dict(
        SystemExtension.objects.filter(customer=customer, number__in=numbers).values_list("number", "name")
    )
    return found | {person.number: person.full_name for person in people}


def caller_of(call: CallRecord) -> str:
    """Who called: an extension, a number in E.164, or "" for a withheld one."""
    return call.from_extension or call.from_number


def said(number: str, named: Names) -> str:
    """An extension by its name, a number as people write it."""
    if not number:
        return _("Withheld number")
    return named.get(number) or phone_number_said(number)
