"""A database that is away or full is told apart from a statement that is wrong, and the page says what is true."""

import errno
import io
import logging
import sqlite3
from pathlib import Path

import pytest
from django.db import DatabaseError, OperationalError, connection
from django.http import HttpResponse
from django.test import RequestFactory

from pbxadmin.celery import one_line_each
from pbxadmin.common.away import is_away
from pbxadmin.pages.home import healthz, server_error

pytestmark = pytest.mark.both_databases("each driver says it in its own way")


def failure(statement: str) -> DatabaseError:
    with pytest.raises(DatabaseError) as failed, connection.cursor() as cursor:
        cursor.execute(statement)
    return failed.value


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "statement", ["SELECT no_such_column FROM users_user", "SELECT 1 FROM no_such_table", "SELEC"]
)
def test_a_statement_that_is_wrong_is_our_fault(statement: str) -> None:
    assert not is_away(failure(statement))
    assert not is_away(ValueError("the database is away"))
    assert not is_away(None)


def full() -> DatabaseError:
    """What Django makes of a real SQLite that may have no page more."""
    with sqlite3.connect(":memory:") as file:
        file.execute("CREATE TABLE line (text)")
        file.execute("PRAGMA max_page_count = 3")
        try:
            file.execute("INSERT INTO line VALUES (zeroblob(100000))")
        except sqlite3.OperationalError as error:
            made = OperationalError(str(error))
            made.__cause__ = error
            return made
    raise AssertionError


def missing(tmp_path: Path) -> DatabaseError:
    try:
        sqlite3.connect(tmp_path / "none" / "file")
    except sqlite3.OperationalError as error:
        made = OperationalError(str(error))
        made.__cause__ = error
        return made
    raise AssertionError


def test_a_full_and_a_missing_database_are_not_our_fault(tmp_path: Path) -> None:
    assert "full" in str(full())
    assert is_away(full())
    assert is_away(OSError(errno.ENOSPC, "No space left on device"))
    assert not is_away(OSError(errno.ENOENT, "No such file or directory"))
    assert is_away(missing(tmp_path))


def said_by_driver(kind: type[Exception]) -> DatabaseError:
    """What Django makes of an error of psycopg to which no server gave a code."""
    with pytest.raises(DatabaseError) as failed, connection.wrap_database_errors:
        raise kind("server closed the connection unexpectedly")
    return failed.value


@pytest.mark.postgresql
def test_a_connection_that_ends_in_the_middle_of_an_answer_is_not_our_fault() -> None:
    psycopg2 = pytest.importorskip("psycopg2")
    # The base class itself: so it says what a postmaster that was killed leaves behind.
    assert is_away(said_by_driver(psycopg2.DatabaseError))
    assert is_away(said_by_driver(psycopg2.OperationalError))
    assert not is_away(said_by_driver(psycopg2.ProgrammingError))
    assert not is_away(said_by_driver(psycopg2.IntegrityError))


def answered(method: str, accept: str, error: Exception) -> HttpResponse:
    request = getattr(RequestFactory(), method)("/c/boreale/users/?q=a", headers={"accept": accept})
    try:
        raise error
    except Exception:
        return server_error(request)


def test_whoever_sent_something_is_told_that_it_may_not_be_saved() -> None:
    page = answered("post", "text/html", full())
    assert page.status_code == 503
    assert "Ce que vous venez d’envoyer n’est peut-être pas enregistré" in page.content.decode()
    page = answered("get", "text/html,*/*", full())
    assert "Ce que vous venez d’envoyer" not in page.content.decode()
    assert 'href="/c/boreale/users/?q=a"' in page.content.decode()
    assert answered("get", "application/json", full())["Content-Type"] == "text/plain; charset=utf-8"
    assert answered("get", "text/html", ValueError()).status_code == 500


@pytest.mark.django_db
def test_a_machine_is_told_in_plain_text(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*args: object) -> None:
        raise full()

    assert healthz(RequestFactory().get("/healthz")).status_code == 200
    with connection.execute_wrapper(fails):
        response = healthz(RequestFactory().get("/healthz"))
    assert (response.status_code, response["Retry-After"]) == (503, "10")
    assert response.content == b"The database doesn't answer; try again in a moment.\n"


def test_a_database_that_is_away_is_one_line_of_the_log_and_a_mistake_of_ours_keeps_its_trace() -> None:
    logger, said = logging.Logger("tasks"), io.StringIO()
    logger.addHandler(logging.StreamHandler(said))
    one_line_each(logger)  # as of a worker of Celery
    for error in (full(), ValueError("ours")):
        logger.error("Task %s failed", "sweep", exc_info=error)
    first, second, *trace = said.getvalue().splitlines()
    assert first == "Task sweep failed: the database is away (database or disk is full)"
    assert second == "Task sweep failed"
    assert trace == ["  ValueError: ours"]
