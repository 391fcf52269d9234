"""PURE: the plan of a call as the dialplan carries it out: one step a line, its words parted by commas, lines parted by `|`.

    ok,<shown as>,<channels of the contract>,<first step>,<host name>,<customer>,<language>,<words of the first step>    the first line
    ring,<extension>,<seconds>,<one call>,<apps>,<mobile>,<no answer>,<busy>,<not registered>,<declined>,<for whom>
    voicemail,<extension>,<sound>,<language>,<mailbox>
    out,<ways>,<for whom>
    emergency,<ways>
    bounce,<ways>,<attempts>,<asks the name>,<what is said>,<otherwise>,<for whom>
    deflect,<number>
    group,<members>,<seconds>
    mailbox,<asks the PIN>,<mailbox>
    code,<dialled>
    pin
    say,<prompts>,<cause>
    busy

Steps are named by the number of their line, the first line of all being 1. Yes is 1. Ways are `<trunk>/<its channels>/<where the number is>` parted by `&`,
tried one after the other; of a call that goes on for somebody the provider is told their number, `for whom`. A member is an extension, with
`c` where it takes one call at a time, and `n` where its apps don't ring. Every line ends with a comma, and no word holds anything but letters,
digits and `@.:+*#_&/-[]`: nothing that a person typed can become a word of the dialplan.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from forwarding.decisions import (
    Busy,
    CallPlan,
    Dialled,
    Mode,
    NotRung,
    Outcome,
    Outside,
    Reach,
    Ring,
    Step,
    System,
    Verdict,
    Voicemail,
    Why,
)
from pbxadmin.common.values import dial_codes

SAFE = re.compile(r"[][A-Za-z0-9@.:+*#_&/,-]*\Z")
# How long the members of a group ring, and those of a queue, in seconds.
RINGS_FOR = {"ring_group": 60, "queue": 300, "ivr": 60}
# What a person hears who dialled what isn't possible, and the cause with which the call ends (Q.850).
HEARD = {
    Why.BAD_NUMBER: ("cannot-complete-as-dialed", 28),
    Why.NO_SUCH_EXTENSION: ("pbx-invalid", 1),
    Why.CALLER_DISABLED: ("ss-noservice", 21),
    Why.CALLER_SUSPENDED: ("ss-noservice", 21),
    Why.OUTSIDE_CALLS_DISABLED: ("feature-not-avail-line", 21),
    Why.OUTSIDE_CALLS_OUT_OF_HOURS: ("feature-not-avail-line&please-try-call-later", 21),
    Why.PIN_NEEDED: ("privacy-incorrect", 21),
    Why.PREMIUM_NUMBER: ("feature-not-avail-line", 21),
}


FIRST = 2  # the line of the first step


class UnsafeWordError(ValueError):
    """A word of a plan holds what the dialplan could read as something else."""


@dataclass(frozen=True, slots=True)
class Around:
    """What the tables know beside the plan itself."""

    fqdn: str
    customer: str  # the slug
    language: str  # in which strangers are spoken to
    # A number in E.164 → its ways, over the trunks that the customer has.
    ways: Callable[[str], str]
    channels: int  # of the contract, that this node may use: without those in use at others
    # (extension, key of the greeting) → the sound, "" where Asterisk speaks by itself; the language in which it speaks; the mailbox.
    mailbox: Callable[[str, str], tuple[str, str, str]]
    # A ring group, queue or digital receptionist → who of it is rung, as above.
    members: Callable[[System], Iterable[str]]
    # A number in E.164 as the trunk from which the call came dials it; "" where it came from none.
    deflected: Callable[[str], str]
    # An extension → the number with which its calls go on to outside numbers.
    diverting: Callable[[str], str]
    # The mailbox of whoever calls, "" for none; whether it asks for a PIN.
    messages: Callable[[], tuple[str, bool]]
    shown: str = ""  # as whom the call is shown outside, in E.164
    announced: str = ""  # the number that is said to whoever is asked to accept, digits


def line(*words: str | int | bool) -> str:
    """One line of the plan."""
    texts = [word if isinstance(word, str) else str(int(word)) for word in words]
    joined = ",".join(texts) + ","
    if not SAFE.match(joined) or joined.count(",") != len(texts):
        raise UnsafeWordError(f"{joined!r} can't stand in a plan")
    return joined


def of_plan(plan: CallPlan, around: Around) -> str:
    """A call that comes to the company's own numbers."""
    steps = [step for step in plan.steps() if not isinstance(step, Reach)]
    places = {id(step): number for number, step in enumerate(steps, start=FIRST)}

    def place(step: Step | None) -> int:
        while isinstance(step, Reach):
            step = step.next
        return places[id(step)] if step is not None else 0

    return _joined(around, place(plan.first), [_step(step, place, around) for step in steps])


def of_dialled(dialled: Dialled, around: Around) -> str:
    """A call that somebody makes and that leaves the company, is refused, or is the phone system's own."""
    match dialled.verdict:
        case Verdict.OUTSIDE:
            step = line("out", around.ways(dialled.number), "")
        case Verdict.EMERGENCY:
            step = line("emergency", around.ways(dialled.number))
        case Verdict.SERVICE:
            step = _service(dialled, around)
        case _:
            step = line("say", *HEARD[dialled.reason.why])
    return _joined(around, FIRST, [step])


def _service(dialled: Dialled, around: Around) -> str:
    """What the phone system answers itself."""
    if dialled.reason.why is Why.PIN_CODE:
        return line("pin")
    if dialled.number in dial_codes.STATUSES:
        return line("code", dialled.number)
    box, asks = around.messages() if dialled.number == dial_codes.VOICEMAIL else ("", False)
    return line("mailbox", asks, box) if box else line("say", *HEARD[Why.OUTSIDE_CALLS_DISABLED])


def nobody() -> str:
    """The plan of a call to a number that is nobody's."""
    return _said("ss-noservice", 1)


def refused() -> str:
    """The plan of a call of somebody who isn't known, or not any more."""
    return _said(*HEARD[Why.CALLER_DISABLED])


def _said(prompts: str, cause: int) -> str:
    return "|".join([line("ok", "", 0, FIRST, "", "", ""), line("say", prompts, cause)])


def _joined(around: Around, first: int, steps: list[str]) -> str:
    head = line("ok", around.shown, around.channels, first, around.fqdn, around.customer, around.language)
    return "|".join([head + steps[first - FIRST], *steps])


def _step(step: Step, place: Callable[[Step | None], int], around: Around) -> str:
    match step:
        case Ring():
            mobile = around.ways(step.mobile) if step.mobile else ""
            after = [place(step.on.get(outcome)) for outcome in AFTER_RINGING]
            whom = around.diverting(step.extension) if mobile else ""
            return line("ring", step.extension, step.seconds, step.one_call, step.apps, mobile, *after, whom)
        case Voicemail():
            return line("voicemail", step.extension, *around.mailbox(step.extension, step.greeting))
        case Outside(mode=Mode.BOUNCE):
            return line(
                "bounce", around.ways(step.number), step.attempts, step.screening,
                spoken(around.announced), place(step.on.get(Outcome.DECLINED)), _whom(step, around),
            )  # fmt: skip
        case Outside(mode=Mode.DEFLECT) if number := around.deflected(step.number):
            return line("deflect", number)
        case Outside():
            return line("out", around.ways(step.number), _whom(step, around))
        case System():
            return line("group", "&".join(around.members(step)), RINGS_FOR[step.kind])
        case Busy() | NotRung() | Reach():
            return line("busy")


AFTER_RINGING = (Outcome.NO_ANSWER, Outcome.BUSY, Outcome.NOT_REGISTERED, Outcome.DECLINED)


def member(ring: Ring) -> str:
    """Somebody of a group who is rung, and how."""
    return f"{ring.extension}{'c' * ring.one_call}{'n' * (not ring.apps)}"


def _whom(step: Outside, around: Around) -> str:
    return around.diverting(step.reason.data["extension"])


def spoken(number: str) -> str:
    """A number as the prompts that say it, digit by digit; "" is an unknown caller."""
    digits = [each for each in number if each.isascii() and each.isdecimal()]
    return "&".join(f"digits/{each}" for each in digits) or "from-unknown-caller"
