"""What the simulator says of a call in a generated world, as what can be seen of it: who rings, one after the other, and where it ends.

The plan and its way are the simulator's; how phones and numbers behave is the world's. Nothing here knows how a plan is written for Asterisk.
"""

from collections import Counter
from dataclasses import dataclass, field

from django.utils import timezone

from asterisk.tests.worlds import OUTSIDE, Made, World
from forwarding.asking import PlannedCall, plan_call, plans_of_members
from forwarding.calls import FromExtension, FromOutside, Presence
from forwarding.decisions import (
    Busy,
    CallPlan,
    Mode,
    Outcome,
    Outside,
    Ring,
    Step,
    System,
    Verdict,
    Voicemail,
    walk,
)
from forwarding.routing import EVERYTHING_REGISTERED
from forwarding.snapshot import CustomerDirectory
from pbxadmin.common.values.devices import Device

End = tuple[str, ...]
# How ringing ends by what a phone or a number does. The first of these that any of those who ring does decides.
ENDS = {
    "after 0.5": Outcome.ANSWERED, "accept": Outcome.ANSWERED, "ring": Outcome.NO_ANSWER, "480": Outcome.NO_ANSWER, "busy": Outcome.BUSY,
    "decline": Outcome.DECLINED, "404": Outcome.NOT_REGISTERED, "503": Outcome.NOT_REGISTERED,
}  # fmt: skip
BUSY: End = ("busy",)
RINGS_ON: End = ("rings on",)


@dataclass
class Path:
    """`rings`: for each step those who ring at once, `102` or a number; `ends`: where it may end; `taken`: how each ringing ended."""

    rings: list[Counter[str]] = field(default_factory=list)
    ends: set[End] = field(default_factory=set)
    taken: list[str] = field(default_factory=list)


class Really(Presence):
    """What is really registered, and who is really on a call."""

    def __init__(self, world: World, caller: str) -> None:
        self.world, self.caller = world, caller

    def registered(self, extension: str, device: Device) -> bool:
        return ("app" if device.push else "desk") in self.world.people[extension].registered

    def on_a_call(self, extension: str) -> bool:
        return extension in (self.caller, self.world.talking)


def planned(world: World, made: Made, presence: Presence) -> PlannedCall:
    """The simulator's answer."""
    origin = FromExtension(made.caller) if made.caller else FromOutside(OUTSIDE, made.dialled)
    return plan_call(world.customer, origin, made.dialled, timezone.now(), presence)


class Expecting:
    """One call."""

    def __init__(self, world: World, made: Made) -> None:
        self.world, self.made, self.presence = world, made, Really(world, made.caller)
        self.path = Path()

    def expected(self) -> Path:
        """What is to be seen of it, and what is to be told of it."""
        found = planned(self.world, self.made, self.presence)
        if found.plan:
            for step in self.way(found.plan):
                self.see(step, found.plan)
            # A node plans as if everything were registered, and finds out itself: it must come to the same end.
            everything = planned(self.world, self.made, EVERYTHING_REGISTERED).plan
            assert everything
            way = self.way(everything)
            self.path.taken = [told for step in way if (told := self.told(step, everything))]
        elif found.dialled and found.dialled.verdict is Verdict.OUTSIDE:
            self.outside("+1" + self.made.dialled.removeprefix("+1"))
            self.path.taken = [self.told_of_number("+1" + self.made.dialled)]
        else:
            self.path.ends = {("refused",)}
        return self.path

    def way(self, plan: CallPlan) -> tuple[Step, ...]:
        return walk(plan, self.outcome)

    # How it goes on

    def outcome(self, step: Ring | Outside) -> Outcome:
        """How a step ends."""
        if isinstance(step, Outside):
            return Outcome.ANSWERED if self.world.numbers[step.number] == "accept" else Outcome.DECLINED
        if step.one_call and self.presence.on_a_call(step.extension):
            return Outcome.BUSY
        devices = self.devices(step)
        if not devices and not step.mobile:
            return Outcome.NOT_REGISTERED
        does = {self.world.people[step.extension].does} if devices else set()
        does |= {self.world.numbers[step.mobile]} if step.mobile else set()
        return next(outcome for what, outcome in ENDS.items() if what in does)

    def devices(self, step: Ring) -> list[str]:
        """What rings of somebody now."""
        there = self.world.people[step.extension].registered
        return [each for each in there if step.apps or each == "desk"]

    def members(self, step: System, plan: CallPlan) -> list[Ring]:
        """Who of a group rings."""
        directory = CustomerDirectory(self.world.customer)
        found = plans_of_members(
            plan.call, step.extension, directory, self.presence, queue=step.kind == "queue"
        )
        return [last for _who, each in found if isinstance(last := each.steps()[-1], Ring)]

    # What is seen

    def see(self, step: Step, plan: CallPlan) -> None:
        """One step of the way."""
        match step:
            case Ring():
                self.ring(step)
            case Voicemail():
                self.path.ends = {("voicemail", step.extension)}
            case Outside(mode=Mode.DEFLECT):
                self.path.ends = {("redirected", step.number)}
            case Outside():
                self.outside(step.number, attempts=step.attempts)
            case System():
                self.system(self.members(step, plan))
            case Busy():
                self.path.ends = {BUSY}

    def ring(self, step: Ring) -> None:
        does = self.world.people[step.extension].does
        rings = Counter(dict.fromkeys([step.extension], len(step.devices)))
        self.path.ends = {("answered", step.extension)} if does == "after 0.5" and step.devices else set()
        if step.mobile:
            rings[step.mobile] += 1
            if self.world.numbers[step.mobile] == "accept":
                self.path.ends.add(("answered", step.mobile))
        self.path.rings.append(+rings)

    def outside(self, number: str, attempts: int = 1) -> None:
        """A number is called; a second time where the first failed and acceptance is asked for."""
        does = self.world.numbers.get(number)
        self.path.rings += [Counter([number])] * (attempts if does == "busy" else 1)
        self.path.ends = {{"accept": ("answered", number), "busy": BUSY}.get(does or "", ("refused",))}

    def system(self, rings: list[Ring]) -> None:
        does = {ring.extension: self.world.people[ring.extension].does for ring in rings}
        if rings:
            self.path.rings.append(Counter({ring.extension: len(ring.devices) for ring in rings}))
        answer: set[End] = {("answered", number) for number, what in does.items() if what == "after 0.5"}
        self.path.ends = answer or ({RINGS_ON} if "ring" in does.values() else {BUSY})

    # What is told

    def told(self, step: Step, plan: CallPlan) -> str:
        """How the node says that a step ended; "" for one that doesn't ring."""
        match step:
            case Ring() | Outside(mode=Mode.BOUNCE):
                return str(self.outcome(step))
            case Outside(mode=Mode.DEFLECT):
                return "deflected"
            case Outside():
                return self.told_of_number(step.number)
            case System():
                does = {self.world.people[ring.extension].does for ring in self.members(step, plan)}
                return "answered" if "after 0.5" in does else "given_up" if "ring" in does else "no_answer"
            case _:
                return ""

    def told_of_number(self, number: str) -> str:
        """A number that isn't the world's is one of the company's that leads nowhere: the provider doesn't know it either."""
        said = {"accept": "answered", "busy": "busy", "decline": "no_answer"}
        return said[self.world.numbers[number]] if number in self.world.numbers else "unreachable"
