"""One export: whose rows, in which columns, as which kind of file; the same bytes whoever asks for it, page or terminal."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db.models import QuerySet

from files.exporting.people import Layout, header, rows
from files.exporting.writing import Kind, written
from pbxadmin.common.columns import Scope
from pbxadmin.common.crypto import Reader, plain
from pbxadmin.common.http import RequestFacts
from pbxadmin.common.proof import Takeover
from users import rights, road
from users.models import User
from users.people.sections import user_sheet
from voicemail.models import Mailbox
from voicemail.sections import PIN

# What the history keeps as the reason, where secrets went into a file.
REASON = "export"


def everybody(scope: Scope) -> QuerySet[User]:
    """The people whom the scope's actor may open, in the order of their extensions: nobody else is ever in a file."""
    people = User.objects.visible_to(scope.actor).of(scope.customer)
    return people.filter(rights.administered_by(scope.actor)).order_by("number")


@dataclass(frozen=True)
class Export:
    """What is wanted. `people` are some of `everybody`, in the order of the file."""

    scope: Scope
    people: QuerySet[User]
    layout: Layout = Layout.FULL
    kind: Kind = Kind.CSV
    # Whether the PINs of mailboxes are in it: the only secrets that a file can hold. Passwords of phones and of SIP are in none, and read by none.
    with_pins: bool = False
    about: str = field(default="")  # for the name of the file: whose it is, where it is one person's

    def name(self, day: date) -> str:
        """What the file is called: the customer, whose format it is, the day."""
        what = "3cx" if self.layout is Layout.V20 else "pbxadmin"
        parts = [self.scope.customer.slug, *([self.about] if self.about else []), what, day.isoformat()]
        return f"{'-'.join(parts)}.{self.kind}"

    def pieces(self, facts: RequestFacts) -> Iterator[bytes]:
        """The file. Where PINs are in it, that is written into the history first: before there is a first byte.

        Raises `ProofNeededError` where they take a proof that wasn't given, `RefusedError` where they aren't the actor's to see.
        """
        pins = self._reveal(facts) if self.with_pins else None
        names = header(self.layout)
        return written(
            self.kind, self.scope.customer.name, names, rows(self.scope, self.people, self.layout, pins)
        )

    def _reveal(self, facts: RequestFacts) -> Mapping[int, str]:
        facts.demand_proof(Takeover.SECRET)
        keys = list(self.people.values_list("pk", flat=True))
        cell = {"column": PIN.name, "old": "", "new": ""}
        return road.reveal_many(self.scope, user_sheet(), keys, cell, facts, REASON, _pins)


def _pins(keys: Sequence[Any]) -> dict[Any, str]:
    mailboxes = Mailbox.objects.filter(user__in=keys).only("user", "pin")
    return {
        mailbox.user_id: pin for mailbox in mailboxes if (pin := plain(mailbox, Mailbox.pin, Reader.PERSON))
    }
