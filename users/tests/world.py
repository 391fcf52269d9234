"""The known customers and people, made through the road once for each worker; every test that names them gets their rows again.

Making somebody costs as much as a small test. So all are made once, in a transaction that is rolled back, and what it left in the
tables is kept: a few INSERTs bring one of them back, the same to the last secret. Every test still begins with nobody.
"""

import pickle
from collections.abc import Callable, Iterator
from typing import Any

from django.apps import apps
from django.db import connection, transaction

from users import first_roles
from users.models import Customer, Role, User
from users.tests import factories

# Rows that every change writes anew: nobody's own, and never there is as good as any.
DRAWN_ANEW = {"asterisk_stamp"}
# Keys of what the tests make themselves begin after this, so that somebody known comes back under the same key at any time.
ROOM = 1_000

Rows = set[tuple[Any, ...]]


def _person(number: str, *names: str, **facts: Any) -> Callable[[Customer], User]:
    return lambda customer: factories.make_user(
        customer, number, *names, password=factories.PASSWORD, **facts
    )


CUSTOMERS: dict[str, Callable[[], Customer]] = {
    "boreale": factories.make_customer,
    "laurier": lambda: factories.make_customer("laurier", name="Librairie Laurier"),
}
PEOPLE_OF_BOREALE = {
    "amelie": _person("101", role="receptionists"),
    "felix": _person("102", "Félix", "Gagnon", role="system_owners"),
    "ines": _person("103", "Inès", "Roy", role="group_admins", department="Soins"),
}


class World:
    """The rows of each of them."""

    def __init__(self) -> None:
        self._keys: dict[str, int] = {}
        self._rows: dict[str, dict[str, Rows]] = {}
        self._columns: dict[str, list[str]] = {}
        # What brings somebody back is the same each time: the statements as one text, and the record as it was read then.
        self._statements: dict[str, str] = {}
        self._read: dict[str, bytes] = {}
        if not Role.objects.exists():  # a test before this one emptied the tables
            first_roles.add_roles(apps, None)
        with transaction.atomic():
            self._now = self._everything()
            for name, make in CUSTOMERS.items():
                self._keep(name, make())
            boreale = Customer.objects.get(pk=self._keys["boreale"])
            for name, make_person in PEOPLE_OF_BOREALE.items():
                self._keep(name, make_person(boreale))
            self._keep("staff", factories.make_staff())
            transaction.set_rollback(True)
        if connection.vendor == "sqlite":  # whose sequences are rolled back, too
            with connection.cursor() as cursor:
                cursor.execute("DELETE FROM sqlite_sequence")
                cursor.executemany(
                    "INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)",
                    [(table, ROOM) for table in self._columns],
                )

    def customer(self, name: str) -> Customer:
        """A customer of `CUSTOMERS`, there from now on."""
        self._put(name)
        return pickle.loads(self._read[name])

    def later(self, name: str, make: Callable[[], Customer]) -> Customer:
        """A customer of some tests alone, made when the first of them asks; there from now on.

        Each time anew on SQLite, whose sequences go back with what was rolled back: the next test's own rows would have the same keys.
        """
        if connection.vendor == "sqlite":
            return make()
        if name not in self._rows:
            with transaction.atomic():
                self._now = self._everything()
                self._keep(name, make())
                transaction.set_rollback(True)
        return self.customer(name)

    def person(self, name: str, customer: Customer) -> User:
        """Somebody of Boréale, there from now on; made anew where the test has a Boréale of its own."""
        if customer.pk != self._keys["boreale"]:
            return PEOPLE_OF_BOREALE[name](customer)
        return self._user(name)

    def staff(self) -> User:
        """Somebody of the provider's support, there from now on."""
        return self._user("staff")

    def _user(self, name: str) -> User:
        self._put(name)
        return pickle.loads(self._read[name])

    def _everything(self) -> dict[str, Rows]:
        """Every row of every table."""
        found = {}
        with connection.cursor() as cursor:
            for model in apps.get_models(include_auto_created=True):
                table = model._meta.db_table
                if table in DRAWN_ANEW:
                    continue
                cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
                self._columns[table] = [column[0] for column in cursor.description]
                found[table] = set(cursor.fetchall())
        return found

    def _keep(self, name: str, made: Customer | User) -> None:
        """Remember what making somebody added to the tables."""
        before, self._now = self._now, self._everything()
        changed = [table for table, rows in before.items() if rows - self._now[table]]
        assert not changed, f"making {name} changed rows that were there: {changed}"
        self._keys[name] = made.pk
        people = User.objects.select_related("customer", "role", "primary_department")
        found = people.get(pk=made.pk) if isinstance(made, User) else Customer.objects.get(pk=made.pk)
        # As the tables have it: every test gets one of its own.
        self._read[name] = pickle.dumps(found)
        self._rows[name] = {table: new for table, rows in self._now.items() if (new := rows - before[table])}

    def _put(self, name: str) -> None:
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                if name not in self._statements:
                    self._statements[name] = "; ".join(
                        cursor.cursor.mogrify(statement, values).decode()
                        for statement, values in self._inserts(name)
                    )
                cursor.execute(self._statements[name])
            return
        with connection.cursor() as cursor:
            for statement, values in self._inserts(name):
                cursor.execute(statement, values)

    def _inserts(self, name: str) -> Iterator[tuple[str, list[Any]]]:
        quoted = connection.ops.quote_name
        for table, rows in self._rows[name].items():
            columns = ", ".join(quoted(column) for column in self._columns[table])
            places = ", ".join(["%s"] * len(self._columns[table]))
            yield (
                f"INSERT INTO {quoted(table)} ({columns}) VALUES {', '.join([f'({places})'] * len(rows))}",
                [value for row in rows for value in row],
            )
