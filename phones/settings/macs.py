"""A MAC is there once in the whole portal: who has it already, and to whom that is told."""

from collections.abc import Collection

from django.utils.translation import gettext as _

from pbxadmin.common.columns import Scope, Text
from phones.models import Phone
from users import rights, road


def macs_are_free(plan: road.Plan) -> None:
    """A MAC is there once in the whole portal. Whose it is, is told of those whose tabs the actor may see (support staff: of
    any customer); elsewhere nothing is."""
    new = [row for row in plan.rows if row.new and row.after.get("mac")]
    if not new:
        return
    twice = plan.twice(new, lambda row: [row.after["mac"]])
    taken = {
        mac
        for part in road.chunks(list({row.after["mac"] for row in new}))
        for mac in Phone.objects.filter(mac__in=part).values_list("mac", flat=True)
    }
    own = _phones_in_sight(plan.scope, taken)
    for row in new:
        if row.after["mac"] in twice:
            row.refuse(
                "mac",
                road.is_there_twice(Phone(mac=row.after["mac"]).mac_with_colons, twice[row.after["mac"]]),
                "mac_twice",
            )
        elif row.after["mac"] in taken:
            row.refuse("mac", _whose(plan.scope, own.get(row.after["mac"])), "mac_taken")


def _phones_in_sight(scope: Scope, macs: Collection[str]) -> dict[str, Phone]:
    """Which of these MACs are phones about which the actor may read: of whom they see the tabs, or in the stock; to support staff that
    is every customer's."""
    if not macs:
        return {}
    seen = Phone.objects.visible_to(scope.actor).select_related("user__role", "customer")
    found = [phone for part in road.chunks(sorted(macs)) for phone in seen.filter(mac__in=part)]
    rights.look_up_departments(scope.actor, [phone.user for phone in found if phone.user])
    stock = rights.can(scope.actor, rights.Verb.CUSTOMER, customer=scope.customer)
    return {
        phone.mac: phone
        for phone in found
        if (rights.can(scope.actor, rights.Verb.SEE, phone.user, phone.customer) if phone.user else stock)
    }


def _whose(scope: Scope, phone: Phone | None) -> Text:
    if phone is None:
        return _(
            "This MAC address is already registered. If the phone is yours, contact your provider's support."
        )
    if phone.customer_id != scope.customer.pk:
        return _(
            "This phone is %(customer)s's (%(where)s): delete it there first, or correct the address."
        ) % {"customer": phone.customer, "where": phone.user or _("in stock")}
    if phone.user is None:
        return _("This phone is already in your company's stock.")
    return _("This is the phone of %(user)s: move it from that user's page, or correct the address.") % {
        "user": phone.user
    }
