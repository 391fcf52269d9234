"""The sheet of nodes: where they are, which managers of the support team change; and the column of a place, which trunks have too."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Count, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from asterisk.models import Contact, FormerCustomer, Node
from asterisk.places import place_meant, why_unreachable
from pbxadmin.common.columns import FieldColumn, Scope, Text, columns_of
from pbxadmin.common.contributions import Contribution
from pbxadmin.common.crypto import fingerprint, random_token
from pbxadmin.common.proof import Takeover
from pbxadmin.common.references import LinkedColumn, Option, Store
from pbxadmin.common.sections import Noted, Section, Sheet
from pbxadmin.common.values.network import Why
from users import rights, road
from users.models import Customer, User
from users.rights import Verb

# In a scope: the token of the node that is added. In the history: that it got another one.
TOKEN = "token"  # noqa: S105 - its name
# Where no machine ever is. One's own address is no fault of a node's: it may run beside the portal.
NOWHERE = frozenset({Why.NOBODY, Why.METADATA, Why.LINK, Why.DISGUISED, Why.RESERVED})


class PlaceColumn(FieldColumn):
    """Where a machine is: a host name or an IP address."""

    def clean(self, raw: Any, scope: Scope) -> Any:
        """In its one way of writing."""
        text = str(super().clean(raw, scope) or "")
        if found := place_meant(text):
            return found
        raise ValidationError(
            _("Enter a host name or an IP address, for example sip.example.com or 203.0.113.7."), code="host"
        )


def node_is_somewhere(row: road.RowPlan, plan: road.Plan) -> None:
    """Nobody's address can't be a node's."""
    if (place := row.changes.get("host", ("", ""))[1]) and why_unreachable(place) in NOWHERE:
        row.refuse("host", _("No machine can be reached at this address: enter the node's own."), "host")


def names_are_there_once(plan: road.Plan) -> None:
    """Two nodes aren't called the same."""
    rows = [row for row in plan.rows if row.changes.get("name", ("", ""))[1]]
    if not rows:
        return
    others = Node.objects.exclude(pk__in=[row.key for row in rows if row.key])
    taken = set(others.values_list("name", flat=True))
    twice = plan.twice(rows, lambda row: [row.value("name")])
    for row in rows:
        if (name := row.value("name")) in taken:
            row.refuse("name", _("The name “%(name)s” is already taken: choose another one.") % {"name": name}, "name_taken")  # fmt: skip
        elif name in twice:
            row.refuse("name", road.is_there_twice(name, twice[name]), "name_twice")


def devices_must_register_elsewhere(records: Sequence[Node], scope: Scope) -> dict[Any, list[str]]:
    """What goes with a node: the devices that are registered there."""
    counts = Contact.objects.filter(node__in=records).order_by().values_list("node").annotate(Count("pk"))
    return {
        key: [
            ngettext(
                "%(count)s device is registered there: it will no longer ring until it registers at another node.",
                "%(count)s devices are registered there: they will no longer ring until they register at another node.",
                count,
            )
            % {"count": count}
        ]
        for key, count in counts
    }


def every_customer(scope: Scope) -> list[Option]:
    """The provider's customers, by name."""
    found = scope.once("customers by name", lambda: list(Customer.objects.values_list("pk", "name", "slug")))
    return [Option(key, name, (slug,), slug) for key, name, slug in found]


class ServedStore(Store):
    """The customers of nodes, as a sorted tuple of keys."""

    def load(self, records: Sequence[Any]) -> Mapping[Any, Mapping[str, Any]]:
        """{node: {"customers": keys}}, in one query."""
        found: dict[Any, list[int]] = {record.pk: [] for record in records}
        links = Node.customers.through.objects.filter(node__in=found).order_by("customer")
        for node, customer in links.values_list("node", "customer"):
            found[node].append(customer)
        return {key: {"customers": tuple(keys)} for key, keys in found.items()}

    def save(self, rows: Sequence[Any], scope: Scope) -> None:
        """Add and remove, and note whose lines a node may still remember."""
        through = Node.customers.through
        for row in rows:
            before, after = (set(keys or ()) for keys in row.changes["customers"])
            if not row.new:
                _served_until_now(row.key, before, after)
            through.objects.filter(node=row.key, customer__in=before - after).delete()
            new = sorted(after - before)
            through.objects.bulk_create(through(node_id=row.key, customer_id=customer) for customer in new)


def _served_until_now(node: int, before: set[int], after: set[int]) -> None:
    """None named are all of them. What was noted of those that it serves again, or longer ago than any line is remembered, goes."""
    former = FormerCustomer.objects.filter(node=node)
    again = Q(customer__in=after) if after else Q(customer__isnull=False)
    former.filter(again | Q(until__lt=timezone.now() - FormerCustomer.REMEMBERED)).delete()
    if after:
        gone = Customer.objects.exclude(pk__in=after).filter(Q(pk__in=before) if before else Q())
        FormerCustomer.objects.bulk_create(
            [FormerCustomer(node_id=node, customer=each, until=timezone.now()) for each in gone.only("pk").order_by("pk")],
            update_conflicts=True, unique_fields=["customer", "node"], update_fields=["until"], batch_size=2_000,
        )  # fmt: skip


SERVED = ServedStore()

NODE = Section(
    slug="node",
    title=gettext_lazy("Node"),
    columns=(
        *columns_of(
            Node,
            name={
                "label": gettext_lazy("Name"),
                "identity": True,
                "at_creation_only": True,
                "help": gettext_lazy("Letters, digits and hyphens: the node says it with every call."),
            },
            host=PlaceColumn(
                Node._meta.get_field("host"),
                label=gettext_lazy("Address"),
                help=gettext_lazy("Host name or IP address at which the portal reaches the node."),
            ),
            ami_port={"label": gettext_lazy("AMI port")},
            ari_port={"label": gettext_lazy("HTTP port (ARI)")},
        ),
        LinkedColumn(
            "customers",
            SERVED,
            every_customer,
            label=gettext_lazy("Customers"),
            help=gettext_lazy(
                "Only their lines and calls are told to this node. None chosen: those of every customer."
            ),
        ),
    ),
    row_rules=(node_is_somewhere,),
    set_rules=(names_are_there_once,),
    adds=Contribution(losses=devices_must_register_elsewhere),
)


def managers_change_it(actor: User, verb: str, record: Any, customer: Customer | None) -> Text | None:
    """Everybody of the support sees nodes; managers change them."""
    if not actor.is_staff and actor.is_active:
        return _("Only your provider's support can change this.")
    return rights.why_not(actor, Verb.ADMINISTER if Verb(verb) is Verb.SEE else Verb.NODES)


def _token_of(record: Node, scope: Scope) -> None:
    """A new node's token: its maker's, or one that nobody has ever seen."""
    record.token_hash = fingerprint(scope.found.get(TOKEN) or random_token())


def _takes_over(row: road.RowPlan, scope: Scope) -> Takeover | None:
    """A node learns everybody's secrets, and the portal sends the password of its AMI where the node is said to be."""
    return Takeover.NODE


@lru_cache(maxsize=1)
def node_sheet() -> Sheet:
    """A machine of the phone system. It is the provider's own."""
    return Sheet(
        model=Node,
        identity="name",
        sections=(NODE,),
        subject=lambda record: None,
        allowed=managers_change_it,
        complete=_token_of,
        takes_over=_takes_over,
        has_customer=False,
        noted={TOKEN: Noted(gettext_lazy("Token"))},
    )


def register() -> None:
    """Tell the history how the columns of nodes are called."""
    road.register(node_sheet())
