"""A report of the support desk at a terminal, over all customers."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import translation

from files.exporting.writing import Kind, written
from files.management.terminal import send
from pbxadmin.common.listing import ListState
from support.reports import REPORTS
from users import rights


class Command(BaseCommand):
    """`manage.py report NAME [--format csv|xlsx] [--only NAME=VALUE …]`: to the standard output."""

    help = "Write a report over all customers as a CSV or XLSX file to the standard output."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which report, what it is narrowed to, and the format."""
        parser.add_argument("report", choices=list(REPORTS))
        parser.add_argument(
            "--only", action="append", default=[], help="as in the page's address: customer=boreale"
        )
        parser.add_argument("--format", choices=[str(kind) for kind in Kind], default=str(Kind.CSV))
        parser.add_argument("--language", default="fr-CA", help="the language of headings and states")

    def handle(self, *args: Any, report: str, only: list[str], language: str, **options: Any) -> None:
        """Write the file."""
        wanted, kind = REPORTS[report], Kind(options["format"])
        asked = dict(each.partition("=")[::2] for each in only)
        with translation.override(language):
            state = ListState.of(wanted.shape({}), asked)
            lines = wanted.texts(rights.terminal_actor(), state)
            send(written(kind, str(wanted.title), wanted.header(), lines))
