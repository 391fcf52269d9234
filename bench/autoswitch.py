"""How long it takes until 10,000 people have their new status at 8:00, against one bare UPDATE of the same rows.

    python bench/autoswitch.py [people]

Uses the database that `DATABASE_URL` names, else SQLite in memory; makes its own customer in a test database.
"""

import os
import sys
import time
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pbxadmin.settings.test")

import django

django.setup()

from django.db import transaction  # noqa: E402
from django.test.runner import DiscoverRunner  # noqa: E402

from forwarding import switching  # noqa: E402
from forwarding.models import DepartmentPeriod  # noqa: E402
from users import road  # noqa: E402
from users.models import User  # noqa: E402
from users.people.sections import user_sheet  # noqa: E402
from users.tests.factories import FACTS, make_customer  # noqa: E402

PEOPLE = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
MONTREAL = ZoneInfo("America/Toronto")


def main() -> None:
    """Make the people, switch them twice (closed, open), and say what it took."""
    runner = DiscoverRunner(verbosity=0, interactive=False)
    databases = runner.setup_databases()
    try:
        customer = make_customer(included_extensions=PEOPLE + 10, extension_digits=5)
        department = customer.departments.get(name="Accueil")
        DepartmentPeriod.objects.bulk_create(
            DepartmentPeriod(department=department, kind="open", weekday=day, start="08:00", end="17:00")
            for day in range(5)
        )
        for start in range(0, PEOPLE, 2_000):
            rows = [
                road.Row(None, {
                    "number": str(10_000 + number), "first_name": "Gens", "last_name": str(number), "role": "users",
                    "primary_department": department.name, "auto_switch_status": True, "require_2fa": False,
                })
                for number in range(start, min(start + 2_000, PEOPLE))
            ]  # fmt: skip
            plan = road.plan(
                User(is_staff=True, staff_level="technician", role_id="users", email="banc@tic.example"),
                customer,
                user_sheet(),
                rows,
            )
            road.apply(plan, FACTS)
        people = User.objects.filter(customer=customer, auto_switch_status=True)
        count = people.count()
        switching.switch(datetime(2026, 11, 24, 7, 0, tzinfo=MONTREAL))
        started = time.perf_counter()
        with transaction.atomic():
            touched = people.update(status="lunch")
        bare = time.perf_counter() - started
        people.update(status="do_not_disturb")
        started = time.perf_counter()
        found = switching.due(datetime(2026, 11, 24, 8, 0, tzinfo=MONTREAL))
        finding = time.perf_counter() - started
        started = time.perf_counter()
        done = switching.switch(datetime(2026, 11, 24, 8, 0, tzinfo=MONTREAL))
        taken = time.perf_counter() - started
        started = time.perf_counter()
        again = switching.switch(datetime(2026, 11, 24, 8, 1, tzinfo=MONTREAL))
        idle = time.perf_counter() - started
        assert done == count == touched == len(found)
        assert again == 0
        print(
            f"{count} people switched in {taken:.2f} s ({taken / bare:.0f} times one bare UPDATE, {bare * 1000:.0f} ms)"
        )
        print(
            f"of which finding them {finding * 1000:.0f} ms; a minute in which nothing changes costs {idle * 1000:.0f} ms"
        )
    finally:
        runner.teardown_databases(databases)


if __name__ == "__main__":
    main()
