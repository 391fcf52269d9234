"""A call of a softphone: what happened to it, with times, and what can be done with it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple

from asterisk.softphone.hearing import Ear, Heard
from asterisk.softphone.message import Message, name_of, number_of
from asterisk.softphone.process import PhoneProcess, wait_for


class State(NamedTuple):
    """Where a call was: calling, incoming, early (it rings), connecting, answered or ended."""

    name: str
    at: float  # seconds of time.monotonic()
    code: int
    reason: str


class Media(NamedTuple):
    """How sound was agreed upon at one moment; `remote` is the address that the other side named."""

    at: float
    status: str
    codec: str
    remote: str
    srtp: bool


@dataclass
class Call:
    """One call, made or received. Everything is what happened so far; methods with `within` wait, at most so many seconds."""

    process: PhoneProcess
    number: int
    target: str = ""  # of a call that was made: whom
    invite: Message | None = None  # of a call that came in
    states: list[State] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)  # that came in
    media: list[Media] = field(default_factory=list)
    digits: str = ""
    redirected_to: str = ""
    transfers: list[int] = field(default_factory=list)  # status codes of a transfer asked for here
    ear: Ear | None = None

    # What it is

    @property
    def incoming(self) -> bool:
        """Whether it came in."""
        return self.invite is not None

    @property
    def state(self) -> str:
        """The last of its states."""
        return self.states[-1].name if self.states else "calling"

    @property
    def ended(self) -> bool:
        """Whether it is over."""
        return self.state == "ended"

    @property
    def answered(self) -> bool:
        """Whether it was ever answered."""
        return any(state.name == "answered" for state in self.states)

    @property
    def code(self) -> int:
        """The status code it ended with (200: answered, then hung up; 302: redirected); 0 while it lives."""
        if self.ended and self.redirected_to:
            return 302
        return self.states[-1].code if self.ended else 0

    @property
    def reason(self) -> str:
        """The words beside the code, and what a Reason header said."""
        said = next((m.header("Reason") for m in reversed(self.messages) if m.header("Reason")), "")
        return " ".join(filter(None, [self.states[-1].reason if self.ended else "", said]))

    @property
    def rang_for(self) -> float:
        """Seconds from the first ringing (or the call's coming in) to the answer, the end, or the last that was heard of it."""
        began = self.at("early") or self.at("incoming")
        ended = self.at("answered") or self.at("ended") or (self.states[-1].at if self.states else began)
        return ended - began if began else 0.0

    @property
    def lasted(self) -> float:
        """Seconds between answer and end; 0 without one of them."""
        return self.at("ended") - self.at("answered") if self.answered and self.ended else 0.0

    def at(self, state: str) -> float:
        """When it first was in a state (time.monotonic()); 0: never."""
        return next((one.at for one in self.states if one.name == state), 0.0)

    # Who calls

    def header(self, name: str) -> str:
        """A header of the INVITE that came in, or nothing."""
        return self.invite.header(name) if self.invite else ""

    @property
    def from_uri(self) -> str:
        """The From header."""
        return self.header("From")

    @property
    def from_number(self) -> str:
        """The caller's number, from From."""
        return number_of(self.from_uri)

    @property
    def from_name(self) -> str:
        """The caller's name, from From."""
        return name_of(self.from_uri)

    @property
    def asserted_number(self) -> str:
        """The number in P-Asserted-Identity."""
        return number_of(self.header("P-Asserted-Identity"))

    @property
    def dialled(self) -> str:
        """The number in the request line."""
        return self.invite.dialled if self.invite else ""

    @property
    def codecs(self) -> list[str]:
        """Codecs that the caller offers, in order."""
        return self.invite.codecs if self.invite else []

    @property
    def codec(self) -> str:
        """The codec in use, such as PCMU/8000, or nothing."""
        return next((media.codec for media in reversed(self.media) if media.codec), "")

    @property
    def media_address(self) -> str:
        """Where the other side's sound is to go, host:port, as its last SDP says: its own when direct, the PBX's when relayed."""
        return next((media.remote for media in reversed(self.media) if media.remote), "")

    @property
    def srtp(self) -> bool:
        """Whether the sound is encrypted."""
        return bool(self.media) and self.media[-1].srtp

    # Waiting

    def reaches(self, state: str, within: float) -> bool:
        """Whether it was in a state by then; false as soon as it has ended without."""
        wait_for(lambda: self.at(state) or self.ended, within)
        return bool(self.at(state))

    def rings_within(self, seconds: float) -> bool:
        """Whether ringing, or other early media, is reached."""
        return self.reaches("early", seconds)

    def answered_within(self, seconds: float) -> bool:
        """Whether it is answered by then."""
        return self.reaches("answered", seconds)

    def ended_within(self, seconds: float) -> bool:
        """Whether it is over by then."""
        return bool(wait_for(lambda: self.ended, seconds))

    def digits_within(self, digits: str, seconds: float) -> bool:
        """Whether the other side pressed these keys by then."""
        return bool(wait_for(lambda: digits in self.digits, seconds))

    # Hearing

    @property
    def wav(self) -> Path | None:
        """What it heard, 8 kHz, 16 bits; whole once the call has ended."""
        return self.ear.path if self.ear else None

    def heard(self) -> list[Heard]:
        """What it heard so far, piece by piece, early media included."""
        return self.ear.heard() if self.ear else []

    def heard_for(self, what: int | str) -> float:
        """For how many seconds it heard a tone (Hz), "ringback", "speech", … so far, all pieces together."""
        return self.ear.seconds(what) if self.ear else 0.0

    def hears(self, what: int | str, seconds: float = 0.5, within: float = 5) -> bool:
        """Whether it hears that for so long before the deadline. A recording tells nobody that it grew: it is looked at."""
        return _looked_at(lambda: self.heard_for(what) >= seconds, within, self)

    # Doing

    def ring(self) -> None:
        """Say that it rings here."""
        self._answer(180)

    def answer(self, within: float = 5) -> bool:
        """Answer; whether that was agreed upon."""
        self._answer(200)
        return self.answered_within(within)

    def reject(self, code: int = 486) -> None:
        """Refuse: 486 busy, 603 declined, 480, …"""
        self._answer(code)

    def redirect(self, target: str) -> None:
        """Answer 302: to call `target` (a SIP address) instead."""
        self._answer(302, {"Contact": f"<{target}>"})

    def _answer(self, code: int, headers: dict[str, str] | None = None) -> None:
        self.process.ask("answer", call=self.number, code=code, headers=headers or {})

    def hangup(self, within: float = 5) -> bool:
        """End it, in whatever state; whether that was confirmed."""
        self.process.ask("hangup", call=self.number)
        return self.ended_within(within)

    def dtmf(self, digits: str, *, info: bool = False) -> None:
        """Press keys; `info`: each with a request, as some telephones do, in place of the sound's own packets."""
        self.process.ask("digits", call=self.number, digits=digits, info=info)

    def transfer(self, target: str, headers: dict[str, str] | None = None) -> None:
        """Blind transfer to a SIP address."""
        self.process.ask("transfer", call=self.number, target=target, headers=headers or {})

    def transfer_to(self, other: "Call") -> None:
        """Attended transfer: the other side talks to that of another call of this phone."""
        self.process.ask("join", call=self.number, other=other.number)

    def hold(self) -> None:
        """Put on hold."""
        self.process.ask("hold", call=self.number, on=True)

    def resume(self) -> None:
        """Take back from hold."""
        self.process.ask("hold", call=self.number, on=False)

    def play(self, path: Path) -> None:
        """Speak a WAV file once, in place of the tone."""
        self.process.ask("play", call=self.number, path=str(path))

    def tone(self, hertz: int) -> None:
        """Speak another tone from now on; 0: be silent."""
        self.process.ask("sound", call=self.number, hertz=hertz)

    def statistics(self) -> dict[str, Any]:
        """codec, remote, srtp, packets, lost, and `from`: the address from which sound really comes (host:port)."""
        found: dict[str, Any] = self.process.ask("statistics", call=self.number)
        return found

    # What the worker tells, called while `CHANGED` is held

    def take(self, event: dict[str, Any]) -> None:
        """Remember an event."""
        getattr(self, f"_take_{event['event']}")(event)

    def _take_incoming(self, event: dict[str, Any]) -> None:
        self.invite, self.target = Message(event["text"]), ""
        self.states.append(State("incoming", event["at"], 0, ""))

    def _take_state(self, event: dict[str, Any]) -> None:
        self.states.append(State(event["state"], event["at"], event["code"], event["reason"]))

    def _take_message(self, event: dict[str, Any]) -> None:
        self.messages.append(Message(event["text"]))

    def _take_media(self, event: dict[str, Any]) -> None:
        self.ear = self.ear or Ear(Path(event["path"]))
        facts = event.get("codec", ""), event.get("remote", ""), event.get("srtp", False)
        self.media.append(Media(event["at"], event["status"], *facts))

    def _take_digit(self, event: dict[str, Any]) -> None:
        self.digits += event["digit"]

    def _take_redirected(self, event: dict[str, Any]) -> None:
        self.redirected_to = event["target"].strip("<>")

    def _take_transfer(self, event: dict[str, Any]) -> None:
        self.transfers.append(event["code"])


def _looked_at(condition: Callable[[], bool], within: float, call: Call) -> bool:
    deadline = monotonic() + within
    while not condition():
        if monotonic() >= deadline:
            return False
        wait_for(lambda: call.ended, 0.1)
        if call.ended:
            return condition()
    return True
