"""A file of users into a customer, at a terminal."""

from typing import Any

from files.management.terminal import ImportCommand
from files.subjects import USERS


class Command(ImportCommand):
    """`manage.py import_users SLUG FILE [--preview] [--mode both] [--good-rows] [--actor 110] [--json]`."""

    help = "Create and change the users of a customer from a CSV or XLSX file, all of it or nothing."

    def handle(self, *args: Any, **options: Any) -> None:
        """Take it."""
        self.take(USERS, **options)
