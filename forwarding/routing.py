"""What a call does: the one place that decides where it rings, where it goes next, and why.

`dial` decides about a number that a person dials, `arrive` plans a call to a number of the company, `route` one to a person. All
are pure: the same input gives the same answer, in every language, and the instant is part of the input. What can only be known at
that moment is asked of the `Presence`, of each person to whom the call comes. The simulator draws a call plan, the PBX carries it
out; the sentences for its reasons are made in `forwarding.reasons`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from forwarding.calls import (
    Call,
    Callee,
    Caller,
    Directory,
    EverythingRegistered,
    FromExtension,
    Presence,
    StatusRule,
)
from forwarding.decisions import (
    Busy,
    CallPlan,
    Dialled,
    Mode,
    NotRung,
    Outcome,
    Outside,
    Reach,
    Reason,
    Ring,
    Step,
    System,
    Verdict,
    Voicemail,
    Why,
)
from forwarding.hours import Hours, must_be_aware, outside_hours, state_at
from pbxadmin.common.values import dial_codes, tolls
from pbxadmin.common.values.destinations import VOICEMAIL, Destination, Kind, Side
from pbxadmin.common.values.devices import Device
from pbxadmin.common.values.short_codes import SERVICE_NUMBERS, as_dialled, emergency_number
from pbxadmin.common.values.statuses import Status

# From one extension to another at most this often; then the caller hears busy.
MAX_HOPS = 10
# A plan branches wherever a call may go unanswered, be declined or meet a busy phone. When each of eight
# colleagues sends it to two others there are 511 ways to arrive; a plan with more is cut short, with busy.
MAX_ARRIVALS = 512
_DIALLABLE = re.compile(r"\+?[0-9]{2,20}")


@dataclass(frozen=True, slots=True)
class StatusNow:
    """A person's status at an instant, and what makes it so."""

    status: Status
    why: Why


_STATUS_OF_HOURS = {
    Hours.OPEN: StatusNow(Status.AVAILABLE, Why.STATUS_OPEN),
    Hours.BREAK: StatusNow(Status.AWAY, Why.STATUS_BREAK),
    Hours.CLOSED: StatusNow(Status.DO_NOT_DISTURB, Why.STATUS_CLOSED),
    Hours.HOLIDAY: StatusNow(Status.DO_NOT_DISTURB, Why.STATUS_HOLIDAY),
}


def status_of_hours(hours: Hours) -> Status:
    """The status that a schedule gives by itself: Available, in a break Away, outside Do not disturb."""
    return _STATUS_OF_HOURS[hours].status


def status_at(callee: Callee, at: datetime) -> StatusNow:
    """The status that counts at an instant (aware): temporary, else by the schedule, else as chosen."""
    must_be_aware(at)
    # In UTC, because Python compares two times of one zone by the clock, which shows an hour twice in autumn.
    if callee.temporary and at.astimezone(UTC) < callee.temporary.until.astimezone(UTC):
        return StatusNow(callee.temporary.status, Why.STATUS_TEMPORARY)
    if callee.auto_switch_status:
        return _STATUS_OF_HOURS[state_at(callee.schedule, at)]
    return StatusNow(callee.status, Why.STATUS_CHOSEN)


def effective_status(callee: Callee, at: datetime) -> Status:
    """The status that counts at an instant (aware)."""
    return status_at(callee, at).status


EVERYTHING_REGISTERED: Presence = EverythingRegistered()


def route(
    call: Call, callee: Callee, directory: Directory, presence: Presence = EVERYTHING_REGISTERED
) -> CallPlan:
    """What happens to a call to this person, in every case; always ends, at most ten colleagues further."""
    return CallPlan(call, _Planner(call, directory, presence).reach(callee, trail=(), cause=None))


def arrive(
    call: Call, number: str, directory: Directory, presence: Presence = EVERYTHING_REGISTERED
) -> CallPlan:
    """What happens to a call to a number of the company: an extension, or one of the public network, however it is written."""
    return CallPlan(call, _Planner(call, directory, presence).arrive(number))


def extension_of(number: str, directory: Directory) -> str:
    """The extension to which a number of the company leads: itself, or that of the DID; "" for none."""
    return number if is_extension(number) else did_extension(number, directory)


def did_extension(number: str, directory: Directory) -> str:
    """The extension to which a number of the public network leads, where it is the company's own; else ""."""
    outside = tolls.as_dialled(number)
    did = directory.did(outside) if outside else None
    return did.extension if did else ""


def is_extension(number: str) -> bool:
    """Whether a number is as short as extensions are."""
    return number.isdecimal() and number.isascii() and len(number) <= 5


@dataclass(frozen=True, slots=True)
class _Here:
    """Where the call stands: at this person, with this status and rule, on this trail that ends here."""

    callee: Callee
    status: Status
    rule: StatusRule
    trail: tuple[str, ...]

    @property
    def one_call(self) -> bool:
        """Whether they take one call at a time: statuses that divert have no such choice."""
        return self.status.rings and not self.rule.accept_multiple_calls

    def reason(self, why: Why, cause: Reason | None = None, **data: Any) -> Reason:
        """A reason that speaks of this person."""
        about = {"extension": self.callee.extension, "name": self.callee.name, "status": self.status}
        return Reason(why, about | data, cause)


class _Planner:
    """The planning of one call; remembers what it decided, as branches often meet at one colleague."""

    def __init__(self, call: Call, directory: Directory, presence: Presence) -> None:
        self.call = call
        self.directory = directory
        self.presence = presence
        self.decided: dict[tuple[str, ...], Step] = {}

    def arrive(self, number: str) -> Step:
        """The call comes in, to a person or a system extension."""
        extension = extension_of(number, self.directory)
        if not extension:
            number = tolls.as_dialled(number) or number
            why = Why.LEADS_NOWHERE if self.directory.did(number) else Why.UNKNOWN_NUMBER
            return self.busy(Reason(why, {"number": number}))
        if callee := self.directory.user(extension):
            return self.reach(callee, trail=(), cause=None)
        return self.system(extension, None)

    def reach(self, callee: Callee, trail: tuple[str, ...], cause: Reason | None) -> Step:
        """The call arrives at a person, for the first time or forwarded because of `cause`."""
        if why := _out_of_service(callee):
            return self.refuse(callee, why, cause)
        now = status_at(callee, self.call.at)
        here = _Here(callee, now.status, callee.rules[now.status], (*trail, callee.extension))
        if here.trail not in self.decided:
            self.decided[here.trail] = self.decide(here)
        reason = here.reason(now.why, cause, **self.until(callee, now))
        return Reach(callee.extension, callee.name, now.status, reason, next=self.decided[here.trail])

    def decide(self, here: _Here) -> Step:
        """What the person's status does with the call."""
        callee, rule, side = here.callee, here.rule, self.call.side
        if self.call.to_one_of_many:
            return self.as_member(here)
        if not here.status.rings:
            if rule.voicemail_out_of_hours(side) and outside_hours(callee.schedule, self.call.at):
                return self.follow(VOICEMAIL, here, here.reason(Why.OUT_OF_HOURS))
            diverted = Why.DIVERTED_INTERNAL if side is Side.INTERNAL else Why.DIVERTED_EXTERNAL
            return self.follow(rule.divert.to(side), here, here.reason(diverted))
        if here.one_call and self.presence.on_a_call(callee.extension):
            return self.follow(rule.busy.to(side), here, here.reason(Why.ON_A_CALL))
        devices, missing = self.devices(here)
        mobile = self.mobile_of(callee) if rule.ring_mobile else ""
        if not devices and not mobile:
            return self.follow(rule.not_registered.to(side), here, here.reason(missing))
        no_answer = here.reason(Why.NO_ANSWER, seconds=rule.no_answer_seconds)
        unreachable = here.reason(Why.UNREACHABLE)
        return self.ring(here, devices, mobile, {
            Outcome.NO_ANSWER: self.follow(rule.no_answer.to(side), here, no_answer),
            Outcome.BUSY: self.follow(rule.busy.to(side), here, here.reason(Why.PHONE_BUSY)),
            Outcome.DECLINED: self.follow(rule.busy.to(side), here, here.reason(Why.DECLINED)),
            Outcome.NOT_REGISTERED: self.follow(rule.not_registered.to(side), here, unreachable),
        })  # fmt: skip

    def as_member(self, here: _Here) -> Step:
        """A ring group's call, or a queue's: whether it rings this person is said by one box in every status, away types too.

        It follows no member's forwarding, and rings no mobile: it must not end in the voicemail of one. Whoever has logged in to
        a queue by hand again, in a status that logs out, is known to the PBX alone.
        """
        callee, rule = here.callee, here.rule
        if self.call.from_ring_group and not rule.accept_ring_group_calls:
            return self.leave_out(callee, here.reason(Why.RING_GROUP_NOT_ACCEPTED))
        if self.call.from_queue and rule.log_out_of_queues:
            return self.leave_out(callee, here.reason(Why.LOGGED_OUT))
        if here.one_call and self.presence.on_a_call(callee.extension):
            return self.leave_out(callee, here.reason(Why.ON_A_CALL))
        devices, missing = self.devices(here)
        if not devices:
            return self.leave_out(callee, here.reason(missing))
        return self.ring(here, devices, mobile="", on={})

    def devices(self, here: _Here) -> tuple[tuple[Device, ...], Why]:
        """What rings of this person now, and why nothing does where that is so."""
        callee = here.callee
        registered = [each for each in callee.devices if self.presence.registered(callee.extension, each)]
        ringing = tuple(each for each in registered if here.rule.accept_push or not each.push)
        return ringing, Why.NO_PUSH if registered else Why.NO_DEVICE

    def ring(self, here: _Here, devices: tuple[Device, ...], mobile: str, on: Mapping[Outcome, Step]) -> Ring:
        """Ring, then what follows by how it ended."""
        seconds = here.rule.no_answer_seconds
        targets = (*devices, *([mobile] if mobile else []))
        reason = here.reason(Why.RINGS, seconds=seconds, targets=targets)
        return Ring(
            here.callee.extension, devices, mobile, seconds, here.one_call, here.rule.accept_push, reason, on
        )

    def follow(self, destination: Destination, here: _Here, cause: Reason) -> Step:
        """Send the call where the person's rule says, because of `cause`."""
        match destination.kind:
            case Kind.VOICEMAIL:
                return self.voicemail(here.callee, here.rule, cause)
            case Kind.EXTENSION:
                return self.colleague(destination.value, here, cause, mailbox=destination.voicemail)
            case Kind.MOBILE if not here.callee.mobile:
                return self.refuse(here.callee, Why.NO_MOBILE, cause)
            case Kind.MOBILE | Kind.EXTERNAL:
                number = destination.value or here.callee.mobile
                own = did_extension(number, self.directory)
                return (
                    self.inside(own, here, cause) if own else self.outside(number, destination, here, cause)
                )
            case Kind.SYSTEM:
                return self.system(destination.value, cause)
            case Kind.BUSY:
                return self.busy(cause)
            case Kind.SAME:  # the rule for outside calls can't be the same as itself
                return self.refuse(here.callee, Why.NO_DESTINATION, cause)

    def inside(self, extension: str, here: _Here, cause: Reason) -> Step:
        """A number of the public network that is the company's own: the call never leaves, and there is nobody to ask for acceptance."""
        if self.directory.user(extension) is None:
            return self.system(extension, cause)
        return self.colleague(extension, here, cause)

    def mobile_of(self, callee: Callee) -> str:
        """The mobile that rings along: never one of the company's own numbers, which would bring the call back."""
        return "" if did_extension(callee.mobile, self.directory) else callee.mobile

    def colleague(self, extension: str, here: _Here, cause: Reason, *, mailbox: bool = False) -> Step:
        """Another person, or straight to their mailbox; here a call could go round in circles."""
        callee = self.directory.user(extension)
        if callee is None:
            return self.busy(Reason(Why.UNKNOWN_EXTENSION, {"extension": extension}, cause))
        if mailbox and (why := _out_of_service(callee)):
            return self.refuse(callee, why, cause)
        if mailbox:
            return self.voicemail(callee, callee.rules[effective_status(callee, self.call.at)], cause)
        if self.call.origin == FromExtension(extension):
            return self.refuse(callee, Why.BACK_TO_CALLER, cause)
        if extension in here.trail:
            return self.refuse(callee, Why.LOOP, cause)
        if len(here.trail) > MAX_HOPS:
            return self.busy(here.reason(Why.TOO_MANY_HOPS, cause, hops=MAX_HOPS))
        if len(self.decided) >= MAX_ARRIVALS:
            return self.busy(here.reason(Why.TOO_MANY_WAYS, cause))
        return self.reach(callee, here.trail, cause)

    def voicemail(self, callee: Callee, rule: StatusRule, cause: Reason) -> Step:
        """A person's mailbox, with the greeting of their status."""
        if not callee.mailbox.enabled:
            return self.refuse(callee, Why.MAILBOX_DISABLED, cause)
        greeting = rule.greeting or callee.mailbox.default_greeting
        data = {"extension": callee.extension, "name": callee.name, "greeting": greeting}
        return Voicemail(callee.extension, greeting, Reason(Why.TO_VOICEMAIL, data, cause))

    def outside(self, number: str, destination: Destination, here: _Here, cause: Reason) -> Step:
        """An outside number, as its modifiers say; a call to be accepted can't be given away with 302."""
        callee, came_in = here.callee, self.call.side is Side.EXTERNAL
        channels = 2 if came_in else 1
        data = {"extension": callee.extension, "number": number}
        if destination.bounce:
            screening = callee.call_screening
            why = Why.TO_OUTSIDE_SCREENED if screening else Why.TO_OUTSIDE_BOUNCE
            reason = Reason(why, data, cause)
            otherwise = self.voicemail(callee, here.rule, here.reason(Why.NOT_ACCEPTED, number=number))
            on: dict[Outcome, Step] = {each: otherwise for each in Outcome if each is not Outcome.ANSWERED}
            return Outside(number, Mode.BOUNCE, screening, 2, channels, reason, on)
        # Only a call that came in through the trunk can be handed back to it.
        if destination.deflect and callee.supports_deflection and came_in:
            reason = Reason(Why.TO_OUTSIDE_DEFLECTED, data, cause)
            return Outside(number, Mode.DEFLECT, False, 1, 0, reason, {})
        return Outside(number, Mode.PLAIN, False, 1, channels, Reason(Why.TO_OUTSIDE, data, cause), {})

    def system(self, extension: str, cause: Reason | None) -> Step:
        """A ring group, queue or digital receptionist."""
        found = self.directory.system_extension(extension)
        if found is None:
            return self.busy(Reason(Why.UNKNOWN_EXTENSION, {"extension": extension}, cause))
        if found.suspended:
            return self.busy(Reason(Why.SUSPENDED, {"extension": extension, "name": found.name}, cause))
        data = {"extension": extension, "name": found.name, "kind": found.kind}
        return System(extension, found.kind, Reason(Why.TO_SYSTEM, data, cause))

    def refuse(self, callee: Callee, why: Why, cause: Reason | None) -> Step:
        """The call can't go on at this person: busy, or for a ring group or queue one member less."""
        reason = Reason(why, {"extension": callee.extension, "name": callee.name}, cause)
        return self.leave_out(callee, reason) if self.call.to_one_of_many else self.busy(reason)

    def busy(self, cause: Reason) -> Busy:
        """The busy tone, as chosen or because the call can't go on."""
        return Busy(Reason(Why.BUSY_TONE, cause=cause))

    def leave_out(self, callee: Callee, cause: Reason) -> NotRung:
        """Ring the other members of the group, or agents of the queue, without this one."""
        data = {"extension": callee.extension, "name": callee.name}
        why = Why.NOT_OFFERED if self.call.from_queue else Why.NOT_RUNG
        return NotRung(callee.extension, Reason(why, data, cause))

    def until(self, callee: Callee, now: StatusNow) -> dict[str, Any]:
        """When a temporary status ends, on the clock of the person's department."""
        if now.why is not Why.STATUS_TEMPORARY or callee.temporary is None:
            return {}
        zone = callee.schedule.clock
        until = callee.temporary.until.astimezone(zone)
        return {"until": until, "today": until.date() == self.call.at.astimezone(zone).date()}


def _out_of_service(callee: Callee) -> Why | None:
    """Why nothing at all is done for calls to this person; None where their status decides."""
    if callee.suspended:
        return Why.SUSPENDED
    return Why.DISABLED if callee.disabled else None


def is_emergency(number: str) -> bool:
    """Whether a number, however it is written, is one that must always pass."""
    return emergency_number(number) != ""


def dial(number: str, caller: Caller, at: datetime, directory: Directory) -> Dialled:
    """What happens when a person dials a number at an instant (aware).

    An emergency number always passes, and shows the department's number: rescuers come to where the
    department is. Colleagues can be called whatever is said of outside calls, by the company's own number of the
    public network too. All extensions of a customer are of one length: a number of that length that is nobody's goes
    nowhere, unless it is a short code of the public network or the access code of the PIN protection.
    """
    must_be_aware(at)
    dialled = as_dialled(number)
    if emergency := emergency_number(number) or _after_a_one(dialled, directory):
        return _passes(
            Verdict.EMERGENCY,
            Why.EMERGENCY,
            emergency,
            caller.emergency_caller_id or caller.department_caller_id,
        )
    if caller.suspended:
        return _refused(Why.CALLER_SUSPENDED, dialled)
    if caller.disabled:
        return _refused(Why.CALLER_DISABLED, dialled)
    if dial_codes.is_dial_code(dialled):
        return _passes(Verdict.SERVICE, Why.DIAL_CODE, dialled, "")
    if not _DIALLABLE.fullmatch(dialled):
        return _refused(Why.BAD_NUMBER, dialled)
    if directory.user(dialled) or directory.system_extension(dialled):
        return _passes(Verdict.INTERNAL, Why.INTERNAL_CALL, dialled, caller.extension)
    if _is_as_long_as_an_extension(dialled, caller) and dialled not in SERVICE_NUMBERS:
        if (
            caller.pin_protected
            and not caller.outbound_disabled
            and dialled == dial_codes.pin_code(len(dialled))
        ):
            return _passes(Verdict.SERVICE, Why.PIN_CODE, dialled, "")
        return _refused(Why.NO_SUCH_EXTENSION, dialled)
    if own := did_extension(dialled, directory):
        return _passes(Verdict.INTERNAL, Why.INTERNAL_CALL, own, caller.extension)
    if caller.outbound_disabled:
        return _refused(Why.OUTSIDE_CALLS_DISABLED, dialled)
    if caller.block_outbound_out_of_hours and outside_hours(caller.schedule, at):
        return _refused(Why.OUTSIDE_CALLS_OUT_OF_HOURS, dialled)
    if caller.pin_protected and not _pin_window_open(caller, at):
        return _refused(Why.PIN_NEEDED, dialled, code=dial_codes.pin_code(len(caller.extension)))
    if any(tolls.toll_of(each) in _NEVER_DIALLED for each in tolls.numbers_in(dialled)):
        return _refused(Why.PREMIUM_NUMBER, dialled)
    caller_id = caller.caller_id or caller.department_caller_id
    return _passes(Verdict.OUTSIDE, Why.OUTSIDE_CALL, dialled, caller_id)


# Whoever has somebody's password would earn on every minute: no switch opens these.
_NEVER_DIALLED = frozenset({tolls.Toll.PREMIUM, tolls.Toll.SATELLITE})


def _after_a_one(dialled: str, directory: Directory) -> str:
    """The emergency number in "1911", also after a 9 for an outside line, where that is nobody's extension; "" for none."""
    national = dialled.removeprefix("9") if dialled.startswith("91") else dialled
    emergency = emergency_number(f"+{national}") if national.startswith("1") else ""
    if emergency and not (directory.user(dialled) or directory.system_extension(dialled)):
        return emergency
    return ""


def _is_as_long_as_an_extension(dialled: str, caller: Caller) -> bool:
    return dialled.isdecimal() and len(dialled) == len(caller.extension)


def _pin_window_open(caller: Caller, at: datetime) -> bool:
    if caller.pin_entered_at is None:
        return False
    since = at.astimezone(UTC) - caller.pin_entered_at.astimezone(UTC)
    return timedelta(0) <= since < timedelta(seconds=caller.pin_protect_seconds)


def _passes(verdict: Verdict, why: Why, number: str, caller_id: str) -> Dialled:
    return Dialled(verdict, number, caller_id, Reason(why, {"number": number, "caller_id": caller_id}))


def _refused(why: Why, number: str, **data: str) -> Dialled:
    return Dialled(Verdict.REFUSED, number, "", Reason(why, {"number": number, **data}))
