"""PURE: the way that a call took through its plan, by the words in which the node says how each ringing ended; and what that means."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from forwarding.decisions import (
    Busy,
    CallPlan,
    Dialled,
    NotRung,
    Outcome,
    Outside,
    Reach,
    Ring,
    Step,
    System,
    Verdict,
    Voicemail,
)

ANSWERED, GIVEN_UP, NO_ANSWER, FULL, ALONE = "answered", "given_up", "no_answer", "full", "alone"
EMERGENCY = "emergency"
# What a node may say (`deploy/asterisk/extensions.conf`), one word for each step that rings, in order; `alone` comes first where there
# was no plan, `emergency` where none was asked for.
WORDS = frozenset({
    ANSWERED, GIVEN_UP, NO_ANSWER, FULL, ALONE, EMERGENCY, "busy", "not_registered", "declined", "unreachable", "deflected",
})  # fmt: skip
# Where it goes on after a word.
_AFTER: Mapping[str, Outcome] = {
    NO_ANSWER: Outcome.NO_ANSWER,
    "busy": Outcome.BUSY,
    "not_registered": Outcome.NOT_REGISTERED,
    "declined": Outcome.DECLINED,
    FULL: Outcome.DECLINED,  # of a call that was to be accepted outside
}
# What rang when a call ended so, and was neither answered nor declined.
RANG_ON = (NO_ANSWER, GIVEN_UP)


class Ending(StrEnum):
    """How a call ended."""

    ANSWERED = "answered"
    VOICEMAIL = "voicemail"
    GIVEN_UP = "given_up"  # the caller hung up before anybody answered
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    UNREACHABLE = "unreachable"
    FULL = "full"  # more calls than the contract has channels for
    DEFLECTED = "deflected"
    SERVICE = "service"  # the phone system itself answered
    REFUSED = "refused"
    ENDED = "ended"  # nobody knows how


@dataclass(frozen=True, slots=True)
class Passed:
    """One step that the call took; `how` is the node's word for what rings there, "" for the others and where there is none."""

    step: Step
    how: str = ""


Ringing = Ring | Outside | System


def passed(plan: CallPlan, words: Sequence[str]) -> tuple[Passed, ...]:
    """The steps that the call took, the first one first."""
    left = [word for word in words if word not in (ALONE, EMERGENCY)]
    found = walked(plan, lambda _step: left.pop(0) if left else "")
    if any(each.how == FULL and isinstance(each.step, Ring | System) for each in found):
        return ()  # it was full before anything of the plan was done
    return found


def walked(plan: CallPlan, word_at: Callable[[Ringing], str]) -> tuple[Passed, ...]:
    """The steps of a call, where `word_at` says how what rings ends; it is asked once for each."""
    found: list[Passed] = []
    step: Step | None = plan.first
    while step is not None:
        if isinstance(step, Reach):
            found.append(Passed(step))
            step = step.next
        elif isinstance(step, Ringing):
            how = word_at(step)
            found.append(Passed(step, how))
            step = None if isinstance(step, System) or how not in _AFTER else step.on.get(_AFTER[how])
        else:
            found.append(Passed(step))
            step = None
    return tuple(found)


def ending(words: Sequence[str], way: Sequence[Passed], dialled: Dialled | None) -> Ending:
    """How a call ended that has ended."""
    last = words[-1] if words else ""
    if last in (ANSWERED, GIVEN_UP):
        return Ending(last)
    if way and isinstance(way[-1].step, Voicemail):
        return Ending.VOICEMAIL
    if way and isinstance(way[-1].step, Busy | NotRung):
        return Ending.BUSY
    if last in set(Ending):
        return Ending(last)
    if dialled and dialled.verdict in (Verdict.REFUSED, Verdict.SERVICE):
        return Ending(str(dialled.verdict))
    # It had something to ring yet: nobody but the caller can have ended it.
    return Ending.GIVEN_UP if way or dialled else Ending.ENDED


def concerned(way: Sequence[Passed], rang: Sequence[str]) -> list[str]:
    """The extensions of everybody to whom the call came, in order; `rang`: whom a group rang."""
    found = [each.step.extension for each in way if isinstance(each.step, Reach | Ring | Voicemail | NotRung)]
    if way and isinstance(way[-1].step, System):
        found += rang
    return list(dict.fromkeys(found))


def missed(way: Sequence[Passed], rang: Sequence[str], mobiles: Mapping[str, str]) -> list[str]:
    """Whom it rang until nobody had answered there: not those who declined, nor those of a group in which somebody answered.

    `mobiles`: {extension: E.164}. Who then took the call on their mobile, to which their own rule had sent it, has missed nothing.
    """
    if not way:
        return []
    last = way[-1]
    found = [each.step.extension for each in way if isinstance(each.step, Ring) and each.how in RANG_ON]
    if isinstance(last.step, System) and last.step.kind == "ring_group" and last.how in RANG_ON:
        found += rang
    if isinstance(last.step, Outside) and last.how == ANSWERED:
        whose = str(last.step.reason.data.get("extension", ""))
        if last.step.number == mobiles.get(whose):
            found = [each for each in found if each != whose]
    return list(dict.fromkeys(found))
