"""A softphone: an account in a process of its own, its registration, its calls and the messages that wait for it."""

import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

from asterisk.softphone.call import Call
from asterisk.softphone.message import waiting
from asterisk.softphone.process import CHANGED, PhoneError, PhoneProcess, wait_for

# G.722 isn't among them by default: it costs more, and tones are told apart without.
CODECS = ("ulaw", "alaw")
WORDS = {"busy": 486, "decline": 603, "at once": 200, "": 200}
RINGING = {"ring": 180, "early": 183, "silent": 0}
LINES = 4  # calls that a phone has at once: pjsua was built so
NO_LINE = "PJ_ETOOMANY"
RULE = re.compile(r"(ring|early|silent|at once|busy|decline|\d{3}|)(?: ?after ([\d.]+))?(?: to (\S+))?")


def rule(words: str) -> dict[str, Any]:
    """What is done with a call, from a few words; raises ValueError for others.

    "ring": until somebody does something; "at once", "after 2": answer (so many seconds of ringing before); "busy", "decline",
    "480": any final code, also "busy after 2"; "302 to sip:…": redirect; "early": announce by early media (183);
    "silent": say nothing but 100 Trying.
    """
    found = RULE.fullmatch(words)
    if not found:
        raise ValueError(f"“{words}” is nothing that a phone does with a call")
    what, seconds, target = found.groups()
    if what in RINGING:
        return {"ring": RINGING[what]}
    code = WORDS.get(what) or int(what)
    rings = 180 if code == 200 or seconds else 0
    headers = {"Contact": f"<{target}>"} if target else {}
    return {"ring": rings, "code": code, "after": float(seconds or 0), "headers": headers}


@dataclass
class Account:
    """Who a phone is, where, and how it behaves. Without `auth_id` it never registers: a provider's trunk, a stranger."""

    number: str
    domain: str
    auth_id: str = ""
    password: str = field(default="", repr=False)
    server: tuple[str, int] | None = ("127.0.0.1", 5060)  # None: whatever address is called
    transport: str = "udp"  # tcp, tls
    authorities: str = (
        ""  # file of those whose certificates it believes, over TLS; blank: it believes anybody
    )
    srtp: str = "none"  # optional, mandatory
    codecs: tuple[str, ...] = CODECS
    tone: int = 440  # Hz that it speaks; 0: silence
    answer: str = "ring"  # see `rule`
    answers: dict[str, str] = field(default_factory=dict)  # the same for single dialled numbers
    address: str = "127.0.0.1"
    port: int = 0
    rtp_port: int = 0
    rtp_range: int = 0
    expires: int = 300
    retry: int = 0  # seconds after which a registration that failed is tried again; 0: never
    user_agent: str = "pbxadmin softphone"

    @property
    def proxy(self) -> str:
        """The server as a route that isn't written into requests: phones find it by configuration, not by the domain."""
        if self.server is None:
            return ""
        return f"sip:{self.server[0]}:{self.server[1]};transport={self.transport};lr;hide"

    def rules(self) -> dict[str, dict[str, Any]]:
        """Numbers and what is done with calls to them; "" for all others."""
        return {"": rule(self.answer)} | {number: rule(words) for number, words in self.answers.items()}

    def as_command(self) -> dict[str, Any]:
        """The worker's `become`."""
        names = (
            "auth_id password transport authorities srtp tone address port rtp_port rtp_range expires retry"
        )
        facts = asdict(self)
        return {
            **{name: facts[name] for name in names.split()},
            "codecs": list(self.codecs),
            "uri": f"sip:{self.number}@{self.domain}",
            "registrar": f"sip:{self.domain}" if self.auth_id else "",
            "proxy": self.proxy,
            "rules": self.rules(),
        }


class Phone:
    """One device. `calls` are all it had since it became who it is, in the order in which they began."""

    def __init__(
        self, folder: Path, user_agent: str, on_event: Callable[[dict[str, Any]], None] | None = None
    ) -> None:
        # The process may tell something at once.
        self.on_event = on_event
        self._dialled = ""  # whom it calls, before the number of the call is known
        self._first = 0  # the number of its first call; those before were another's
        self._forget()
        self.process = PhoneProcess(folder, user_agent, self._take)

    def _forget(self) -> None:
        self.calls: dict[int, Call] = {}
        self.registrations: list[tuple[int, str]] = []
        self.summaries: list[tuple[int, int]] = []
        self._taken: set[int] = set()
        self._on = False

    def become(self, account: Account) -> "Phone":
        """Be another phone from now on."""
        self.account = account
        self.port: int
        self.port, self._first = self.process.ask("become", **account.as_command())
        with CHANGED:
            self._forget()
        return self

    def close(self) -> None:
        """Switch it off."""
        self.process.close()

    # Registration

    def register(self, within: float = 10) -> int:
        """Register; the status code of the answer (408 when there was none)."""
        return self._register(True, within)

    def unregister(self, within: float = 10) -> int:
        """Unregister; the status code of the answer."""
        return self._register(False, within)

    @property
    def registered(self) -> bool:
        """Whether the last answer let it in."""
        return bool(self.registrations) and self._on and self.registrations[-1][0] == 200

    def _register(self, on: bool, within: float) -> int:
        before = len(self.registrations)
        self._on = on
        self.process.ask("register", on=on)
        if not wait_for(lambda: len(self.registrations) > before, within):
            raise PhoneError(f"{self.account.number}: no word of the registration within {within} s")
        return self.registrations[-1][0]

    # Calls

    def uri(self, target: str) -> str:
        """A number as a SIP address of the own domain; a SIP address as it is."""
        return target if re.match("sips?:", target) else f"sip:{target}@{self.account.domain}"

    def call(
        self,
        target: str,
        headers: dict[str, str] | None = None,
        *,
        caller: str = "",
        tone: int | None = None,
        shown: str = "",
        listens: bool = False,
    ) -> Call:
        """Call a number or a SIP address. `caller` (a name-addr) stands in From in place of the account; `shown`: as whom the call is told of;
        who only `listens` sends no sound. Where no line is free one may still be ending: that is waited for."""
        arguments: dict[str, Any] = {
            "target": self.uri(target), "headers": headers or {}, "caller": caller, "tone": tone, "listens": listens,
        }  # fmt: skip
        # Known before: a call may have ended by the time in which its number comes.
        self._dialled = shown or target
        number = self._dial(arguments)
        with CHANGED:
            return self._call(number)

    def _dial(self, arguments: dict[str, Any], within: float = 5) -> int:
        deadline = monotonic() + within
        while True:
            try:
                return int(self.process.ask("dial", **arguments))
            except PhoneError as error:
                if NO_LINE not in str(error) or monotonic() > deadline:
                    raise
            # Nothing tells that a line became free.
            wait_for(lambda: False, 0.05)

    def lines_within(self, seconds: float) -> int:
        """How many lines are taken, as soon as none is, or then: that of a call that was hung up is free once the other side has said so."""
        deadline = monotonic() + seconds
        while (taken := int(self.process.ask("lines"))) and monotonic() < deadline:
            wait_for(lambda: False, 0.05)
        return taken

    def incoming(self, within: float = 5) -> Call:
        """The next call that came or comes in, each of them once; raises PhoneError when none comes."""
        call = wait_for(self._next, within)
        if call is None:
            raise PhoneError(f"{self.account.number}: no call came in within {within} s")
        self._taken.add(call.number)
        found: Call = call
        return found

    def _next(self) -> Call | None:
        return next((call for call in self.received if call.number not in self._taken), None)

    @property
    def received(self) -> list[Call]:
        """The calls that came in, answered or not."""
        return [call for call in self.calls.values() if call.incoming]

    @property
    def rang(self) -> int:
        """How often it rang."""
        return sum(1 for call in self.received if call.at("early"))

    def on_a_call(self) -> list[Call]:
        """Its calls that haven't ended."""
        return [call for call in self.calls.values() if not call.ended]

    def answers(self, words: str, numbers: dict[str, str] | None = None) -> None:
        """What it does with calls from now on (see `rule`), and with those to single dialled numbers."""
        self.account.answer, self.account.answers = words, numbers or {}
        self.process.ask("rules", rules=self.account.rules())

    # Voicemail

    def messages(self) -> tuple[int, int]:
        """New and old messages, as the last NOTIFY said; (0, 0) before any."""
        return self.summaries[-1] if self.summaries else (0, 0)

    def messages_become(self, new: int, old: int, within: float = 5) -> bool:
        """Whether a NOTIFY says so by then."""
        return bool(wait_for(lambda: self.messages() == (new, old), within))

    # What the worker tells

    def _call(self, number: int) -> Call:
        if number not in self.calls:
            self.calls[number] = Call(self.process, number, self._dialled)
        return self.calls[number]

    def _take(self, event: dict[str, Any]) -> None:
        if event["event"] == "registration":
            self.registrations.append((event["code"], event["reason"]))
        elif event["event"] == "messages":
            self.summaries.append(waiting(event["text"]))
        elif event.get("call", 0) >= self._first and "call" in event:
            self._call(event["call"]).take(event)
        if self.on_event:
            self.on_event(event)
