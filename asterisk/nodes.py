"""Nodes: which machines may ask, by which token; adding, changing and removing them, with the history.

Of a token only the fingerprint is kept. A new one is shown once, to whoever made it; the previous one goes on until the new one is used
for the first time, so that replacing it stops nothing. A process remembers for `REMEMBERED` seconds that a token was right: that is how long
an ended token, or one of a removed node, may be answered at most.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from asterisk.link.status import HEARD_WITHIN
from asterisk.models import FormerCustomer, Node
from asterisk.sheets import TOKEN, node_sheet
from pbxadmin.common.columns import Scope
from pbxadmin.common.crypto import MASK, Reader, fingerprint, plain, random_token
from pbxadmin.common.http import RequestFacts, client_address
from pbxadmin.common.prepared import Prepared
from pbxadmin.common.proof import Takeover
from pbxadmin.common.throttle import Limit, network_of
from users import rights, road
from users.models import Customer, Operation, User
from users.rights import Verb
from users.road import Outcome

REMEMBERED = 2.0  # seconds
# Wrong tokens of one address; after these only who is known to be right is answered there until the time is over.
FAILURES = Limit("node", tries=60, window=600)
# A token of ours has 32 signs; what is longer isn't even looked at.
LONGEST_TOKEN = 100

_by_token = Prepared(
    lambda present, previous: Node.objects.filter(
        Q(token_hash=present) | Q(previous_token_hash=previous)
    ).defer("node_password")
)
_right: dict[str, tuple[Node, float]] = {}
# Fingerprints that were right in this process: their nodes are answered whatever a neighbour of theirs tries.
_known: set[str] = set()


# --- Who asks ---------------------------------------------------------------------------------------------------------
def asking(request: HttpRequest) -> Node | None:
    """The node that sends this request, by its header `Authorization: Bearer TOKEN`; None for anybody else, who is counted."""
    kind, _blank, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    found = remembered(token) if kind.lower() == "bearer" else None
    if found is not None:
        return found
    address = client_address(request)
    blocked = not FAILURES.allows(network_of(address))
    node = node_of(token) if kind.lower() == "bearer" else None
    if node is not None and (not blocked or fingerprint(token) in _known or node.host == address):
        _known.add(fingerprint(token))
        return node
    FAILURES.take(network_of(address))
    return None


def remembered(token: str) -> Node | None:
    """The node whose token was right a moment ago, without a question to the database."""
    if not token or len(token) > LONGEST_TOKEN:
        return None
    node, until = _right.get(fingerprint(token), (None, 0.0))
    return node if time.monotonic() < until else None


def node_of(token: str) -> Node | None:
    """The node whose present token this is, or whose previous one while the present one waits for its first use, which ends the other.

    Two statements, or none within `REMEMBERED` seconds of the last. The record comes without its password, and is to be read only.
    """
    if not token or len(token) > LONGEST_TOKEN:
        return None
    if (found := remembered(token)) is not None:
        return found
    mark = fingerprint(token)
    node: Node | None = next(_by_token.records(mark, mark), None)
    if node is None:
        _right.pop(mark, None)
        return None
    if node.token_hash == mark and node.previous_token_hash:
        _right.pop(node.previous_token_hash, None)
        Node.objects.filter(pk=node.pk, token_hash=mark).update(previous_token_hash="")
    served = node.customers.order_by().values_list("pk", flat=True)
    node.only = frozenset(served)  # type: ignore[attr-defined]
    _right[mark] = (node, time.monotonic() + REMEMBERED)
    return node


def serves(node: Node, customer: int | None) -> bool:
    """Whether a node (from `node_of`) may ask about this customer: a node that was stolen opens no other one's."""
    only: frozenset[int] = getattr(node, "only", frozenset())
    return customer is not None and (not only or customer in only)


def customers_of(node: int) -> QuerySet[Customer]:
    """Of whom a node (its key) may tell: those that it serves."""
    keys = list(Node.customers.through.objects.filter(node=node).values_list("customer", flat=True))
    return Customer.objects.filter(pk__in=keys) if keys else Customer.objects.all()


def may_remember(customer: int, now: datetime) -> Q:
    """The nodes that may have a customer's lines in their memory, as a condition over nodes: those that serve it, or did a moment ago."""
    former = FormerCustomer.objects.filter(customer=customer, until__gt=now - FormerCustomer.REMEMBERED)
    return Q(customers=customer) | Q(customers=None) | Q(pk__in=former.values("node"))


def forget() -> None:
    """Forget what this process remembers of tokens."""
    _right.clear()
    _known.clear()


# --- How they are ---
def connected(now: datetime) -> Q:
    """The nodes to which there is a link, as a condition over nodes; of one node `asterisk.link.status` says it."""
    return Q(connected_at__isnull=False, heard_at__gt=now - HEARD_WITHIN)


# --- What is done with nodes ---------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Made:
    """A node with what its own environment needs, in plain text this once; `plan` says why there is none."""

    plan: road.Plan
    outcome: Outcome
    bearer: str = ""
    password: str = ""

    @property
    def node(self) -> Node:
        """The node."""
        found: Node = self.plan.rows[0].record
        return found


def add(actor: User, values: Mapping[str, Any], facts: RequestFacts) -> Made:
    """Add a node (`values`: name, host, ami_port, ari_port); managers of the support team alone."""
    token = random_token()
    scope = Scope(actor, None, {TOKEN: token})
    done = road.commit(road.plan(actor, None, node_sheet(), [road.Row(None, values)], scope=scope), facts)
    made = Made(done.plan, done.outcome)
    if done.outcome is not Outcome.SAVED:
        return made
    bearer, password = is_shown_once(done.plan)
    return replace(made, bearer=bearer, password=password)


def is_shown_once(plan: road.Plan) -> tuple[str, str]:
    """Token and password of a node that a plan has just made with a token of its own (`Scope.found[TOKEN]`), in plain text."""
    return plan.scope.found[TOKEN], plain(plan.rows[0].record, Node.node_password, Reader.TECHNICIAN)


def change(actor: User, node: Node, values: Mapping[str, Any], facts: RequestFacts) -> road.Commit:
    """Change where a node is."""
    return road.commit(road.plan(actor, None, node_sheet(), [road.Row(node.pk, values)]), facts)


def new_token(actor: User, key: int, facts: RequestFacts) -> tuple[Node, str, str]:
    """Give a node another token: (node, token, password). Raises `RefusedError`, and `Node.DoesNotExist` for one that was removed.

    The previous token goes on until the first use of the new one. Made twice before a use: what the node knows is still the first one.
    """
    if rights.why_not(actor, Verb.NODES):
        raise road.RefusedError
    facts.demand_proof(Takeover.NODE)
    with transaction.atomic():
        held = Node.objects.select_for_update().get(pk=key)
        token = random_token()
        Node.objects.filter(pk=held.pk).update(
            token_hash=fingerprint(token), previous_token_hash=held.previous_token_hash or held.token_hash
        )
        cell = {"column": TOKEN, "old": MASK, "new": MASK}
        written = road.change_of(node_sheet(), held, Operation.Kind.EDIT, [cell])
        road.record_operation(actor, None, Operation.Kind.EDIT, facts, "", [written])
    return held, token, plain(held, Node.node_password, Reader.TECHNICIAN)


def remove(actor: User, node: Node, facts: RequestFacts) -> Outcome:
    """Delete a node: from then on it is answered nothing, and told nothing."""
    removal = road.plan_removal(actor, None, node_sheet(), [node.pk])
    outcome = road.commit_removal(removal, facts)
    if outcome is Outcome.SAVED:
        forget()
    return outcome
