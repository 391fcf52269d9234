"""`manage.py prepare`: what lies between a fresh clone and a portal that can start."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

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
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            call_command("migrate", interactive=False, stdout=self.stdout)
        if options["no_demo"]:
            return
        if (Path(settings.VAR_DIR) / "demo.json").exists():
            move_virtual_phone()
        else:
            call_command("demo", stdout=self.stdout)
