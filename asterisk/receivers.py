"""What a change anywhere means for the phone system: in its own transaction the customer gets another stamp, and each node is to forget
the lines that are others now."""

import secrets
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from django.db.models import BigIntegerField, Model, Q
from django.db.models.functions import Cast, Random
from django.utils import timezone

from asterisk.line_columns import LINE_COLUMNS, OF_PERSON, SECRET_COLUMNS
from asterisk.models import Errand, Node, Stamp, Trunk
from asterisk.nodes import may_remember
from pbxadmin.common import many
from phones.models import Phone
from users.models import Customer, Department, Did, Operation, User
from users.signals import changed

# Stamps are drawn out of so many.
DRAWN = 2**62


def connect() -> None:
    """Listen to the changes of every sheet."""
    changed.connect(calls_are_planned_anew, dispatch_uid="calls are planned anew")
    changed.connect(lines_are_forgotten, dispatch_uid="lines are forgotten")


# --- As what a customer stands ------------------------------------------------------------------------------------
def calls_are_planned_anew(
    sender: type[Model], rows: Sequence[Any], operation: Operation, **rest: Any
) -> None:
    """Another stamp for the customer, whatever was changed: what a plan depends on is nearly everything, and looking costs more."""
    if operation.customer_id is not None:
        stamp([operation.customer_id])
    if sender is Trunk:
        concerned = {row.record.customer_id for row in rows}
        if None in concerned:
            stamp_all()
        else:
            stamp(concerned - {operation.customer_id})


def drawn() -> int:
    """A stamp that stood for nothing before."""
    return secrets.randbelow(DRAWN)


def stamp(customers: Iterable[int]) -> None:
    """Another stamp for each of these customers (keys): one statement, that holds their rows in the order of their keys."""
    rows = [Stamp(customer_id=key, number=drawn()) for key in sorted(customers)]
    Stamp.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["customer"], update_fields=["number"]
    )


def stamp_all() -> None:
    """Another stamp for every customer that has one."""
    held = list(Stamp.objects.select_for_update().order_by("pk").values_list("pk", flat=True))
    Stamp.objects.filter(pk__in=held).update(number=Cast(Random() * float(2**52), BigIntegerField()))


# --- What nodes remember ------------------------------------------------------------------------------------------
def lines_are_forgotten(sender: type[Model], rows: Sequence[Any], operation: Operation, **rest: Any) -> None:
    """An errand to each node that may remember it for each line that is another now, or is gone, and another one where whoever is registered
    there is to be no more; nothing where there are no nodes.

    At most one query more than finding out whom a change concerns, and one INSERT for any number of them.
    """
    if sender is Trunk:
        trunks_are_forgotten([row.key for row in rows])
    elif operation.customer is not None and (find := CONCERNED.get(sender)) is not None:
        forget(find(rows, operation.customer), operation.customer)
        if sender in SECRET_COLUMNS:
            taken = [row for row in rows if row.removed or not SECRET_COLUMNS[sender].isdisjoint(row.changes)]
            # After they were forgotten: nobody registers anew by what is remembered.
            tell_nodes(Errand.Kind.DROP, sorted(find(taken, operation.customer)), operation.customer)
        if sender is Customer and any(row.new or "fqdn" in row.changes for row in rows):
            # By host names nodes know the ways to 911.
            tell_nodes(Errand.Kind.TRUNKS, [""])


def forget(lines: Collection[str], customer: Customer) -> None:
    """Have the nodes forget these lines of the customer ("101@acme.example")."""
    tell_nodes(Errand.Kind.FORGET, sorted(lines), customer)


def trunks_are_forgotten(keys: Iterable[Any]) -> None:
    """Have every node forget these trunks, look at all of them again, and ask for these at once: they are needed when the portal is away, too."""
    names = [f"trunk-{key}" for key in sorted(keys)]
    tell_nodes(Errand.Kind.FORGET, names)
    tell_nodes(Errand.Kind.TRUNKS, [""])
    tell_nodes(Errand.Kind.LEARN, names)


def tell_nodes(kind: str, subjects: Sequence[str], customer: Customer | None = None) -> None:
    """An errand of this kind for each node and each subject, in the caller's transaction; of a customer's lines only nodes read that may
    remember them."""
    if not subjects:
        return
    found = Node.objects.filter(may_remember(customer.pk, timezone.now())) if customer else Node.objects.all()
    for node in found.order_by("pk").distinct().values_list("pk", flat=True):
        columns: dict[str, many.Values] = {
            "node_id": many.Same(node), "kind": many.Same(kind), "subject": subjects,
            "doing": many.Same(False), "created_at": many.Same(timezone.now()),
        }  # fmt: skip
        many.insert(Errand, columns, len(subjects))


Found = set[str]


def _people(rows: Sequence[Any], customer: Customer) -> Found:
    """Those who are called otherwise now, or are gone. A new person's line is nothing that a node could remember."""
    return {
        f"{number}@{customer.fqdn}"
        for row in rows
        if row.removed or (not row.new and not OF_PERSON.isdisjoint(row.changes))
        for number in {row.record.number, row.changes.get("number", ("",))[0] if not row.removed else ""}
        if number
    }


def _departments(rows: Sequence[Any], customer: Customer) -> Found:
    changed_rows = _touched(rows, LINE_COLUMNS[Department])
    condition = Q(primary_department__in=[row.key for row in changed_rows])
    if any("outbound_caller_id" in row.changes or row.removed for row in changed_rows):
        # Departments without a number of their own show another department's when somebody calls 911.
        condition |= Q(primary_department__outbound_caller_id="")
    return _lines(customer, condition) if changed_rows else set()


def _customers(rows: Sequence[Any], customer: Customer) -> Found:
    found: Found = set()
    for row in _touched(rows, LINE_COLUMNS[Customer]):
        names = {row.record.fqdn, row.changes.get("fqdn", (row.record.fqdn,))[0]}
        for name in sorted(names):
            found |= _lines(row.record, Q(), name)
    return found


def _phones(rows: Sequence[Any], customer: Customer) -> Found:
    people: set[int] = set()
    for row in rows:
        if row.new or row.removed or not LINE_COLUMNS[Phone].isdisjoint(row.changes):
            people |= {row.record.user_id, *(() if row.removed else row.changes.get("user", ()))} - {None, ""}
    return _lines(customer, Q(pk__in=people)) if people else set()


def _numbers(rows: Sequence[Any], customer: Customer) -> Found:
    concerned = any(row.new or row.removed or not LINE_COLUMNS[Did].isdisjoint(row.changes) for row in rows)
    return _lines(customer, Q(primary_department__outbound_caller_id="")) if concerned else set()


def _touched(rows: Iterable[Any], columns: Collection[str]) -> list[Any]:
    return [
        row for row in rows if row.removed or (not row.new and not row.changes.keys().isdisjoint(columns))
    ]


def _lines(customer: Customer, condition: Q, fqdn: str = "") -> Found:
    """The lines of the customer's people who fulfil `condition`."""
    people = User.objects.of(customer).filter(condition).order_by().values_list("number", flat=True)
    return {f"{number}@{fqdn or customer.fqdn}" for number in people if number}


CONCERNED = {
    User: _people,
    Department: _departments,
    Customer: _customers,
    Phone: _phones,
    Did: _numbers,
}
