"""Companies as nobody would set them up, for calls that are compared: generated from a number, the same for the same number.

A world is a customer with four to six people, a ring group, numbers and a SIP trunk of its own. What each phone and each number of the public network does
with calls is part of it, and so are the calls that are made.
"""

from dataclasses import dataclass, field
from random import Random

from asterisk.models import Trunk as Line
from asterisk.receivers import stamp
from asterisk.tests.phones import Trunk
from asterisk.tests.saving import trunk
from forwarding.models import FROM_INSIDE, FROM_OUTSIDE, ForwardingRule
from pbxadmin.common.values.destinations import Destination
from phones.tests.factories import make_phone
from users.models import Customer, Did, SystemExtension, User
from users.tests.factories import details, make_customer, make_users
from voicemail.models import Mailbox

# What a phone does with a call, by how often; `ring` costs five seconds.
PHONES = {"busy": 3, "decline": 4, "404": 3, "480": 4, "after 0.5": 5, "503": 1, "ring": 1}
# And what somebody outside does: `accept` answers and presses 1.
NUMBERS = {"accept": 3, "busy": 3, "decline": 1}
HELD = "+15145559999"  # whom somebody is talking to all the time
OUTSIDE = "+14185550177"  # who calls from outside
DEPARTMENT = "+15145550100"  # as the factory has it
GROUP = "800"


@dataclass
class Person:
    """Somebody, with the devices that are registered ("desk", "app") and what all of them do with a call."""

    number: str
    registered: tuple[str, ...]
    does: str
    row: User
    caller_id: str


@dataclass(frozen=True)
class Made:
    """A call: `caller` is an extension or "" for one from outside."""

    caller: str
    dialled: str


@dataclass
class World:
    """A company and what happens around it."""

    seed: int
    customer: Customer
    trunk: Line
    people: dict[str, Person] = field(default_factory=dict)
    numbers: dict[str, str] = field(default_factory=dict)  # of the public network, and what happens there
    dids: list[str] = field(default_factory=list)
    talking: str = ""  # who is on a call all the time
    calls: list[Made] = field(default_factory=list)

    @property
    def label(self) -> str:
        """For whoever looks for a fault."""
        return f"world {self.seed}"


class Generator:
    """Makes one world."""

    def __init__(self, seed: int, place: int, calls: int) -> None:
        self.random, self.seed, self.place, self.count = Random(seed), seed, place, calls

    def chance(self, share: float) -> bool:
        """True so many times of one."""
        return self.random.random() < share

    def one_of(self, weights: dict[str, int]) -> str:
        """One of them, by weight."""
        return self.random.choices(list(weights), list(weights.values()))[0]

    def make(self, other_side: Trunk) -> World:
        """The world in the tables, with a SIP trunk to `other_side`."""
        slug = f"w{self.place}"
        facts = {
            "name": f"Monde {self.seed}",
            "sip_trunk_channels": 30,
            "supports_deflection": self.chance(0.7),
        }
        customer = make_customer(slug, **facts)
        self.world = World(self.seed, customer, trunk(other_side, customer, channels="30"))
        self.numbers()
        self.people()
        self.group()
        self.rules()
        self.calls()
        if self.chance(0.06):
            Customer.objects.filter(pk=customer.pk).update(suspended=True)
            self.nobody_is_served()
        customer.refresh_from_db()
        stamp([customer.pk])
        return self.world

    def numbers(self) -> None:
        """Five numbers of the public network, of which three may be mobiles; and those of the company."""
        base = 1000 + self.place * 20
        self.world.numbers = {f"+1418555{base + each}": self.one_of(NUMBERS) for each in range(6)}
        self.world.dids = [f"+1438555{base + each}" for each in range(5)]

    def people(self) -> None:
        numbers = [str(101 + each) for each in range(self.random.randint(4, 6))]
        rows = make_users(self.world.customer, *(details(number, "Poste", number) for number in numbers))
        for row in rows:
            self.person(row)
        free = [p.number for p in self.world.people.values() if p.registered and not p.row.outbound_disabled]
        if free and self.chance(0.5):
            self.world.talking = self.random.choice(free)

    def person(self, row: User) -> None:
        """One of them: with a desk phone in the tables, or an app."""
        row.disabled = self.chance(0.05)
        row.status = self.one_of(
            {"available": 5, "lunch": 2, "away": 1, "do_not_disturb": 1, "business_trip": 1}
        )
        row.call_screening = self.chance(0.1)
        row.outbound_disabled = self.chance(0.1)
        row.outbound_caller_id = self.random.choice(["", self.world.dids[0]])
        # A mobile may be one of the company's own numbers.
        row.mobile = self.random.choice([*list(self.world.numbers)[:3], self.world.dids[1], ""])
        names = ("disabled", "status", "call_screening", "outbound_disabled", "outbound_caller_id", "mobile")
        User.objects.filter(pk=row.pk).update(**{name: getattr(row, name) for name in names})
        Mailbox.objects.filter(user=row).update(enabled=self.chance(0.85))
        desk = self.chance(0.5)
        if desk:
            make_phone(self.world.customer, row)
        there = not row.disabled and self.chance(0.8)
        registered = (("desk",) if desk else ("app",)) if there else ()
        self.world.people[row.number] = Person(
            row.number, registered, self.one_of(PHONES), row, row.outbound_caller_id or DEPARTMENT
        )

    def group(self) -> None:
        """A ring group, a queue or a digital receptionist; and the numbers, of which the last is nobody's."""
        customer, people = self.world.customer, list(self.world.people.values())
        kind = self.one_of({"ring_group": 3, "queue": 1, "ivr": 1})
        made = SystemExtension.objects.create(customer=customer, number=GROUP, name="Groupe", kind=kind)
        made.members.set(p.row for p in self.random.sample(people, self.random.randint(1, len(people))))
        to: list[dict[str, object]] = [{"user": self.random.choice(people).row} for _ in range(3)]
        for number, leads in zip(self.world.dids, [*to, {"system_extension": made}, {}], strict=True):
            Did.objects.create(customer=customer, number=number, **leads)

    def rules(self) -> None:
        """Each status of everybody."""
        rules = list(ForwardingRule.objects.filter(user__customer=self.world.customer))
        keys = {person.row.pk: number for number, person in self.world.people.items()}
        for rule in sorted(rules, key=lambda each: (each.user_id, each.status)):
            rule.no_answer_seconds = 5
            for name in (*FROM_OUTSIDE, *FROM_INSIDE):
                text = self.destination(keys[rule.user_id], outside=name in FROM_OUTSIDE)
                setattr(rule, name, Destination.parse(text))
            rule.ring_mobile = self.chance(0.15)
            rule.accept_multiple_calls = self.chance(0.6)
            rule.accept_ring_group_calls = self.chance(0.7)
            rule.log_out_of_queues = self.chance(0.2)
            rule.accept_push = self.chance(0.75)
            rule.voicemail_out_of_hours_external = self.chance(0.2)
            rule.voicemail_out_of_hours_internal = self.chance(0.2)
        names = [
            "no_answer_seconds", *FROM_OUTSIDE, *FROM_INSIDE, "ring_mobile", "accept_multiple_calls", "accept_ring_group_calls",
            "log_out_of_queues", "accept_push", "voicemail_out_of_hours_external", "voicemail_out_of_hours_internal",
        ]  # fmt: skip
        ForwardingRule.objects.bulk_update(rules, names)

    def destination(self, owner: str, *, outside: bool) -> str:
        """Where a rule of somebody sends calls: seldom to themselves."""
        weights = {"voicemail": 3, "extension": 5, "mailbox": 2, "external": 4, "system": 2, "busy": 1}
        kind = self.one_of(weights | ({"mobile": 2} if outside else {"same": 2}))
        others = [number for number in self.world.people if number != owner or self.chance(0.1)]
        colleague = self.random.choice(others)
        modifier = self.random.choice(["", "?bounce", "?bounce", "?deflect"]) if outside else ""
        match kind:
            case "extension":
                return f"extension:{colleague}"
            case "mailbox":
                return f"extension:{colleague}?voicemail"
            case "external":
                own = self.world.dids[2:4] if self.chance(0.2) else list(self.world.numbers)
                return f"external:{self.random.choice(own)}{modifier}"
            case "mobile":
                return f"mobile{modifier}"
            case "system":
                return f"system:{GROUP}"
            case _:
                return kind

    def calls(self) -> None:
        """Who calls whom: from every phone that is there, and from outside."""
        able = [
            p.number for p in self.world.people.values() if p.registered and p.number != self.world.talking
        ]
        for _ in range(self.count):
            if able and self.chance(0.6):
                self.world.calls.append(Made(self.random.choice(able), self.dialled()))
            else:
                did = self.random.choices(self.world.dids, [3, 3, 3, 3, 1])[0]
                self.world.calls.append(Made("", did))

    def dialled(self) -> str:
        """What somebody dials on a phone."""
        kind = self.one_of({"colleague": 12, "group": 2, "did": 1, "outside": 2, "nobody": 1, "premium": 1})
        return {
            "colleague": self.random.choice(list(self.world.people)),
            "group": GROUP,
            "did": self.random.choice(self.world.dids)[2:],
            "outside": self.random.choice(list(self.world.numbers))[2:],
            "nobody": "199",
            "premium": "19005551234",
        }[kind]

    def nobody_is_served(self) -> None:
        """The customer is suspended: no phone is let in."""
        self.world.talking = ""
        for person in self.world.people.values():
            person.registered = ()
        self.world.calls = [Made("", self.random.choice(self.world.dids)) for _ in self.world.calls]
