"""A file of departments, numbers, system extensions or phones in stock into a customer, at a terminal."""

from typing import Any

from django.core.management.base import CommandParser

from files.management.terminal import ImportCommand
from files.subjects import SUBJECTS


class Command(ImportCommand):
    """`manage.py import_list departments SLUG FILE [--preview] [--mode both] [--good-rows] [--actor 110] [--json]`."""

    help = "Create and change what a customer has from a CSV or XLSX file, all of it or nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        """What the rows are; then as `import_users`."""
        parser.add_argument("subject", choices=list(SUBJECTS))
        super().add_arguments(parser)

    def handle(self, *args: Any, subject: str, **options: Any) -> None:
        """Take it."""
        self.take(SUBJECTS[subject], **options)
