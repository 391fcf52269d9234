"""The Router column of a file of people: through which SBC or router phone each row's phone goes, router phones that come with it included.

    asked = [routers.Asked(cell, mac, phone and phone.connection) for …]    # a row that has no Router cell isn't among them
    found = routers.routers_of(scope, asked)
    found.answers[n].values      # for the row of the phone: {"connection": …, "sbc": key or Pending}; {} leaves both alone
    found.answers[n].reasons     # why not, under the column "sbc"
    found.plan                   # the router phones that don't exist yet, or None: applied before the plan of the phones

3CX's column holds the ID of an SBC, or the MAC of a router phone; a phone's own MAC says that it is one itself. A router phone is
an SBC here, of its own kind, whose identifier is the MAC. Its local address stands in no file: it is entered afterwards, and until
then the phones behind it are configured as on the local network.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from pbxadmin.common.columns import Pending, Scope
from pbxadmin.common.reasons import Reason, reasons_of
from phones.models import Phone, Sbc
from phones.settings.columns import mac_address
from phones.settings.sections import phone_sheet
from phones.sites.sections import sbc_sheet
from users import rights, road

Connection = Phone.Connection
COLUMN = "sbc"


@dataclass(frozen=True)
class Asked:
    """What one row says: its cell, the MAC that its phone has by then (in any spelling; "" for none or one that can't be read), and
    how the phone connects now (None: it is new)."""

    text: str
    mac: str = ""
    connection: str | None = None


@dataclass
class Answer:
    """What that means for the phone of the row; nothing of it where there are `reasons` against it."""

    values: dict[str, Any] = field(default_factory=dict)
    reasons: list[Reason] = field(default_factory=list)


@dataclass
class Routers:
    """What each row's cell means, in their order, and the plan of the router phones that are to be there first."""

    answers: list[Answer]
    plan: road.Plan | None = None


def routers_of(scope: Scope, rows: Sequence[Asked], coming: Collection[str] = ()) -> Routers:
    """Read the Router cells of a file; nothing is written. Three queries for any number of rows.

    A MAC may be that of a phone of this customer, of the row itself, or of another row; `coming`: further MACs that the same file
    brings. Whatever is unknown, another customer's included, is refused alike.
    """
    known = _Known(scope, rows, coming)
    made = Routers([known.answer(row) for row in rows])
    if not known.pending:
        return made
    if refusal := road.why_not(sbc_sheet(), scope, rights.Verb.CREATE, None):
        _take_back(made.answers, set(known.pending.values()), [Reason(refusal, "not_yours")])
        return made
    new = [
        road.Row(None, _router_phone(mac), Phone(mac=mac).mac_with_colons, pending=pending)
        for mac, pending in known.pending.items()
    ]
    made.plan = road.plan(scope.actor, scope.customer, sbc_sheet(), new, scope=scope)
    for row in made.plan.refused:
        _take_back(
            made.answers,
            {row.pending},
            [reason for reasons in row.reasons.values() for reason in reasons],
        )
    made.plan = made.plan.without_refused()
    return made if made.plan.rows else Routers(made.answers)


def cell_of(phone: Phone, scope: Scope) -> str:
    """What the Router column of a file says of a phone: blank unless it goes through an SBC or router phone, or is one."""
    return cell_through(phone.connection, phone.sbc_id, scope)


def cell_through(connection: str, sbc: int | None, scope: Scope) -> str:
    """The same by how a phone connects, and the key of what it goes through."""
    if connection != Connection.SBC or sbc is None:
        return ""
    return phone_sheet().columns[COLUMN].to_cell(sbc, scope)


def _router_phone(mac: str) -> dict[str, str]:
    return {
        "name": Phone(mac=mac).mac_with_colons,
        "kind": Sbc.Kind.ROUTER_PHONE,
        "identifier": mac.upper(),
    }


def _take_back(answers: Sequence[Answer], without: set[Any], reasons: list[Reason]) -> None:
    for answer in answers:
        if answer.values.get(COLUMN) in without:
            answer.values, answer.reasons = {}, reasons


class _Known:
    """What the cells of one file may mean, and the router phones that they make necessary."""

    def __init__(self, scope: Scope, rows: Sequence[Asked], coming: Collection[str]) -> None:
        self.scope = scope
        self.column = phone_sheet().columns[COLUMN]
        self.pending: dict[str, Pending] = {}
        self._meant: dict[str, Answer] = {}
        asked = {mac for row in rows if (mac := _mac(row.text))}
        brought = {mac for text in (*coming, *(row.mac for row in rows)) if (mac := _mac(text))}
        self.phones = (asked & brought) | {
            mac
            for part in road.chunks(sorted(asked - brought))
            for mac in Phone.objects.visible_to(scope.actor)
            .of(scope.customer)
            .filter(mac__in=part)
            .values_list("mac", flat=True)
        }

    def answer(self, row: Asked) -> Answer:
        text = row.text.strip()
        if not text:
            through = row.connection == Connection.SBC
            return Answer({"connection": Connection.LAN, COLUMN: None} if through else {})
        if text not in self._meant:
            self._meant[text] = self._read(text)
        known = self._meant[text]
        return Answer(dict(known.values), list(known.reasons))

    def _read(self, text: str) -> Answer:
        try:
            return self._through(self.column.from_cell(text, self.scope))
        except ValidationError as unknown:
            mac = _mac(text)
            if not mac:
                return Answer(reasons=reasons_of(unknown))
        if mac not in self.phones:
            words = _(
                "“%(value)s” is neither an SBC nor a phone of this company: add it first, or leave the cell blank."
            )
            return Answer(reasons=[Reason(words % {"value": text[:60]}, "unknown_router")])
        return self._through(self.pending.setdefault(mac, Pending()))

    def _through(self, router: Any) -> Answer:
        return Answer({"connection": Connection.SBC, COLUMN: router})


def _mac(text: str) -> str:
    try:
        return mac_address(text) if text.strip() else ""
    except ValidationError:
        return ""
