"""What became of a call beyond one word: who took it, whose mailbox it came to, or why it went no further; for whoever may see the rules
that led there."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from django.utils import timezone

from asterisk.calls import reading
from asterisk.calls.taken import Ending
from asterisk.calls.ways import Way, way_of
from asterisk.models import CallRecord, Node
from asterisk.nodes import connected
from forwarding import decisions
from forwarding.decisions import Reason, Verdict


@dataclass(frozen=True, slots=True)
class Became:
    """What became of one call; everything blank where nobody knows, or the reader may not."""

    taker: str = ""  # an extension, or a number outside
    mailbox: str = ""  # an extension
    reason: Reason | None = None
    rules_of: frozenset[str] = frozenset()  # the extensions of those whose settings tell of it
    unheard: bool = False  # it went on when its node was last heard

    def seen(self, extensions: Collection[str]) -> "Became":
        """As far as somebody sees it who sees the settings of these `extensions`."""
        return self if self.rules_of.issubset(extensions) else NOTHING


NOTHING = Became()


def all_became(calls: Iterable[CallRecord]) -> dict[int, Became]:
    """What is known of each of these calls, by its key: one query where any of them goes on."""
    found = {call.pk: (call, _became(call)) for call in calls}
    nodes = {_node_of(call) for call, _known in found.values() if call.ended_at is None}
    heard = set(Node.objects.filter(connected(timezone.now()), name__in=nodes).values_list("name", flat=True))
    return {
        key: replace(known, unheard=True) if call.ended_at is None and _node_of(call) not in heard else known
        for key, (call, known) in found.items()
    }


def became(call: CallRecord) -> Became:
    """The same of one."""
    return all_became([call])[call.pk]


def _node_of(call: CallRecord) -> str:
    return call.unique_id.partition("/")[0]


def _became(call: CallRecord) -> Became:
    # The plan is read only where that says more.
    if call.answered_by:
        return Became(taker=call.answered_by)
    if call.outcome not in _TOLD:
        return NOTHING
    try:
        return _of(call, way_of(call))
    except reading.UNREADABLE:
        return NOTHING


_TOLD = frozenset({Ending.ANSWERED, Ending.VOICEMAIL, Ending.BUSY, Ending.REFUSED, Ending.SERVICE})


def _of(call: CallRecord, way: Way) -> Became:
    rules = _rules(call, way)
    if call.outcome in (Ending.REFUSED, Ending.SERVICE):
        return Became(reason=way.dialled.reason, rules_of=rules) if way.dialled else NOTHING
    last = way.steps[-1].step if way.steps else None
    match last:
        case decisions.Ring() | decisions.Outside() if call.outcome == Ending.ANSWERED:
            taker = last.number if isinstance(last, decisions.Outside) else last.extension
            return Became(taker, rules_of=rules)
        case decisions.Voicemail() if call.outcome == Ending.VOICEMAIL:
            # Who dialled somebody hears whose mailbox answers.
            return Became(
                mailbox=last.extension, rules_of=frozenset() if last.extension == call.dialled else rules
            )
        case decisions.Busy() | decisions.NotRung() if call.outcome == Ending.BUSY:
            return Became(reason=last.reason.cause, rules_of=rules)
    return NOTHING


def _rules(call: CallRecord, way: Way) -> frozenset[str]:
    found = {each.step.extension for each in way.steps if isinstance(each.step, decisions.Reach)}
    if way.dialled and way.dialled.verdict is not Verdict.INTERNAL:
        found.add(call.from_extension)
    return frozenset(found)
