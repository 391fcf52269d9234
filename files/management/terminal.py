"""Files in and out at a terminal: what the commands share, whatever their rows are."""

import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import translation

from files.importing.imports import Import, Mode
from files.importing.outcome import counted
from files.importing.words import said_of
from files.reading.table import FileRefusedError
from files.subjects import Subject
from pbxadmin.common.columns import Scope
from pbxadmin.common.http import RequestFacts
from users import rights, road
from users.models import Customer, User

REFUSED = 1


def customer_called(slug: str) -> Customer:
    """The customer with this address in the portal; `CommandError` (2) where there is none."""
    customer = Customer.objects.filter(slug=slug).first()
    if customer is None:
        raise CommandError(f"There is no customer {slug}.", returncode=2)
    return customer


def send(pieces: Iterable[bytes]) -> None:
    """A file to the standard output."""
    try:
        for piece in pieces:
            sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        # Whoever read it has enough (`| head`): nothing more is written, at the end of the process neither.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class ImportCommand(BaseCommand):
    """A command that takes a file in: all of it or nothing, or its good rows by choice. Exit 0 taken, 1 refused, 2 used wrongly."""

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

    def take(
        self,
        subject: Subject,
        slug: str,
        file: Path,
        mode: str,
        actor: str,
        language: str,
        **options: Any,
    ) -> None:
        """Read, plan, write where that is asked for, and print the outcome; exit 1 where anything was refused."""
        customer = customer_called(slug)
        try:
            content = file.read_bytes()
        except OSError as error:
            raise CommandError(f"{file}: {error.strerror}", returncode=2) from None
        scope = Scope(_actor(customer, actor), customer)
        with translation.override(language):
            try:
                made = subject.look_at(content, scope, Mode(mode))
            except FileRefusedError as refused:
                sentence = said_of(refused)
                found = {"reason": refused.reason, "message": sentence, **refused.facts}
                self._print(options["json"], {"file_refused": found}, sentence)
                sys.exit(REFUSED)
            taken = self._write(subject, made, file.name, options)
            self._tell(made, options["json"])
        if not taken:
            sys.exit(REFUSED)

    def _write(self, subject: Subject, made: Import, name: str, options: Any) -> bool:
        """Whether everything that was asked for is done, or could be."""
        to_write = subject.good_rows(made) if options["good_rows"] else made
        if to_write.refused:
            return False
        if not options["preview"]:
            outcome, _operation = road.ended(
                lambda: subject.write(to_write, RequestFacts("csv"), f"file {' '.join(name.split())[:100]}")
            )
            if outcome in (road.Outcome.CONFLICT, road.Outcome.REFUSED):
                raise CommandError(
                    "Somebody else changed this in the meantime: nothing was written. Run it again."
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
