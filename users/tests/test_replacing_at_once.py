"""A replacement and its undoing on real connections of PostgreSQL: two at once, and a connection that dies in the middle."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError, connection, transaction
from django.utils import translation

from users.models import Customer, Operation, User
from users.people import replacing
from users.road import Outcome, undo
from users.tests.factories import FACTS, make_user
from users.tests.test_races import Writer, race
from users.tests.test_replacing import again, olivier, plan, replaced, state

__all__ = ["olivier"]

pytestmark = [
    pytest.mark.postgresql,
    pytest.mark.django_db(transaction=True),
    pytest.mark.slow("waits for locks"),
]


@pytest.fixture
def zacharie(boreale: Customer) -> User:
    """A second system owner."""
    return make_user(boreale, "110", "Zacharie", "Morin", role="system_owners")


def undoing(actor: User, operation: Operation) -> Callable[[], Writer]:
    """The undoing of an operation: what it came to, or the sentence why not, in French."""

    def write() -> Any:
        with translation.override("fr-ca"):
            try:
                return undo.undo(actor, actor.customer, operation, FACTS)
            except undo.NotUndoableError as reason:
                return str(reason)

    return lambda: write


@pytest.mark.parametrize("new", [True, False], ids=["a new person", "somebody who was there"])
def test_of_two_who_undo_one_replacement_at_once_one_does_and_the_other_is_told(
    felix: User, zacharie: User, ines: User, olivier: User, boreale: Customer, new: bool
) -> None:
    before = state(boreale)
    replaced(felix, olivier, None if new else ines)
    operation = Operation.objects.latest("pk")
    done = race(undoing(felix, operation), undoing(zacharie, operation))
    (told,) = [each for each in done if isinstance(each, str)]
    (undone,) = [each for each in done if isinstance(each, Operation)]
    assert told == "Cette modification a déjà été annulée."
    assert undone.undoes == operation
    assert operation.undone_by.count() == 1
    assert state(boreale) == before


def test_of_two_who_replace_one_person_at_once_one_does_and_the_other_is_told(
    felix: User, zacharie: User, olivier: User, boreale: Customer
) -> None:
    last = Operation.objects.latest("pk").pk

    def replacing_by(actor: User, name: str) -> Callable[[], Writer]:
        def planned() -> Writer:
            made = plan(actor, olivier, first_name=name)
            return lambda: replacing.replace(made, FACTS)

        return planned

    done = race(replacing_by(felix, "Zoé"), replacing_by(zacharie, "Maude"))
    assert done.count(Outcome.SAVED) == 1
    assert done.count(Outcome.CONFLICT) + done.count(Outcome.REFUSED) == 1
    assert User.objects.of(boreale).filter(first_name__in=["Zoé", "Maude"]).count() == 1
    assert Operation.objects.filter(pk__gt=last).count() == 1


# --- A connection that dies ------------------------------------------------------------------------------------------
class Dying:
    """Counts the statements that write, and ends the connection before the one that it is told; the database is as after a kill."""

    def __init__(self, at: int | None = None) -> None:
        self.at = at
        self.count = 0

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.split(None, 1)[0].upper() in ("INSERT", "UPDATE", "DELETE"):
            self.count += 1
            if self.count == self.at:
                died = connection.Database.OperationalError  # type: ignore[attr-defined]
                with suppress(died), connection.connection.cursor() as cursor:
                    cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        return execute(sql, params, many, context)


def on_a_connection_of_its_own(work: Callable[[], Any], dying: Dying) -> Any:
    def run() -> Any:
        try:
            with connection.execute_wrapper(dying):
                return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(run).result()


@pytest.mark.parametrize("part", [0.0, 0.35, 0.7, 1.0], ids=["at once", "early", "late", "at the end"])
@pytest.mark.parametrize("what", ["replacement", "undo"])
def test_what_dies_in_the_middle_has_done_nothing_and_can_be_done_again(
    felix: User, olivier: User, boreale: Customer, what: str, part: float
) -> None:
    if what == "undo":
        replaced(felix, olivier)
    operation = Operation.objects.latest("pk")

    def work() -> Any:
        actor = again(felix)
        if what == "undo":
            return undo.undo(actor, boreale, operation, FACTS)
        return replacing.replace(plan(actor, again(olivier)), FACTS)

    # How many there are shows a run that is taken back by the database itself.
    whole = Dying()
    before = state(boreale)

    def counted() -> None:
        with transaction.atomic():
            work()
            transaction.set_rollback(True)

    on_a_connection_of_its_own(counted, whole)
    assert whole.count > 10
    assert state(boreale) == before
    with pytest.raises((OperationalError, InterfaceError)):
        on_a_connection_of_its_own(work, Dying(1 + int(part * (whole.count - 1))))
    assert state(boreale) == before
    assert Operation.objects.latest("pk") == operation
    assert not operation.undone_by.exists()
    assert on_a_connection_of_its_own(work, Dying())
    assert state(boreale) != before
