"""What needs somebody now, over all customers: how many of each, the worst few by name, and the report that lists them all.

Each is one question, or a fixed number of them, however many customers there are; what a number counts is what its report lists.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Case, CharField, Count, DateTimeField, F, Q, QuerySet, Value, When, Window
from django.db.models.expressions import Expression, OrderBy
from django.db.models.functions import Cast, Coalesce, RowNumber
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from asterisk import nodes
from asterisk.link.status import TROUBLES
from asterisk.models import Node, Trunk
from asterisk.trunks import states
from forwarding import outside
from pbxadmin.common.columns import Text
from pbxadmin.common.fields import phone_number_national
from pbxadmin.common.places import country_said
from pbxadmin.common.templatetags.portal import moment
from pbxadmin.common.values.numbers import place_of
from phones import presence, selectors
from phones.models import UNDER_WAY, Phone
from phones.sites.overview import AWAY, doing
from signin.blocked import blocks_of, locked_since
from support.reports import REPORTS, contracts, emergency, signins
from support.reports.outside import NEW
from support.reports.phones import waits_long
from users.models import Change, Operation, User
from users.models.history import changes_since

# What is read of a phone to say how it is doing, and whose it is.
READ = (
    "mac", "model", "created_at", "fetched_at", "heard_at", "stale_since", "attempts", "notified_at", "notified_command", "outcome",
    "outcome_detail", "command", "command_at", "user__number", "user__first_name", "user__last_name", "user__disabled",
    "user__customer__name", "user__customer__slug", "user__customer__suspended",
)  # fmt: skip
# As many examples of each are named.
SHOWN = 3


@dataclass(frozen=True)
class Example:
    """One of them: whose, who or what it is, what is the matter, and where it is put right."""

    customer: str
    name: str
    what: str
    url: str


@dataclass(frozen=True)
class Need:
    """One kind of thing that needs somebody. `tone` as states have it; "ok" where there is none."""

    slug: str
    title: Text
    count: int
    url: str
    examples: Sequence[Example]
    alarming: bool = True

    @property
    def tone(self) -> str:
        """How it is drawn."""
        return "ok" if not self.count else "bad" if self.alarming else "wait"


def needs(actor: User, now: datetime) -> list[Need]:
    """All of them, in the order in which a technician looks at them: five queries, and one more while anybody is shut out."""
    full, suspended, gaps = _customers(actor)
    silent, waiting, missing = _phones(actor, now)
    blocked, forwarded = _people(now)
    unlinked, unanswered = _phone_system(now)
    return [unlinked, unanswered, silent, waiting, missing, blocked, gaps, forwarded, full, suspended]


# --- The phone system itself --------------------------------------------------------------------------------------
class Part(NamedTuple):
    """A node or a SIP trunk: `says` is a node's trouble, `at` when it was heard, `up` whether a trunk answers at some node."""

    what: str
    key: int
    name: str
    customer: str
    says: str
    at: datetime | None
    up: bool
    of: int
    place: int


def _phone_system(now: datetime) -> tuple[Need, Need]:
    """Nodes to which there is no link, those first that haven't said anything for longest; and SIP trunks in use that don't answer at
    some node that is connected, the provider's own first: one query for both."""
    without = _ranked(
        Node.objects.exclude(nodes.connected(now)),
        "nodes",
        [F("heard_at").asc(nulls_first=True), F("pk").asc()],
        whose=Value("", CharField()), says=F("trouble"), at=F("heard_at"), answering=Value(False),
    )  # fmt: skip
    silent = _ranked(
        states.with_state(Trunk.objects.all(), now).filter(states.silent(now)),
        "trunks",
        [F("customer__sort_name").asc(nulls_first=True), F("position").asc(), F("pk").asc()],
        whose=Coalesce("customer__name", Value("")), says=Value("", CharField()), at=Cast(Value(None), DateTimeField()), answering=F("up"),
    )  # fmt: skip
    found = sorted((Part(*row) for row in without.union(silent, all=True)), key=lambda part: part.place)
    return (
        _parts([part for part in found if part.what == "nodes"], "node", "?link=no"),
        _parts([part for part in found if part.what == "trunks"], "trunk", "?state=silent"),
    )


def _ranked(rows: Any, what: str, order: Sequence[OrderBy], **said: Any) -> Any:
    """The first of these rows in the columns of `Part`."""
    place = Window(RowNumber(), order_by=list(order))
    counted = rows.order_by().annotate(
        what=Value(what, CharField()), of=Window(Count("pk")), place=place, **said
    )
    columns = ("what", "pk", "name", "whose", "says", "at", "answering", "of", "place")
    return counted.filter(place__lte=SHOWN).values_list(*columns)


def _parts(found: Sequence[Part], kind: str, asked: str) -> Need:
    """A need of these, each of which leads to its page."""
    titles = {
        "node": gettext_lazy("Phone system nodes not connected"),
        "trunk": gettext_lazy("SIP trunks that don't answer"),
    }
    examples = [
        Example(
            part.customer or (_("All customers") if kind == "trunk" else part.name),
            part.name if kind == "trunk" else "",
            _of_trunk(part) if kind == "trunk" else str(TROUBLES.get(part.says, "")) or _heard(part),
            reverse(f"admin:asterisk_{kind}_change", args=[part.key]),
        )
        for part in found
    ]
    url = reverse(f"admin:asterisk_{kind}_changelist") + asked
    return Need(f"{kind}s", titles[kind], found[0].of if found else 0, url, examples)


def _of_trunk(part: Part) -> str:
    return str(states.WORDS[states.State.PARTLY if part.up else states.State.SILENT])


def _heard(part: Part) -> str:
    return _("last heard %(when)s") % {"when": moment(part.at)} if part.at else _("never heard")


# --- Phones -------------------------------------------------------------------------------------------------------
def _phones(actor: User, now: datetime) -> tuple[Need, Need, Need]:
    """Silent ones, those with a change that waits for long, and those that aren't there: one query."""
    phones = Phone.objects.visible_to(actor).select_related("user__customer").only(*READ)
    told = phones.filter(UNDER_WAY).alias(doing=doing(now))
    waits_since = Coalesce("command_at", "stale_since", "notified_at")
    found: list[Any] = list(
        _first("silent", told.filter(doing="silent"), waits_since).union(
            _first("waiting", told.filter(waits_long(now)), waits_since),
            _first("away", phones.filter(presence.away(now)), presence.last_seen_column()),
            all=True,
        )
    )
    found.sort(key=lambda phone: phone.place)
    report = REPORTS["phones"]

    def of(what: str, title: Text, said: Callable[[Phone], str], **asked: str) -> Need:
        some = [phone for phone in found if phone.what == what]
        examples = [_phone(phone, said(phone)) for phone in some]
        return Need(what, title, some[0].of if some else 0, report.url(**asked), examples)

    def doing_now(phone: Phone) -> str:
        return selectors.state(phone, now).sentence

    def seen(phone: Phone) -> str:
        return presence.presence(phone, now).sentence

    return (
        of("silent", gettext_lazy("Silent phones"), doing_now, state="silent"),
        of("waiting", gettext_lazy("Changes waiting for more than a minute"), doing_now, long="1"),
        of("away", gettext_lazy("Phones not seen"), seen, presence=AWAY),
    )


def _first(what: str, phones: "QuerySet[Phone]", since: Expression) -> "QuerySet[Phone]":
    """Those of these phones of which it has been true for longest, with how many there are (`of`) and the `place` of each."""
    place = Window(RowNumber(), order_by=[OrderBy(since), F("pk").asc()])
    counted = phones.order_by().annotate(what=Value(what), of=Window(Count("pk")), place=place)
    return counted.filter(place__lte=SHOWN)


def _phone(phone: Phone, what: str) -> Example:
    person = phone.user
    assert person is not None  # nothing is the matter with a phone in stock
    assert person.customer is not None
    tab = reverse("user_tab", args=[person.customer.slug, person.number, "phone"])
    return Example(person.customer.name, str(person), what, f"{tab}?phone={phone.mac}")


# --- People -------------------------------------------------------------------------------------------------------
def _people(now: datetime) -> tuple[Need, Need]:
    """Whose sign-in is blocked, and whose calls lead outside since this week: both stand in the last week's part of the history."""
    lately = changes_since(now - NEW).filter(model=User._meta.label_lower)
    told = (
        outside.with_text(lately)
        .filter(outside.about_forwarding() | locked_since(now))
        .select_related("operation__customer")
        .order_by("-id")
    )
    shut_out: dict[int, Change] = {}
    rest: list[Change] = []
    for change in told:
        if change.kind == Operation.Kind.SIGN_IN:
            shut_out.setdefault(change.object_pk, change)
        else:
            rest.append(change)
    return _blocked(shut_out, now), _outside(rest)


def _blocked(shut_out: Mapping[int, Change], now: datetime) -> Need:
    report, found = REPORTS["blocked"], blocks_of(shut_out, now)
    worst = sorted(found, key=lambda key: found[key].until, reverse=True)[:SHOWN]
    examples = [
        Example(_whose(shut_out[key]), shut_out[key].object_name, signins.said(found[key]), report.url())
        for key in worst
    ]
    return Need("blocked", report.title, len(found), report.url(), examples)


def _whose(change: Change) -> str:
    return str(change.operation.customer or _("Support desk"))


def _outside(changes: Sequence[Change]) -> Need:
    report = REPORTS["outside"]
    about = {change.object_pk: change for change in reversed(changes)}
    newest: dict[int, outside.News] = {}
    for each in outside.news_of(changes):
        newest.setdefault(each.user, each)
    examples = []
    for each in list(newest.values())[:SHOWN]:
        name = about[each.user].object_name
        number = name.partition(" ")[0]
        examples.append(
            Example(
                _whose(about[each.user]),
                name,
                _where(each.number),
                report.url(q=number, customer=_whose(about[each.user]), new="1"),
            )
        )
    title = gettext_lazy("Forwarded outside since this week")
    return Need("outside", title, len(newest), report.url(new="1"), examples, alarming=False)


def _where(number: str) -> str:
    """A number, and its country where that isn't this one."""
    if not number:
        return _("The user's own mobile")
    country = place_of(number).country
    said = phone_number_national(number)
    return f"{said} ({country_said(country)})" if country not in ("", "CA") else said


# --- Customers ----------------------------------------------------------------------------------------------------
def _customers(actor: User) -> tuple[Need, Need, Need]:
    """Nearly full contracts, suspended customers, and departments whose people's emergency calls show another place or nothing: one
    query for all three. Of the last the worst are read, and how many there are."""
    of_contracts = (
        contracts.contracts(actor)
        .filter(Q(share__gte=contracts.NEARLY_FULL) | Q(suspended=True))
        .order_by()
        .annotate(
            what=Case(When(suspended=True, then=Value("suspended")), default=Value("full")),
            second=Value("", CharField()), shown=Value("", CharField()), of=Value("", CharField()), of_all=Value(0),
        )
        .values_list("what", "name", "slug", "used", "included_extensions", "second", "shown", "of", "of_all")
    )  # fmt: skip
    of_gaps = (
        emergency.gaps(actor)
        .order_by()
        .annotate(
            what=Value("gap", CharField()),
            of_all=Window(Count("pk")),
            place=Window(RowNumber(), order_by=[F("shows").asc(), F("people").desc(), F("pk").asc()]),
        )
        .filter(place__lte=SHOWN)
        .values_list(
            "what", "customer__name", "customer__slug", "people", "place", "name", "shown", "of", "of_all"
        )
    )
    rows = [Row(*row) for row in of_contracts.union(of_gaps, all=True)]
    return (
        _full(sorted((row for row in rows if row.what == "full"), key=lambda row: -row.share)),
        _suspended(sorted((row for row in rows if row.what == "suspended"), key=lambda row: row.slug)),
        _gaps(sorted((row for row in rows if row.what == "gap"), key=lambda row: row.second)),
    )


class Row(NamedTuple):
    """A customer's contract, or one of its departments without a number."""

    what: str
    customer: str
    slug: str
    first: int  # extensions in use, or people of the department
    second: int  # extensions of the contract, or the department's place among the worst
    name: str
    shown: str
    of: str
    of_all: int

    @property
    def share(self) -> float:
        """How full the contract is."""
        return self.first / self.second if self.second else 1.0


def _full(rows: Sequence[Row]) -> Need:
    report = REPORTS["contracts"]
    return Need(
        "contracts",
        gettext_lazy("Contracts at 90% and more"),
        len(rows),
        report.url(full="1"),
        [
            Example(row.customer, "", f"{row.first} / {row.second}", report.url(q=row.slug))
            for row in rows[:SHOWN]
        ],
        alarming=any(row.share > 1 for row in rows),
    )


def _suspended(rows: Sequence[Row]) -> Need:
    report = REPORTS["contracts"]
    examples = [Example(row.customer, "", "", report.url(q=row.slug)) for row in rows[:SHOWN]]
    title = gettext_lazy("Suspended customers")
    return Need("suspended", title, len(rows), report.url(suspended="1"), examples, alarming=False)


def _gaps(rows: Sequence[Row]) -> Need:
    report = REPORTS["emergency"]
    return Need(
        "emergency",
        gettext_lazy("Emergency calls (911) with a wrong number or none"),
        rows[0].of_all if rows else 0,
        report.url(),
        [
            Example(
                row.customer,
                row.name,
                emergency.said(row.shown, row.of),
                report.url(q=row.name, customer=row.customer),
            )
            for row in rows
        ],
        alarming=any(not row.shown for row in rows),
    )
