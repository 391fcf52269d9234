"""`manage.py pbx_link`: the worker that holds the manager connection of each node; one is enough, a second on another machine takes over."""

import asyncio
import os
from typing import Any

from django.core.management.base import BaseCommand

from asterisk.link.worker import serve


class Command(BaseCommand):
    """The link, until SIGTERM."""

    help = "Hold the link to the nodes of the phone system: tell them what was saved, and write down what they tell."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until it is told to end."""
        asyncio.run(serve())
        # A thread may wait for a database that doesn't answer: nothing is lost by leaving it.
        os._exit(0)
