"""What requests leave to be written a moment later: together, and whatever happens to the database."""

import logging
import threading

import pytest
from django.db import IntegrityError, InterfaceError

from pbxadmin.common.gathering import Gathered

LOG = (logging.getLogger("gathering"), "nothing was written")


def until_written(written: list[list[int]], count: int) -> threading.Event:
    """Set once `count` items were written, by whatever thread."""
    done = threading.Event()

    def watch() -> None:
        while sum(map(len, written)) < count:
            if done.wait(0.01):
                return
        done.set()

    threading.Thread(target=watch, daemon=True).start()
    return done


@pytest.fixture(autouse=True)
def _no_connection(monkeypatch):
    monkeypatch.setattr("pbxadmin.common.gathering.connection.close", lambda: None)


def test_what_comes_within_a_moment_is_written_together_and_in_its_order():
    written: list[list[int]] = []
    gathered = Gathered(lambda items: written.append(list(items)), 0.05, 100, LOG)
    for number in range(20):
        gathered.note(number)
    assert until_written(written, 20).wait(5)
    assert written == [list(range(20))]


def test_while_the_database_is_away_it_waits_and_is_written_once_when_it_is_back():
    written: list[list[int]] = []
    away = [True]
    tried = threading.Event()

    def write(items):
        if away[0]:
            tried.set()
            raise InterfaceError("the connection is closed")
        written.append(list(items))

    gathered = Gathered(write, 0.02, 100, LOG)
    gathered.note(1)
    done = until_written(written, 2)
    assert tried.wait(5)
    gathered.note(2)
    away[0] = False
    assert done.wait(5)
    assert written == [[1], [2]] or written == [[1, 2]]


def test_no_more_is_kept_than_there_is_room_for_and_what_is_wrong_is_not_tried_for_ever(caplog):
    tried: list[list[int]] = []

    def write(items):
        tried.append(list(items))
        raise IntegrityError("wrong")

    gathered = Gathered(write, 60, 3, LOG)
    gathered._begin = lambda: None
    for number in range(5):
        gathered.note(number)
    for _ in range(2):
        gathered._write_and_leave()
    assert tried == [[0, 1, 2]]
    assert "nothing was written (IntegrityError)" in caplog.text
