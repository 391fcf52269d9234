"""Files in and out: new people, one cell of each, a preview with faulty rows, a few into many, an export; each beside the database alone.

    python -m bench.imports [people] [rounds]

Uses the PostgreSQL that `DATABASE_URL` names and makes a test database there. Everything is in the measured time: reading, the plan of
every row with what the page would say of it, secrets and history. "Preview and import" plans twice, as two processes of the web do:
somebody may have changed something since; "at once" plans once, as the command does. Every figure is the median of the rounds, with
its reference measured in the same round. Memory is measured in processes of their own (`bench.import_memory`).
"""

import io
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from bench.road import (
    ROUNDS,
    Taken,
    copy_in,
    highest,
    people,
    rolled_back,
    say,
    timed,
    vacuum,
    written_since,
)
from bench.road import write as write_rows

from django.db import connection  # isort: skip
from django.test.runner import DiscoverRunner  # isort: skip
from files.exporting.people import Layout, header, rows  # isort: skip
from files.exporting.writing import Kind, written  # isort: skip
from files.importing.importing import look_at  # isort: skip
from files.importing.imports import write  # isort: skip
from files.tests import generated  # isort: skip
from pbxadmin.common.columns import Scope  # isort: skip
from users.models import Customer, Department, User  # isort: skip
from users.tests.factories import FACTS, make_staff  # isort: skip

Way = Callable[[bytes, User, Customer], None]
PEOPLE = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
BAD = PEOPLE // 20


def customer_of(slug: str) -> Customer:
    """Somebody with room for all of them."""
    customer = Customer.objects.create(
        name=slug,
        slug=slug,
        fqdn=f"{slug}.example",
        extension_digits=5,
        included_extensions=200_000,
        has_microsoft_365=True,
    )
    for name in ("DEFAULT", "Ventes", "Soutien"):
        Department.objects.create(customer=customer, name=name, outbound_caller_id="+15145550100")
    return customer


def at_once(content: bytes, actor: User, customer: Customer) -> None:
    """An import as the command does it: looked at, and written."""
    looked = look_at(content, Scope(actor, customer))
    assert not looked.refused, next(row.as_json()["errors"] for row in looked.outcomes if row.errors)
    write(looked, FACTS)


def taken_in(content: bytes, actor: User, customer: Customer) -> None:
    """A preview, then the import itself, which plans again: somebody may have changed something since."""
    looked = look_at(content, Scope(actor, customer))
    assert not looked.refused
    del looked
    at_once(content, actor, customer)


def new_people(way: Way, actor: User, customer: Customer, content: bytes) -> Taken:
    """A file of new people against COPY of the rows that it wrote."""
    before = highest(["phones.Sbc", "phones.Phone", "phones.Key"])
    with rolled_back():
        taken = timed(lambda: way(content, actor, customer))
        dumped = written_since(before)
    with rolled_back():
        reference = timed(lambda: copy_in(dumped))
    return taken, reference


def one_cell(way: Way, actor: User, customer: Customer) -> Taken:
    """A mobile number of their own each against a staged COPY with UPDATE … FROM."""
    numbers = list(User.objects.of(customer).order_by("number").values_list("number", flat=True))
    cells = {number: f"+1438{2_000_000 + place:07d}" for place, number in enumerate(numbers)}
    file = "Number,MobileNumber\r\n" + "".join(f"{number},{mobile}\r\n" for number, mobile in cells.items())

    def staged() -> None:
        with connection.cursor() as cursor:
            cursor.execute("CREATE TEMP TABLE staged (number text, mobile text, search text) ON COMMIT DROP")
            text = "".join(f"{number}\t{mobile}\t{mobile}\n" for number, mobile in cells.items())
            cursor.copy_expert("COPY staged FROM STDIN", io.StringIO(text))
            cursor.execute(
                "UPDATE users_user SET mobile = staged.mobile, search_text = staged.search, version = version + 1"
                " FROM staged WHERE users_user.number = staged.number AND users_user.customer_id = %s",
                [customer.pk],
            )

    with rolled_back():
        taken = timed(lambda: way(file.encode(), actor, customer))
    with rolled_back():
        reference = timed(staged)
    return taken, reference


def few_into(actor: User, customer: Customer) -> float:
    """100 new people by file, previewed and imported."""
    content = generated.as_csv(generated.make(100, digits=5, first=70_000)[0])
    with rolled_back():
        return timed(lambda: taken_in(content, actor, customer))


def preview(actor: User, customer: Customer, clean: bytes, faulty: bytes) -> Taken:
    """A preview of a file in which one of twenty rows is faulty against one of a clean file."""

    def look(content: bytes, refused: int) -> Callable[[], Any]:
        def work() -> None:
            assert len(look_at(content, Scope(actor, customer)).refused) == refused

        return work

    return timed(look(faulty, BAD)), timed(look(clean, 0))


def export(actor: User, customer: Customer) -> Taken:
    """54 columns of everybody against COPY TO of their rows."""
    everybody = User.objects.of(customer).order_by("number")

    def work() -> None:
        size = sum(
            len(piece)
            for piece in written(
                Kind.CSV, "", header(Layout.V20), rows(Scope(actor, customer), everybody, Layout.V20)
            )
        )
        assert size > 100 * PEOPLE

    def copy() -> None:
        with connection.cursor() as cursor:
            for table, where in (
                ("users_user", f"customer_id = {customer.pk}"),
                ("voicemail_mailbox", "true"),
                ("phones_phone", f"customer_id = {customer.pk}"),
            ):
                cursor.copy_expert(
                    f"COPY (SELECT * FROM {table} WHERE {where}) TO STDOUT WITH CSV", io.StringIO()
                )

    return timed(work), timed(copy)


def main() -> None:
    """Run everything and print a line for each."""
    for count in (PEOPLE, 50_000):
        subprocess.run([sys.executable, "-m", "bench.import_memory", str(count)], check=True)
    runner = DiscoverRunner(verbosity=0, interactive=False)
    databases = runner.setup_databases()
    try:
        actor = make_staff()
        empty, full = customer_of("vide"), customer_of("plein")
        clean = generated.as_csv(generated.make(PEOPLE, digits=5)[0])
        faulty = generated.as_csv(generated.make(PEOPLE, digits=5, bad=BAD)[0])
        for way, words in ((taken_in, "preview and import"), (at_once, "at once")):
            say(
                f"new people by file, {words}, against COPY",
                [new_people(way, actor, empty, clean) for _ in range(ROUNDS)],
                "6, stretch 4",
            )
        say(
            "a preview with faults, against a clean one",
            [preview(actor, empty, clean, faulty) for _ in range(ROUNDS)],
            "1.2",
        )
        for start in range(0, 50_000, 10_000):
            write_rows(actor, full, people(10_000, "DEFAULT", start))
        vacuum()
        few = [(few_into(actor, full), few_into(actor, empty)) for _ in range(max(ROUNDS, 9))]
        say("100 by file into 50,000, against into none", few, "1.3")
        at_once(clean, actor, empty)
        vacuum()
        for way, words in ((taken_in, "preview and import"), (at_once, "at once")):
            say(
                f"one cell of each, {words}, against staged",
                [one_cell(way, actor, empty) for _ in range(ROUNDS)],
                "8",
            )
        say("an export of 54 columns, against COPY TO", [export(actor, empty) for _ in range(ROUNDS)], "10")
    finally:
        runner.teardown_databases(databases)


if __name__ == "__main__":
    main()
