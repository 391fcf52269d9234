"""Who uses a phone: from the customer's stock to a person, from one person to another, and back to the stock."""

from collections.abc import Sequence
from dataclasses import replace

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from pbxadmin.common.columns import Scope
from phones.settings.columns import mac_address
from phones.settings.sections import phone_sheet
from users import rights, road


def rows_from_stock(scope: Scope, rows: Sequence[road.Row]) -> list[road.Row]:
    """Rows of new phones for somebody, as rows of those phones that this customer has in stock, where the MAC is one of theirs.

    Such a phone is taken over as it is, with its address and its secrets; any setting may come with it. The other rows stay rows
    of new phones.
    """
    meant: dict[int, str] = {}
    for place, row in enumerate(rows):
        if row.key is None and row.values.get("user") not in (None, ""):
            try:
                meant[place] = mac_address(str(row.values.get("mac") or ""))
            except ValidationError:
                continue
    found = road.find(phone_sheet(), scope, meant.values())
    taken = {
        place: phone for place, mac in meant.items() if (phone := found.get(mac)) and phone.user_id is None
    }
    return [
        replace(row, key=taken[place].pk, label=taken[place].mac_with_colons) if place in taken else row
        for place, row in enumerate(rows)
    ]


def say_who_gives_from_stock(plan: road.Plan) -> None:
    """To whoever may not touch the stock the plan says who can, where rows would take a phone from it."""
    if not rights.why_not(plan.scope.actor, rights.Verb.CUSTOMER, None, plan.scope.customer):
        return
    for row in plan.rows:
        if not row.new and row.record is not None and row.record.user_id is None and "mac" in row.raw:
            row.refusal = ""
            row.refuse(
                "mac",
                _(
                    "This phone is in your company's stock: an administrator of the whole company can assign it to somebody."
                ),
            )
