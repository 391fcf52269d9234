"""Phone files served over HTTP, against a constant response of the same server.

`python -m bench.serve [phones] [seconds]`. On PostgreSQL (`DATABASE_URL`, else an embedded one for the time of the run;
`DATABASE_URL=sqlite` for SQLite). One granian worker; phones chosen at random, eight at a time, each with 27 keys. What is
measured by turns: the phone's own file, which it holds already, with the time of its fetch recorded; a constant answer of the
portal through the whole middleware; and the web server alone. The figure is the median of the turns' ratios.
"""

import asyncio
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

from bench.asking import ask, by_turns, serve, tell_ratio
from bench.database import embedded

KEYS = 27
# What a phone says of itself.
AGENT = "User-Agent: Yealink SIP-T54W 96.86.0.45"


def seed(count: int) -> list[str]:
    """Make `count` people with a phone each, which holds its file, as after a power cut; returns the paths of the files."""
    import django

    django.setup()
    from django.db import connection, transaction
    from django.utils import timezone

    yesterday = timezone.now() - timedelta(days=1)

    from pbxadmin.common.crypto import random_secret
    from phones import build
    from phones.models import Key, Phone
    from users.models import Customer, Department, User

    with transaction.atomic():
        customer = Customer.objects.create(
            name="Banc", slug="banc", fqdn="banc.example.com", extension_digits=5
        )
        department = Department.objects.create(customer=customer, name="Tous")
        people = User.objects.bulk_create(
            User(
                customer=customer, number=str(10_000 + number), first_name="Amélie", last_name=f"Tremblay {number}",
                primary_department=department, role_id="users", sip_auth_id=random_secret(10), sip_password=random_secret(24),
            )
            for number in range(count)
        )  # fmt: skip
        phones = [
            Phone(customer=customer, user=person, mac=f"805ec0{number:06x}", model="yealink-t54w")
            for number, person in enumerate(people)
        ]
        for phone in phones:
            phone.complete()
        Phone.objects.bulk_create(phones, batch_size=2_000)
        Key.objects.bulk_create(
            (
                Key(user=person, position=position, kind="blf", target=people[(number + position) % count])
                for number, person in enumerate(people)
                for position in range(2, KEYS + 1)
            ),
            batch_size=5_000,
        )
        held = list(build.loaded(Phone.objects.all()))
        for pk, made in build.contexts_for(held).items():
            Phone.objects.filter(pk=pk).update(
                fetched_digest=build.digest(build.device_file(made)), fetched_at=yesterday, stale_since=None,
                fetched_from="127.0.0.1", firmware="96.86.0.45", seen_model="yealink-t54w",
            )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(
            "VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE"
        )  # as the server does by itself some time after
    return [f"/p/{phone.token}/{phone.mac}.cfg" for phone in phones]


def main() -> None:
    """Print the figures."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 30.0
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "bench.serve_settings",
            "PBXADMIN_VAR": str(folder),
            "DEBUG": "0",
        }
        if os.environ.get("DATABASE_URL") == "sqlite":
            del os.environ["DATABASE_URL"]
        else:
            embedded(stack, folder)
        subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], check=True)
        paths = seed(count)
        port = 8199
        serve(stack, port)
        ways: dict[str, Callable[[], str]] = {
            "file": lambda: random.choice(paths), "constant": lambda: "/constant", "bare": lambda: "/bare",
        }  # fmt: skip
        asyncio.run(ask(port, ways["file"], 2.0, AGENT))
        measured = by_turns(port, ways, seconds, AGENT)
        for name in ("constant", "bare"):
            tell_ratio(measured, "file", name)


if __name__ == "__main__":
    main()
