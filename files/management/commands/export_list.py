"""What a customer has as a file, at a terminal: departments, numbers, system extensions, phones in stock, users."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from files.exporting.writing import Kind, written
from files.management.terminal import customer_called, send
from files.subjects import SUBJECTS
from pbxadmin.common.columns import Scope
from users import rights


class Command(BaseCommand):
    """`manage.py export_list departments SLUG [--format csv|xlsx]`: to the standard output."""

    help = "Write what a customer has as a CSV or XLSX file to the standard output."

    def add_arguments(self, parser: CommandParser) -> None:
        """What the rows are, the customer's address in the portal, and the format."""
        parser.add_argument("subject", choices=list(SUBJECTS))
        parser.add_argument("slug")
        parser.add_argument("--format", choices=[str(kind) for kind in Kind], default=str(Kind.CSV))

    def handle(self, *args: Any, subject: str, slug: str, **options: Any) -> None:
        """Write the file."""
        customer = customer_called(slug)
        scope, wanted = Scope(rights.terminal_actor(), customer), SUBJECTS[subject]
        send(written(Kind(options["format"]), customer.name, wanted.header(), wanted.rows(scope)))
