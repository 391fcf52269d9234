"""`manage.py check_greetings`: whether the recordings of greetings are what their rows say; `--mend` puts right what isn't."""

from argparse import ArgumentParser
from collections import defaultdict
from typing import Any

from django.core.files.storage import default_storage
from django.core.management.base import BaseCommand, CommandError

from pbxadmin.common.columns import Scope
from pbxadmin.common.http import RequestFacts
from users import rights
from users.models import Customer
from users.road import Outcome
from voicemail.greetings import sounds, usage
from voicemail.models import Greeting


class Command(BaseCommand):
    """Finds files that no row names, and recordings whose file is gone or isn't what was written.

    Mended, such a file is deleted, and a greeting that can't be heard any more is taken out of its library: whoever used it has the
    default again, and the history says so.
    """

    help = "Compare the recordings of greetings with the storage: files that nothing names, and recordings without their file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Its one option."""
        parser.add_argument("--mend", action="store_true", help="put right what was found")

    def handle(self, *args: Any, mend: bool = False, **options: Any) -> None:
        """Say what was found; an error code where something stays wrong."""
        try:
            found = sounds.find_faults()
        except sounds.StorageError as error:
            raise CommandError(
                f"The storage can't be read ({type(error.__cause__).__name__}): nothing was looked at."
            ) from error
        for path in found.orphans:
            self.stdout.write(f"{path}: no row names this file")
            if mend:
                default_storage.delete(path)
        broken: dict[int, list[Greeting]] = defaultdict(list)
        for sound in found.missing:
            greetings = list(Greeting.objects.in_library().filter(sound=sound))
            names = ", ".join(str(each) for each in greetings) or "no greeting of a library has it"
            self.stdout.write(f"{sound.path}: the file is gone or damaged ({names})")
            broken[sound.customer_id] += greetings
        if mend:
            for customer in Customer.objects.filter(pk__in=broken):
                self._take_out(customer, broken[customer.pk])
        left = 0 if mend else len(found.orphans) + len(found.missing)
        if left:
            raise CommandError(
                f"{left} found: --mend deletes such files, and takes such greetings out of their libraries."
            )
        self.stdout.write(
            "All recordings are what their rows say." if not (found.orphans or found.missing) else "Mended."
        )

    def _take_out(self, customer: Customer, greetings: list[Greeting]) -> None:
        scope = Scope(rights.terminal_actor(), customer)
        outcome, sentences = usage.take_out(scope, greetings, RequestFacts("terminal"))
        if outcome not in (Outcome.SAVED, Outcome.UNCHANGED):
            raise CommandError(
                f"{customer}: {' '.join(sentences) or 'somebody changes them at this moment: try again'}"
            )
