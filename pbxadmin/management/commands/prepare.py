"""`manage.py prepare`: what lies between a fresh clone and a portal that can start."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from pbxadmin.common.away import in_a_line, is_away
from pbxadmin.management.commands.compile_catalogue import compile_catalogues
from pbxadmin.management.commands.demo import move_virtual_phone


class Command(BaseCommand):
    """Catalogues, migrations and, unless told otherwise, the demo data."""

    help = "Compile catalogues, migrate, and load the demo data once."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Only whether there is a demo."""
        parser.add_argument("--no-demo", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do what isn't done yet."""
        compile_catalogues()
        try:
            self._bring_up_to_date(options["no_demo"])
        except DatabaseError as error:
            if not is_away(error):
                raise
            sys.exit(
                f"pbxadmin: the database can't be used ({in_a_line(error)}); start it, make room for it, or set DATABASE_URL to another one."
            )

    def _bring_up_to_date(self, no_demo: bool) -> None:
        """Migrations, then the demo data."""
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            call_command("migrate", interactive=False, stdout=self.stdout)
        if no_demo:
            return
        if (Path(settings.VAR_DIR) / "demo.json").exists():
            move_virtual_phone()
        else:
            call_command("demo", stdout=self.stdout)
