"""Rows that Asterisk asks for one by one (realtime): POST /n/rt/<table>/<how>, with the name in the body.

`single` asks for one row, `multi` for several. Of lines `multi` names only those whose state a node is just learning
(`asterisk.link`): so a start costs the same for no one and for fifty thousand.
"""

from collections.abc import Callable, Iterable, Mapping

from django.http import HttpRequest, HttpResponse

from asterisk.asked import learning, lines, mailboxes
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
        return text(answer(_multi(node, table)))
    return text(b"0")


def _single(node: Node, table: str, question: Mapping[str, str]) -> Iterable[Row]:
    if table == "voicemail":
        row = mailboxes.row(question.get("mailbox", ""), question.get("context", ""), node)
        return [row] if row else []
    name = question.get("id", "")
    if trunks.is_name(name):
        return trunks.single(table, name, node)
    make = LINES.get(table)
    person = lines.person_of(name, node) if make else None
    if make is None or person is None:
        return []
    if table == "ps_aors":
        learning.seen.note(node.pk, name)
    return [{"id": name, **make(name, person)}]


def _multi(node: Node, table: str) -> Iterable[Row]:
    if table in TRUNKS_ALL:
        return trunks.all_of(table, node)
    make = LINES.get(table)
    if make is None:
        return []
    people = ((name, lines.person_of(name, node)) for name in learning.names(node))
    return [{"id": name, **make(name, person)} for name, person in people if person]


LINES: dict[str, Callable[[str, User], Row]] = {
    "ps_endpoints": lines.endpoint,
    "ps_auths": lambda name, person: lines.secret(person),
    "ps_aors": lambda name, person: lines.contacts(person),
}
TRUNKS_ALL = frozenset({"ps_identifies", "ps_registrations"})
