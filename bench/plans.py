"""Plans of calls decided over HTTP, against a constant response of the same server.

`python -m bench.plans [people] [seconds]`. On PostgreSQL (`DATABASE_URL`, else an embedded one for the time of the run). One granian worker;
callers and callees chosen at random, eight at a time, over kept connections as a node has them. Measured by turns: the plan of a call from
one extension to another, that of a call from outside, a constant answer of the portal through the whole middleware, and the web server
alone. Everybody forwards to two colleagues, so that a plan has branches. The figure is the median of the turns' ratios.
"""

import asyncio
import os
import random
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from bench.asking import ask, by_turns, serve, tell_ratio
from bench.database import embedded

TOKEN = "the-token-of-the-node-of-this-bench"
CUSTOMERS = 20
# Each plan has an answer of these bytes at least.
SHORTEST = 40


def seed(count: int) -> tuple[list[tuple[str, str, str]], int]:
    """People of twenty customers; gives (host name, extension, DID) of each, and the key of the trunk."""
    import django

    django.setup()
    from django.db import connection, transaction

    from asterisk.models import Node, Trunk
    from forwarding.models import ForwardingRule
    from pbxadmin.common.crypto import fingerprint, random_secret
    from pbxadmin.common.values.destinations import Destination
    from pbxadmin.common.values.statuses import Status
    from users.models import Customer, Department, Did, User
    from voicemail.models import Mailbox

    found = []
    with transaction.atomic():
        Node.objects.create(name="bench", token_hash=fingerprint(TOKEN), host="127.0.0.1")
        trunk = Trunk.objects.create(name="Banc", host="127.0.0.2")
        for number in range(CUSTOMERS):
            fqdn = f"c{number}.example.com"
            customer = Customer.objects.create(
                name=f"Client {number}", slug=f"c{number}", fqdn=fqdn, extension_digits=4
            )
            department = Department.objects.create(
                customer=customer, name="Tous", outbound_caller_id="+15145550100"
            )
            people = User.objects.bulk_create(
                User(
                    customer=customer, number=str(1000 + each), first_name="Amélie", last_name=f"Tremblay {each}",
                    primary_department=department, role_id="users", sip_auth_id=random_secret(10), sip_password=random_secret(24),
                )
                for each in range(count // CUSTOMERS)
            )  # fmt: skip
            Mailbox.objects.bulk_create(Mailbox(user=person) for person in people)
            colleague = [
                Destination.parse(f"extension:{people[(place + 1) % len(people)].number}")
                for place in range(len(people))
            ]
            own = Destination.parse("voicemail")
            ForwardingRule.objects.bulk_create(
                ForwardingRule(user=person, status=str(status), no_answer_external=own if place % 3 else colleague[place])
                for place, person in enumerate(people) for status in Status
            )  # fmt: skip
            dids = Did.objects.bulk_create(
                Did(customer=customer, number=f"+1514{number:03}{each:04}", user=person)
                for each, person in enumerate(people)
            )
            found += [(fqdn, person.number, did.number) for person, did in zip(people, dids, strict=True)]
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return found, trunk.pk


def main() -> None:
    """Print the figures."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 30.0
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "bench.serve_settings",
            "PBXADMIN_VAR": str(folder),
            "DEBUG": "0",
        }
        embedded(stack, folder)
        subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], check=True)
        people, trunk = seed(count)
        port = 8198
        serve(stack, port)

        def inside() -> str:
            fqdn, extension, _did = random.choice(people)
            return f"/n/call/{fqdn}/{extension}/{random.choice(people)[1]}/{random.random()}"

        def outside() -> str:
            return f"/n/in/{trunk}/%2B14185550100/{random.choice(people)[2].replace('+', '%2B')}/{random.random()}"

        ways = {
            "inside": inside,
            "outside": outside,
            "constant": lambda: "/constant",
            "bare": lambda: "/bare",
        }
        header = f"Authorization: Bearer {TOKEN}"
        for name in ("inside", "outside"):
            asyncio.run(ask(port, ways[name], 5.0, header, SHORTEST))
        measured = by_turns(port, ways, seconds, header, SHORTEST)
        for name in ("inside", "outside"):
            tell_ratio(measured, name, "constant")


if __name__ == "__main__":
    main()
