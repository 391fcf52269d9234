"""What a key that dials a number is told about: numbers that cost, and one's own."""

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from pbxadmin.common.fields import phone_number_national
from pbxadmin.common.values.short_codes import emergency_number
from pbxadmin.common.values.tolls import numbers_in, toll_of
from phones.models import Key
from users import road
from users.models import Did


def _dials_anew(row: road.RowPlan) -> Iterator[Any]:
    """Each key that dials something else than any key did before."""
    if "keys" not in row.changes:
        return
    before, after = row.changes["keys"]
    known = {tuple(key)[1:] for key in before or ()}
    for key in after:
        if key.kind == Key.Kind.CUSTOM_SPEED_DIAL and tuple(key)[1:] not in known:
            yield key


def _dialled_anew(row: road.RowPlan) -> Iterator[tuple[Any, str, bool]]:
    """The same with each outside number in E.164, and whether it stands there plainly."""
    for key in _dials_anew(row):
        for number, plainly in numbers_in(key.value).items():
            yield key, number, plainly


def emergency_numbers_are_dialled_at_once(row: road.RowPlan, plan: road.Plan) -> None:
    """911 with a pause beside it: what the phone dials before the pause is a call of its own, and the rest are tones in it."""
    for key in _dials_anew(row):
        if "," in key.value and emergency_number(key.value):
            row.warn(
                "keys",
                _(
                    "Key %(position)s dials %(number)s: with a pause, the call may not reach 911. Enter 911 by itself."
                )
                % {"position": key.position, "number": key.value},
            )


def dear_numbers_are_told(row: road.RowPlan, plan: road.Plan) -> None:
    """A key that dials what somebody earns on, or abroad where that isn't open, is possible (outside calls have rules of their own)
    and told: it is a classic of toll fraud. One that hides behind pauses or codes is refused: whoever looks at what the phone dials
    first, the phone system and its reports among them, doesn't see it."""
    for key, number, plainly in _dialled_anew(row):
        if not toll_of(number, plan.scope.customer.open_countries):
            continue
        if not plainly:
            row.refuse(
                "keys",
                _(
                    "Key %(position)s hides %(number)s, which is expensive or abroad, behind pauses or codes: enter the number by itself."
                )
                % {"position": key.position, "number": phone_number_national(number)},
            )
        else:
            row.warn(
                "keys",
                _("Key %(position)s dials %(number)s, which is expensive or abroad. Is that intended?")
                % {"position": key.position, "number": key.value},
            )


def own_numbers_are_told(plan: road.Plan) -> None:
    """A key that dials the number of the very person whose key it is would call them back; a colleague's stays in the company."""
    found = [(row, key, number) for row in plan.rows for key, number, _plainly in _dialled_anew(row)]
    if not found:
        return
    own = {
        did.number: did
        for did in Did.objects.of(plan.scope.customer)
        .filter(number__in={number for _row, _key, number in found})
        .select_related("user")
        .only("number", "user__number")
    }
    for row, key, number in found:
        did = own.get(number)
        mine = did is not None and (
            did.user_id == row.key if did.user_id else did.pk in (row.after.get("dids") or ())
        )
        if mine:
            row.warn(
                "keys",
                _("Key %(position)s dials %(number)s, which rings this same user.")
                % {"position": key.position, "number": phone_number_national(number)},
            )
