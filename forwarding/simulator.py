"""Where a call goes, asked before anybody calls: the question as people put it, and the path drawn with the reason of each step."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from forwarding import decisions, reasons
from forwarding.asking import NoSuchCallerError, plan_call, plans_of_members
from forwarding.calls import Callee, FromExtension, FromOutside, StatusRule
from forwarding.decisions import CallPlan, Dialled, Outcome, Step, Verdict, Why
from forwarding.hours import Schedule, instant_of
from forwarding.routing import extension_of, is_extension
from forwarding.snapshot import CustomerDirectory, Supposing, greeting_names
from pbxadmin.common.fields import phone_number_e164
from pbxadmin.common.values.devices import Device
from pbxadmin.common.values.short_codes import as_dialled
from pbxadmin.common.values.statuses import Status
from users.models import Customer, SystemExtension

FIRST_YEAR, LAST_YEAR = 2000, 2100


class State(StrEnum):
    """How the person who is called is doing, and how the ringing ends."""

    NO_ANSWER = "no_answer"
    ANSWERED = "answered"
    BUSY = "busy"
    DECLINED = "declined"
    UNREGISTERED = "unregistered"


STATE_LABELS: Mapping[State, Any] = {
    State.NO_ANSWER: gettext_lazy("doesn't answer"),
    State.ANSWERED: gettext_lazy("answers"),
    State.BUSY: gettext_lazy("is on a call"),
    State.DECLINED: gettext_lazy("declines"),
    State.UNREGISTERED: gettext_lazy("has no device connected"),
}
# How the ringing ends at the person who is asked about. What "busy" and "no device" change stands in the call plan already: where
# it rings all the same (a second call, the mobile), nobody answers. Everybody else whom the call reaches doesn't answer either.
_OUTCOMES: Mapping[State, Outcome] = {State.ANSWERED: Outcome.ANSWERED, State.DECLINED: Outcome.DECLINED}


@dataclass(frozen=True)
class Question:
    """A call that might be made: by whom ("" from outside with a withheld number), to what number, when, in which state.

    `status` and `rules`: what is supposed of the person who is called instead of what is saved.
    """

    to: str
    caller: str
    at: datetime
    state: State = State.NO_ANSWER
    status: Status | None = None
    rules: Mapping[Status, StatusRule] = field(default_factory=dict)


@dataclass(frozen=True)
class WhatIf:
    """The switches of the page as `forwarding.calls.Presence`: one person in the state that is asked about, everybody else reachable."""

    extension: str
    state: State

    def registered(self, extension: str, device: Device) -> bool:
        """Whatever was ever there; of this person nothing, where that is the state."""
        return device.seen and (self.state is not State.UNREGISTERED or extension != self.extension)

    def on_a_call(self, extension: str) -> bool:
        """This person alone, where that is the state."""
        return self.state is State.BUSY and extension == self.extension


@dataclass(frozen=True)
class Drawn:
    """One step of the path as `partials/path.html` draws it."""

    title: str
    reason: str = ""
    icon: str = "divert"
    kind: str = ""
    at: str = ""
    differs: bool = False  # from another path that is drawn beside it


@dataclass(frozen=True)
class Answer:
    """What happens to the call: the drawn path, and what stands behind it for whoever wants all of it."""

    steps: tuple[Drawn, ...]
    plan: CallPlan | None = None
    dialled: Dialled | None = None

    def as_data(self) -> dict[str, Any]:
        """For JSON: the path that is taken, and the whole plan with every branch."""
        return {
            "path": [{"title": step.title, "reason": step.reason, "at": step.at} for step in self.steps],
            "outgoing": self.dialled.for_json() if self.dialled else None,
            "plan": self.plan.as_data() if self.plan else None,
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
    inside = is_extension(question.caller)
    to = question.to if inside else _dialled_from_outside(question.to)
    directory = CustomerDirectory(customer)
    asked = extension_of(as_dialled(to), directory)
    if question.status or question.rules:
        directory = Supposing(customer, asked, question.status, question.rules)
    origin = (
        FromExtension(question.caller)
        if inside
        else FromOutside(phone_number_e164(question.caller), "" if is_extension(to) else to)
    )
    presence = WhatIf(asked, question.state)
    try:
        planned = plan_call(customer, origin, to, question.at, presence, directory=directory)
    except NoSuchCallerError:
        raise ValidationError(
            _("Extension %(number)s doesn't exist.") % {"number": question.caller}
        ) from None
    if inside and not sees(question.caller):
        raise ValidationError(
            _("You can't see the settings of extension %(number)s.") % {"number": question.caller}
        )
    first = (draw_dialled(planned.dialled),) if planned.dialled else ()
    if planned.plan is None:
        return Answer(first, None, planned.dialled)
    path = drawn(planned.plan, question, asked, directory, sees)
    return Answer((*first, *path), planned.plan, planned.dialled)


def _dialled_from_outside(text: str) -> str:
    """What a caller from outside dials, an extension or a number in E.164."""
    text = text.strip()
    return text if is_extension(text) else phone_number_e164(text)


def draw_dialled(dialled: Dialled) -> Drawn:
    """Where a number that somebody dialled goes."""
    return Drawn(
        reasons.phrase(dialled.reason),
        icon=_DIALLED_ICONS[dialled.verdict],
        kind="bad" if dialled.verdict is Verdict.REFUSED else "ok",
    )


_DIALLED_ICONS = {
    Verdict.EMERGENCY: "warning",
    Verdict.INTERNAL: "phone",
    Verdict.OUTSIDE: "open",
    Verdict.SERVICE: "key",
    Verdict.REFUSED: "stop",
}


def drawn(
    plan: CallPlan,
    question: Question,
    asked: str,
    directory: CustomerDirectory,
    sees: Sees = lambda extension: True,
) -> tuple[Drawn, ...]:
    """The steps that the call takes, with the time that has passed since it began; `asked` is whose state is asked about.

    Only where nobody answers does the ringing take its seconds: a call is declined at once. Raises `ValidationError` for an
    extension that doesn't exist.
    """
    end = plan.first.reason.cause if isinstance(plan.first, decisions.Busy) else None
    if end is not None and end.why is Why.UNKNOWN_EXTENSION:
        raise ValidationError(_("Extension %(number)s doesn't exist.") % {"number": end.data["extension"]})
    if end is not None and end.why is Why.UNKNOWN_NUMBER:
        return (Drawn(reasons.phrase(end), icon="stop", kind="wait"),)
    if end is not None and end.why is Why.LEADS_NOWHERE:
        return (
            Drawn(reasons.phrase(end), icon="stop", kind="wait"),
            Drawn(_("The caller hears the busy tone"), _("Choose whom the number rings."), "stop", "bad"),
        )

    def outcome_at(step: decisions.Ring | decisions.Outside) -> Outcome:
        whose = step.reason.data["extension"]
        return _OUTCOMES.get(question.state, Outcome.NO_ANSWER) if whose == asked else Outcome.NO_ANSWER

    found = []
    passed = timedelta()
    steps = decisions.walk(plan, outcome_at)
    greetings = greeting_names(step.greeting for step in steps if isinstance(step, decisions.Voicemail))
    for step in steps:
        if isinstance(step, decisions.Reach) and not sees(step.extension):
            found.append(out_of_sight(step, passed))
            break
        outcome = outcome_at(step) if isinstance(step, decisions.Ring) else None
        found.append(draw_step(step, passed, greetings, outcome or ""))
        # Of a status that doesn't ring, a phone that has never connected explains nothing.
        if (
            isinstance(step, decisions.Reach)
            and step.status.rings
            and (absent := _never_there(directory.user(step.extension)))
        ):
            found[-1] = replace(found[-1], reason="; ".join(filter(None, (found[-1].reason, absent))))
        if isinstance(step, decisions.System) and step.kind != SystemExtension.Kind.IVR:
            queue = step.kind == SystemExtension.Kind.QUEUE
            presence = WhatIf(asked, question.state)
            found += _members(
                plans_of_members(plan.call, step.extension, directory, presence, queue=queue), sees, queue
            )
        if isinstance(step, decisions.Ring) and outcome is Outcome.NO_ANSWER:
            passed += timedelta(seconds=step.seconds)
    return tuple(found)


def _never_there(callee: Callee | None) -> str:
    """Which phones of a person have never been connected; "" for none."""
    absent = [device.label for device in callee.devices if not device.seen] if callee else []
    if not absent:
        return ""
    return ngettext(
        "%(phones)s has never connected: it doesn't ring.",
        "%(phones)s have never connected: they don't ring.",
        len(absent),
    ) % {"phones": ", ".join(absent)}


# So many members of a ring group or queue are named; of more only how many there are.
MOST_MEMBERS = 12


def _members(plans: Sequence[tuple[Callee, CallPlan]], sees: Sees, queue: bool) -> list[Drawn]:
    """Whom a ring group or queue rings, and whom it leaves out with the reason, as far as the reader may see it.

    A queue rings its agents one after the other or all at once, as the PBX has it set up: who they are is the same.
    """
    rung, left_out = [], []
    for member, plan in plans:
        who = f"{member.extension} {member.name}".strip()
        *_before, end = decisions.walk(plan, lambda _step: Outcome.ANSWERED)
        if not sees(member.extension):
            left_out.append(Drawn(who, _("From here on, rules apply that you can't see."), "lock", "wait"))
        elif isinstance(end, decisions.Ring):
            rung.append(who)
        else:
            cause = reasons.sentence(end.reason.cause) if end.reason.cause else ""
            title = reasons.phrase(end.reason)
            left_out.append(Drawn(title[:1].upper() + title[1:], cause, "minus", "bad"))
    found = []
    if rung:
        names = ", ".join(rung[:MOST_MEMBERS])
        if more := len(rung) - MOST_MEMBERS:
            names += (
                " " + ngettext("and %(count)s more", "and %(count)s more", more) % {"count": more}
                if more > 0
                else ""
            )
        rings = _("The queue rings %(people)s") if queue else _("The group rings %(people)s")
        found.append(Drawn(rings % {"people": names}, icon="ring", kind="wait"))
    elif not plans or all(each.icon != "lock" for each in left_out):
        nobody = _("The queue rings nobody") if queue else _("The group rings nobody")
        found.append(Drawn(nobody, "" if plans else _("It has no members."), "stop", "bad"))
    return found + left_out[:MOST_MEMBERS]


def out_of_sight(step: decisions.Reach, passed: timedelta) -> Drawn:
    """The call comes to somebody whose status and rules aren't the reader's to see."""
    at = _("+%(seconds)s s") % {"seconds": int(passed.total_seconds())} if passed else ""
    name = f"{step.extension} {step.name}".strip()
    return Drawn(name, _("From here on, rules apply that you can't see."), "lock", "wait", at)


_ICONS: Mapping[type, tuple[str, str]] = {
    decisions.Reach: ("user", ""),
    decisions.Ring: ("ring", "wait"),
    decisions.Voicemail: ("voicemail", "ok"),
    decisions.Outside: ("open", "ok"),
    decisions.System: ("users", "ok"),
    decisions.Busy: ("stop", "bad"),
    decisions.NotRung: ("minus", "bad"),
}


def draw_step(step: Step, passed: timedelta, greetings: Mapping[str, str], how: str) -> Drawn:
    """One step, with the time that has passed until then; `how` its ringing ends, as an `Outcome` or in a node's word for it."""
    icon, kind = _ICONS[type(step)]
    reason = step.reason
    if isinstance(step, decisions.Ring):
        reason = replace(reason, data={**reason.data, **_rung(step, how)})
    why = reasons.phrase(reason, greetings)
    if reason.cause and reason.cause.why in (Why.LOOP, Why.BACK_TO_CALLER):
        icon = "loop"
    parts = [said] if (said := _led_here(step, greetings)) else []
    if isinstance(step, decisions.Ring) and how == Outcome.ANSWERED:
        parts, kind = [_("and is answered")], "ok"
    if isinstance(step, decisions.Outside) and step.channels:
        parts.append(
            ngettext(
                "%(count)s channel for the whole call", "%(count)s channels for the whole call", step.channels
            )
            % {"count": step.channels}
        )
    at = _("+%(seconds)s s") % {"seconds": int(passed.total_seconds())} if passed else ""
    return Drawn(why[:1].upper() + why[1:], "; ".join(parts), icon, kind, at)


def _rung(step: decisions.Ring, how: str) -> dict[str, bool]:
    """How the phrase of a ringing is put: as long as it may last, where it ended before; or that nothing rings at all."""
    silent = how == Outcome.NOT_REGISTERED and not step.mobile
    return {"silent": silent, "at_most": not silent and how not in ("", Outcome.NO_ANSWER)}


def _led_here(step: Step, greetings: Mapping[str, str]) -> str:
    """What led to a step, as a sentence; of a person whom the call comes to from another one, with whose rule that was."""
    cause = step.reason.cause
    if cause is None or isinstance(step, decisions.Ring):
        return ""
    said = reasons.sentence(cause, greetings)
    if isinstance(step, decisions.Reach):
        by = cause.data.get("extension", "")
        words = {"extension": by, "why": said[:1].lower() + said[1:]}
        return _("Forwarded by %(extension)s: %(why)s") % words if by else ""
    return said[:1].upper() + said[1:]
