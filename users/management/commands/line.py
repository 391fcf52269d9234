"""What the PBX is to do with extensions, at a terminal."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from users.models import Customer, User
from users.people.line import LOADED, NOT_LOADED, in_words, lines_of


class Command(BaseCommand):
    """`manage.py line SLUG [NUMBER…] [--json]`: the lines that the tabs add up to; of everybody where no number is given."""

    help = "Show what the PBX is to do with extensions, as the nine tabs say it."

    def add_arguments(self, parser: CommandParser) -> None:
        """The customer's address in the portal, and the extensions."""
        parser.add_argument("slug")
        parser.add_argument("numbers", nargs="*")
        parser.add_argument(
            "--json", action="store_true", help="for programs: one line of JSON for each extension"
        )

    def handle(self, *args: Any, slug: str, numbers: list[str], **options: Any) -> None:
        """Print them, in words or as JSON."""
        customer = Customer.objects.filter(slug=slug).first()
        if customer is None:
            raise CommandError(f"There is no customer {slug}.")
        people = User.objects.of(customer).select_related(*LOADED).defer(*NOT_LOADED).order_by("number")
        found = list(people.filter(number__in=numbers) if numbers else people)
        if missing := set(numbers) - {person.number for person in found}:
            raise CommandError(f"{slug} has no extension {', '.join(sorted(missing))}.")
        for place, line in enumerate(lines_of(found).values()):
            if options["json"]:
                self.stdout.write(json.dumps(line.as_dict(), ensure_ascii=False))
                continue
            if place:
                self.stdout.write("")
            for label, text in in_words(line):
                self.stdout.write(f"{label}: {text}")
