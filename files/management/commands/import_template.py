"""A file to begin an import with, at a terminal."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from files.exporting import templates
from files.exporting.writing import Kind, written
from pbxadmin.common.columns import Scope
from users import rights
from users.models import Customer


class Command(BaseCommand):
    """`manage.py import_template 3cx|full|short [--example] [--xlsx] [--customer SLUG]`: to the standard output."""

    help = "Write the columns of a format, empty or with an example, as a CSV or XLSX file to the standard output."

    def add_arguments(self, parser: CommandParser) -> None:
        """The format, and what is in the file."""
        parser.add_argument("format", choices=list(templates.TEMPLATES))
        parser.add_argument(
            "--example", action="store_true", help="filled with two users, who can be imported as they are"
        )
        parser.add_argument("--xlsx", action="store_true", help="a workbook instead of CSV")
        parser.add_argument(
            "--customer", default="", help="for whom the example is: with extensions that are free there"
        )

    def handle(self, *args: Any, format: str, example: bool, customer: str, **options: Any) -> None:
        """Write the file."""
        found = Customer.objects.filter(slug=customer).first() if customer else None
        if customer and found is None:
            raise CommandError(f"There is no customer {customer}.", returncode=2)
        template = templates.TEMPLATES[format]
        scope = Scope(rights.terminal_actor(), found) if found else None
        rows = templates.rows(template, scope) if example else []
        kind = Kind.XLSX if options["xlsx"] else Kind.CSV
        for piece in written(kind, found.name if found else format, template.columns(), rows):
            sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
