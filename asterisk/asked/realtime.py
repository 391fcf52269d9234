"""Rows that Asterisk asks for one by one (realtime): POST /n/rt/<table>/<how>, with the name in the body.

`single` asks for one row, `multi` for several. `multi` names SIP trunks, and of lines only those whose state a node is just learning
(`asterisk.link`): so a start costs the same for no one and for fifty thousand.
"""

from collections.abc import Callable, Iterable, Mapping

from django.http import HttpRequest, HttpResponse

from asterisk.asked import learning, lines, mailboxes, strangers
from asterisk.asked import trunk_rows as trunks
from asterisk.asked.door import for_nodes, text
from asterisk.asked.rows import Value, answer, asked
from asterisk.models import Node
from users.models import User

Row = Mapping[str, Value]


@for_nodes("POST")
def realtime(request: HttpRequest, node: Node, table: str, how: str) -> HttpResponse:
    """The row or rows, or an empty answer for nothing."""
    if how == "require":
        return text(b"0")
    question = asked(request.body)
    if how == "single":
        return text(answer(_single(node, table, question)))
    if how == "multi":
        return text(answer(_multi(node, table, question)))
    return text(b"0")


def _single(node: Node, table: str, question: Mapping[str, str]) -> Iterable[Row]:
    if table == "voicemail":
        box = mailboxes.row(question.get("mailbox", ""), question.get("context", ""), node)
        return [box] if box else []
    name = question.get("id", "")
    rows = _rows(node, table, name)
    if rows and table == "ps_aors" and not trunks.is_name(name):
        learning.seen.note(node.pk, name)
    return rows


def _multi(node: Node, table: str, question: Mapping[str, str]) -> Iterable[Row]:
    if (whose := question.get("endpoint", "")) and not trunks.is_name(whose):
        return []  # where a line calls from: each time somebody looks at it
    if table in TRUNKS_ALL:
        return [row for row in trunks.all_of(table, node) if not whose or row.get("endpoint") == whose]
    if table not in LINES:
        return []
    # Trunks are known from the start, so that they are there also when the portal isn't: an emergency call asks nobody.
    names = learning.names(node) or trunks.names(node)
    return [row for name in names for row in _followed(node, table, name)]


def _followed(node: Node, table: str, name: str) -> Iterable[Row]:
    """A line that a node learns it has asked for alone, a moment before: here it seeks which endpoint has an AOR, and whole rows of all that
    are being learned would cost it three times as much as everything else."""
    if table == "ps_endpoints" and not trunks.is_name(name):
        return [{"id": name, "aors": name}]
    return _rows(node, table, name)


def _rows(node: Node, table: str, name: str) -> Iterable[Row]:
    if trunks.is_name(name):
        return trunks.single(table, name, node)
    if name == strangers.NAME:
        return [strangers.ENDPOINT] if table == "ps_endpoints" else []
    make = LINES.get(table)
    person = lines.person_of(name, node) if make else None
    return [{"id": name, **make(name, person)}] if make and person else []


LINES: dict[str, Callable[[str, User], Row]] = {
    "ps_endpoints": lines.endpoint,
    "ps_auths": lambda name, person: lines.secret(person),
    "ps_aors": lambda name, person: lines.contacts(person),
}
TRUNKS_ALL = frozenset({"ps_identifies", "ps_registrations"})
