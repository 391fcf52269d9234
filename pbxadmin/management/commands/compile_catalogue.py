"""`manage.py compile_catalogue`: make the binary message catalogues, without gettext installed."""

import os
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from django.conf import settings
from django.core.management.base import BaseCommand


def compile_catalogues() -> list[Path]:
    """Compile every catalogue whose source is newer than its binary; gives the binaries that were written."""
    written = []
    for folder in settings.LOCALE_PATHS:
        for source in sorted(Path(folder).glob("*/LC_MESSAGES/*.po")):
            binary = source.with_suffix(".mo")
            if binary.exists() and binary.stat().st_mtime_ns >= source.stat().st_mtime_ns:
                continue
            with source.open("rb") as file:
                # The language decides the plural forms: French says « 0 téléphone ».
                catalogue = read_po(file, locale=source.parent.parent.name)
            # Whole or not at all, for processes that start at the same moment.
            unfinished = binary.with_suffix(f".{os.getpid()}.tmp")
            with unfinished.open("wb") as file:
                write_mo(file, catalogue)
            unfinished.replace(binary)
            written.append(binary)
    return written


class Command(BaseCommand):
    """Compiles the message catalogues."""

    help = "Compile the message catalogues that changed."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Compile, and name what was written."""
        for binary in compile_catalogues():
            self.stdout.write(str(binary))
