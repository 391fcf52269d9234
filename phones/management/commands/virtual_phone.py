"""`manage.py virtual_phone`: switch on one or more virtual Yealink phones and print what they do."""

import asyncio
import re
import signal
from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from phones.virtual import VirtualPhone


def address_in_portal(mac: str) -> tuple[str, int] | None:
    """The provisioning address and SIP port that a technician reads in the portal and types in."""
    # Only here: the phone itself must not share code with the portal that it talks to.
    from phones.selectors import provisioning_address

    try:
        return provisioning_address(mac)
    finally:
        connections.close_all()


class Command(BaseCommand):
    """Virtual phones, until Ctrl-C."""

    help = (
        "Switch on virtual Yealink phones: they fetch their files, obey check-sync, and print what they do."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The phone, its address, and how it misbehaves."""
        parser.add_argument(
            "--mac", action="append", required=True, metavar="MAC[=MODEL]", help="may be repeated"
        )
        parser.add_argument(
            "--count", type=int, default=1, help="that many phones, counted up from the one MAC"
        )
        parser.add_argument("--model", default="T54W")
        parser.add_argument("--firmware", default="96.86.0.45")
        parser.add_argument("--url", default="", help="provisioning address, ending in /; {mac} is filled in")
        parser.add_argument(
            "--from-database",
            action="store_true",
            help="read address and SIP port in the portal (without --url)",
        )
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on for SIP")
        parser.add_argument(
            "--sip-port", type=int, help="UDP and TCP, the first phone's; further phones take the next ones"
        )
        parser.add_argument("--challenge", choices=["md5", "sha-256"], help="answer a NOTIFY 401 first")
        parser.add_argument("--silent", action="store_true", help="never answer SIP")
        parser.add_argument("--restart-seconds", type=float, default=1.0)

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the phones."""
        try:
            asyncio.run(self._run(self._phones(options), options))
        except ValueError as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"The SIP port can't be used: {error.strerror or error}") from error

    def _phones(self, options: dict[str, Any]) -> list[tuple[str, str]]:
        """MAC and model of every phone."""
        phones = []
        for text in options["mac"]:
            mac, _, model = text.partition("=")
            first = re.sub(r"[^0-9A-Fa-f]", "", mac)
            if options["count"] > 1 and len(first) == 12:
                for step in range(options["count"]):
                    phones.append((f"{(int(first, 16) + step) % 16**12:012x}", model or options["model"]))
            else:
                phones.append((mac, model or options["model"]))
        return phones

    async def _run(self, wanted: list[tuple[str, str]], options: dict[str, Any]) -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        phones = []
        for at, (mac, model) in enumerate(wanted):
            phone = await self._phone(mac, model, at, len(wanted) > 1, stop, options)
            if phone is None:
                return
            phones.append(phone)
        await asyncio.gather(*(phone.run(stop) for phone in phones))

    async def _phone(
        self, mac: str, model: str, at: int, several: bool, stop: asyncio.Event, options: dict[str, Any]
    ) -> VirtualPhone | None:
        """One phone ready to be switched on; waits until the portal knows it; None when stopped meanwhile."""
        port = options["sip_port"] + at if options["sip_port"] else 0
        find: Callable[[], str | None] | None = None
        if not options["url"]:
            port = port or await self._port_in_portal(mac, stop) or 0
            if stop.is_set():
                return None

            def find() -> str | None:
                found = address_in_portal(mac)
                return found[0] if found else None

        prefix = f"{mac} " if several else ""
        return VirtualPhone(
            mac,
            options["url"].replace("{mac}", mac),
            model=model,
            firmware=options["firmware"],
            sip_host=options["host"],
            sip_port=port or 5062 + at,
            challenge=options["challenge"],
            silent=options["silent"],
            restart_seconds=options["restart_seconds"],
            find_address=find,
            on_line=lambda line: self._print(line, prefix),
        )

    async def _port_in_portal(self, mac: str, stop: asyncio.Event) -> int | None:
        """The SIP port that the portal has for the phone, once it knows the phone."""
        waiting = False
        while not stop.is_set():
            if found := await asyncio.to_thread(address_in_portal, mac):
                return found[1]
            if not waiting:
                self._print(f"{mac} is not in the portal yet; waiting for it", "")
                waiting = True
            try:
                await asyncio.wait_for(stop.wait(), 2)
            except TimeoutError:
                continue
        return None

    def _print(self, line: str, prefix: str) -> None:
        moment, _, rest = line.partition(" ")
        self.stdout.write(f"{moment} {prefix}{rest}" if prefix else line)
        self.stdout.flush()
