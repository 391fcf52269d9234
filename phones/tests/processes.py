"""Real processes for the tests: a database that others can open, a Valkey, and Celery workers that can be
killed."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from django.db import connection

from pbxadmin.celery import app
from pbxadmin.run.launcher import socket_folder, valkey_command
from phones.push import telling

ROOT = Path(__file__).resolve().parent.parent.parent


def wait_until(true: Callable[[], Any], seconds: float, what: str) -> float:
    """Wait for a condition, and say how long it took; fails after `seconds`."""
    begin = time.monotonic()
    while not true():
        assert time.monotonic() - begin < seconds, f"{what}: not within {seconds} s"
        time.sleep(0.005)
    return time.monotonic() - begin


@contextmanager
def shared_database(folder: Path) -> Iterator[str]:
    """The tests' database under an address that other processes can open. One in memory moves into a file
    meanwhile."""
    if connection.vendor != "sqlite":
        address = urlsplit(os.environ["DATABASE_URL"])
        yield urlunsplit(address._replace(path=f"/{connection.settings_dict['NAME']}"))
        return
    path = folder / "shared.sqlite3"
    connection.ensure_connection()
    with sqlite3.connect(path) as copy:
        connection.connection.backup(copy)
    memory, name = connection.connection, connection.settings_dict["NAME"]
    connection.connection = None
    connection.settings_dict["NAME"] = str(path)
    try:
        yield f"sqlite:///{path}"
    finally:
        connection.close()
        connection.settings_dict["NAME"] = name
        connection.connection = memory


def publish_to(url: str) -> None:
    """Where this process publishes from now on. Celery asks the environment first, its settings after."""
    os.environ["CELERY_BROKER_URL"] = url
    app.conf.broker_url = url
    app._after_fork()  # its producers hold on to the broker that they know
    telling._connection.cache_clear()


@contextmanager
def valkey(folder: Path) -> Iterator[str]:
    """A Valkey on a private socket and no port (of which tests side by side might choose the same), to which this process
    publishes too."""
    before = app.conf.broker_url
    place = socket_folder(folder)
    command, url = valkey_command(place)
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until((place / "valkey.sock").exists, 20, "Valkey listens")
        publish_to(url)
        telling.rest(0)
        yield url
    finally:
        publish_to(before)
        server.terminate()
        server.wait()


class Worker:
    """A Celery worker process, as production runs it."""

    def __init__(self, folder: Path, database: str, broker: str, name: str = "worker") -> None:
        self.log = folder / f"{name}.log"
        environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "pbxadmin.settings.test",
            "DATABASE_URL": database,
            "CELERY_BROKER_URL": broker,
        }
        command = [
            sys.executable,
            "-m",
            "celery",
            "-A",
            "pbxadmin",
            "worker",
            "-c",
            "1",
            "-l",
            "info",
            "-n",
            f"{name}@test",
            "--without-gossip",
            "--without-mingle",
            "--without-heartbeat",
        ]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        wait_until(lambda: b" ready." in self.log.read_bytes(), 30, f"{name} is ready")

    def kill(self) -> None:
        """SIGKILL, to it and its children: nobody cleans up."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


@contextmanager
def worker(folder: Path, database: str, broker: str, name: str = "worker") -> Iterator[Worker]:
    """A worker that is gone afterwards."""
    made = Worker(folder, database, broker, name)
    try:
        yield made
    finally:
        made.kill()
