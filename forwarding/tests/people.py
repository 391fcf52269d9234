"""The people of Clinique Boréale, their directory, and calls to them."""

from collections.abc import Iterable
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from forwarding.calls import (
    DEFAULT_RULES,
    Branch,
    Call,
    Callee,
    Caller,
    Did,
    FromExtension,
    FromOutside,
    StatusRule,
    SystemExtension,
)
from forwarding.decisions import CallPlan, Outcome, Step, Why, path
from forwarding.hours import Holiday, Period, Schedule
from forwarding.routing import route
from pbxadmin.common.values import devices
from pbxadmin.common.values.destinations import Destination
from pbxadmin.common.values.devices import Device
from pbxadmin.common.values.statuses import Status

MONTREAL = ZoneInfo("America/Toronto")
# A Tuesday, and the Saturday after it.
TUESDAY_NOON = datetime(2026, 11, 24, 12, 15, tzinfo=MONTREAL)
TUESDAY_MORNING = datetime(2026, 11, 24, 9, 0, tzinfo=MONTREAL)
SATURDAY = datetime(2026, 11, 28, 9, 0, tzinfo=MONTREAL)
OFFICE = Schedule(
    "America/Toronto",
    open=tuple(Period(day, time(8), time(17)) for day in range(5)),
    breaks=tuple(Period(day, time(12), time(13)) for day in range(5)),
    holidays=(Holiday(datetime(2026, 12, 25, tzinfo=UTC).date(), datetime(2026, 12, 25, tzinfo=UTC).date()),),
)
DESK, APP = devices.phone("805ec0123456", "T54W"), devices.app("103")
MOBILE, CLIENT = "+15145550142", "+14185550199"


class People:
    """The directory of Clinique Boréale, and how its people are doing: who is on a call, which devices nobody has registered."""

    def __init__(
        self, *people: Callee, on_a_call: Iterable[str] = (), unregistered: Iterable[Device] = ()
    ) -> None:
        self.people = {person.extension: person for person in people}
        self.systems = {"801": SystemExtension("801", "Accueil", "ring_group")}
        self.dids: dict[str, Did] = {}
        self.busy = set(on_a_call)
        self.unregistered = set(unregistered)
        self.asked: list[tuple[str, str]] = []

    def user(self, extension: str) -> Callee | None:
        return self.people.get(extension)

    def system_extension(self, extension: str) -> SystemExtension | None:
        return self.systems.get(extension)

    def did(self, number: str) -> Did | None:
        return self.dids.get(number)

    def registered(self, extension: str, device: Device) -> bool:
        self.asked.append((extension, device.key))
        return device not in self.unregistered

    def on_a_call(self, extension: str) -> bool:
        self.asked.append((extension, "on a call"))
        return extension in self.busy

    def call(self, to: str, caller: str = CLIENT, at: datetime = TUESDAY_MORNING, **options) -> CallPlan:
        origin = FromOutside(caller) if caller.startswith("+") else FromExtension(caller)
        return route(Call(origin, at, **options), self.people[to], self, self)


def person(extension: str, name: str, *, rule: StatusRule | None = None, **options) -> Callee:
    """A person with a desk phone; `rule` is the rule of their status."""
    status = options.get("status", Status.AVAILABLE)
    rules = DEFAULT_RULES | ({status: rule} if rule else {})
    return Callee(
        **{"schedule": OFFICE, "devices": (DESK,), "rules": rules} | options, extension=extension, name=name
    )


def amelie(**options) -> Callee:
    return person("101", "Amélie Tremblay", **options)


def felix(**options) -> Callee:
    return person("102", "Félix Gagnon", **options)


def ines(**options) -> Callee:
    return person("103", "Inès Roy", **{"mobile": MOBILE} | options)


def everywhere(external: str, internal: str = "same") -> Branch:
    return Branch(Destination.parse(external), Destination.parse(internal))


def last(plan: CallPlan, *outcomes: Outcome) -> Step:
    return path(plan, outcomes)[-1]


def whys(step: Step) -> list[Why]:
    """The reason of a step and what led to it, the first cause last."""
    found, reason = [], step.reason
    while reason is not None:
        found.append(reason.why)
        reason = reason.cause
    return found


def away(destination: Branch) -> Callee:
    return ines(status=Status.AWAY, rule=StatusRule(divert=destination))


def caller(**options) -> Caller:
    return Caller(
        **{"extension": "103", "schedule": OFFICE, "department_caller_id": "+15145550000"} | options
    )
