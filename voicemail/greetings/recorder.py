"""Recording a greeting from a phone: what calls the phone is the phone system's, and makes itself known here."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from django.utils.translation import gettext as _

from pbxadmin.common.columns import Scope, Text
from pbxadmin.common.http import RequestFacts
from users.models import User
from users.rights import Verb


@dataclass(frozen=True)
class Asked:
    """Who wants a greeting recorded (`scope.actor`), by which right, into whose library (None: the company's), under which name; and
    whose phones are to ring."""

    scope: Scope
    verb: Verb
    person: User | None
    name: str
    phone: User


@dataclass(frozen=True)
class PhoneCall:
    """A call to record, as its library shows it: how far it is, in words; over means that nothing came of it."""

    pk: int
    name: str
    words: str
    over: bool


class PhoneRecorder(Protocol):
    """What rings an extension, lets its user record, and gives the recording to `voicemail.greetings.making.receive`."""

    def why_not(self, customer: Any) -> Text | None:
        """Why it can't call this customer's extensions; None where it can."""

    def call(self, asked: Asked, facts: RequestFacts) -> Text | None:
        """Have the phones ring; why not, where none does."""

    def calls(self, customer: Any, person: User | None) -> Sequence[PhoneCall]:
        """Those whose recording comes into this library, and those of which nothing came and that nobody has put away."""

    def put_away(self, customer: Any, person: User | None, pk: int) -> None:
        """Forget one of these; one that still goes on ends, and nothing is kept of it."""


_known: list[PhoneRecorder] = []


def register(recorder: PhoneRecorder) -> None:
    """Make known what calls phones."""
    _known[:] = [recorder]


def none() -> Text:
    """What is said where nothing calls phones."""
    return _("No phone system is connected to the portal yet: upload a file, or use the microphone.")


def why_not(customer: Any) -> Text | None:
    """Why no phone of this customer can be called to record; None where one can."""
    return _known[0].why_not(customer) if _known else none()


def call(asked: Asked, facts: RequestFacts) -> Text | None:
    """Have the phones of somebody ring; why not, where none does."""
    return _known[0].call(asked, facts) if _known else none()


def calls(customer: Any, person: User | None) -> Sequence[PhoneCall]:
    """The calls of a library."""
    return _known[0].calls(customer, person) if _known else ()


def put_away(customer: Any, person: User | None, pk: int) -> None:
    """Forget one of them."""
    if _known:
        _known[0].put_away(customer, person, pk)
