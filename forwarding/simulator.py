"""Where a call goes, asked before anybody calls: the question as people put it, and the path drawn with the reason of each step."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from forwarding import decisions as plans
from forwarding import reasons
from forwarding.calls import Call, FromExtension, FromOutside
from forwarding.decisions import Outcome, OutgoingPlan, Plan, Step, Verdict, Why
from forwarding.hours import Schedule, instant_of
from forwarding.routing import as_dialled, dial, route
from forwarding.snapshot import CustomerDirectory, caller_of
from pbxadmin.common.fields import phone_number_e164, phone_number_national
from users.models import Customer, Did, User

FIRST_YEAR, LAST_YEAR = 2000, 2100


class State(StrEnum):
    """How the person who is called is doing, and how the ringing ends."""

    NO_ANSWER = "no_answer"
    ANSWERED = "answered"
    BUSY = "busy"
    DECLINED = "declined"
    UNREGISTERED = "unregistered"


STATE_LABELS: Mapping[State, Any] = {
    State.NO_ANSWER: gettext_lazy("nobody answers"),
    State.ANSWERED: gettext_lazy("answers"),
    State.BUSY: gettext_lazy("is on a call"),
    State.DECLINED: gettext_lazy("declines"),
    State.UNREGISTERED: gettext_lazy("has no device connected"),
}
# How the ringing ends at the person who is asked about. What "busy" and "no device" change stands in the plan already: where
# it rings all the same (a second call, the mobile), nobody answers. Everybody else whom the call reaches doesn't answer either.
_OUTCOMES: Mapping[State, Outcome] = {State.ANSWERED: Outcome.ANSWERED, State.DECLINED: Outcome.DECLINED}


@dataclass(frozen=True)
class Question:
    """A call that might be made: by whom ("" from outside with a withheld number), to what number, when, in which state."""

    to: str
    caller: str
    at: datetime
    state: State = State.NO_ANSWER


@dataclass(frozen=True)
class Drawn:
    """One step of the path as `partials/path.html` draws it."""

    title: str
    reason: str = ""
    icon: str = "divert"
    kind: str = ""
    at: str = ""


@dataclass(frozen=True)
class Answer:
    """What happens to the call: the drawn path, and the plans behind it for who wants all of it."""

    steps: tuple[Drawn, ...]
    plan: Plan | None = None
    outgoing: OutgoingPlan | None = None
    notes: tuple[str, ...] = field(default=())

    def as_data(self) -> dict[str, Any]:
        """For JSON: the path that is taken, and the whole plan with every branch."""
        outgoing = None
        if self.outgoing is not None:
            outgoing = {
                "verdict": str(self.outgoing.verdict), "number": self.outgoing.number, "caller_id": self.outgoing.caller_id,
                "reason": str(self.outgoing.reason.why),
            }  # fmt: skip
        path = [{"title": step.title, "reason": step.reason, "at": step.at} for step in self.steps]
        return {
            "path": path,
            "outgoing": outgoing,
            "plan": self.plan.as_data() if self.plan else None,
            "notes": list(self.notes),
        }


def local_moment(text: str, zone: str) -> datetime:
    """The instant at which a clock in `zone` shows what was typed ("2026-11-24T12:15"); raises `ValidationError`."""
    try:
        wall = datetime.fromisoformat(text.strip())
        if wall.tzinfo is not None or not FIRST_YEAR <= wall.year <= LAST_YEAR:
            raise ValueError(text)
    except ValueError:
        raise ValidationError(_("Enter a date and a time between the years 2000 and 2100.")) from None
    return instant_of(wall, Schedule(zone).clock)


# Whether somebody may see the settings of the person with this extension.
Sees = Callable[[str], bool]


def ask(customer: Customer, question: Question, sees: Sees = lambda extension: True) -> Answer:
    """What the call does. Raises `ValidationError` with the sentence for a number that can't be called at all.

    The path ends where it comes to somebody whose settings the reader may not see (`sees`).
    """
    inside = question.caller if question.caller.isdecimal() and len(question.caller) <= 5 else ""
    if inside:
        return _from_inside(customer, inside, question, sees)
    number = phone_number_e164(question.caller)
    to, notes = _dialled_from_outside(customer, question.to)
    if not to:
        return Answer((Drawn(notes[0], icon="stop", kind="wait"),), notes=tuple(notes[1:]))
    return _to(customer, to, FromOutside(number, notes[-1] if notes else ""), question, sees)


def _dialled_from_outside(customer: Customer, to: str) -> tuple[str, list[str]]:
    """The extension that a DID rings, or the extension itself; and, for a DID, its number."""
    text = to.strip()
    if text.isdecimal() and len(text) <= 5:
        return text, []
    number = phone_number_e164(text)
    did = Did.objects.of(customer).filter(number=number).select_related("user").first()
    if did is None:
        return "", [
            _("%(number)s is not a number of this company.") % {"number": phone_number_national(number)}
        ]
    if did.user is None:
        return "", [_("%(number)s rings nobody directly.") % {"number": phone_number_national(number)}]
    return did.user.number, [number]


def _from_inside(customer: Customer, caller: str, question: Question, sees: Sees) -> Answer:
    person = (
        User.objects.of(customer)
        .filter(number=caller)
        .select_related("primary_department", "customer")
        .first()
    )
    if person is None:
        raise ValidationError(_("Extension %(number)s doesn't exist.") % {"number": caller})
    if not sees(caller):
        raise ValidationError(_("You can't see the settings of extension %(number)s.") % {"number": caller})
    directory = _directory(customer, question, as_dialled(question.to))
    outgoing = dial(question.to, caller_of(person), question.at, directory)
    said = Drawn(
        reasons.phrase(outgoing.reason),
        icon=_OUTGOING_ICONS[outgoing.verdict],
        kind="bad" if outgoing.verdict is Verdict.REFUSED else "ok",
    )
    if outgoing.verdict is not Verdict.INTERNAL:
        return Answer((said,), outgoing=outgoing)
    answer = _to(customer, outgoing.number, FromExtension(caller), question, sees, directory)
    return Answer((said, *answer.steps), answer.plan, outgoing, answer.notes)


_OUTGOING_ICONS = {
    Verdict.EMERGENCY: "warning",
    Verdict.INTERNAL: "phone",
    Verdict.OUTSIDE: "open",
    Verdict.SERVICE: "key",
    Verdict.REFUSED: "stop",
}


def _directory(customer: Customer, question: Question, called: str) -> CustomerDirectory:
    """The customer's people; the one who is called in the state that is asked about."""
    return CustomerDirectory(
        customer, devices={called: ()} if question.state is State.UNREGISTERED else None, on_a_call=[called] if question.state is State.BUSY else (),
    )  # fmt: skip


def _to(
    customer: Customer,
    extension: str,
    origin: FromExtension | FromOutside,
    question: Question,
    sees: Sees,
    directory: CustomerDirectory | None = None,
) -> Answer:
    directory = directory or _directory(customer, question, extension)
    callee = directory.user(extension)
    if callee is None:
        system = directory.system_extension(extension)
        if system is None:
            raise ValidationError(_("Extension %(number)s doesn't exist.") % {"number": extension})
        if customer.suspended:
            cause = plans.Reason(Why.SUSPENDED)
            return Answer(
                (_draw(plans.Busy(plans.Reason(Why.BUSY_TONE, cause=cause)), timedelta(), answered=False),)
            )
        words = reasons.phrase(
            plans.Reason(
                Why.TO_SYSTEM, {"extension": system.extension, "name": system.name, "kind": system.kind}
            )
        )
        return Answer((Drawn(words[:1].upper() + words[1:], icon="users", kind="ok"),))
    plan = route(Call(origin, question.at), callee, directory)
    return Answer(drawn(plan, question, extension, sees), plan)


def drawn(
    plan: Plan, question: Question, asked: str, sees: Sees = lambda extension: True
) -> tuple[Drawn, ...]:
    """The steps that the call takes, with the time that has passed since it began; `asked` is whose state is asked about.

    Only where nobody answers does the ringing take its seconds: a call is declined at once.
    """

    def outcome_at(step: plans.Ring | plans.Outside) -> Outcome:
        whose = step.reason.data["extension"]
        return _OUTCOMES.get(question.state, Outcome.NO_ANSWER) if whose == asked else Outcome.NO_ANSWER

    found = []
    passed = timedelta()
    for step in plans.walk(plan, outcome_at):
        if isinstance(step, plans.Reach) and not sees(step.extension):
            found.append(_out_of_sight(step, passed))
            break
        outcome = outcome_at(step) if isinstance(step, plans.Ring) else None
        found.append(_draw(step, passed, answered=outcome is Outcome.ANSWERED))
        if isinstance(step, plans.Ring) and outcome is Outcome.NO_ANSWER:
            passed += timedelta(seconds=step.seconds)
    return tuple(found)


def _out_of_sight(step: plans.Reach, passed: timedelta) -> Drawn:
    """The call comes to somebody whose status and rules aren't the reader's to see."""
    at = _("+%(seconds)s s") % {"seconds": int(passed.total_seconds())} if passed else ""
    name = f"{step.extension} {step.name}".strip()
    return Drawn(name, _("From here on, rules apply that you can't see."), "lock", "wait", at)


_ICONS: Mapping[type, tuple[str, str]] = {
    plans.Reach: ("user", ""),
    plans.Ring: ("ring", "wait"),
    plans.Voicemail: ("voicemail", "ok"),
    plans.Outside: ("open", "ok"),
    plans.System: ("users", "ok"),
    plans.Busy: ("stop", "bad"),
    plans.NotRung: ("minus", "bad"),
}


def _draw(step: Step, passed: timedelta, *, answered: bool) -> Drawn:
    icon, kind = _ICONS[type(step)]
    why = reasons.phrase(step.reason)
    cause = reasons.sentence(step.reason.cause) if step.reason.cause else ""
    if step.reason.cause and step.reason.cause.why in (Why.LOOP, Why.BACK_TO_CALLER):
        icon = "loop"
    parts = [cause[:1].upper() + cause[1:]] if cause and not isinstance(step, plans.Reach) else []
    if isinstance(step, plans.Ring):
        parts = [_("and is answered")] if answered else []
        kind = "ok" if answered else kind
    if isinstance(step, plans.Outside) and step.channels:
        parts.append(
            ngettext(
                "%(count)s channel for the whole call", "%(count)s channels for the whole call", step.channels
            )
            % {"count": step.channels}
        )
    at = _("+%(seconds)s s") % {"seconds": int(passed.total_seconds())} if passed else ""
    return Drawn(why[:1].upper() + why[1:], "; ".join(parts), icon, kind, at)
