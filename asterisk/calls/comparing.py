"""What a call did, beside what the simulator says now of the same call: both as paths drawn with the reason of each step."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from difflib import SequenceMatcher

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from asterisk.calls import reading, taken, words
from asterisk.calls.taken import Ending, Passed
from asterisk.calls.ways import origin_of, way_of
from asterisk.models import CallRecord
from forwarding import decisions
from forwarding.asking import NoSuchCallerError, PlannedCall, plan_call
from forwarding.decisions import Dialled, Verdict
from forwarding.simulator import Drawn, Sees, draw_dialled, draw_step, out_of_sight
from forwarding.snapshot import greeting_names
from pbxadmin.common.values.devices import Device
from users.models import Customer, User

# What is drawn at the end of a call that no step says.
ENDS: Mapping[str, tuple[str, str]] = {
    Ending.ANSWERED: ("check", "ok"),
    Ending.GIVEN_UP: ("end", "wait"),
    Ending.NO_ANSWER: ("end", "bad"),
    Ending.UNREACHABLE: ("warning", "bad"),
    Ending.FULL: ("stop", "bad"),
}
# How what rang ended, beside its step.
HOW = {
    taken.NO_ANSWER: gettext_lazy("unanswered"),
    "busy": gettext_lazy("busy"),
    "declined": gettext_lazy("declined"),
    "not_registered": gettext_lazy("no device connected"),
}


@dataclass(frozen=True)
class Compared:
    """Two paths. `now` is empty, and `why` says why, where the call can't be asked about any more; `same`: whether they are alike.
    `people`: the extensions of those whose settings either of them follows."""

    then: tuple[Drawn, ...]
    now: tuple[Drawn, ...]
    why: str = ""
    same: bool = False
    people: tuple[str, ...] = ()


def compared(call: CallRecord, customer: Customer, sees: Sees, at: datetime) -> Compared:
    """The path of a call of this customer, and what would become of the same one at another moment, as far as the reader `sees`."""
    then = _then(call, sees)
    try:
        asked = _asked_now(call, customer, at)
    except NoSuchCallerError:
        why = _("Extension %(number)s doesn't exist any more.") % {"number": call.from_extension}
        return Compared(then, (), why)
    if asked is None:
        return Compared(then, (), _("%(number)s is nobody's any more.") % {"number": call.dialled})
    way = taken.walked(asked.plan, _as_then(call)) if asked.plan else ()
    now = _drawn(call, asked.dialled, way, sees)
    if not then:
        return Compared(then, now)
    people = [
        call.from_extension,
        *taken.concerned(way_of(call).steps, ()),
        *taken.concerned(way, ()),
    ]
    return replace(_marked(then, now), people=tuple(dict.fromkeys(filter(None, people))))


def _then(call: CallRecord, sees: Sees) -> tuple[Drawn, ...]:
    """The path that was taken; none where its plan isn't known, or can't be said any more."""
    way = way_of(call)
    try:
        return _drawn(call, way.dialled, way.steps, sees) if way.dialled or way.steps else ()
    except reading.UNREADABLE:
        return ()


def _asked_now(call: CallRecord, customer: Customer, at: datetime) -> PlannedCall | None:
    """What happens to the same call at another moment; None where nobody has its SIP ID any more. Raises `NoSuchCallerError`."""
    dialled = call.dialled
    if not call.from_extension and not dialled.removeprefix("+").isdecimal():
        people = User.objects.of(customer).filter(sip_id=dialled)
        dialled = people.values_list("number", flat=True).first() or "" if dialled else ""
        if not dialled:
            return None
    return plan_call(customer, origin_of(call), dialled, at)


def _as_then(call: CallRecord) -> Callable[[taken.Ringing], str]:
    """How what rings ends now: as it ended then at the same person, and unanswered where it didn't ring then."""
    ended = {_place(each.step): each.how for each in way_of(call).steps if each.how}

    def word_at(step: taken.Ringing) -> str:
        if (how := ended.get(_place(step))) is not None:
            return how
        if isinstance(step, decisions.Ring):
            return taken.NO_ANSWER
        return "declined" if isinstance(step, decisions.Outside) and step.on else ""

    return word_at


def _place(step: decisions.Step) -> tuple[str, str]:
    return type(step).__name__, str(getattr(step, "number", "") or getattr(step, "extension", ""))


def _drawn(call: CallRecord, dialled: Dialled | None, way: Sequence[Passed], sees: Sees) -> tuple[Drawn, ...]:
    found: list[Drawn] = []
    if dialled is not None:
        if dialled.verdict is not Verdict.INTERNAL and not sees(call.from_extension):
            return (
                Drawn(
                    call.from_extension, _("From here on, rules apply that you can't see."), "lock", "wait"
                ),
            )
        found.append(draw_dialled(dialled))
    gone = timedelta()
    greetings = greeting_names(
        each.step.greeting for each in way if isinstance(each.step, decisions.Voicemail)
    )
    for each in way:
        if isinstance(each.step, decisions.Reach) and not sees(each.step.extension):
            found.append(out_of_sight(each.step, gone))
            break
        step = draw_step(_as_rung(each.step), gone, greetings, each.how)
        if not isinstance(each.step, decisions.System) and each.how in HOW:
            step = replace(step, reason="; ".join(filter(None, (step.reason, str(HOW[each.how])))))
        found.append(step)
        if isinstance(each.step, decisions.Ring) and each.how == taken.NO_ANSWER:
            gone += timedelta(seconds=each.step.seconds)
    last = way[-1] if way else None
    if not (last and isinstance(last.step, decisions.Ring) and last.how == taken.ANSWERED):
        found += _end(call, last)
    return tuple(found)


def _as_rung(step: decisions.Step) -> decisions.Step:
    """Whatever was registered rang: which of somebody's devices that was, the plan doesn't know."""
    if not isinstance(step, decisions.Ring) or not step.devices:
        return step
    theirs = Device("", _("their devices"))
    targets = (theirs, *([step.mobile] if step.mobile else []))
    return replace(step, reason=replace(step.reason, data={**step.reason.data, "targets": targets}))


def _end(call: CallRecord, last: Passed | None) -> list[Drawn]:
    """How it ended, where the last step doesn't say so: of a call that nothing of rang, of one that left the company, of a group."""
    said = last.how if last else call.taken[-1] if call.taken else ""
    if said not in ENDS:
        return []
    icon, kind = ENDS[said]
    return [Drawn(str(words.ENDINGS[said][1]), "", icon, kind)]


def _marked(then: tuple[Drawn, ...], now: tuple[Drawn, ...]) -> Compared:
    """Both, with what only one of them has marked."""
    one, other = ([(each.title, each.reason) for each in path] for path in (then, now))
    here, there = set(range(len(then))), set(range(len(now)))
    for block in SequenceMatcher(None, one, other, autojunk=False).get_matching_blocks():
        here -= set(range(block.a, block.a + block.size))
        there -= set(range(block.b, block.b + block.size))
    return Compared(
        tuple(replace(each, differs=number in here) for number, each in enumerate(then)),
        tuple(replace(each, differs=number in there) for number, each in enumerate(now)),
        same=not here and not there,
    )
