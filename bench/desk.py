"""Every page of the support desk, and what support staff open in the portal, over many customers: queries, and how long each takes.

`python -m bench.desk [customers] [people of each]`, 300 and 50 unless said otherwise. On PostgreSQL (`DATABASE_URL`, else an embedded one
for the time of the run). The requests go through the whole middleware by Django's test client. Printed for each page: its queries; the
95th of a hundred of its times; that time as a multiple of the portal's frame without content, asked by turns with it; and what its median
grows by from ten customers. The goals: at most 8 queries, 150 ms on quiet cores.
"""

import json
import statistics
import sys
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

from bench.database import pages_of_its_own
from bench.pages import timed

TURNS = 60
FEW = 10
QUERIES, P95 = 8, 0.150
CHUNK = 2_000
OUTSIDE = ("external:+15145550177", "external:+33142685300", "external:+442079460018")


def fill(first: int, customers: int, people: int) -> None:
    """So many more customers, each with so many people who have five statuses, a phone each, and something that is the matter now and then."""
    from django.utils import timezone

    from forwarding.models import ForwardingRule
    from pbxadmin.common.values.statuses import Status
    from phones.models import Phone
    from users.models import Change, Customer, Department, Did, Operation, User
    from users.models.history import numbers_in
    from users.people.sections.general import derived

    now = timezone.now()
    made = Customer.objects.bulk_create(
        Customer(
            name=f"Clinique {number:03}", slug=f"clinique-{number}", fqdn=f"c{number}.example.com",
            included_extensions=people + (number % 20), suspended=number % 50 == 0,
        )
        for number in range(first, first + customers)
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
                customer=person.customer, user=person, mac=f"805ec{person.pk:07x}", web_password="x", token="x", token_hash=f"{person.pk:064}",
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
    cells = [
        [{"column": "away.divert_external", "old": "voicemail", "new": OUTSIDE[0]}],
        [{"column": "last_name", "old": "Roi", "new": "Roy"}],
    ]
    numbers = [numbers_in(json.dumps(each)) for each in cells]
    Change.objects.bulk_create(
        (
            Change(
                operation=operation, model="users.user", object_pk=person.pk, object_name=str(person), subject_pk=person.pk, kind="edit",
                cells=cells[place % 10 > 0], numbers=numbers[place % 10 > 0],
            )
            for place, (operation, person) in enumerate(zip(operations, everybody * 4, strict=True))
        ),
        batch_size=CHUNK,
    )  # fmt: skip


# Address (with what stands for the first customer's slug and a person), and what it is.
PAGES = [
    ("the first page of the desk", "/support/"),
    ("customers", "/support/users/customer/"),
    ("people", "/support/users/user/"),
    ("people, searched", "/support/users/user/?q=am%C3%A9lie+roy+012"),
    ("people, page 5", "/support/users/user/?p=5"),
    ("departments", "/support/users/department/"),
    ("numbers", "/support/users/did/"),
    ("numbers, searched", "/support/users/did/?q=514+555-0012"),
    ("phones", "/support/phones/phone/"),
    ("phones, searched", "/support/phones/phone/?q=80:5e:c0:00:01"),
    ("SBCs", "/support/phones/sbc/"),
    ("system extensions", "/support/users/systemextension/"),
    ("roles", "/support/users/role/"),
    ("a person at the desk", "/support/users/user/{person}/change/"),
    ("a person's forwarding at the desk", "/support/users/user/{person}/change/?part=forwarding"),
    ("a contract at the desk", "/support/users/customer/{customer}/change/"),
    ("history of all", "/history"),
    ("history, by customer", "/history?customer=clinique+017"),
    ("history, by who", "/history?by=solange"),
    ("history, by number", "/history?q=514+555-0012"),
    ("customers in the portal", "/customers"),
    ("a customer's first page", "/c/{slug}/"),
    ("a customer's people", "/c/{slug}/users/"),
    ("new customer", "/customers/new"),
    ("people by department", "/support/users/user/?o=4"),
    ("one search for all", "/search?q=roy+012"),
    ("one search, two words", "/search?q=roy+clinique+012"),
    ("one search, a letter", "/search?q=e"),
    ("one search, nobody", "/search?q=nobody+of+this+name"),
    ("one search, a sign-in name", "/search?q=101@c12.example.com"),
    ("customers by typing", "/customers/pick?q=012"),
    ("the desk's form for many", "/support/many/"),
    ("what keeps a person out", "/c/{slug}/users/101/sign-in"),
    ("one search, a number", "/search?q=514+555-0123"),
    ("one search, a MAC", "/search?q=80:5E:C0:00:01"),
    ("forwarding outside, new", "/support/reports/outside/?new=1"),
    ("forwarding outside, abroad", "/support/reports/outside/?to=abroad"),
    ("phones, searched, page 5", "/support/reports/phones/?q=roy&page=5"),
]


def _age() -> None:
    """Let three weeks pass over most of the history: an ordinary week's part of it is new."""
    from django.db import connection
    from django.utils import timezone

    from users.models import Operation

    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE users_operation DISABLE TRIGGER USER")
        old = Operation.objects.filter(pk__lte=Operation.objects.count() * 0.97)
        old.update(at=timezone.now() - timedelta(days=30))
        cursor.execute("ALTER TABLE users_operation ENABLE TRIGGER USER")
        cursor.execute("VACUUM ANALYZE")


def measure(client: Any, url: str) -> tuple[int, float, float, float]:
    """Queries, 95th of the times, that over the median of the frame's, and the median of the times."""
    from django.db import connection

    queries = []

    def note(execute: Any, sql: str, *rest: Any) -> Any:
        queries.append(sql)
        return execute(sql, *rest)

    def ask(path: str) -> Any:
        answer = client.get(path)
        assert answer.status_code == 200, (path, answer.status_code)
        return answer

    # Not the log: each request empties it.
    with connection.execute_wrapper(note):
        ask(url)
    for _warm in range(3):
        ask(url), ask("/frame")
    times, frames = [], []
    for _turn in range(TURNS):
        times.append(timed(lambda: ask(url)))
        frames.append(timed(lambda: ask("/frame")))
    late = statistics.quantiles(times, n=20)[-1]
    return len(queries), late, late / statistics.median(frames), statistics.median(times)


def main() -> None:
    """Fill with few customers, measure; fill up to many, measure again; print."""
    many = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    people = int(sys.argv[2]) if len(sys.argv) > 2 else 50
    with ExitStack() as stack:
        pages_of_its_own(stack)
        from django.core.management import call_command
        from django.test import Client

        from signin.tests.signing import sign_in_fully
        from support.reports import REPORTS
        from users.models import Customer, User
        from users.tests.factories import make_staff

        call_command("migrate", verbosity=0)
        pages = [*PAGES, *((f"report {slug}", f"/support/reports/{slug}/") for slug in REPORTS)]
        client: Any = sign_in_fully(Client(), make_staff())
        found: dict[str, list[tuple[int, float, float, float]]] = {}
        for until in (FEW, many):
            fill(*((0, FEW) if until == FEW else (FEW, many - FEW)), people)
            _age()
            customer = Customer.objects.order_by("pk")[1]
            facts = {
                "slug": customer.slug,
                "customer": customer.pk,
                "person": User.objects.of(customer).order_by("pk")[1].pk,
            }
            for title, url in pages:
                found.setdefault(title, []).append(measure(client, url.format(**facts)))
        print(f"{many} customers of {people} people; goals: {QUERIES} queries, {P95 * 1000:.0f} ms")
        print(f"{'page':<28} {'queries':>8} {'p95 ms':>7} {'x frame':>8} {'x few':>6}")
        for title, (few, much) in found.items():
            queries = f"{few[0]}>{much[0]}" if few[0] != much[0] else f"{much[0]}"
            over = " over" if much[0] > QUERIES or much[1] > P95 else ""
            print(
                f"{title:<28} {queries:>8} {much[1] * 1000:>7.0f} {much[2]:>8.1f} {much[3] / few[3]:>6.2f}{over}"
            )


if __name__ == "__main__":
    main()
