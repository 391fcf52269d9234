"""What is done at many customers: a job that belongs to none of them, one customer a step, and looked at before it is done.

First it is planned everywhere and nothing is written: that job's report is the preview. What is confirmed is a second job over exactly
those customers where something changes. At each of them it is planned anew, by the road and with the rights of then, and written only if
that is what was shown (`Turn.mark`): all of it at this customer or nothing, as one operation of this customer's own history. An app makes
what it offers known by `register_wide`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from django.utils.translation import gettext as _

from pbxadmin.common.columns import Column, Scope
from pbxadmin.common.proof import Takeover
from users import road
from users.models import Job, Operation
from users.rights import Verb
from users.road.actions import Settings, Trace
from users.road.outcomes import Outcome, ended

# Of one customer so many different changes are told, and so many names under each.
LINES, NAMES = 20, 6


class NotPossibleError(Exception):
    """Why something can't be done at a customer after all, as a sentence; nothing was written there."""


@dataclass(frozen=True)
class Turn:
    """What would happen at one customer; nothing is written until `write` is called, once, in the transaction of its step."""

    changed: int = 0  # records that change
    same: int = 0  # records that are so already
    # The same change of several records in words: label, before, after, the first names, how many more.
    lines: Sequence[tuple[str, str, str, Sequence[str], int]] = ()
    # Records that can't be done while others are, each with the reason. Where it is all or nothing, there are none.
    left_out: Sequence[tuple[str, str]] = ()
    refusal: str = ""  # why nothing can be done at this customer
    mark: str = (
        ""  # the same for the very same changes; "" where another outcome than the one shown does no harm
    )
    takes_over: Takeover | None = None
    plans: Sequence[road.Plan] = ()
    # Writes it, and gives its operation, None where there was nothing to do. Raises what `road.apply` raises, and `NotPossibleError`.
    write: Callable[[Trace], Operation | None] = lambda trace: None

    @property
    def told(self) -> dict[str, Any]:
        """As a step keeps it."""
        return {
            "changed": self.changed,
            "same": self.same,
            "lines": [list(line) for line in self.lines],
            "left_out": [list(pair) for pair in self.left_out],
            "mark": self.mark,
            "takes_over": str(self.takes_over or ""),
        }


@dataclass(frozen=True)
class Wide:
    """One thing that can be done at many customers."""

    slug: str  # the kind of its jobs
    title: Callable[[Settings, int], str]  # what it is called with these settings, at so many customers
    url: Callable[[Job], str]  # where its preview, progress and report are
    records: Callable[[int], str]  # so many of the records that it changes, in words: "12 departments"
    # What whoever starts it must be allowed at each customer, asked again at each step.
    verb: Verb
    # What it would do to these records (primary keys) of the scope's customer.
    plan: Callable[[Scope, Sequence[int], Settings], Turn]
    # Whether all of it can be taken back.
    undoable: bool = True


WIDES: dict[str, Wide] = {}


def register_wide(wide: Wide) -> Wide:
    """Make it known under its slug, so that a worker in another process can go on with its jobs."""
    WIDES[wide.slug] = wide
    return wide


@dataclass(frozen=True)
class Taken:
    """What a step leaves: a line of what was done (or would be), or one that says why not; and its operation."""

    done: list[Any] = field(default_factory=list)
    refused: list[Any] = field(default_factory=list)
    operation: Operation | None = None


def look_at(wide: Wide, scope: Scope, keys: Sequence[int], settings: Settings) -> Taken:
    """What would happen at the scope's customer, as a step of a preview."""
    turn = wide.plan(scope, keys, settings)
    customer = scope.customer
    if turn.refusal:
        return Taken(refused=[[customer.pk, customer.name, turn.refusal]])
    return Taken(done=[[customer.pk, customer.name, turn.told]])


def carry_out(
    wide: Wide, scope: Scope, keys: Sequence[int], settings: Settings, mark: str, trace: Trace
) -> Taken:
    """Do what was shown at the scope's customer, whose row is held, or say why not."""
    customer = scope.customer

    def refused(words: str) -> Taken:
        return Taken(refused=[[customer.pk, customer.name, words]])

    turn = wide.plan(scope, keys, settings)
    if turn.refusal:
        return refused(turn.refusal)
    if turn.mark != mark:
        return refused(_("Something changed here since the preview: look at it again."))
    try:
        outcome, operation = ended(lambda: turn.write(trace))
    except NotPossibleError as error:
        return refused(str(error))
    if outcome is Outcome.CONFLICT:
        return refused(_("Somebody else changed this in the meantime. Reload the page."))
    if outcome is Outcome.REFUSED:
        return refused(sentences_of(turn.plans))
    return Taken(done=[[customer.pk, customer.name, turn.told]], operation=operation)


# --- What plans of the road are as a turn -------------------------------------------------------------------------
def turn_of(plans: Sequence[road.Plan], write: Callable[[Trace], Operation | None] | None = None) -> Turn:
    """These plans as one turn, all of them or nothing; `write` otherwise than by `road.apply_all`."""
    changed = [(plan, row) for plan in plans for row in plan.having("changed", "new")]
    return Turn(
        changed=len(changed),
        same=sum(len(plan.having("unchanged")) for plan in plans),
        lines=lines_of(plans),
        refusal=sentences_of(plans),
        mark=mark_of(plans),
        takes_over=next(
            (what for plan, row in changed if (what := plan.sheet.takes_over(row, plan.scope))), None
        ),
        plans=plans,
        write=write or (lambda trace: road.apply_all(plans, trace.facts, trace.reason)),
    )


def sentences_of(plans: Sequence[road.Plan]) -> str:
    """Why the plans can't be written, in the first five sentences; "" where they can."""
    return " ".join([sentence for plan in plans for sentence in plan.sentences][:5])


def mark_of(plans: Sequence[road.Plan]) -> str:
    """A mark of exactly what these plans change: which columns of which records, from what to what."""
    changes = sorted(
        (plan.sheet.label, str(row.key), name, repr(old), repr(new))
        for plan in plans
        for row in plan.having("changed", "new")
        for name, (old, new) in row.changes.items()
    )
    return sha256(repr(changes).encode()).hexdigest()[:32]


def lines_of(plans: Sequence[road.Plan]) -> list[tuple[str, str, str, Sequence[str], int]]:
    """What changes from what to what, records with the same change together, most of them first."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for plan in plans:
        for name, column in plan.sheet.columns.items():
            rows = [row for row in plan.having("changed", "new") if name in row.changes]
            for row, words in zip(rows, _in_words(plan.scope, column, rows), strict=True):
                for said in words:
                    found.setdefault(said, []).append(str(row.record))
    ordered = sorted(found.items(), key=lambda pair: -len(pair[1]))
    return [(*said, names[:NAMES], max(0, len(names) - NAMES)) for said, names in ordered[:LINES]]


def _in_words(scope: Scope, column: Column, rows: Sequence[road.RowPlan]) -> list[list[tuple[str, str, str]]]:
    pairs = [row.changes[column.name] for row in rows]
    if pairs and (column.by_number or hasattr(column, "options")):
        column.look_up([value for pair in pairs for value in pair], scope)
    return [list(column.pieces(old, new, scope)) for old, new in pairs]
