"""A file that didn't get through acknowledges nothing: alone, and behind the real web server."""

import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError
from django.test import Client
from django.utils import timezone

from phones import selectors
from phones.models import Phone
from phones.serving import provisioning
from phones.tests.factories import again, fetch, rename
from phones.tests.processes import ROOT, shared_database, wait_until
from users.models import User

pytestmark = pytest.mark.django_db


def begun(phone: Phone) -> Any:
    """A fetch of which the server has taken everything, but hasn't yet asked for what comes after."""
    response = Client().get(f"/p/{phone.token}/{phone.mac}.cfg")
    parts = iter(response)
    assert len(next(parts)) == int(response.headers["Content-Length"])
    return parts


def end(parts: Any) -> None:
    assert list(parts) == []


def test_a_phone_that_went_away_before_the_last_byte_isnt_up_to_date_until_it_fetches_again(
    phone: Phone, amelie: User
) -> None:
    rename(amelie, "Anne")
    before = again(phone)
    begun(phone).close()
    now = again(phone)
    assert (now.stale_since, now.fetched_at, now.fetched_digest) == (
        before.stale_since,
        before.fetched_at,
        before.fetched_digest,
    )
    assert selectors.state(now).kind == "waiting"
    fetch(phone)
    assert selectors.state(again(phone)).kind == "up_to_date"


def test_a_change_while_the_body_is_on_its_way_stays_in_the_outbox(phone: Phone, amelie: User) -> None:
    rename(amelie, "Anne")
    parts = begun(phone)
    rename(amelie, "Annie")
    end(parts)
    assert "Anne" in again(phone).fetched_text
    assert again(phone).stale_since


def test_of_two_fetches_at_once_the_later_one_counts_whichever_ends_last(phone: Phone, amelie: User) -> None:
    rename(amelie, "Anne")
    slow = begun(phone)
    rename(amelie, "Annie")
    fetch(phone)
    end(slow)
    now = again(phone)
    assert "Annie" in now.fetched_text
    assert now.stale_since is None


def test_a_fetch_that_began_before_a_restart_was_sent_isnt_the_phone_that_is_back(phone: Phone) -> None:
    parts = begun(phone)
    Phone.objects.filter(pk=phone.pk).update(
        notified_at=timezone.now(), notified_command="restart", outcome=Phone.Outcome.ACCEPTED
    )
    end(parts)
    assert selectors.state(again(phone)).kind == "notified"


def test_a_phone_has_its_file_although_the_fetch_cant_be_noted(
    phone: Phone, amelie: User, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    def away(fetch: Any) -> None:
        raise DatabaseError

    rename(amelie, "Anne")
    monkeypatch.setattr(provisioning.Fetch, "_write", away)
    assert b"Anne" in fetch(phone).content
    assert again(phone).stale_since
    assert "wasn't noted" in caplog.text
    assert phone.token not in caplog.text


@contextmanager
def web_server(folder: Path, database: str) -> Iterator[int]:
    """The port of granian, as production runs it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "pbxadmin.settings.test", "DATABASE_URL": database}
    command = [
        sys.executable, "-m", "granian", "--interface", "wsgi", "--port", str(port), "--workers", "1",
        "--blocking-threads", "2", "--no-ws", "pbxadmin.wsgi:application",
    ]  # fmt: skip
    with (folder / "web.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)

    def answers() -> bool:
        with suppress(OSError):
            return bool(urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5).status)
        return False

    try:
        wait_until(answers, 30, "the web server answers")
        yield port
    finally:
        process.terminate()
        process.wait()


@pytest.mark.slow("starts the web server")
@pytest.mark.django_db(transaction=True)
def test_behind_the_web_server_a_connection_that_ends_after_the_request_acknowledges_nothing(
    tmp_path: Path, phone: Phone, amelie: User
) -> None:
    with shared_database(tmp_path) as database, web_server(tmp_path, database) as port:
        rename(amelie, "Anne")
        before = again(phone)
        path = f"/p/{phone.token}/{phone.mac}.cfg"
        for _ in range(5):
            with socket.create_connection(("127.0.0.1", port)) as line:
                line.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        # Answered after those, by the same server: whatever they did is done.
        head = urllib.request.Request(f"http://127.0.0.1:{port}{path}", method="HEAD")
        assert urllib.request.urlopen(head).status == 200
        assert (again(phone).stale_since, again(phone).fetched_at) == (before.stale_since, before.fetched_at)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}") as answer:
            assert b"Anne" in answer.read()
        wait_until(lambda: selectors.state(again(phone)).kind == "up_to_date", 5, "the whole file is noted")
