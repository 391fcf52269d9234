"""`manage.py softphone`: a telephone in software that registers as an extension, rings, answers, calls, and prints what it hears."""

import signal
import tempfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connections

from asterisk.softphone.phone import Account
from asterisk.softphone.process import INSTALL, PhoneError, installed
from asterisk.softphone.terminal import WRITTEN, Outside, RefusedError, Terminal
from pbxadmin.common.crypto import Reader, plain
from pbxadmin.common.phone_system import sip_server
from pbxadmin.common.values.signalling import Srtp, Transport
from pbxadmin.run.calls import PROVIDER
from users.models import User
from users.people.line import LOADED, lines_of

SRTP = {Srtp.DISABLED: "none", Srtp.ENABLED: "optional", Srtp.ENFORCED: "mandatory"}


def person_of(number: str, slug: str) -> User:
    """Whose extension it is; raises CommandError where that isn't one user."""
    found = (
        User.objects.filter(number=number, customer__isnull=False)
        .select_related(*LOADED)
        .order_by("customer__slug")
    )
    people = list(found.filter(customer__slug=slug) if slug else found[:20])
    if not people:
        raise CommandError(f"There is no extension {number}{f' at {slug}' if slug else ''}.")
    if len(people) > 1:
        names = ", ".join(person.customer.slug for person in people if person.customer)
        raise CommandError(
            f"Several customers have an extension {number}; choose one with --customer: {names}"
        )
    return people[0]


def account_of(person: User, options: dict[str, Any]) -> Account:
    """How the phone registers as that person and behaves."""
    srtp = Srtp(lines_of([person])[person.pk].srtp)
    transport = Transport(options["transport"] or srtp.transport(Transport.UDP))
    host, _, port = options["server"].partition(":")
    known = sip_server(transport)
    server = host or known.host or "127.0.0.1", int(port or known.port)
    assert person.customer
    return Account(
        number=person.number,
        domain=person.customer.fqdn,
        auth_id=person.sip_auth_id,
        password=plain(person, User.sip_password, Reader.TECHNICIAN),
        server=server,
        transport=transport.value,
        srtp=SRTP[srtp],
        tone=options["tone"],
        answer=options["behaviour"] or "ring",
        address="127.0.0.1" if server[0] in ("127.0.0.1", "localhost") else "",
        retry=10,
    )


def outside(options: dict[str, Any]) -> Account:
    """A phone in the public network: somebody's, or (`provider`) everybody's, which takes what goes out over the demo's SIP trunk."""
    known = sip_server(Transport.UDP)
    host, _, port = options["server"].partition(":")
    address, listens = PROVIDER
    return Account(
        number="provider" if options["provider"] else spoken(options["outside"]),
        domain=address,
        server=(host or known.host or "127.0.0.1", int(port or known.port)),
        tone=options["tone"],
        answer=options["behaviour"] or "after 2",
        address=address,
        port=listens if options["provider"] else 0,
    )


def spoken(number: str) -> str:
    """A number as it is dialled, however people write it."""
    return "".join(sign for sign in number if sign not in " ()-.") if set(number) <= WRITTEN else number


class Command(BaseCommand):
    """A softphone, until Ctrl-C."""

    help = "Switch on a telephone in software: it registers as an extension, prints who calls and what it hears, and calls whom one types."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whose phone it is, what it does with calls, and where it registers."""
        parser.add_argument("number", nargs="?", default="", help="the extension")
        parser.add_argument(
            "--outside",
            default="",
            metavar="NUMBER",
            help="be somebody outside with that number, behind the demo's SIP trunk: --call calls a DID number",
        )
        parser.add_argument(
            "--provider",
            action="store_true",
            help="be everybody outside: take what goes out over the demo's SIP trunk (./run --calls has one)",
        )
        parser.add_argument(
            "--customer", default="", metavar="SLUG", help="whose; needed where several have that extension"
        )
        does = parser.add_mutually_exclusive_group()
        does.add_argument(
            "--answer", dest="behaviour", nargs="?", const="2", type=after, metavar="SECONDS",
            help="answer calls after that many seconds of ringing (2)",
        )  # fmt: skip
        for name, words, text in (
            ("ring", "ring", "ring until somebody types a (so it does by default)"),
            ("busy", "busy", "be busy (486)"),
            ("decline", "decline", "decline (603)"),
        ):
            does.add_argument(f"--{name}", dest="behaviour", action="store_const", const=words, help=text)
        parser.add_argument("--call", default="", metavar="NUMBER", help="call that at once")
        parser.add_argument(
            "--tone", type=int, default=440, metavar="HZ", help="what it speaks (440); 0: nothing"
        )
        transports = [str(transport) for transport in Transport]
        parser.add_argument(
            "--transport",
            choices=transports,
            default="",
            help="udp, or tls where the user's voice is encrypted",
        )
        parser.add_argument(
            "--server",
            default="",
            metavar="HOST[:PORT]",
            help="the phone system: SIP_SERVER, or this machine's",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Run it; one clear line for whatever keeps it from working."""
        if not installed():
            raise CommandError(INSTALL)
        who = [options["number"], options["outside"], options["provider"]]
        if sum(map(bool, who)) != 1:
            raise CommandError("Whose phone? An extension, --outside NUMBER, or --provider.")
        own = bool(options["number"])
        account = account_of(_person(options), options) if own else outside(options)
        # Nothing more is read: a phone that rings for hours holds no connection.
        connections.close_all()
        # Ctrl-C, too: whoever is started in the background by a script begins with it ignored.
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, signal.default_int_handler)
        with tempfile.TemporaryDirectory(prefix="softphone-") as folder:
            kind = Terminal if own else Outside
            self._run(kind(account, Path(folder), self._say), spoken(options["call"]))

    def _run(self, terminal: Terminal, number: str) -> None:
        try:
            terminal.begin()
            if number:
                terminal.call(number)
            terminal.sit()
        except (RefusedError, PhoneError) as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            self.stdout.write("")
        finally:
            terminal.end()

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def _person(options: dict[str, Any]) -> User:
    try:
        return person_of(options["number"], options["customer"])
    except DatabaseError as error:
        raise CommandError(
            f"There is no portal with data in {settings.VAR_DIR} yet: ./run --calls makes one (PBXADMIN_VAR names another folder)."
        ) from error


def after(seconds: str) -> str:
    """The words for answering after that many seconds; raises ValueError."""
    return "at once" if float(seconds) == 0 else f"after {float(seconds):g}"
