"""`manage.py pbx_node`: the nodes of the phone system, at a terminal: as the support desk has them."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from asterisk import nodes
from asterisk.link.status import status
from asterisk.models import Node
from pbxadmin.common.http import RequestFacts
from users import road
from users.rights import terminal_actor
from users.road import Outcome

FACTS = RequestFacts("terminal")


class Command(BaseCommand):
    """Makes a node and prints the token and the password for its environment, once; changes, lists and removes the others."""

    help = "Nodes of the phone system: make one and print what its environment needs, change one that is there, or list them."

    def add_arguments(self, parser: CommandParser) -> None:
        """The name, and what is wanted."""
        parser.add_argument("name", help='of the node; or "list", which prints all of them')
        parser.add_argument("--host", default="", help="where it is (127.0.0.1 for a new one)")
        parser.add_argument("--ami-port", type=int, help="5038 for a new one")
        parser.add_argument("--ari-port", type=int, help="of its HTTP server: 8088 for a new one")
        parser.add_argument(
            "--customer",
            action="append",
            default=[],
            help="whose lines and calls it may ask for, by their address in the portal; several times for several (all: everybody's again)",
        )
        ways = parser.add_mutually_exclusive_group()
        ways.add_argument(
            "--new-token",
            action="store_true",
            help="print another token; the previous one goes on until the new one is used",
        )
        ways.add_argument("--delete", action="store_true", help="from then on it is answered nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        """One clear line for whatever is refused."""
        name = options["name"].strip()
        values = {key: options[key] for key in ("host", "ami_port", "ari_port") if options[key]}
        if options["customer"]:
            values["customers"] = [] if options["customer"] == ["all"] else options["customer"]
        if name == "list":
            self._list()
            return
        node = Node.objects.filter(name=name).first()
        if options["delete"]:
            self._delete(node, name)
        elif node is None:
            self._add({"name": name, "host": "127.0.0.1", "ami_port": 5038, "ari_port": 8088} | values)
        else:
            self._change(node, values, options["new_token"])

    def _list(self) -> None:
        for node in Node.objects.prefetch_related("customers"):
            link = status(node)
            facts = [
                node.name,
                f"{node.host}:{node.ami_port}",
                f"ARI {node.ari_port}",
                ", ".join(sorted(customer.slug for customer in node.customers.all())),
                link.sentence,
                node.release,
                link.trouble,
            ]
            self.stdout.write("  ".join(filter(None, facts)))

    def _add(self, values: dict[str, Any]) -> None:
        made = nodes.add(terminal_actor(), values, FACTS)
        self._refused(made.plan, made.outcome)
        self._say(values["name"], made.bearer, made.password)

    def _change(self, node: Node, values: dict[str, Any], new_token: bool) -> None:
        if values:
            done = nodes.change(terminal_actor(), node, values, FACTS)
            self._refused(done.plan, done.outcome)
        if new_token:
            held, token, password = nodes.new_token(terminal_actor(), node.pk, FACTS)
            self._say(held.name, token, password)
        elif values:
            self.stdout.write(_("Node %(name)s changed.") % {"name": node.name})
        else:
            raise CommandError(
                _("Node %(name)s exists already: --new-token prints another token, --delete removes it.")
                % {"name": node.name}
            )

    def _delete(self, node: Node | None, name: str) -> None:
        if node is None:
            raise CommandError(_("There is no node %(name)s.") % {"name": name})
        outcome = nodes.remove(terminal_actor(), node, FACTS)
        if outcome is not Outcome.SAVED:
            raise CommandError(_("Somebody else changed this in the meantime. Try again."))
        self.stdout.write(_("Node %(name)s deleted.") % {"name": name})

    def _refused(self, plan: road.Plan, outcome: Outcome) -> None:
        if outcome is Outcome.REFUSED:
            raise CommandError(" ".join(plan.rows[0].sentences))
        if outcome is Outcome.CONFLICT:
            raise CommandError(_("Somebody else changed this in the meantime. Try again."))

    def _say(self, name: str, token: str, password: str) -> None:
        """As lines of an environment; what explains them goes elsewhere, so that they can be sent into a file."""
        self.stderr.write(_("For the environment of the node; neither is shown again:"))
        self.stdout.write(f"NODE_NAME={name}\nNODE_TOKEN={token}\nNODE_PASSWORD={password}")
