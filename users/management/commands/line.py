"""What the PBX is to do with one extension, at a terminal."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from users.models import User
from users.people.line import in_words, line_of


class Command(BaseCommand):
    """`manage.py line SLUG NUMBER [--json]`: the line that the tabs add up to."""

    help = "Show what the PBX is to do with one extension, as the nine tabs say it."

    def add_arguments(self, parser: CommandParser) -> None:
        """The customer's address in the portal, and the extension."""
        parser.add_argument("slug")
        parser.add_argument("number")
        parser.add_argument("--json", action="store_true", help="for programs")

    def handle(self, *args: Any, slug: str, number: str, **options: Any) -> None:
        """Print it, in words or as JSON."""
        people = User.objects.select_related("customer", "role", "primary_department").defer(
            "password", "sip_password"
        )
        user = people.filter(customer__slug=slug, number=number).first()
        if user is None:
            raise CommandError(f"{slug} has no extension {number}.")
        line = line_of(user)
        if options["json"]:
            self.stdout.write(json.dumps(line.as_dict(), ensure_ascii=False, indent=1))
            return
        for label, text in in_words(line):
            self.stdout.write(f"{label}: {text}")
