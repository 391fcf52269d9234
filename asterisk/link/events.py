"""Who wants to be told of what nodes tell: a register, filled by whoever handles calls, missed calls, messages…"""

import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from asterisk.ami.protocol import Message
from asterisk.mailboxes import names
from asterisk.mailboxes.names import Box
from asterisk.nodes import customers_of
from pbxadmin.common.away import is_away
from users.models import Customer, User

logger = logging.getLogger("pbxadmin.link")

# Names of which there is a word in the log already, so that a node that lies fills no disk.
MOST_WORDS = 1_000


@dataclass(frozen=True)
class Told:
    """One event. `values` by their keys as the node writes them, the first of each; `people` those whom the handler's keys name, by
    extension, of `customer`."""

    name: str
    values: Mapping[str, str]
    customer: Customer
    people: Mapping[str, User] = field(default_factory=dict)

    def person(self, key: str) -> User | None:
        """Whom the value of `key` names; None for no extension of the customer."""
        return self.people.get(self.values.get(key, ""))


# Gets the node's key and the events of one moment, in their order, each of a customer that there is. What it raises is logged and
# that event is gone (of several, each is given once more by itself), as far as a database that is away isn't the reason: then they
# come again. It may see an event twice (a worker that was killed after it wrote and before it said so): it must not mind.
Handler = Callable[[int, Sequence[Told]], None]


@dataclass(frozen=True)
class Registered:
    """A handler and what it wants to know."""

    handle: Handler
    people: tuple[str, ...]


HANDLERS: dict[str, list[Registered]] = defaultdict(list)
_unknown: set[tuple[str, str]] = set()


def register(name: str, handler: Handler, people: Collection[str] = ()) -> None:
    """Have `handler` told of the UserEvents that the dialplan calls `name` ("PbxCall"). `people`: the keys whose values are extensions.

    The dialplan names the customer by its host name under "System": `UserEvent(PbxCall,System: ${SYSTEM},From: 101,…)`. What it couldn't
    tell while nobody listened it keeps as `DB(pbxcalls/<unique id>)`, as the same text.
    """
    HANDLERS[name].append(Registered(handler, tuple(people)))


def user_event(message: Message) -> tuple[str, dict[str, str]]:
    """The name and the values of a UserEvent."""
    values: dict[str, str] = {}
    for key, value in message.pairs:
        if key not in ("Event", "Privilege", "UserEvent", "ActionID"):
            values.setdefault(key, value)
    return message.get("UserEvent"), values


def kept(text: str) -> dict[str, str]:
    """The values of what was kept in the node's own database: "System: acme.example,From: 101"."""
    values: dict[str, str] = {}
    for part in text.split(","):
        key, colon, value = part.partition(":")
        if colon and key.strip().isalnum():
            values.setdefault(key.strip(), value.strip())
    return values


def tell(node: int, told: Sequence[tuple[str, Mapping[str, str]]]) -> None:
    """Give events, name and values, to their handlers: two queries for any number of them, and what the handlers ask."""
    known = [(name, values) for name, values in told if name in HANDLERS]
    if not known:
        return
    customers = {
        each.fqdn: each for each in customers_of(node).filter(fqdn__in={_host(values) for _, values in known})
    }
    numbers = _numbers(known)
    people: dict[int, dict[str, User]] = defaultdict(dict)
    if numbers:
        for person in User.objects.filter(customer__in=customers.values(), number__in=numbers).order_by("pk"):
            people[person.customer_id or 0][person.number] = person
    by_name: dict[str, list[Told]] = defaultdict(list)
    for name, values in known:
        customer = customers.get(_host(values))
        if customer is None:
            say_once("customer", _host(values))
            continue
        by_name[name].append(Told(name, values, customer, people[customer.pk]))
    for name, events in by_name.items():
        for registered in HANDLERS[name]:
            _hand(registered.handle, node, events)


def _hand(handle: Handler, node: int, events: Sequence[Told]) -> None:
    try:
        handle(node, events)
    except Exception as error:
        if is_away(error):
            raise
        if len(events) == 1:
            logger.exception("an event is lost")
            return
        # At fault is one of them (whom it names was deleted at that moment, say): the others aren't lost with it.
        for each in events:
            _hand(handle, node, [each])


def _host(values: Mapping[str, str]) -> str:
    return values.get("System", "").lower()


def _numbers(known: Sequence[tuple[str, Mapping[str, str]]]) -> set[str]:
    wanted = {values.get(key, "") for name, values in known for one in HANDLERS[name] for key in one.people}
    return {number for number in wanted if number.isdecimal() and len(number) <= 5}


def say_once(kind: str, name: str) -> None:
    """A line in the log for something foreign that a node names, the first time."""
    if (kind, name) not in _unknown and len(_unknown) < MOST_WORDS:
        _unknown.add((kind, name))
        logger.warning("a node tells of a %s that there isn't: %.80r", kind, name)


def messages_waiting(node: int, told: Sequence[tuple[str, int]]) -> None:
    """Mailboxes ("102@u17") and how many new messages they have; the last word of each counts."""
    from asterisk.mailboxes import arriving
    from voicemail import messages

    last = {name: (names.parse(name), unread) for name, unread in told}
    wanted = [box.person for box, _unread in last.values() if box]
    people = User.objects.filter(pk__in=wanted, customer__in=customers_of(node)).select_related("customer")
    found = {Box(person.number, person.pk): person for person in people}
    for name, (box, unread) in last.items():
        person = found.get(box) if box else None
        if person is None or person.customer is None:
            say_once("mailbox", name)
            continue
        messages.told(person.customer, person.number, unread)
        if unread:
            # Also what a colleague forwarded, which no call tells of.
            arriving.look(node, [name])
