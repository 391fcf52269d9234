"""The people of a customer as `forwarding.routing` wants to know them, read from the database.

A directory loads whole hops at a time: everybody to whom the rules of those who are known lead, then everybody to whom theirs
do. However many people the customer has, a call plan costs two queries for each hop that the call may really take (a third
where rules of that hop lead to outside numbers, which may be the company's own), and five more.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime
from typing import Any

from forwarding import hours, schedules
from forwarding.calls import (
    Branch,
    Callee,
    Caller,
    Did,
    Mailbox,
    StatusRule,
    SystemExtension,
    TemporaryStatus,
)
from forwarding.models import ForwardingRule
from forwarding.routing import MAX_HOPS
from pbxadmin.common.values.destinations import Destination, Kind
from pbxadmin.common.values.devices import Device, app
from pbxadmin.common.values.statuses import Status
from users import models
from users.people.emergency import emergency_caller_id
from users.people.sections import user_sheet

_BRANCHES = ("no_answer", "busy", "not_registered", "divert")
_PLAIN = tuple(
    field.name for field in fields(StatusRule) if field.name != "greeting" and field.name not in _BRANCHES
)


def status_rule(rule: ForwardingRule) -> StatusRule:
    """A row of the table as routing reads it."""
    branches: dict[str, Any] = {
        name: Branch(getattr(rule, f"{name}_external"), getattr(rule, f"{name}_internal"))
        for name in _BRANCHES
    }
    return StatusRule(
        **branches, **{name: getattr(rule, name) for name in _PLAIN}, greeting=greeting_key(rule.greeting_id)
    )


def greeting_key(key: int | None) -> str:
    """What a call plan calls a greeting: never its name, which depends on the reader's language."""
    return "" if key is None else str(key)


def greeting_names(keys: Iterable[str]) -> dict[str, str]:
    """What people call these greetings, in the reader's language: one query, none for none."""
    wanted = [int(key) for key in keys if key]
    # Not by import: the library of greetings is the voicemail app's.
    library: Any = ForwardingRule._meta.get_field("greeting").related_model
    return {str(each.pk): str(each) for each in library.objects.filter(pk__in=wanted)} if wanted else {}


def devices_of(people: Sequence[models.User]) -> dict[int, tuple[Device, ...]]:
    """What rings when each of these people is called, as the tabs tell it: {person: devices}."""
    found: dict[int, list[Device]] = {}
    for section in user_sheet().sections:
        if section.adds.rings:
            for key, devices in section.adds.rings(people).items():
                found.setdefault(key, []).extend(devices)
    return {key: tuple(devices) for key, devices in found.items()}


class CustomerDirectory:
    """The numbers of one customer (`forwarding.calls.Directory`), loaded as far as a call may go.

    A person has the phones that the portal knows; who has none is taken to have an app. Whether they can be rung is no matter
    of the directory: `forwarding.calls.Presence` says it.
    """

    def __init__(self, customer: models.Customer) -> None:
        self.customer = customer
        self._people: dict[str, Callee | None] = {}
        self._systems: dict[str, SystemExtension] | None = None
        self._dids: dict[str, Did | None] = {}
        self._hours_of_departments: dict[int, hours.Schedule] = {}

    def user(self, extension: str) -> Callee | None:
        """The person with this extension; loads them and whoever their calls may reach."""
        if extension not in self._people:
            self._load([extension])
        return self._people.get(extension)

    def system_extension(self, extension: str) -> SystemExtension | None:
        """The ring group, queue or digital receptionist with this number."""
        if self._systems is None:
            rows = models.SystemExtension.objects.of(self.customer).values_list("number", "name", "kind")
            suspended = self.customer.suspended
            self._systems = {
                number: SystemExtension(number, name, kind, suspended) for number, name, kind in rows
            }
        return self._systems.get(extension)

    def members(self, extension: str) -> list[Callee]:
        """The people of a ring group or queue, by extension: two queries more than they cost one by one for a first look."""
        rows = models.SystemExtension.objects.of(self.customer).filter(
            number=extension, members__isnull=False
        )
        numbers = list(rows.order_by("members__number").values_list("members__number", flat=True))
        if missing := [number for number in numbers if number not in self._people]:
            self._load(missing)
        return [callee for number in numbers if (callee := self._people.get(number))]

    def did(self, number: str) -> Did | None:
        """The customer's own number of the public network."""
        if number not in self._dids:
            self._load_dids([number])
        return self._dids[number]

    def _load_dids(self, numbers: Iterable[str]) -> None:
        new = {number for number in numbers if number not in self._dids}
        if new:
            rows = models.Did.objects.of(self.customer).filter(number__in=new - {""}).order_by()
            self._dids |= dict.fromkeys(new)
            leading = rows.values_list("number", "user__number", "system_extension__number")
            for number, person, system in leading:
                self._dids[number] = Did(number, person or system or "", to_person=bool(person))

    def _load(self, extensions: Sequence[str]) -> None:
        people: list[models.User] = []
        rules: dict[int, dict[Status, StatusRule]] = {}
        frontier = {extension for extension in extensions if extension not in self._people}
        for _ in range(MAX_HOPS + 2):
            if not frontier:
                break
            self._people |= dict.fromkeys(frontier)
            found = list(
                models.User.objects.of(self.customer)
                .filter(number__in=frontier)
                .select_related("primary_department", "mailbox")
                .defer("password", "sip_password", "mailbox__pin")
                .order_by()
            )
            people += found
            mobiles = {person.pk: person.mobile for person in found}
            rows = ForwardingRule.objects.filter(user__in=list(mobiles)).order_by()
            colleagues: set[str] = set()
            outside: set[str] = set()
            for row in rows:
                rule = rules.setdefault(row.user_id, {})[Status(row.status)] = status_rule(row)
                colleagues |= set(_values(rule, Kind.EXTENSION))
                outside |= set(_values(rule, Kind.EXTERNAL))
                if rule.ring_mobile or list(_values(rule, Kind.MOBILE)):
                    outside.add(mobiles[row.user_id])
            outside.discard("")
            self._load_dids(outside)
            own = {did.extension for number in outside if (did := self._dids[number]) and did.to_person}
            frontier = (colleagues | own) - self._people.keys()
        self._complete(people, rules)

    def _complete(self, people: list[models.User], rules: Mapping[int, Mapping[Status, StatusRule]]) -> None:
        """What is asked once for everybody: hours and devices."""
        weeks = schedules.of_people(people, self._hours_of_departments)
        devices = devices_of(people)
        for person in people:
            self.keep(person, weeks[person.pk])
            self._people[person.number] = callee_of(
                person,
                self.customer,
                weeks[person.pk],
                rules.get(person.pk, {}),
                devices.get(person.pk) or (app(person.number),),
            )

    def keep(self, person: models.User, week: hours.Schedule) -> None:
        """A person was loaded, with the schedule that counts for them: for directories that know more of them."""


class Supposing(CustomerDirectory):
    """A directory in which one person has another status, or other rules, than the tables say."""

    def __init__(
        self,
        customer: models.Customer,
        extension: str,
        status: Status | None,
        rules: Mapping[Status, StatusRule] | None = None,
    ) -> None:
        super().__init__(customer)
        self.extension = extension
        self.status = status
        self.rules = rules or {}

    def user(self, extension: str) -> Callee | None:
        """The person with this extension; the one who is asked about as is supposed of them."""
        callee = super().user(extension)
        return callee and self._supposed(callee)

    def members(self, extension: str) -> list[Callee]:
        """The people of a ring group or queue."""
        return [self._supposed(callee) for callee in super().members(extension)]

    def _supposed(self, callee: Callee) -> Callee:
        if callee.extension != self.extension:
            return callee
        callee = replace(callee, rules={**callee.rules, **self.rules})
        if self.status is None:
            return callee
        return replace(callee, status=self.status, temporary=None, auto_switch_status=False)


def _values(rule: StatusRule, kind: Kind) -> Iterable[str]:
    """The extensions, or the outside numbers, to which a rule may lead; "" for each time that it leads to the mobile."""
    for name in _BRANCHES:
        branch: Branch = getattr(rule, name)
        for destination in (branch.external, branch.internal):
            if isinstance(destination, Destination) and destination.kind is kind:
                yield destination.value


def callee_of(
    person: models.User,
    customer: models.Customer,
    week: hours.Schedule,
    rules: Mapping[Status, StatusRule],
    devices: tuple[Device, ...],
) -> Callee:
    """A person as configured. While a temporary status runs, the one beneath it is the one that comes back."""
    temporary = None
    status = Status(person.status)
    if person.status_until is not None:
        temporary = TemporaryStatus(status, person.status_until)
        status = Status(person.status_after or Status.AVAILABLE)
    mailbox: Any = person.mailbox  # the reverse side of the voicemail app's one-to-one
    return Callee(
        extension=person.number, name=person.full_name if person.full_name != person.number else "", schedule=week,
        status=status, temporary=temporary, auto_switch_status=person.auto_switch_status, rules=rules,
        mailbox=Mailbox(mailbox.enabled, greeting_key(mailbox.default_greeting_id)),
        mobile=person.mobile, disabled=person.disabled, suspended=customer.suspended, call_screening=person.call_screening,
        supports_deflection=customer.supports_deflection, devices=devices,
    )  # fmt: skip


def caller_of(
    person: models.User, pin_entered_at: datetime | None = None, week: hours.Schedule | None = None
) -> Caller:
    """A person who dials. `person` needs their department and customer loaded; `week` is their schedule, where it is known already."""
    department = person.primary_department
    return Caller(
        extension=person.number, schedule=week or schedules.of_people([person])[person.pk], caller_id=person.outbound_caller_id,
        department_caller_id=department.outbound_caller_id if department else "",
        emergency_caller_id=emergency_caller_id(department, person.customer), disabled=person.disabled,
        suspended=person.customer is not None and person.customer.suspended,
        outbound_disabled=person.outbound_disabled, block_outbound_out_of_hours=person.block_outbound_out_of_hours,
        pin_protected=person.pin_protected, pin_protect_seconds=person.pin_protect_seconds, pin_entered_at=pin_entered_at,
    )  # fmt: skip
