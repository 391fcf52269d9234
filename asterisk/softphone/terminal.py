"""A softphone at a terminal: what happens to it is printed, and what somebody types is done."""

import sys
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from asterisk.softphone.call import Call
from asterisk.softphone.hearing import Heard
from asterisk.softphone.phone import Account, Phone
from asterisk.softphone.process import PhoneError, wait_for

HELP = (
    "a number calls it; during a call, digits are keys; a answers, b is busy, d declines, h hangs up, o holds and takes back, "
    "t NUMBER transfers, m says which messages wait, q or Ctrl-C ends"
)
STATES = {"early": "it rings there", "answered": "answered"}
KEYS = set("0123456789*#ABCD")
# How people write numbers.
WRITTEN = set("0123456789*#+ ()-.")
# What lasts shorter is the end of something else.
SHORTEST = 0.3
# A server that is there answers at once; pjsua itself waits for half a minute.
ANSWERS_WITHIN = 5.0


def printable(text: str) -> str:
    """`text` without anything that could move a terminal's cursor: callers choose their names themselves."""
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text)


def in_words(heard: list[Heard]) -> str:
    """What was heard as a sentence."""
    pieces = [
        f"{what} Hz for {seconds} s" if isinstance(what, int) else f"{what} for {seconds} s"
        for what, seconds in heard
        if seconds >= SHORTEST
    ]
    return "heard " + ", ".join(pieces) if pieces else "heard nothing"


def who(call: Call) -> str:
    """Name and number of the other side."""
    if not call.incoming:
        return call.target
    return (
        f"{call.from_name} <{call.from_number}>"
        if call.from_name
        else call.from_number or "somebody without a number"
    )


class RefusedError(Exception):
    """The phone can't be used: nobody answers, or it isn't let in."""


class Terminal:
    """One phone and whoever sits before it. `say` gets every line."""

    def __init__(self, account: Account, folder: Path, say: Callable[[str], None]) -> None:
        self.account = account
        self._say = say
        self.held = False
        self._lock = threading.Lock()
        self.phone = Phone(folder, account.user_agent, self._event)

    def say(self, text: str) -> None:
        """One line with the time of day."""
        with self._lock:
            self._say(f"{datetime.now().astimezone():%H:%M:%S} {printable(text)}")

    def begin(self) -> None:
        """Register and say what the phone does; raises RefusedError."""
        self.phone.become(self.account)
        server = self.account.server or ("", 0)
        where = f"{server[0]}:{server[1]} ({self.account.transport})"
        try:
            code = self.phone.register(within=ANSWERS_WITHIN)
        except PhoneError:
            code = 408
        if code in (408, 502, 503):
            raise RefusedError(
                f"Nobody answers at {where}: does the phone system run? ./engine status tells."
            )
        if code != 200:
            reason = self.phone.registrations[-1][1]
            raise RefusedError(
                f"The phone system at {where} doesn't let {self.name} in: {code} {printable(reason)}."
            )
        tone = f"speaks {self.account.tone} Hz" if self.account.tone else "is silent"
        self.say(f"{self.name} is registered with {where}; when called: {self.account.answer}; {tone}")

    @property
    def name(self) -> str:
        """The phone's own address."""
        return f"{self.account.number}@{self.account.domain}"

    def end(self) -> None:
        """Hang up, unregister, switch off."""
        try:
            for call in self.phone.on_a_call():
                call.hangup(within=1)
            if self.phone.registered:
                self.phone.unregister(within=2)
                self.say("unregistered")
        except PhoneError as error:
            self.say(str(error))
        self.phone.close()

    def sit(self) -> None:
        """Do what is typed until the end; where nobody types (a pipe, a service) until somebody ends it."""
        if sys.stdin is not None and sys.stdin.isatty():
            self.say(HELP)
        for line in sys.stdin or ():
            if not self.typed(line):
                return
        while self.phone.process.alive:
            wait_for(lambda: not self.phone.process.alive, 60)
        raise RefusedError("The phone's process has ended.")

    def typed(self, line: str) -> bool:
        """Do one line; false when that was the end."""
        text = line.strip()
        if set(text) <= WRITTEN:
            text = "".join(sign for sign in text if sign not in " ()-.")
        word, _, rest = text.partition(" ")
        if word in ("q", "quit"):
            return False
        try:
            self._do(word, rest.strip())
        except PhoneError as error:
            self.say(str(error))
        return True

    def call(self, number: str) -> None:
        """Call somebody."""
        self.say(f"calls {number}")
        self.phone.call(number)

    def _do(self, word: str, rest: str) -> None:
        calls = self.phone.on_a_call()
        call = calls[-1] if calls else None
        if not word:
            return
        if word == "m":
            self._messages()
        elif word in "abdhot" and call is None:
            self.say("there is no call")
        elif word in "abdhot" and call is not None:
            self._with_call(word, rest, call)
        elif call is not None and call.answered and set(word) <= KEYS:
            call.dtmf(word)
        elif any(char.isdigit() for char in word) or word.startswith("sip:"):
            self.call(word)
        else:
            self.say(HELP)

    def _with_call(self, word: str, rest: str, call: Call) -> None:
        match word:
            case "a":
                call.answer()
            case "b":
                call.reject(486)
            case "d":
                call.reject(603)
            case "h":
                call.hangup()
            case "o":
                self.held = not self.held
                call.hold() if self.held else call.resume()
                self.say("on hold" if self.held else "taken back")
            case "t" if rest:
                call.transfer(self.phone.uri(rest))
            case _:
                self.say("transfer to whom? t NUMBER")

    def _messages(self) -> None:
        new, old = self.phone.messages()
        self.say(f"voice messages: {new} new, {old} old")

    # What happens, told while CHANGED is held

    def _event(self, event: dict[str, Any]) -> None:
        tell = getattr(self, f"_on_{event['event']}", None)
        if tell is not None:
            tell(event, self.phone.calls.get(event.get("call", 0)))

    def _on_registration(self, event: dict[str, Any], call: Call | None) -> None:
        before = self.phone.registrations[-2:-1]
        if event["code"] != 200 and before:
            self.say(f"registration: {event['code']} {event['reason']}; tried again")
        elif event["code"] == 200 and before and before[0][0] != 200:
            self.say("registered again")

    def _on_messages(self, event: dict[str, Any], call: Call | None) -> None:
        if self.phone.summaries[-2:-1] != self.phone.summaries[-1:]:
            self._messages()

    def _on_incoming(self, event: dict[str, Any], call: Call) -> None:
        self.say(f"{who(call)} calls" + (f" {call.dialled}" if call.dialled != self.account.number else ""))

    def _on_digit(self, event: dict[str, Any], call: Call) -> None:
        self.say(f"key {event['digit']} from {who(call)}")

    def _on_transfer(self, event: dict[str, Any], call: Call) -> None:
        if event["final"]:
            self.say(f"transfer: {event['code']} {event['reason']}")

    def _on_state(self, event: dict[str, Any], call: Call) -> None:
        if event["state"] == "ended":
            self.held = False
            self.say(f"{self._end_of(call)}; {in_words(call.heard())}")
        elif event["state"] in STATES and not (call.incoming and event["state"] == "early"):
            self.say(f"{STATES[event['state']]} ({who(call)})")

    def _end_of(self, call: Call) -> str:
        if call.answered:
            return f"the call with {who(call)} has ended after {call.lasted:.0f} s"
        if call.redirected_to:
            return f"{who(call)} sends callers to {call.redirected_to}"
        return f"the call with {who(call)} has ended without an answer: {call.code} {call.reason}"


class Outside(Terminal):
    """Somebody in the public network, or all of it: behind a SIP trunk, registered nowhere."""

    def begin(self) -> None:
        """Say what the phone does."""
        where = f"{self.account.address}:{self.phone.become(self.account).port}"
        everybody = bool(self.account.port)
        takes = "everybody outside" if everybody else "somebody outside"
        number = "any number" if everybody else self.account.number
        self.say(f"{takes}: {number}, behind the SIP trunk at {where}; speaks {self.account.tone} Hz")

    def call(self, number: str) -> None:
        """Call a DID number."""
        assert self.account.server
        host, port = self.account.server
        self.say(f"{self.account.number} calls {number}")
        caller = f"<sip:{self.account.number or 'anonymous'}@{self.account.address}>"
        self.phone.call(f"sip:{number}@{host}:{port}", caller=caller, shown=number)
