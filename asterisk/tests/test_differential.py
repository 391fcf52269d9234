"""The simulator's path and what Asterisk did are the same: generated companies and calls, real phones, a real trunk, nothing played.

`DIFFERENTIAL=200` in the environment makes so many calls; a difference names its world, which `DIFFERENTIAL_SEED` makes again.
"""

import os
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from time import monotonic

import pytest

from asterisk.models import CallRecord, Node
from asterisk.tests.engine import LiveEngine, Portal, manage
from asterisk.tests.expecting import RINGS_ON, End, Expecting, Path
from asterisk.tests.phones import Call, Phone, Phones, Trunk, wait_for
from asterisk.tests.registering import AGENT
from asterisk.tests.watching import Channel, Watcher, watching
from asterisk.tests.worlds import HELD, OUTSIDE, Generator, Made, World
from phones.tests.processes import wait_until
from users.models import User

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.calls]

CALLS = int(os.environ.get("DIFFERENTIAL", "40"))
SEED = int(os.environ.get("DIFFERENTIAL_SEED", "1"))
EACH = 5  # calls of a world
AT_ONCE = 4  # worlds
# Nobody rings for longer than five seconds before a call goes on.
STILL, LONGEST = 7.0, 40.0
WORDS = {"accept": "at once"}


@dataclass
class Seen:
    """What was seen of one call."""

    rings: list[tuple[str, str]] = field(default_factory=list)  # who, and which number they saw
    end: End = ()


class Live:
    """A world with its phones switched on."""

    def __init__(self, seed: int, place: int, phones: Phones, watcher: Watcher) -> None:
        # First of all: a node asks whether the other side is there, and calls nobody who isn't.
        self.trunk: Trunk = phones.trunk(f"127.0.1.{place + 1}", 5070, answer="404", tone=0)
        self.world = world = Generator(seed, place, EACH).make(self.trunk)
        self.watcher = watcher
        answers = {number: WORDS.get(does, does) for number, does in world.numbers.items()}
        self.trunk.answers("404", answers | {HELD: "at once"})
        self.phones: dict[str, Phone] = {}
        for person in world.people.values():
            for device in person.registered:
                agent = AGENT if device == "desk" else "pbxadmin softphone"
                row = User.objects.select_related("customer").get(pk=person.row.pk)
                self.phones[person.number] = phones.of(row, answer=person.does, tone=0, user_agent=agent)
        self.before: set[str] = set()
        self.held: Call | None = None

    @property
    def lines(self) -> set[str]:
        """As Asterisk calls those of this world."""
        return {f"{number}@{self.world.customer.fqdn}" for number in self.world.people} | {
            f"trunk-{self.world.trunk.pk}"
        }

    def begin(self) -> None:
        """Somebody is on a call from now on."""
        if self.world.talking:
            self.held = self.phones[self.world.talking].call(HELD)
            assert self.held.answered_within(5), (self.world.label, self.held.code)
            self.before = {each.unique_id for each in self.channels()}

    def channels(self) -> list[Channel]:
        """Those of this world that began since, the first one first."""
        found = [each for each in self.watcher.now() if each.unique_id not in self.before]
        return sorted((each for each in found if each.line in self.lines), key=lambda each: each.order)

    def seen(self, made: Made) -> Seen:
        """Make a call, and look at what becomes of it."""
        counts = {name: len(phone.received) for name, phone in self.everybody()}
        caller = self.phones[made.caller] if made.caller else self.trunk
        call = caller.call(made.dialled) if made.caller else self.trunk.call(made.dialled, OUTSIDE)
        found = Seen(end=Observing(self, call, counts).end())
        call.hangup()
        wait_until(lambda: not self.channels(), 10, "the call is over")
        incoming = [
            (other.at("incoming"), other.dialled if name == "trunk" else name, other.from_number)
            for name, phone in self.everybody()
            for other in phone.received[counts[name] :]
        ]
        found.rings = [(who, number) for _at, who, number in sorted(incoming)]
        return found

    def everybody(self) -> Iterator[tuple[str, Phone]]:
        yield from self.phones.items()
        yield "trunk", self.trunk


class Observing:
    """One call while it lasts."""

    def __init__(self, live: Live, call: Call, counts: dict[str, int]) -> None:
        self.live, self.call, self.counts = live, call, counts
        self.pressed: dict[int, float] = {}

    def end(self) -> End:
        """Where it ended."""
        began = monotonic()
        last = (began, 0)
        while monotonic() - began < LONGEST:
            wait_for(lambda: self.call.ended or self.call.answered, 0.1)
            if self.call.ended:
                return self.how_it_ended()
            self.press()
            if self.call.answered and (found := self.connected()):
                return found
            rang = sum(len(phone.received) for _name, phone in self.live.everybody())
            if rang != last[1] or self.call.answered:
                last = (monotonic(), rang)
            elif monotonic() - last[0] > STILL:
                return RINGS_ON
        return ("nothing",)

    def how_it_ended(self) -> End:
        if self.call.redirected_to:
            return ("redirected", self.call.redirected_to.partition(":")[2].partition("@")[0])
        return ("busy",) if self.call.code == 486 else ("refused",)

    def press(self) -> None:
        """Whoever answered outside accepts, until they are heard."""
        for other in self.live.trunk.received[self.counts["trunk"] :]:
            if other.answered and not other.ended and monotonic() - self.pressed.get(other.number, 0.0) > 0.5:
                self.pressed[other.number] = monotonic()
                other.dtmf("1")

    def connected(self) -> End | None:
        """With whom, as Asterisk says; None while it is with nobody."""
        everything = self.live.watcher.now()
        mine = next(iter(self.live.channels()), None)
        if mine is None:
            return None
        if mine.app == "VoiceMail":
            return ("voicemail", mine.data.partition("@")[0])
        with_whom = [
            each
            for each in everything
            if mine.bridge and each.bridge == mine.bridge and each.unique_id != mine.unique_id
        ]
        return self.answered(with_whom[0]) if with_whom else None

    def answered(self, other: Channel) -> End | None:
        if "@" in other.line and not other.name.startswith("Local/"):
            return ("answered", other.line.partition("@")[0])
        there = [
            each
            for each in self.live.trunk.received[self.counts["trunk"] :]
            if each.answered and not each.ended
        ]
        return ("answered", there[-1].dialled) if there else None


def shown(world: World, made: Made, who: str) -> str:
    """The number that whoever rings sees."""
    if not made.caller:
        return OUTSIDE
    return world.people[made.caller].caller_id if who.startswith("+") else made.caller


def difference(world: World, made: Made, path: Path, seen: Seen) -> str:
    """What differs; "" for nothing."""
    said = []
    flat, rings = [who for who, _number in seen.rings], []
    for each in path.rings:
        here, flat = flat[: each.total()], flat[each.total() :]
        rings.append(Counter(here))
    if flat or rings != path.rings:
        said.append(f"rang {[who for who, _n in seen.rings]}, not {[dict(each) for each in path.rings]}")
    if seen.end not in path.ends:
        said.append(f"ended {seen.end}, not {sorted(path.ends)}")
    wrong = [each for each in seen.rings if each[1] != shown(world, made, each[0])]
    if wrong:
        said.append(f"numbers seen: {wrong}")
    return "; ".join(said)


@pytest.fixture
def link(portal: Portal, engine: LiveEngine) -> Iterator[None]:
    with portal.running(*manage("pbx_link"), name="link"):
        wait_until(lambda: Node.objects.filter(connected_at__isnull=False).exists(), 20, "linked")
        yield


def play(live: Live, expected: list[Path]) -> list[str]:
    """The calls of one world, one after the other; what differs."""
    live.begin()
    found = []
    for made, path in zip(live.world.calls, expected, strict=True):
        if said := difference(live.world, made, path, live.seen(made)):
            found.append(f"{live.world.label}: {made.caller or 'outside'} calls {made.dialled}: {said}")
    if live.held:
        live.held.hangup()
    return found


def told(world: World, expected: list[Path]) -> list[str]:
    """What the node told of these calls, where it isn't what was to be told."""
    count = len(expected) + bool(world.talking)
    records = CallRecord.objects.filter(customer=world.customer)
    try:
        wait_until(lambda: records.exclude(outcome="").count() == count, 10, f"{world.label}: told of")
    except AssertionError:
        seen = list(records.values_list("from_extension", "dialled", "outcome", "taken", "unique_id"))
        return [f"{world.label}: told of {seen}, not of {count}"]
    rows = list(records.order_by("at"))[bool(world.talking) :]
    return [
        f"{world.label}: {made.caller or 'outside'} calls {made.dialled}: told {row.taken}, not {path.taken}"
        for row, made, path in zip(rows, world.calls, expected, strict=True)
        if row.taken != path.taken
    ]


def test_calls_take_the_path_that_the_simulator_says(
    known: object, phones: Phones, engine: LiveEngine, link: None, capsys: pytest.CaptureFixture[str]
) -> None:
    places = range(-(-CALLS // EACH))
    faults: list[str] = []
    ends: Counter[str] = Counter()
    with watching(engine) as watcher, ThreadPoolExecutor(AT_ONCE) as threads:
        for first in places[::AT_ONCE]:
            lives = [Live(SEED + at, at, phones, watcher) for at in places[first : first + AT_ONCE]]
            paths = [[Expecting(live.world, made).expected() for made in live.world.calls] for live in lives]
            for said in threads.map(play, lives, paths):
                faults += said
            for live, expected in zip(lives, paths, strict=True):
                faults += told(live.world, expected)
                ends.update(sorted(path.ends)[0][0] for path in expected)
            phones.release(keep=len(phones.used))
            # A process of a phone has eight addresses at most: those that were trunks have had theirs.
            phones.switch_off(Trunk)
    with capsys.disabled():
        print(f"\n{sum(ends.values())} calls: {dict(ends)}; {len(faults)} differences")
    assert not faults, "\n".join(faults)
