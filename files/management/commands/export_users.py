"""The users of a customer as a file, at a terminal."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import QuerySet

from files.exporting.people import Layout, header, rows
from files.exporting.writing import Kind, written
from pbxadmin.common.columns import Scope
from pbxadmin.common.values.signs import folded
from users import rights
from users.models import Customer, Department, User


class Command(BaseCommand):
    """`manage.py export_users SLUG [--format 3cx|full|xlsx] [--department NAME]…`: to the standard output."""

    help = "Write the users of a customer as a CSV or XLSX file to the standard output."

    def add_arguments(self, parser: CommandParser) -> None:
        """The customer's address in the portal, the format, and whose."""
        parser.add_argument("slug")
        parser.add_argument("--format", choices=["3cx", "full", "xlsx"], default="full")
        parser.add_argument(
            "--department", action="append", default=[], help="only those whose primary department it is"
        )

    def handle(self, *args: Any, slug: str, department: list[str], **options: Any) -> None:
        """Write the file."""
        customer = Customer.objects.filter(slug=slug).first()
        if customer is None:
            raise CommandError(f"There is no customer {slug}.", returncode=2)
        scope = Scope(rights.terminal_actor(), customer)
        layout = Layout.V20 if options["format"] == "3cx" else Layout.FULL
        kind = Kind.XLSX if options["format"] == "xlsx" else Kind.CSV
        people = _people(customer, department)
        for piece in written(kind, customer.name, header(layout), rows(scope, people, layout)):
            sys.stdout.buffer.write(piece)


def _people(customer: Customer, departments: list[str]) -> QuerySet[User]:
    people = User.objects.of(customer).order_by("number")
    if not departments:
        return people
    known = {folded(name): key for key, name in Department.objects.of(customer).values_list("pk", "name")}
    if unknown := [name for name in departments if folded(name) not in known]:
        raise CommandError(f"{customer.slug} has no department {', '.join(unknown)}.", returncode=2)
    return people.filter(primary_department__in=[known[folded(name)] for name in departments])
