"""The road for many: new people, one value for all, a value of their own each, and a few into many; each beside the database alone.

    python -m bench.road [people] [rounds] [new one own few]

Uses the PostgreSQL that `DATABASE_URL` names and makes a test database there. Every figure is the median of the rounds,
with its reference measured in the same round: COPY of the very rows that were written, into the same tables; one bare
UPDATE; a staged COPY with UPDATE … FROM. Constraints are checked within the measured time, and everything is rolled back.
"""

import gc
import io
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from random import Random
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pbxadmin.settings.test")

import django

django.setup()

from django.apps import apps  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from django.db.models import F  # noqa: E402
from django.test.runner import DiscoverRunner  # noqa: E402

from users import road  # noqa: E402
from users.models import Customer, User  # noqa: E402
from users.people.sections import user_sheet  # noqa: E402
from users.tests.factories import FACTS, make_customer, make_staff  # noqa: E402
from voicemail.pins import random_pin  # noqa: E402

PEOPLE = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 3
ASKED = set(sys.argv[3:]) or {"new", "one", "own", "few"}
FIRST = ["Amélie", "Félix", "Inès", "Benoît", "Zoé", "Jean-François", "Marie-Ève", "Noah", "Léa", "William"]
LAST = [
    "Tremblay",
    "Gagnon",
    "Roy",
    "Côté",
    "Bouchard",
    "Gauthier",
    "Morin",
    "Lavoie",
    "O'Connor",
    "Bélanger",
]

Taken = tuple[float, float]


def person(place: int, department: str) -> dict[str, Any]:
    """One row as a file of the trade has it: names, addresses, and a word for every option."""
    number, mobile = str(10_000 + place), f"514 55{place // 10_000 % 10}-{place % 10_000:04d}"
    return {
        "number": number, "first_name": FIRST[place % 10], "last_name": f"{LAST[place // 10 % 10]} {place}",
        "email": f"poste{place}@exemple.example", "mobile": mobile,
        "outbound_caller_id": "", "role": "users" if place % 20 else "receptionists", "primary_department": department,
        "require_2fa": "0", "talk_enabled": "0", "talk_ask": "name", "meet_approve": "0", "recording": "off",
        "recordings_visible": "1" if place % 3 else "0", "recordings_deletable": "0", "disabled": "0", "hide_forwarding": "0",
        "pin_protected": "0", "pin_protect_seconds": "60", "outbound_disabled": "1" if place % 7 == 0 else "0", "hidden": "0",
        "call_screening": "0", "block_remote": "1", "sip_id": "", "pbx_delivers_audio": "0", "hot_desking": "0",
        "srtp": "disabled", "missed_call_email": "1", "voicemail.enabled": "1", "voicemail.language": "",
        "voicemail.play_date_time": "no", "voicemail.pin": random_pin(Random(place), number, [mobile]), "voicemail.email_option": "notify",
        "voicemail.pin_disabled": "0", "voicemail.play_caller_id": "0", "available.no_answer_seconds": "25",
    }  # fmt: skip


def people(count: int, department: str, start: int = 0) -> list[road.Row]:
    """Rows of new people."""
    return [road.Row(None, person(place, department)) for place in range(start, start + count)]


@contextmanager
def rolled_back() -> Iterator[None]:
    """A transaction of which nothing stays."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def check_constraints() -> None:
    """What a commit would check."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def timed(work: Callable[[], Any]) -> float:
    """Seconds that some work takes, constraints included."""
    gc.collect()
    started = time.perf_counter()
    work()
    check_constraints()
    return time.perf_counter() - started


def write(actor: User, customer: Customer, rows: list[road.Row]) -> None:
    """The whole road: plan and apply."""
    planned = road.plan(actor, customer, user_sheet(), rows)
    assert not planned.refused, (planned.refused[0].errors, planned.refused[0].refusal)
    road.apply(planned, FACTS)


def tables(others: Sequence[str] = ()) -> list[str]:
    """The tables that new people write, those first that others point to; and `others`, which point to them."""
    names = [
        "users.User",
        "users.Membership",
        "voicemail.Mailbox",
        "forwarding.ForwardingRule",
        "users.Operation",
        "users.Change",
        *others,
    ]
    return [apps.get_model(name)._meta.db_table for name in names]


def highest(others: Sequence[str] = ()) -> dict[str, int]:
    """The last primary key of every such table."""
    found = {}
    with connection.cursor() as cursor:
        for table in tables(others):
            cursor.execute(f"SELECT coalesce(max(id), 0) FROM {table}")
            found[table] = cursor.fetchone()[0]
    return found


def written_since(before: dict[str, int]) -> dict[str, str]:
    """The rows that were written after these keys, as COPY gives them."""
    found = {}
    with connection.cursor() as cursor:
        for table, key in before.items():
            buffer = io.StringIO()
            cursor.copy_expert(f"COPY (SELECT * FROM {table} WHERE id > {key}) TO STDOUT", buffer)
            found[table] = buffer.getvalue()
    return found


def copy_in(dumped: dict[str, str]) -> None:
    """The reference: the same rows by COPY."""
    with connection.cursor() as cursor:
        for table, text in dumped.items():
            cursor.copy_expert(f"COPY {table} FROM STDIN", io.StringIO(text))


def new_people(actor: User, customer: Customer) -> Taken:
    """10,000 new people against COPY of the same rows."""
    rows = people(PEOPLE, "Accueil")
    before = highest()
    with rolled_back():
        taken = timed(lambda: write(actor, customer, rows))
        dumped = written_since(before)
    with rolled_back():
        reference = timed(lambda: copy_in(dumped))
    return taken, reference


def one_value(actor: User, customer: Customer) -> Taken:
    """One option of everybody against one UPDATE."""
    everybody = User.objects.filter(customer=customer, number__gte="10000")
    keys = list(everybody.values_list("pk", flat=True))
    rows = [road.Row(key, {"hot_desking": "1"}) for key in keys]
    with rolled_back():
        taken = timed(lambda: write(actor, customer, rows))
    with rolled_back():
        reference = timed(lambda: everybody.update(hot_desking=True, version=F("version") + 1))
    return taken, reference


def own_values(actor: User, customer: Customer) -> Taken:
    """A mobile number of their own each against a staged COPY with UPDATE … FROM."""
    keys = list(User.objects.filter(customer=customer, number__gte="10000").values_list("pk", flat=True))
    values = {key: f"+1438{2_000_000 + place:07d}" for place, key in enumerate(keys)}
    rows = [road.Row(key, {"mobile": value}) for key, value in values.items()]

    def staged() -> None:
        with connection.cursor() as cursor:
            cursor.execute("CREATE TEMP TABLE staged (id bigint, mobile text, search text) ON COMMIT DROP")
            text = "".join(f"{key}\t{value}\t{value}\n" for key, value in values.items())
            cursor.copy_expert("COPY staged FROM STDIN", io.StringIO(text))
            cursor.execute(
                "UPDATE users_user SET mobile = staged.mobile, search_text = staged.search, version = version + 1"
                " FROM staged WHERE users_user.id = staged.id"
            )

    with rolled_back():
        taken = timed(lambda: write(actor, customer, rows))
    with rolled_back():
        reference = timed(staged)
    return taken, reference


def few_into(actor: User, customer: Customer) -> float:
    """100 new people."""
    rows = people(100, "Accueil", 60_000)
    with rolled_back():
        return timed(lambda: write(actor, customer, rows))


def vacuum() -> None:
    """What the database does by itself after a while."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def say(title: str, found: list[Taken], goal: str) -> None:
    """One line: the ratio, and the two times it is of."""
    taken, reference = (statistics.median(each) for each in zip(*found, strict=True))
    print(
        f"{title:44} {taken / reference:6.2f} x   ({taken:7.3f} s against {reference:7.3f} s; goal {goal})",
        flush=True,
    )


def main() -> None:
    """Run everything and print a line for each."""
    runner = DiscoverRunner(verbosity=0, interactive=False)
    databases = runner.setup_databases()
    try:
        actor = make_staff()
        customer = make_customer(included_extensions=200_000, extension_digits=5)
        write(actor, customer, people(20, "Accueil", 70_000))
        if "new" in ASKED:
            idle = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            say(
                "new people, against COPY",
                [new_people(actor, customer) for _ in range(ROUNDS)],
                "6, stretch 4",
            )
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            print(f"memory of {PEOPLE} rows above idle: {(peak - idle) / 1024:.0f} MB (goal 250)", flush=True)
        if ASKED & {"one", "own"}:
            write(actor, customer, people(PEOPLE, "Accueil"))
            vacuum()
        if "one" in ASKED:
            say(
                "one value for all, against one UPDATE",
                [one_value(actor, customer) for _ in range(ROUNDS)],
                "8",
            )
        if "own" in ASKED:
            say(
                "a value each, against staged UPDATE … FROM",
                [own_values(actor, customer) for _ in range(ROUNDS)],
                "10",
            )
        if "few" in ASKED:
            empty = make_customer("vide", name="Vide", included_extensions=200_000, extension_digits=5)
            full = make_customer("plein", name="Plein", included_extensions=200_000, extension_digits=5)
            for start in range(0, 50_000, 10_000):
                write(actor, full, people(10_000, "Accueil", start))
            vacuum()
            few = [(few_into(actor, full), few_into(actor, empty)) for _ in range(max(ROUNDS, 9))]
            say("100 into 50,000, against 100 into none", few, "1.3")
    finally:
        runner.teardown_databases(databases)


if __name__ == "__main__":
    main()
