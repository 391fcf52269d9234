"""Plans of calls decided over HTTP, against a constant response of the same server.

`python -m bench.plans [people] [seconds]`. On PostgreSQL (`DATABASE_URL`, else an embedded one for the time of the run). One granian worker;
callers and callees chosen at random, eight at a time, over kept connections as a node has them. Measured by turns: the plan of a call from
one extension to another, that of a call from outside, a constant answer of the portal through the whole middleware, and the web server
alone. Everybody forwards to two colleagues, so that a plan has branches. The figure is the median of the turns' ratios.
"""

import asyncio
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from bench.database import embedded
from bench.serve import wait_for

AT_ONCE = 8
TURNS = 5
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


async def ask(port: int, path_of: Callable[[], str], seconds: float) -> float:
    """How many answers a second, over kept connections."""
    count = 0
    end = time.perf_counter() + seconds

    async def one() -> None:
        nonlocal count
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while time.perf_counter() < end:
            head = f"GET {path_of()} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
            writer.write(head.encode())
            answer = await reader.readuntil(b"\r\n\r\n")
            if not answer.startswith(b"HTTP/1.1 200"):
                raise SystemExit(answer.decode())
            lengths = [line for line in answer.lower().split(b"\r\n") if line.startswith(b"content-length:")]
            body = await reader.readexactly(int(lengths[0].partition(b":")[2]))
            if len(body) < SHORTEST:
                raise SystemExit(f"no plan: {body!r}")
            count += 1
        writer.close()

    begin = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(AT_ONCE)))
    return count / (time.perf_counter() - begin)


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
        command = [
            sys.executable, "-m", "granian", "--interface", "wsgi", "--port", str(port), "--workers", "1",
            "--blocking-threads", "2", "--no-access-log", "bench.serve_site:application",
        ]  # fmt: skip
        running = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        stack.callback(running.wait)
        stack.callback(running.terminate)
        wait_for(port)

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
        measured: dict[str, list[float]] = {name: [] for name in ways}
        for name in ("inside", "outside"):
            asyncio.run(ask(port, ways[name], 5.0))
        for _ in range(TURNS):
            for name, way in ways.items():
                measured[name].append(asyncio.run(ask(port, way, seconds / TURNS / len(ways))))
        for name, figures in measured.items():
            print(f"{name:<10} {statistics.median(figures):>8.0f} answers/s")
        for name in ("inside", "outside"):
            ratio = statistics.median(
                mine / other for mine, other in zip(measured[name], measured["constant"], strict=True)
            )
            print(f"{name} / constant {ratio:.2f}")


if __name__ == "__main__":
    main()
