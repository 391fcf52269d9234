"""What is known when somebody calls or dials: the call, the people as configured, and their directory."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from forwarding.hours import Schedule, must_be_aware
from pbxadmin.common.values.destinations import SAME, VOICEMAIL, Destination, Side
from pbxadmin.common.values.devices import Device
from pbxadmin.common.values.statuses import Status


@dataclass(frozen=True, slots=True)
class FromExtension:
    """A colleague calls."""

    extension: str


@dataclass(frozen=True, slots=True)
class FromOutside:
    """Somebody calls through the trunk: their number ('' when withheld) and the DID they dialled."""

    number: str = ""
    did: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """One call, at one instant (aware). `from_ring_group`: it rings this person as a member of a group; `from_queue`: as an agent."""

    origin: FromExtension | FromOutside
    at: datetime
    from_ring_group: bool = False
    from_queue: bool = False

    def __post_init__(self) -> None:
        must_be_aware(self.at)

    @property
    def side(self) -> Side:
        """Which of a rule's two destinations the call takes; it stays the same through every hop."""
        return Side.INTERNAL if isinstance(self.origin, FromExtension) else Side.EXTERNAL

    @property
    def to_one_of_many(self) -> bool:
        """Whether others are rung as well: who can't be is left out, and nobody's own rules are followed."""
        return self.from_ring_group or self.from_queue


@dataclass(frozen=True, slots=True)
class Branch:
    """Where calls go in one case: those from outside, and those from colleagues."""

    external: Destination = VOICEMAIL
    internal: Destination = SAME

    def to(self, side: Side) -> Destination:
        """The destination for this side; "same as all calls" is the one for outside calls."""
        return self.external if side is Side.EXTERNAL or self.internal == SAME else self.internal


@dataclass(frozen=True, slots=True)
class StatusRule:
    """What one status does with calls.

    `no_answer`, `busy`, `not_registered`, `ring_mobile` and `accept_multiple_calls` matter to statuses that
    ring, `divert` and the two `voicemail_out_of_hours` to those that divert; of these, `accept_push` and the rest
    matter to the calls of ring groups, which ring in every status in which they are accepted. `log_out_of_queues` acts when the status is
    taken (`forwarding.effects`): a queue's call finds the agent logged out for as long as it lasts.
    `greeting` is a key, as in `Mailbox`; '' is the mailbox's default.
    """

    no_answer_seconds: int = 20
    no_answer: Branch = Branch()
    busy: Branch = Branch()
    not_registered: Branch = Branch()
    divert: Branch = Branch()
    voicemail_out_of_hours_external: bool = False
    voicemail_out_of_hours_internal: bool = False
    ring_mobile: bool = False
    accept_multiple_calls: bool = True
    accept_ring_group_calls: bool = True
    log_out_of_queues: bool = False
    accept_push: bool = True
    greeting: str = ""

    def voicemail_out_of_hours(self, side: Side) -> bool:
        """Whether calls of this side go to the person's own voicemail outside working hours."""
        if side is Side.INTERNAL:
            return self.voicemail_out_of_hours_internal
        return self.voicemail_out_of_hours_external


DEFAULT_RULES: Mapping[Status, StatusRule] = {
    status: StatusRule(
        accept_push=status.record.wakes_app, accept_ring_group_calls=status.record.rings_in_groups
    )
    for status in Status
}


@dataclass(frozen=True, slots=True)
class TemporaryStatus:
    """A status that was set for a limited time, up to but not including `until` (aware)."""

    status: Status
    until: datetime


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A person's voicemail. `default_greeting` is the greeting's key, never its name, which depends on who reads; '' is the system's."""

    enabled: bool = True
    default_greeting: str = ""


@dataclass(frozen=True, slots=True)
class Callee:
    """A person as configured; how they are doing at the moment of the call is asked of `Presence`.

    `schedule` holds their own hours or those of their primary department, always in the department's time zone.
    `supports_deflection` is the trunk's: whether it accepts SIP 302. `suspended` is the customer's: nobody of it is served.
    `devices` are those that they have, registered or not.
    """

    extension: str
    name: str
    schedule: Schedule
    status: Status = Status.AVAILABLE
    temporary: TemporaryStatus | None = None
    auto_switch_status: bool = False
    rules: Mapping[Status, StatusRule] = field(default_factory=lambda: DEFAULT_RULES)
    mailbox: Mailbox = Mailbox()
    mobile: str = ""
    disabled: bool = False
    suspended: bool = False
    call_screening: bool = False
    supports_deflection: bool = False
    devices: tuple[Device, ...] = ()


@dataclass(frozen=True, slots=True)
class SystemExtension:
    """A ring group, queue or digital receptionist (`kind`: ring_group, queue, ivr); `suspended` is the customer's."""

    extension: str
    name: str
    kind: str
    suspended: bool = False


@dataclass(frozen=True, slots=True)
class Did:
    """A number of the public network, and the extension it leads to: a person's (`to_person`) or a system extension's, '' for none."""

    number: str
    extension: str = ""
    to_person: bool = False


class Directory(Protocol):
    """The numbers of one customer."""

    def user(self, extension: str) -> Callee | None:
        """The person with this extension."""

    def system_extension(self, extension: str) -> SystemExtension | None:
        """The ring group, queue or digital receptionist with this number."""

    def did(self, number: str) -> Did | None:
        """The customer's own number of the public network (E.164); None for anybody else's."""


class Presence(Protocol):
    """What is known at the moment of the call, asked for each person to whom it comes and only where it matters.

    The PBX answers from its registrations, the simulator from the switches of its page.
    """

    def registered(self, extension: str, device: Device) -> bool:
        """Whether a device of this extension can be rung now: registered, or an app that PUSH would wake."""

    def on_a_call(self, extension: str) -> bool:
        """Whether the person with this extension is on a call now."""


class EverythingRegistered:
    """The presence that is assumed where none is known: every device can be rung, nobody is on a call."""

    def registered(self, extension: str, device: Device) -> bool:
        """Always."""
        return True

    def on_a_call(self, extension: str) -> bool:
        """Never."""
        return False


@dataclass(frozen=True, slots=True)
class Caller:
    """A person who dials: what they may, and the caller ID that they show ('' = the department's).

    `emergency_caller_id` is what emergency calls show: the department's too, or what stands in for it.
    """

    extension: str
    schedule: Schedule
    caller_id: str = ""
    department_caller_id: str = ""
    emergency_caller_id: str = ""
    disabled: bool = False
    suspended: bool = False
    outbound_disabled: bool = False
    block_outbound_out_of_hours: bool = False
    pin_protected: bool = False
    pin_protect_seconds: int = 60
    pin_entered_at: datetime | None = None
