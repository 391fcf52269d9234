"""Many users changed at once, with their history, beside one bare UPDATE; and its preview.

    python -m bench.edit [people] [rounds]

Uses the PostgreSQL that `DATABASE_URL` names and makes a test database there. What is measured is what a confirmed page does with the chosen
(plan, rules, lock, rows, history, the marks of the phones), one option of everybody; the reference is measured in the same round. Everything is
rolled back.
"""

import os
import sys
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pbxadmin.settings.test")
PEOPLE = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 3
sys.argv[1:] = []

from django.db.models import F  # noqa: E402
from django.test.runner import DiscoverRunner  # noqa: E402

from bench import road as base  # noqa: E402
from pbxadmin.common.columns import Scope  # noqa: E402
from users.models import Customer, User  # noqa: E402
from users.people.editing.action import EDIT  # noqa: E402
from users.people.editing.plans import preview_of, settled  # noqa: E402
from users.road.actions import Trace  # noqa: E402
from users.tests.factories import FACTS, make_customer, make_staff  # noqa: E402

WANTED = {"options": {"hot_desking": True}}


def edited(actor: User, customer: Customer) -> tuple[base.Taken, base.Taken]:
    """The edit, and its preview, each against one UPDATE of the same rows."""
    everybody = User.objects.filter(customer=customer, number__gte="10000")
    records = list(EDIT.records(actor, customer).filter(number__gte="10000"))
    settings: dict[str, Any] = {"wanted": WANTED, "led": {}}

    def edit() -> None:
        done = EDIT.do(Scope(actor, customer), records, settings, Trace(FACTS))
        assert done.well, done.why_not

    def preview() -> None:
        plans, refusals = settled(Scope(actor, customer), records, WANTED)
        assert preview_of(plans, records, refusals).changed == len(records)

    with base.rolled_back():
        taken = base.timed(edit)
    with base.rolled_back():
        shown = base.timed(preview)
    with base.rolled_back():
        reference = base.timed(lambda: everybody.update(hot_desking=True, version=F("version") + 1))
    return (taken, reference), (shown, reference)


def main() -> None:
    """Run it and print a line for each."""
    runner = DiscoverRunner(verbosity=0, interactive=False)
    databases = runner.setup_databases()
    try:
        actor = make_staff()
        customer = make_customer(included_extensions=200_000, extension_digits=5)
        base.write(actor, customer, base.people(PEOPLE, "Accueil"))
        base.vacuum()
        found = [edited(actor, customer) for _ in range(ROUNDS)]
        base.say(f"{PEOPLE} edited at once, against one UPDATE", [each[0] for each in found], "8")
        base.say("its preview, against one UPDATE", [each[1] for each in found], "none")
    finally:
        runner.teardown_databases(databases)


if __name__ == "__main__":
    main()
