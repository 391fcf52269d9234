"""The support desk's own pages over many customers: queries, and how long each takes.

`python -m bench.desk [customers] [people of each]`, 300 and 50 unless said otherwise. On PostgreSQL (`DATABASE_URL`, else an embedded one
for the time of the run). The requests go through the whole middleware by Django's test client. The goal: at most 8 queries, and
the 95th percentile within 150 ms.
"""

import statistics
import sys
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

from bench.database import pages_of_its_own
from bench.pages import timed

TURNS = 20
CHUNK = 2_000
OUTSIDE = ("external:+15145550177", "external:+33142685300", "external:+442079460018")


def fill(customers: int, people: int) -> None:
    """So many customers, each with so many people who have five statuses, a phone each, and something that is the matter now and then."""
    from django.utils import timezone

    from forwarding.models import ForwardingRule
    from pbxadmin.common.values.statuses import Status
    from phones.models import Phone
    from users.models import Change, Customer, Department, Did, Operation, User
    from users.people.sections.general import derived

    now = timezone.now()
    made = Customer.objects.bulk_create(
        Customer(
            name=f"Clinique {number:03}", slug=f"clinique-{number}", fqdn=f"c{number}.example.com",
            included_extensions=people + (number % 20), suspended=number % 50 == 0,
        )
        for number in range(customers)
    )  # fmt: skip
    places = Department.objects.bulk_create(
        Department(customer=each, name="Tous", outbound_caller_id="" if each.pk % 7 == 0 else "+15145550100")
        for each in made
    )
    Did.objects.bulk_create(Did(customer=each, number=f"+1450{each.pk:07}") for each in made if each.pk % 2)
    everybody: list[User] = []
    for customer, department in zip(made, places, strict=True):
        for number in range(people):
            person = User(
                customer=customer, number=str(100 + number), first_name="Amélie", last_name=f"Roy {number:03}",
                email=f"p{number}@{customer.slug}.example", primary_department=department, sip_auth_id="x", sip_password="x",
                mobile="+15145550123" if number % 3 == 0 else "", require_2fa=number % 2 == 0,
            )  # fmt: skip
            for name, value in derived(person).items():
                setattr(person, name, value)
            everybody.append(person)
    User.objects.bulk_create(everybody, batch_size=CHUNK)
    ForwardingRule.objects.bulk_create(
        (
            ForwardingRule(
                user=person, status=str(status),
                divert_external=OUTSIDE[place % 3] if status == Status.AWAY and place % 20 == 0 else "voicemail",
                ring_mobile=status == Status.AVAILABLE and place % 30 == 0,
            )
            for place, person in enumerate(everybody)
            for status in Status
        ),
        batch_size=CHUNK,
    )  # fmt: skip
    Phone.objects.bulk_create(
        (
            Phone(
                customer=person.customer, user=person, mac=f"805ec{place:07x}", web_password="x", token="x", token_hash=f"{place:064}",
                model=("yealink-t43u", "yealink-t46u", "yealink-t54w")[place % 3], firmware=f"96.86.0.{place % 9}",
                fetched_at=now - timedelta(days=9 if place % 40 == 0 else 0, hours=place % 20), fetched_from="192.0.2.1",
                fetched_text="x" * 3_000, stale_since=now - timedelta(hours=1) if place % 100 == 0 else None,
                attempts=1 if place % 200 == 0 else 0, notified_at=now - timedelta(minutes=50) if place % 200 == 0 else None,
                outcome="silent" if place % 200 == 0 else "accepted",
            )
            for place, person in enumerate(everybody)
        ),
        batch_size=CHUNK,
    )  # fmt: skip
    operations = Operation.objects.bulk_create(
        (
            Operation(kind="edit", customer=each.customer, actor_name="Solange", source="portal")
            for each in everybody * 4
        ),
        batch_size=CHUNK,
    )
    Change.objects.bulk_create(
        (
            Change(
                operation=operation, model="users.user", object_pk=person.pk, object_name=str(person), subject_pk=person.pk, kind="edit",
                cells=[
                    {"column": "away.divert_external", "old": "voicemail", "new": OUTSIDE[0]} if place % 10 == 0
                    else {"column": "last_name", "old": "Roi", "new": "Roy"}
                ],
            )
            for place, (operation, person) in enumerate(zip(operations, everybody * 4, strict=True))
        ),
        batch_size=CHUNK,
    )  # fmt: skip


def main() -> None:
    """Fill, measure, print."""
    customers = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    people = int(sys.argv[2]) if len(sys.argv) > 2 else 50
    with ExitStack() as stack:
        pages_of_its_own(stack)
        measure(customers, people)


def measure(customers: int, people: int) -> None:
    """Everything, on an empty database."""
    from django.core.management import call_command
    from django.db import connection
    from django.test import Client
    from django.utils import timezone

    from signin.tests.signing import sign_in_fully
    from support.reports import REPORTS
    from users.models import Operation
    from users.tests.factories import make_staff

    call_command("migrate", verbosity=0)
    fill(customers, people)
    # An ordinary week's part of the history is new.
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE users_operation DISABLE TRIGGER USER")
        Operation.objects.filter(pk__lte=Operation.objects.count() * 0.97).update(
            at=timezone.now() - timedelta(days=30)
        )
        cursor.execute("ALTER TABLE users_operation ENABLE TRIGGER USER")
        cursor.execute("VACUUM ANALYZE")
    client: Any = sign_in_fully(Client(), make_staff())
    pages = ["/support/", *(f"/support/reports/{slug}/" for slug in REPORTS)]
    pages += [
        "/support/reports/outside/?new=1",
        "/support/reports/outside/?to=abroad",
        "/support/reports/phones/?long=1",
    ]
    pages += ["/support/reports/phones/?q=roy&page=100", "/support/reports/outside/?customer=clinique%20012"]
    for page in pages:
        client.get(page)
        queries: list[str] = []

        def note(execute: Any, sql: str, *rest: Any, kept: list[str] = queries) -> Any:
            kept.append(sql)
            return execute(sql, *rest)

        with connection.execute_wrapper(note):
            answer = client.get(page)
        assert answer.status_code == 200, page
        times = sorted(timed(lambda page=page: client.get(page)) for _turn in range(TURNS))  # type: ignore[misc]
        p95 = times[int(0.95 * TURNS) - 1]
        print(
            f"{page:50} {len(queries):2} queries  median {statistics.median(times) * 1e3:4.0f} ms  p95 {p95 * 1e3:4.0f} ms"
        )


if __name__ == "__main__":
    main()
