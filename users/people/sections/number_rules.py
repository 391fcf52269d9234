"""The rules about a person's numbers: those that ring them, and those that they show."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from pbxadmin.common.columns import Pending
from pbxadmin.common.fields import phone_number_national
from pbxadmin.common.values.tolls import Toll, toll_of
from users import rights, road
from users.models import Department, Did

# In a scope: the keys of numbers that leave where they lead in the same transaction, by a plan that is written before.
LEAVING = "numbers that leave where they lead"


def _added(row: road.RowPlan) -> set[Any]:
    """The numbers that a row takes, those that come with the same transaction apart: they are nobody's yet."""
    before, after = row.changes["dids"]
    return {key for key in set(after) - set(before or ()) if not isinstance(key, Pending)}


def dids_are_free(plan: road.Plan) -> None:
    """Refuse DID numbers that already ring somebody else, or lead to a system extension, naming it."""
    wanting = [row for row in plan.rows if "dids" in row.changes]
    if not wanting:
        return
    added = {row.key or id(row): _added(row) for row in wanting}
    leaving = plan.scope.found.get(LEAVING, ())
    keys = set().union(*added.values())
    if not keys:
        return
    moving = {
        key for row in wanting for key in set(row.changes["dids"][0] or ()) - set(row.changes["dids"][1])
    }
    twice = plan.twice(wanting, lambda row: added[row.key or id(row)])
    holders = {
        did.pk: did
        for did in Did.objects.of(plan.scope.customer)
        .filter(pk__in=keys)
        .select_related("user", "system_extension")
    }
    for row in wanting:
        for key in sorted(added[row.key or id(row)]):
            did = holders[key]
            number = phone_number_national(did.number)
            elsewhere = did.user_id and did.user_id != row.key and key not in moving
            if elsewhere or (did.system_extension_id and key not in leaving):
                row.refuse(
                    "dids",
                    _("%(number)s already rings %(user)s: remove it from that user first.")
                    % {"number": number, "user": did.answers},
                    "did_taken",
                )
            elif key in twice:
                row.refuse("dids", road.is_there_twice(number, twice[key]), "did_twice")


def free_dids_are_the_companys(plan: road.Plan) -> None:
    """A number that rings nobody belongs to the whole customer, its main number among them: who acts on some departments only
    takes none of those for their people. What one of their people gives up in the same plan goes on to another one."""
    scope = plan.scope
    wanting = [row for row in plan.rows if "dids" in row.changes]
    if not wanting or rights.can(scope.actor, rights.Verb.CUSTOMER, customer=scope.customer):
        return
    given_up = {
        key for row in wanting for key in set(row.changes["dids"][0] or ()) - set(row.changes["dids"][1])
    }
    taken = {id(row): _added(row) for row in wanting}
    free = set().union(*taken.values()) - given_up
    if not free:
        return
    numbers = dict(Did.objects.of(scope.customer).filter(pk__in=free, user=None).values_list("pk", "number"))
    for row in wanting:
        for key in sorted(taken[id(row)] & numbers.keys()):
            row.refuse(
                "dids",
                _(
                    "%(number)s rings none of your people: only an administrator of the whole company may give it to somebody."
                )
                % {"number": phone_number_national(numbers[key])},
                "not_yours",
            )


def no_caller_id(number: str) -> str:
    """Why nobody can be shown this number (E.164), in a sentence; "" where they can.

    Whoever calls back, rescuers among them, would pay for it or reach a satellite.
    """
    if toll_of(number) not in (Toll.PREMIUM, Toll.SATELLITE):
        return ""
    return _(
        "%(number)s is a premium-rate or special number, which can't be shown to whoever is called: enter one of the company's numbers."
    ) % {"number": phone_number_national(number)}


def caller_ids_are_the_customers(plan: road.Plan) -> None:
    """What callees see is a number of the customer: showing somebody else's is fraud, and lines are cut for it.

    Support staff, who know what the contract of a trunk allows, are told instead.
    """
    rows = [row for row in plan.rows if row.changes.get("outbound_caller_id", ("", ""))[1]]
    if not rows:
        return
    customer = plan.scope.customer
    wanted = {row.value("outbound_caller_id") for row in rows}
    numbers = Did.objects.of(customer).filter(number__in=wanted).order_by().values_list("number", flat=True)
    places = (
        Department.objects.of(customer)
        .filter(outbound_caller_id__in=wanted)
        .order_by()
        .values_list("outbound_caller_id", flat=True)
    )
    owned = set(numbers.union(places))
    for row in rows:
        number = row.value("outbound_caller_id")
        if number in owned:
            continue
        if why := no_caller_id(number):
            row.refuse("outbound_caller_id", why)
            continue
        told = (
            row.warn
            if rights.can(plan.scope.actor, rights.Verb.SUPPORT, customer=plan.scope.customer)
            else row.refuse
        )
        told(
            "outbound_caller_id",
            _("%(number)s is not one of the company's numbers: enter a DID number, or leave it blank.")
            % {"number": phone_number_national(number)},
            "not_the_companys",
        )
