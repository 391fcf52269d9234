"""Twenty imports of one customer at once, each on a connection of its own: never more people than the contract has extensions for."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from files.importing.importing import look_at
from files.importing.imports import write
from pbxadmin.common.columns import Scope
from users import road
from users.models import Change, Customer, Operation, User
from users.tests.factories import FACTS, make_customer, make_user

IMPORTS, EACH, FREE = 20, 3, 14

pytestmark = [
    pytest.mark.postgresql,
    pytest.mark.django_db(transaction=True),
    pytest.mark.slow("waits for locks"),
]


@pytest.fixture
def customer(db: None) -> Customer:
    """One with fourteen extensions left, and a system owner who may not exceed the contract."""
    made = make_customer("clinique", name="Clinique", included_extensions=FREE + 1)
    make_user(made, "199", "Félix", "Roy", role="system_owners")
    return made


def at_once(customer: Customer, files: list[str]) -> list[str]:
    """Import the files; all of them are looked at before any is written. How each ended."""
    start = Barrier(len(files))

    def run(file: str) -> str:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '20s'")
            actor = User.objects.select_related("role", "customer").get(customer=customer, number="199")
            made = look_at(file.encode(), Scope(actor, actor.customer))
            assert not made.refused, [row.as_json() for row in made.outcomes]
            start.wait(20)
            try:
                write(made, FACTS)
            except road.RefusedError:
                reasons = [said for plan in made.plans for row in plan.rows for said in row.reasons.values()]
                return " ".join(dict.fromkeys(reason.code for said in reasons for reason in said))
            return "written"
        finally:
            connection.close()

    with ThreadPoolExecutor(len(files)) as pool:
        return [done.result() for done in [pool.submit(run, file) for file in files]]


def file_of(first: int) -> str:
    """Some new people with extensions of their own."""
    lines = "".join(
        f"{number},Gens,Numéro {number},p{number}@clinique.example\r\n"
        for number in range(first, first + EACH)
    )
    return f"Number,FirstName,LastName,EmailAddress\r\n{lines}"


def numbers(customer: Customer) -> list[str]:
    return list(
        User.objects.of(customer).exclude(number="199").order_by("number").values_list("number", flat=True)
    )


def test_twenty_imports_never_pass_the_contract(customer: Customer) -> None:
    ends = at_once(customer, [file_of(220 + EACH * place) for place in range(IMPORTS)])
    room: int = FREE // EACH
    assert ends.count("written") == room
    assert {*ends} == {"written", "seats"}
    found = numbers(customer)
    assert len(found) == room * EACH
    # All of a file or nothing of it, in the history too.
    whole = [
        str(220 + EACH * place + more)
        for place, end in enumerate(ends)
        for more in range(EACH)
        if end == "written"
    ]
    assert found == whole
    imports = Operation.objects.filter(customer=customer, kind=Operation.Kind.CREATE)
    people: Any = Change.objects.filter(operation__in=imports, model="users.user").exclude(
        object_name__startswith="199"
    )
    assert sorted(people.values_list("object_name", flat=True)) == [f"{n} Gens Numéro {n}" for n in whole]


def test_the_same_file_twenty_times_at_once_is_imported_once(customer: Customer) -> None:
    ends = at_once(customer, [file_of(200)] * IMPORTS)
    assert ends.count("written") == 1
    assert {*ends} == {"written", "number_taken"}
    assert numbers(customer) == ["200", "201", "202"]
