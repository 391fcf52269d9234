"""As what a customer's configuration stands, read once and kept for as long as its stamp is the same.

A call asks one prepared statement: which customer, and which stamp. Whoever changes anything gives the customer another stamp in
the same transaction (`asterisk.receivers`), so that the next call is planned on what was saved. Nothing is kept that a change could
leave behind, and nothing for longer than the process has room for.
"""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from django.db.models import OuterRef, Subquery

from asterisk.asked import channels
from asterisk.asked.lines import prompts
from asterisk.mailboxes.names import Box
from asterisk.models import Stamp, Trunk
from asterisk.receivers import drawn
from asterisk.trunks import ways
from asterisk.trunks.line import NumberFormat, TrunkLine, read
from forwarding.calls import Callee, Caller
from forwarding.calls import Did as DidOfIt
from forwarding.hours import Schedule
from forwarding.routing import is_extension
from forwarding.snapshot import CustomerDirectory, caller_of
from pbxadmin.common.prepared import Prepared
from pbxadmin.common.values import tolls
from users.models import Customer, Did, User
from voicemail.models import Greeting
from voicemail.standard_greetings import file_of

# Customers, and people and numbers of one customer, that a process keeps.
MOST_CUSTOMERS = 2_000
MOST_KNOWN = 5_000
# People who are read at once, and so many of one customer, at most, before anybody asks for them.
AS_A_WHOLE = 60
MOST_READ_ALONG = MOST_KNOWN // 2


class Standing(CustomerDirectory):
    """The directory of one customer, and what else a plan asks of its tables."""

    def __init__(self, customer: Customer, stamp: int) -> None:
        super().__init__(customer)
        self.stamp = stamp
        # Several calls are planned at once: nobody sees who is being loaded as nobody.
        self._loading = threading.RLock()
        self._trunks: list[TrunkLine] | None = None
        self._callers: dict[str, tuple[User, Caller]] = {}
        self._mailboxes: dict[tuple[str, str], tuple[str, str, str]] = {}
        self._sip_ids: dict[str, str] = {}
        # Extensions that nobody has asked for yet; None before anybody was read.
        self._others: list[str] | None = None

    def user(self, extension: str) -> Callee | None:
        """The person with this extension."""
        with self._loading:
            return super().user(extension)

    def members(self, extension: str) -> list[Callee]:
        """The people of a ring group or queue."""
        with self._loading:
            return super().members(extension)

    def did(self, number: str) -> DidOfIt | None:
        """The customer's own number of the public network."""
        with self._loading:
            return super().did(number)

    @property
    def is_large(self) -> bool:
        """Whether it holds so much that it is begun anew."""
        return len(self._people) + len(self._dids) + len(self._sip_ids) > MOST_KNOWN

    @property
    def trunks(self) -> list[TrunkLine]:
        """The customer's ways to the public network, in order."""
        if self._trunks is None:
            self._trunks = ways.of(self.customer)
        return self._trunks

    def ways(self, number: str) -> str:
        """How a number is dialled at each trunk, in order."""
        return ways.to(tolls.as_dialled(number) or number, self.trunks)

    def caller(self, extension: str, dialled: str) -> tuple[User, Caller] | None:
        """A person who calls, loaded together with whomever they call; None for nobody."""
        with self._loading:
            both = [each for each in (extension, dialled) if is_extension(each) and each not in self._people]
            if both:
                self._load(both)
            return self._callers.get(extension)

    def _load(self, extensions: Sequence[str]) -> None:
        super()._load([*extensions, *self._read_along()])

    def _read_along(self) -> list[str]:
        """Who is read beside those that are asked for: one costs six milliseconds alone, and a third of one among others.

        A small company is read as a whole. Of a larger one as many again as are known already, so that the first call after a change
        waits for no stranger, and a hundred calls haven't asked a hundred times.
        """
        if self._others is None:
            numbers = User.objects.of(self.customer).order_by().values_list("number", flat=True)
            self._others = list(numbers[:MOST_READ_ALONG])
            count = AS_A_WHOLE if len(self._others) <= AS_A_WHOLE else 0
        else:
            count = min(len(self._people), AS_A_WHOLE)
        others = [number for number in self._others if number not in self._people]
        self._others = others[count:]
        return others[:count]

    def keep(self, person: User, week: Schedule) -> None:
        """Whoever is loaded may call as well."""
        person.customer = self.customer
        self._callers[person.number] = (person, caller_of(person, week=week))

    def diverting(self, extension: str) -> str:
        """The number of this extension that a provider is told when a call to it goes on: its own, else the department's."""
        found = self._callers.get(extension)
        return (found[1].caller_id or found[1].department_caller_id) if found else ""

    def mailbox(self, extension: str, greeting: str) -> tuple[str, str, str]:
        """By which name a node asks for what callers hear at this mailbox, "" where Asterisk speaks by itself; in which language it
        speaks; as what it knows the mailbox."""
        place = (extension, greeting)
        if place not in self._mailboxes:
            self.user(extension)
            person = self._callers[extension][0] if extension in self._callers else None
            box = str(Box(extension, person.pk)) if person else ""
            self._mailboxes[place] = (*_sound(person, greeting), box)
        return self._mailboxes[place]

    def messages(self, extension: str) -> tuple[str, bool]:
        """As what a node knows the mailbox of somebody who calls, "" where it is switched off; whether it asks for a PIN."""
        person: Any = self._callers[extension][0]
        known = str(Box(extension, person.pk)) if person.mailbox.enabled else ""
        return known, not person.mailbox.pin_disabled

    def with_sip_id(self, sip_id: str) -> str:
        """The extension of whoever has this SIP ID; "" for nobody."""
        if sip_id not in self._sip_ids:
            found = User.objects.of(self.customer).filter(sip_id=sip_id).exclude(sip_id="")
            self._sip_ids[sip_id] = found.values_list("number", flat=True).first() or ""
        return self._sip_ids[sip_id]


def _sound(person: Any, greeting: str) -> tuple[str, str]:
    spoken = prompts((person.mailbox.language or person.primary_department.language) if person else "fr")
    found = Greeting.objects.filter(pk=int(greeting)).select_related("sound").first() if greeting else None
    if found is not None and found.sound is not None:
        return f"g-{found.sound.key}", spoken
    path = file_of(found, spoken) if found is not None else None
    return f"s-{path.stem}" if path else "", spoken


# --- Which customer, as of which stamp ---------------------------------------------------------------------------------
_of_host = Prepared(
    lambda fqdn, node: (
        Customer.objects.filter(fqdn=fqdn)
        .order_by()
        .values_list("pk", "stamp__number", channels.elsewhere(OuterRef("pk"), node))
    )
)
_through_trunk = Prepared(
    lambda trunk, number, node: (
        Trunk.objects.filter(pk=trunk, enabled=True)
        .order_by()
        .annotate(
            whose=Subquery(Did.objects.filter(number=number).values("customer")),
            stamp=Subquery(Did.objects.filter(number=number).values("customer__stamp__number")),
            elsewhere=channels.elsewhere(OuterRef("whose"), node),
        )
        .values_list(*ways.READ, "whose", "stamp", "elsewhere")
    )
)
# How numbers were written at a trunk when it last brought a call.
_formats: dict[int, NumberFormat] = {}
_kept: OrderedDict[int, Standing] = OrderedDict()
_lock = threading.Lock()


def of_host(fqdn: str, node: int) -> tuple[Standing | None, int]:
    """Of the customer whose host name this is; and how many channels of its contract are in use at other nodes than `node` (a key)."""
    rows = _of_host(fqdn, node)
    if not rows:
        return None, 0
    customer, stamp, elsewhere = rows[0]
    return _standing(customer, stamp), elsewhere or 0


def through(trunk: int, did: str, node: int) -> tuple[TrunkLine | None, str, Standing | None, int]:
    """Which trunk brings a call to `did`, as it writes it; which number that is (E.164, "" for none); and whose, with their channels that are
    in use at other nodes than `node` (a key).

    One statement, although what number it is depends on the trunk: it is read as the trunk wrote numbers the last time, and once more
    where it has another way now.
    """
    for _ in range(3):
        number = read(did, _formats.get(trunk, NumberFormat.E164))
        rows = _through_trunk(trunk, number, node)
        if not rows:
            break
        line, (whose, stamp, elsewhere) = ways.line_of(rows[0]), rows[0][-3:]
        if line.read(did) == number:
            return line, number, _standing(whose, stamp) if whose and number else None, elsewhere or 0
        _formats[trunk] = line.number_format
    return None, "", None, 0


def _standing(customer: int, stamp: int | None) -> Standing:
    with _lock:
        found = _kept.get(customer)
        if found is not None and found.stamp == stamp and not found.is_large:
            _kept.move_to_end(customer)
            return found
    made = Standing(Customer.objects.get(pk=customer), stamp if stamp is not None else _first(customer))
    with _lock:
        _kept[customer] = made
        while len(_kept) > MOST_CUSTOMERS:
            _kept.popitem(last=False)
    return made


def _first(customer: int) -> int:
    """A stamp for a customer that has none yet; of two who ask at once both get the same."""
    made, _new = Stamp.objects.get_or_create(customer_id=customer, defaults={"number": drawn()})
    return made.number


def forget() -> None:
    """Keep nothing: for tests."""
    with _lock:
        _kept.clear()
