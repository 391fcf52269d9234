"""`manage.py phone_file MAC`: the file that a phone would be given now, for a technician at a terminal."""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from phones import selectors, services
from phones.settings.columns import mac_address


class Command(BaseCommand):
    """Print a phone's file."""

    help = "Print the configuration file that a phone would be given now; secrets as dots unless asked for."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The phone, and what of its file."""
        parser.add_argument("mac", help="its MAC address, however it is written")
        parser.add_argument(
            "--diff", action="store_true", help="only what differs from the file that it fetched last"
        )
        parser.add_argument(
            "--show-secrets", action="store_true", help="passwords and addresses in plain text"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the file, or fail with one clear line."""
        try:
            mac = mac_address(options["mac"])
        except ValidationError as error:
            raise CommandError(error.messages[0]) from None
        phone = selectors.phone_by_mac(mac)
        if phone is None:
            raise CommandError(f"No phone {mac} is registered.")
        try:
            if options["diff"]:
                text = "".join(f"{line.sign}{line.text}\n" for line in services.phone_file_diff(phone))
            else:
                text = services.phone_file_text(phone)
                if not options["show_secrets"]:
                    text = "".join(f"{line.shown}\n" for line in services.phone_file_lines(phone))
        except services.NoFileError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(text, ending="")
