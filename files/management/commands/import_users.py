"""A file of users into a customer, at a terminal."""

import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import translation

from files.importing.importing import look_at
from files.importing.imports import Import, Mode, good_rows, write
from files.importing.outcome import counted
from files.importing.words import said_of
from files.reading.table import FileRefusedError
from pbxadmin.common.columns import Scope
from pbxadmin.common.http import RequestFacts
from users import rights, road
from users.models import Customer, User

REFUSED = 1


class Command(BaseCommand):
    """`manage.py import_users SLUG FILE [--preview] [--mode both] [--good-rows] [--actor 110] [--json]`."""

    help = "Create and change the users of a customer from a CSV or XLSX file, all of it or nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        """The customer's address in the portal, the file, and how far to go."""
        parser.add_argument("slug")
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--preview", action="store_true", help="say what would happen, and change nothing"
        )
        parser.add_argument("--mode", choices=[str(mode) for mode in Mode], default=str(Mode.BOTH))
        parser.add_argument(
            "--good-rows",
            action="store_true",
            help="take the rows that can be taken, and leave the others out",
        )
        parser.add_argument(
            "--actor",
            default="",
            help="who does it: an extension of this customer, or an email address; else support",
        )
        parser.add_argument("--language", default="fr-CA", help="the language of the sentences")
        parser.add_argument("--json", action="store_true", help="for programs: one JSON object")

    def handle(
        self, *args: Any, slug: str, file: Path, mode: str, actor: str, language: str, **options: Any
    ) -> None:
        """Read, plan, write where that is asked for, and print the outcome; exit 1 where anything was refused."""
        customer = Customer.objects.filter(slug=slug).first()
        if customer is None:
            raise CommandError(f"There is no customer {slug}.", returncode=2)
        try:
            content = file.read_bytes()
        except OSError as error:
            raise CommandError(f"{file}: {error.strerror}", returncode=2) from None
        scope = Scope(_actor(customer, actor), customer)
        with translation.override(language):
            try:
                made = look_at(content, scope, Mode(mode))
            except FileRefusedError as refused:
                self._print(
                    options["json"],
                    {
                        "file_refused": {
                            "reason": refused.reason,
                            "message": said_of(refused),
                            **refused.facts,
                        }
                    },
                    said_of(refused),
                )
                sys.exit(REFUSED)
            taken = self._write(made, file.name, options)
            self._tell(made, options["json"])
        if not taken:
            sys.exit(REFUSED)

    def _write(self, made: Import, name: str, options: Any) -> bool:
        """Whether everything that was asked for is done, or could be."""
        to_write = good_rows(made) if options["good_rows"] else made
        if to_write.refused:
            return False
        if not options["preview"]:
            outcome, _operation = road.ended(
                lambda: write(to_write, RequestFacts("csv"), f"file {' '.join(name.split())[:100]}")
            )
            if outcome in (road.Outcome.CONFLICT, road.Outcome.REFUSED):
                raise CommandError(
                    "Somebody else changed these users in the meantime: nothing was written. Run it again."
                )
        return True

    def _tell(self, made: Import, as_json: bool) -> None:
        words = [f"{outcome}: {count}" for outcome, count in made.counts.items()]
        words += [
            f"{row.row}: {said.column or '—'}: {said.reason}" for row in made.outcomes for said in row.errors
        ]
        self._print(as_json, as_dict(made), "\n".join(words))

    def _print(self, as_json: bool, found: dict[str, Any], words: str) -> None:
        self.stdout.write(json.dumps(found, ensure_ascii=False) if as_json else words)


def as_dict(made: Import) -> dict[str, Any]:
    """The outcome for programs."""
    table, columns = made.table, made.columns
    return {
        "read": {
            "encoding": table.encoding, "bom": table.bom, "separator": table.separator, "line_ends": table.line_ends, "sheet": table.sheet,
            "format": str(columns.format), "header_row": table.header_row, "taken_as": columns.taken_as, "columns_not_read": columns.not_read,
        },
        "file_refused": None,
        "counts": counted(made.outcomes),
        "rows": [row.as_json() for row in made.outcomes],
    }  # fmt: skip


def _actor(customer: Customer, named: str) -> User:
    """Whoever does it; the provider's support where nobody is named, who is at the server's terminal."""
    if not named:
        return rights.terminal_actor()
    people = User.objects.select_related("role", "customer", "primary_department")
    found = (
        people.filter(customer=customer, number=named).first()
        or people.filter(email__iexact=named, is_staff=True).first()
    )
    found = found or people.filter(customer=customer, email__iexact=named).first()
    if found is None:
        raise CommandError(f"{customer.slug} has nobody called {named}.", returncode=2)
    return found
