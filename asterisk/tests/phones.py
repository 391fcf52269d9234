"""Phones and a provider's trunk with which calls are tested: pjsua2, which shares no code with this project.

A test takes the fixture `phones`, switches on what it needs, and waits for what should happen, each time with a deadline::

    @pytest.mark.calls
    def test_who_is_called_sees_the_callers_name_and_both_hear_each_other(phones, amelie, felix):
        one, other = phones.of(amelie, tone=440), phones.of(felix, tone=700, answer="after 1")
        call = one.call("102")
        heard = other.incoming(within=3)
        assert (heard.from_number, heard.from_name) == ("101", "Amélie Tremblay")
        assert call.answered_within(5)
        assert call.hears(700, seconds=1) and heard.hears(440, seconds=1)
        call.hangup()
        assert heard.ended_within(2) and 0.9 < heard.rang_for < 1.3

`phones.of(person)` has the credentials of a person in the tables, `phones.phone("101", "boreale.example", "auth101", "secret")` any others. Either
registers at once and fails unless that is let in; with `register=False` a test does it: `assert phone.register() == 401`.
Two devices of one extension are two `phone(…)` with the same credentials. What a phone does with a call says `answer`, a few words
(`asterisk.softphone.phone.rule`): "ring", "at once", "after 2", "busy", "decline", "480", "603 after 1", "302 to sip:…", "early", "silent";
`phone.answers("busy")` changes it. The trunk takes calls to any number, and may treat single numbers differently::

    provider = phones.trunk(answer="at once", answers={"5145550199": "busy"}, tone=1000)
    out = provider.incoming(); out.dialled, out.from_number, out.asserted_number, out.header("Diversion")
    call = provider.call("5145550100", "5145550199", name="Olivier")   # into the engine; `call.redirected_to` after a 302

Give each phone its own tone: `heard()` then says who was heard. It lists pieces such as (700, 1.9), ("ringback", 2.0), ("speech", 1.2),
("silence", 0.4), exact to 0.1 s and a quarter of a second behind while the call lasts. Tones of 300 to 1,500 Hz, 30 Hz apart, are told
apart; "speech" is any other sound, such as a spoken prompt.

Processes are kept for the next test and become other phones (a hundredth of a second instead of a third); `release` unregisters
what the test used. What isn't simulated: NAT, packet loss, Opus, several calls of one device on different tones.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import TypeVar

import pytest

from asterisk.softphone.call import Call
from asterisk.softphone.phone import LINES, Account, Phone
from asterisk.softphone.process import PhoneError, wait_for
from asterisk.tests.engine import LiveEngine
from users.models import User

__all__ = [
    "Account",
    "Call",
    "Phone",
    "PhoneError",
    "Phones",
    "Trunk",
    "heard_by_each",
    "heard_first",
    "wait_for",
]

# How many wait to become others: one that waits for a minute costs as much as one that is started.
KEPT = 6
AT_ONCE = LINES - 1  # calls of one phone: one more may still be ending
Target = TypeVar("Target")


def heard_first(call: Call, *sounds: int | str, within: float = 4) -> int | str | None:
    """Which of these a caller hears first, for 0.3 s at least; else the code with which the call ended, or None."""
    deadline = monotonic() + within
    while True:
        # What was heard until a call ended is there once it has.
        over = call.ended or monotonic() > deadline
        if found := next((each for each in sounds if call.heard_for(each) >= 0.3), None):
            return found
        if over:
            return call.code or None
        wait_for(lambda: call.ended, 0.03)


def heard_by_each(
    call: Callable[[Target], Call], targets: Sequence[Target], *sounds: int | str
) -> dict[Target, int | str | None]:
    """The same of calls to each of these, some at once, which are hung up then."""
    found = {}
    for at in range(0, len(targets), AT_ONCE):
        calls = {each: call(each) for each in targets[at : at + AT_ONCE]}
        found |= {each: heard_first(made, *sounds) for each, made in calls.items()}
        for made in calls.values():
            made.hangup()
    return found


class Trunk(Phone):
    """A provider: takes calls to any number and sends calls in."""

    def call(
        self,
        did: str,
        number: str = "",
        name: str = "",
        headers: dict[str, str] | None = None,
        tone: int | None = None,
    ) -> Call:
        """Send a call of `number` to `did` into the engine."""
        assert self.account.server
        host, port = self.account.server
        caller = f'"{name}" <sip:{number or "anonymous"}@{self.account.address}>'
        target = f"sip:{did}@{host}:{port};transport={self.account.transport}"
        return super().call(target, headers, caller=caller, tone=tone)


class Phones:
    """Phones that are switched on, and those that wait to become others. `server` is where they register, unless told otherwise."""

    def __init__(
        self, folder: Path, server: tuple[str, int] = ("127.0.0.1", 5060), tls_port: int = 5061
    ) -> None:
        self.folder, self.server, self.tls_port = folder, server, tls_port
        self.used: list[Phone] = []
        self.free: list[Phone] = []

    def phone(
        self,
        number: str,
        domain: str,
        auth_id: str,
        password: str,
        *,
        register: bool = True,
        **account: object,
    ) -> Phone:
        """A phone of an extension, by default registered; `account` is what else an `Account` has."""
        phone = self._take(
            Phone, self._account(number=number, domain=domain, auth_id=auth_id, password=password, **account)
        )
        if register and (code := phone.register()) != 200:
            raise PhoneError(f"{number}@{domain} was answered {code} when it registered")
        return phone

    def of(self, person: User, **account: object) -> Phone:
        """A phone of somebody in the tables, with their credentials."""
        domain = person.customer.fqdn
        return self.phone(person.number, domain, person.sip_auth_id, person.sip_password, **account)

    def trunk(self, address: str = "127.0.0.2", port: int = 0, **account: object) -> Trunk:
        """A provider's trunk there (port 0: any free one, see `trunk.port`)."""
        facts = {
            "number": "trunk",
            "domain": address,
            "address": address,
            "port": port,
            "user_agent": "provider",
        }
        return self._take(Trunk, self._account(**(facts | account)))

    def stranger(self, number: str, domain: str, **account: object) -> Phone:
        """Somebody without an account at the server, who can be called at their own address; server=None: calls others at theirs."""
        return self._take(Phone, self._account(number=number, domain=domain, **account))

    def release(self, keep: int = KEPT) -> None:
        """The end of a test: everything hangs up and unregisters, and `keep` of them wait to become others."""
        for phone in self.used:
            self._put_away(phone)
        self.used.clear()
        surplus, self.free = self.free[:-keep], self.free[-keep:]
        _close(surplus)

    def switch_off(self, kind: type) -> None:
        """Switch those of a kind off that wait to become others."""
        for phone in [each for each in self.free if type(each) is kind]:
            self.free.remove(phone)
            phone.close()

    def close(self) -> None:
        """Switch all of them off."""
        _close(self.used + self.free)
        self.used.clear()
        self.free.clear()

    def _account(self, **facts: object) -> Account:
        host, port = self.server
        server = (host, self.tls_port if facts.get("transport") == "tls" else port)
        account = Account(**({"server": server} | facts))
        return replace(account, codecs=tuple(account.codecs))

    def _take(self, kind: type, account: Account) -> Phone:
        fitting = (
            p
            for p in self.free
            if type(p) is kind and p.account.user_agent == account.user_agent and p.process.alive
        )
        phone = next(fitting, None)
        if phone is None:
            phone = kind(self.folder, account.user_agent)
        else:
            self.free.remove(phone)
        self.used.append(phone)
        return phone.become(account)

    def _put_away(self, phone: Phone) -> None:
        if not phone.process.alive:
            return
        phone.answers("480")
        for call in phone.on_a_call():
            call.hangup(within=1)
        if phone.registered:
            # The Asterisk may be gone: then there is nobody to tell.
            with suppress(PhoneError):
                phone.unregister(within=2)
        if phone.account.port or phone.lines_within(1):
            # Somebody else may be there next (sipp, or a phone with another User-Agent), and a process keeps its addresses. A call whose
            # other side is gone takes half a minute to end, and one of the next phone's lines as long.
            phone.close()
        else:
            self.free.append(phone)


def _close(phones: list[Phone]) -> None:
    """Each takes a quarter of a second to end: all at once."""
    for phone in phones:
        phone.process.dismiss()
    for phone in phones:
        phone.close()


@pytest.fixture(scope="session")
def phone_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Phones]:
    """The processes of all tests' phones."""
    found = Phones(tmp_path_factory.mktemp("heard"))
    yield found
    found.close()


@pytest.fixture
def phones(phone_store: Phones, engine: LiveEngine) -> Iterator[Phones]:
    """Phones that register with the Asterisk of this test."""
    phone_store.server, phone_store.tls_port = engine.sip, int(engine.values["SIP_TLS_PORT"])
    yield phone_store
    phone_store.release()
