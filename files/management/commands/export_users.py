"""The users of a customer as a file, at a terminal."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import QuerySet

from files.exporting.export import Export, everybody
from files.exporting.people import Layout
from files.exporting.writing import Kind
from files.management.terminal import customer_called, send
from pbxadmin.common.columns import Scope
from pbxadmin.common.http import RequestFacts
from pbxadmin.common.values.signs import folded
from users import rights
from users.models import Department, User


class Command(BaseCommand):
    """`manage.py export_users SLUG [--format 3cx|full|xlsx] [--department NAME]… [--with-secrets]`: to the standard output."""

    help = "Write the users of a customer as a CSV or XLSX file to the standard output."

    def add_arguments(self, parser: CommandParser) -> None:
        """The customer's address in the portal, the format, and whose."""
        parser.add_argument("slug")
        parser.add_argument("--format", choices=["3cx", "full", "xlsx"], default="full")
        parser.add_argument(
            "--department", action="append", default=[], help="only those whose primary department it is"
        )
        parser.add_argument(
            "--with-secrets",
            action="store_true",
            help="with the PINs of their mailboxes, which the history then says; passwords are in no file",
        )

    def handle(self, *args: Any, slug: str, department: list[str], **options: Any) -> None:
        """Write the file."""
        scope = Scope(rights.terminal_actor(), customer_called(slug))
        wanted = Export(
            scope,
            _people(scope, department),
            Layout.V20 if options["format"] == "3cx" else Layout.FULL,
            Kind.XLSX if options["format"] == "xlsx" else Kind.CSV,
            options["with_secrets"],
        )
        send(wanted.pieces(RequestFacts("terminal")))


def _people(scope: Scope, departments: list[str]) -> QuerySet[User]:
    people = everybody(scope)
    if not departments:
        return people
    known = {
        folded(name): key for key, name in Department.objects.of(scope.customer).values_list("pk", "name")
    }
    if unknown := [name for name in departments if folded(name) not in known]:
        raise CommandError(f"{scope.customer.slug} has no department {', '.join(unknown)}.", returncode=2)
    return people.filter(primary_department__in=[known[folded(name)] for name in departments])
