"""Saves of many kinds by the road, and for each a call or a registration that is tried again and again until it is as was saved."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import monotonic
from typing import Any

from django.db import transaction

from asterisk.tests import saving
from asterisk.tests.phones import Call, Phone, Phones, wait_for
from asterisk.tests.registering import Device
from asterisk.tests.saving import change_trunk, contract, did, hours, people, save, system, trunk
from phones.models import Phone as Desk
from phones.settings.sections import phone_sheet
from phones.tests.factories import make_phone
from users import road
from users.company.sheets import system_extension_sheet
from users.models import Customer, SystemExtension, User
from users.people import reset
from users.signals import changed
from users.tests.factories import FACTS

DID, OTHER_DID = "+15145550123", "+15145550124"
OUTSIDE, CLIENT = "+14185550100", "4185550177"
GIVEN_UP = 10.0  # seconds after which a save isn't obeyed at all


@dataclass(frozen=True)
class Saved:
    """One save: what it is, how it is made, what shows that it is obeyed, and what that must show."""

    kind: str
    make: Callable[[], object]
    probe: Callable[[], str]
    expected: str


@dataclass(frozen=True)
class Obeyed:
    """How it went: seconds from the (last) commit to the end of the first probe that was as saved; `probes` were made."""

    kind: str
    seconds: float
    probes: int
    last: str


def obeyed(saved: Saved) -> Obeyed:
    """Save, and try until it is obeyed."""
    at: list[float] = []

    def committed(**facts: Any) -> None:
        transaction.on_commit(lambda: at.append(monotonic()))

    changed.connect(committed, weak=False, dispatch_uid="the moment of a save")
    try:
        saved.make()
    finally:
        changed.disconnect(dispatch_uid="the moment of a save")
    probes, last = 0, ""
    while saved.expected not in (last := saved.probe()):
        probes += 1
        assert monotonic() - at[-1] < GIVEN_UP, f"{saved.kind}: {last!r}, not {saved.expected!r}"
    return Obeyed(saved.kind, monotonic() - at[-1], probes + 1, last)


class Company:
    """Who calls and is called."""

    def __init__(self, phones: Phones, server: tuple[str, int], customer: Customer, *who: User) -> None:
        self.customer, (self.amelie, self.owner, self.ines) = customer, who
        self.zoe, self.olivier = people(customer, "104", "105")
        self.provider, self.second = phones.trunk(tone=0), phones.trunk("127.0.0.3", tone=0)
        self.own = phones.trunk("127.0.0.4", tone=0)
        self.line = trunk(self.provider)
        self.desk = make_phone(customer, self.olivier)
        did(customer, DID, self.olivier)
        did(customer, OTHER_DID)
        system(customer, "800", "ring_group", "103")
        save(self.olivier, do_not_disturb__divert_internal="busy", available__no_answer_seconds="20")
        contract(customer, supports_deflection="1")
        save(self.olivier, available__busy_external=f"external:{OUTSIDE}?deflect")
        self.caller = phones.of(self.amelie, tone=0)
        self.called = phones.of(self.olivier, tone=0, srtp="optional")
        self.third = phones.of(self.ines, tone=0)
        self.everybody: dict[str, Phone] = {
            "105": self.called, "103": self.third, "first": self.provider, "second": self.second, "own": self.own,
        }  # fmt: skip
        self.zoe_phone = Device(f"104@{customer.fqdn}", self.zoe.sip_auth_id, self.zoe.sip_password, server)

    # What is tried

    def call(self, call: Call, *, without: str = "", say: Callable[[Call], str] | None = None) -> str:
        """What becomes of a call first: who rings (`without` whom), with which code it ends, whether it is answered."""

        def rings() -> Iterator[tuple[str, Call]]:
            for name, phone in self.everybody.items():
                if name != without and len(phone.received) > self.before[name]:
                    yield name, phone.received[-1]

        def something() -> bool:
            return any(rings()) or call.ended or call.answered

        wait_for(lambda: something() or call.at("early"), 5)
        # An announcement is early as ringing is, but nobody rings.
        wait_for(something, 0.1)
        name, rung = next(rings(), ("", None))
        if rung is not None:
            said = say(rung) if say else f"{name} {rung.dialled} from {rung.from_number}"
        else:
            said = str(call.code) if call.ended else "answered" if call.answered else "refused"
        call.hangup()
        wait_for(lambda: all(not each.on_a_call() for each in self.everybody.values()), 5)
        return said

    def dials(self, number: str, **how: Any) -> Callable[[], str]:
        """Amélie dials it."""
        return lambda: self.call(self.counted(lambda: self.caller.call(number)), **how)

    def comes_in(self, number: str = DID, **how: Any) -> Callable[[], str]:
        """A call from outside."""
        return lambda: self.call(self.counted(lambda: self.provider.call(number, CLIENT)), **how)

    def counted(self, call: Callable[[], Call]) -> Call:
        self.before = {name: len(phone.received) for name, phone in self.everybody.items()}
        return call()

    def registers(self) -> str:
        """The answer to Zoé's phone."""
        return str(self.zoe_phone.register())

    # What is saved

    def group(self, members: str) -> None:
        row = SystemExtension.objects.get(number="800")
        saving._made(system_extension_sheet(), self.customer, road.Row(row.pk, {"members": members}))

    def codecs(self, order: str) -> None:
        key = Desk.objects.get(pk=self.desk.pk).pk
        saving._made(phone_sheet(), self.customer, road.Row(key, {"codecs": order}))

    def renew(self) -> None:
        """Zoé's password; her phone has the old one."""
        row = User.objects.get(pk=self.zoe.pk)
        self.zoe_phone.auth_id, self.zoe_phone.password = row.sip_auth_id, row.sip_password
        reset.reset(reset.plan_reset(self.owner, self.customer, [self.zoe.pk]), ["sip"], FACTS)

    def saves(self) -> Iterator[Saved]:
        """All of them, each on what the one before left. Few kinds first, once each; then the rest."""
        amelie, olivier, ines, zoe = self.amelie, self.olivier, self.ines, self.zoe
        olivier_rings, outside, in_ = self.dials("105"), self.dials("4185550100"), self.comes_in()
        second = {"host": "127.0.0.3", "port": str(self.second.port), "networks": "127.0.0.3"}
        first = {"host": "127.0.0.2", "port": str(self.provider.port), "networks": "127.0.0.2"}
        yield Saved("status", lambda: save(olivier, status="do_not_disturb"), olivier_rings, "486")
        yield Saved("password reset", self.renew, self.registers, "401")
        yield Saved("DID moved", lambda: [save(olivier, dids=""), save(ines, dids=DID)], in_, "103")
        yield Saved("SIP trunk moved", lambda: change_trunk(self.line, **second), outside, "second +1418")
        yield Saved("codec order", lambda: [save(olivier, status="available"), self.codecs("PCMA,PCMU")],
                    self.dials("105", say=lambda rung: ",".join(rung.codecs)), "alaw,ulaw")  # fmt: skip
        yield Saved("SIP trunk moved", lambda: change_trunk(self.line, **first), outside, "first +1418")
        yield Saved("DID moved", lambda: [save(ines, dids=""), save(olivier, dids=DID)], in_, "105")
        yield Saved("password reset", self.renew, self.registers, "401")
        yield Saved("disabled, a registration", lambda: save(zoe, disabled="1"), self.registers_anew, "403")
        yield Saved("enabled, a registration", lambda: save(zoe, disabled="0"), self.registers_anew, "200")
        yield Saved("disabled", lambda: save(olivier, disabled="1"), olivier_rings, "486")
        yield Saved("enabled", lambda: save(olivier, disabled="0"), olivier_rings, "105")
        yield Saved("status", lambda: save(olivier, status="away"), olivier_rings, "answered")
        yield Saved("mailbox", lambda: save(olivier, voicemail__enabled="0"), olivier_rings, "486")
        yield Saved("mailbox", lambda: save(olivier, voicemail__enabled="1"), olivier_rings, "answered")
        yield Saved("status", lambda: save(olivier, status="available"), olivier_rings, "105")
        yield Saved("codec order", lambda: self.codecs("PCMU,PCMA"),
                    self.dials("105", say=lambda rung: ",".join(rung.codecs)), "ulaw,alaw")  # fmt: skip
        secure = self.dials("105", say=lambda rung: "secure" if "RTP/SAVP " in str(rung.invite) else "open")
        yield Saved("SRTP", lambda: save(olivier, srtp="enforced"), secure, "secure")
        yield Saved("SRTP", lambda: save(olivier, srtp="disabled"), secure, "open")
        named = self.dials("105", say=lambda rung: rung.from_name)
        yield Saved("name", lambda: save(amelie, first_name="Léa"), named, "Léa Tremblay")
        yield from self.rules_and_groups()
        yield from self.numbers(outside)
        yield from self.limits(outside, olivier_rings, in_)

    def registers_anew(self) -> str:
        """With the password as it is now."""
        row = User.objects.get(pk=self.zoe.pk)
        self.zoe_phone.auth_id, self.zoe_phone.password = row.sip_auth_id, row.sip_password
        return self.registers()

    def rules_and_groups(self) -> Iterator[Saved]:
        """Where calls go, and whom they ring."""
        olivier = self.olivier
        self.called.answers("busy")
        further = self.dials("105", without="105")
        for destination, expected in {
            "busy": "486", "extension:103": "103", f"external:{OUTSIDE}": "first +1418", "voicemail": "answered", "system:800": "103",
            "extension:103?voicemail": "answered",
        }.items():  # fmt: skip
            yield Saved(
                "rule",
                lambda to=destination: save(olivier, available__busy_internal=to),  # type: ignore[misc]
                further,
                expected,
            )
        yield Saved("deflection", lambda: contract(self.customer, supports_deflection="0"),
                    self.comes_in(without="105"), "first")  # fmt: skip
        yield Saved("deflection", lambda: contract(self.customer, supports_deflection="1"),
                    self.comes_in(without="105"), "302")  # fmt: skip
        self.called.answers("ring")
        yield Saved("ring group", lambda: self.group("105"), self.dials("800"), "105")
        yield Saved("ring group", lambda: self.group("103"), self.dials("800"), "103")
        yield Saved("DID withdrawn", lambda: save(olivier, dids=""), self.comes_in(), "486")
        yield Saved("DID moved", lambda: save(olivier, dids=DID), self.comes_in(), "105")

    def numbers(self, outside: Callable[[], str]) -> Iterator[Saved]:
        """As whom calls are shown, and how numbers are written."""
        company = self.customer
        yield Saved(
            "department caller ID",
            lambda: hours(company, outbound_caller_id=OTHER_DID),
            outside,
            f"from {OTHER_DID}",
        )
        yield Saved("caller ID", lambda: save(self.amelie, outbound_caller_id=DID), outside, f"from {DID}")
        yield Saved(
            "caller ID", lambda: save(self.amelie, outbound_caller_id=""), outside, f"from {OTHER_DID}"
        )
        emergency = self.dials("911")
        yield Saved(
            "emergency number", lambda: hours(company, outbound_caller_id=DID), emergency, f"911 from {DID}"
        )
        yield Saved(
            "emergency number",
            lambda: hours(company, outbound_caller_id=OTHER_DID),
            emergency,
            f"911 from {OTHER_DID}",
        )
        yield Saved(
            "number format",
            lambda: change_trunk(self.line, number_format="national"),
            outside,
            "first 4185550100",
        )
        yield Saved(
            "number format",
            lambda: change_trunk(self.line, number_format="e164"),
            outside,
            "first +14185550100",
        )
        made: list[Any] = []
        yield Saved("SIP trunk added", lambda: made.append(trunk(self.own, company)), outside, "own +1418")
        yield Saved(
            "SIP trunk not in use", lambda: change_trunk(made[0], enabled="0"), outside, "first +1418"
        )
        yield Saved("mobile", lambda: save(self.olivier, mobile=OUTSIDE, available__ring_mobile="1"),
                    self.dials("105", without="105"), "first +1418")  # fmt: skip
        yield Saved(
            "mobile", lambda: save(self.olivier, available__ring_mobile="0"), self.dials("105"), "105"
        )

    def limits(
        self, outside: Callable[[], str], olivier_rings: Callable[[], str], in_: Callable[[], str]
    ) -> Iterator[Saved]:
        """What isn't allowed, and is again."""
        amelie, olivier, company = self.amelie, self.olivier, self.customer
        yield Saved("outbound block", lambda: save(amelie, outbound_disabled="1"), outside, "refused")
        yield Saved("outbound block", lambda: save(amelie, outbound_disabled="0"), outside, "first")
        yield Saved("PIN protection", lambda: save(amelie, pin_protected="1"), outside, "refused")
        yield Saved("PIN protection", lambda: save(amelie, pin_protected="0"), outside, "first")
        closed = {"hours_mode": "own", "office_hours": f"mon {saving.long_closed(self.customer)}"}
        yield Saved(
            "hours", lambda: save(amelie, block_outbound_out_of_hours="1", **closed), outside, "refused"
        )
        yield Saved("hours", lambda: save(amelie, block_outbound_out_of_hours="0"), outside, "first")
        yield Saved(
            "automatic status", lambda: save(olivier, auto_switch_status="1", **closed), olivier_rings, "486"
        )
        yield Saved(
            "automatic status",
            lambda: save(olivier, auto_switch_status="0", status="available"),
            olivier_rings,
            "105",
        )
        yield Saved("channels", lambda: contract(company, sip_trunk_channels="0"), outside, "refused")
        yield Saved("channels", lambda: contract(company, sip_trunk_channels="4"), outside, "first")
        yield Saved(
            "suspended", lambda: contract(company, suspended="1", suspended_reason="Impayé"), in_, "486"
        )
        yield Saved("taken back", lambda: contract(company, suspended="0", suspended_reason=""), in_, "105")
