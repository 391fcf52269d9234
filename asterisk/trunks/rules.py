"""What a SIP trunk must be, judged one by one and among all of them: a call that comes in must be exactly one trunk's."""

from collections.abc import Sequence
from ipaddress import ip_network
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from asterisk.models import Node, Trunk
from asterisk.places import why_unreachable
from asterisk.trunks import addresses
from pbxadmin.common.columns import Scope
from pbxadmin.common.reasons import Reason
from pbxadmin.common.values import network
from pbxadmin.common.values.signs import folded
from users import road
from users.models import Customer

# So many customers are named in a sentence.
NAMED = 5
# That somebody can then call nobody outside, 911 included: the code of that warning, which is asked about before anything is saved.
NO_WAY_OUT = "no_way_out"


# --- One trunk ----------------------------------------------------------------------------------------------------------
def host_is_the_other_side(row: road.RowPlan, plan: road.Plan) -> None:
    """A trunk leads to somebody else's machine: not to ours, nor to an address that nobody has."""
    if not {"host", "port"} & row.changes.keys() or "host" in row.errors:
        return
    plan.need("host", "port")
    place, port = row.value("host"), row.value("port")
    if why_unreachable(place) and not _is_added(place):
        row.refuse("host", _("No machine can be reached at this address: enter that of the other side of the SIP trunk."), "host")  # fmt: skip
    elif place in _ours(plan.scope) or (
        port in (settings.SIP_PORT, settings.SIP_TLS_PORT) and place in _nodes(plan.scope)
    ):
        row.refuse("host", _("This is the phone system itself: enter the address of the other side of the SIP trunk."), "host")  # fmt: skip


def _is_added(place: str) -> bool:
    """Whether the installation lets devices be there (a development machine: itself)."""
    address = network.read(place)
    if isinstance(address, network.Why) or network.refusal(address) is not network.Why.OURSELVES:
        return False
    return any(address in ip_network(each) for each in settings.NOTIFY_EXTRA_NETWORKS)


def _ours(scope: Scope) -> set[str]:
    return scope.once(
        "our SIP servers",
        lambda: {settings.SIP_SERVER.lower(), *Customer.objects.values_list("fqdn", flat=True)},
    )


def _nodes(scope: Scope) -> set[str]:
    return scope.once("nodes' hosts", lambda: set(Node.objects.values_list("host", flat=True)))


def secret_goes_with_its_name(row: road.RowPlan, plan: road.Plan) -> None:
    """Where the phone system registers there is a name with its password; a blank password is the one that is saved."""
    columns = {"username", "trunk_password", "registers"}
    if columns.isdisjoint(row.after) and not row.new:
        return
    plan.need(*columns)
    typed = bool(row.after.get("trunk_password"))
    if not typed:
        row.leave("trunk_password")
    if not row.value("username"):
        if typed or row.value("registers"):
            row.refuse("username", _("Enter the user name as well."), "required")
        elif row.before.get("trunk_password"):
            row.put("trunk_password", "")
    elif not row.value("trunk_password"):
        if row.value("registers"):
            row.refuse("trunk_password", _("Enter the password as well: the phone system registers with it."), "required")  # fmt: skip
    elif not typed and not row.new and "username" in row.changes:
        row.refuse("trunk_password", _("The user name has changed: enter the password that goes with the new one."), "required")  # fmt: skip


# --- All of them ----------------------------------------------------------------------------------------------------------
def _others(rows: Sequence[road.RowPlan]) -> Any:
    """All other trunks, whoever's they are; under the lock of what isn't one customer's alone, where there is a transaction."""
    if connection.in_atomic_block:
        road.hold_the_provider()
    return Trunk.objects.exclude(pk__in=[row.key for row in rows if row.key])


def names_are_there_once(plan: road.Plan) -> None:
    """Two trunks aren't called the same, whoever's they are: support staff tell them apart by their names."""
    rows = [row for row in plan.rows if row.changes.get("name", ("", ""))[1]]
    if not rows:
        return
    taken = {folded(name) for name in _others(rows).values_list("name", flat=True)}
    twice = plan.twice(rows, lambda row: [folded(row.value("name"))])
    for row in rows:
        name = row.value("name")
        if folded(name) in taken:
            row.refuse("name", _("The name “%(name)s” is already taken: choose another one.") % {"name": name}, "name_taken")  # fmt: skip
        elif folded(name) in twice:
            row.refuse("name", road.is_there_twice(name, twice[folded(name)]), "name_twice")


def calls_come_from_one(plan: road.Plan) -> None:
    """What comes from an address is one trunk's: with two, nobody could say whose the call is."""
    names = ("host", "networks", "enabled")
    rows = [
        row
        for row in plan.rows
        if row.record is not None and (row.new or not row.changes.keys().isdisjoint(names))
    ]
    if not rows:
        return
    plan.need("name", *names)
    others: list[tuple[Any, str, str, str]] = [
        (key, name, host, networks)
        for key, name, host, networks in _others(rows)
        .filter(enabled=True)
        .values_list("pk", "name", "host", "networks")
    ]
    others += [
        (id(row), row.value("name"), row.value("host"), row.value("networks"))
        for row in rows
        if row.value("enabled") and not row.errors
    ]
    for row in rows:
        if not row.value("enabled") or row.errors:
            continue
        for key, name, host, networks in others:
            if key != id(row) and (where := _both_come_from(row, host, networks)):
                row.refuse(
                    "networks",
                    _("“%(name)s” has calls from %(where)s already: a call from there would be nobody's. Enter other addresses, or take "
                      "the other SIP trunk out of use.") % {"name": name, "where": where},
                    "networks_taken",
                )  # fmt: skip
                break


def _both_come_from(row: road.RowPlan, host: str, networks: str) -> str:
    own, theirs = addresses.networks_of(row.value("networks")), addresses.networks_of(networks)
    if not own and not theirs and row.value("host") == host:
        return host
    found = addresses.meet(addresses.where_from(host, theirs), addresses.where_from(row.value("host"), own))
    return str(found).removesuffix("/32").removesuffix("/128") if found else ""


def somebody_is_left_without(plan: road.Plan) -> None:
    """Taking a trunk out of use is told where customers have no other way out."""
    rows = [row for row in plan.rows if not row.new and row.changes.get("enabled") == (True, False)]
    if rows:
        told = left_without([row.record for row in rows])
        for row in rows:
            for sentence in told.get(row.key, ()):
                row.warn("enabled", sentence, sentence.code)


def left_without(trunks: Sequence[Any]) -> dict[Any, list[Reason]]:
    """What becomes of calls to the outside without these trunks: {key: [sentence]}; two queries, and one more where the provider has none left."""
    going = {trunk.pk: trunk.customer_id for trunk in trunks if trunk.enabled}
    if not going:
        return {}
    left = list(
        Trunk.objects.filter(enabled=True)
        .exclude(pk__in=going)
        .order_by("position", "pk")
        .values_list("customer", "name")
    )
    providers = [name for customer, name in left if customer is None]
    having = {customer for customer, _name in left if customer is not None}
    told: dict[Any, list[Reason]] = {}
    losing = set(going.values()) - having - {None} if not providers else set()
    lost = Customer.objects.none()
    if not providers and None in going.values():
        lost = Customer.objects.exclude(pk__in=having)
    elif losing:
        lost = Customer.objects.filter(pk__in=losing)
    names = dict(lost.order_by("sort_name").values_list("pk", "name"))
    for key, customer in going.items():
        if customer is None:
            told[key] = _nobody_calls_out(list(names.values()))
        elif customer in names:
            told[key] = _nobody_calls_out([names[customer]])
        elif customer not in having:
            told[key] = (
                [
                    Reason(
                        _("Its calls to the outside will take “%(name)s”.") % {"name": providers[0]},
                        "another_way_out",
                    )
                ]
                if providers
                else []
            )
    return {key: sentences for key, sentences in told.items() if sentences}


def _nobody_calls_out(names: Sequence[str]) -> list[Reason]:
    if not names:
        return []
    said = ", ".join(names[:NAMED]) + (" …" if len(names) > NAMED else "")
    return [
        Reason(ngettext(
            "%(names)s will be left without a SIP trunk: no call to the outside will go through, emergency calls (911) included.",
            "%(count)s customers will be left without a SIP trunk (%(names)s): no call to the outside will go through, emergency calls "
            "(911) included.", len(names),
        ) % {"count": len(names), "names": said}, NO_WAY_OUT)
    ]  # fmt: skip


def losses(records: Sequence[Any], scope: Scope) -> dict[Any, list[str]]:
    """What a deletion means, for the page that asks."""
    return {key: [*sentences] for key, sentences in left_without(records).items()}
