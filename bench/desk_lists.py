"""The pages of support staff over many customers: every list of the desk, its searches, and the search over all customers.

`python -m bench.desk_lists [customers] [people of each]`, by default 300 of 50. On PostgreSQL (`DATABASE_URL`, else an embedded one for the
time of the run), through the whole middleware by Django's test client. For each address: median and 95th percentile. The
goal: 150 ms.
"""

import statistics
import sys
from contextlib import ExitStack

from bench.database import pages_of_its_own
from bench.pages import equip, timed

TURNS = 10
LISTS = (
    "users/customer",
    "users/user",
    "users/department",
    "users/did",
    "users/systemextension",
    "phones/phone",
    "phones/sbc",
)
SOUGHT = (
    "roy", "roy client 0123", "zoé tremblay 00012", "514 555-0012", "80:5e:c1:00", "0012", "101@client0007", "client 0200", "e", "nobody of this name",
)  # fmt: skip


def fill(customers: int, people: int) -> None:
    """So many customers with so many people each, eight in ten with a phone, half with a number."""
    from users.models import Customer, Department, SystemExtension, User
    from users.people.sections.general import derived

    made = Customer.objects.bulk_create(
        Customer(name=f"Client É {place:04}", slug=f"client{place:04}", fqdn=f"client{place:04}.example.com")
        for place in range(customers)
    )
    firsts = ["Amélie", "Félix", "Inès", "Olivier", "Maude", "Zoé"]
    lasts = ["Tremblay", "Roy", "L’Écuyer", "Côté", "Gagnon"]
    for customer in made:
        department = Department.objects.create(
            customer=customer, name="Été", outbound_caller_id="+15145550100"
        )
        SystemExtension.objects.create(customer=customer, number="180", name="Équipe")
        rows = []
        for place in range(people):
            person = User(
                customer=customer, number=str(101 + place), first_name=firsts[place % 6], last_name=lasts[place % 5], role_id="users",
                email=f"p{place}@{customer.fqdn}", primary_department=department, sip_auth_id="x", sip_password="x",
            )  # fmt: skip
            for name, value in derived(person).items():
                setattr(person, name, value)
            rows.append(person)
        equip(customer, User.objects.bulk_create(rows))


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

    from signin.tests.signing import sign_in_fully
    from users.tests.factories import make_staff

    call_command("migrate", verbosity=0)
    fill(customers, people)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")  # as the server does by itself some time after
    client = sign_in_fully(Client(), make_staff())
    lists = [f"/support/{name}/{query}" for name in LISTS for query in ("", "?q=roy+client")]
    lists += [f"/support/{name}/?customer=client0007" for name in LISTS[1:]]
    lists += ["/support/users/user/?o=4", "/support/phones/phone/?o=4"]
    found = [f"/search?q={text.replace(' ', '+')}" for text in SOUGHT]
    for address in [
        *lists,
        *found,
        "/c/client0007/search?q=roy",
        "/customers",
        "/customers/pick?q=client+02",
    ]:
        assert client.get(address).status_code == 200, address
        times = sorted(timed(lambda address=address: client.get(address)) * 1000 for _turn in range(TURNS))  # type: ignore[misc]
        late = times[int(len(times) * 0.95) - 1]
        print(f"{address:<48} {statistics.median(times):>6.0f} ms, p95 {late:>6.0f} ms")


if __name__ == "__main__":
    main()
