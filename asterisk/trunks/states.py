"""Whether trunks answer, as nodes tell it: the link to a node writes here, pages read."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from asterisk.models import Node, Trunk, TrunkState
from asterisk.nodes import connected


class State(StrEnum):
    """How a trunk is doing, as far as nodes to which there is a link know it."""

    ANSWERS = "answers"
    PARTLY = "partly"  # at some nodes
    SILENT = "silent"
    UNKNOWN = "unknown"


TONES = {State.ANSWERS: "ok", State.PARTLY: "wait", State.SILENT: "bad", State.UNKNOWN: ""}
WORDS = {
    State.ANSWERS: _("Answers"),
    State.PARTLY: _("Doesn't answer at some nodes"),
    State.SILENT: _("Doesn't answer"),
    State.UNKNOWN: _("Unknown"),
}


def tell(node: Node, told: Mapping[int, tuple[bool, str]], now: datetime) -> None:
    """What a node says of trunks, by their keys: whether the other side answers, and in its own words why not ("" for nothing).

    A trunk that was deleted meanwhile is left out.
    """
    there = set(Trunk.objects.filter(pk__in=told).values_list("pk", flat=True))
    TrunkState.objects.bulk_create(
        [
            TrunkState(node=node, trunk_id=key, answers=answers, detail=detail[:100], at=now)
            for key, (answers, detail) in told.items()
            if key in there
        ],
        update_conflicts=True,
        unique_fields=["node", "trunk"],
        update_fields=["answers", "detail", "at"],
    )


def forget(node: Node) -> None:
    """Know nothing any more of what a node says: it has begun anew, and will tell."""
    TrunkState.objects.filter(node=node).delete()


def with_state(trunks: "QuerySet[Trunk]", now: datetime) -> "QuerySet[Trunk]":
    """With `up` and `down`: whether some node that is connected says that the trunk answers, or that it doesn't."""
    told = TrunkState.objects.filter(_of_connected(now), trunk=OuterRef("pk"))
    return trunks.annotate(up=Exists(told.filter(answers=True)), down=Exists(told.filter(answers=False)))


def silent(now: datetime) -> Q:
    """The trunks in use that don't answer somewhere, as a condition over `with_state`."""
    return Q(down=True, enabled=True)


def _of_connected(now: datetime) -> Q:
    return Q(node__in=Node.objects.filter(connected(now)).values("pk"))


def state_of(trunk: Trunk) -> State:
    """How a trunk of `with_state` is doing."""
    up, down = trunk.up, trunk.down  # type: ignore[attr-defined]
    if up and down:
        return State.PARTLY
    return State.ANSWERS if up else State.SILENT if down else State.UNKNOWN
